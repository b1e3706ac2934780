"""Errors, contexts and turns: what a call of a Lua tool looks like from both sides."""

from __future__ import annotations

from typing import Any

import pytest
from tests.runtimes.lua.conftest import Launch
from tests.runtimes.python.wire_client import EXTENSION, activation, data_of


def test_an_error_is_a_tool_error_with_its_place_and_a_traceback_in_the_log(
    launch: Launch,
) -> None:
    plugin = launch(
        'local deep = require "deep"\ntool("fail", function() deep.fail() end)',
        files={"deep.lua": 'return { fail = function()\n  error("no luck")\nend }\n'},
    ).begin()

    failure = plugin.failure("fail")

    assert failure["message"] == "no luck"
    assert failure["details"] == {"exception": "LuaError", "at": "deep.lua:2"}
    assert failure["retryable"] is False
    assert "LuaError: no luck\nstack traceback:" in plugin.log
    assert "deep.lua:2: in field 'fail'" in plugin.log
    assert "main.lua:9: in function <main.lua:9>" in plugin.log
    assert "[plughost]" not in plugin.log


LOST = "$.details.f is a function, which JSON has not"
ERRORS = [
    ('error("text")', "text", {"at": "main.lua:8"}),
    ('error("text", 0)', "text", {}),
    ('error { message = "said", details = { n = 1, list = {} } }', "said", {"n": 1, "list": {}}),
    ("error(setmetatable({}, { __tostring = function() return 'object' end }))", "object", {}),
    ("error(nil)", "nil", {}),
    ("local t; return t.x", "attempt to index a nil value (local 't')", {"at": "main.lua:8"}),
    ("return 1 < 'x'", "attempt to compare number with string", {"at": "main.lua:8"}),
    ("table.insert({}, 5, 1)", "bad argument #2 to 'insert'", {"at": "main.lua:8"}),
    ("table.concat({ {} })", "invalid value (table) at index 1", {"at": "main.lua:8"}),
    ('error("\\xff\\xfe")', "??", {"at": "main.lua:8"}),
    ('error { message = "odd", details = { f = print } }', "odd", {"details_lost": LOST}),
]


@pytest.mark.parametrize(("lua", "message", "details"), ERRORS, ids=[one[0] for one in ERRORS])
def test_any_error_has_a_message_and_details(
    launch: Launch, lua: str, message: str, details: dict[str, object]
) -> None:
    plugin = launch(f'tool("fail", function() {lua} end)').begin()

    failure = plugin.failure("fail")

    assert message in failure["message"]
    assert failure["details"] == {"exception": "LuaError", **details}


def test_an_error_may_say_that_a_retry_helps(launch: Launch) -> None:
    plugin = launch(
        'tool("fail", function() error { message = "busy", retryable = true } end)'
    ).begin()

    assert plugin.failure("fail")["retryable"] is True


def test_endless_recursion_fails_the_call_with_a_short_traceback(launch: Launch) -> None:
    plugin = launch("""
        local function down(n) return 1 + down(n + 1) end
        tool("fall", function() return down(0) end)
        tool("fine", function() return 1 end)
    """).begin()

    assert "stack overflow" in plugin.failure("fall")["message"]
    assert "skipping" in plugin.log
    assert plugin.log.count("in upvalue 'down'") < 40
    assert plugin.data("fine") == 1


def test_the_context_shows_the_call(launch: Launch) -> None:
    plugin = launch("""
        tool("show", function(args, ctx)
          return { id = ctx.call_id, chain = ctx.chain, settings = ctx.settings,
            cancelled = ctx.cancelled(), left = ctx.deadline_s(), none = ctx.no_such_member }
        end)
    """).begin(tone="low")

    shown = data_of(
        plugin.answer_to(
            plugin.start_call("show", call_id="c-9", chain=["agent.ask"], deadline_ms=9_000)
        )["result"]
    )

    assert 0 < float(shown.pop("left")) <= 9
    assert shown == {
        "id": "c-9",
        "chain": ["agent.ask"],
        "settings": {"tone": "low"},
        "cancelled": False,
    }


