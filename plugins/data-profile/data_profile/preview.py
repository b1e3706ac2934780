"""What the first rows of a file look like, as they are read and not as they are written."""

from __future__ import annotations

__all__ = ["head_of_file", "schema_of_file"]

from itertools import islice
from typing import Any

from data_profile import csvfile, jsonlines
from data_profile.dialect import detect
from data_profile.failure import ProfileFailure
from data_profile.notes import Notes
from data_profile.profile import Options, profile_file
from data_profile.source import Source

# A person reads tens of rows; a thousand still fits a message if cells are cut.
MAX_ROWS = 1000

# 1000 rows of 20 such cells are 4 million characters at worst; see MAX_CHARACTERS.
CELL_CHARACTERS = 200

# Less than half of the largest message, because a character may take two bytes
# and more once it is escaped.
MAX_CHARACTERS = 1_000_000

# A kind that first occurs after so many rows is an accident in the data, which
# `profile` reports; the schema is for a quick look.
SCHEMA_ROWS = 10_000


def head_of_file(path: str, rows: int) -> dict[str, Any]:
    """Return the first *rows* rows of the file *path* with the names of their columns.

    Raises:
        ProfileFailure: The file or *rows* cannot be used.
    """
    if not 1 <= rows <= MAX_ROWS:
        raise ProfileFailure(
            f"{rows} is out of range", where="argument `rows`", next_step=f"Give 1 to {MAX_ROWS}."
        )
    notes = Notes()
    with Source(path) as source:
        blocks = source.blocks(notes)
        first = next(blocks)
        dialect = detect(path, first.text)
        if dialect.format == "jsonl":
            records = jsonlines.records_of(first.text, 1, notes)[:rows]
            flat = jsonlines.columns_of(records)
            names, columns = list(flat), list(flat.values())
        else:
            batches = csvfile.CsvBatches(iter([first]), dialect.delimiter, notes)
            read = [record for _, batch in batches for record in batch if record]
            names = csvfile.column_names(read[0] if read else [], header=dialect.header)
            kept = list(islice(read, int(dialect.header), int(dialect.header) + rows))
            columns = list(csvfile.columns_of(kept, len(names), 1 + int(dialect.header), notes))
    shown = _shown([list(row) for row in zip(*columns, strict=True)])
    return {
        "path": path,
        "format": dialect.format,
        "columns": names,
        "rows": shown,
        "warnings": notes.listed(),
    }


def schema_of_file(path: str) -> dict[str, Any]:
    """Return the names and kinds of the columns, judged by the first `SCHEMA_ROWS` rows.

    Raises:
        ProfileFailure: The file cannot be used.
    """
    profile = profile_file(path, Options(sample=SCHEMA_ROWS, top=1))
    return {
        "path": path,
        "format": profile["format"],
        "rows_read": profile["rows"],
        "complete": profile["complete"],
        "columns": [
            {
                "name": column["name"],
                "type": column["type"],
                "nullable": column["nulls"] > 0,
                "example": next((item["value"] for item in column["top"]), None),
            }
            for column in profile["columns"]
        ],
        "warnings": profile["warnings"],
    }


def _shown(rows: list[list[Any]]) -> list[list[Any]]:
    shown: list[list[Any]] = []
    characters = 0
    for row in rows:
        cells = [_cut(cell) for cell in row]
        characters += sum(len(str(cell)) for cell in cells)
        if characters > MAX_CHARACTERS:
            break
        shown.append(cells)
    return shown


def _cut(cell: Any) -> Any:
    if isinstance(cell, list | dict):
        cell = str(cell)
    if isinstance(cell, str) and len(cell) > CELL_CHARACTERS:
        return cell[:CELL_CHARACTERS] + "…"
    return cell
