"""What does this TOML text say, and on which line does it say it?

`tomllib` gives values without places, so a second, simpler reader goes over text
that is known to be valid and notes the line of every key and list item.  It runs only
when there is something to complain about.
"""

from __future__ import annotations

import math
import re
import tomllib
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import Any, Final

import attrs

from plughost.contracts.checking.refusals import Where
from plughost.contracts.checking.words import Problem, shorten
from plughost.errors import PlughostError

__all__ = ["Document", "complain", "not_json", "read_toml"]

# Sixty times the longest manifest we know; keeps a wrong file out of the parser.
MAX_DOCUMENT_BYTES: Final = 256 * 1024

# What JSON on our wire can carry (contracts/wire/README.md §2.4).
_SMALLEST_INTEGER: Final = -(2**63)
_LARGEST_INTEGER: Final = 2**64 - 1

# tomllib writes the place into its message and nowhere else.
_TOML_PLACE: Final = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")

# Key, table header and scalar tokens of TOML 1.0, for text that is valid already.
_BLANK: Final = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_KEY: Final = re.compile(r"""[ \t]*("(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)[ \t]*""")
_SCALAR: Final = re.compile(
    r'"""(?:[^\\"]|\\.|"(?!""))*"{3,5}'  # several lines, with escapes
    r"|'''(?:[^']|'(?!''))*'{3,5}"  # several lines, literal
    r'|"(?:[^"\\]|\\.)*"|\'[^\']*\'|[^,\]}#\n]+',
    re.DOTALL,
)


@attrs.frozen(kw_only=True)
class Document:
    """The values of a TOML file, and where they stand.

    Attributes:
        source: The file's name, for messages.
        values: What the file says.
        text: The file, with line feeds only.
    """

    source: str
    values: dict[str, Any]
    text: str

    def lines(self) -> dict[Where, int]:
        """Return the line, from 1, of every key and list item."""
        return _LineReader(self.text).read()


def read_toml(data: bytes, source: str, *, error: type[PlughostError]) -> Document:
    """Return what *data* says.

    Args:
        data: The file's bytes.
        source: The file's name, for messages.
        error: Raised, naming line and column, if *data* is not TOML.
    """
    if len(data) > MAX_DOCUMENT_BYTES:
        raise error(
            f"{source} is {len(data)} bytes long; at most {MAX_DOCUMENT_BYTES} are read",
            hint="Check that this is the right file.",
            path=source,
        )
    try:
        text = data.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as bad:
        line = data.count(b"\n", 0, bad.start) + 1
        raise error(
            f"{source}:{line}: byte {bad.start} ({data[bad.start]:#04x}) is not UTF-8",
            hint="Save the file as UTF-8.",
            path=source,
            line=line,
        ) from bad
    try:
        return Document(source=source, values=tomllib.loads(text), text=text)
    except tomllib.TOMLDecodeError as bad:
        raise _word_syntax(str(bad), text, source, error) from bad
    except (RecursionError, ValueError) as bad:  # ValueError: a number of 4,300 digits
        raise error(
            f"{source} nests too deep or holds a number too long to read",
            hint="Write it flatter.",
            path=source,
        ) from bad


def complain(
    document: Document, problems: Iterable[Problem], *, error: type[PlughostError], what: str
) -> PlughostError:
    """Return *error* with every one of *problems*, in the order of the file's lines.

    Args:
        document: The file they were found in.
        problems: What is wrong; at least one.
        error: The class to build.
        what: What the file should have been, ``a valid manifest``.
    """
    lines = document.lines()
    placed = sorted(
        ((_line_of(lines, each.where), each) for each in problems), key=lambda pair: pair[0]
    )
    told = [f"line {line}, {each}" for line, each in placed]
    return error(
        "\n  ".join([f"{document.source} is not {what}:", *told]),
        hint=f"Correct {document.source}; each line above names the place.",
        path=document.source,
        problems=[
            {"line": line, "path": each.path, "message": each.message} for line, each in placed
        ],
    )


