"""Who reads the wire and who runs the tools: a leader, a follower and workers.

Handing every call to another thread costs more than a quick tool.  So the thread that
reads the wire, the *leader*, runs plain tools itself.  While it does, a *follower* looks
every few milliseconds; finding the same tool still running, it takes the lead and
reads on, so that pings are answered and calls run side by side.  The old leader notices
when its tool ends, and joins the *workers*.  A tool that lost its leader the lead is
given to a worker the next time.

A tool that waits for the host while its thread leads does not hand over anything: it
reads the wire itself until its answer is there.

Lines that were read and not handled are in one list, which whoever leads continues.

The lead is never lost: a leader that cannot go on ends the process.
"""

from __future__ import annotations

import sys
from _thread import allocate_lock, get_ident, stack_size

from plughost_sdk._threads.lastresort import give_up, keep_vigil
from plughost_sdk._threads.workers import Workers

TYPE_CHECKING = False  # `typing` costs 10 ms, which every start would pay
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from plughost_sdk.wire import Wire

    class Pace(Protocol):
        """Whether a handler is quick enough to run where the wire is read."""

        quick: bool
        streak: int

    class Waited(Protocol):
        """What a thread waits for: `done`, and a lock that is released then."""

        done: bool
        lock: Any


__all__ = ["Crew"]

# How long a tool may hold the lead: one to two ticks.  Short against what a person or a
# host's ping timer notices, long against what a quick tool takes.
_TICK_S = 0.005

# How long a busy thread keeps the interpreter when the reader wants it.  With 32 busy
# tools a ping waited up to 580 ms at Python's 5 ms, 260 ms at this; they took as long.
_SWITCH_S = 0.001

# The follower goes to sleep after 1 s without a call, so that an idle plugin never wakes up.
_QUIET_TICKS = 200

# Stacks count in the memory limit, so far less than the usual 8 MiB.  But 512 KiB is too
# little: endless recursion through C (`__getattr__`, `map`) overruns it before Python
# counts to its limit of 1000, and the plugin dies of SIGSEGV instead of failing one call.
# Measured on CPython 3.11: 640 KiB fails, 768 KiB holds.
_STACK_BYTES = 1024 * 1024


