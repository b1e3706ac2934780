"""What a tool sees of its call and of its host."""

from __future__ import annotations

from time import monotonic

from plughost_sdk.errors import HostError

TYPE_CHECKING = False  # `typing` costs 10 ms, which every start would pay
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Any

    from plughost_sdk._session.calls import Call
    from plughost_sdk._session.session import Session

__all__ = ["AsyncContext", "Context", "State"]

# MCP's levels, least urgent first (wire 8).
LEVELS = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency")


class _Done:
    """Awaitable and already done: what `progress` and `log` return in an async tool."""

    __slots__ = ()

    def __await__(self) -> Generator[None, None, None]:
        return
        yield


DONE = _Done()


class Context:
    """A tool's view of its call and of its host.

    In a plain tool every method blocks and returns a value; in an ``async def`` tool
    every method is awaited.  A parameter named ``ctx``, or annotated ``Context``,
    receives it; so do event, hook and channel handlers that ask for it.
    """

    __slots__ = ("_call", "_deadline", "_session", "_state")

    def __init__(self, session: Session, call: Call | None) -> None:
        self._session = session
        self._call = call
        self._deadline = None if call is None else call.deadline()
        self._state: State | None = None

    @property
    def cancelled(self) -> bool:
        """Whether the caller withdrew the call."""
        return self._call is not None and self._call.cancelled

    @property
    def deadline_s(self) -> float | None:
        """Seconds left until nobody waits for the answer any more; None without a deadline."""
        return None if self._deadline is None else max(0.0, self._deadline - monotonic())

    @property
    def call_id(self) -> str | None:
        """The call's name in the host, for logs."""
        call_id = self._meta("call_id")
        return call_id if isinstance(call_id, str) else None

    @property
    def chain(self) -> tuple[str, ...]:
        """The tools this call came through, outermost first, each as ``plugin.tool``."""
        return tuple(self._meta("chain") or ())

    @property
    def settings(self) -> dict[str, Any]:
        """The plugin's settings."""
        return self._session.settings

    @property
    def state(self) -> State:
        """What the plugin stores in the host."""
        if self._state is None:
            self._state = State(self)
        return self._state

    def progress(
        self, progress: float, total: float | None = None, message: str | None = None
    ) -> Any:
        """Report how far the call is.

        A caller that did not ask for progress gets none, and neither does one that
        saw as much before: progress grows.
        """
        call = self._call
        token = self._meta("progressToken")
        if call is None or token is None or progress <= call.progress:
            return self._told()
        params: dict[str, Any] = {"progressToken": token, "progress": progress}
        if total is not None:
            params["total"] = total
        if message is not None:
            params["message"] = message
        self._session.host.tell("notifications/progress", params)
        call.progress = progress
        return self._told()

    def log(self, message: str, level: str = "info", **data: Any) -> Any:
        """Write to the plugin's log, with facts beside the message."""
        if level not in LEVELS:
            raise ValueError(f"no such level: {level!r}; one of {', '.join(LEVELS)}")
        if self._session.wants_log(level, self._call):
            params = {"level": level, "data": {**data, "message": message} if data else message}
            self._session.host.tell("notifications/message", params)
        return self._told()

    def call(
        self,
        plugin: str,
        tool: str,
        arguments: dict[str, Any] | None = None,
        *,
        timeout_s: float | None = None,
    ) -> Any:
        """Call another plugin's tool and return its data.

        Raises:
            HostError: The call failed; ``type`` says how.
        """
        params: dict[str, Any] = {"plugin": plugin, "tool": tool, "arguments": arguments or {}}
        if (call_id := self.call_id) is not None:
            params["call_id"] = call_id
        if timeout_s is not None:
            params["timeout_ms"] = int(timeout_s * 1000)
        return self._ask("call", "ctx.call", "plughost/call", params, _data_of)

    def emit(self, name: str, payload: Any = None) -> Any:
        """Publish an event."""
        params = {"name": name, "payload": payload}
        return self._ask("emit", "ctx.emit", "plughost/emit", params, _nothing)

    def http(
        self,
        method: str,
        url: str,
        headers: dict[str, str] | None = None,
        body: str | bytes | dict[str, Any] | list[Any] | None = None,
    ) -> Any:
        """Let the host make an HTTP request; return a `Response`.

        A dict or list travels as JSON.
        """
        params: dict[str, Any] = {"method": method, "url": url}
        headers = dict(headers or {})
        if isinstance(body, (dict, list)):
            from plughost_sdk.jsontext import encode

            body = encode(body, "body").decode()
            if not any(name.lower() == "content-type" for name in headers):
                headers["Content-Type"] = "application/json"
        if headers:
            params["headers"] = headers
        if isinstance(body, str):
            params["body"] = body
        elif body is not None:
            from binascii import b2a_base64

            params["body_base64"] = b2a_base64(body, newline=False).decode()
        from plughost_sdk.content import response_of

        return self._ask("http", "ctx.http", "plughost/http", params, response_of)

    def secret_exists(self, name: str) -> Any:
        """Return whether the operator gave this plugin the secret *name*."""
        return self._ask(
            "http",
            "ctx.secret_exists",
            "plughost/secret.exists",
            {"name": name},
            lambda answer: answer.get("exists") is True,
        )

    def llm(
        self,
        messages: list[dict[str, Any]],
        max_tokens: int | None = None,
        model: str | None = None,
    ) -> Any:
        """Ask a model; return ``{"text", "usage", "stop_reason"}``."""
        params: dict[str, Any] = {"messages": messages}
        if max_tokens is not None:
            params["max_tokens"] = max_tokens
        if model is not None:
            params["model"] = model
        return self._ask("llm", "ctx.llm", "plughost/llm", params, _as_it_is)

    def _meta(self, key: str) -> Any:
        meta = None if self._call is None else self._call.meta
        return None if meta is None else meta.get(key)

    def _told(self) -> Any:
        return None

    def _ask(
        self,
        feature: str,
        what: str,
        method: str,
        params: dict[str, Any],
        read: Callable[[Any], Any],
    ) -> Any:
        host = self._session.host
        host.require(feature, what)
        return read(host.ask(method, params, self._call))


