"""A plugin without memory, or without threads, answers or ends; it never goes deaf (wire 1.4)."""

from __future__ import annotations

import json
import os
import resource
import select
from typing import Any

import pytest
from tests.runtimes.python.conftest import Launch
from tests.runtimes.python.wire_client import PATIENCE_S, WireClient

TOOLS = """
@plugin.tool
def echo(value: str) -> str:
    return value

@plugin.tool
def nap(value: str) -> str:
    time.sleep(0.02)  # longer than a tool keeps the lead
    return value

@plugin.tool
def keep(value: str) -> str:
    kept = [value + str(n) for n in range(8)]
    time.sleep(0.01)
    return kept[-1]

@plugin.tool
async def nap_async(value: str) -> str:
    await asyncio.sleep(0.01)
    return value

@plugin.tool
def relay(value: str, ctx: Context) -> str:
    return ctx.state.get(value)

@plugin.tool
def exhaust() -> None:
    hoard = []
    while True:
        hoard.append(bytes(1 << 20))
"""

CALLS = 16
VALUE = "x" * (1 << 20)
PING = 1000


def limit_memory(plugin: WireClient, limit_mb: int) -> None:
    limits = (limit_mb << 20, limit_mb << 20)
    resource.prlimit(plugin.process.pid, resource.RLIMIT_DATA, limits)


def call_line(number: int, tool: str) -> bytes:
    params = {"name": tool, "arguments": {"value": VALUE}, "_meta": {"deadline_ms": 20_000}}
    message = {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}
    return json.dumps(message).encode() + b"\n"


class Flood:
    """Writes to a plugin and reads from it at once, so that neither side waits for the other."""

    def __init__(self, plugin: WireClient, data: bytes) -> None:
        assert plugin._write_to is not None
        self.answers: dict[int, dict[str, Any]] = {}
        self.ended = False
        self._write_to = plugin._write_to
        self._read_from = plugin._read_from
        self._data = memoryview(data)
        self._unread = b""
        os.set_blocking(self._write_to, False)

    def run(self, awaited: set[int]) -> None:
        """Go on until each of *awaited* is answered, or the plugin is gone."""
        while not self.ended and not awaited <= self.answers.keys():
            writers = [self._write_to] if self._data else []
            ready, writable, _ = select.select([self._read_from], writers, [], PATIENCE_S)
            assert ready or writable, f"deaf; answered: {sorted(self.answers)}"
            if writable:
                self._write()
            if ready:
                self._read()

    def _write(self) -> None:
        try:
            self._data = self._data[os.write(self._write_to, self._data) :]
        except BrokenPipeError:
            self._data = self._data[:0]

    def _read(self) -> None:
        chunk = os.read(self._read_from, 1 << 16)
        self.ended = not chunk
        self._unread += chunk
        *lines, self._unread = self._unread.split(b"\n")
        for line in lines:
            message = json.loads(line)
            if message.get("method") == "plughost/state.get":
                answer = {"found": True, "value": VALUE}
                sent = {"jsonrpc": "2.0", "id": message["id"], "result": answer}
                self._data = memoryview(bytes(self._data) + json.dumps(sent).encode() + b"\n")
            elif "id" in message:
                assert message["id"] not in self.answers, "a second answer"
                self.answers[message["id"]] = message


@pytest.mark.parametrize("limit_mb", [14, 18, 22, 26, 30, 34, 42])
@pytest.mark.parametrize(
    "tools",
    [["echo"], ["nap"], ["keep"], ["nap_async"], ["echo", "nap", "keep"], ["nap_async", "relay"]],
    ids="+".join,
)
def test_calls_there_is_no_memory_for_leave_a_plugin_that_answers_or_one_that_has_ended(
    launch: Launch, limit_mb: int, tools: list[str]
) -> None:
    """Contract: wire 1.4, 3.3."""
    plugin = launch(TOOLS).begin()
    limit_memory(plugin, limit_mb)
    calls = b"".join(call_line(PING + n, tools[n % len(tools)]) for n in range(1, CALLS + 1))
    ping = json.dumps({"jsonrpc": "2.0", "id": PING, "method": "ping"}).encode() + b"\n"

    flood = Flood(plugin, calls + ping)
    flood.run(awaited=set(range(PING, PING + CALLS + 1)))

    if flood.ended:
        assert plugin.exit_status() == 1
        assert "\nMemoryError" in f"\n{plugin.log}"
    else:
        plugin.close_wire()
        assert plugin.exit_status() in (0, 1)


