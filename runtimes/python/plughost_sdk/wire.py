"""Where the wire is: bytes in, whole lines out, out of user code's reach.

`posix` instead of `os`: a plugin that does not need `os` starts 1 ms sooner.
"""

from __future__ import annotations

import posix
import sys
from _thread import allocate_lock

TYPE_CHECKING = False  # `typing` costs 10 ms, which every start would pay
if TYPE_CHECKING:
    from typing import NoReturn

__all__ = ["DEFAULT_LIMIT_BYTES", "CutLine", "StarvedLine", "Wire", "head_of", "log", "secure",
           "secured"]  # fmt: skip

# The longest message either way, its LF included (wire 2.2), until the host says otherwise.
DEFAULT_LIMIT_BYTES = 4 * 1024 * 1024

# One read takes what a Linux pipe holds (64 KiB, pipe(7)); more would be a fresh mmap each.
_CHUNK_BYTES = 64 * 1024

# What is kept of a line that cannot be read: its id stands near its start.
_HEAD_BYTES = 512

# The wire moves above what programs number by hand, and below RLIMIT_NOFILE's 256.
_PRIVATE_DESCRIPTOR = 100

# sysexits.h: EX_USAGE and EX_CONFIG, as wire 11.2 uses them.
_RUN_BY_HAND = 64
_NEVER_WORKS = 78

_wire: Wire | None = None


class CutLine(bytes):
    """The head of a line that was longer than the limit."""

    __slots__ = ()


class StarvedLine(CutLine):
    """The head of a line there was no memory for."""

    __slots__ = ()


def head_of(line: bytes) -> StarvedLine:
    """Return what is kept of a *line* there is no memory to read."""
    return StarvedLine(line[:_HEAD_BYTES])


class Wire:
    """Reads lines from one descriptor and writes lines to another.

    One thread reads at a time; any thread writes.
    """

    __slots__ = (
        "_cut", "_lock", "_parts", "_parts_bytes", "held", "limit_bytes", "reader", "writer",
    )  # fmt: skip

    def __init__(self, reader: int, writer: int) -> None:
        self.reader = reader
        self.writer = writer
        self.limit_bytes = DEFAULT_LIMIT_BYTES
        self.held: list[bytes] = []
        self._lock = allocate_lock()
        self._parts: list[bytes] = []
        self._parts_bytes = 0
        self._cut: CutLine | None = None

    def read(self) -> list[bytes] | None:
        """Wait for bytes and return the lines they complete, or None at end-of-file."""
        while True:
            try:
                chunk = posix.read(self.reader, _CHUNK_BYTES)
            except BlockingIOError:
                _wait_ready(self.reader, "POLLIN")
                continue
            except OSError:
                return None
            except MemoryError:  # which took nothing from the pipe
                if not self._parts:
                    raise
                self._let_go()
                continue
            return self._split(chunk) if chunk else None

    def _split(self, chunk: bytes) -> list[bytes]:
        try:
            return self._lines(chunk)
        except MemoryError:
            if not self._parts:
                raise
        self._let_go()
        return self._lines(chunk)

    def _lines(self, chunk: bytes) -> list[bytes]:
        """Return the lines *chunk* completes; changes nothing if there is no memory for them."""
        lines = chunk.split(b"\n")
        rest = lines.pop()
        if not lines:
            self._keep(rest)
            return lines
        if self._cut is not None:
            lines[0] = self._cut
        elif self._parts:
            lines[0] = b"".join((*self._parts, lines[0]))
        # Only the first line can be longer than a chunk.
        if len(lines[0]) >= self.limit_bytes or len(chunk) >= self.limit_bytes:
            lines = [self._checked(line) for line in lines]
        parts = [rest] if rest else []
        cut = CutLine(rest[:_HEAD_BYTES]) if len(rest) >= self.limit_bytes else None
        self._cut, self._parts, self._parts_bytes = cut, parts, len(rest)
        return lines

    def _keep(self, rest: bytes) -> None:
        if self._cut is not None:
            return
        if self._parts_bytes + len(rest) >= self.limit_bytes:
            self._cut = CutLine(self._head(rest))
            self._parts = []
        else:
            self._parts.append(rest)
            self._parts_bytes += len(rest)

    def _head(self, last: bytes = b"") -> bytes:
        parts = self._parts[:_HEAD_BYTES]  # as many as bytes, for none is empty
        return b"".join([part[:_HEAD_BYTES] for part in (*parts, last)])[:_HEAD_BYTES]

    def _let_go(self) -> None:
        """Give up the line that is being read, of which the head is kept, for its memory."""
        self._cut = StarvedLine(self._head())
        self._parts = []

    def _checked(self, line: bytes) -> bytes:
        if len(line) >= self.limit_bytes and not isinstance(line, CutLine):
            return CutLine(line[:_HEAD_BYTES])
        return line

    def send(self, line: bytes) -> None:
        """Write *line* now, behind everything that was held."""
        with self._lock:
            if self.held:
                self.held.append(line)
                try:
                    line = b"".join(self.held)
                except MemoryError:  # then in as many writes as there are lines
                    while self.held:
                        self._write(self.held.pop(0))
                    return
                self.held.clear()
            self._write(line)

    def hold(self, line: bytes) -> None:
        """Keep *line* for the next `send` or `flush`, which costs no write of its own."""
        with self._lock:
            self.held.append(line)

    def flush(self) -> None:
        """Write what is held."""
        if self.held:
            self.send(b"")

    def _write(self, data: bytes | memoryview) -> None:
        while data:
            try:
                done = posix.write(self.writer, data)
            except BlockingIOError:
                _wait_ready(self.writer, "POLLOUT")
                continue
            except OSError:
                return  # nobody listens; the reader meets end-of-file and ends the session
            except MemoryError as error:  # who can say how much of the line went out?
                from plughost_sdk._threads.lastresort import give_up

                give_up(error)
            if done == len(data):
                return
            data = memoryview(data)[done:]


