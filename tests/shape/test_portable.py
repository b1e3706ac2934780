"""The tree names nothing that a stranger does not have: no machine's paths, no outside papers."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# This checkout, this user's home, and the roots where build machines keep theirs.
OF_ONE_MACHINE = re.compile(
    r"(?<![A-Za-z0-9_.{}*~-])(?:"
    + "|".join([re.escape(str(ROOT)), re.escape(str(Path.home())), "/root", "/work", "/farm"])
    + r")/[a-z.]"
)
# Papers the project was planned with; what they settled is in contracts/ and docs/.
OUTSIDE_PAPER = re.compile(
    r"\b(?:PROTOCOL|INTERFACES|ARCHITECTURE|SECURITY|STYLE)(?:\.md)? §|\.\./" + "shared/"
)


def tracked_files() -> list[Path]:
    """Return what git knows and what it would add; outside a checkout, every source file."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    if listed.returncode == 0:
        return [ROOT / name for name in listed.stdout.split("\0") if name]
    return [
        path
        for folder in ("host", "runtimes", "plugins", "tests", "docs", "contracts")
        for path in (ROOT / folder).rglob("*")
        if path.is_file()
    ]


def text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (UnicodeDecodeError, FileNotFoundError):
        return ""  # a binary, or deleted and not committed yet


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in tracked_files()
        for number, line in enumerate(text_of(path).splitlines(), start=1)
        if pattern.search(line)
    ]


def test_no_file_holds_an_absolute_path_of_a_machine() -> None:
    assert lines_with(OF_ONE_MACHINE) == []


def test_no_file_cites_a_paper_that_is_not_in_the_repository() -> None:
    assert lines_with(OUTSIDE_PAPER) == []


def test_the_patterns_find_what_they_are_for() -> None:
    assert OF_ONE_MACHINE.search(f'open("{ROOT}/x")')
    assert not OF_ONE_MACHINE.search("https://example.com" + "/work/" + "page")
    assert OUTSIDE_PAPER.search("PROTOCOL" + " §4: V8 needs room")
    assert not OUTSIDE_PAPER.search("contracts/wire/README.md §4")