@pytest.mark.parametrize("limit_mb", [14, 18, 26])
def test_the_wire_may_end_while_there_is_no_memory(launch: Launch, limit_mb: int) -> None:
    """Contract: wire 1.4."""
    plugin = launch(TOOLS).begin()
    limit_memory(plugin, limit_mb)
    calls = b"".join(call_line(PING + n, "nap") for n in range(1, CALLS + 1))

    flood = Flood(plugin, calls)
    flood.run(awaited={PING + 1})
    plugin.close_wire()

    assert plugin.exit_status() in (0, 1)


def test_a_tool_that_runs_out_of_memory_fails_alone(launch: Launch) -> None:
    """Contract: wire 5.6."""
    plugin = launch(TOOLS).begin()
    limit_memory(plugin, 64)

    for _ in range(5):
        assert plugin.failure("exhaust")["details"] == {"exception": "MemoryError"}
    assert plugin.data("echo", value="still here") == "still here"
    assert "tool 'exhaust' failed:\nTraceback" in plugin.log


def test_a_message_there_is_no_memory_for_is_refused_and_the_next_one_read(launch: Launch) -> None:
    plugin = launch(TOOLS).begin()
    assert plugin.data("echo", value="first") == "first"
    limit_memory(plugin, 1)  # below what it has: nothing new of any size

    flood = Flood(plugin, call_line(PING + 1, "echo"))
    flood.run(awaited={PING + 1})

    assert flood.ended or flood.answers[PING + 1]["error"]["data"]["type"] == "memory-limit"
    assert not flood.ended or "\nMemoryError" in f"\n{plugin.log}"


SABOTAGED = """
import _thread
{sabotage}

@plugin.on_cleanup
def cleanup() -> None:
    print("cleaned up", flush=True)

@plugin.tool
def echo(value: Any) -> Any:
    return value

@plugin.tool
def seize() -> None:
    crew = plugin._session.crew
    crew._roles.acquire()
    crew.workers._door.acquire()

@plugin.tool
def fail_the_leader() -> None:
    def broken(line):
        raise LookupError("a bug of the SDK")
    plugin._session.crew._handle = broken
    time.sleep(0.1)  # the follower takes the lead, and the broken handler with it
"""

# What a system without threads does: it says so, or the thread dies before its first line.
REFUSES = """
def refuse(*arguments):
    raise RuntimeError("can't start new thread")
_thread.start_new_thread = refuse
"""
STILLBORN = "_thread.start_new_thread = lambda *arguments: 1"


def test_the_wires_end_ends_a_plugin_whose_threads_wait_for_each_other(launch: Launch) -> None:
    """Contract: wire 1.4."""
    plugin = launch(SABOTAGED.format(sabotage="")).begin()
    plugin.start_call("seize")
    plugin.request("ping")
    plugin.close_wire()

    assert plugin.exit_status() == 0
    assert "cleaned up" not in plugin.log  # nobody was left to do it


def test_a_leader_that_fails_ends_the_plugin_with_its_traceback(launch: Launch) -> None:
    plugin = launch(SABOTAGED.format(sabotage="")).begin()
    plugin.start_call("fail_the_leader")
    plugin.request("ping")

    assert plugin.exit_status() == 1
    assert "LookupError: a bug of the SDK" in plugin.log


@pytest.mark.parametrize("sabotage", [REFUSES, STILLBORN], ids=["refuses", "stillborn"])
def test_a_plugin_that_gets_no_threads_runs_everything_where_it_reads(
    launch: Launch, sabotage: str
) -> None:
    plugin = launch(SABOTAGED.format(sabotage=sabotage)).begin()

    assert plugin.data("echo", value=1) == 1
    assert plugin.ask("ping") == {}
    plugin.close_wire()

    assert plugin.exit_status() == 0
    assert "cleaned up" in plugin.log


def test_a_cleanup_that_hangs_ends_without_a_thread_to_end_it(launch: Launch) -> None:
    """Contract: wire 1.4."""
    hangs = "@plugin.on_cleanup\ndef cleanup() -> None:\n    threading.Event().wait()"
    plugin = launch(f"import _thread\n{REFUSES}\n{hangs}").begin()
    plugin.close_wire()

    assert plugin.exit_status() != 0
