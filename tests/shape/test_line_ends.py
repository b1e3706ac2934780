"""The end-of-file check sees what it is for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("line_ends.py")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", ""),
        (b"a\nb\n", ""),
        (b"a", "does not end with a newline"),
        (b"a\n\n", "ends with an empty line"),
        (b"a\r\nb\n", "has carriage returns"),
        (b"a\nb \nc\n", "line 2 ends with blanks"),
    ],
)
def test_line_ends_are_judged_with_the_place(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "file.txt"
    path.write_bytes(data)

    result = subprocess.run(
        [sys.executable, SCRIPT, path],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )

    assert result.stdout == (f"{path}: {said}\n" if said else "")
    assert result.returncode == bool(said)
