"""One Lua state in which plugin code finds nothing but what `sandbox.lua` put there."""

from __future__ import annotations

import os
import resource

from lupa.lua54 import LuaError, LuaMemoryError, LuaRuntime

from lua_runner.values import Values

TYPE_CHECKING = False  # `typing` costs more than all our modules together
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Final, NoReturn

__all__ = ["Outcome", "Sandbox"]

_FOLDER: Final = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# What the interpreter around Lua needs of RLIMIT_DATA: 10 MB to be there, the rest for a
# result of 4 MiB as Lua strings become Python objects become JSON (about tenfold).
_ROOM_FOR_PYTHON_BYTES: Final = 64 * 1024 * 1024
# What messages call our own files; sandbox.lua and `calls` know it, too.
_OURS: Final = "=[plughost]"


class Outcome:
    """How one run of plugin code ended.

    Attributes:
        status: "ok", "failed" or "stopped".
        value: What it returned.
        problem: The table it raised, if it raised one.
        text: The error's message, or why it was stopped.
        traceback: Lua's, with files and lines.
    """

    __slots__ = ("problem", "status", "text", "traceback", "value")

    def __init__(
        self, status: str, value: Any = None, problem: Any = None, text: str = "", trace: str = ""
    ) -> None:
        self.status = status
        self.value = value
        self.problem = problem
        self.text = text
        self.traceback = trace


class Sandbox:
    """A Lua state, its values, and the way to run plugin code in it.

    Not safe for two threads at once: lupa would make the second wait without order.

    Args:
        functions: The Python side, by the names sandbox.lua knows.  They return, they
            never raise.
    """

    def __init__(self, functions: Mapping[str, Callable[..., Any]]) -> None:
        self._limit_bytes = _lua_limit_bytes()
        self._lua = LuaRuntime(
            register_eval=False,
            register_builtins=False,
            attribute_handlers=(_deny, _deny),
            unpack_returned_tuples=True,
            max_memory=self._limit_bytes,
        )
        kit = self._lua.execute(
            _source("sandbox.lua"),
            self._lua.table_from(functions),
            _source("library.lua"),
            name=_OURS,
            mode="t",
        )
        load = kit["environment"]["load"]
        sdk, tools = load(_source("plughost.lua"), _OURS)(kit["host"], kit["stop"])
        kit["loaded"]["plughost"] = sdk
        self._call = kit["call"]
        self._load_entry = kit["load_entry"]
        self._syntax_problem = kit["syntax_problem"]
        self.with_context = tools["with_context"]
        self.values = Values(self._lua.table_from, tools["inspect"], tools["mark"], tools["null"])

    def load_entry(self, source: bytes, file: str) -> Outcome:
        """Run the plugin's entry file."""
        return self._outcome(self._load_entry, source, file)

    def run(self, function: Any, *arguments: Any) -> Outcome:
        """Run *function* of the plugin with *arguments*, Lua values."""
        return self._outcome(self._call, function, *arguments)

    def failed_to_parse(self, outcome: Outcome) -> bool:
        """Say whether *outcome* is that of a file that is not Lua."""
        return outcome.text != "" and outcome.text == self._syntax_problem()

    def _outcome(self, call: Callable[..., Any], *arguments: Any) -> Outcome:
        try:
            ended = call(*arguments)
        except (LuaMemoryError, MemoryError):
            return Outcome("failed", text=self._memory_text())
        except UnicodeDecodeError as problem:
            return Outcome("failed", text=f"a string the plugin returned is not UTF-8: {problem}")
        except LuaError as problem:
            return Outcome("failed", text=str(problem), trace=str(problem))
        if ended == "ok":  # and nothing else: the function returned nothing
            return Outcome("ok")
        status, *rest = ended
        if status != "failed":
            return Outcome("ok", rest[0]) if status == "ok" else Outcome(status, text=rest[0])
        problem_table, text, trace = rest
        if text == "not enough memory":
            text = self._memory_text()
        return Outcome("failed", problem=problem_table, text=text, trace=trace)

    def _memory_text(self) -> str:
        if self._limit_bytes is None:
            return "not enough memory"
        return (
            f"not enough memory: this plugin's Lua state may hold"
            f" {self._limit_bytes // 2**20} MiB; raise resource_limits.memory_mb"
        )


def _lua_limit_bytes() -> int | None:
    """Return how much the Lua state may hold, so that Lua reports what would kill Python."""
    soft, _ = resource.getrlimit(resource.RLIMIT_DATA)
    if soft == resource.RLIM_INFINITY:
        return None
    return max(soft // 2, soft - _ROOM_FOR_PYTHON_BYTES)


def _source(file: str) -> bytes:
    with open(os.path.join(_FOLDER, file), "rb") as source:
        return source.read()


def _deny(*_: object) -> NoReturn:
    raise AttributeError("plugin code reaches no Python object")
