"""How does a result reach stdout: JSON for programs, text for people?"""

from __future__ import annotations

import os
import re
import sys
from typing import Any, Final, TextIO

__all__ = [
    "columns",
    "has_colour",
    "is_terminal",
    "plain",
    "print_json",
    "print_rendered",
    "print_text",
    "silence",
]

# Escape sequences of a plugin must not move a person's cursor or retitle their
# window: C0 without tab and line feed, DEL, and C1.
_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")

# What a terminal that does not say has, and what a pipe gets.
_COLUMNS: Final = 80


def print_json(value: Any) -> None:
    """Print *value* as JSON: indented on a terminal, on one line otherwise.

    UTF-8 whatever the locale says, not escaped; NaN cannot occur, because
    what is not JSON never leaves a plugin.
    """
    import orjson

    option = orjson.OPT_APPEND_NEWLINE
    if is_terminal(sys.stdout):
        option |= orjson.OPT_INDENT_2
    try:
        data: bytes = orjson.dumps(value, option=option)
    except TypeError:
        # A name from the command line that is not UTF-8, quoted in an error.
        data = _dump_anything(value)
    _write(data)


def print_text(text: str = "") -> None:
    """Print one line or several to stdout, in UTF-8."""
    print_rendered(plain(text) + "\n")


def print_rendered(text: str) -> None:
    """Print *text* as it is, colours included: whoever made it has cleaned what is in it."""
    _write(text.encode("utf-8", "backslashreplace"))


def plain(text: str) -> str:
    """Return *text* with its control characters written out as escapes."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def is_terminal(stream: TextIO) -> bool:
    """Tell whether a person reads *stream*."""
    return stream.isatty()


def has_colour(stream: TextIO) -> bool:
    """Tell whether *stream* is a terminal whose reader has not refused colour (no-color.org)."""
    return (
        is_terminal(stream) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    )


def columns() -> int:
    """Return how wide a line may be."""
    asked = os.environ.get("COLUMNS", "")
    if asked.isdecimal() and int(asked):
        return int(asked)
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or _COLUMNS
    except OSError:  # a pipe or a file
        return _COLUMNS


def silence(stream: TextIO) -> None:
    """Let *stream* go nowhere: its reader has left, and the interpreter flushes at exit."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)


def _write(data: bytes) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _dump_anything(value: Any) -> bytes:
    import json

    text = json.dumps(value, ensure_ascii=False, default=str)
    # A lone surrogate becomes its JSON escape.
    return text.encode("utf-8", "backslashreplace") + b"\n"
