"""Where jobs run that must not hold up the wire: a pool of threads that grows on demand.

Whoever starts a thread here knows that it runs.  That the system has made one does not
say so: its first line of Python needs memory, and without it the thread ends before it
has begun, unseen.
"""

from __future__ import annotations

from _thread import allocate_lock, start_new_thread

from plughost_sdk._threads.lastresort import give_up, report

TYPE_CHECKING = False  # `typing` costs 10 ms, which every start would pay
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Workers", "started"]

# Threads besides leader and follower.  A host sends 32 calls at once by default; the
# cap bounds stacks to 64 MiB of the 256 MiB a plugin may map.
_MAX_WORKERS = 64

# Idle workers beyond the first leave after this time: long against a burst's pauses.
_PATIENCE_S = 10.0

# How long a thread may take to its first line: it has to be given the interpreter once.
# With 32 busy tools that took 0.3 s.
_BIRTH_S = 2.0


class _Seat:
    """Where an idle worker waits: give it a job, then release its lock."""

    __slots__ = ("job", "lock")

    def __init__(self) -> None:
        self.job: Callable[[], object] | None = None
        self.lock = allocate_lock()
        self.lock.acquire()


class Workers:
    """A plugin's threads besides the one that reads, the main thread among them.

    Args:
        vigil: Run in a thread of its own before the first worker starts.
    """

    def __init__(self, vigil: Callable[[], object]) -> None:
        self.most = _MAX_WORKERS
        self.stopping = False
        self._vigil: Callable[[], object] | None = vigil
        self._door = allocate_lock()  # guards everything below
        self._count = 0
        self._idle: list[_Seat] = []
        self._backlog: list[Callable[[], object]] = []
        self._main_seat = _Seat()

    def spawn(self, job: Callable[[], object], *, essential: bool = False) -> bool:
        """Give *job* to another thread; say whether one took it at once.

        A job that finds every worker busy waits its turn, unless it is *essential*: those
        get a thread of their own, and are dropped if the system has none to give.
        """
        with self._door:
            seat = self._idle.pop() if self._idle else None
            if seat is not None:
                seat.job = job
            elif self._count >= self.most and not essential:
                self._backlog.append(job)
                return False
            else:
                self._count += 1
        if seat is not None:
            seat.lock.release()
            return True
        seat = _Seat()
        seat.job = job
        if self._watched() and started(lambda: self._work(seat)):
            return True
        return self._do_without_thread(job, essential=essential)

    def _watched(self) -> bool:
        """Whether the vigil is kept: only a thread that reads alone cannot lose the wire."""
        vigil = self._vigil
        if vigil is None:
            return True
        self._vigil = None
        if started(vigil):
            return True
        self._vigil = vigil
        return False

    def _do_without_thread(self, job: Callable[[], object], *, essential: bool) -> bool:
        with self._door:
            self._count -= 1
            # Two of them may lead and follow, and never come back for the backlog.
            others = self._count > 2  # noqa: PLR2004
            if others and not essential:
                self._backlog.append(job)
        if not others and not essential:
            job()
        return False

    def work_in_main(self) -> None:
        """Work in the main thread, until `stop`."""
        self._work(self._main_seat)

    def give_main(self, job: Callable[[], object]) -> bool:
        """Give *job* to the main thread, if that waits for one; say whether it does."""
        seat = self._main_seat
        with self._door:
            if seat not in self._idle:
                return False
            self._idle.remove(seat)
            seat.job = job
        seat.lock.release()
        return True

    def stop(self) -> None:
        """Let every worker leave that has nothing to run."""
        with self._door:
            self.stopping = True
            seats, self._idle = self._idle, []
        for seat in seats:
            seat.job = None
            seat.lock.release()

    def _work(self, seat: _Seat) -> None:
        main = seat is self._main_seat
        while not self.stopping and (seat.job is not None or self._sit(seat, main=main)):
            self._do(seat, main=main)

    def _do(self, seat: _Seat, *, main: bool) -> None:
        # What ran is forgotten on return: an idle worker must not keep a call's arguments.
        job, seat.job = seat.job, None
        try:
            if job is not None:
                job()
        except MemoryError:
            raise  # what could be answered was: this ends the process
        except KeyboardInterrupt:
            if main:
                raise
        except Exception as error:  # noqa: BLE001 - a bug of the SDK must not cost a worker
            report(error, "plughost_sdk failed")

    def _sit(self, seat: _Seat, *, main: bool) -> bool:
        """Wait in *seat* for a job; say whether there is one."""
        with self._door:
            if self._backlog:
                seat.job = self._backlog.pop(0)
                return True
            if self.stopping:
                return False
            patient = main or not self._idle
            self._idle.append(seat)
        if not seat.lock.acquire(timeout=-1 if patient else _PATIENCE_S):
            with self._door:
                if seat in self._idle:
                    self._idle.remove(seat)
                    self._count -= 1
                    return False
            seat.lock.acquire()  # a job is on its way
        return seat.job is not None


def started(job: Callable[[], object]) -> bool:
    """Run *job* in a new thread, or say that there is none.

    An exception *job* lets through ends the process.
    """
    try:
        birth = _Birth(job)
        start_new_thread(birth.run, ())
    except (RuntimeError, MemoryError):  # RuntimeError: the system has no thread to give
        return False
    return birth.happens()


class _Birth:
    """One thread on its way: it begins, or its parent has given it up, never both."""

    __slots__ = ("_begun", "_claim", "_job")

    def __init__(self, job: Callable[[], object]) -> None:
        self._job = job
        self._claim = allocate_lock()
        self._begun = allocate_lock()
        self._begun.acquire()

    def run(self) -> None:
        """Begin, in the new thread."""
        if not self._claim.acquire(blocking=False):
            return
        self._begun.release()
        try:
            self._job()
        except BaseException as error:  # noqa: BLE001 - a thread that ends so leaves its work undone
            give_up(error)

    def happens(self) -> bool:
        """Wait, in the parent, until the thread has begun; else keep it from doing so."""
        return self._begun.acquire(timeout=_BIRTH_S) or not self._claim.acquire(blocking=False)
