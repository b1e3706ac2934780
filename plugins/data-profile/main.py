"""The tools of data-profile: what a file of records holds, without loading it."""

from __future__ import annotations

import gc
import time
from typing import Any

from data_profile.dialect import FormatChoice, HeaderChoice
from data_profile.failure import ProfileFailure
from data_profile.preview import head_of_file, schema_of_file
from data_profile.profile import Options, profile_file
from data_profile.source import Encoding

from plughost_sdk import Context, Plugin, ToolError

plugin = Plugin()

# A batch is up to some 50 000 lists, none of them in a cycle: looking for
# cycles every 700 objects, as the default does, costs a tenth of the time.
gc.set_threshold(50_000, 20, 20)

# Often enough for a progress bar and for the host's idle deadline, rare enough
# to cost nothing.
PROGRESS_EVERY_S = 0.5


@plugin.tool(idempotent=True, long_running=True)
def profile(  # noqa: PLR0917 - a caller names its arguments, in JSON
    path: str,
    ctx: Context,
    format: FormatChoice = "auto",  # noqa: A002 - the argument's public name
    delimiter: str = "",
    header: HeaderChoice = "auto",
    encoding: Encoding = "utf-8",
    columns: list[str] | None = None,
    top: int = 5,
    sample: int = 0,
) -> dict[str, Any]:
    """Profile a CSV or JSON lines file of any size: types, nulls, ranges, quantiles, oddities.

    Args:
        path: The file; absolute, and granted with fs_read.
        ctx: The call.
        format: Detected from the file unless given.
        delimiter: One character between CSV fields; detected unless given.
        header: Whether the first CSV record names the columns; detected unless given.
        encoding: Bytes that do not fit UTF-8 are reported and replaced.
        columns: Only these columns; all if left out.
        top: How many frequent values to list for each column, 0 to 50.
        sample: Read only so many rows from the beginning; 0 reads all.
    """
    report = _Progress(ctx)
    options = Options(format, delimiter, header, encoding, tuple(columns or ()), top, sample)
    try:
        return profile_file(
            path, options, on_progress=report, is_cancelled=lambda: bool(ctx.cancelled)
        )
    except ProfileFailure as failure:
        raise _tool_error(failure) from None


@plugin.tool(idempotent=True)
def head(path: str, rows: int = 10) -> dict[str, Any]:
    """Return the first rows of a CSV or JSON lines file.

    Args:
        path: The file; absolute, and granted with fs_read.
        rows: How many, 1 to 1000; fewer if they are very wide.
    """
    try:
        return head_of_file(path, rows)
    except ProfileFailure as failure:
        raise _tool_error(failure) from None


@plugin.tool(idempotent=True)
def schema(path: str) -> dict[str, Any]:
    """Return the columns and types of a CSV or JSON lines file, from its first 10 000 rows.

    Args:
        path: The file; absolute, and granted with fs_read.
    """
    try:
        return schema_of_file(path)
    except ProfileFailure as failure:
        raise _tool_error(failure) from None


def _tool_error(failure: ProfileFailure) -> ToolError:
    return ToolError(
        str(failure),
        details={"what": failure.what, "where": failure.where, "next_step": failure.next_step},
    )


class _Progress:
    """Passes progress on, at most every `PROGRESS_EVERY_S` seconds."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._next_s = time.monotonic() + PROGRESS_EVERY_S

    def __call__(self, done_bytes: int, total_bytes: int) -> None:
        if time.monotonic() < self._next_s:
            return
        self._next_s = time.monotonic() + PROGRESS_EVERY_S
        self._ctx.progress(done_bytes, total_bytes, f"{done_bytes} of {total_bytes} bytes")


plugin.run()
