"""One call in flight, from its arguments to its answer."""

from __future__ import annotations

from time import monotonic

from plughost_sdk.answers import (
    CANCELLED,
    INVALID_PARAMS,
    error_member,
    result_member,
    returned,
    stamped,
    tool_failure,
    typed_error,
)
from plughost_sdk.errors import Cancelled, Misfit
from plughost_sdk.jsontext import NotJsonError

TYPE_CHECKING = False  # `typing` costs 10 ms, which every start would pay
if TYPE_CHECKING:
    from typing import Any

    from plughost_sdk.session import Session
    from plughost_sdk.tools import Tool

__all__ = ["Call"]

# A tool that runs on a worker and stays below this goes back to running where the wire
# is read: a fifth of the follower's tick, so that it does not lose the lead again.
_QUICK_S = 0.001

# After that many quick runs in a row; a tool that is slow now and then stays on workers.
_STREAK = 8

# Answers of tools that took less than this wait for the next one's, if more calls are read.
_COALESCE_S = 0.0002


class Call:
    """One ``tools/call`` that was accepted and is not answered yet."""

    __slots__ = (
        "arguments", "cancel_pending", "cancelled", "deadline", "extended", "id", "meta",
        "progress", "session", "stateless", "task", "tool", "waiter",
    )  # fmt: skip

    def __init__(
        self,
        session: Session,
        id: int | str,  # noqa: A002 - JSON-RPC's name
        tool: Tool,
        arguments: dict[str, Any],
        meta: dict[str, Any] | None,
        *,
        stateless: bool,
    ) -> None:
        self.session = session
        self.id = id
        self.tool = tool
        self.arguments = arguments
        self.meta = meta
        self.stateless = stateless
        self.extended = session.extended and not stateless
        self.cancelled = False
        self.cancel_pending = False  # the next wait for the host raises Cancelled
        self.waiter: Any = None
        self.task: Any = None
        self.progress = float("-inf")
        self.deadline: float | None = None
        if meta is not None:
            left_ms = meta.get("deadline_ms")
            if type(left_ms) is int or type(left_ms) is float:
                self.deadline = monotonic() + left_ms / 1000

    def cancel(self) -> None:
        """Note that the caller withdrew the call, and wake the tool where it waits."""
        if self.cancelled:
            return
        self.cancelled = True
        self.cancel_pending = True
        if self.waiter is not None:
            self.waiter.cancel()
        if self.tool.is_async:
            self.session.cancel_coroutine(self)

    def run_here(self) -> None:
        """Run a plain tool in the thread that reads the wire."""
        took_s, member, interrupt = self._run()
        tool = self.tool
        tool.last_s = took_s
        self.session.settle(self, member, may_wait=took_s < _COALESCE_S)
        if interrupt is not None:
            raise interrupt

    def run_on_worker(self) -> None:
        """Run a plain tool in a thread of its own, and see whether it needed one."""
        if self.cancelled:
            self.session.settle(self, error_member(CANCELLED, "cancelled before it ran"))
            return
        took_s, member, interrupt = self._run()
        tool = self.tool
        tool.last_s = took_s
        tool.streak = tool.streak + 1 if took_s < _QUICK_S else 0
        if tool.streak >= _STREAK:
            tool.quick = True
        self.session.settle(self, member)
        if interrupt is not None:
            raise interrupt

    def _run(self) -> tuple[float, bytes, KeyboardInterrupt | None]:
        interrupt = None
        started = monotonic()
        try:
            member = self.member(self.tool.start(self))
        except BaseException as error:  # noqa: BLE001 - whatever a tool raises is its answer
            member = self.failure(error)
            if isinstance(error, KeyboardInterrupt) and self.session.crew.on_main():
                interrupt = error
        return monotonic() - started, member, interrupt

    def member(self, value: object) -> bytes:
        """Return the response's member for a tool that returned *value*."""
        body = returned(value, extended=self.extended, where="result")
        room = self.session.wire.limit_bytes - 200  # the envelope, with an id of 100 characters
        if len(body) > room:
            raise NotJsonError(
                f"the result has {len(body)} bytes as JSON, more than a message's "
                f"{self.session.wire.limit_bytes}: return less at once, or raise max_message_mb"
            )
        return result_member(stamped(body, b'"resultType":"complete"') if self.stateless else body)

    def failure(self, error: BaseException) -> bytes:
        """Return the response's member for a tool that raised *error*, and log it."""
        if isinstance(error, Misfit):
            return typed_error(INVALID_PARAMS, "invalid-arguments", str(error))
        withdrawn = self.cancelled and (
            isinstance(error, Cancelled) or type(error).__name__ == "CancelledError"
        )
        if not withdrawn:
            from plughost_sdk.failures import report

            report(error, f"tool {self.tool.name!r} failed")
        body = tool_failure(error, self.tool.name)
        return result_member(stamped(body, b'"resultType":"complete"') if self.stateless else body)
