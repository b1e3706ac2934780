"""A call that was cancelled ends, whatever its Lua code does; pings are answered meanwhile."""

from __future__ import annotations

import time

import pytest
from tests.runtimes.lua.conftest import Launch
from tests.runtimes.python.wire_client import WireClient

LOOPS = {
    "plain": "while true do end",
    "pcall": "while true do pcall(function() while true do end end) end",
    "pcall of error": "while true do pcall(error) end",
    "xpcall with a looping handler": """
        while true do xpcall(error, function() while true do end end) end""",
    "nested pcall": """
        local function deep(n)
          if n == 0 then while true do end end
          while true do pcall(deep, n - 1) end
        end
        deep(20)""",
    "coroutine": """
        while true do
          local co = coroutine.create(function() while true do end end)
          coroutine.resume(co)
        end""",
    "coroutine.wrap in pcall": """
        while true do pcall(coroutine.wrap(function() while true do end end)) end""",
    "yielding coroutine": """
        local co = coroutine.wrap(function() while true do coroutine.yield() end end)
        while true do co() end""",
    "coroutine in coroutine": """
        coroutine.wrap(function()
          while true do pcall(coroutine.wrap(function() while true do end end)) end
        end)()""",
    "close handler": """
        local guard <close> = setmetatable({}, { __close = function() while true do end end })
        while true do end""",
    "close handler of a waiting coroutine": """
        local co = coroutine.create(function()
          local guard <close> = setmetatable({}, { __close = function() while true do end end })
          coroutine.yield()
        end)
        coroutine.resume(co)
        coroutine.close(co)""",
    "load with an endless reader": """
        while true do load(function() while true do end end) end""",
    "metamethods": """
        local t = setmetatable({}, { __index = function(t, k) return t[k + 1] and nil end })
        while true do pcall(function() return t[1] end) end""",
    "tostring": """
        error(setmetatable({}, { __tostring = function() while true do end end }))""",
    "sort": "while true do table.sort({ 3, 2, 1 }, function(a, b) return a < b end) end",
    "gsub": """
        while true do string.gsub(("a"):rep(1000), "a", function() end) end""",
    "insert into a table of pretended length": """
        table.insert(setmetatable({}, { __len = function() return 1 << 53 end }), 1, 1)""",
    "remove from a table of pretended length": """
        table.remove(setmetatable({}, { __len = function() return 1 << 53 end }), 1)""",
    "sort of a table of pretended length": """
        local endless = { __len = function() return (1 << 31) - 2 end, __index = type }
        table.sort(setmetatable({}, endless))""",
    "concat of a table of pretended length": """
        local endless = { __len = function() return 1 << 53 end }
        function endless.__index() return "" end
        table.concat(setmetatable({}, endless))""",
    "move of nothing": "table.move({}, 1, 1 << 53, 2)",
    "asking whether it is cancelled": """
        while not ctx.cancelled() do end
        while true do end""",
    "goto": "::again:: goto again",
}


def begin_loop(plugin: WireClient, **meta: int) -> int:
    """Start the looping call and return when its code runs."""
    number = plugin.start_call("loop", None, **meta)
    assert plugin.next_named("notifications/message")["params"]["data"] == "looping"
    return number


LOOP = """
tool("loop", function(args, ctx)
  ctx.log("looping")
  %s
end)
tool("fine", function() return 1 end)
"""


@pytest.mark.parametrize("lua", LOOPS.values(), ids=LOOPS.keys())
def test_a_cancelled_loop_ends_and_the_plugin_lives(launch: Launch, lua: str) -> None:
    """Contract: contracts/wire/README.md, 7.2."""
    plugin = launch(LOOP % lua, memory_mb=128).begin()

    number = begin_loop(plugin)
    plugin.notify("notifications/cancelled", requestId=number)

    assert plugin.answer_to(number)["error"]["code"] == -32800
    assert plugin.data("fine") == 1


def test_a_coroutine_that_outlives_a_cancelled_call_still_runs(launch: Launch) -> None:
    plugin = launch("""
        local co = coroutine.wrap(function()
          while true do
            coroutine.yield("first")
            pcall(function() while true do end end)
          end
        end)
        local other = coroutine.wrap(function()
          local sum = 0
          while true do
            for i = 1, 100000 do sum = sum + 1 end
            coroutine.yield(sum)
          end
        end)
        tool("loop", function(args, ctx) other() ctx.log("looping") co() co() end)
        tool("other", function() return other() end)
    """).begin()
    number = begin_loop(plugin)
    plugin.notify("notifications/cancelled", requestId=number)
    assert plugin.answer_to(number)["error"]["code"] == -32800

    assert plugin.data("other") == 200_000


