"""How is the call that a person typed made, from words on a command line to one result?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import attrs
import trio

from plughost.cli.calls.arguments import parse_arguments, split_pairs, type_values
from plughost.cli.calls.grants import parse_grants, resolve_paths
from plughost.cli.output import columns, is_terminal, plain
from plughost.contracts.manifest import load_manifest
from plughost.contracts.results import CallError, CallResult
from plughost.errors import PlughostError
from plughost.host import Host

__all__ = ["Wish", "make_call"]


@attrs.frozen(kw_only=True)
class Wish:
    """What the person asked for, as it was typed.

    Attributes:
        timeout_s: Seconds for all of it; None takes the manifest's.
    """

    plugin: str
    tool: str
    pairs: tuple[str, ...] = ()
    args_text: str | None = None
    grants: tuple[str, ...] = ()
    timeout_s: float | None = None
    directories: tuple[Path, ...] = ()


def make_call(wish: Wish) -> CallResult:
    """Start a host, make the call, and return how it ended."""
    try:
        # Before any process starts: what is wrong on the command line is cheap to say.
        arguments = parse_arguments(wish.args_text)
        texts = split_pairs(wish.pairs, arguments)
        return trio.run(_make_call, wish, arguments, texts)
    except PlughostError as refused:
        details = {**refused.facts, "hint": refused.hint}
        error = CallError(refused.type, str(refused), retryable=refused.retryable, details=details)
        return CallResult(False, None, error, plugin=wish.plugin, tool=wish.tool)


async def _make_call(wish: Wish, arguments: dict[str, Any], texts: dict[str, str]) -> CallResult:
    refusal: PlughostError | None = None
    async with Host.open(*wish.directories, eager=False) as host:
        try:
            return await _call(host, wish, arguments, texts)
        except PlughostError as refused:
            refusal = refused  # raised below: the host's nursery would wrap it in a group
    raise refusal


async def _call(
    host: Host, wish: Wish, arguments: dict[str, Any], texts: dict[str, str]
) -> CallResult:
    began_at = trio.current_time()
    manifest = load_manifest(Path(host.health(wish.plugin).folder) / "plugin.toml")
    grants = parse_grants(wish.grants, manifest)
    limit_s = wish.timeout_s or manifest.resource_limits.call_timeout_s
    if texts:
        schema = await _input_schema(host, wish, limit_s)
        arguments = arguments | type_values(texts, schema)
    # One deadline for all of it: starting the plugin has taken its share.
    left_s = max(limit_s - (trio.current_time() - began_at), limit_s / 100)
    line = _ProgressLine()
    try:
        result = await host.call(
            wish.plugin,
            wish.tool,
            resolve_paths(arguments, grants),
            timeout_s=left_s,
            on_progress=line.show if is_terminal(sys.stderr) else None,
        )
    finally:
        line.wipe()
    return _in_the_callers_terms(result, left_s, limit_s)


async def _input_schema(host: Host, wish: Wish, patience_s: float) -> dict[str, Any]:
    """Return the tool's input schema; empty if the call is going to fail anyway.

    Tools are known once the plugin was ready, so it is started first.  What
    goes wrong here goes wrong again in the call, which words it.
    """
    if host.health(wish.plugin).state == "discovered":
        with trio.move_on_after(patience_s):
            await host.restart(wish.plugin)
    for entry in host.tools(wish.plugin):
        if entry.tool.name == wish.tool:
            return entry.tool.input_schema
    return {}


def _in_the_callers_terms(result: CallResult, left_s: float, limit_s: float) -> CallResult:
    """Return *result*; a timeout names the seconds that were asked for, not what was left."""
    error = result.error
    if error is None or error.type != "call-timeout":
        return result
    message = error.message.replace(f"within {left_s:g} s", f"within {limit_s:g} s")
    details = {**error.details, "timeout_s": limit_s}
    return attrs.evolve(result, error=attrs.evolve(error, message=message, details=details))


@attrs.define
class _ProgressLine:
    """One line of a terminal that shows how far a tool has come, and vanishes."""

    _shown: bool = False

    def show(self, progress: dict[str, Any]) -> None:
        done, total = progress.get("progress"), progress.get("total")
        share = ""
        if isinstance(done, (int, float)) and isinstance(total, (int, float)) and total > 0:
            share = f"{min(100, int(100 * done / total)):3d} % "
        text = plain(f"{share}{progress.get('message') or ''}").replace("\n", " ")
        sys.stderr.write(f"\r\x1b[K{text[: columns() - 1]}")
        sys.stderr.flush()
        self._shown = True

    def wipe(self) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
