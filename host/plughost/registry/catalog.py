"""What can be called: tools by plugin, their compiled schemas, their public names."""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Iterator
from typing import Any, Final

import attrs

from plughost.contracts.schema import Schema
from plughost.contracts.tools import Tool
from plughost.errors import InvalidArgumentsError, ToolNotFoundError

__all__ = ["Catalog", "CatalogEntry", "nearest"]

# What models and MCP clients accept as a tool's name (docs/reference/defaults.md).
_NAME_CHARS: Final = 64
# Enough to find a name again; a plugin may have thousands.
_NAMES_SHOWN: Final = 20

_NOT_IN_NAME: Final = re.compile(r"[^A-Za-z0-9_-]")


@attrs.define
class CatalogEntry:
    """One tool of one plugin.

    Attributes:
        public_name: ``plugin__tool``, for models and MCP clients.
    """

    plugin: str
    tool: Tool
    public_name: str
    _schema: Schema | None = attrs.field(default=None, init=False, repr=False)

    def to_json(self) -> dict[str, Any]:
        """Return what the command line and HTTP print."""
        return {
            "plugin": self.plugin,
            "tool": self.tool.name,
            "public_name": self.public_name,
            **self.tool.to_json(),
        }

    def check(self, arguments: dict[str, Any]) -> None:
        """Check *arguments* against the tool's schema, compiled once.

        Raises:
            InvalidArgumentsError: They do not fit; lists every problem.
            SchemaRefusedError: The plugin's schema itself cannot be used.
        """
        schema = self._schema
        if schema is None:
            what = f"the input schema of {self.plugin}.{self.tool.name}"
            schema = self._schema = Schema(self.tool.input_schema, what=what)
        if schema.accepts(arguments):
            return
        problems = [f"{problem.path}: {problem.message}" for problem in schema.problems(arguments)]
        raise InvalidArgumentsError(
            f"the arguments of {self.plugin}.{self.tool.name} do not fit its schema: "
            + "; ".join(problems[:3]),
            hint=f"See it with `plughost tools --json --where 'tool == \"{self.tool.name}\"'`.",
            problems=problems,
        )


@attrs.define
class Catalog:
    """The tools of all plugins that were ready once."""

    _by_plugin: dict[str, dict[str, CatalogEntry]] = attrs.field(factory=dict)

    def replace(self, plugin: str, tools: tuple[Tool, ...]) -> None:
        """Set the tools of *plugin*."""
        taken = {entry.public_name for entry in self if entry.plugin != plugin}
        entries: dict[str, CatalogEntry] = {}
        for tool in tools:
            public_name = _public_name(plugin, tool.name, taken)
            taken.add(public_name)
            entries[tool.name] = CatalogEntry(plugin, tool, public_name)
        self._by_plugin[plugin] = entries

    def knows(self, plugin: str) -> bool:
        """Tell whether the tools of *plugin* are known."""
        return plugin in self._by_plugin

    def get(self, plugin: str, tool: str) -> CatalogEntry | None:
        """Return the entry of *tool*, or None."""
        entries = self._by_plugin.get(plugin)
        return None if entries is None else entries.get(tool)

    def find(self, plugin: str, tool: str) -> CatalogEntry:
        """Return the entry of *tool*.

        Raises:
            ToolNotFoundError: The plugin has no such tool; names the nearest.
        """
        entries = self._by_plugin.get(plugin, {})
        entry = entries.get(tool)
        if entry is None:
            names = ", ".join(sorted(entries)[:_NAMES_SHOWN]) or "none"
            more = len(entries) - _NAMES_SHOWN
            names += f" and {more} more" if more > 0 else ""
            raise ToolNotFoundError(
                f"{plugin} has no tool {tool!r}{nearest(str(tool), entries)}; it has: {names}",
                hint="List all tools with `plughost tools`.",
                plugin=plugin,
                tool=tool,
            )
        return entry

    def __iter__(self) -> Iterator[CatalogEntry]:
        """Iterate over all entries, in order of plugin and tool."""
        for plugin in sorted(self._by_plugin):
            yield from self._by_plugin[plugin].values()


def nearest(name: str, known: Any) -> str:
    """Return `` (did you mean 'x'?)`` for the nearest of *known*, or ''."""
    found = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {found[0]!r}?)" if found else ""


def _public_name(plugin: str, tool: str, taken: set[str]) -> str:
    """Return a name of at most 64 ASCII characters that nobody has."""
    plain = f"{plugin}__{_NOT_IN_NAME.sub('_', tool)}"
    if len(plain) <= _NAME_CHARS and plain not in taken:
        return plain
    # The same tool has the same name in every run: the suffix comes from the
    # full name, not from a counter.
    digest = hashlib.sha256(f"{plugin}.{tool}".encode()).hexdigest()[:8]
    return f"{plain[: _NAME_CHARS - 9]}_{digest}"