def test_a_coroutine_that_a_cancelled_call_left_dead_can_be_closed_by_the_next(
    launch: Launch,
) -> None:
    """Lua leaves hooks off in a coroutine whose hook raised: its `__close` could run for ever."""
    plugin = launch("""
        local co = coroutine.create(function()
          local guard <close> = setmetatable({}, { __close = function() while true do end end })
          while true do end
        end)
        tool("loop", function(args, ctx) ctx.log("looping") coroutine.resume(co) end)
        tool("close", function() return coroutine.close(co) end)
    """).begin()
    number = begin_loop(plugin)
    plugin.notify("notifications/cancelled", requestId=number)
    assert plugin.answer_to(number)["error"]["code"] == -32800

    assert plugin.data("close") is False


def test_pings_are_answered_while_lua_runs(launch: Launch) -> None:
    """Contract: contracts/wire/README.md, 5.9."""
    plugin = launch(LOOP % "while true do end").begin()
    number = begin_loop(plugin)

    for _ in range(20):
        assert plugin.ask("ping") == {}

    plugin.notify("notifications/cancelled", requestId=number)
    assert plugin.answer_to(number)["error"]["code"] == -32800
    assert plugin.set_aside == []


def test_a_loop_ends_when_its_deadline_passes(launch: Launch) -> None:
    plugin = launch(LOOP % "while true do end").begin()

    number = begin_loop(plugin, deadline_ms=200)
    result = plugin.answer_to(number)["result"]

    error = result["_meta"]["plughost/error"]
    assert error["message"] == "the call's deadline passed"
    assert error["retryable"] is True
    assert plugin.data("fine") == 1


def test_a_call_cancelled_while_it_waits_for_its_turn_never_runs(launch: Launch) -> None:
    plugin = launch("""
        local runs = 0
        tool("loop", function(args, ctx) ctx.log("looping") while not ctx.cancelled() do end end)
        tool("count", function() runs = runs + 1 return runs end)
    """).begin()
    looping = begin_loop(plugin)
    waiting = plugin.start_call("count")
    plugin.notify("notifications/cancelled", requestId=waiting)

    assert plugin.answer_to(waiting)["error"]["code"] == -32800

    plugin.notify("notifications/cancelled", requestId=looping)
    assert plugin.answer_to(looping)["error"]["code"] == -32800
    assert plugin.data("count") == 1


def test_a_call_cancelled_while_it_waits_for_the_host_ends(launch: Launch) -> None:
    plugin = launch("""
        tool("wait", function(args, ctx) while true do pcall(ctx.state.get, "k") end end)
        tool("fine", function() return 1 end)
    """).begin()
    number = plugin.start_call("wait")
    request = plugin.next_named("plughost/state.get")

    plugin.notify("notifications/cancelled", requestId=number)

    assert plugin.answer_to(number)["error"]["code"] == -32800
    withdrawn = plugin.next_named("notifications/cancelled")
    assert withdrawn["params"]["requestId"] == request["id"]
    assert plugin.data("fine") == 1


def test_a_library_function_that_cannot_be_interrupted_ends_the_process(launch: Launch) -> None:
    plugin = launch(LOOP % 'string.find(("a"):rep(60), ("a-"):rep(40) .. "b")').begin()
    number = begin_loop(plugin)
    assert plugin.ask("ping") == {}

    plugin.notify("notifications/cancelled", requestId=number)

    assert plugin.exit_status() == 70
    assert "nothing can interrupt" in plugin.log


def test_a_loop_in_a_handler_does_not_keep_the_plugin_from_leaving(launch: Launch) -> None:
    """Contract: contracts/wire/README.md, 1.4."""
    plugin = launch("""
        plugin.on("saved", function(event, ctx) ctx.log("looping") while true do end end)
    """).begin()
    plugin.notify("plughost/event", name="saved", origin="host", seq=1, payload={})
    assert plugin.next_named("notifications/message")

    closed_at = time.monotonic()
    plugin.close_wire()

    assert plugin.exit_status() == 0
    assert time.monotonic() - closed_at < 10  # a hang is what this excludes
