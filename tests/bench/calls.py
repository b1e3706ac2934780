"""Warm calls, beside the floor and beside the official MCP SDK, in turns."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

CONTESTANTS = Path(__file__).with_name("contestants")
ROUNDS = 12


class Contestant:
    """A process that runs what it is told and answers with figures."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self._read()  # "ready"

    def run(self, what: str, size: int, count: int, callers: int = 1) -> list[float]:
        """Have it make *count* calls of *size* bytes and return durations or a rate."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{what} {size} {count} {callers}\n")
        self.process.stdin.flush()
        figures: list[float] = json.loads(self._read())
        return figures

    def _read(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.process.args!r} ended")
        return line


@contextmanager
def contestant(name: str) -> Iterator[Contestant]:
    """Run one of the programs in contestants/ for as long as the block runs."""
    with subprocess.Popen(
        [sys.executable, str(CONTESTANTS / f"{name}.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        yield Contestant(process)
        assert process.stdin is not None
        process.stdin.close()


def quantile(figures: list[float], share: float) -> float:
    """Return the figure below which *share* of all lie."""
    return sorted(figures)[min(len(figures) - 1, int(share * len(figures)))]


def measure() -> dict[str, float]:
    """Return the figures of warm calls: microseconds, calls a second, ratios."""
    names = ("ours", "asyncio_echo", "mcp_sdk")
    durations: dict[str, list[float]] = {name: [] for name in names}
    rates: dict[str, list[float]] = {"ours": [], "mcp_sdk": []}
    with ExitStack() as stack:
        running = {name: stack.enter_context(contestant(name)) for name in names}
        for name, each in running.items():
            each.run("sequential", 100, 50 if name == "mcp_sdk" else 500)  # warm up
        for _ in range(ROUNDS):
            for name, each in running.items():
                durations[name] += each.run("sequential", 100, 60 if name == "mcp_sdk" else 500)
        for _ in range(5):
            rates["ours"] += running["ours"].run("in_flight", 100, 12_800, 64)
            rates["mcp_sdk"] += running["mcp_sdk"].run("in_flight", 100, 640, 64)
    p50 = {name: statistics.median(figures) for name, figures in durations.items()}
    found = {f"{name}_p50_us": figure * 1e6 for name, figure in p50.items()}
    found |= {f"{name}_p99_us": quantile(durations[name], 0.99) * 1e6 for name in names}
    found["ours_over_asyncio"] = p50["ours"] / p50["asyncio_echo"]
    found["mcp_sdk_over_ours"] = p50["mcp_sdk"] / p50["ours"]
    found["ours_64_in_flight_per_s"] = statistics.median(rates["ours"])
    found["mcp_sdk_64_in_flight_per_s"] = statistics.median(rates["mcp_sdk"])
    return found
