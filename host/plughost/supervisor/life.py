"""One life of a plugin: from spawn over ready to a reaped process.

A life owns its child.  Leaving `Life.run`, in whatever way, has climbed the
stop ladder: ask, end of file, SIGTERM, SIGKILL, sweep.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

import attrs
import trio

from plughost.contracts.manifest import Manifest
from plughost.contracts.results import CallResult
from plughost.contracts.tools import Tool
from plughost.errors import LocalError, PlughostError, StartError
from plughost.journal import Journal
from plughost.process.child import StopPolicy, open_child, stop_child
from plughost.process.diagnose import explain_exit, explain_silence, explain_spawn
from plughost.process.guard import Guard
from plughost.process.log import LogRing
from plughost.process.runtimes import Machine, launch_of
from plughost.protocol.messages import encode
from plughost.protocol.session import Ask, Session
from plughost.supervisor.calls.slots import Slots
from plughost.supervisor.connection import Connection, Hooks
from plughost.supervisor.handshake import Activation, Greeting, greet, list_tools
from plughost.supervisor.outcomes import Counters

__all__ = ["Life"]

logger = Journal("plughost.supervisor")

# docs/reference/defaults.md: how far `extend_start` can carry a start.
_START_LIMIT_S: Final = 60.0

# A plugin that says all the time that its tools have changed is asked this often.
_RELIST_S: Final = 1.0

_METHOD_NOT_FOUND: Final = -32601
_MIB: Final = 1024 * 1024


@attrs.define(eq=False)
class Life:
    """One generation of a plugin's process."""

    manifest: Manifest
    guard: Guard
    machine: Machine
    hooks: Hooks
    counters: Counters
    log: LogRing
    connection: Connection | None = None
    greeting: Greeting | None = None
    pid: int | None = None
    started_at: float = attrs.field(factory=trio.current_time)
    stopped: bool = False
    _start: trio.CancelScope = attrs.field(factory=trio.CancelScope, init=False)
    _end: trio.Event = attrs.field(factory=trio.Event, init=False)
    _tasks: trio.Nursery | None = attrs.field(default=None, init=False)
    _listing: bool = attrs.field(default=False, init=False)
    _list_once_more: bool = attrs.field(default=False, init=False)
    _changed_early: Callable[[tuple[Tool, ...]], None] | None = attrs.field(
        default=None, init=False
    )

    def end(self) -> None:
        """Have it stopped; `run` returns when it is."""
        self.stopped = True
        self._end.set()
        self._start.cancel()

    async def run(
        self,
        generation: int,
        host_version: str,
        on_ready: Callable[[Life], Awaitable[None]],
    ) -> None:
        """Live; returns when the process has gone, `connection.ended` says how.

        Raises:
            PlughostError: It never became ready; says why and what to do.
        """
        policy = StopPolicy()
        launch = launch_of(self.manifest, self.machine)
        try:
            async with open_child(self.guard, launch, stop=policy) as spawned:
                self.pid = spawned.pid
                limits = self.manifest.resource_limits
                session = Session(limits.max_message_mb * _MIB)
                slots = Slots(self.manifest.concurrency)
                self.connection = Connection(
                    spawned, self.guard, session, slots, self.counters, self.hooks, self.log
                )
                await self._serve(self.connection, policy, generation, host_version, on_ready)
        except StartError as exc:
            if "errno" in exc.facts:
                raise explain_spawn(self.manifest.name, launch, exc) from exc
            raise

    async def _serve(
        self,
        connection: Connection,
        policy: StopPolicy,
        generation: int,
        host_version: str,
        on_ready: Callable[[Life], Awaitable[None]],
    ) -> None:
        failure: PlughostError | None = None
        # The connection outlives a cancellation of this life: it carries the
        # goodbye, and reports how the process ended.
        line = trio.CancelScope(shield=True)
        async with trio.open_nursery() as lines:
            lines.start_soon(_within, line, connection.run)
            try:
                async with trio.open_nursery() as nursery:
                    self._tasks = nursery
                    try:
                        await self._greet(connection, generation, host_version)
                    except PlughostError as exc:
                        failure = exc  # raised below: a nursery would wrap it in a group
                    else:
                        nursery.start_soon(self._until_end, nursery)
                        if not self.stopped:
                            nursery.start_soon(on_ready, self)
                            if self._changed_early is not None:
                                self.list_again(self._changed_early)
                            await connection.over.wait()
                    nursery.cancel_scope.cancel()
            finally:
                with trio.CancelScope(shield=True):
                    await self._say_goodbye(connection, policy)
                line.cancel()
        if failure is not None:
            raise failure

    async def _greet(self, connection: Connection, generation: int, host_version: str) -> None:
        name, limits = self.manifest.name, self.manifest.resource_limits
        activation = Activation(
            settings=_default_settings(self.manifest.settings),
            state_namespace=name,
            limits={
                "call_timeout_s": limits.call_timeout_s,
                "memory_mb": limits.memory_mb,
                "concurrency": self.manifest.concurrency,
                "max_message_mb": limits.max_message_mb,
            },
            generation=generation,
        )
        self._start.deadline = self.started_at + limits.start_timeout_s
        try:
            with self._start:
                self.greeting = await greet(connection, activation, host_version)
                connection.extended = self.greeting.extension is not None
        except StartError as exc:
            if exc.facts.get("ended"):
                await connection.over.wait()
                self._raise_exit(connection)
            exc.facts.setdefault("log_tail", connection.log.tail())
            message = f"{name} cannot start: {exc}"
            raise StartError(message, hint=exc.hint, **exc.facts) from exc
        except LocalError as exc:
            raise StartError(f"{name} cannot start: {exc}", hint=exc.hint) from exc
        if self.greeting is None and not self.stopped:
            waited_s = trio.current_time() - self.started_at
            doing = f"it to be {connection.session.state}"
            raise explain_silence(name, round(waited_s, 1), doing, connection.log.tail())

    def _raise_exit(self, connection: Connection) -> None:
        ended = connection.ended
        assert ended is not None
        if ended.exit is not None:
            raise explain_exit(self.manifest.name, ended.exit, ended.log_tail)
        raise StartError(f"{self.manifest.name} cannot start: {ended}", log_tail=ended.log_tail)

    async def _until_end(self, nursery: trio.Nursery) -> None:
        await self._end.wait()
        nursery.cancel_scope.cancel()

    async def _say_goodbye(self, connection: Connection, policy: StopPolicy) -> None:
        """Climb the stop ladder while the connection still listens."""
        if connection.ended is not None:
            return
        if connection.extended:
            params = encode({"grace_ms": int(policy.after_shutdown_s * 1000)})
            with trio.move_on_after(policy.after_shutdown_s), suppress(LocalError):
                await connection.open("plughost/shutdown", params).wait()
        connection.hang_up()
        with trio.move_on_after(policy.bound_s):
            await stop_child(self.guard, connection.spawned, policy)
            # Its last answers and last words are on their way.
            await connection.over.wait()

    # -- what the plugin asks ------------------------------------------------

    async def answer(
        self,
        connection: Connection,
        ask: Ask,
        cross_call: Callable[[dict[str, Any]], Awaitable[CallResult]],
    ) -> None:
        """Answer one request of the plugin (wire §10)."""
        if ask.method == "ping":
            connection.answer(ask.id, b"{}")
        elif ask.method == "plughost/extend_start":
            self._extend_start(ask.params.get("seconds"))
            connection.answer(ask.id, b"{}")
        elif ask.method == "plughost/call":
            result = await cross_call(ask.params)
            with suppress(LocalError):  # it ended meanwhile
                connection.answer(ask.id, _to_wire(result))
        else:
            message = f"this host does not offer {ask.method}"
            error = {"type": "permission-denied", "message": message, "retryable": False}
            connection.refuse(ask.id, _METHOD_NOT_FOUND, message, error)

    def list_again(self, on_listed: Callable[[tuple[Tool, ...]], None]) -> None:
        """Ask for the tools again and hand them to *on_listed*."""
        if self.greeting is None:
            self._changed_early = on_listed  # the list being read may be the old one
        elif self._listing:
            self._list_once_more = True
        elif self._tasks is not None and self.connection is not None:
            self._listing = True
            self._tasks.start_soon(self._list, self.connection, on_listed)

    async def _list(
        self, connection: Connection, on_listed: Callable[[tuple[Tool, ...]], None]
    ) -> None:
        try:
            on_listed(await list_tools(connection))
        except PlughostError as exc:
            logger.warning("plugin.tools_unreadable", plugin=self.manifest.name, reason=str(exc))
        await trio.sleep(_RELIST_S)
        self._listing = False
        if self._list_once_more:
            self._list_once_more = False
            self.list_again(on_listed)

    def _extend_start(self, seconds: Any) -> None:
        if isinstance(seconds, (int, float)) and not isinstance(seconds, bool) and seconds > 0:
            latest_at = self.started_at + _START_LIMIT_S
            asked_at = trio.current_time() + seconds
            self._start.deadline = max(self._start.deadline, min(latest_at, asked_at))


async def _within(scope: trio.CancelScope, run: Callable[[], Awaitable[None]]) -> None:
    with scope:
        await run()


def _default_settings(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the defaults that a plugin's settings schema declares."""
    properties = schema.get("properties", {})
    return {
        key: part["default"]
        for key, part in properties.items()
        if isinstance(part, dict) and "default" in part
    }


def _to_wire(result: CallResult) -> bytes:
    """Return *result* as a result of ``tools/call``, encoded (wire §10.1)."""
    document: dict[str, Any]
    if result.error is not None:
        document = {
            "isError": True,
            "content": [{"type": "text", "text": result.error.message}],
            "_meta": {"plughost/error": result.error.to_json()},
        }
    elif isinstance(result.data, dict):
        document = {"content": [], "structuredContent": result.data}
    else:
        document = {
            "content": [],
            "structuredContent": {"result": result.data},
            "_meta": {"plughost/wrapped": True},
        }
    return encode(document)
