"""Plughost through its whole door: validation, flow control, deadline, health record."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import structlog
import trio

from plughost import Host

PLUGINS = Path(__file__).parents[1] / "plugins"
structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))


async def sequential(host: Host, text: str, count: int) -> list[float]:
    durations: list[float] = []
    for _ in range(count):
        start = time.perf_counter()
        result = await host.call("bench-python", "echo", {"text": text})
        durations.append(time.perf_counter() - start)
        assert result.ok, result
    return durations


async def in_flight(host: Host, text: str, count: int, callers: int) -> float:
    async def caller() -> None:
        for _ in range(count // callers):
            result = await host.call("bench-python", "echo", {"text": text})
            assert result.ok, result

    start = time.perf_counter()
    async with trio.open_nursery() as nursery:
        for _ in range(callers):
            nursery.start_soon(caller)
    return (count // callers) * callers / (time.perf_counter() - start)


async def main() -> None:
    async with Host.open(PLUGINS / "python", first_party=False) as host:
        print("ready", flush=True)
        while line := await trio.to_thread.run_sync(sys.stdin.readline):
            what, size, count, callers = line.split()
            text = "x" * int(size)
            if what == "sequential":
                print(json.dumps(await sequential(host, text, int(count))), flush=True)
            else:
                print(
                    json.dumps([await in_flight(host, text, int(count), int(callers))]), flush=True
                )


trio.run(main)
