"""What ends a call that was cancelled and does not end: the process.

The count hook stops Lua code.  It cannot stop one call of a C function that takes years,
as a pattern that backtracks can (`("a"):rep(40):find(("a-"):rep(30) .. "b")`).  Nothing else
can run in the Lua state meanwhile, so waiting on would only make other calls late.
"""

from __future__ import annotations

import posix
from _thread import allocate_lock, start_new_thread
from time import monotonic

from plughost_sdk.wire import log

TYPE_CHECKING = False  # `typing` costs more than all our modules together
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final, NoReturn

__all__ = ["Overrun"]

# How often the watch looks while calls run: four times in the grace below.
_TICK_S: Final = 0.5
# What the host grants a cancelled call before it frees its slot (wire 7.2).
_GRACE_S: Final = 2.0
# The watch goes to sleep after 5 s without a call, so that an idle plugin never wakes up.
_QUIET_TICKS: Final = 10
# sysexits.h, EX_SOFTWARE: for the host a crash like any other.
_EXIT_STATUS: Final = 70


class Overrun:
    """A thread that watches while calls run.

    Args:
        must_stop: Says why the running call must end, or False.
    """

    def __init__(self, must_stop: Callable[[], str | bool]) -> None:
        self._must_stop = must_stop
        self._number = 0
        self._watching = False
        self._guard = allocate_lock()

    def watch(self, number: int) -> None:
        """Note that call *number* runs now."""
        self._number = number
        if not self._watching:
            self._begin()

    def ended(self) -> None:
        """Note that no call runs."""
        self._number = 0

    def _begin(self) -> None:
        with self._guard:
            if self._watching:
                return
            self._watching = True
        try:
            start_new_thread(self._look, ())
        except RuntimeError:  # no thread to be had: the host's own watchdog remains
            self._watching = False

    def _look(self) -> None:
        nap = allocate_lock()
        nap.acquire()
        quiet = stuck = 0
        since_s = 0.0
        while quiet < _QUIET_TICKS or not self._retired():
            nap.acquire(timeout=_TICK_S)
            number = self._number
            quiet = 0 if number else quiet + 1
            reason = self._must_stop() if number else False
            if not reason:
                stuck = 0
            elif stuck != number:
                stuck, since_s = number, monotonic()
            elif monotonic() - since_s >= _GRACE_S:
                _end_process(reason)

    def _retired(self) -> bool:
        with self._guard:
            # In this order: a call that begins now sets its number first, and looks here then.
            self._watching = False
            if self._number:
                self._watching = True
        return not self._watching


def _end_process(reason: str | bool) -> NoReturn:
    log(
        f"{reason}, and {_GRACE_S:g} s later one library function still runs, which nothing can"
        " interrupt (a pattern that backtracks?): ending the plugin"
    )
    posix._exit(_EXIT_STATUS)  # noqa: SLF001 - its name in POSIX, too
