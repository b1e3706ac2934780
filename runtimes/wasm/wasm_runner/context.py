"""What does each of our host functions do?

One function here is one row of the table in contracts/wire/wasm.md, section 5: it takes the call
being served and the guest's request and returns what stands under `ok`.
"""

from __future__ import annotations

import time

from plughost_sdk.errors import HostError

TYPE_CHECKING = False  # `typing` costs 10 ms, which every start would pay
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    from plughost_sdk import Context
    from wasm_runner.call import GuestCall

    Request: TypeAlias = dict[str, Any]
    Answer: TypeAlias = Callable[[GuestCall, Request], Any]

__all__ = ["ASKED", "http_reply"]

# Told from a stored null.
_MISSING = object()


def _context(call: GuestCall) -> Context:
    context = call.context
    if context is None:
        raise HostError(
            f"`{call.name}` is not called for anyone, so there is no host to ask",
            type="permission-denied",
        )
    return context  # type: ignore[no-any-return]  # None or the SDK's context


def _progress(call: GuestCall, request: Request) -> None:
    progress = _need(request, "progress", (int, float))
    _context(call).progress(progress, request.get("total"), request.get("message"))
    call.progressed(time.monotonic())


def _log(call: GuestCall, request: Request) -> None:
    facts = request.get("data") or {}
    if not isinstance(facts, dict) or not facts.keys().isdisjoint(("level", "message")):
        raise _misfit("`data` must be an object without `level` and `message`")
    message = _need(request, "message", str)
    _context(call).log(message, request.get("level", "info"), **facts)


def _cancelled(call: GuestCall, request: Request) -> bool:
    return call.reason == "cancelled" or _context(call).cancelled


def _deadline_s(call: GuestCall, request: Request) -> float | None:
    return call.left_s(time.monotonic())


def _call_info(call: GuestCall, request: Request) -> Request:
    context = _context(call)
    return {"call_id": context.call_id, "chain": list(context.chain)}


def _settings(call: GuestCall, request: Request) -> Request:
    return call.settings


def _state_get(call: GuestCall, request: Request) -> Request:
    value = _context(call).state.get(_need(request, "key", str), _MISSING)
    found = value is not _MISSING
    return {"found": found, "value": value if found else None}


def _state_set(call: GuestCall, request: Request) -> None:
    if "value" not in request:
        raise _misfit("`value` is missing")
    _context(call).state.set(_need(request, "key", str), request["value"])


def _state_delete(call: GuestCall, request: Request) -> Request:
    return {"deleted": _context(call).state.delete(_need(request, "key", str))}


def _state_list(call: GuestCall, request: Request) -> Request:
    return {"keys": _context(call).state.list(request.get("prefix") or "")}


def _call(call: GuestCall, request: Request) -> Any:
    return _context(call).call(
        _need(request, "plugin", str),
        _need(request, "tool", str),
        request.get("arguments"),
        timeout_s=request.get("timeout_s"),
    )


def _emit(call: GuestCall, request: Request) -> None:
    _context(call).emit(_need(request, "name", str), request.get("payload"))


def _http(call: GuestCall, request: Request) -> Request:
    body = request.get("body")
    if "body_base64" in request:
        from binascii import Error, a2b_base64

        try:
            body = a2b_base64(request["body_base64"], strict_mode=True)
        except (Error, TypeError, ValueError) as exc:
            raise _misfit(f"`body_base64` is not Base64: {exc}") from None
    response = _context(call).http(
        request.get("method", "GET"), _need(request, "url", str), request.get("headers"), body
    )
    return {"status": response.status, "headers": response.headers, **http_reply(response.body)}


def _secret_exists(call: GuestCall, request: Request) -> Request:
    return {"exists": _context(call).secret_exists(_need(request, "name", str))}


def _llm(call: GuestCall, request: Request) -> Any:
    return _context(call).llm(
        _need(request, "messages", list), request.get("max_tokens"), request.get("model")
    )


def http_reply(body: bytes) -> Request:
    """Return *body* as JSON can carry it: as text if it is UTF-8, else as Base64."""
    try:
        return {"body": body.decode()}
    except UnicodeDecodeError:
        from binascii import b2a_base64

        return {"body_base64": b2a_base64(body, newline=False).decode()}


def _need(request: Request, key: str, kind: type | tuple[type, ...]) -> Any:
    value = request.get(key)
    if not isinstance(value, kind) or isinstance(value, bool):
        what = "a string" if kind is str else "an array" if kind is list else "a number"
        raise _misfit(f"`{key}` must be {what}")
    return value


def _misfit(message: str) -> HostError:
    return HostError(message, type="invalid-arguments")


ASKED: dict[str, Answer] = {
    "plughost_progress": _progress,
    "plughost_log": _log,
    "plughost_cancelled": _cancelled,
    "plughost_deadline_s": _deadline_s,
    "plughost_call_info": _call_info,
    "plughost_settings": _settings,
    "plughost_state_get": _state_get,
    "plughost_state_set": _state_set,
    "plughost_state_delete": _state_delete,
    "plughost_state_list": _state_list,
    "plughost_call": _call,
    "plughost_emit": _emit,
    "plughost_http": _http,
    "plughost_secret_exists": _secret_exists,
    "plughost_llm": _llm,
}
