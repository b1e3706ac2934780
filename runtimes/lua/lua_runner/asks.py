"""What plugin code asks through `ctx`: one function per member, Lua values in, JSON out."""

from __future__ import annotations

from plughost_sdk import Cancelled, HostError
from plughost_sdk.jsontext import NotJsonError, encode, parse

TYPE_CHECKING = False  # `typing` costs more than all our modules together
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from lua_runner.calls import Calls
    from lua_runner.values import Values
    from plughost_sdk import Context

__all__ = ["Asks"]

# How a member that takes no JSON says what it got.
_KINDS = {str: "string", int: "number", float: "number", bool: "boolean", type(None): "nil"}


class Asks:
    """Answers `host.ask` of plughost.lua.

    Args:
        calls: Knows which context is that of the running call.
    """

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def ask(self, number: int, operation: str, *arguments: Any) -> tuple[Any, ...]:
        """Return "ok" and a value, "stopped" and a reason, or "failed" and what `_failed` lists.

        It never raises: a Python exception must not become a Lua value.
        """
        values = self._calls.sandbox.values
        try:
            return "ok", self._answer(number, operation, values, arguments)
        except Cancelled as reason:
            return "stopped", str(reason)
        except HostError as error:
            details = None if not error.details else values.to_lua(error.details)
            return "failed", error.message, error.type, error.retryable, details
        except (NotJsonError, TypeError, ValueError) as error:
            return _failed(f"{_NAMES.get(operation, operation)}: {error}", "invalid-arguments")
        except BaseException as error:  # noqa: BLE001 - see above
            return _failed(f"{type(error).__name__}: {error}", "internal")

    def _answer(
        self, number: int, operation: str, values: Values, arguments: tuple[Any, ...]
    ) -> Any:
        if operation in _WITHOUT_CONTEXT:
            return _WITHOUT_CONTEXT[operation](values, *arguments)
        ctx = self._calls.context(number)
        if ctx is None:
            raise HostError("this ctx belongs to a call that has ended: use the one of this call")
        return _OPERATIONS[operation](ctx, values, *arguments)


def _failed(message: str, kind: str) -> tuple[Any, ...]:
    """Return status, message, type, retryable, details."""
    return "failed", message, kind, False, None


def _text(value: Any = None, *_: Any, what: str) -> str:
    if isinstance(value, str):
        return value
    raise TypeError(f"{what} must be a string, not a {_KINDS.get(type(value), 'table')}")


def _number(value: Any, what: str) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    raise TypeError(f"{what} must be a number, not a {_KINDS.get(type(value), 'table')}")


def _optional(check: Callable[..., Any], value: Any, what: str) -> Any:
    return None if value is None else check(value, what=what)


def _object(values: Values, value: Any, what: str) -> dict[str, Any]:
    plain = {} if value is None else values.from_lua(value, None, what)
    if plain == []:
        return {}
    if isinstance(plain, dict):
        return plain
    raise TypeError(f"{what} must be a table with named fields")


def _list(values: Values, value: Any, what: str) -> list[Any]:
    plain = values.from_lua(value, {"type": "array"}, what)
    if isinstance(plain, list):
        return plain
    raise TypeError(f"{what} must be a list")


# -- the members, in the order of plughost.lua ----------------------------------------


def _progress(ctx: Context, values: Values, done: Any = None, *rest: Any) -> None:
    total, message = (*rest, None, None)[:2]
    ctx.progress(
        _number(done, "progress"),
        _optional(_number, total, "total"),
        _optional(_text, message, "message"),
    )


def _log(ctx: Context, values: Values, message: Any = None, *rest: Any) -> None:
    level, data = (*rest, None, None)[:2]
    facts = _object(values, data, "data")
    # They travel as keywords beside these two.
    facts = {name: fact for name, fact in facts.items() if name not in ("message", "level")}
    ctx.log(_text(message, what="message"), "info" if level is None else level, **facts)