def test_progress_and_log_arrive_in_order(launch: Launch) -> None:
    plugin = launch("""
        tool("work", function(args, ctx)
          ctx.progress(1, 3, "one")
          ctx.log("half way", "warning", { at = 1.5, list = plugin.array() })
          ctx.progress(2.5)
          ctx.log("plain")
        end)
    """).begin()

    number = plugin.start_call("work", progressToken="p")

    assert plugin.answer_to(number)["result"]
    first, warning, second, plain = plugin.set_aside
    assert first["params"] == {"progressToken": "p", "progress": 1, "total": 3, "message": "one"}
    assert warning["params"] == {
        "level": "warning",
        "data": {"at": 1.5, "list": [], "message": "half way"},
    }
    assert second["params"] == {"progressToken": "p", "progress": 2.5}
    assert plain["params"] == {"level": "info", "data": "plain"}


def test_the_host_is_asked_for_state_calls_events_requests_and_models(launch: Launch) -> None:
    plugin = launch("""
        tool("all", function(args, ctx)
          local seen = {}
          ctx.state.set("k", { 1, plugin.null })
          seen.got = ctx.state.get("k", "default")
          seen.missing = ctx.state.get("none", "default")
          seen.deleted = ctx.state.delete("k")
          seen.keys = ctx.state.list("a")
          seen.called = ctx.call("other", "tool", { x = 1 }, 2.5)
          ctx.emit("done", { n = 1 })
          local answer = ctx.http("POST", "https://example.com/", { Accept = "*/*" }, { a = 1 })
          seen.http = { answer.status, answer.headers["x-one"], answer.body }
          seen.llm = ctx.llm({ { role = "user", content = "?" } }, { max_tokens = 5 }).text
          return seen
        end)
    """).begin()
    answers: dict[str, list[dict[str, Any]]] = {
        "plughost/state.set": [{}],
        "plughost/state.get": [{"found": True, "value": [1, None]}, {"found": False}],
        "plughost/state.delete": [{"deleted": True}],
        "plughost/state.list": [{"keys": ["a1", "a2"]}],
        "plughost/call": [{"content": [], "structuredContent": {"y": 2}}],
        "plughost/emit": [{}],
        "plughost/http": [{"status": 200, "headers": {"X-One": "1"}, "body": "hällo"}],
        "plughost/llm": [{"text": "!", "usage": {}, "stop_reason": "end"}],
    }
    asked = {}

    number = plugin.start_call("all")
    while "method" in (message := plugin.receive()):
        asked[message["method"]] = message["params"]
        plugin.send({"id": message["id"], "result": answers[message["method"]].pop(0)})

    assert message["id"] == number
    assert data_of(message["result"]) == {
        "got": [1, None],
        "missing": "default",
        "deleted": True,
        "keys": ["a1", "a2"],
        "called": {"y": 2},
        "http": [200, "1", "hällo"],
        "llm": "!",
    }
    assert asked["plughost/state.set"] == {"key": "k", "value": [1, None]}
    assert asked["plughost/call"] == {
        "plugin": "other",
        "tool": "tool",
        "arguments": {"x": 1},
        "call_id": "c-1",
        "timeout_ms": 2500,
    }
    assert asked["plughost/emit"] == {"name": "done", "payload": {"n": 1}}
    assert asked["plughost/http"]["body"] == '{"a":1}'
    assert asked["plughost/llm"]["max_tokens"] == 5


