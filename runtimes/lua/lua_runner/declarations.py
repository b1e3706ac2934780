"""What the entry declares while it loads: tools and handlers, handed to the SDK."""

from __future__ import annotations

from lua_runner.calls import LuaError
from lua_runner.schemas import with_empty_arrays
from plughost_sdk import DeclarationError
from plughost_sdk.jsontext import NotJsonError

TYPE_CHECKING = False  # `typing` costs more than all our modules together
if TYPE_CHECKING:
    from typing import Any

    from lua_runner.calls import Calls
    from plughost_sdk import Context, Plugin

__all__ = ["Declarations"]

# What a tool without `input` takes: nothing (MCP 2025-11-25, "Tool").
_NO_ARGUMENTS = {"type": "object", "additionalProperties": False}


class Declarations:
    """Answers `host.add_tool`, `host.add_handler` and `host.run` of plughost.lua.

    Attributes:
        refused: Whether something was declared in a way that can never work.
        complete: Whether the entry called `plugin.run()`.
    """

    def __init__(self, plugin: Plugin, calls: Calls) -> None:
        self._plugin = plugin
        self._calls = calls
        self.refused = False
        self.complete = False

    def add_tool(self, tool: Any) -> tuple[bool, str | None]:
        """Declare a tool; return (True, None), or (False, why not)."""
        try:
            self._add_tool(tool)
        except (DeclarationError, NotJsonError) as problem:
            return False, f"plugin.tool: {problem}"
        return True, None

    def add_handler(self, kind: str, name: str, function: Any) -> tuple[bool, str | None]:
        """Declare a handler; return (True, None), or (False, why not)."""
        handler = self._handler(kind, function)
        plugin = self._plugin
        try:
            if kind == "on":
                plugin.on(name)(handler)
            elif kind == "hook":
                plugin.hook(name)(handler)
            else:
                getattr(plugin, kind)(handler)
        except DeclarationError as problem:
            return False, f"plugin.{kind}: {problem}"
        return True, None

    def refuse(self) -> None:
        """Note that plughost.lua refuses a declaration itself."""
        self.refused = True

    def run(self) -> None:
        """Note that the plugin is complete."""
        self.complete = True

    def _add_tool(self, tool: Any) -> None:
        name, function = tool["name"], tool["run"]
        output = self._schema(tool["output"], "output")
        calls = self._calls

        def run(arguments: dict[str, Any], ctx: Context) -> Any:
            try:
                return calls.run_tool(function, output, arguments, ctx)
            except LuaError as error:
                # The log is for the plugin's author: Lua's traceback, not ours.
                raise error.with_traceback(None) from None

        self._plugin.add_tool(
            name,
            run,
            description=tool["description"],
            input=self._schema(tool["input"], "input") or dict(_NO_ARGUMENTS),
            output=output,
            idempotent=bool(tool["idempotent"]),
            long_running=bool(tool["long_running"]),
        )

    def _schema(self, table: Any, field: str) -> dict[str, Any] | None:
        if table is None:
            return None
        schema = with_empty_arrays(self._calls.sandbox.values.from_lua(table, None, field))
        if not isinstance(schema, dict):
            raise NotJsonError(f"{field} must be a JSON Schema, a table with named fields")
        return schema

    def _handler(self, kind: str, function: Any) -> Any:
        """Return a Python function with the parameters the SDK reads off handlers of *kind*."""
        calls = self._calls

        def with_none(ctx: Context) -> Any:
            return calls.run_handler(function, (), ctx)

        def with_one(first: Any, ctx: Context) -> Any:
            # An event is a subclass of dict.
            plain = dict(first) if isinstance(first, dict) else first
            return calls.run_handler(function, (plain,), ctx)

        def with_two(first: Any, second: Any, ctx: Context) -> Any:
            return calls.run_handler(function, (first, second), ctx)

        if kind in ("on_cleanup", "on_snapshot"):
            return with_none
        return with_two if kind == "on_channel_parse" else with_one
