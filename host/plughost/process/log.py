"""What a plugin writes to its stderr: always drained, never allowed to grow.

An undrained stderr blocks the plugin after 64 KiB; an unbounded one eats the
host.  So it is read as it comes, cut into lines, kept in a ring, and dropped
and counted above a rate.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from typing import Final

import attrs
import trio

__all__ = ["LogRing", "drain", "drain_rest"]

# docs/reference/defaults.md: 64 KiB a plugin, 8 KiB a line, 1 MiB/s.
RING_BYTES: Final = 64 * 1024
LINE_BYTES: Final = 8 * 1024
BYTES_PER_S: Final = 1024 * 1024

# What goes into a failure report: the end of a long traceback.
TAIL_BYTES: Final = 4 * 1024

_READ_BYTES: Final = 64 * 1024


@attrs.define
class LogRing:
    """The last lines of a log, in bounded memory.

    Attributes:
        dropped_bytes: What came in above `BYTES_PER_S`.
        cut_lines: Lines longer than `LINE_BYTES`, of which only the start was kept.
    """

    dropped_bytes: int = 0
    cut_lines: int = 0
    _lines: deque[str] = attrs.field(factory=deque, init=False)
    _held_bytes: int = attrs.field(default=0, init=False)
    _rest: bytes = attrs.field(default=b"", init=False)
    _cutting: bool = attrs.field(default=False, init=False)
    _second: int = attrs.field(default=-1, init=False)
    _second_bytes: int = attrs.field(default=0, init=False)

    def feed(self, data: bytes, now: float) -> list[str]:
        """Take in *data* and return the lines it completes.

        Args:
            data: Bytes as they were read.
            now: Seconds on any monotonic clock.
        """
        data = self._within_rate(data, now)
        *lines, rest = (self._rest + data).split(b"\n")
        found: list[str] = []
        for line in lines:
            if self._cutting:
                self._cutting = False  # the tail of a line that was cut
            else:
                found.append(self._keep(line))
        if len(rest) > LINE_BYTES and not self._cutting:
            found.append(self._keep(rest))
            self._cutting = True
        self._rest = b"" if self._cutting else rest
        return found

    def finish(self) -> list[str]:
        """Return what was left without a line end, as a last line."""
        rest, self._rest = self._rest, b""
        return [self._keep(rest)] if rest and not self._cutting else []

    def lines(self) -> list[str]:
        """Return the lines that are still held, oldest first."""
        return list(self._lines)

    def tail(self) -> str:
        """Return the end of the log, at most `TAIL_BYTES`, in whole lines."""
        kept: list[str] = []
        size = 0
        for line in reversed(self._lines):
            size += len(line) + 1
            if size > TAIL_BYTES and kept:
                break
            kept.append(line)
        return "\n".join(reversed(kept))

    def _within_rate(self, data: bytes, now: float) -> bytes:
        if int(now) != self._second:
            self._second, self._second_bytes = int(now), 0
        allowed = max(0, BYTES_PER_S - self._second_bytes)
        self._second_bytes += len(data)
        if len(data) <= allowed:
            return data
        self.dropped_bytes += len(data) - allowed
        return data[:allowed]

    def _keep(self, line: bytes) -> str:
        if len(line) > LINE_BYTES:
            self.cut_lines += 1
            line = line[:LINE_BYTES]
        text = line.decode("utf-8", "replace").rstrip("\r")
        self._lines.append(text)
        self._held_bytes += len(text)
        while self._held_bytes > RING_BYTES:
            self._held_bytes -= len(self._lines.popleft())
        return text


async def drain(fd: int, ring: LogRing, on_line: Callable[[str], None]) -> None:
    """Read the non-blocking *fd* into *ring* until its end; each line goes to *on_line*."""
    while True:
        try:
            data = os.read(fd, _READ_BYTES)
        except BlockingIOError:
            await trio.lowlevel.wait_readable(fd)
            continue
        for line in ring.feed(data, trio.current_time()) if data else ring.finish():
            on_line(line)
        if not data:
            return
        # A flood would otherwise never let go of the loop.
        await trio.lowlevel.cancel_shielded_checkpoint()


def drain_rest(fd: int, ring: LogRing, on_line: Callable[[str], None]) -> None:
    """Take what *fd* still holds without waiting: the last words of a process that ended."""
    now = trio.current_time()
    while True:
        try:
            data = os.read(fd, _READ_BYTES)
        except BlockingIOError:
            data = b""  # a grandchild holds it open and says nothing
        for line in ring.feed(data, now) if data else ring.finish():
            on_line(line)
        if not data:
            return
