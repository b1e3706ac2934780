"""Calls run side by side and pings are answered, whatever tools do (wire 5.9)."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from tests.runtimes.python.conftest import Launch
from tests.runtimes.python.wire_client import WireClient, data_of

TOOLS = '''
release = threading.Event()

@plugin.tool
def echo(value: Any) -> Any:
    return value

@plugin.tool
def busy() -> str:
    """Turn until released, letting nobody have the interpreter who does not ask."""
    while not release.is_set():
        pass
    return "released"

@plugin.tool
def wait() -> str:
    return str(release.wait(20))

@plugin.tool
async def wait_async() -> str:
    while not release.is_set():
        await asyncio.sleep(0.001)
    return "released"

@plugin.tool
async def block_the_loop() -> str:
    return str(release.wait(20))

@plugin.tool
def free() -> None:
    release.set()

barrier = threading.Barrier(40)

@plugin.tool
def meet() -> int:
    """Return once 40 calls are here at the same time."""
    return barrier.wait(20)

@plugin.tool
def relay(value: Any, ctx: Context) -> Any:
    return ctx.call("other", "tool", {"value": value})

@plugin.tool
def relay_after(value: Any, ctx: Context) -> Any:
    release.wait(20)
    return ctx.call("other", "tool", {"value": value})

@plugin.tool
def relay_from_a_thread(value: Any, ctx: Context) -> Any:
    found = []
    thread = threading.Thread(target=lambda: found.append(ctx.state.get(value)))
    thread.start()
    thread.join()
    return found[0]

@plugin.tool
def threads() -> int:
    return len(os.listdir("/proc/self/task"))

@plugin.tool
def reader() -> int:
    """Return which thread runs quick tools: the one that reads the wire."""
    return threading.get_ident()

@plugin.tool
def slow_once() -> int:
    release.wait(20)
    return threading.get_ident()
'''


@pytest.fixture
def plugin(launch: Launch) -> WireClient:
    return launch(TOOLS).begin()


@pytest.mark.parametrize("tool", ["busy", "wait", "wait_async", "block_the_loop"])
def test_pings_and_other_calls_are_answered_while_a_tool_runs(
    plugin: WireClient, tool: str
) -> None:
    """Contract: wire 5.9, 3.3."""
    slow = plugin.start_call(tool)

    for _ in range(20):
        assert plugin.ask("ping") == {}
    assert plugin.data("echo", value=1) == 1
    plugin.call("free")

    assert "result" in plugin.answer_to(slow)


def test_several_busy_tools_leave_the_wire_to_somebody(plugin: WireClient) -> None:
    slow = [plugin.start_call("busy") for _ in range(4)]

    assert plugin.ask("ping") == {}
    plugin.call("free")

    assert [data_of(plugin.answer_to(call)["result"]) for call in slow] == ["released"] * 4


def test_forty_calls_of_a_plain_tool_run_at_the_same_time(plugin: WireClient) -> None:
    calls = [plugin.start_call("meet") for _ in range(40)]

    met = {data_of(plugin.answer_to(call)["result"]) for call in calls}

    assert met == set(range(40))


def test_a_hundred_calls_of_one_write_are_each_answered_once(plugin: WireClient) -> None:
    """Contract: wire 3.3."""
    plugin.send(
        *(
            {"id": f"c{n}", "method": "tools/call",
             "params": {"name": "echo", "arguments": {"value": n}}}
            for n in range(100)
        )
    )  # fmt: skip

    answers = [plugin.receive() for _ in range(100)]

    assert {one["id"]: data_of(one["result"]) for one in answers} == {
        f"c{n}": n for n in range(100)
    }


def test_a_hundred_slow_calls_need_no_more_than_the_cap_of_threads(plugin: WireClient) -> None:
    calls = [plugin.start_call("wait") for _ in range(100)]

    assert plugin.ask("ping") == {}
    while plugin.data("threads") < 60:
        continue  # workers are still being started
    assert plugin.data("threads") <= 64 + 3  # leader, follower, and the main thread
    plugin.call("free")

    for call in calls:
        assert data_of(plugin.answer_to(call)["result"]) == "True"


def test_a_tool_that_waits_for_the_host_reads_the_answer_itself(plugin: WireClient) -> None:
    call = plugin.start_call("relay", {"value": 5})
    asked = plugin.next_named("plughost/call")

    assert plugin.ask("ping") == {}
    assert plugin.data("echo", value=2) == 2
    plugin.send({"id": asked["id"], "result": {"content": [], "structuredContent": {"got": 5}}})

    assert data_of(plugin.answer_to(call)["result"]) == {"got": 5}


def test_calls_that_wait_for_the_host_do_not_wait_for_each_other(plugin: WireClient) -> None:
    count = 30
    calls = {plugin.start_call("relay", {"value": n}): n for n in range(count)}
    asked = [plugin.next_named("plughost/call") for _ in range(count)]

    for request in reversed(asked):  # the last asked is the first answered
        answer = {"content": [], "structuredContent": request["params"]["arguments"]}
        plugin.send({"id": request["id"], "result": answer})

    for call, n in calls.items():
        assert data_of(plugin.answer_to(call)["result"]) == {"value": n}


def test_a_tool_that_lost_the_lead_can_still_ask_the_host(plugin: WireClient) -> None:
    call = plugin.start_call("relay_after", {"value": 1})
    plugin.ask("ping")
    plugin.call("free")

    asked = plugin.next_named("plughost/call")
    plugin.send({"id": asked["id"], "result": {"content": [], "structuredContent": {}}})

    assert data_of(plugin.answer_to(call)["result"]) == {}


def test_a_thread_the_tool_started_may_use_its_context(plugin: WireClient) -> None:
    call = plugin.start_call("relay_from_a_thread", {"value": "k"})

    asked = plugin.next_named("plughost/state.get")
    plugin.send({"id": asked["id"], "result": {"found": True, "value": "v"}})

    assert data_of(plugin.answer_to(call)["result"]) == "v"


def test_a_tool_that_was_slow_once_runs_where_the_wire_is_read_again(plugin: WireClient) -> None:
    slow = plugin.start_call("slow_once")
    plugin.ask("ping")
    plugin.call("free")
    plugin.answer_to(slow)
    assert plugin.data("slow_once") != plugin.data("reader")

    ran_in = [plugin.data("slow_once") for _ in range(50)]

    assert ran_in[-1] == plugin.data("reader")


def wakeups_of(pid: int) -> int:
    """Return how often the process's threads have waited for something, so far."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        status = (task / "status").read_text(encoding="ascii")
        total += int(status.split("\nvoluntary_ctxt_switches:")[1].split()[0])
    return total


