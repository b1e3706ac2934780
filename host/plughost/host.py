"""`Host`: the library's facade, and the place where everything is wired together."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import attrs
import trio

from plughost.contracts.results import CallResult
from plughost.errors import PlughostError
from plughost.process.guard import open_guard
from plughost.process.runtimes import Machine
from plughost.registry.catalog import CatalogEntry
from plughost.registry.discover import discover, standard_sources
from plughost.registry.health import Health
from plughost.registry.intercept import Interceptor
from plughost.registry.registry import Registry

__all__ = ["Host"]


@attrs.define(eq=False)
class Host:
    """Runs plugins, each in a process of its own; open one with `Host.open`."""

    _registry: Registry
    _token: trio.lowlevel.TrioToken

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        *directories: str | Path,
        eager: bool = True,
        first_party: bool = True,
        interceptors: Sequence[Interceptor] = (),
        environ: Mapping[str, str] | None = None,
    ) -> AsyncIterator[Host]:
        """Start a host for as long as the block runs.

        It looks for plugins in *directories*, in ``~/.plughost/plugins``, in
        installed packages (entry point group ``plughost.plugins``), and among
        the first-party ones.  When the block is entered, every eager plugin is
        ready or given up; when it is left, every process is gone.

        Args:
            directories: Plugin folders, or folders of plugin folders.
            eager: False starts each plugin at its first call.
            first_party: Whether plughost's own plugins are found too.
            interceptors: Stand around every call, the first one outermost.
            environ: What plugins may inherit from; None is ``os.environ``.
        """
        source = dict(os.environ if environ is None else environ)
        home = Path(source.get("HOME") or Path.home())
        sources = standard_sources(directories, home=home, first_party=first_party)
        discovery = discover(sources)
        scratch = Path(tempfile.mkdtemp(prefix="plughost-"))
        failure: BaseException | None = None
        try:
            async with open_guard() as guard:
                # Also removed by the guard, should this process be killed.
                guard.adopt_scratch(scratch)
                machine = Machine(source, scratch)
                registry = Registry(discovery, guard, machine, _own_version(), interceptors)
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(_run, registry, eager)
                    if eager:
                        await registry.settled()
                    try:
                        yield cls(registry, trio.lowlevel.current_trio_token())
                    except (Exception, KeyboardInterrupt, SystemExit) as exc:  # noqa: BLE001 - raised below
                        # A nursery would wrap the caller's own error in a group.
                        failure = exc
                    finally:
                        registry.stopping = True
                    nursery.cancel_scope.cancel()
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        if failure is not None:
            raise failure

    async def call(
        self,
        plugin: str,
        tool: str,
        arguments: dict[str, Any] | None = None,
        *,
        timeout_s: float | None = None,
        on_progress: Callable[[dict[str, Any]], None] | None = None,
    ) -> CallResult:
        """Call a tool and return its result; a failed call is a value too.

        Args:
            plugin: The plugin's name.
            tool: The tool's own name.
            arguments: JSON values, by parameter.
            timeout_s: Seconds; None takes the manifest's ``call_timeout_s``.
            on_progress: Hears ``{progress, total?, message?}`` as the tool reports it.

        Raises:
            RuntimeError: Called from another thread or event loop than the one
                that opened the host.
        """
        if trio.lowlevel.current_trio_token() is not self._token:
            raise RuntimeError(
                "this Host belongs to another trio.run(); reach it from other threads "
                "with trio.from_thread.run"
            )
        return await self._registry.call(
            plugin, tool, arguments, timeout_s=timeout_s, on_progress=on_progress
        )

    def plugins(self) -> list[Health]:
        """Return every plugin's health record, in order of name."""
        return self._registry.plugins()

    def health(self, name: str) -> Health:
        """Return one plugin's health record.

        Raises:
            PluginNotFoundError: There is none of this name.
        """
        return self._registry.health(name)

    def tools(self, plugin: str | None = None) -> list[CatalogEntry]:
        """Return the tools of all plugins that were ready once, or of one."""
        return [
            entry for entry in self._registry.catalog if plugin is None or entry.plugin == plugin
        ]

    def problems(self) -> list[PlughostError]:
        """Return what is wrong with plugin folders: broken manifests, names used twice."""
        return list(self._registry.discovery.problems)

    async def settled(self) -> None:
        """Wait until every eager plugin is ready or given up."""
        await self._registry.settled()

    def start(self, name: str) -> None:
        """Have a plugin started, whatever kept it from it."""
        self._registry.plugin(name).start()

    async def stop(self, name: str) -> None:
        """Stop a plugin; it stays stopped until `start`."""
        await self._registry.plugin(name).stop()

    async def restart(self, name: str) -> None:
        """Stop a plugin, start it again, and wait until it is ready or given up."""
        plugin = self._registry.plugin(name)
        await plugin.stop()
        plugin.start()
        await plugin.changed()
        await plugin.settled()

    def logs(self, name: str) -> list[str]:
        """Return the last lines a plugin wrote to its stderr, oldest first."""
        return self._registry.plugin(name).log_lines()


async def _run(registry: Registry, eager: bool) -> None:
    await registry.run(eager=eager)


def _own_version() -> str:
    try:
        return version("plughost")
    except PackageNotFoundError:  # a source tree that was never installed
        return "0"
