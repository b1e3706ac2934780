"""How one call runs in the Lua state: its turn, its context, its end."""

from __future__ import annotations

from lua_runner.overrun import Overrun
from lua_runner.turns import Turns
from plughost_sdk import Cancelled, Result, ToolError
from plughost_sdk.jsontext import NotJsonError

TYPE_CHECKING = False  # `typing` costs more than all our modules together
if TYPE_CHECKING:
    from typing import Any

    from lua_runner.sandbox import Outcome, Sandbox
    from plughost_sdk import Context

__all__ = ["Calls", "LuaError"]

_DEADLINE = "the call's deadline passed"
_WITHDRAWN = "the call was cancelled"


class LuaError(ToolError):
    """The plugin's Lua code raised an error; its name is what callers see as the exception."""

    # In the log it is the plugin's error, not one of this package.
    __module__ = "builtins"


class Calls:
    """Runs the plugin's tools and handlers, one at a time, in order of arrival.

    Args:
        plugin_name: Under which the host knows this plugin, to see it in a call's chain.
    """

    def __init__(self, plugin_name: str) -> None:
        self._own_prefix = f"{plugin_name}."
        self._turns = Turns()
        self._overrun = Overrun(self.must_stop)
        self._sandbox: Sandbox | None = None
        self._number = 0
        self._ctx: Context | None = None

    def use(self, sandbox: Sandbox) -> None:
        """Run in *sandbox*, which could not be built without this object."""
        self._sandbox = sandbox

    @property
    def sandbox(self) -> Sandbox:
        """The Lua state."""
        assert self._sandbox is not None, "use() comes first"
        return self._sandbox

    def context(self, number: int) -> Context | None:
        """Return the context of call *number* if that is the one that runs."""
        return self._ctx if number == self._number else None

    def must_stop(self) -> str | bool:
        """Say why the running call must end, or False.  Lua asks every 10 000 instructions."""
        ctx = self._ctx
        if ctx is None:
            return False
        if ctx.cancelled:
            return _WITHDRAWN
        left_s = ctx.deadline_s
        return _DEADLINE if left_s is not None and left_s <= 0 else False

    def run_tool(self, function: Any, output: Any, arguments: dict[str, Any], ctx: Context) -> Any:
        """Run a tool and return what it returned, as the SDK takes it.

        Raises:
            LuaError: The tool failed.
            NotJsonError: What it returned is not JSON.
            Cancelled: The caller withdrew the call.
        """
        self._refuse_nesting(ctx)
        return self._run(function, output, (arguments,), ctx)

    def run_handler(self, function: Any, arguments: tuple[Any, ...], ctx: Context) -> Any:
        """Run a handler of an event, a hook, a channel or the plugin's life."""
        return self._run(function, None, arguments, ctx)

    def _run(self, function: Any, schema: Any, arguments: tuple[Any, ...], ctx: Context) -> Any:
        if not self._turns.take(ctx):
            raise Cancelled(_WITHDRAWN)
        try:
            self._number += 1
            self._ctx = ctx
            self._overrun.watch(self._number)
            outcome = self._enter(function, arguments)
            self._ctx = None  # a call that ended cannot be stopped any more
            return self._returned(outcome, schema, ctx)
        except MemoryError:
            raise LuaError("not enough memory for the arguments or the result") from None
        finally:
            self._ctx = None
            self._overrun.ended()
            self._turns.release()

    def _enter(self, function: Any, arguments: tuple[Any, ...]) -> Outcome:
        sandbox = self.sandbox
        values = [sandbox.values.to_lua(argument) for argument in arguments]
        return sandbox.run(sandbox.with_context, function, self._number, len(values), *values)

    def _returned(self, outcome: Outcome, schema: Any, ctx: Context) -> Any:
        if outcome.status == "stopped":
            if ctx.cancelled:
                raise Cancelled(outcome.text)
            raise LuaError(outcome.text, retryable=True)
        if outcome.status == "failed":
            raise self._error(outcome)
        values = self.sandbox.values
        content = values.content_of(outcome.value)
        if content is None:
            return values.from_lua(outcome.value, schema)
        blocks, data = content
        plain = values.from_lua(blocks, None, "$.blocks")
        if not isinstance(plain, list):
            raise NotJsonError("plughost.content takes a list of content blocks")
        if data is None:
            return Result(plain)
        return Result(plain, values.from_lua(data, schema, "$.data"))

    def _error(self, outcome: Outcome) -> LuaError:
        place, message = _split(outcome.text)
        details: dict[str, Any] = {"at": place} if place else {}
        retryable = False
        if outcome.problem is not None:
            raised = self._raised(outcome.problem)
            if "type" in raised:
                details["type"] = raised["type"]
            given = raised.get("details")
            details.update(given if isinstance(given, dict) else {})
            retryable = raised.get("retryable") is True
        error = LuaError(message, retryable=retryable, details=details)
        error.add_note(_trimmed(outcome.traceback))
        return error

    def _raised(self, problem: Any) -> dict[str, Any]:
        """Return what a table that was raised says, as far as it is JSON."""
        try:
            plain = self.sandbox.values.from_lua(problem)
        except NotJsonError as reason:
            return {"details": {"details_lost": str(reason)}}
        return plain if isinstance(plain, dict) else {}

    def _refuse_nesting(self, ctx: Context) -> None:
        for link in ctx.chain:
            if link.startswith(self._own_prefix):
                raise LuaError(
                    f"{link} waits for this call, and a Lua plugin runs one call at a time:"
                    " call the function directly, or move one of the tools to another plugin"
                )


def _split(text: str) -> tuple[str, str]:
    """Split ``main.lua:12: message``, as error() writes it, into place and message."""
    place, found, message = text.partition(": ")
    file, colon, line = place.rpartition(":")
    if found and colon and line.isdigit() and file.endswith(".lua"):
        return place, message
    return "", text


def _trimmed(traceback: str) -> str:
    """Leave out the frames through which we called, which are the same every time."""
    lines = traceback.split("\n")
    start = lines.index("stack traceback:") if "stack traceback:" in lines else 0
    lines = lines[start:]
    while lines and ("[plughost]" in lines[-1] or "(...tail calls...)" in lines[-1]):
        lines.pop()
        if lines and "raw_xpcall" in lines[-1]:
            lines.pop()
    return "\n".join(lines)
