"""What does a freshly started host say about its plugins and their tools?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import attrs
import trio

from plughost.errors import PlughostError
from plughost.host import Host
from plughost.registry.health import Health

__all__ = ["PLUGIN_KEYS", "TOOL_KEYS", "look_at_plugins", "look_at_tools"]

PLUGIN_KEYS: Final = tuple(field.name for field in attrs.fields(Health))
TOOL_KEYS: Final = (
    "plugin",
    "tool",
    "public_name",
    "name",
    "description",
    "input_schema",
    "output_schema",
    "idempotent",
    "long_running",
)

Records = list[dict[str, Any]]


def look_at_plugins(directories: Sequence[Path]) -> tuple[Records, list[PlughostError]]:
    """Return the health records of all plugins, and what is wrong with plugin folders."""

    async def look() -> tuple[Records, list[PlughostError]]:
        async with Host.open(*directories) as host:
            return [each.to_json() for each in host.plugins()], host.problems()

    return trio.run(look)


def look_at_tools(
    directories: Sequence[Path], plugin: str | None
) -> tuple[Records, list[PlughostError]]:
    """Return the tools of all plugins, or of one.

    Raises:
        PluginNotFoundError: There is no *plugin*.
    """

    async def look() -> tuple[Records, list[PlughostError]]:
        async with Host.open(*directories, eager=False) as host:
            names = [each.name for each in host.plugins()] if plugin is None else [plugin]
            await _start(host, names)
            return [entry.to_json() for entry in host.tools(plugin)], host.problems()

    return trio.run(look)


async def _start(host: Host, names: Sequence[str]) -> None:
    """Start what can start, lazy plugins too: only then are their tools known."""
    async with trio.open_nursery() as nursery:
        for name in names:
            if host.health(name).state == "discovered":
                nursery.start_soon(host.restart, name)