def test_a_refusal_of_the_host_is_an_error_with_a_type(launch: Launch) -> None:
    plugin = launch("""
        tool("try", function(args, ctx)
          local ok, problem = pcall(ctx.call, "other", "tool")
          return { ok = ok, text = tostring(problem), type = problem.type,
            retryable = problem.retryable, details = problem.details }
        end)
        tool("fall", function(args, ctx) ctx.emit("x") end)
    """).begin()
    data = {"type": "circuit-open", "message": "m", "retryable": True, "details": {"after": 3}}
    denied = {"type": "permission-denied", "message": "not granted", "retryable": False}

    number = plugin.start_call("try")
    request = plugin.next_named("plughost/call")
    plugin.send({"id": request["id"], "error": {"code": -32603, "message": "m", "data": data}})
    tried = data_of(plugin.answer_to(number)["result"])
    number = plugin.start_call("fall")
    request = plugin.next_named("plughost/emit")
    plugin.send({"id": request["id"], "error": {"code": -32001, "message": "m", "data": denied}})
    fallen = plugin.answer_to(number)["result"]["_meta"]["plughost/error"]

    assert tried == {
        "ok": False,
        "text": "m",
        "type": "circuit-open",
        "retryable": True,
        "details": {"after": 3},
    }
    assert fallen["message"] == "not granted"
    assert fallen["details"] == {"exception": "LuaError", "type": "permission-denied"}


def test_what_the_host_does_not_offer_is_refused_in_the_plugin(launch: Launch) -> None:
    plugin = launch('tool("try", function(args, ctx) ctx.emit("x") end)')
    plugin.initialize({**EXTENSION, "features": ["state"]})
    plugin.activate()

    failure = plugin.failure("try")

    assert "'emit'" in failure["message"]
    assert failure["details"]["type"] == "permission-denied"


MISTAKES = [
    ("ctx:progress(1)", "write ctx.progress(…) with a dot, not a colon"),
    ("ctx.state:get('k')", "write ctx.state.get(…) with a dot, not a colon"),
    ("ctx.progress('much')", "ctx.progress: progress must be a number, not a string"),
    ("ctx.log({})", "ctx.log: message must be a string, not a table"),
    ("ctx.log('x', 'loud')", "ctx.log: no such level: 'loud'"),
    ("ctx.state.get()", "ctx.state.get: key must be a string, not a nil"),
    ("ctx.state.set('k', { print })", "ctx.state.set: value[1] is a function"),
    ("ctx.call('p', 't', { 1 })", "ctx.call: arguments must be a table with named fields"),
    ("ctx.llm({}, { max_token = 1 })", "options are max_tokens and model, not max_token"),
    ("ctx.log('\\xff')", "a string given to the host is not UTF-8 text"),
    ("plugin.array(1)", "plughost.array takes a table, not a number"),
]


@pytest.mark.parametrize(("lua", "message"), MISTAKES, ids=[one[0] for one in MISTAKES])
def test_a_member_used_wrongly_says_how_it_is_used(launch: Launch, lua: str, message: str) -> None:
    plugin = launch(f"""
        tool("try", function(args, ctx) {lua} end)
        tool("caught", function(args, ctx) return type(select(2, pcall(function() {lua} end))) end)
    """).begin()

    assert message in plugin.failure("try")["message"]
    # What plugin code catches is Lua's, never an object of the interpreter around it.
    assert plugin.data("caught") in ("string", "table")


def test_a_context_is_of_no_use_after_its_call(launch: Launch) -> None:
    plugin = launch("""
        local kept
        tool("keep", function(args, ctx) kept = ctx end)
        tool("use", function() kept.progress(1) end)
    """).begin()
    plugin.data("keep")

    assert "belongs to a call that has ended" in plugin.failure("use")["message"]


def test_calls_run_one_at_a_time_in_order_of_arrival(launch: Launch) -> None:
    plugin = launch("""
        local inside, order = 0, {}
        tool("enter", function(args, ctx)
          inside = inside + 1
          assert(inside == 1)
          order[#order + 1] = args.n
          ctx.state.get("wait")
          inside = inside - 1
        end)
        tool("order", function() return order end)
    """).begin()

    numbers = [plugin.start_call("enter", {"n": n}) for n in range(8)]
    for _ in numbers:
        request = plugin.next_named("plughost/state.get")
        plugin.send({"id": request["id"], "result": {"found": False}})
    answers = [plugin.answer_to(number) for number in numbers]

    assert all("error" not in answer["result"] for answer in answers)
    assert plugin.data("order") == list(range(8))


