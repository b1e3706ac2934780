"""What is left when something fails: to say so, and to end the process.

A plugin nobody reads for is deaf, and its host waits for it.  A crash is a line in the
log and a restart.  So a thread that cannot go on ends the process (`give_up`), and one
thread has no other task than to end it after its wire (`keep_vigil`).
"""

from __future__ import annotations

import posix
from _thread import allocate_lock
from time import monotonic

from plughost_sdk.wire import log

TYPE_CHECKING = False  # `typing` costs 10 ms, which every start would pay
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

__all__ = ["EXIT_S", "exit_after", "give_up", "keep_vigil", "report"]

# Written whole, because putting words together takes memory.  A host that finds the
# exception's name where a line begins takes the exit for a matter of memory.
_NO_MEMORY_TO_REPORT = b"MemoryError: plughost_sdk has no memory left to say what failed\n"
_NO_MEMORY_TO_SERVE = b"MemoryError: plughost_sdk has no memory left to serve with, and exits\n"

# What an exit may take after end-of-file (2 s, wire 1.4), less what the kernel needs.
EXIT_S = 1.8

# How often the vigil looks whether the session still works off what was sent before the end.
_LOOK_S = 0.05


def report(error: BaseException, what: str) -> None:
    """Write *what* failed and the traceback of *error* to the log."""
    try:
        from plughost_sdk._threads.tracebacks import written

        log(written(error, what))
    except Exception:  # noqa: BLE001 - whatever fails in here for want of memory
        _write(_NO_MEMORY_TO_REPORT)


def give_up(error: BaseException) -> NoReturn:
    """End the process with status 1, because of *error* it cannot serve any more."""
    try:
        if isinstance(error, MemoryError):
            _write(_NO_MEMORY_TO_SERVE)
        else:
            report(error, "plughost_sdk cannot go on")
    finally:
        posix._exit(1)  # noqa: SLF001 - its name in POSIX, too


def exit_after(exit_s: float) -> NoReturn:
    """End the process, whatever still runs in it, after *exit_s*."""
    nap = allocate_lock()
    nap.acquire()
    nap.acquire(timeout=exit_s)
    posix._exit(0)  # noqa: SLF001 - its name in POSIX, too


def keep_vigil(reader: int, progress: Callable[[], int]) -> NoReturn:
    """Wait until nobody writes to *reader* any more, then see to it that the process ends.

    The wait is the kernel's: it costs an idle plugin nothing and needs no lock of the crew.

    Args:
        reader: A descriptor.  One that never hangs up, as a file's, is the reader's affair.
        progress: Returns another number when lines were worked off since; a session
            that has still many gets its time from the last of them.
    """
    import select

    poll = select.poll()
    poll.register(reader, getattr(select, "POLLRDHUP", 0))  # hang-up itself is always told
    while not poll.poll():
        continue
    try:
        _wait_while(progress)
    finally:  # also when there is no memory left to wait with
        posix._exit(0)  # noqa: SLF001 - see above


def _write(line: bytes) -> None:
    try:
        posix.write(2, line)
    except OSError:
        return  # a log nobody reads


def _wait_while(progress: Callable[[], int]) -> None:
    nap = allocate_lock()
    nap.acquire()
    seen = progress()
    until = monotonic() + EXIT_S
    while monotonic() < until:
        nap.acquire(timeout=_LOOK_S)
        now = progress()
        if now != seen:
            seen = now
            until = monotonic() + EXIT_S
