"""How a plugin's session begins and ends: `on_init` before the first call, `on_cleanup` last."""

from __future__ import annotations

from _signal import ITIMER_REAL, setitimer  # type: ignore[import-not-found]  # as in `plugin`
from _thread import allocate_lock, start_new_thread
from time import monotonic

from plughost_sdk._session.answers import REFUSED, result_member, typed_error
from plughost_sdk._threads.lastresort import EXIT_S, exit_after, give_up, report

TYPE_CHECKING = False  # `typing` costs 10 ms, which every start would pay
if TYPE_CHECKING:
    from typing import Any

    from plughost_sdk._session.session import Session

__all__ = ["Lifetime"]

# What `plughost/shutdown` grants when it does not say (wire 11.1).
_GRACE_S = 2.0


class Lifetime:
    """The session's beginning and end.

    Attributes:
        started: Whether `on_init` is done, so that calls may run.
        ending: Whether no new calls are taken.
        gate: Messages that arrived while `on_init` ran, or None when none wait.
        refusal: The answer to everything after `on_init` failed, or None.
    """

    def __init__(self, session: Session) -> None:
        self.started = False
        self.ending = False
        self.gate: list[dict[str, Any]] | None = None
        self.refusal: bytes | None = None
        self._session = session
        self._gate_lock = allocate_lock()
        self._idle = allocate_lock()
        self._idle.acquire()

    # -- beginning ----------------------------------------------------------------------

    def begin_alone(self, first: dict[str, Any] | None) -> None:
        """Begin without `plughost/activate` (wire 4.7, 4.8), then act on the message *first*."""
        if self.refusal is not None:
            if first is not None:
                self._session.answer(first["id"], self.refusal)
            return
        self._begin({}, None, first)

    def begin(self, settings: dict[str, Any], number: int | str) -> None:
        """Begin, or begin again, with *settings*, and answer the request *number*."""
        self._begin(settings, number, None)

    def _begin(
        self, settings: dict[str, Any], number: int | str | None, first: dict[str, Any] | None
    ) -> None:
        session = self._session
        session.settings = settings
        handler = session.plugin.life_handlers.get("init")
        if handler is None:
            self.started = True
            if number is not None:
                session.answer(number, result_member(b"{}"))
            if first is not None:
                session.act(first)
            return
        with self._gate_lock:
            self.gate = [first] if first is not None else []

        def job() -> None:
            try:
                self._initialize(handler, settings, number)
            except MemoryError as error:  # what came meanwhile would wait for ever
                give_up(error)

        if session.crew.may_run() and not handler.is_async:
            session.crew.run(handler, job)
        elif not session.crew.spawn(job, essential=True):
            job()

    def _initialize(self, handler: Any, settings: dict[str, Any], number: int | str | None) -> None:
        session = self._session
        interrupt = None
        try:
            handler.run(session, settings)
        except BaseException as error:  # noqa: BLE001 - whatever on_init raises is a refusal
            report(error, "on_init failed")
            reason = f"on_init failed: {str(error) or type(error).__name__}"
            member = typed_error(REFUSED, "plugin-start-failed", reason)
            self.refusal = None if self.started else member
            if isinstance(error, KeyboardInterrupt) and session.crew.on_main():
                interrupt = error
        else:
            member = result_member(b"{}")
            self.refusal = None
            self.started = True
        if number is not None:
            session.answer(number, member)
        if interrupt is not None:
            raise interrupt
        self._open_gate()

    def _open_gate(self) -> None:
        while True:
            with self._gate_lock:
                if not self.gate:
                    self.gate = None
                    return
                message = self.gate.pop(0)
            self._session.act(message, waited=True)

    def wait_at_gate(self, message: dict[str, Any]) -> bool:
        """Keep *message* until `on_init` is done; say whether it was kept."""
        with self._gate_lock:
            if self.gate is None:
                return False
            self.gate.append(message)
            return True

    def withdraw_at_gate(self, number: int | str) -> bool:
        """Drop the request *number* if it waits; say whether it did."""
        with self._gate_lock:
            waiting = [one for one in self.gate or () if one.get("id") == number]
            for message in waiting:
                assert self.gate is not None
                self.gate.remove(message)
        return bool(waiting)

    # -- ending -------------------------------------------------------------------------

    def shut_down(self, number: int | str, grace_ms: float | None) -> None:
        """End because the host says so: calls get half the grace, then `on_cleanup` runs."""
        grace_s = _GRACE_S if grace_ms is None else max(0.0, grace_ms / 1000)
        if self._end_once(grace_s + EXIT_S):
            self._session.crew.finish(lambda: self._end(number, grace_s / 2))
        else:
            self._session.answer(number, result_member(b"{}"))

    def wire_ended(self) -> None:
        """End because nobody is there any more (wire 1.4)."""
        first = self._end_once(EXIT_S)
        self._session.host.close()
        for call in list(self._session.calls.values()):
            call.cancel()
        if first:
            self._session.crew.finish(lambda: self._end(None, 0.0))

    def interrupted(self) -> None:
        """End because a person pressed Ctrl-C."""
        if self._end_once(EXIT_S):
            self._session.host.close()
            self._end(None, 0.0)

    def calls_ended(self) -> None:
        """Wake `_end`, which waits for the last call."""
        if self._idle.locked():
            self._idle.release()

    def _end_once(self, exit_s: float) -> bool:
        if self.ending:
            return False
        self.ending = True
        try:
            start_new_thread(exit_after, (exit_s,))
        except (RuntimeError, MemoryError):
            # Without a thread to be had, a signal does it: unhandled, it ends the process.
            setitimer(ITIMER_REAL, exit_s)
        return True

    def _end(self, number: int | str | None, patience_s: float) -> None:
        session = self._session
        until = monotonic() + patience_s
        while session.calls and monotonic() < until:
            self._idle.acquire(timeout=until - monotonic())
        for call in list(session.calls.values()):
            call.cancel()
        handler = session.plugin.life_handlers.get("cleanup")
        if handler is not None:
            try:
                handler.run(session)
            except BaseException as error:  # noqa: BLE001 - the exit goes on
                report(error, "on_cleanup failed")
        session.close_coroutines()
        if number is not None:
            session.answer(number, result_member(b"{}"))
        session.wire.flush()
