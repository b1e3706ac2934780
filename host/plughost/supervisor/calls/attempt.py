"""One call from the door to its outcome: wait for the plugin, for a slot, for the answer.

Every wait ends at the call's deadline, and every path gives its slot back.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

import trio

from plughost.contracts.results import CallError
from plughost.errors import LocalError
from plughost.protocol.moves import State as SessionState
from plughost.protocol.session import Answer
from plughost.supervisor.calls.answers import crash_type, error_of, late, value_of
from plughost.supervisor.calls.request import Call, Patience, call_params
from plughost.supervisor.connection import Connection
from plughost.supervisor.lifecycle import State
from plughost.supervisor.outcomes import Ended, Failure, Progress, Reply

__all__ = ["REFUSING", "Target", "attempt", "wait_ready"]

# docs/reference/defaults.md: calls that wait for a plugin to become ready are as many as may
# wait for a slot.
_WAITING_LIMIT: Final = 128

# States from which nothing but time, files or an operator leads to `ready`.
REFUSING: Final = frozenset(
    {State.BACKING_OFF, State.QUARANTINED, State.UNAVAILABLE, State.STOPPED, State.DRAINING}
)


class Target(Protocol):
    """A plugin, as far as a call needs it."""

    waiting: int

    @property
    def name(self) -> str:
        """The plugin's name."""

    @property
    def memory_mb(self) -> int:
        """Its memory limit in MiB."""

    @property
    def state(self) -> State:
        """Where it is in its life."""

    @property
    def resting(self) -> bool:
        """Whether a call is enough to start it."""

    @property
    def connection(self) -> Connection | None:
        """The session that takes calls now, or None."""

    def use(self) -> None:
        """Start it if it rests."""

    def refusal(self) -> CallError:
        """Say why it takes no calls."""

    async def changed(self) -> None:
        """Wait for the next change of its state."""


async def attempt(target: Target, call: Call) -> CallError | tuple[Any, Any]:
    """Make *call* and return its data and content, or its error."""
    while True:
        connection = target.connection
        if connection is None:
            refusal = await wait_ready(target, call)
            if refusal is not None:
                return refusal
            call.sent_at = trio.current_time()
            continue
        if not connection.slots.take():
            refusal = await _wait_slot(target, connection, call)
            if refusal is not None:
                return refusal
            call.sent_at = trio.current_time()
        if connection.session.state is not SessionState.READY:
            connection.free_slot()
            await trio.lowlevel.checkpoint()
            continue  # it never left the host: the next life may take it
        return await _send(target, connection, call)


async def wait_ready(target: Target, patience: Call | Patience) -> CallError | None:
    """Return None when it is worth looking again, or why not to."""
    if target.state in REFUSING and not target.resting:
        return target.refusal()
    target.use()
    if target.waiting >= _WAITING_LIMIT:
        message = f"{target.waiting} calls wait for {target.name} to start"
        return CallError("overloaded", message, retryable=True)
    target.waiting += 1
    try:
        with trio.move_on_at(patience.deadline) as waiting:
            await target.changed()
    finally:
        target.waiting -= 1
    if waiting.cancelled_caught:
        return late(patience.timeout_s, f"{target.name} was still {target.state}")
    return None


async def _wait_slot(target: Target, connection: Connection, call: Call) -> CallError | None:
    """Wait in the queue; on return without an error the slot is ours."""
    turn = trio.Event()
    slots = connection.slots
    if not slots.queue(turn):
        return CallError(
            "overloaded",
            f"{slots.in_flight} calls of {target.name} are in flight and {slots.queued} wait",
            retryable=True,
            details={"in_flight": slots.in_flight, "queued": slots.queued},
        )
    try:
        with trio.move_on_at(call.deadline) as waiting:
            await turn.wait()
    except trio.Cancelled:
        _leave_queue(connection, turn)
        raise
    if waiting.cancelled_caught:
        _leave_queue(connection, turn)
        return late(
            call.timeout_s, f"{slots.in_flight} earlier calls of {target.name} were still running"
        )
    return None


def _leave_queue(connection: Connection, turn: trio.Event) -> None:
    if turn.is_set():
        connection.free_slot()
    else:
        connection.slots.leave(turn)


async def _send(target: Target, connection: Connection, call: Call) -> CallError | tuple[Any, Any]:
    try:
        params = call_params(call, connection.session.next_id)
        opened = connection.open_call(params, call.deadline, _progress(call))
    except LocalError as exc:
        connection.free_slot()
        return CallError("invalid-arguments", str(exc), details={**exc.facts, "hint": exc.hint})
    try:
        reply: Reply = await opened.wait()
    finally:
        connection.free(opened)
    if type(reply) is Failure and reply.type == "plugin-crashed" and connection.ended is not None:
        reply = _crash(target, connection.ended, reply)
    error = error_of(reply, timeout_s=call.timeout_s, memory_mb=target.memory_mb)
    if error is not None:
        return error
    assert type(reply) is Answer
    return value_of(reply.result, extended=connection.extended), reply.result.get("content")


def _progress(call: Call) -> Progress | None:
    if call.tool.long_running:
        return Progress(call.timeout_s, call.latest_at, call.on_progress)
    return None if call.on_progress is None else Progress(listener=call.on_progress)


def _crash(target: Target, ended: Ended, failure: Failure) -> Failure:
    """Say what ended the process, in the terms of the plugin's limits."""
    kind = crash_type(ended.exit, ended.log_tail)
    if kind != "memory-limit":
        message = f"{target.name} ended while the call was open: {ended}"
        return Failure(kind, message, failure.details)
    details = {**failure.details, "limit_mb": target.memory_mb}
    if ended.exit is not None:
        details["peak_mb"] = round(ended.exit.max_rss_bytes / 2**20, 1)
    message = f"{target.name} reached its memory limit of {target.memory_mb} MiB: {ended}"
    return Failure(kind, message, details)
