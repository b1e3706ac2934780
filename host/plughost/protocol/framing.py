"""Bytes to lines, whatever sizes the chunks arrive in.

A message is one line (contracts/wire/README.md §2).  A line that is too long
is not fatal: it is dropped up to its LF and reported, so that one oversized
result costs one call and not the session.
"""

from __future__ import annotations

from typing import Final

import attrs

__all__ = ["DEFAULT_MAX_MESSAGE_BYTES", "ENDLESS", "HEAD_BYTES", "Framer", "Oversize"]

# contracts/wire/README.md §2.2: 4 MiB unless the manifest raises it.
DEFAULT_MAX_MESSAGE_BYTES: Final = 4 * 1024 * 1024

# After this many times the limit without an LF, the line counts as oversize and
# is dropped further: generous to a large result, short of a flood for ever.
ENDLESS: Final = 16

# What is kept of a dropped line: enough to find the id that our own SDKs and
# most JSON writers put within the first members of a message.
HEAD_BYTES: Final = 4096


@attrs.frozen
class Oversize:
    """A line that was longer than allowed and has been dropped.

    Attributes:
        head: Its first bytes, at most `HEAD_BYTES`.
        size_bytes: How long it was, its LF included.
    """

    head: bytes
    size_bytes: int


@attrs.define
class Framer:
    """Splits a byte stream into lines.

    Feed it what you read.  It never waits, never raises, and holds at most
    ``max_message_bytes`` of an unfinished line.
    """

    max_message_bytes: int = DEFAULT_MAX_MESSAGE_BYTES
    # Chunks of the unfinished line.  A list, joined once: a bytearray grown by
    # every read would copy a long line again and again.
    _chunks: list[bytes] = attrs.field(factory=list, init=False)
    _pending_bytes: int = attrs.field(default=0, init=False)
    # Set while the rest of an oversize line is being dropped.
    _dropping: bytes | None = attrs.field(default=None, init=False)

    def receive(self, data: bytes) -> list[bytes | Oversize]:
        """Return the lines that *data* completes, oldest first.

        Empty lines are left out.  What ends a line, CR or LF, may be left in:
        JSON parsers read it as white space.
        """
        end = data.rfind(b"\n")
        if end < 0:
            self._keep(data)
            return self._endless()
        if end == len(data) - 1 == data.find(b"\n") and self._is_plain(data):
            return [data]  # one whole line, as a lone answer comes; its LF harms no parser
        lines = data[:end].split(b"\n")
        found: list[bytes | Oversize] = []
        if self._pending_bytes:
            self._finish(lines.pop(0), found)
        limit = self.max_message_bytes
        for line in lines:
            if len(line) >= limit:
                found.append(Oversize(line[:HEAD_BYTES], len(line) + 1))
            elif line and not line.isspace():
                found.append(line)
        if end + 1 < len(data):
            self._keep(data[end + 1 :])
        return found

    def _endless(self) -> list[bytes | Oversize]:
        """Report a line that has no end, again and again: it would never be reported."""
        if self._dropping is None or self._pending_bytes < ENDLESS * self.max_message_bytes:
            return []
        size, self._pending_bytes = self._pending_bytes, 1
        return [Oversize(self._dropping, size)]

    def _is_plain(self, line: bytes) -> bool:
        return (
            not self._pending_bytes and len(line) <= self.max_message_bytes and not line.isspace()
        )

    def _keep(self, data: bytes) -> None:
        self._pending_bytes += len(data)
        if self._dropping is not None:
            return
        self._chunks.append(data)
        if self._pending_bytes >= self.max_message_bytes:
            self._dropping = b"".join(self._chunks)[:HEAD_BYTES]
            self._chunks.clear()

    def _finish(self, last: bytes, found: list[bytes | Oversize]) -> None:
        """Complete the unfinished line with *last*."""
        size = self._pending_bytes + len(last) + 1
        if self._dropping is not None:
            found.append(Oversize(self._dropping, size))
        else:
            line = b"".join([*self._chunks, last])
            if size > self.max_message_bytes:
                found.append(Oversize(line[:HEAD_BYTES], size))
            elif line and not line.isspace():
                found.append(line)
        self._dropping = None
        self._chunks.clear()
        self._pending_bytes = 0
