"""One plugin: it starts, takes calls, and comes back when it dies.

`Plugin.run` is the only place that starts lives; `Plugin.call` only waits and
reads.  Cancelling `run` stops the plugin: every life owns its child.
"""

from __future__ import annotations

import math
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final

import attrs
import trio

from plughost.contracts.manifest import Manifest
from plughost.contracts.results import CallError, CallResult
from plughost.contracts.tools import Tool
from plughost.errors import PlughostError, StartError
from plughost.journal import Journal
from plughost.process.guard import Guard
from plughost.process.log import LogRing
from plughost.process.runtimes import Machine
from plughost.protocol.session import Ask, Tell
from plughost.supervisor.budget import HEALTHY_S, RestartBudget
from plughost.supervisor.calls.attempt import REFUSING, attempt
from plughost.supervisor.calls.request import Call
from plughost.supervisor.calls.stats import Stats
from plughost.supervisor.connection import Connection, Hooks
from plughost.supervisor.life import Life
from plughost.supervisor.lifecycle import Event, Lifecycle, State
from plughost.supervisor.outcomes import Counters
from plughost.supervisor.verdict import Verdict, after_end, after_failed_start

__all__ = ["Plugin"]

log = Journal("plughost.supervisor")

_SETTLED: Final = REFUSING | {State.READY}


