"""Who reads the wire and who runs the tools: a leader, a follower and workers.

Handing every call to another thread costs more than a quick tool.  So the thread that
reads the wire, the *leader*, runs plain tools itself.  While it does, a *follower* looks
every few milliseconds; finding the same tool still running, it takes the lead and
reads on, so that pings are answered and calls run side by side.  The old leader notices
when its tool ends, and joins the *workers*.  A tool that lost its leader the lead is
given to a worker the next time.

A tool that waits for the host while its thread leads does not hand over anything: it
reads the wire itself until its answer is there.

Lines that were read and not handled are in one deque, which whoever leads continues.
"""

from __future__ import annotations

import sys
from _thread import allocate_lock, get_ident, stack_size, start_new_thread

from plughost_sdk.wire import log

TYPE_CHECKING = False  # `typing` costs 10 ms, which every start would pay
if TYPE_CHECKING:
    from collections import deque
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

else:
    from _collections import deque  # `collections` costs 2 ms

__all__ = ["Crew"]

# How long a tool may hold the lead: one to two ticks.  Short against what a person or a
# host's ping timer notices, long against what a quick tool takes.
_TICK_S = 0.005

# How long a busy thread keeps the interpreter when the reader wants it.  With 32 busy
# tools a ping waited up to 580 ms at Python's 5 ms, 260 ms at this; they took as long.
_SWITCH_S = 0.001

# The follower goes to sleep after 1 s without a call, so that an idle plugin never wakes up.
_QUIET_TICKS = 200

# Threads besides leader and follower.  A host sends 32 calls at once by default; the
# cap bounds stacks to 64 MiB of the 256 MiB a plugin may map.
_MAX_WORKERS = 64

# Idle workers beyond the first leave after this time: long against a burst's pauses.
_PATIENCE_S = 10.0

# Stacks count in the memory limit, so far less than the usual 8 MiB.  But 512 KiB is too
# little: endless recursion through C (`__getattr__`, `map`) overruns it before Python
# counts to its limit of 1000, and the plugin dies of SIGSEGV instead of failing one call.
# Measured on CPython 3.11: 640 KiB fails, 768 KiB holds.
_STACK_BYTES = 1024 * 1024


class _Seat:
    """Where an idle worker waits: give it a job, then release its lock."""

    __slots__ = ("job", "lock")

    def __init__(self) -> None:
        self.job: Callable[[], None] | None = None
        self.lock = allocate_lock()
        self.lock.acquire()


