"""How a session ends (wire 1.4, 9.2 and 11)."""

from __future__ import annotations

import signal

import pytest
from tests.runtimes.python.conftest import Launch

TOOLS = """
release = threading.Event()

@plugin.on_cleanup
def cleanup():
    print("cleaned up", flush=True)

@plugin.tool
def hold(seconds: float = 20.0) -> str:
    release.wait(seconds)
    return "held"

@plugin.tool
def busy() -> None:
    while True:
        pass

@plugin.tool
async def sleep(ctx: Context) -> None:
    ctx.log("runs")
    try:
        await asyncio.sleep(60)
    finally:
        print("woken", flush=True)

@plugin.tool
def ask(ctx: Context) -> Any:
    return ctx.state.get("k")

@plugin.tool
def threads_that_stay() -> None:
    threading.Thread(target=time.sleep, args=(60,)).start()
"""


@pytest.mark.parametrize("alone", [False, True])
def test_end_of_file_runs_the_cleanup_and_exits_0(launch: Launch, alone: bool) -> None:
    """Contract: wire 1.4."""
    plugin = launch(TOOLS, alone=alone)
    plugin.initialize()
    plugin.close_wire()

    assert plugin.exit_status() == 0
    assert "cleaned up" in plugin.log


@pytest.mark.parametrize("tool", ["hold", "busy", "sleep", "ask", "threads_that_stay"])
def test_end_of_file_ends_the_process_whatever_runs(launch: Launch, tool: str) -> None:
    """Contract: wire 1.4."""
    plugin = launch(TOOLS).begin()
    plugin.start_call(tool)
    plugin.ask("ping")
    if tool == "sleep":
        plugin.next_named("notifications/message")
    plugin.close_wire()

    assert plugin.exit_status() == 0
    assert "cleaned up" in plugin.log
    if tool == "sleep":
        assert "woken" in plugin.log
    if tool == "ask":
        assert "the host closed the wire" in plugin.log


def test_what_was_sent_before_the_wire_ended_is_answered(launch: Launch) -> None:
    """As in ``printf '…' | python main.py``."""
    plugin = launch("@plugin.tool\ndef nap() -> None:\n    time.sleep(0.004)").begin()
    numbers = [f"c{n}" for n in range(100)]  # 0.4 s of the 2 s that wire 1.4 leaves
    plugin.send(*({"id": n, "method": "tools/call", "params": {"name": "nap"}} for n in numbers))
    plugin.close_wire()

    assert {plugin.receive()["id"] for _ in numbers} == set(numbers)
    assert plugin.exit_status() == 0


def test_end_of_file_before_the_handshake_exits_0(launch: Launch) -> None:
    plugin = launch(TOOLS)
    plugin.close_wire()

    assert plugin.exit_status() == 0


def test_a_cleanup_that_hangs_or_fails_does_not_keep_the_process(launch: Launch) -> None:
    """Contract: wire 1.4."""
    hangs = launch("@plugin.on_cleanup\ndef cleanup():\n    time.sleep(60)").begin()
    fails = launch("@plugin.on_cleanup\nasync def cleanup():\n    1 / 0").begin()
    for plugin in (hangs, fails):
        plugin.close_wire()

    assert hangs.exit_status() == 0
    assert fails.exit_status() == 0
    assert "ZeroDivisionError" in fails.log


def test_shutdown_cleans_up_answers_and_exits(launch: Launch) -> None:
    """Contract: wire 9.2."""
    plugin = launch(TOOLS).begin()

    assert plugin.ask("plughost/shutdown", grace_ms=2000) == {}
    assert "cleaned up" in plugin.log
    assert plugin.exit_status() == 0


def test_shutdown_lets_running_calls_end_and_takes_no_new_ones(launch: Launch) -> None:
    """Contract: wire 9.2."""
    plugin = launch(TOOLS).begin()
    running = plugin.start_call("hold", {"seconds": 0.3})
    plugin.ask("ping")
    stopping = plugin.request("plughost/shutdown", {"grace_ms": 10_000})
    refused = plugin.start_call("hold")

    assert plugin.answer_to(refused)["error"]["data"]["type"] == "host-stopping"
    assert plugin.ask("ping") == {}
    assert plugin.answer_to(running)["result"]["structuredContent"] == {"result": "held"}
    assert plugin.answer_to(stopping)["result"] == {}
    assert plugin.exit_status() == 0


def test_a_running_call_may_ask_the_host_while_the_plugin_shuts_down(launch: Launch) -> None:
    plugin = launch(TOOLS).begin()
    running = plugin.start_call("ask")
    asked = plugin.next_named("plughost/state.get")
    stopping = plugin.request("plughost/shutdown", {"grace_ms": 10_000})
    plugin.ask("ping")
    plugin.send({"id": asked["id"], "result": {"found": False}})

    assert plugin.answer_to(running)["result"]["structuredContent"] == {"result": None}
    assert plugin.answer_to(stopping)["result"] == {}
    assert plugin.exit_status() == 0


@pytest.mark.parametrize("tool", ["hold", "busy", "sleep"])
def test_shutdown_does_not_wait_longer_than_its_grace(launch: Launch, tool: str) -> None:
    plugin = launch(TOOLS).begin()
    plugin.start_call(tool)
    plugin.ask("ping")

    assert plugin.ask("plughost/shutdown", grace_ms=100) == {}
    assert plugin.exit_status() == 0


@pytest.mark.parametrize("tool", [None, "hold", "busy", "sleep"])
def test_control_c_ends_the_plugin_without_a_traceback(launch: Launch, tool: str | None) -> None:
    plugin = launch(TOOLS, alone=True)
    plugin.initialize(None)
    if tool is not None:
        plugin.start_call(tool)
    plugin.ask("ping")

    plugin.process.send_signal(signal.SIGINT)

    assert plugin.exit_status() in (0, 130)
    assert "cleaned up" in plugin.log
    assert "Exception ignored" not in plugin.log
    assert "plughost_sdk/" not in plugin.log


def test_a_plugin_may_end_itself_with_os_exit(launch: Launch) -> None:
    plugin = launch("@plugin.tool\ndef leave() -> None:\n    os._exit(5)").begin()
    plugin.start_call("leave")

    assert plugin.exit_status() == 5


def test_code_after_run_runs(launch: Launch) -> None:
    plugin = launch(
        "from plughost_sdk import Plugin\nplugin = Plugin()\nplugin.run()\nprint('after')\n",
        whole=True,
    ).begin()
    plugin.close_wire()

    assert plugin.exit_status() == 0
    assert "after" in plugin.log
