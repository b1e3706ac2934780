"""What only a plughost host asks of a plugin (wire 9): one function per method."""

from __future__ import annotations

from _thread import allocate_lock
from time import monotonic

from plughost_sdk._session.answers import (
    INTERNAL,
    INVALID_PARAMS,
    REFUSED,
    UNKNOWN_METHOD,
    error_member,
    result_member,
    typed_error,
)
from plughost_sdk._threads.lastresort import report
from plughost_sdk.jsontext import encode

TYPE_CHECKING = False  # `typing` costs 10 ms, which every start would pay
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from plughost_sdk._declared.handlers import Handler
    from plughost_sdk._session.session import Session

__all__ = ["HOST_REQUESTS", "Events"]

_EMPTY = result_member(b"{}")

# A handler that once took the lead too long runs where the wire is read again after
# one run below this (`calls` has the same number for tools).
_QUICK_S = 0.001

# Megabytes as the manifest counts them (wire 2.2).
_MIB = 1024 * 1024


class Events:
    """Runs event handlers one after the other, in the order of the events."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lock = allocate_lock()
        self._queue: list[dict[str, Any]] = []
        self._running = False

    def take(self, params: dict[str, Any]) -> None:
        """Queue an event for its handlers."""
        if params.get("name") not in self._session.plugin.event_handlers:
            return
        with self._lock:
            self._queue.append(params)
            if self._running:
                return
            self._running = True
        self._session.crew.spawn(self._drain)

    def _drain(self) -> None:
        from plughost_sdk._declared.handlers import Event

        session = self._session
        while True:
            with self._lock:
                if not self._queue:
                    self._running = False
                    return
                params = self._queue.pop(0)
            for handler in session.plugin.event_handlers[params["name"]]:
                try:
                    handler.run(session, Event(params))
                except BaseException as error:  # noqa: BLE001 - one handler must not cost the others
                    report(error, f"the handler of event {params['name']!r} failed")


def _activate(session: Session, number: int | str, params: dict[str, Any]) -> None:
    limits = params.get("limits")
    size_mb = limits.get("max_message_mb") if type(limits) is dict else None
    if isinstance(size_mb, (int, float)) and size_mb > 0:
        session.wire.limit_bytes = int(size_mb * _MIB)
    settings = params.get("settings")
    if settings is not None and type(settings) is not dict:
        session.answer(number, error_member(INVALID_PARAMS, "settings must be an object"))
        return
    session.life.begin(settings or {}, number)


def _shutdown(session: Session, number: int | str, params: dict[str, Any]) -> None:
    grace_ms = params.get("grace_ms")
    session.life.shut_down(number, grace_ms if type(grace_ms) in (int, float) else None)


def _hook(session: Session, number: int | str, params: dict[str, Any]) -> None:
    handler = session.plugin.hook_handlers.get(str(params.get("point")))
    if handler is None:
        session.answer(number, _EMPTY)
        return

    def decided(said: Any) -> bytes:
        return result_member(encode(_decision(said), "the hook's answer", 1))

    _serve(session, handler, number, (params.get("context"),), decided)


def _decision(said: Any) -> dict[str, Any]:
    if said is None:
        return {}
    if said in ("allow", "deny"):
        return {"decision": said}
    if not isinstance(said, dict) or not set(said) <= {"decision", "message", "patch"}:
        raise TypeError(
            f"a hook returns None, 'allow', 'deny' or a dict of decision, message and patch, "
            f"not {said!r}"
        )
    if said.get("decision", "allow") not in ("allow", "deny"):
        raise ValueError(f"a hook's decision is 'allow' or 'deny', not {said['decision']!r}")
    return dict(said)


def _snapshot(session: Session, number: int | str, params: dict[str, Any]) -> None:
    _life(session, "snapshot", number, (), lambda state: _named("state", state))


def _restore(session: Session, number: int | str, params: dict[str, Any]) -> None:
    _life(session, "restore", number, (params.get("state"),), lambda _: _EMPTY)


def _parse(session: Session, number: int | str, params: dict[str, Any]) -> None:
    arguments = (params.get("payload"), params.get("headers") or {})

    def parsed(messages: Any) -> bytes:
        return _named("messages", [] if messages is None else messages)

    _life(session, "channel_parse", number, arguments, parsed)


def _format(session: Session, number: int | str, params: dict[str, Any]) -> None:
    _life(
        session,
        "channel_format",
        number,
        (params.get("message"),),
        lambda payload: _named("payload", payload),
    )


def _named(name: str, value: Any) -> bytes:
    return result_member(encode({name: value}, "the answer", 1))


def _life(
    session: Session,
    which: str,
    number: int | str,
    arguments: tuple[Any, ...],
    answer: Callable[[Any], bytes],
) -> None:
    handler = session.plugin.life_handlers.get(which)
    if handler is None:
        text = f"the plugin has no handler for {which.replace('_', '.')}"
        session.answer(number, error_member(UNKNOWN_METHOD, text))
    else:
        code = REFUSED if which == "restore" else INTERNAL
        _serve(session, handler, number, arguments, answer, code=code)


def _serve(
    session: Session,
    handler: Handler,
    number: int | str,
    arguments: tuple[Any, ...],
    answer: Callable[[Any], bytes],
    *,
    code: int = INTERNAL,
) -> None:
    """Run a handler for the request *number*, here if it is quick, and answer it."""

    def job() -> None:
        interrupt = None
        started = monotonic()
        try:
            member = answer(handler.run(session, *arguments))
        except BaseException as error:  # noqa: BLE001 - whatever a handler raises is its answer
            report(error, "a handler failed")
            kind = "tool-error" if code == INTERNAL else "plugin-start-failed"
            member = typed_error(code, kind, str(error) or type(error).__name__)
            if isinstance(error, KeyboardInterrupt) and session.crew.on_main():
                interrupt = error
        handler.quick = handler.quick or monotonic() - started < _QUICK_S
        session.answer(number, member)
        if interrupt is not None:
            raise interrupt

    if handler.quick and not handler.is_async and session.crew.may_run():
        session.crew.run(handler, job)
    else:
        session.crew.spawn(job)


HOST_REQUESTS: dict[str, Callable[[Session, int | str, dict[str, Any]], None]] = {
    "plughost/activate": _activate,
    "plughost/shutdown": _shutdown,
    "plughost/hook": _hook,
    "plughost/snapshot": _snapshot,
    "plughost/restore": _restore,
    "plughost/channel.parse": _parse,
    "plughost/channel.format": _format,
}