@attrs.define(eq=False)
class Plugin:
    """A plugin, whatever state it is in.

    Attributes:
        manifest: What its author declared.
        on_call: Answers ``plughost/call`` of this plugin.
        on_tools: Hears that `tools` has changed.
        tools: What it offers; empty until it was ready once.
        generation: How many lives it has had.
        life: The one it has now.
        retry_at: When a plugin that backs off is started again, on trio's clock.
        waiting: Calls that wait for it to become ready.
    """

    manifest: Manifest
    guard: Guard
    machine: Machine
    on_call: Callable[[Plugin, Call | None, dict[str, Any]], Awaitable[CallResult]]
    on_tools: Callable[[Plugin], None]
    host_version: str = "0"
    lifecycle: Lifecycle = attrs.field(factory=Lifecycle, init=False)
    stats: Stats = attrs.field(factory=Stats, init=False)
    counters: Counters = attrs.field(factory=Counters, init=False)
    tools: tuple[Tool, ...] = attrs.field(default=(), init=False)
    generation: int = attrs.field(default=0, init=False)
    life: Life | None = attrs.field(default=None, init=False)
    retry_at: float | None = attrs.field(default=None, init=False)
    waiting: int = attrs.field(default=0, init=False)
    _budget: RestartBudget = attrs.field(init=False)
    _start_error: PlughostError | None = attrs.field(default=None, init=False)
    _poked: trio.Event = attrs.field(factory=trio.Event, init=False)
    _start_wanted: bool = attrs.field(default=False, init=False)
    _starts_on_use: bool = attrs.field(default=False, init=False)
    _changed: trio.Event = attrs.field(factory=trio.Event, init=False)
    # The log of the life before this one, and of this one.
    _logs: deque[LogRing] = attrs.field(factory=lambda: deque(maxlen=2), init=False)
    _open_calls: dict[str, Call] = attrs.field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        restart = self.manifest.restart
        self._budget = RestartBudget(intensity=restart.max, period_s=restart.window_s)

    @property
    def name(self) -> str:
        """The manifest's name."""
        return self.manifest.name

    @property
    def memory_mb(self) -> int:
        """Its memory limit in MiB."""
        return self.manifest.resource_limits.memory_mb

    @property
    def state(self) -> State:
        """Where it is in its life."""
        return self.lifecycle.state

    @property
    def resting(self) -> bool:
        """Whether a call is enough to start it, or a start is on its way."""
        if self._start_wanted or self.state is State.DISCOVERED:
            return True
        return self.state is State.STOPPED and self._starts_on_use

    @property
    def connection(self) -> Connection | None:
        """The session that takes calls now, or None."""
        if self.life is None or self.state is not State.READY:
            return None
        connection = self.life.connection
        return connection if connection is not None and connection.ended is None else None

    def log_lines(self) -> list[str]:
        """Return what it last wrote to its stderr, oldest first."""
        return [line for ring in self._logs for line in ring.lines()]

    # -- what an operator does -----------------------------------------------

    def start(self) -> None:
        """Have it started; clears what kept it from starting."""
        self._budget.clear()
        if self.life is None:
            self._poke(start=True)

    async def stop(self) -> None:
        """Stop it and wait until its process has gone; it stays stopped until `start`."""
        self._starts_on_use = False
        if self.lifecycle.may(Event.STOP):
            self._move(Event.STOP, "stopped by an operator")
        self._poke(start=False)
        if self.life is not None:
            self.life.end()
        while self.life is not None:
            await self._changed.wait()

    def use(self) -> None:
        """Start it if it rests."""
        if self.resting:
            self._poke(start=True)

    def give_up(self, reason: str) -> None:
        """Mark it as not startable before it was ever started: something it needs is missing."""
        self._move(Event.GIVE_UP, reason)

    async def changed(self) -> None:
        """Wait for the next change of its state."""
        await self._changed.wait()

    async def settled(self) -> None:
        """Wait until it is ready or given up."""
        while self.state not in _SETTLED:
            await self._changed.wait()

    # -- calls ---------------------------------------------------------------

    async def call(self, call: Call) -> CallResult:
        """Make one call; it ends in exactly one result, before its deadline."""
        self._open_calls[call.call_id] = call
        try:
            outcome = await attempt(self, call)
        finally:
            del self._open_calls[call.call_id]
        name, tool, call_id = self.manifest.name, call.tool.name, call.call_id
        duration_s = trio.current_time() - call.started_at
        if isinstance(outcome, CallError):
            # A refusal may not have waited for anything, and a caller that
            # retries in a loop must not starve the loop.
            await trio.lowlevel.checkpoint()
            self.stats.failed(tool, outcome, duration_s, time.time())  # noqa: TID251 - for people
            return CallResult(False, None, outcome, call_id, name, tool, duration_s)
        data, content = outcome
        self.stats.succeeded(duration_s)
        return CallResult(True, data, None, call_id, name, tool, duration_s, content)

    def refusal(self) -> CallError:
        """Say why it takes no calls."""
        reason, error = self.lifecycle.reason, self._start_error
        details: dict[str, Any] = {"state": str(self.state), "reason": reason}
        if self.retry_at is not None:
            details["retry_after_s"] = round(max(0.0, self.retry_at - trio.current_time()), 3)
        if error is not None:
            details |= {"log_tail": error.facts.get("log_tail", ""), "hint": error.hint}
        return CallError(
            "plugin-unavailable" if error is None else error.type,
            f"{self.name} is {self.state}" + (f": {reason}" if reason else ""),
            retryable=self.retry_at is not None,
            details=details,
        )

    # -- its lives -----------------------------------------------------------

    async def run(self) -> None:
        """Keep it alive until cancelled."""
        delay_s: float | None = None
        while True:
            await self._until_start(delay_s)
            self.retry_at = None
            self._starts_on_use = False
            self._move(Event.START)
            if self.generation:
                self.stats.restart_count += 1
            delay_s = await self._live()

    async def _until_start(self, delay_s: float | None) -> None:
        """Wait *delay_s*, or for ever; a start cuts it short, a stop makes it for ever."""
        at = trio.current_time() + delay_s if delay_s is not None else math.inf
        while not self._start_wanted:
            with trio.move_on_at(at) as delay:
                await self._poked.wait()
            if delay.cancelled_caught:
                break
            self._poked = trio.Event()
            at = math.inf
        self._start_wanted = False
        self._poked = trio.Event()

    def _poke(self, *, start: bool) -> None:
        self._start_wanted = start
        self._poked.set()

    async def _live(self) -> float | None:
        """Run one life; return seconds until the next, None for when somebody asks."""
        self.generation += 1
        hooks = Hooks(on_ask=self._asked, on_tell=self._told, on_log=self._logged)
        ring = LogRing()
        self._logs.append(ring)
        life = self.life = Life(self.manifest, self.guard, self.machine, hooks, self.counters, ring)
        failure: PlughostError | None = None
        try:
            await life.run(self.generation, self.host_version, self._ready)
        except PlughostError as exc:
            failure = exc
        except Exception as exc:
            log.exception("plugin.session_failed", plugin=self.name)
            failure = StartError(
                f"{self.name} met a bug of plughost: {exc!r}",
                hint="Report it with the traceback in the log.",
            )
        finally:
            self.life = None
        if life.stopped:
            self._move(Event.DRAINED, "stopped by an operator")
            return None
        return self._apply(self._judge(life, failure))

    def _judge(self, life: Life, failure: PlughostError | None) -> Verdict:
        now, luck = trio.current_time(), random.random()  # noqa: S311 - jitter, not a secret
        self._start_error = failure
        if failure is not None:
            log.warning("plugin.start_failed", plugin=self.name, reason=str(failure))
            self.stats.start_failed(failure, time.time())  # noqa: TID251 - for people
            return after_failed_start(failure, self.manifest.restart, self._budget, now, luck)
        assert life.connection is not None
        assert life.connection.ended is not None
        ended = life.connection.ended
        log.warning("plugin.exited", plugin=self.name, reason=str(ended))
        return after_end(ended, self.manifest.restart, self._budget, now, luck)

    def _apply(self, verdict: Verdict) -> float | None:
        self._starts_on_use = verdict.starts_on_use
        if verdict.delay_s:
            self.retry_at = trio.current_time() + verdict.delay_s
        for event, reason in verdict.steps:
            self._move(event, reason)
        return verdict.delay_s

    async def _ready(self, life: Life) -> None:
        """The life is ready: take calls; after a healthy while forgive its past."""
        assert life.greeting is not None
        assert life.connection is not None
        if life.stopped:
            return
        self.tools = life.greeting.tools
        self._start_error = None
        self.on_tools(self)
        self._move(Event.GREETED)
        log.info("plugin.ready", plugin=self.name, pid=life.pid, tools=len(self.tools))
        with trio.move_on_after(HEALTHY_S):
            await life.connection.over.wait()
        if life.connection.ended is None:
            self._budget.clear()

    def _move(self, event: Event, reason: str = "") -> None:
        self.lifecycle.apply(event, trio.current_time(), reason)
        changed, self._changed = self._changed, trio.Event()
        changed.set()

    # -- what it asks and says -----------------------------------------------

    async def _asked(self, connection: Connection, ask: Ask) -> None:
        """Answer a request of the plugin."""
        if self.life is not None:
            await self.life.answer(connection, ask, self._cross_call)

    async def _cross_call(self, params: dict[str, Any]) -> CallResult:
        return await self.on_call(self, self._open_calls.get(str(params.get("call_id"))), params)

    def _told(self, connection: Connection, tell: Tell) -> None:
        if tell.method == "notifications/progress":
            connection.progressed(tell.params)
        elif tell.method == "notifications/message":
            level, data = tell.params.get("level"), tell.params.get("data")
            log.info("plugin.log", plugin=self.name, level=level, data=data)
        elif tell.method == "notifications/tools/list_changed" and self.life is not None:
            self.life.list_again(self._listed)

    def _listed(self, tools: tuple[Tool, ...]) -> None:
        if tools == self.tools:
            return
        self.tools = tools
        self.on_tools(self)

    def _logged(self, line: str) -> None:
        log.debug("plugin.stderr", plugin=self.name, line=line)