def not_json(value: Any, where: Where = ()) -> Iterator[Problem]:
    """Yield a problem for every value that TOML can write and JSON cannot."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from not_json(item, (*where, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from not_json(item, (*where, index))
    elif isinstance(value, float) and not math.isfinite(value):
        yield Problem(where, f"must be a finite number, not {value}")
    elif isinstance(value, int) and not _SMALLEST_INTEGER <= value <= _LARGEST_INTEGER:
        yield Problem(where, "is an integer too large for JSON on the wire")
    elif not isinstance(value, (str, int, float)):
        yield Problem(where, f'must be quoted: a date is a string here, "{value}"')


def _line_of(lines: dict[Where, int], where: Where) -> int:
    """Return the line of *where*, or of the nearest table around it; 1 for the whole file."""
    while where and where not in lines:
        where = where[:-1]
    return lines.get(where, 1)


def _word_syntax(message: str, text: str, source: str, error: type[PlughostError]) -> PlughostError:
    place = _TOML_PLACE.search(message)
    assert place is not None  # every TOMLDecodeError of `loads` ends so
    line = int(place[1]) if place[1] else text.count("\n") + 1
    column = int(place[2]) if place[2] else len(text) - text.rfind("\n")
    fact = message[: place.start()]
    written = text.split("\n")[line - 1].strip()
    if text.startswith("\ufeff"):
        fact = "the file begins with a byte-order mark"
    elif fact.startswith("Cannot ") or "twice" in fact:
        fact = "this key or table is written a second time"
    return error(
        f"{source}:{line}:{column}: not TOML: {fact}: {shorten(written)}",
        hint="Correct the line; TOML is described at https://toml.io.",
        path=source,
        line=line,
        column=column,
    )


class _LineReader:
    """Walks over valid TOML and notes where each key begins."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._breaks = [index for index, char in enumerate(text) if char == "\n"]
        self._lines: dict[Where, int] = {}
        self._counts: dict[Where, int] = {}  # items of each array of tables

    def read(self) -> dict[Where, int]:
        table: Where = ()
        while self._skip_blank():
            if self._text.startswith("[[", self._at):
                table = self._read_header(2)
            elif self._text[self._at] == "[":
                table = self._read_header(1)
            else:
                self._read_pair(table)
        return self._lines

    def _read_header(self, brackets: int) -> Where:
        begin = self._at
        self._at += brackets
        names = self._read_key()
        self._at += brackets
        table: Where = ()
        for depth, name in enumerate(names, start=1):
            table = (*table, name)
            if brackets == 2 and depth == len(names):  # noqa: PLR2004 - [[ ]] adds an item
                self._note(table, begin)
                self._counts[table] = self._counts.get(table, 0) + 1
            if table in self._counts:
                table = (*table, self._counts[table] - 1)
            self._note(table, begin)
        return table

    def _read_pair(self, table: Where) -> None:
        begin = self._at
        where = table
        for name in self._read_key():
            where = (*where, name)
            self._note(where, begin)
        self._at += 1  # the equals sign
        self._read_value(where)

    def _read_key(self) -> list[str]:
        names: list[str] = []
        while True:
            found = _KEY.match(self._text, self._at)
            assert found is not None
            self._at = found.end()
            names.append(_unquote(found[1]))
            if self._text[self._at] != ".":
                return names
            self._at += 1

    def _read_value(self, where: Where) -> None:
        self._skip_blank()
        opening = self._text[self._at]
        if opening == "[":
            self._read_list(where)
        elif opening == "{":
            self._read_inline_table(where)
        else:
            found = _SCALAR.match(self._text, self._at)
            assert found is not None
            self._at = found.end()

    def _read_list(self, where: Where) -> None:
        self._at += 1
        index = 0
        while self._next_item("]"):
            self._note((*where, index), self._at)
            self._read_value((*where, index))
            index += 1

    def _read_inline_table(self, where: Where) -> None:
        self._at += 1
        while self._next_item("}"):
            self._read_pair(where)

    def _next_item(self, closing: str) -> bool:
        """Go to the next item; past *closing*, and return False, if there is none."""
        self._skip_blank()
        if self._text[self._at] == ",":
            self._at += 1
            self._skip_blank()
        if self._text[self._at] != closing:
            return True
        self._at += 1
        return False

    def _skip_blank(self) -> bool:
        found = _BLANK.match(self._text, self._at)
        assert found is not None
        self._at = found.end()
        return self._at < len(self._text)

    def _note(self, where: Where, position: int) -> None:
        self._lines.setdefault(where, bisect_right(self._breaks, position - 1) + 1)


def _unquote(token: str) -> str:
    if token[0] == "'":
        return token[1:-1]
    if token[0] == '"':
        return str(tomllib.loads(f"key = {token}")["key"])
    return token
