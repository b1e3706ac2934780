"""Fails for text files that do not end with one newline, or have blanks before one.

Usage: python tests/shape/line_ends.py FILE...
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

__all__ = ["main", "problems"]

LINE_END = b"\n"


def main(paths: list[str]) -> int:
    """Print the problems of all *paths*; return 1 if there are any."""
    found = [
        f"{path}: {problem}" for path in paths for problem in problems(Path(path).read_bytes())
    ]
    print("\n".join(found), end="\n" if found else "")
    return int(bool(found))


def problems(data: bytes) -> list[str]:
    """Return what is wrong with the line ends of one file's *data*."""
    found = []
    if data and not data.endswith(b"\n"):
        found.append("does not end with a newline")
    if data.endswith(b"\n\n"):
        found.append("ends with an empty line")
    if b"\r\n" in data:
        found.append("has carriage returns")
    found += [
        f"line {data.count(LINE_END, 0, match.start()) + 1} ends with blanks"
        for match in re.finditer(rb"[ \t]+$", data, re.MULTILINE)
    ]
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
