"""From a folder and an entry to a plugin that serves, or to the reason why not."""

from __future__ import annotations

import os

from lua_runner.asks import Asks
from lua_runner.calls import Calls
from lua_runner.declarations import Declarations
from lua_runner.modules import ModuleFinder, ModuleMissingError
from lua_runner.sandbox import Sandbox
from plughost_sdk import Plugin
from plughost_sdk.wire import log

TYPE_CHECKING = False  # `typing` costs more than all our modules together
if TYPE_CHECKING:
    from typing import Any, Final

    from lua_runner.sandbox import Outcome

__all__ = ["serve"]

# sysexits.h, EX_CONFIG: not before a file changes (contracts/wire/README.md, 11.2).
_NEVER: Final = 78


def serve(folder: str, entry: str) -> int:
    """Load the plugin in *folder* and serve until the host ends it; return the exit status."""
    name = os.environ.get("PLUGHOST_PLUGIN") or os.path.basename(os.path.realpath(folder))
    plugin = Plugin(name)
    calls = Calls(name)
    finder = ModuleFinder(folder)
    declared = Declarations(plugin, calls)
    calls.use(_sandbox(calls, declared, finder))
    try:
        source = finder.read_file(entry)
    except ModuleMissingError as problem:
        log(f"plugin '{name}': {problem}; name an existing file as `entry` in plugin.toml")
        return _NEVER
    status = _loaded(name, entry, calls.sandbox.load_entry(source, entry), calls, declared)
    if status is None:
        plugin.run()
        return 0
    return status


def _sandbox(calls: Calls, declared: Declarations, finder: ModuleFinder) -> Sandbox:
    def read_module(name: str) -> tuple[Any, str]:
        try:
            return finder.read_module(name)
        except ModuleMissingError as problem:
            return None, str(problem)

    return Sandbox(
        {
            "add_handler": declared.add_handler,
            "add_tool": declared.add_tool,
            "ask": Asks(calls).ask,
            "must_stop": calls.must_stop,
            "print": log,
            "read_module": read_module,
            "refused": declared.refuse,
            "run": declared.run,
        }
    )


def _loaded(
    name: str, entry: str, outcome: Outcome, calls: Calls, declared: Declarations
) -> int | None:
    """Explain why the entry cannot serve and return an exit status, or None if it can."""
    if outcome.status == "ok":
        if declared.complete:
            return None
        log(f"plugin '{name}': {entry} ended without plugin.run(); call it in the last line")
        return _NEVER
    if declared.refused or calls.sandbox.failed_to_parse(outcome):
        log(f"plugin '{name}': {outcome.text}; correct the file")
        return _NEVER
    log(f"plugin '{name}' failed while loading:\n{outcome.traceback}")
    return 1
