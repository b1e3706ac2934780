"""The coverage check sees a package that an average would hide."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).with_name("package_coverage.py")


def run(files: dict[str, tuple[int, int]]) -> subprocess.CompletedProcess[str]:
    report = {
        "files": {
            path: {"summary": {"covered_lines": covered, "num_statements": statements}}
            for path, (covered, statements) in files.items()
        }
    }
    return subprocess.run(
        [sys.executable, SCRIPT],
        input=json.dumps(report),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def test_a_small_untested_package_fails_although_the_average_is_fine() -> None:
    result = run(
        {"host/plughost/process/child.py": (990, 1000), "host/plughost/cli/main.py": (7, 10)}
    )

    assert result.returncode == 1
    assert "70.0 %  host/plughost/cli  below 80 %" in result.stdout


def test_modules_of_one_package_are_judged_together() -> None:
    result = run({"host/plughost/cli/main.py": (7, 10), "host/plughost/cli/render.py": (9, 10)})

    assert result.returncode == 0
    assert result.stdout == "  80.0 %  host/plughost/cli\n"
