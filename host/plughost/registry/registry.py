"""All plugins of one host, and the one door through which they are called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from itertools import count
from typing import Any, Final

import attrs
import trio

from plughost.contracts.results import CallError, CallResult
from plughost.errors import (
    HostStoppingError,
    InvalidArgumentsError,
    LocalError,
    PermissionDeniedError,
    PlughostError,
    PluginNotFoundError,
)
from plughost.journal import Journal
from plughost.process.guard import Guard
from plughost.process.runtimes import Machine
from plughost.protocol.messages import encode
from plughost.registry.catalog import Catalog, CatalogEntry, nearest
from plughost.registry.dependencies import unmet_dependencies
from plughost.registry.discover import Discovery
from plughost.registry.health import Health, Vitals, health_of
from plughost.registry.intercept import Interceptor, Proceed, Request, chain
from plughost.supervisor.calls.attempt import wait_ready
from plughost.supervisor.calls.request import Call, Patience
from plughost.supervisor.lifecycle import State
from plughost.supervisor.plugin import Plugin

__all__ = ["Registry"]

log = Journal("plughost.registry")

# The plugin's own end of a call comes first; this is for an interceptor that hangs.
_LAST_WORD_S: Final = 0.05

# docs/reference/defaults.md: how deep plugins may call each other.
_MAX_DEPTH: Final = 8

# docs/reference/defaults.md: a longer wait is a mistake in a unit.
_MAX_TIMEOUT_S: Final = 24 * 3600.0


@attrs.define(eq=False)
class Registry:
    """Plugins by name; `call` is the only way to reach one."""

    discovery: Discovery
    guard: Guard
    machine: Machine
    host_version: str
    interceptors: Sequence[Interceptor] = ()
    catalog: Catalog = attrs.field(factory=Catalog)
    stopping: bool = False
    _plugins: dict[str, Plugin] = attrs.field(factory=dict, init=False)
    _vitals: Vitals = attrs.field(factory=Vitals, init=False)
    _numbers: count[int] = attrs.field(factory=lambda: count(1), init=False)
    _door: Proceed | None = attrs.field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        for name, manifest in self.discovery.manifests.items():
            self._plugins[name] = Plugin(
                manifest,
                self.guard,
                self.machine,
                on_call=self._call_of_plugin,
                on_tools=self._listed,
                host_version=self.host_version,
            )
        for name, reason in unmet_dependencies(self.discovery.manifests).items():
            self._plugins[name].give_up(reason)
        if self.interceptors:
            self._door = chain(self.interceptors, self._send_request)

    # -- what there is -------------------------------------------------------

    def plugin(self, name: str) -> Plugin:
        """Return the plugin called *name*.

        Raises:
            PluginNotFoundError: There is none; names the nearest.
            ManifestError: There is a folder of this name with a broken manifest.
        """
        found = self._plugins.get(name)
        if found is not None:
            return found
        broken = self.discovery.broken.get(name)
        if broken is not None:
            raise broken
        raise PluginNotFoundError(
            f"there is no plugin {name!r}{nearest(str(name), self._plugins)}",
            hint="List the plugins with `plughost plugins`; "
            "name another folder with `--plugins DIR`.",
            plugin=name,
        )

    def health(self, name: str) -> Health:
        """Return the health record of one plugin."""
        return health_of(self.plugin(name), self._vitals)

    def plugins(self) -> list[Health]:
        """Return the health records of all plugins, in order of name."""
        return [health_of(self._plugins[name], self._vitals) for name in sorted(self._plugins)]

    # -- living --------------------------------------------------------------

    async def run(self, *, eager: bool) -> None:
        """Keep all plugins alive until cancelled.

        Args:
            eager: Start those whose manifest says so, along their dependencies.
        """
        async with trio.open_nursery() as nursery:
            for plugin in self._plugins.values():
                nursery.start_soon(plugin.run)
                if eager and plugin.manifest.start == "eager":
                    nursery.start_soon(self._start_after_dependencies, plugin)

    async def settled(self) -> None:
        """Wait until every eager plugin is ready or given up."""
        for plugin in self._plugins.values():
            if plugin.manifest.start == "eager":
                await plugin.settled()

    async def _start_after_dependencies(self, plugin: Plugin) -> None:
        if plugin.state is State.UNAVAILABLE:
            return
        for needed in plugin.manifest.dependencies:
            dependency = self._plugins[needed]
            dependency.use()
            await dependency.settled()
            if dependency.state is not State.READY and plugin.state is State.DISCOVERED:
                plugin.give_up(f"it needs {needed}, which is {dependency.state}")
            while dependency.state is not State.READY:
                await dependency.changed()
        plugin.start()

    def _listed(self, plugin: Plugin) -> None:
        self.catalog.replace(plugin.name, plugin.tools)

    # -- calling -------------------------------------------------------------

    async def call(
        self,
        plugin: str,
        tool: str,
        arguments: dict[str, Any] | None = None,
        *,
        timeout_s: float | None = None,
        callers: tuple[str, ...] = (),
        user: str = "local",
        traceparent: str | None = None,
        on_progress: Callable[[dict[str, Any]], None] | None = None,
    ) -> CallResult:
        """Call a tool; always a value, before its deadline.

        Args:
            plugin: The plugin's name.
            tool: The tool's own name.
            arguments: JSON values, by parameter.
            timeout_s: Seconds from now; None takes the manifest's.
            callers: Plugins that lead to this call, as ``plugin.tool``.
            user: On whose behalf.
            traceparent: W3C trace context to hand on.
            on_progress: Hears what a long-running tool reports.
        """
        started_at = trio.current_time()
        call_id = f"c{next(self._numbers):x}"
        try:
            target = self.plugin(plugin)
            if timeout_s is None:
                timeout_s = target.manifest.resource_limits.call_timeout_s
            if type(timeout_s) not in (float, int) or not 0 < timeout_s <= _MAX_TIMEOUT_S:
                raise _bad_timeout(timeout_s)
            deadline = started_at + timeout_s
            if self.stopping:
                raise HostStoppingError("the host is closed or closing")
            encoded, values = _encoded(arguments)
            entry = self.catalog.get(plugin, tool)
            if entry is None:
                found = await self._find(target, tool, Patience(timeout_s, deadline))
                if isinstance(found, CallError):
                    await trio.lowlevel.checkpoint()
                    return CallResult(False, None, found, call_id, plugin, tool)
                entry = found
            entry.check(values)
        except PlughostError as exc:
            # A caller that retries in a loop must not starve the loop.
            await trio.lowlevel.checkpoint()
            return _refused(exc, call_id, plugin, tool)
        call = Call(
            call_id=call_id,
            plugin=plugin,
            tool=entry.tool,
            arguments=encoded,
            timeout_s=timeout_s,
            started_at=started_at,
            deadline=deadline,
            chain=callers,
            traceparent=traceparent,
            user=user,
            on_progress=on_progress,
        )
        if self._door is None:
            return await target.call(call)
        return await self._through_the_door(self._door, target, call, values)

    async def _find(
        self, target: Plugin, tool: str, patience: Patience
    ) -> CatalogEntry | CallError:
        """Return the tool's entry; start the plugin first if nobody knows its tools yet."""
        for needed in target.manifest.dependencies:
            if needed in self._plugins:
                self._plugins[needed].use()
        while not self.catalog.knows(target.name):
            refusal = await wait_ready(target, patience)
            if refusal is not None:
                return refusal
        return self.catalog.find(target.name, tool)

    async def _through_the_door(
        self, door: Proceed, target: Plugin, call: Call, arguments: dict[str, Any]
    ) -> CallResult:
        request = _Routed(
            call_id=call.call_id,
            plugin=call.plugin,
            tool=call.tool,
            arguments=arguments,
            timeout_s=call.timeout_s,
            callers=call.chain,
            user=call.user,
            target=target,
            call=call,
        )
        try:
            with trio.move_on_at(call.deadline + _LAST_WORD_S):
                return await door(request)
        except Exception as exc:
            log.exception("interceptor.failed", plugin=call.plugin, tool=call.tool.name)
            error = CallError("internal", f"an interceptor failed: {exc!r}")
            return CallResult(False, None, error, call.call_id, call.plugin, call.tool.name)
        error = CallError("call-timeout", f"no answer within {call.timeout_s:g} s", retryable=True)
        return CallResult(False, None, error, call.call_id, call.plugin, call.tool.name)

    @staticmethod
    async def _send_request(request: Request) -> CallResult:
        assert isinstance(request, _Routed)
        return await request.target.call(request.call)

    # -- plugins that call plugins -------------------------------------------

    async def _call_of_plugin(
        self, caller: Plugin, parent: Call | None, params: dict[str, Any]
    ) -> CallResult:
        """Answer ``plughost/call`` (wire §10.1)."""
        plugin, tool = str(params.get("plugin", "")), str(params.get("tool", ""))
        arguments = params.get("arguments")
        try:
            callers = _allowed_chain(caller, parent, plugin, tool)
            if not isinstance(arguments, dict):
                raise InvalidArgumentsError("arguments is not an object")
        except PlughostError as exc:
            return _refused(exc, "", plugin, tool)
        timeout_s = None
        asked_ms = params.get("timeout_ms")
        if isinstance(asked_ms, (int, float)) and not isinstance(asked_ms, bool):
            timeout_s = asked_ms / 1000
        if parent is not None:
            left_s = parent.deadline - trio.current_time()
            timeout_s = left_s if timeout_s is None else min(timeout_s, left_s)
        return await self.call(
            plugin,
            tool,
            arguments,
            timeout_s=timeout_s,
            callers=callers,
            user=parent.user if parent is not None else "local",
            traceparent=parent.traceparent if parent is not None else None,
        )


