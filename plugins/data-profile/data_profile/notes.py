"""What was odd about the input, counted in full and quoted only at first."""

from __future__ import annotations

__all__ = ["Note", "Notes"]

from typing import TypedDict

# Enough to find the pattern in the file; a file of nothing but bad lines must
# not make the answer larger than the data it describes.
LINES_QUOTED = 10


class Note(TypedDict):
    """One kind of oddity: how often, and the lines it was first seen on."""

    kind: str
    message: str
    count: int
    lines: list[int]


class Notes:
    """Collects oddities by kind, in the order the kinds were first seen."""

    def __init__(self) -> None:
        self._by_kind: dict[str, Note] = {}

    def add(self, kind: str, message: str, *, line: int | None = None, count: int = 1) -> None:
        """Record an oddity; the first message of a kind is the one that is kept."""
        note = self._by_kind.get(kind)
        if note is None:
            note = Note(kind=kind, message=message, count=0, lines=[])
            self._by_kind[kind] = note
        note["count"] += count
        if line is not None and len(note["lines"]) < LINES_QUOTED:
            note["lines"].append(line)

    def listed(self) -> list[Note]:
        """Return every kind of oddity seen so far."""
        return list(self._by_kind.values())
