"""The benchmarks: `make bench`.

Everything is measured in one run, in turns, and judged as a ratio: these
machines are shared, and an absolute time of one run says nothing about the
next.  Nothing here fails a build.
"""

from __future__ import annotations

import json
import platform
from pathlib import Path

import calls
import starts

RESULTS = Path(__file__).parents[2] / "docs" / "benchmarks" / "results.json"

# (figure, goal, whether smaller is better); the goals are those of the fabric.
GOALS = [
    ("ours_over_asyncio", 2.0, True),
    ("mcp_sdk_over_ours", 8.0, False),
    ("ours_64_in_flight_per_s", 15_000, False),
    *((f"{name}_ready_over_allowed", 1.0, True) for name in ("python", "node", "lua", "wasm")),
    ("twelve_plugins_ready_s", 1.0, True),
    ("python_pss_mb", 16, True),
    ("lua_pss_mb", 16, True),
    ("wasm_pss_mb", 40, True),
    ("node_pss_mb", 60, True),
]


def main() -> None:
    """Measure, print, and write docs/benchmarks/results.json."""
    figures = calls.measure() | starts.measure()
    for name, figure in figures.items():
        print(f"{name:32} {figure:12.3f}")
    print()
    print(f"{'goal':32} {'measured':>12} {'goal':>10}  reached")
    for name, goal, smaller in GOALS:
        if name not in figures:
            print(f"{name:32} {'-':>12} {goal:>10}  not measured: its interpreter is missing")
            continue
        reached = figures[name] <= goal if smaller else figures[name] >= goal
        print(f"{name:32} {figures[name]:12.3f} {goal:>10}  {'yes' if reached else 'NO'}")
    machine = f"{platform.machine()}, Python {platform.python_version()}, {platform.system()}"
    document = {"machine": machine, "figures": {k: round(v, 3) for k, v in figures.items()}}
    RESULTS.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