def _cancelled(ctx: Context, values: Values) -> bool:
    return ctx.cancelled


def _deadline(ctx: Context, values: Values) -> float | None:
    return ctx.deadline_s


def _state_get(ctx: Context, values: Values, key: Any = None, default: Any = None) -> Any:
    missing = object()
    found = ctx.state.get(_text(key, what="key"), missing)
    return default if found is missing else values.to_lua(found)


def _state_set(ctx: Context, values: Values, key: Any = None, value: Any = None) -> None:
    ctx.state.set(_text(key, what="key"), values.from_lua(value, None, "value"))


def _state_delete(ctx: Context, values: Values, key: Any = None) -> bool:
    return bool(ctx.state.delete(_text(key, what="key")))


def _state_list(ctx: Context, values: Values, prefix: Any = None) -> Any:
    return values.to_lua(ctx.state.list(_optional(_text, prefix, "prefix") or ""))


def _call(ctx: Context, values: Values, plugin: Any = None, tool: Any = None, *rest: Any) -> Any:
    arguments, timeout_s = (*rest, None, None)[:2]
    data = ctx.call(
        _text(plugin, what="plugin"),
        _text(tool, what="tool"),
        _object(values, arguments, "arguments"),
        timeout_s=_optional(_number, timeout_s, "timeout_s"),
    )
    return values.to_lua(data)


def _emit(ctx: Context, values: Values, name: Any = None, payload: Any = None) -> None:
    ctx.emit(_text(name, what="name"), values.from_lua(payload, None, "payload"))


def _http(ctx: Context, values: Values, method: Any = None, url: Any = None, *rest: Any) -> Any:
    headers, body = (*rest, None, None)[:2]
    response = ctx.http(
        _text(method, what="method"),
        _text(url, what="url"),
        _object(values, headers, "headers"),
        values.from_lua(body, None, "body"),
    )
    answer = values.to_lua({"status": response.status, "headers": response.headers})
    answer["body"] = response.body
    return answer


def _llm(ctx: Context, values: Values, messages: Any = None, options: Any = None) -> Any:
    chosen = _object(values, options, "options")
    unknown = sorted(set(chosen) - {"max_tokens", "model"})
    if unknown:
        raise ValueError(f"options are max_tokens and model, not {', '.join(unknown)}")
    return values.to_lua(ctx.llm(_list(values, messages, "messages"), **chosen))


def _call_id(ctx: Context, values: Values) -> str | None:
    return ctx.call_id


def _chain(ctx: Context, values: Values) -> Any:
    return values.to_lua(list(ctx.chain))


def _settings(ctx: Context, values: Values) -> Any:
    return values.to_lua(ctx.settings)


def _json_decode(values: Values, text: Any = None) -> Any:
    return values.to_lua(parse(_text(text, what="text").encode()))


def _json_encode(values: Values, value: Any = None) -> str:
    return encode(values.from_lua(value)).decode()


_WITHOUT_CONTEXT: dict[str, Callable[..., Any]] = {
    "json_decode": _json_decode,
    "json_encode": _json_encode,
}
_OPERATIONS: dict[str, Callable[..., Any]] = {
    "progress": _progress,
    "log": _log,
    "cancelled": _cancelled,
    "deadline_s": _deadline,
    "state_get": _state_get,
    "state_set": _state_set,
    "state_delete": _state_delete,
    "state_list": _state_list,
    "call": _call,
    "emit": _emit,
    "http": _http,
    "llm": _llm,
    "call_id": _call_id,
    "chain": _chain,
    "settings": _settings,
}
# How authors write them, for messages.
_NAMES = {
    **{name: f"ctx.{name}" for name in _OPERATIONS},
    **{name: name.replace("state_", "ctx.state.") for name in _OPERATIONS if "state" in name},
    **{name: name.replace("json_", "plughost.json.") for name in _WITHOUT_CONTEXT},
}
