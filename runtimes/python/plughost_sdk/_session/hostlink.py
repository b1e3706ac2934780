"""What a plugin asks its host: requests that leave, and answers that come back."""

from __future__ import annotations

from _thread import allocate_lock

from plughost_sdk.errors import Cancelled, HostError
from plughost_sdk.jsontext import NotJsonError, dumps, encode

TYPE_CHECKING = False  # `typing` costs 10 ms, which every start would pay
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future
    from collections.abc import Callable
    from typing import Any

    from plughost_sdk._session.calls import Call
    from plughost_sdk._threads.crew import Crew
    from plughost_sdk.wire import Wire

__all__ = ["HostLink"]


# What the C long of a range that is quick can hold; a session does not get there.
_LAST_NUMBER = 1 << 62


class _Waiter:
    """One request that waits for its answer.  `finish` may come twice; the first counts."""

    __slots__ = ("cancelled", "done", "error", "lock", "result", "wake")

    def __init__(self) -> None:
        self.lock = allocate_lock()
        self.lock.acquire()
        self.done = False
        self.cancelled = False
        self.result: Any = None
        self.error: HostError | None = None
        self.wake: Callable[[], None] = self.lock.release

    def finish(self, result: Any, error: HostError | None) -> None:
        if not self.done:
            self.result, self.error = result, error
            self.done = True
            self.wake()

    def cancel(self) -> None:
        if not self.done:
            self.cancelled = True
            self.done = True
            self.wake()


class HostLink:
    """Sends the plugin's own requests and finds whose answer came back.

    Attributes:
        features: What the host offers (wire 10), or None in a session without our extensions.
    """

    def __init__(self, wire: Wire, crew: Crew) -> None:
        self.features: frozenset[str] | None = None
        self._wire = wire
        self._crew = crew
        self._numbers = iter(range(1, _LAST_NUMBER))  # as atomic as itertools', 0.1 ms sooner
        self._waiting: dict[int, _Waiter] = {}
        self._closed = False

    def require(self, feature: str, what: str) -> None:
        """Refuse *what*, in this process, if the host does not offer *feature*.

        Raises:
            HostError: It does not.
        """
        if self.features is None:
            raise HostError(
                f"{what} needs a plughost host that offers {feature!r}; "
                "this session is with a plain MCP client",
                type="permission-denied",
                details={"feature": feature},
            )
        if feature not in self.features:
            offered = ", ".join(sorted(self.features)) or "nothing"
            raise HostError(
                f"{what} needs the feature {feature!r}, which this host does not offer "
                f"(it offers: {offered})",
                type="permission-denied",
                details={"feature": feature},
            )

    def tell(self, method: str, params: dict[str, Any]) -> None:
        """Send a notification."""
        self._wire.send(
            b'{"jsonrpc":"2.0","method":"%s","params":%s}\n'
            % (method.encode(), encode(params, "params", 1))
        )

    def ask(self, method: str, params: dict[str, Any], call: Call | None) -> Any:
        """Send a request and wait for its result in this thread.

        Raises:
            HostError: The host refused, failed, or went away.
            Cancelled: *call* was withdrawn meanwhile.
        """
        waiter = _Waiter()
        if call is not None:
            call.waiter = waiter
            self._raise_if_withdrawn(call)
        number = self._post(method, params, waiter)
        self._crew.wait(waiter)
        if call is not None:
            call.waiter = None
            if waiter.cancelled:
                self._forget(number)
                self._raise_if_withdrawn(call)
        if waiter.error is not None:
            raise waiter.error
        return waiter.result

    def ask_async(
        self, method: str, params: dict[str, Any], read: Callable[[Any], Any], call: Call | None
    ) -> Future[Any]:
        """Send a request now and return a future of ``read(result)``."""
        import asyncio

        loop = asyncio.get_running_loop()
        future: Future[Any] = loop.create_future()
        waiter = _Waiter()
        waiter.wake = lambda: _call_in(loop, settle)

        def settle() -> None:
            if future.done():
                return
            if waiter.error is not None:
                future.set_exception(waiter.error)
                return
            try:
                future.set_result(read(waiter.result))
            except Exception as error:  # noqa: BLE001 - carried to whoever awaits
                future.set_exception(error)

        number = self._post(method, params, waiter)

        def ended(future: Future[Any]) -> None:
            if future.cancelled():
                self._forget(number)

        future.add_done_callback(ended)
        return future

    def post(self, method: str, params: dict[str, Any]) -> None:
        """Send a request whose answer does not matter."""
        self._post(method, params, _Waiter())

    def _post(self, method: str, params: dict[str, Any], waiter: _Waiter) -> int:
        number = next(self._numbers)
        try:
            text = encode(params, "params", 1)
        except NotJsonError as error:
            raise HostError(f"{method}: {error}", type="invalid-arguments") from None
        line = b'{"jsonrpc":"2.0","id":%d,"method":"%s","params":%s}\n' % (
            number,
            method.encode(),
            text,
        )
        if len(line) > self._wire.limit_bytes:
            raise HostError(
                f"{method}: the request has {len(line)} bytes, "
                f"more than a message's {self._wire.limit_bytes}",
                type="output-limit",
            )
        self._waiting[number] = waiter
        if self._closed:
            self.close()
        else:
            self._wire.send(line)
        return number

    def _forget(self, number: int) -> None:
        if self._waiting.pop(number, None) is not None:
            line = dumps(
                {
                    "jsonrpc": "2.0",
                    "method": "notifications/cancelled",
                    "params": {"requestId": number},
                }
            )
            self._wire.send(line + b"\n")

    def _raise_if_withdrawn(self, call: Call) -> None:
        if call.cancel_pending:
            call.cancel_pending = False
            raise Cancelled("the caller withdrew the call")

    def answered(self, message: dict[str, Any]) -> None:
        """Wake whoever waits for the response *message*; an unknown one is dropped (wire 3.3)."""
        number = message.get("id")
        waiter = self._waiting.pop(number, None) if type(number) is int else None
        if waiter is None:
            return
        error = message.get("error")
        if error is None:
            result = message.get("result")
            waiter.finish(result if type(result) is dict else {}, None)
        else:
            waiter.finish(None, _host_error(error))

    def cut(self, number: int, kind: str, reason: str) -> None:
        """Fail the request *number*, whose answer could not be read."""
        waiter = self._waiting.pop(number, None)
        if waiter is not None:
            waiter.finish(None, HostError(reason, type=kind))

    def close(self) -> None:
        """Fail everything that waits: the host is gone."""
        self._closed = True
        while self._waiting:
            _, waiter = self._waiting.popitem()
            waiter.finish(None, HostError("the host closed the wire", type="host-stopping"))


def _call_in(loop: AbstractEventLoop, callback: Callable[[], None]) -> None:
    try:
        loop.call_soon_threadsafe(callback)
    except RuntimeError:
        return  # the loop is closed, and with it everybody who could wait


def _host_error(error: Any) -> HostError:
    error = error if type(error) is dict else {}
    data = error.get("data")
    data = data if type(data) is dict else {}
    details = data.get("details")
    return HostError(
        str(data.get("message") or error.get("message") or "the host gave no reason"),
        type=str(data.get("type") or "internal"),
        retryable=data.get("retryable") is True,
        details=details if type(details) is dict else None,
    )
