"""Bytes between the loop and one child: direct reads and writes, no streams.

Measured (docs/explanation/performance.md): a round trip over trio's stream
classes takes 41 µs, over direct non-blocking descriptors 31 µs.
"""

from __future__ import annotations

import os
from typing import Final

import attrs
import trio

from plughost.errors import PeerError

__all__ = ["Pump"]

# A pipe holds 64 KiB (pipe(7)): one read empties it.
_READ_BYTES: Final = 64 * 1024

# docs/reference/defaults.md: a frame that cannot leave in 5 s means that the plugin has
# stopped reading.  Only standstill counts: a slow reader is not a dead one.
WRITE_STALL_S: Final = 5.0


@attrs.define(eq=False)
class Pump:
    """Reads from and writes to one child's wire.

    Attributes:
        sent_bytes: Bytes that have left.
        received_bytes: Bytes that have come in.
    """

    _to_plugin: int
    _from_plugin: int
    sent_bytes: int = attrs.field(default=0, init=False)
    received_bytes: int = attrs.field(default=0, init=False)
    _outbox: list[bytes] = attrs.field(factory=list, init=False)
    _writer: trio.lowlevel.Task | None = attrs.field(default=None, init=False)
    _maybe_more: bool = attrs.field(default=False, init=False)
    _broken: bool = attrs.field(default=False, init=False)

    def send(self, data: bytes, *, at_once: bool) -> None:
        """Write *data*, or as much as fits; the writer task sends the rest.

        A child that has closed its end swallows what is sent: its reader's
        end of file is what ends the session.

        Args:
            data: Whole lines.
            at_once: Write now instead of gathering what other tasks send in
                the same turn of the loop: better for one caller, worse for many.
        """
        if self._broken:
            return
        if at_once and not self._outbox:
            data = self._write(data)
            if not data:
                return
        self._outbox.append(data)
        writer, self._writer = self._writer, None
        if writer is not None:
            trio.lowlevel.reschedule(writer)

    async def receive(self) -> bytes:
        """Return what has come in, at least one byte; empty at the end of file."""
        while True:
            if not self._maybe_more:
                await trio.lowlevel.wait_readable(self._from_plugin)
            try:
                data = os.read(self._from_plugin, _READ_BYTES)
            except BlockingIOError:
                self._maybe_more = False
                continue
            # A short read has emptied the pipe: asking again would cost a
            # system call and an exception for nothing.
            self._maybe_more = len(data) == _READ_BYTES
            self.received_bytes += len(data)
            return data

    def receive_nowait(self) -> bytes:
        """Return what has come in already; empty if nothing has, or at the end of file."""
        try:
            data = os.read(self._from_plugin, _READ_BYTES)
        except BlockingIOError:
            return b""
        self.received_bytes += len(data)
        return data

    async def write_forever(self) -> None:
        """Send what `send` could not.

        Raises:
            PeerError: The child has not taken a byte for `WRITE_STALL_S`.
        """
        while True:
            if not self._outbox:
                await self._park()
            data = b"".join(self._outbox)
            self._outbox.clear()
            while not self._broken and (data := self._write(data)):
                # What others send meanwhile stays behind *data*.
                self._outbox.insert(0, b"")
                try:
                    with trio.move_on_after(WRITE_STALL_S) as stall:
                        await trio.lowlevel.wait_writable(self._to_plugin)
                except trio.ClosedResourceError:
                    return  # the stop ladder has closed our end
                if self._broken:
                    continue
                self._outbox.pop(0)
                if stall.cancelled_caught:
                    raise PeerError(
                        f"the plugin has not read its input for {WRITE_STALL_S:g} s",
                        unsent_bytes=len(data) + sum(map(len, self._outbox)),
                    )

    def close(self) -> None:
        """Write nothing any more: the descriptor is about to be somebody else's."""
        self._broken = True
        self._outbox.clear()

    async def _park(self) -> None:
        def forget(_: object) -> trio.lowlevel.Abort:
            self._writer = None
            return trio.lowlevel.Abort.SUCCEEDED

        self._writer = trio.lowlevel.current_task()
        await trio.lowlevel.wait_task_rescheduled(forget)

    def _write(self, data: bytes) -> bytes:
        """Write what fits and return the rest."""
        try:
            count = os.write(self._to_plugin, data)
        except BlockingIOError:
            return data
        except OSError:  # EPIPE: it has closed its end
            self._broken = True
            self._outbox.clear()
            return b""
        self.sent_bytes += count
        return b"" if count == len(data) else data[count:]
