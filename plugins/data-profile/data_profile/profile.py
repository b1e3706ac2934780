"""What a whole file holds: rows, columns, correlations and what is odd about it."""

from __future__ import annotations

__all__ = ["Options", "profile_file"]

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

from data_profile import csvfile, jsonlines
from data_profile.dialect import Dialect, FormatChoice, HeaderChoice, detect
from data_profile.failure import ProfileFailure
from data_profile.notes import Notes
from data_profile.source import Block, Encoding, Source
from data_profile.table import MAX_COLUMNS, Table

# An answer is one message; 256 columns with 50 values each stay below 4 MiB.
MAX_TOP = 50

# As many column names as a person reads in an error message.
NAMES_SHOWN = 20


class Options(NamedTuple):
    """What the caller of a profile may choose.

    Attributes:
        columns: The columns to profile; empty for all.
        sample: Rows to read from the beginning; 0 for all.
        top: Frequent values to list for each column.
    """

    format: FormatChoice = "auto"
    delimiter: str = ""
    header: HeaderChoice = "auto"
    encoding: Encoding = "utf-8"
    columns: tuple[str, ...] = ()
    top: int = 5
    sample: int = 0


def profile_file(
    path: str,
    options: Options = Options(),  # noqa: B008 - immutable
    *,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """Profile the file *path* in one pass and bounded memory.

    Args:
        path: A CSV or JSON lines file.
        options: What the caller chose.
        on_progress: Called after each block with the bytes read and the file's size.
        is_cancelled: Asked before each block.

    Raises:
        ProfileFailure: The file or an option cannot be used, or the call was cancelled.
    """
    _check(options)
    notes = Notes()
    with Source(path, encoding=options.encoding) as source:
        blocks = _reported(source, notes, on_progress, is_cancelled)
        first = next(blocks)
        dialect = detect(
            path,
            first.text,
            format=options.format,
            delimiter=options.delimiter,
            header=options.header,
        )
        blocks = chain([first], blocks)
        fill = _from_csv if dialect.format == "csv" else _from_json_lines
        table, bytes_read, complete = fill(path, blocks, dialect, options, notes)
    return {
        "path": path,
        "format": dialect.format,
        **({"delimiter": dialect.delimiter, "header": dialect.header} if fill is _from_csv else {}),
        "size_bytes": source.size_bytes,
        "bytes_read": bytes_read,
        "complete": complete,
        **table.described(options.top),
        "warnings": notes.listed(),
    }


def _check(options: Options) -> None:
    for name, value, least, most in (
        ("top", options.top, 0, MAX_TOP),
        ("sample", options.sample, 0, 2**63),
        ("delimiter", len(options.delimiter), 0, 1),
        ("columns", len(options.columns), 0, MAX_COLUMNS),
    ):
        if not least <= value <= most:
            size = "length " if name in ("delimiter", "columns") else ""
            raise ProfileFailure(
                f"{size}{value} is out of range",
                where=f"argument `{name}`",
                next_step=f"Give {size}{least} to {most}.",
            )
    if options.delimiter in ('"', "\r", "\n", "\0"):
        raise ProfileFailure(
            f"{options.delimiter!r} cannot separate fields",
            where="argument `delimiter`",
            next_step="Give one character that is neither a quote nor a line break.",
        )


def _reported(
    source: Source,
    notes: Notes,
    on_progress: Callable[[int, int], None],
    is_cancelled: Callable[[], bool],
) -> Iterator[Block]:
    for block in source.blocks(notes):
        if is_cancelled():
            raise ProfileFailure(
                "the call was cancelled",
                where=f"{source.path}, byte {block.bytes_read}",
                next_step="Call again, with `sample` if a part is enough.",
            )
        yield block
        on_progress(block.bytes_read, source.size_bytes)


def _from_csv(
    path: str, blocks: Iterator[Block], dialect: Dialect, options: Options, notes: Notes
) -> tuple[Table, int, bool]:
    batches = csvfile.CsvBatches(blocks, dialect.delimiter, notes)
    names: list[str] = []
    chosen: list[int] = []
    table = Table([], open_ended=False, notes=notes)
    for line, batch in batches:
        records = batch
        if not names:
            leading = next((n for n, record in enumerate(records) if record), len(records))
            records = records[leading:]
            if not records:
                continue
            names = csvfile.column_names(records[0], header=dialect.header)
            chosen = _chosen(path, names, options.columns, notes)
            table = Table([names[index] for index in chosen], open_ended=False, notes=notes)
            line += leading  # noqa: PLW2901 - the records before it are gone
            if dialect.header:
                line += csvfile.lines_of(records[0])  # noqa: PLW2901 - likewise
                records = records[1:]
        missing = options.sample - table.rows if options.sample else len(records)
        columns = csvfile.columns_of(records[:missing], len(names), line, notes)
        table.add_texts([columns[index] for index in chosen] if columns else [])
        if options.sample and table.rows >= options.sample:
            return table, batches.bytes_read, False
    return table, batches.bytes_read, True


def _from_json_lines(
    path: str, blocks: Iterator[Block], dialect: Dialect, options: Options, notes: Notes
) -> tuple[Table, int, bool]:
    table = Table(options.columns, open_ended=not options.columns, notes=notes)
    line, bytes_read = 1, 0
    seen: set[str] = set()
    for block in blocks:
        records = jsonlines.records_of(block.text, line, notes)
        line += block.text.count("\n")
        bytes_read = block.bytes_read
        if options.sample:
            records = records[: options.sample - table.rows]
        columns = jsonlines.columns_of(records)
        seen |= columns.keys()
        table.add_values(columns, len(records))
        if options.sample and table.rows >= options.sample:
            break
    else:
        _chosen(path, list(seen), options.columns, notes)
        return table, bytes_read, True
    return table, bytes_read, False


def _chosen(path: str, names: Sequence[str], wanted: Sequence[str], notes: Notes) -> list[int]:
    """Return which of *names* to profile."""
    unknown = [name for name in wanted if name not in names]
    if unknown:
        shown = ", ".join(sorted(names)[:NAMES_SHOWN])
        more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
        raise ProfileFailure(
            f"no column is called {unknown[0]!r}",
            where=path,
            next_step=f"The columns are: {shown}{more}.",
        )
    if wanted:
        return [index for index, name in enumerate(names) if name in set(wanted)]
    if len(names) > MAX_COLUMNS:
        notes.add(
            "too-many-columns",
            f"only the first {MAX_COLUMNS} of {len(names)} columns are profiled; name others "
            "with `columns`",
        )
    return list(range(min(len(names), MAX_COLUMNS)))