def log(text: str) -> None:
    """Write *text* to the plugin's log, descriptor 2, in one piece."""
    try:
        posix.write(2, text.encode(errors="backslashreplace") + b"\n")
    except OSError:
        return  # a log nobody reads must not end the plugin


def secured() -> bool:
    """Whether the wire is already out of reach."""
    return _wire is not None


def secure() -> Wire:
    """Put the wire out of user code's reach (wire 1.3) and return it; later calls return it again.

    Raises:
        SystemExit: There is no wire: 64 when a person started the plugin, 78 when
            ``PLUGHOST_WIRE`` names none.
    """
    global _wire  # noqa: PLW0603 - a process has one wire
    if _wire is None:
        told = posix.environ.get(b"PLUGHOST_WIRE")
        if told is not None:
            _wire = _take_descriptors(told)
        elif posix.isatty(0):
            _leave(
                "This is a plughost plugin: a host starts it and speaks to it over a pipe. "
                "Try `plughost call`, or name it in an MCP client's configuration.",
                _RUN_BY_HAND,
            )
        else:
            _wire = _move_standard_streams()
        posix.register_at_fork(after_in_child=_close_in_child)
    return _wire


def _take_descriptors(told: bytes) -> Wire:
    try:
        reader, writer = (int(number) for number in told.split(b","))
        for descriptor in (reader, writer):
            posix.set_inheritable(descriptor, False)
    except (ValueError, OSError) as error:
        _leave(
            f"PLUGHOST_WIRE={told.decode(errors='replace')} does not name two open descriptors "
            f"({error}): let the host start the plugin, or unset it.",
            _NEVER_WORKS,
        )
    # A program this plugin starts must not believe that descriptors 3 and 4 are its own.
    posix.unsetenv(b"PLUGHOST_WIRE")
    del posix.environ[b"PLUGHOST_WIRE"]
    if "os" in sys.modules:
        sys.modules["os"].environ.pop("PLUGHOST_WIRE", None)
    return Wire(reader, writer)


def _move_standard_streams() -> Wire:
    reader, writer = _private_copy(0), _private_copy(1)
    null = posix.open("/dev/null", posix.O_RDWR | posix.O_CLOEXEC)
    posix.dup2(null, 0)
    try:
        posix.dup2(2, 1)
    except OSError:  # started with 2 closed
        posix.dup2(null, 1)
    posix.close(null)
    # What was printed before this moment and is still buffered becomes log, too.
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(line_buffering=True, errors="backslashreplace")
    return Wire(reader, writer)


def _private_copy(descriptor: int) -> int:
    import fcntl

    try:
        return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _PRIVATE_DESCRIPTOR)
    except OSError:  # RLIMIT_NOFILE is below it
        return posix.dup(descriptor)


def _close_in_child() -> None:
    # A forked child that outlives the plugin would hide its end from the host.
    if _wire is not None:
        for descriptor in {_wire.reader, _wire.writer}:
            try:
                posix.close(descriptor)
            except OSError:
                continue


def _wait_ready(descriptor: int, event: str) -> None:
    import select

    poll = select.poll()
    poll.register(descriptor, getattr(select, event))
    poll.poll()


def _leave(sentence: str, status: int) -> NoReturn:
    log(sentence)
    raise SystemExit(status)
