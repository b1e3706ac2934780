"""A plugin calls a plugin, through the host and within its manifest's permission.

Contract: contracts/wire/README.md §10.1.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from plughost import Host

MakePlugin = Callable[..., Path]
OpenHost = Callable[..., AbstractAsyncContextManager[Host]]

RELAY = """
import time
from plughost_sdk import Context, Plugin

plugin = Plugin()

@plugin.tool
def relay(plugin: str, tool: str, arguments: dict, ctx: Context):
    return ctx.call(plugin, tool, arguments)

@plugin.tool
def where(ctx: Context):
    return {"chain": list(ctx.chain), "left_s": ctx.deadline_s}

@plugin.tool
def slow():
    time.sleep(30)

plugin.run()
"""
PYTHON = 'runtime = "python"\nentry = "main.py"\n'


def relay(make_plugin: MakePlugin, name: str, *allowed: str) -> None:
    patterns = ", ".join(f'"{each}"' for each in allowed)
    make_plugin(name, PYTHON + f"[permissions]\ncall = [{patterns}]\n", main=RELAY)


async def test_a_call_carries_its_chain_and_inherits_its_deadline(
    make_plugin: MakePlugin, open_host: OpenHost
) -> None:
    relay(make_plugin, "front", "back.*")
    relay(make_plugin, "back")
    arguments = {"plugin": "back", "tool": "where", "arguments": {}}
    async with open_host() as host:
        result = (await host.call("front", "relay", arguments, timeout_s=5)).unwrap()

    assert result["chain"] == ["front.relay"]
    assert 0 < result["left_s"] <= 5


async def test_what_the_manifest_does_not_allow_is_denied(
    make_plugin: MakePlugin, open_host: OpenHost
) -> None:
    relay(make_plugin, "front", "back.where")
    relay(make_plugin, "back")
    arguments = {"plugin": "back", "tool": "slow", "arguments": {}}
    async with open_host() as host:
        result = await host.call("front", "relay", arguments)
        assert host.health("back").error_count == 0

    assert result.error is not None
    assert "front may not call back.slow" in result.error.message


async def test_a_cycle_is_refused_with_its_path(
    make_plugin: MakePlugin, open_host: OpenHost
) -> None:
    relay(make_plugin, "front", "back.*")
    relay(make_plugin, "back", "front.*")
    inner = {"plugin": "front", "tool": "where", "arguments": {}}
    arguments = {"plugin": "back", "tool": "relay", "arguments": inner}
    async with open_host() as host:
        result = await host.call("front", "relay", arguments)

    assert result.error is not None
    assert "front.relay → back.relay → front.where comes back to front" in result.error.message


async def test_a_chain_is_at_most_eight_calls_deep(
    make_plugin: MakePlugin, open_host: OpenHost
) -> None:
    names = [f"p{number}" for number in range(10)]
    for name in names:
        relay(make_plugin, name, *(f"{other}.*" for other in names))
    arguments: dict[str, object] = {"plugin": names[-1], "tool": "where", "arguments": {}}
    for name in reversed(names[1:-1]):
        arguments = {"plugin": name, "tool": "relay", "arguments": arguments}
    async with open_host() as host:
        result = await host.call(names[0], "relay", arguments)

    assert result.error is not None
    assert "is deeper than 8 calls" in result.error.message


async def test_the_callees_failure_reaches_the_caller_as_a_tool_error(
    make_plugin: MakePlugin, open_host: OpenHost
) -> None:
    relay(make_plugin, "front", "ghost.*")
    async with open_host() as host:
        missing = await host.call(
            "front", "relay", {"plugin": "ghost", "tool": "x", "arguments": {}}
        )

    assert missing.error is not None
    assert missing.error.type == "tool-error"
    assert "there is no plugin 'ghost'" in missing.error.message


async def test_a_slow_callee_ends_with_its_callers_deadline(
    make_plugin: MakePlugin, open_host: OpenHost
) -> None:
    relay(make_plugin, "front", "back.*")
    relay(make_plugin, "back")
    arguments = {"plugin": "back", "tool": "slow", "arguments": {}}
    async with open_host() as host:
        result = await host.call("front", "relay", arguments, timeout_s=0.5)
        assert (await host.call("front", "where")).ok

    assert result.error is not None
    assert result.error.type in {"call-timeout", "tool-error"}
    assert result.duration_s < 5
