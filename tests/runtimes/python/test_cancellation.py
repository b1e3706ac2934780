"""A caller withdraws its call (wire 7.1, 7.2)."""

from __future__ import annotations

import pytest
from tests.runtimes.python.conftest import Launch
from tests.runtimes.python.wire_client import WireClient, data_of

TOOLS = """
ended = []
release = threading.Event()

@plugin.tool
def watch(ctx: Context) -> str:
    ctx.log("runs")
    while not ctx.cancelled:
        time.sleep(0.001)
    ended.append("watch")
    return "ended by itself"

@plugin.tool
async def sleep(ctx: Context) -> str:
    await ctx.log("runs")
    try:
        await asyncio.sleep(60)
    finally:
        ended.append("sleep")

@plugin.tool
async def stubborn(ctx: Context) -> str:
    ctx.log("runs")
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        ended.append("stubborn")
        return "I am done anyway"

@plugin.tool
async def ask_async(ctx: Context) -> str:
    return await ctx.state.get("k")

@plugin.tool
def ask(ctx: Context) -> str:
    try:
        return ctx.state.get("k")
    finally:
        ctx.state.set("cleaned", True)

@plugin.tool
def swallow(ctx: Context) -> str:
    try:
        ctx.state.get("k")
    except Exception:
        ended.append("swallowed")
    return "never"

@plugin.tool
def hold() -> bool:
    return release.wait(20)

@plugin.tool
def free() -> None:
    release.set()

@plugin.tool
def what_ended() -> list[str]:
    return ended
"""


@pytest.fixture
def plugin(launch: Launch) -> WireClient:
    return launch(TOOLS).begin()


@pytest.mark.parametrize("tool", ["watch", "sleep", "stubborn"])
def test_a_cancelled_call_is_answered_once_its_tool_has_ended(
    plugin: WireClient, tool: str
) -> None:
    call = plugin.start_call(tool)
    plugin.next_named("notifications/message")
    plugin.notify("notifications/cancelled", requestId=call, reason="enough")

    assert plugin.answer_to(call)["error"]["code"] == -32800
    assert plugin.data("what_ended") == [tool]


@pytest.mark.parametrize("tool", ["watch", "sleep"])
def test_without_our_extensions_a_cancelled_call_is_not_answered(launch: Launch, tool: str) -> None:
    plugin = launch(TOOLS, alone=True)
    plugin.initialize(extension=None)
    call = plugin.start_call(tool)
    plugin.next_named("notifications/message")
    plugin.notify("notifications/cancelled", requestId=call)

    while not data_of(plugin.call("what_ended")):
        continue
    plugin.ask("ping")

    assert [message for message in plugin.set_aside if message.get("id") == call] == []


def test_a_plain_tool_is_woken_where_it_waits_for_the_host(plugin: WireClient) -> None:
    call = plugin.start_call("ask")
    asked = plugin.next_named("plughost/state.get")
    plugin.notify("notifications/cancelled", requestId=call)

    assert plugin.next_named("notifications/cancelled")["params"]["requestId"] == asked["id"]
    cleaned = plugin.next_named("plughost/state.set")  # what `finally` asks for still works
    plugin.send({"id": cleaned["id"], "result": {}})

    assert plugin.answer_to(call)["error"]["code"] == -32800


def test_except_exception_does_not_swallow_a_cancellation(plugin: WireClient) -> None:
    call = plugin.start_call("swallow")
    plugin.next_named("plughost/state.get")
    plugin.notify("notifications/cancelled", requestId=call)

    assert plugin.answer_to(call)["error"]["code"] == -32800
    assert plugin.data("what_ended") == []


def test_an_async_tool_is_cancelled_where_it_waits_for_the_host(plugin: WireClient) -> None:
    call = plugin.start_call("ask_async")
    asked = plugin.next_named("plughost/state.get")
    plugin.notify("notifications/cancelled", requestId=call)

    assert plugin.answer_to(call)["error"]["code"] == -32800
    assert plugin.next_named("notifications/cancelled")["params"]["requestId"] == asked["id"]


def test_a_call_cancelled_before_a_worker_was_free_does_not_run(plugin: WireClient) -> None:
    held = [plugin.start_call("hold") for _ in range(70)]
    queued = plugin.start_call("hold")
    plugin.ask("ping")
    plugin.notify("notifications/cancelled", requestId=queued)
    plugin.ask("ping")
    plugin.call("free")

    assert plugin.answer_to(queued)["error"]["code"] == -32800
    for call in held:
        assert data_of(plugin.answer_to(call)["result"]) is True


def test_cancelling_what_is_unknown_or_answered_does_nothing(plugin: WireClient) -> None:
    done = plugin.start_call("what_ended")
    plugin.answer_to(done)
    for request_id in (done, 999, "x", None, [1]):
        plugin.notify("notifications/cancelled", requestId=request_id)

    assert plugin.data("what_ended") == []
    assert plugin.set_aside == []


def test_an_id_that_is_in_use_is_refused(plugin: WireClient) -> None:
    """Contract: wire 3.2."""
    call = plugin.start_call("hold")
    plugin.send({"id": call, "method": "tools/call", "params": {"name": "hold"}})

    assert plugin.answer_to(call)["error"]["code"] == -32600
    plugin.call("free")
    assert data_of(plugin.answer_to(call)["result"]) is True
