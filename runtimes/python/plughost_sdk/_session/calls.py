"""One call in flight, from its arguments to its answer."""

from __future__ import annotations

from time import monotonic

from plughost_sdk._session.answers import (
    CANCELLED,
    INTERNAL,
    INVALID_PARAMS,
    INVALID_REQUEST,
    STARVED_RESULT,
    error_member,
    result_member,
    returned,
    stamped,
    tool_failure,
    typed_error,
)
from plughost_sdk._threads.lastresort import report
from plughost_sdk.errors import Cancelled, Misfit
from plughost_sdk.jsontext import NotJsonError

TYPE_CHECKING = False  # `typing` costs 10 ms, which every start would pay
if TYPE_CHECKING:
    from typing import Any

    from plughost_sdk._declared.tools import Tool
    from plughost_sdk._session.session import Session

__all__ = ["Call", "refused"]

# A tool that runs on a worker and stays below this goes back to running where the wire
# is read: a fifth of the follower's tick, so that it does not lose the lead again.
_QUICK_S = 0.001

# After that many quick runs in a row; a tool that is slow now and then stays on workers.
_STREAK = 8

# Answers of tools that took less than this wait for the next one's, if more calls are read.
_COALESCE_S = 0.0002


class Call:
    """One ``tools/call`` that was accepted and is not answered yet.

    Attributes:
        cancelled: Whether the caller withdrew it.
        cancel_pending: Whether the next wait for the host raises Cancelled.
        came: When it was read; None for one that runs at once, where the context asks the clock.
        progress: The last that was reported.
        task: The asyncio task of an ``async def`` tool.
        waiter: What the tool waits for.
    """

    # Of the class until they change, which costs a call nothing.
    cancelled = False
    cancel_pending = False
    came: float | None = None
    progress = float("-inf")
    task: Any = None
    waiter: Any = None

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

    def deadline(self) -> float | None:
        """Return when the caller stops waiting; to be asked first when the tool starts."""
        left_ms = None if self.meta is None else self.meta.get("deadline_ms")
        if type(left_ms) is not int and type(left_ms) is not float:
            return None
        if self.came is None:
            self.came = monotonic()
        return self.came + left_ms / 1000

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
        session = self.session
        if session.crew.lines or session.wire.held:
            started = monotonic()
            member, interrupt = self._run()
            took_s = self.tool.last_s = monotonic() - started
        else:  # nobody waits for this answer's write, nor it for another's
            member, interrupt = self._run()
            took_s = _COALESCE_S
        session.settle(self, member, may_wait=took_s < _COALESCE_S)
        if interrupt is not None:
            raise interrupt

    def run_on_worker(self) -> None:
        """Run a plain tool in a thread of its own, and see whether it needed one."""
        if self.cancelled:
            self.session.settle(self, error_member(CANCELLED, "cancelled before it ran"))
            return
        started = monotonic()
        member, interrupt = self._run()
        took_s = monotonic() - started
        tool = self.tool
        tool.last_s = took_s
        tool.streak = tool.streak + 1 if took_s < _QUICK_S else 0
        if tool.streak >= _STREAK:
            tool.quick = True
        self.session.settle(self, member)
        if interrupt is not None:
            raise interrupt

    def _run(self) -> tuple[bytes, KeyboardInterrupt | None]:
        interrupt = None
        try:
            member = self.member(self.tool.start(self))
        except BaseException as error:  # noqa: BLE001 - whatever a tool raises is its answer
            member = self.failure(error)
            if isinstance(error, KeyboardInterrupt) and self.session.crew.on_main():
                interrupt = error
        return member, interrupt

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
        if isinstance(error, MemoryError):
            self.arguments = {}
            _let_go(error)
        try:
            return self._failure(error)
        except MemoryError:
            return STARVED_RESULT

    def _failure(self, error: BaseException) -> bytes:
        if isinstance(error, Misfit):
            return typed_error(INVALID_PARAMS, "invalid-arguments", str(error))
        withdrawn = self.cancelled and (
            isinstance(error, Cancelled) or type(error).__name__ == "CancelledError"
        )
        if not withdrawn:
            report(error, f"tool {self.tool.name!r} failed")
        body = tool_failure(error, self.tool.name)
        return result_member(stamped(body, b'"resultType":"complete"') if self.stateless else body)


def refused(
    session: Session, number: int | str, tool: Tool | None, name: object, arguments: object
) -> bytes:
    """Return the error of a call that cannot even begin."""
    if tool is None:
        known = ", ".join(session.plugin.tools) or "none"
        message = f"no tool is named {name!r}; the tools are: {known}"
        return typed_error(INVALID_PARAMS, "tool-not-found", message)
    if type(arguments) is not dict:
        return typed_error(INVALID_PARAMS, "invalid-arguments", "arguments must be an object")
    if session.life.ending:
        message = "the plugin is shutting down and takes no new calls"
        return typed_error(INTERNAL, "host-stopping", message)
    return error_member(INVALID_REQUEST, f"the id {number!r} is in use")


def _let_go(error: MemoryError) -> None:
    """Free what the tool held when memory ran out: to report it takes some, too."""
    step = error.__traceback__
    while step is not None:
        frame, step = step.tb_frame, step.tb_next
        try:
            frame.clear()
        except RuntimeError:  # one of ours, which still runs
            continue