class AsyncContext(Context):
    """The same for ``async def`` tools: every method returns something to await."""

    __slots__ = ()

    def _told(self) -> Any:
        return DONE

    def _ask(
        self,
        feature: str,
        what: str,
        method: str,
        params: dict[str, Any],
        read: Callable[[Any], Any],
    ) -> Any:
        host = self._session.host
        host.require(feature, what)
        return host.ask_async(method, params, read, self._call)


class State:
    """What the plugin stores in the host: JSON values under string keys."""

    __slots__ = ("_ctx",)

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of *key*, or *default*."""

        def value(answer: dict[str, Any]) -> Any:
            return answer.get("value") if answer.get("found") else default

        return self._ask("get", {"key": key}, value)

    def set(self, key: str, value: Any) -> Any:
        """Store *value* under *key*."""
        return self._ask("set", {"key": key, "value": value}, _nothing)

    def delete(self, key: str) -> Any:
        """Remove *key* and return whether it was there."""
        return self._ask("delete", {"key": key}, lambda answer: answer.get("deleted") is True)

    def list(self, prefix: str = "") -> Any:
        """Return the keys that start with *prefix*."""
        params = {"prefix": prefix} if prefix else {}
        return self._ask("list", params, lambda answer: answer.get("keys", []))

    def _ask(self, verb: str, params: dict[str, Any], read: Callable[[Any], Any]) -> Any:
        return self._ctx._ask(  # noqa: SLF001 - one class in two, so that ctx.state.get reads well
            "state", f"ctx.state.{verb}", f"plughost/state.{verb}", params, read
        )


def _nothing(answer: Any) -> None:
    return None


def _as_it_is(answer: Any) -> Any:
    return answer


def _data_of(result: dict[str, Any]) -> Any:
    """Return the data of a tool's result (wire 5.3), or raise what it failed with."""
    meta = result.get("_meta") or {}
    blocks = result.get("content") or []
    texts = [block.get("text", "") for block in blocks if block.get("type") == "text"]
    if result.get("isError"):
        error = meta.get("plughost/error") or {}
        raise HostError(
            str(error.get("message") or "\n".join(texts) or "the tool failed"),
            type=str(error.get("type") or "tool-error"),
            retryable=error.get("retryable") is True,
            details=error.get("details"),
        )
    if "structuredContent" in result:
        data = result["structuredContent"]
        return data["result"] if meta.get("plughost/wrapped") else data
    if len(blocks) == 1 and len(texts) == 1:
        return texts[0]
    return blocks
