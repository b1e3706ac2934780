"""How does a plugin's author call a tool from a test, as a host would?

The plugin runs as it will run in earnest: a child process with its limits,
reached through the wire.  Nothing is replaced.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import trio

from plughost.contracts.manifest import load_manifest
from plughost.contracts.results import CallResult
from plughost.contracts.tools import Tool
from plughost.errors import StartError
from plughost.host import Host
from plughost.registry.health import Health

__all__ = ["PluginUnderTest", "call_tool", "open_plugin"]


@attrs.frozen
class PluginUnderTest:
    """One running plugin; open it with `open_plugin`."""

    name: str
    host: Host

    async def call(self, tool: str, *, timeout_s: float | None = None, **arguments: Any) -> Any:
        """Call *tool* and return its data.

        Raises:
            PlughostError: The call failed; the class is that of `error.type`.
        """
        return (await self.try_call(tool, timeout_s=timeout_s, **arguments)).unwrap()

    async def try_call(
        self, tool: str, *, timeout_s: float | None = None, **arguments: Any
    ) -> CallResult:
        """Call *tool* and return how it ended, a failure included."""
        return await self.host.call(self.name, tool, arguments, timeout_s=timeout_s)

    def tools(self) -> dict[str, Tool]:
        """Return its tools by name."""
        return {entry.tool.name: entry.tool for entry in self.host.tools(self.name)}

    def health(self) -> Health:
        """Return its health record."""
        return self.host.health(self.name)

    def logs(self) -> list[str]:
        """Return the last lines it wrote to its log."""
        return self.host.logs(self.name)


@asynccontextmanager
async def open_plugin(folder: str | Path) -> AsyncIterator[PluginUnderTest]:
    """Run the plugin in *folder* for as long as the block runs.

    Raises:
        ManifestError: Its plugin.toml cannot be used.
        StartError: It did not become ready; the message has its log.
    """
    path = Path(folder).absolute()  # noqa: ASYNC240 - two small reads before anything runs
    name = load_manifest(path / "plugin.toml").name
    failure: StartError | None = None
    async with Host.open(path, eager=False, first_party=False) as host:
        await host.restart(name)
        health = host.health(name)
        if health.state == "ready":
            yield PluginUnderTest(name, host)
        else:
            log = "\n".join(host.logs(name))
            failure = StartError(f"{name} is {health.state}: {health.reason}\n{log}".rstrip())
    # Outside the block: the host's nursery would wrap it in a group.
    if failure is not None:
        raise failure


def call_tool(
    folder: str | Path, tool: str, *, timeout_s: float | None = None, **arguments: Any
) -> Any:
    """Start the plugin in *folder*, call *tool* once, and return its data.

    For a test without trio; each call starts the plugin anew.

    Raises:
        PlughostError: The plugin or the call failed.
    """

    async def call() -> CallResult:
        async with open_plugin(folder) as plugin:
            return await plugin.try_call(tool, timeout_s=timeout_s, **arguments)

    return trio.run(call).unwrap()
