"""Every code block of the documentation runs, or says why it does not.

A page is one reader at one terminal: its blocks run in order, in one empty
folder.  A block after ``<!-- file: NAME -->`` is written to NAME, ``python``
is a script, and ``console`` holds commands (``$ ``) with what they print;
``<!-- needs: PROGRAM -->`` before it leaves it out where PROGRAM is missing.
JSON is compared as JSON; in other printed text ``...`` stands for anything; of an
error the beginning is enough; a command that shows nothing must only succeed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

# Languages that only show something: output, a picture.
SHOWN = {"", "text", "mermaid"}
RUN = {"console", "python"}
# A cold interpreter of each runtime on a loaded machine; a block that needs
# longer is not something a reader wants to wait for either.
COMMAND_TIMEOUT_S = 60.0
BIN = Path(sys.executable).parent


class Terminal:
    """Runs commands one after another, as one shell would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.status = 0
        self.environment = {
            **os.environ,
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder),
            "COLUMNS": "100",
            "NO_COLOR": "1",
        }

    def run(self, command: str) -> str:
        """Return what *command* prints to both streams; keep its exit status."""
        if command.startswith("cd "):
            self.folder = self.folder / command.removeprefix("cd ")
            self.status = 0 if self.folder.is_dir() else 1
            return ""
        result = subprocess.run(
            ["bash", "-c", command.replace("$?", str(self.status))],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )
        self.status = result.returncode
        return result.stdout


def commands_of(text: str) -> list[tuple[str, str]]:
    """Return the commands of a console block, each with what it should print."""
    parts = re.split(r"^\$ (.*)$", text, flags=re.MULTILINE)
    return [
        (command, expected.strip("\n"))
        for command, expected in zip(parts[1::2], parts[2::2], strict=True)
    ]


def matches(expected: str, printed: str) -> bool:
    """Compare JSON as JSON, because a page may break its lines, and all else as text."""
    try:
        return bool(json.loads(expected) == json.loads(printed))
    except ValueError:
        pass
    pattern = ".*".join(re.escape(piece) for piece in expected.split("..."))
    return re.fullmatch(pattern, printed.strip("\n"), flags=re.DOTALL) is not None


def run_console(terminal: Terminal, text: str, place: str) -> None:
    commands = commands_of(text)
    following = [command for command, _ in commands[1:]] + [""]
    for (command, expected), next_command in zip(commands, following, strict=True):
        printed = terminal.run(command)
        shows_error = expected.startswith("error[")
        if expected:
            shown = f"{expected}..." if shows_error else expected
            assert matches(shown, printed), f"{place}: $ {command}\n{printed}"
        # A command fails exactly where the page shows that it does.
        if "$?" not in next_command:
            assert (terminal.status != 0) == shows_error, f"{place}: $ {command}\n{printed}"


def test_the_blocks_of_a_page_run_in_order(page: Path, blocks: list[Any], tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    for block in blocks:
        if block.marker == "not run":
            continue
        if block.marker == "needs" and shutil.which(block.argument) is None:
            continue
        if block.marker == "file":
            path = terminal.folder / block.argument
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        elif block.language == "console":
            run_console(terminal, block.text, block.place)
        elif block.language == "python":
            (terminal.folder / "block.py").write_text(block.text, encoding="utf-8")
            printed = terminal.run(f"{sys.executable} block.py")
            assert terminal.status == 0, f"{block.place}:\n{printed}"


def test_no_block_is_left_out_silently(page: Path, blocks: list[Any]) -> None:
    silent = [
        f"{block.place}: ```{block.language}"
        for block in blocks
        if not block.marker and block.language not in SHOWN | RUN
    ]

    assert silent == []


@pytest.mark.parametrize(
    ("expected", "printed", "same"),
    [
        ('"ada"', '"ada"\n', True),
        ('"ada"', '"bob"\n', False),
        ('{"a": 1,\n "b": 2}', '{"a":1,"b":2}\n', True),
        ('{"a": 1}', '{"a":2}\n', False),
        ("error[...]: no\n...", "error[plugin-not-found]: no\n  hint: x\n", True),
        ("first\n...", "second\nthird\n", False),
    ],
)
def test_printed_text_is_compared_word_by_word(expected: str, printed: str, same: bool) -> None:
    assert matches(expected, printed) is same


def test_a_command_that_prints_something_else_fails_the_page(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"page\.md:3: \$ echo two"):
        run_console(Terminal(tmp_path), "$ echo one\none\n$ echo two\nthree\n", "page.md:3")


def test_a_command_that_fails_unannounced_fails_the_page(tmp_path: Path) -> None:
    run_console(Terminal(tmp_path), "$ exit 7\n$ echo $?\n7\n", "page.md:3")

    with pytest.raises(AssertionError, match=r"page\.md:3: \$ exit 7"):
        run_console(Terminal(tmp_path), "$ exit 7\n", "page.md:3")


def test_a_command_that_shows_an_error_must_fail_with_it(tmp_path: Path) -> None:
    run_console(Terminal(tmp_path), "$ echo 'error[a]: b, c'; exit 1\nerror[a]: b\n", "page.md:3")

    with pytest.raises(AssertionError, match=r"page\.md:3: \$ echo"):
        run_console(Terminal(tmp_path), "$ echo 'error[a]: b'\nerror[a]: b\n", "page.md:3")
