"""Whose turn it is: one Lua state serves one call at a time, in order of arrival.

The SDK gives each call a thread, and threads come here in any order.  The order in which
the calls arrived is that of the SDK's table of open calls.
"""

from __future__ import annotations

from _thread import allocate_lock
from collections import deque

TYPE_CHECKING = False  # `typing` costs more than all our modules together
if TYPE_CHECKING:
    from _thread import LockType
    from typing import Any, Final

    from plughost_sdk import Context

__all__ = ["Turns"]

# How often somebody who waits looks whether it was cancelled, or whether the call before it
# was answered without ever coming here (its arguments did not fit).  Only those who wait
# pay for it, and nobody who waits for such a call sees 20 ms.
_LOOK_EVERY_S: Final = 0.02


class Turns:
    """Hands the Lua state from one call to the next."""

    def __init__(self) -> None:
        self._guard = allocate_lock()
        self._taken = False
        self._waiting: dict[Any, LockType] = {}  # by call
        self._handlers: deque[LockType] = deque()  # of handlers, which belong to no call
        self._had: set[Any] = set()  # calls that had their turn and may not be answered yet

    def take(self, ctx: Context) -> bool:
        """Wait for the turn; return False if the call was cancelled first."""
        call = ctx._call  # noqa: SLF001 - the SDK's own, which runs in this process only
        with self._guard:
            if not self._taken and (call is None or self._is_first(call)):
                self._give(call)
                return True
            mine = allocate_lock()
            mine.acquire()
            if call is None:
                self._handlers.append(mine)
            else:
                self._waiting[call] = mine
        return self._wait(call, mine)

    def release(self) -> None:
        """Hand the turn to whoever is next."""
        with self._guard:
            self._taken = False
            self._hand_over()

    def _wait(self, call: Any, mine: LockType) -> bool:
        # Whoever hands the turn over opens `mine`.
        while not mine.acquire(timeout=_LOOK_EVERY_S):
            with self._guard:
                if call is not None and call.cancelled and self._waiting.pop(call, None):
                    return False
                self._hand_over()
        return True

    def _hand_over(self) -> None:
        if self._taken:
            return
        if self._handlers:
            self._give(None)
            self._handlers.popleft().release()
            return
        for call in self._waiting:
            if self._is_first(call):
                self._give(call)
                self._waiting.pop(call).release()
                return

    def _give(self, call: Any) -> None:
        self._taken = True
        if call is not None:
            self._had.add(call)

    def _is_first(self, call: Any) -> bool:
        """Say whether every call that arrived before *call* had its turn."""
        open_calls = call.session.calls
        if len(open_calls) > 1:
            for other in list(open_calls.values()):
                if other is call:
                    break
                if other not in self._had and not other.cancelled:
                    return False
        if len(self._had) > len(open_calls):
            self._had = {one for one in self._had if open_calls.get(one.id) is one}
        return True
