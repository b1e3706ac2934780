"""When is a guest interrupted?

When its call was cancelled or its deadline passed.  One thread looks at the running calls every
`TICK_S`; it rests when there are none.  A guest that cannot be interrupted ends the process: a
crash is a log line, a thread that spins for ever is a plugin that never gets well.
"""

from __future__ import annotations

import time
from _thread import allocate_lock, stack_size, start_new_thread

TYPE_CHECKING = False  # `typing` costs 10 ms, which every start would pay
if TYPE_CHECKING:
    from collections.abc import Callable

    from wasm_runner.call import GuestCall

__all__ = ["Watchdog"]

# How late an interruption may come.  The host gives a cancelled call two seconds (wire, 7.2).
TICK_S = 0.02

# Ticks without a call before the thread rests, one second: a call that follows soon after another
# then finds it awake, and a wake-up costs a thread switch.
RESTING_TICKS = 50

# How long a guest may run on after its interruption.  The checks stand at every loop and function
# entry; only start functions have none, and one bulk instruction, which memory bounds.
GRACE_S = 1.5

# The thread calls little; the usual 8 MiB would all count against the plugin's memory limit.
STACK_BYTES = 512 * 1024


class Watchdog:
    """Watches the running calls."""

    def __init__(self, give_up: Callable[[str], None]) -> None:
        """Start with nothing to watch.

        Args:
            give_up: Told the name of a call that cannot be interrupted; must not return.
        """
        self._calls: set[GuestCall] = set()
        self._lock = allocate_lock()  # guards the set, and that no interruption follows `remove`
        self._wake = allocate_lock()  # held while there is nothing to wake up for
        self._wake.acquire()
        self._resting = True
        self._started = False
        self._give_up = give_up

    def add(self, call: GuestCall) -> None:
        """Watch *call*, from now until `remove`."""
        with self._lock:
            self._calls.add(call)
            resting, self._resting = self._resting, False
        if resting and not self._started:
            self._started = True
            usual_bytes = stack_size(STACK_BYTES)
            start_new_thread(self._run, ())
            stack_size(usual_bytes)
        elif resting:
            self._wake.release()

    def remove(self, call: GuestCall) -> None:
        """Forget *call*; when this returns, its guest is not interrupted any more."""
        with self._lock:
            self._calls.discard(call)

    def _run(self) -> None:
        idle_ticks = 0
        while True:
            with self._lock:
                idle_ticks = 0 if self._calls else idle_ticks + 1
                self._resting = idle_ticks > RESTING_TICKS
                for call in self._calls:
                    self._look_at(call)
            # A timed wait for a lock that stays held is a sleep.
            self._wake.acquire(timeout=-1 if self._resting else TICK_S)

    def _look_at(self, call: GuestCall) -> None:
        now = time.monotonic()
        call.look(now)
        if call.overrun_s(now) > GRACE_S:
            self._give_up(call.name)
