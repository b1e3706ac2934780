"""The official MCP Python SDK on both sides, over stdio: the same echo tool."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

SERVER = Path(__file__).with_name("mcp_sdk_server.py")


async def main() -> None:
    parameters = StdioServerParameters(command=sys.executable, args=[str(SERVER)])
    async with (
        stdio_client(parameters) as (reading, writing),
        ClientSession(reading, writing) as session,
    ):
        await session.initialize()
        print("ready", flush=True)
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            what, size, count, callers = line.split()
            text = "x" * int(size)
            if what == "sequential":
                durations = []
                for _ in range(int(count)):
                    start = time.perf_counter()
                    await session.call_tool("echo", {"text": text})
                    durations.append(time.perf_counter() - start)
                print(json.dumps(durations), flush=True)
                continue

            async def caller(calls: int, text: str) -> None:
                for _ in range(calls):
                    await session.call_tool("echo", {"text": text})

            start = time.perf_counter()
            each = int(count) // int(callers)
            await asyncio.gather(*(caller(each, text) for _ in range(int(callers))))
            rate = each * int(callers) / (time.perf_counter() - start)
            print(json.dumps([rate]), flush=True)


asyncio.run(main())
