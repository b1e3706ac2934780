"""The floor for a Python host: asyncio pipes to a child that sends each line back.

No validation, no deadline, no correlation: one line out, one line in.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

CHILD = (
    "import sys\nfor line in sys.stdin.buffer: sys.stdout.buffer.write(line); sys.stdout.flush()"
)


async def main() -> None:
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        "-S",
        "-c",
        CHILD,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=2**24,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    print("ready", flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        _, size, count, _ = line.split()
        message = json.dumps({"id": 1, "params": {"text": "x" * int(size)}}).encode() + b"\n"
        durations = []
        for _ in range(int(count)):
            start = time.perf_counter()
            child.stdin.write(message)
            await child.stdin.drain()
            await child.stdout.readline()
            durations.append(time.perf_counter() - start)
        print(json.dumps(durations), flush=True)
    child.stdin.close()
    await child.wait()


asyncio.run(main())