@attrs.frozen(kw_only=True)
class _Routed(Request):
    """A request that still knows where it was going; interceptors see `Request`."""

    target: Plugin
    call: Call


def _allowed_chain(caller: Plugin, parent: Call | None, plugin: str, tool: str) -> tuple[str, ...]:
    """Return the chain of a call from *caller*.

    Raises:
        PermissionDeniedError: The manifest does not allow it.
        OverloadedError: The chain is too deep, or comes back to itself.
    """
    wanted = f"{plugin}.{tool}"
    allowed = caller.manifest.permissions.call
    if not any(fnmatchcase(wanted, pattern) for pattern in allowed):
        raise PermissionDeniedError(
            f"{caller.name} may not call {wanted}: its manifest allows "
            + (", ".join(allowed) or "no calls"),
            hint=f'Add "{wanted}" to `permissions.call` in its plugin.toml.',
        )
    own = f"{caller.name}.{parent.tool.name if parent is not None else '?'}"
    callers = (*(parent.chain if parent is not None else ()), own)
    path = " → ".join([*callers, wanted])
    if any(each.split(".", 1)[0] == plugin for each in callers):
        raise PermissionDeniedError(f"{path} comes back to {plugin}: a cycle is refused")
    if len(callers) >= _MAX_DEPTH:
        raise PermissionDeniedError(f"{path} is deeper than {_MAX_DEPTH} calls")
    return callers


def _bad_timeout(timeout_s: float) -> InvalidArgumentsError:
    return InvalidArgumentsError(
        f"a timeout of {timeout_s!r} is not a number of seconds up to {_MAX_TIMEOUT_S:g}",
        hint="Timeouts are in seconds.",
    )


def _encoded(arguments: dict[str, Any] | None) -> tuple[bytes, dict[str, Any]]:
    if arguments is None:
        return b"{}", {}
    if type(arguments) is not dict:
        raise InvalidArgumentsError(
            f"the arguments are a {type(arguments).__name__}, not an object",
            hint="Pass a dict of parameters.",
        )
    try:
        return encode(arguments), arguments
    except LocalError as exc:
        raise InvalidArgumentsError(
            f"the arguments are {exc}", hint="Pass JSON values only."
        ) from exc


def _refused(error: PlughostError, call_id: str, plugin: str, tool: str) -> CallResult:
    details = {**error.facts, **({"hint": error.hint} if error.hint else {})}
    described = CallError(error.type, str(error), retryable=error.retryable, details=details)
    return CallResult(False, None, described, call_id, plugin, tool)