class Crew:
    """The threads of a serving plugin.

    Args:
        wire: What the leader reads.
        handle: Called by the leader with each line; must not raise.
        ended: Called by the leader, once, at end-of-file; must not raise.
    """

    def __init__(
        self, wire: Wire, handle: Callable[[bytes], None], ended: Callable[[], None]
    ) -> None:
        self.lines: deque[bytes] = deque()
        self.stopping = False
        self.max_workers = _MAX_WORKERS
        self._wire = wire
        self._handle = handle
        self._ended = ended
        self._roles = allocate_lock()  # guards every change of role
        self._leader = 0
        self._main = 0
        self._nested = False  # the leader reads on behalf of a tool below it on the stack
        self._serial = 0  # counts what leaders ran themselves
        self._running = 0  # the serial of what the leader runs now, or 0
        self._pace: Pace | None = None  # of what the leader runs now
        self._following = False
        self._eof = False
        self._finishing = False
        self._workers = 0
        self._idle: list[_Seat] = []
        self._main_seat = _Seat()
        self._backlog: deque[Callable[[], None]] = deque()

    # -- the main thread ------------------------------------------------------------

    def serve(self) -> None:
        """Lead, then work, in this thread until `stop`."""
        stack_size(_STACK_BYTES)
        sys.setswitchinterval(min(_SWITCH_S, sys.getswitchinterval()))
        self._main = self._leader = get_ident()
        self._lead()
        if not self.stopping:
            self._work(None, self._main_seat)

    def on_main(self) -> bool:
        """Whether this is the thread that called `serve`."""
        return get_ident() == self._main

    def finish(self, job: Callable[[], None]) -> None:
        """Run *job*, in the main thread if that is free, and end `serve` after it."""

        def last() -> None:
            job()
            self.stop()

        me = get_ident()
        self._finishing = True
        with self._roles:
            seat = self._main_seat if self._main_seat in self._idle else None
            if seat is not None:
                self._idle.remove(seat)
                seat.job = last
        if seat is not None:
            seat.lock.release()
        elif me == self._main and not self._nested:
            if not self._eof:  # what still runs may wait for the host's answers
                self._pass_lead()
            last()
        else:
            self.spawn(last, essential=True)

    def stop(self) -> None:
        """Let `serve` return as soon as the main thread has nothing to run."""
        with self._roles:
            self.stopping = True
            seats, self._idle = self._idle, []
        for seat in seats:
            seat.job = None
            seat.lock.release()

    # -- leading ----------------------------------------------------------------------

    def may_run(self) -> bool:
        """Whether this thread leads, with nothing of a tool below it on the stack."""
        return not self._nested and self._leader == get_ident()

    def _pass_lead(self) -> None:
        self._leader = 0
        self.spawn(self._take_lead, essential=True)

    def _take_lead(self) -> None:
        self._leader = get_ident()
        self._lead()

    def _lead(self) -> None:
        me = get_ident()
        lines = self.lines
        while self._leader == me and not self.stopping:
            if self._finishing and me == self._main:
                # `stop` can wake a thread that waits for a job, not one that reads.
                self._pass_lead()
            elif lines:
                self._handle(lines.popleft())
            elif not self._read():
                self._ended()
                return

    def _read(self) -> bool:
        if self._eof:
            return False
        if self._wire.held:
            self._wire.flush()
        lines = self._wire.read()
        if lines is None:
            self._eof = True
            return False
        self.lines.extend(lines)
        return True

    def run(self, pace: Pace, job: Callable[[], None]) -> None:
        """Run *job* in this thread, which leads, and lose the lead if it takes long."""
        self._pace = pace
        self._serial += 1
        # In this order: a follower that retires says so first and looks at `_running`
        # then, so that one of the two always sees the other.
        self._running = self._serial
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
        while not waited.done:
            if self.lines:
                self._handle(self.lines.popleft())
            elif not self._read():
                self._ended()
                return

    # -- following --------------------------------------------------------------------

    def _call_follower(self) -> None:
        with self._roles:
            if self._following:
                return
            self._following = True
        if not self.spawn(self._follow, essential=True):
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
            if quiet >= _QUIET_TICKS and self._retire():
                return

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

    def _retire(self) -> bool:
        with self._roles:
            self._following = False
            if self._running:
                self._following = True
                return False
        return True

    # -- working ----------------------------------------------------------------------

    def spawn(self, job: Callable[[], None], *, essential: bool = False) -> bool:
        """Give *job* to another thread; say whether one took it at once.

        A job that finds every worker busy waits its turn, unless it is *essential*: those
        get a thread of their own, and are dropped if the system has none to give.
        """
        with self._roles:
            seat = self._idle.pop() if self._idle else None
            if seat is not None:
                seat.job = job
            elif self._workers >= self.max_workers and not essential:
                self._backlog.append(job)
                return False
            else:
                self._workers += 1
        if seat is not None:
            seat.lock.release()
            return True
        try:
            start_new_thread(self._work, (job, _Seat()))
        except RuntimeError:
            return self._do_without_thread(job, essential=essential)
        return True

    def _do_without_thread(self, job: Callable[[], None], *, essential: bool) -> bool:
        with self._roles:
            self._workers -= 1
            # Two of them may lead and follow, and never come back for the backlog.
            others = self._workers > 2  # noqa: PLR2004
            if others and not essential:
                self._backlog.append(job)
        if not others and not essential:
            job()
        return False

    def _work(self, job: Callable[[], None] | None, seat: _Seat) -> None:
        main = seat is self._main_seat
        while not self.stopping:
            if job is not None:
                self._do(job, main=main)
            job = self._next_job(seat, main=main)
            if job is None:
                return

    def _do(self, job: Callable[[], None], *, main: bool) -> None:
        try:
            job()
        except KeyboardInterrupt:
            if main:
                raise
        except Exception as error:  # noqa: BLE001 - a bug of the SDK must not cost a worker
            log(f"plughost_sdk: {type(error).__name__}: {error}")

    def _next_job(self, seat: _Seat, *, main: bool) -> Callable[[], None] | None:
        with self._roles:
            if self._backlog:
                return self._backlog.popleft()
            if self.stopping:
                return None
            patient = main or not self._idle
            self._idle.append(seat)
        if not seat.lock.acquire(timeout=-1 if patient else _PATIENCE_S):
            with self._roles:
                if seat in self._idle:
                    self._idle.remove(seat)
                    self._workers -= 1
                    return None
            seat.lock.acquire()  # a job is on its way
        job, seat.job = seat.job, None
        return job
