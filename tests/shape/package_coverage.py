"""Fails when any package is covered below 80 %: an average hides an untested room.

Usage: coverage json --quiet --fail-under=0 -o - | python tests/shape/package_coverage.py
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import PurePosixPath
from typing import Any

__all__ = ["main", "package_percents"]

# Ten below the overall bound of pyproject.toml: room for one hard-to-reach
# branch in a small package, not for a module without tests.
FAIL_UNDER_PERCENT = 80.0


def main() -> int:
    """Print every package's coverage; return 1 if one is below the bound."""
    percents = package_percents(json.load(sys.stdin))
    for package, percent in sorted(percents.items(), key=lambda item: item[1]):
        mark = "" if percent >= FAIL_UNDER_PERCENT else f"  below {FAIL_UNDER_PERCENT:g} %"
        print(f"{percent:6.1f} %  {package}{mark}")
    return int(any(percent < FAIL_UNDER_PERCENT for percent in percents.values()))


def package_percents(report: dict[str, Any]) -> dict[str, float]:
    """Return the share of lines and branches run, for each folder of *report*."""
    covered: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for path, measured in report["files"].items():
        package = str(PurePosixPath(path).parent)
        summary = measured["summary"]
        covered[package] += summary["covered_lines"] + summary.get("covered_branches", 0)
        total[package] += summary["num_statements"] + summary.get("num_branches", 0)
    return {
        package: 100.0 * covered[package] / total[package] for package in total if total[package]
    }


if __name__ == "__main__":
    sys.exit(main())