class Crew:
    """The threads of a serving plugin.

    Args:
        wire: What the leader reads.
        handle: Called by the leader with each line.  What it raises ends the process.
        ended: Called by the leader, once, at end-of-file.  So does what this raises.
    """

    def __init__(
        self, wire: Wire, handle: Callable[[bytes], None], ended: Callable[[], None]
    ) -> None:
        self.lines: list[bytes] = []  # the next one last
        self.stopping = False
        self.workers = Workers(
            lambda: keep_vigil(wire.reader, lambda: self._serial + self.answered)
        )
        self.spawn = self.workers.spawn
        self._wire = wire
        self._handle = handle
        self._ended = ended
        self._roles = allocate_lock()  # guards every change of role
        self._leader = 0
        self._main = 0
        self._nested = False  # the leader reads on behalf of a tool below it on the stack
        self._serial = 0  # counts what leaders ran themselves
        self.answered = 0  # counts calls: who still answers after the wire's end gets time
        self._running = 0  # the serial of what the leader runs now, or 0
        self._pace: Pace | None = None  # of what the leader runs now
        self._following = False
        self._asleep = False  # the follower waits for `_alarm`
        self._alarm = allocate_lock()
        self._alarm.acquire()
        self._eof = False
        self._finishing = False

    def _progress(self) -> int:
        return self._serial + self.answered

    # -- the main thread ------------------------------------------------------------

    def serve(self) -> None:
        """Lead, then work, in this thread until `stop`."""
        stack_size(_STACK_BYTES)
        sys.setswitchinterval(min(_SWITCH_S, sys.getswitchinterval()))
        self._main = self._leader = get_ident()
        self._lead()
        if not self.stopping:
            try:
                self.workers.work_in_main()
            except MemoryError as error:
                give_up(error)

    def prepare(self) -> None:
        """Start the threads that every call needs."""
        if not self._following and not self._asleep:
            self._call_follower()

    def on_main(self) -> bool:
        """Whether this is the thread that called `serve`."""
        return get_ident() == self._main

    def finish(self, job: Callable[[], None]) -> None:
        """Run *job*, in the main thread if that is free, and end `serve` after it."""

        def last() -> None:
            job()
            self._stop()

        self._finishing = True
        if self.workers.give_main(last):
            return
        if get_ident() == self._main and not self._nested:
            if not self._eof:  # what still runs may wait for the host's answers
                self._pass_lead()
            last()
        elif not self.spawn(last, essential=True):
            last()

    def _stop(self) -> None:
        """Let `serve` return as soon as the main thread has nothing to run."""
        self.stopping = True
        self.workers.stop()

    # -- leading ----------------------------------------------------------------------

    def may_run(self) -> bool:
        """Whether this thread leads, with nothing of a tool below it on the stack."""
        return not self._nested and self._leader == get_ident()

    def _pass_lead(self) -> bool:
        """Let another thread lead; say whether one does."""
        self._leader = 0
        if self.spawn(self._take_lead, essential=True):
            return True
        self._leader = get_ident()
        return False

    def _take_lead(self) -> None:
        self._leader = get_ident()
        self._lead()

    def _lead(self) -> None:
        me = get_ident()
        lines = self.lines
        handle = self._handle
        try:
            while self._leader == me and not self.stopping:
                # `_stop` can wake a thread that waits for a job, not one that reads.
                if self._finishing and me == self._main and self._pass_lead():
                    return
                if lines:
                    handle(lines.pop())
                elif not self._read():
                    self._ended()
                    return
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody would read any more
            give_up(error)

    def _read(self) -> bool:
        if self._eof:
            return False
        if self._wire.held:
            self._wire.flush()
        lines = self._wire.read()
        if lines is None:
            self._eof = True
            return False
        lines.reverse()
        self.lines += lines
        return True

    def run(self, pace: Pace, job: Callable[[], None]) -> None:
        """Run *job* in this thread, which leads, and lose the lead if it takes long."""
        self._pace = pace
        # In this order: a follower that goes to sleep says so first and looks at `_running`
        # then, so that one of the two always sees the other.
        self._running = self._serial = self._serial + 1
        if not self._following:
            self._call_follower()
        try:
            job()
        finally:
            with self._roles:
                if self._leader == get_ident():
                    self._running = 0

    def wait(self, waited: Waited) -> None:
        """Block until *waited* is done; a leader reads the wire meanwhile."""
        running = 0
        with self._roles:
            leads = self._leader == get_ident() and not self._nested
            if leads:
                self._nested = True
                # Nobody may take over from a thread that reads.
                running, self._running = self._running, 0
        if leads:
            try:
                self._read_until(waited)
            finally:
                with self._roles:
                    self._nested = False
                    if running:
                        self._serial += 1
                        self._running = self._serial
                if running and not self._following:
                    self._call_follower()
        if not waited.done:
            waited.lock.acquire()

    def _read_until(self, waited: Waited) -> None:
        try:
            while not waited.done:
                if self.lines:
                    self._handle(self.lines.pop())
                elif not self._read():
                    self._ended()
                    return
        except Exception as error:  # noqa: BLE001 - the tool below must not take it for its own
            give_up(error)

    # -- following --------------------------------------------------------------------

    def _call_follower(self) -> None:
        with self._roles:
            if self._following:
                return
            self._following = True
            asleep, self._asleep = self._asleep, False
        if asleep:
            self._alarm.release()
        elif not self.spawn(self._follow, essential=True):
            self._following = False  # no thread to be had: the tool keeps the lead

    def _follow(self) -> None:
        nap = allocate_lock()
        nap.acquire()
        seen = last = quiet = 0
        while not self.stopping:
            nap.acquire(timeout=_TICK_S)
            running = self._running
            if running and running == seen and self._take_over(seen):
                self._wire.flush()
                self._lead()
                return
            seen = running
            if self._wire.held:
                self._wire.flush()
            quiet = quiet + 1 if self._serial == last else 0
            last = self._serial
            if quiet >= _QUIET_TICKS and self._falls_asleep():
                self._alarm.acquire()
                quiet = 0

    def _take_over(self, serial: int) -> bool:
        with self._roles:
            if self._running != serial:
                return False
            self._leader = get_ident()
            self._running = 0
            self._following = False
            if self._pace is not None:
                self._pace.quick = False
                self._pace.streak = 0
        return True

    def _falls_asleep(self) -> bool:
        with self._roles:
            self._following = False
            if self._running:
                self._following = True
                return False
            self._asleep = True
        return True
