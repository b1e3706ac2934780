"""How the bytes of a file become blocks of whole lines of text, a block at a time."""

from __future__ import annotations

__all__ = ["BLOCK_BYTES", "MAX_LINE_BYTES", "Block", "Encoding", "Source"]

import os
import stat
from collections.abc import Iterator
from typing import BinaryIO, Literal, NamedTuple, Self

from data_profile.failure import ProfileFailure
from data_profile.notes import Notes

Encoding = Literal["utf-8", "latin-1"]

# A quarter of a MiB is about 20 ms of work: short enough to answer a cancellation and
# to report progress; larger blocks fall out of the processor cache and were slower.
BLOCK_BYTES = 256 * 1024

# A line longer than this is not a record anybody wrote by hand or exported row
# by row; holding it, decoded and split, would cost up to eight times its size.
MAX_LINE_BYTES = 1024 * 1024

UTF8_MARK = b"\xef\xbb\xbf"
# UTF-16 and UTF-32 files begin with one of these; their other bytes are half NUL.
WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff")

# What people hand over by mistake, by the file's first bytes, and the remedy.
CONTAINERS = {
    b"\x1f\x8b": ("gzip", "Unpack it first: gzip -dc IN > OUT."),
    b"\x28\xb5\x2f\xfd": ("Zstandard", "Unpack it first: zstd -dc IN > OUT."),
    b"\xfd7zXZ": ("xz", "Unpack it first: xz -dc IN > OUT."),
    b"PK\x03\x04": ("a ZIP archive (or a spreadsheet)", "Unpack it, or save the sheet as CSV."),
    b"PAR1": ("Parquet", "Export it as CSV or JSON lines in UTF-8."),
    b"SQLite format 3": ("an SQLite database", "Export a table: sqlite3 -header -csv DB TABLE."),
}


class Block(NamedTuple):
    """Whole lines of text, and how many bytes of the file have been read so far."""

    text: str
    bytes_read: int


class Source:
    """A regular file of text, checked before the first byte is interpreted.

    Attributes:
        path: The path as the caller gave it.
        size_bytes: The size when it was opened; a growing file is read to its end.
    """

    def __init__(self, path: str, *, encoding: Encoding = "utf-8") -> None:
        """Check *path* and open it.

        Raises:
            ProfileFailure: It is missing, not a regular file, not readable or empty.
        """
        self.path = path
        self._encoding: Encoding = encoding
        self._file = _open_regular(path)
        self.size_bytes = os.fstat(self._file.fileno()).st_size
        if self.size_bytes == 0:
            self._file.close()
            raise ProfileFailure(
                "the file is empty", where=path, next_step="Give a file with at least one line."
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._file.close()

    def blocks(self, notes: Notes) -> Iterator[Block]:
        """Yield the file's text from its beginning, each block ending at a line's end.

        Raises:
            ProfileFailure: A NUL byte, a wide encoding or an endless line was met.
        """
        self._file.seek(0)
        line, bytes_read, rest = 1, 0, b""
        while data := self._file.read(BLOCK_BYTES):
            if bytes_read == 0:
                data = _text_start(self.path, data)
            bytes_read = self._file.tell()
            self._refuse_binary(data, line)
            head, break_, tail = data.rpartition(b"\n")
            whole = rest + head + break_
            rest = rest + tail if not break_ else tail
            if len(rest) > MAX_LINE_BYTES:
                raise self._endless(line + whole.count(b"\n"))
            if break_:
                yield Block(self._decode(whole, line, notes), bytes_read)
                line += whole.count(b"\n")
        if rest:
            yield Block(self._decode(rest, line, notes), bytes_read)

    def _decode(self, data: bytes, first_line: int, notes: Notes) -> str:
        try:
            return data.decode(self._encoding)
        except UnicodeDecodeError:
            for number, line in enumerate(data.split(b"\n"), first_line):
                try:
                    line.decode(self._encoding)
                except UnicodeDecodeError as error:
                    notes.add(
                        "encoding",
                        f"bytes that are not UTF-8 ({error.reason}) were read as U+FFFD; "
                        "if the file is Latin-1, pass encoding=latin-1",
                        line=number,
                    )
            return data.decode(self._encoding, errors="replace")

    def _refuse_binary(self, data: bytes, line: int) -> None:
        if b"\0" in data:
            line += data[: data.index(b"\0")].count(b"\n")
            raise ProfileFailure(
                "a NUL byte, so this is a binary file and not text",
                where=f"{self.path}, near line {line}",
                next_step="Export it as CSV or JSON lines in UTF-8.",
            )

    def _endless(self, line: int) -> ProfileFailure:
        return ProfileFailure(
            f"the line does not end within {MAX_LINE_BYTES // 1024} KiB",
            where=f"{self.path}, line {line}",
            next_step="Write one record per line; for one large JSON array, `jq -c '.[]'` does it.",
        )


def _open_regular(path: str) -> BinaryIO:
    advice = (
        f"Check the path (it was looked up from {os.getcwd()}, a plugin's folder, so prefer an "  # noqa: PTH109 - pathlib costs 8 ms at start
        f"absolute one) and that it is granted: --grant fs_read={path}."
    )
    try:
        # Non-blocking, or a named pipe without a writer would hold the open for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        what = f"the file cannot be opened ({error})"
        if isinstance(error, FileNotFoundError):
            what = "there is no such file here"
        elif isinstance(error, PermissionError):
            what = "the file may not be read"
        raise ProfileFailure(what, where=path, next_step=advice) from error
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        kind = "a directory" if stat.S_ISDIR(mode) else "not a regular file"
        raise ProfileFailure(
            f"this is {kind}", where=path, next_step="Give the path of one CSV or JSON lines file."
        )
    return os.fdopen(descriptor, "rb", buffering=0)


def _text_start(path: str, data: bytes) -> bytes:
    for magic, (kind, next_step) in CONTAINERS.items():
        if data.startswith(magic):
            raise ProfileFailure(f"the file is {kind}", where=path, next_step=next_step)
    if data.startswith(WIDE_MARKS):
        raise ProfileFailure(
            "the file is UTF-16 or UTF-32",
            where=path,
            next_step="Convert it first: iconv -f UTF-16 -t UTF-8 IN > OUT.",
        )
    return data.removeprefix(UTF8_MARK)
