"""How blocks of CSV text become batches of columns, whatever is wrong with some rows."""

from __future__ import annotations

__all__ = ["CsvBatches", "column_names", "columns_of", "lines_of"]

import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import takewhile

from data_profile.notes import Notes
from data_profile.source import MAX_LINE_BYTES, Block

# What csv counts as the end of a line inside quotes.
LINE_BREAK = re.compile(r"\r\n|\r|\n")


class CsvBatches:
    """Iterates over a file's records, one batch per block of text.

    A quoted field may run from one block into the next: one `csv.reader` reads
    them all, and an empty line after each block tells where to stop; inside
    quotes that line adds nothing.

    Attributes:
        bytes_read: How far into the file the last batch reached.
    """

    def __init__(self, blocks: Iterator[Block], delimiter: str, notes: Notes) -> None:
        # Process-wide, and the same for everybody here: a quote that is never
        # closed must not swallow the file.
        csv.field_size_limit(MAX_LINE_BYTES)
        self.bytes_read = 0
        self._blocks = blocks
        self._notes = notes
        self._block_ended = False
        self._more = True
        self._added_lines = 0
        self._reader = csv.reader(self._lines(), delimiter=delimiter)

    def __iter__(self) -> Iterator[tuple[int, list[list[str]]]]:
        """Yield each batch of records with the line its first record begins on."""
        while self._more:
            first = self._line + 1
            records = self._batch()
            if records:
                yield first, records

    @property
    def _line(self) -> int:
        return self._reader.line_num - self._added_lines

    def _batch(self) -> list[list[str]]:
        """Return the records up to the end of a block or an error; a blank line is empty."""
        records: list[list[str]] = []
        first = self._line + 1
        self._block_ended = False
        try:
            while not self._block_ended and self._more:
                # Not list(): what was read before an error must survive it.
                records.extend(takewhile(len, self._reader))
                if not self._block_ended:
                    records.append([])
        except csv.Error:
            self._notes.add(
                "unclosed-quote",
                f"a quoted field does not end within {MAX_LINE_BYTES // 1024} KiB; "
                "the lines it swallowed were left out",
                line=first + sum(map(lines_of, records)),
            )
        return records

    def _lines(self) -> Iterator[str]:
        for block in self._blocks:
            self.bytes_read = block.bytes_read
            yield from io.StringIO(block.text, newline="")
            self._added_lines += 1
            self._block_ended = True
            yield ""
        self._more = False


def columns_of(
    records: Sequence[Sequence[str]], width: int, first_line: int, notes: Notes
) -> list[tuple[str, ...]]:
    """Turn records into *width* columns; short rows are filled, long ones are cut."""
    if set(map(len, records)) == {width}:
        return list(zip(*records, strict=True))
    line, straight = first_line, []
    for record in records:
        if not record:
            line += 1
            continue
        if len(record) != width:
            notes.add(
                "ragged-row",
                f"rows with more or fewer than {width} fields; missing fields were read as "
                "null, surplus ones left out",
                line=line,
            )
        straight.append([*record[:width], *[""] * (width - len(record))])
        line += lines_of(record)
    return list(zip(*straight, strict=True))


def column_names(first: Sequence[str], *, header: bool) -> list[str]:
    """Return a different name for every column, from the header where there is one."""
    if not header:
        return [f"column_{number}" for number in range(1, len(first) + 1)]
    names: dict[str, None] = {}
    for number, field in enumerate(first, 1):
        name = base = field.strip() or f"column_{number}"
        again = 2
        while name in names:
            name, again = f"{base}_{again}", again + 1
        names[name] = None
    return list(names)


def lines_of(record: Sequence[str]) -> int:
    """Return how many lines of the file *record* took."""
    return 1 + sum(len(LINE_BREAK.findall(field)) for field in record)