def test_an_idle_plugin_never_wakes_up(plugin: WireClient) -> None:
    pid = plugin.process.pid
    plugin.data("echo", value=1)
    give_up = time.monotonic() + 20
    before = -1
    while before != wakeups_of(pid) and time.monotonic() < give_up:
        before = wakeups_of(pid)
        time.sleep(0.5)  # 100 ticks of a follower, which leaves a second after the last call

    assert wakeups_of(pid) == before
    assert plugin.data("echo", value=2) == 2


STORM = """
@plugin.tool
def nap(s: float, n: int) -> int:
    time.sleep(s)
    return n

@plugin.tool
def burn(s: float, n: int) -> int:
    until = time.monotonic() + s
    while time.monotonic() < until:
        pass
    return n

@plugin.tool
async def nap_async(s: float, n: int) -> int:
    await asyncio.sleep(s)
    return n

@plugin.tool
def ask(s: float, n: int, ctx: Context) -> int:
    time.sleep(s)
    return ctx.call("other", "same", {"n": n}) + ctx.call("other", "same", {"n": 0})

@plugin.tool
async def ask_async(s: float, n: int, ctx: Context) -> int:
    return await ctx.call("other", "same", {"n": n})
"""


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_in_a_storm_of_calls_each_is_answered_exactly_once(launch: Launch, seed: int) -> None:
    """Contract: wire 3.3, 7.2."""
    plugin = launch(STORM).begin()
    chance = random.Random(seed)
    tools = ["nap", "burn", "nap_async", "ask", "ask_async"]
    # Around the tick of 5 ms after which a tool loses the lead.
    pauses_s = [0, 0, 0, 0.0005, 0.004, 0.006, 0.012]
    open_calls: dict[int, int] = {}
    withdrawn = set()
    for n in range(600):
        arguments = {"s": chance.choice(pauses_s), "n": n}
        number = plugin.start_call(chance.choice(tools), arguments)
        open_calls[number] = n
        if chance.random() < 0.1:
            plugin.notify("notifications/cancelled", requestId=number)
            withdrawn.add(number)
        while len(open_calls) > 40 or (n == 599 and open_calls):
            message = plugin.receive()
            if message.get("method") == "plughost/call":
                carried = {"result": message["params"]["arguments"]["n"]}
                answer = {"structuredContent": carried, "_meta": {"plughost/wrapped": True}}
                plugin.send({"id": message["id"], "result": answer})
            elif "method" not in message:
                expected = open_calls.pop(message["id"])  # a second answer is a KeyError
                if "error" in message:
                    assert message["error"]["code"] == -32800
                    assert message["id"] in withdrawn
                else:
                    assert data_of(message["result"]) == expected

    assert plugin.ask("ping") == {}
    assert plugin.set_aside == []


def test_events_are_handled_in_their_order_while_calls_run(launch: Launch) -> None:
    """Contract: wire 9.3."""
    plugin = launch("""
heard = []

@plugin.on("note")
async def first(event):
    await asyncio.sleep(0)
    heard.append(event.seq)

@plugin.on("note")
def second(event, ctx):
    assert event["payload"] == event.payload and event.origin == "host" and event.name == "note"
    heard.append(-event.seq)
    if event.seq == 3:
        raise ValueError("the third event is too much")

@plugin.tool
def all_heard(count: int) -> list[int]:
    while len(heard) < count:
        time.sleep(0.001)
    return heard
""").begin()

    for seq in range(1, 6):
        plugin.notify("plughost/event", name="note", origin="host", seq=seq, payload=[seq])
        plugin.notify("plughost/event", name="unheard", origin="host", seq=seq, payload=None)

    expected = [one for seq in range(1, 6) for one in (seq, -seq)]
    assert plugin.data("all_heard", count=10) == expected
    assert "the third event is too much" in plugin.log