def test_a_call_that_would_wait_for_itself_is_refused(launch: Launch) -> None:
    plugin = launch('tool("inner", function() return 1 end)').begin()

    number = plugin.start_call("inner", chain=["subject.outer", "other.middle"])
    error = plugin.answer_to(number)["result"]["_meta"]["plughost/error"]

    assert error["message"].startswith("subject.outer waits for this call")


def test_arguments_that_do_not_fit_never_reach_the_tool(launch: Launch) -> None:
    plugin = launch("""
        tool("add", function(args) return args.a + 1 end, { input = { type = "object",
          properties = { a = { type = "integer" } }, required = { "a" } } })
    """).begin()

    assert plugin.misfit("add", a="x").startswith("arguments.a")
    assert plugin.data("add", a=1) == 2


def test_a_plain_mcp_client_gets_text_and_no_extensions(launch: Launch) -> None:
    plugin = launch('tool("echo", function(args) return args end)', alone=True)
    plugin.initialize(None)

    result = plugin.ask("tools/call", name="echo", arguments={"a": 1})

    assert result["structuredContent"] == {"a": 1}
    assert result["content"] == [{"type": "text", "text": '{"a":1}'}]


def test_events_hooks_and_the_plugins_life_have_handlers(launch: Launch) -> None:
    plugin = launch("""
        local seen = {}
        local function note(text) seen[#seen + 1] = text end
        plugin.on_init(function(settings) note("init " .. settings.tone) end)
        plugin.on_cleanup(function() print("cleaned up") end)
        plugin.on("saved", function(event, ctx)
          note(event.name .. " " .. event.payload.n)
          ctx.log("noted")
        end)
        plugin.hook("tool_call", function(context)
          if context.deny then return { decision = "deny", message = "no" } end
        end)
        plugin.on_snapshot(function() return { seen = seen } end)
        plugin.on_restore(function(state) seen = state.seen end)
        plugin.on_channel_parse(function(payload, headers)
          return { { text = payload.text, sender = headers.from } }
        end)
        plugin.on_channel_format(function(message) return { body = message.text } end)
        tool("seen", function() return seen end)
    """)
    features = plugin.initialize()["capabilities"]["experimental"]["plughost"]["features"]
    assert sorted(features) == ["channel", "events", "hooks", "snapshot"]
    plugin.activate(tone="low")

    plugin.notify("plughost/event", name="saved", origin="host", seq=1, payload={"n": 7})
    assert plugin.next_named("notifications/message")["params"]["data"] == "noted"

    assert plugin.data("seen") == ["init low", "saved 7"]
    assert plugin.ask("plughost/hook", point="tool_call", context={"deny": False}) == {}
    assert plugin.ask("plughost/hook", point="tool_call", context={"deny": True}) == {
        "decision": "deny",
        "message": "no",
    }
    assert plugin.ask("plughost/snapshot") == {"state": {"seen": ["init low", "saved 7"]}}
    plugin.ask("plughost/restore", state={"seen": ["older"]})
    assert plugin.data("seen") == ["older"]
    assert plugin.ask("plughost/channel.parse", payload={"text": "t"}, headers={"from": "f"}) == {
        "messages": [{"text": "t", "sender": "f"}]
    }
    assert plugin.ask("plughost/channel.format", message={"text": "t"}) == {
        "payload": {"body": "t"}
    }
    assert plugin.ask("plughost/shutdown", grace_ms=1000) == {}
    assert plugin.exit_status() == 0
    assert "cleaned up" in plugin.log


def test_on_init_may_refuse_with_its_own_words(launch: Launch) -> None:
    plugin = launch('plugin.on_init(function() error("no key configured", 0) end)')
    plugin.initialize()

    error = plugin.error_of("plughost/activate", **activation({}))

    assert error["code"] == -32002
    assert error["data"]["type"] == "plugin-start-failed"
    assert "no key configured" in error["data"]["message"]
