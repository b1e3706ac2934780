"""One plugin with a real child, through everything that can happen to a call.

Contract: contracts/wire/README.md §3, §7, §11; docs/reference/defaults.md.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import psutil
import pytest
import trio
import trio.testing

from plughost import Host
from plughost.contracts.results import CallResult

MakePlugin = Callable[..., Path]
OpenHost = Callable[..., AbstractAsyncContextManager[Host]]


async def do(host: Host, do: str, *, timeout_s: float = 10, **arguments: Any) -> CallResult:
    result = await host.call("peer", "do", {"do": do, **arguments}, timeout_s=timeout_s)
    assert isinstance(result, CallResult)
    return result


async def until_ready(host: Host, name: str = "peer") -> None:
    with trio.fail_after(20):
        while host.health(name).state != "ready":
            await host._registry.plugin(name).changed()


async def test_a_call_comes_back_with_what_the_tool_returned(
    make_plugin: MakePlugin, open_host: OpenHost
) -> None:
    make_plugin()
    async with open_host() as host:
        result = await do(host, "echo", value=[1, {"a": None}])

    assert result.ok
    assert result.unwrap() == {"value": [1, {"a": None}]}


async def test_sixty_four_callers_each_get_their_own_answer(
    make_plugin: MakePlugin, open_host: OpenHost
) -> None:
    make_plugin()
    answers: dict[int, Any] = {}
    async with open_host() as host:

        async def one(number: int) -> None:
            answers[number] = (await do(host, "echo", value=number)).unwrap()["value"]

        async with trio.open_nursery() as nursery:
            for number in range(64):
                nursery.start_soon(one, number)

    assert answers == {number: number for number in range(64)}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"do": "exit", "status": 3}, "exit status 3"),
        ({"do": "exit", "status": 0}, "exit status 0"),
        ({"do": "signal", "signal": int(signal.SIGSEGV)}, "killed by SIGSEGV"),
        ({"do": "signal", "signal": int(signal.SIGKILL)}, "killed by SIGKILL"),
    ],
)
async def test_a_crash_fails_its_calls_and_the_plugin_comes_back(
    make_plugin: MakePlugin, open_host: OpenHost, arguments: dict[str, Any], words: str
) -> None:
    make_plugin()
    async with open_host() as host:
        result = await host.call("peer", "do", arguments)
        assert result.error is not None
        assert result.error.type == "plugin-crashed"
        assert words in result.error.message

        again = await do(host, "echo", value="back")
        health = host.health("peer")

    assert again.unwrap() == {"value": "back"}
    assert (health.restart_count, health.generation) == (1, 2)
    assert (health.success_count, health.error_count) == (1, 1)


async def test_a_crash_says_what_the_plugin_last_wrote(
    make_plugin: MakePlugin, open_host: OpenHost
) -> None:
    make_plugin()
    async with open_host() as host:
        await do(host, "stderr", text="the last words")
        result = await do(host, "exit", status=9)
        assert result.error is not None
        assert result.error.details["log_tail"] == "the last words"
        assert host.logs("peer") == ["the last words"]


async def test_a_deadline_holds_and_the_next_call_works(
    make_plugin: MakePlugin, open_host: OpenHost
) -> None:
    make_plugin()
    async with open_host() as host:
        with trio.fail_after(5):
            result = await do(host, "hang", timeout_s=0.2)
            after = await do(host, "echo", value=1)

    assert result.error is not None
    assert result.error.type == "call-timeout"
    assert result.error.details == {"timeout_s": 0.2}
    assert after.ok


async def test_a_late_answer_is_dropped_and_frees_its_slot(
    make_plugin: MakePlugin, open_host: OpenHost
) -> None:
    make_plugin(manifest="concurrency = 1\n")
    async with open_host() as host:
        late = await do(host, "sleep", seconds=0.4, timeout_s=0.1)
        # The slot is still held: this call waits for the late answer.
        after = await do(host, "echo", value=1)
        counters = host._registry.plugin("peer").counters

    assert late.error is not None
    assert after.unwrap() == {"value": 1}
    assert counters.late == 1
    assert after.duration_s > 0.1


async def test_a_cancelled_caller_leaves_and_the_plugin_lives(
    make_plugin: MakePlugin, open_host: OpenHost
) -> None:
    make_plugin()
    async with open_host() as host:
        with trio.move_on_after(0.1) as scope:
            await do(host, "hang")
        assert scope.cancelled_caught
        assert (await do(host, "echo", value=1)).ok
        assert host.health("peer").in_flight == 1  # held for the cancel's grace


async def test_a_full_queue_refuses_at_once(make_plugin: MakePlugin, open_host: OpenHost) -> None:
    make_plugin(manifest="concurrency = 1\n")
    kinds: list[str] = []
    async with open_host() as host:

        async def one() -> None:
            result = await do(host, "hang", timeout_s=0.5)
            assert result.error is not None
            kinds.append(result.error.type)

        async with trio.open_nursery() as nursery:
            for _ in range(1 + 128 + 3):
                nursery.start_soon(one)

    assert kinds[:3] == ["overloaded"] * 3
    assert kinds[3:] == ["call-timeout"] * 129


async def test_a_queued_call_whose_plugin_dies_is_served_by_the_next_life(
    make_plugin: MakePlugin, open_host: OpenHost
) -> None:
    make_plugin(manifest="concurrency = 1\n")
    results: dict[str, CallResult] = {}
    async with open_host() as host:

        async def first() -> None:
            results["first"] = await do(host, "exit", status=1)

        async def second() -> None:
            results["second"] = await do(host, "echo", value="still served")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(first)
            await trio.testing.wait_all_tasks_blocked()
            nursery.start_soon(second)

    assert not results["first"].ok
    assert results["second"].unwrap() == {"value": "still served"}


async def test_an_oversize_answer_costs_one_call(
    make_plugin: MakePlugin, open_host: OpenHost
) -> None:
    make_plugin(manifest="[resource_limits]\nmax_message_mb = 1\n")
    async with open_host() as host:
        big = await do(host, "big", size=2**20)
        after = await do(host, "echo", value=1)
        generation = host.health("peer").generation
        await do(host, "big", size=2**20)
        await host._registry.plugin("peer").changed()
        await until_ready(host)
        recycled = host.health("peer").generation

    assert big.error is not None
    assert big.error.type == "output-limit"
    assert after.ok
    assert generation == 1
    assert recycled == 2  # the second strike within a minute


async def test_noise_on_the_wire_is_logged_and_harms_nobody(
    make_plugin: MakePlugin, open_host: OpenHost
) -> None:
    make_plugin()
    async with open_host() as host:
        assert (await do(host, "noise")).ok
        assert host._registry.plugin("peer").counters.noise == 1


async def test_every_progress_is_heard_even_of_a_call_that_is_answered_at_once(
    make_plugin: MakePlugin, open_host: OpenHost
) -> None:
    make_plugin()
    heard: list[Any] = []
    async with open_host() as host:
        for _ in range(50):
            result = await host.call("peer", "do", {"do": "progress"}, on_progress=heard.append)
            assert result.ok

    assert [each["progress"] for each in heard] == [1] * 50


async def test_a_progress_listener_that_fails_harms_nobody(
    make_plugin: MakePlugin, open_host: OpenHost
) -> None:
    make_plugin()

    def broken(_: Any) -> None:
        raise KeyError("mine")

    async with open_host() as host:
        result = await host.call("peer", "do", {"do": "progress"}, on_progress=broken)
        assert result.ok
        assert host.health("peer").generation == 1


async def test_a_plain_servers_text_is_its_data_and_its_error_a_tool_error(
    make_plugin: MakePlugin, open_host: OpenHost
) -> None:
    make_plugin()
    async with open_host() as host:
        slept = await do(host, "sleep", seconds=0)
        failed = await do(host, "fail")
        health = host.health("peer")

    assert slept.data == "slept"
    assert failed.error is not None
    assert (failed.error.type, failed.error.message) == ("tool-error", "it failed")
    assert health.consecutive_failures == 0


async def test_a_crash_loop_backs_off_and_is_quarantined(
    make_plugin: MakePlugin, open_host: OpenHost
) -> None:
    make_plugin(main="raise SystemExit(5)", manifest="[restart]\nmax = 2\n")
    async with open_host() as host:
        plugin = host._registry.plugin("peer")
        with trio.fail_after(20):
            while str(plugin.state) != "quarantined":
                await plugin.changed()
        result = await do(host, "echo")
        health = host.health("peer")

    assert result.error is not None
    assert result.error.type == "plugin-start-failed"
    assert 0 < result.error.details["retry_after_s"] <= 60
    assert "exit status 5" in result.error.message
    assert health.restart_count == 2


async def test_an_exit_of_78_is_not_tried_again(
    make_plugin: MakePlugin, open_host: OpenHost
) -> None:
    make_plugin(main="raise SystemExit(78)")
    async with open_host() as host:
        health = host.health("peer")
        assert (health.state, health.restart_count) == ("unavailable", 0)
        assert "exit status 78" in health.reason


async def test_a_silent_start_ends_at_its_timeout(
    make_plugin: MakePlugin, open_host: OpenHost
) -> None:
    make_plugin(
        main="import sys; sys.stderr.write('loading\\n'); sys.stdin.read()",
        manifest='[resource_limits]\nstart_timeout_s = 0.3\n[restart]\npolicy = "never"\n',
    )
    async with open_host() as host:
        health = host.health("peer")

    assert health.state == "stopped"
    assert "was not ready after 0.3 s" in health.reason
    assert "it said: loading" in health.reason


async def test_stop_start_and_restart(make_plugin: MakePlugin, open_host: OpenHost) -> None:
    make_plugin()
    async with open_host() as host:
        pid = host.health("peer").pid
        assert pid is not None
        await host.stop("peer")
        assert host.health("peer").state == "stopped"
        assert not psutil.pid_exists(pid)
        refused = await do(host, "echo")
        assert refused.error is not None
        assert refused.error.type == "plugin-unavailable"

        host.start("peer")
        await until_ready(host)
        assert (await do(host, "echo")).ok
        await host.restart("peer")
        assert host.health("peer").state == "ready"
        assert (await do(host, "echo")).ok


async def test_a_stop_during_the_start_stops(make_plugin: MakePlugin, open_host: OpenHost) -> None:
    make_plugin(main="import sys; sys.stdin.read()")
    async with open_host(eager=False) as host:
        host.start("peer")
        await host._registry.plugin("peer").changed()
        with trio.fail_after(10):
            await host.stop("peer")
        assert host.health("peer").state == "stopped"


async def test_a_lazy_plugin_starts_at_its_first_call(
    make_plugin: MakePlugin, open_host: OpenHost
) -> None:
    make_plugin(manifest='start = "lazy"\n')
    async with open_host() as host:
        assert host.health("peer").state == "discovered"
        assert (await do(host, "echo", value=1)).ok
        assert host.health("peer").state == "ready"


async def test_leaving_the_host_leaves_no_process(
    make_plugin: MakePlugin, open_host: OpenHost
) -> None:
    make_plugin()
    async with open_host() as host:
        grandchild = (await do(host, "grandchild")).unwrap()["pid"]
        pid = host.health("peer").pid
        assert pid is not None
        assert psutil.pid_exists(grandchild)

    assert not psutil.pid_exists(pid)
    assert not psutil.pid_exists(grandchild)


async def test_only_the_allowed_environment_reaches_a_plugin(
    make_plugin: MakePlugin, open_host: OpenHost
) -> None:
    make_plugin(manifest='[permissions]\nenv = ["MINE"]\n')
    environ = {"PATH": "/usr/bin:/bin", "MINE": "1", "AWS_SECRET_ACCESS_KEY": "x"}
    async with open_host(environ=environ) as host:
        seen = (await do(host, "env")).unwrap()

    assert seen["MINE"] == "1"
    assert seen["PLUGHOST_PLUGIN"] == "peer"
    assert "AWS_SECRET_ACCESS_KEY" not in seen


async def test_a_caller_that_never_has_to_wait_still_lets_others_run(
    make_plugin: MakePlugin, open_host: OpenHost
) -> None:
    make_plugin()
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            await trio.lowlevel.checkpoint()
            turns += 1

    async with open_host() as host, trio.open_nursery() as nursery:
        nursery.start_soon(count_turns)
        for number in range(200):
            assert (await do(host, "echo", value=number)).unwrap() == {"value": number}
        nursery.cancel_scope.cancel()

    # Every 20th call at the latest lets go of the loop, which gives each task a turn.
    assert turns >= 200 // 20 / 2


async def test_slots_are_neither_lost_nor_made_by_timeouts_cancels_and_late_answers(
    make_plugin: MakePlugin, open_host: OpenHost
) -> None:
    make_plugin(manifest="concurrency = 1\n")
    async with open_host() as host:

        async def one(number: int) -> None:
            # The tool answers about when the caller gives up, before and after.
            with trio.move_on_after(0.002 * number if number % 3 else 1):
                await do(host, "sleep", seconds=0.004, timeout_s=0.001 + 0.0005 * number)

        for _ in range(3):
            async with trio.open_nursery() as nursery:
                for number in range(40):
                    nursery.start_soon(one, number)
        with trio.fail_after(10):
            while host.health("peer").in_flight:
                await do(host, "echo")
                await trio.sleep(0.01)

        assert host.health("peer").in_flight == 0


async def test_an_answer_that_is_not_understood_is_told_at_once(
    make_plugin: MakePlugin, open_host: OpenHost
) -> None:
    make_plugin()
    async with open_host() as host:
        with trio.fail_after(5):
            result = await do(host, "bad")
        assert (await do(host, "echo", value=1)).ok

    assert result.error is not None
    assert result.error.type == "protocol-violation"
    assert "the result of" in result.error.message
    assert "null" in result.error.details["excerpt"]


async def test_a_line_without_end_ends_the_session_and_not_the_host(
    make_plugin: MakePlugin, open_host: OpenHost
) -> None:
    make_plugin(manifest="[resource_limits]\nmax_message_mb = 1\n")
    async with open_host() as host:
        with trio.fail_after(30):
            result = await do(host, "endless", timeout_s=20)
            again = await do(host, "echo", value=1)

    assert result.error is not None
    assert result.error.type == "plugin-crashed"
    assert "over the limit of 1048576, twice" in result.error.message
    assert again.ok


async def test_a_start_and_a_call_right_after_it_is_served(
    make_plugin: MakePlugin, open_host: OpenHost
) -> None:
    make_plugin()
    async with open_host() as host:
        await host.stop("peer")
        host.start("peer")
        assert (await do(host, "echo", value=1)).ok


async def test_a_host_that_was_left_refuses_at_once(
    make_plugin: MakePlugin, open_host: OpenHost
) -> None:
    make_plugin()
    async with open_host() as host:
        assert (await do(host, "echo", value=1)).ok

    with trio.fail_after(1):
        result = await do(host, "echo", value=1)
    assert result.error is not None
    assert result.error.type == "host-stopping"


async def test_a_host_belongs_to_the_loop_that_opened_it(
    make_plugin: MakePlugin, open_host: OpenHost
) -> None:
    make_plugin()
    async with open_host() as host:
        with pytest.raises(RuntimeError, match="another trio"):
            await trio.to_thread.run_sync(trio.run, lambda: do(host, "echo"))
        assert (await do(host, "echo", value=1)).ok


async def test_a_programs_exit_inside_the_block_keeps_its_status(
    make_plugin: MakePlugin, open_host: OpenHost
) -> None:
    make_plugin()
    with pytest.raises(SystemExit, match="3"):
        async with open_host():
            raise SystemExit(3)
