"""Wire sections 5 to 7: tools, what travels with a call, cancellation, progress."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Start = Callable[..., Any]


def test_tools_list_says_what_the_plugin_declared(start: Start) -> None:
    """Wire §5.1."""
    wire = start(
        """
        const input = { type: "object", properties: { n: { type: "integer" } }, required: ["n"] };
        plugin.tool("full", { description: "All.", title: "Full", input, output: input,
          idempotent: true, longRunning: true, annotations: { readOnlyHint: true } }, () => null);
        plugin.tool("bare", { description: "Least.", output: { type: "string" } }, () => "");
        """
    ).greet()

    full, bare = wire.ask("tools/list")["tools"]

    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    assert full == {
        "name": "full",
        "title": "Full",
        "description": "All.",
        "inputSchema": schema,
        "outputSchema": schema,
        "annotations": {"readOnlyHint": True, "idempotentHint": True},
        "_meta": {"plughost/longRunning": True},
    }
    assert bare == {
        "name": "bare",
        "description": "Least.",
        "inputSchema": {"type": "object"},
        "outputSchema": {
            "type": "object",
            "properties": {"result": {"type": "string"}},
            "required": ["result"],
        },
    }


def test_many_tools_come_in_pages(start: Start) -> None:
    wire = start(
        'for (let i = 0; i < 450; i++) plugin.tool(`t${i}`, { description: "x" }, () => i);'
    ).greet()
    names: list[str] = []
    cursor: dict[str, str] = {}

    while True:
        page = wire.ask("tools/list", **cursor)
        names += [tool["name"] for tool in page["tools"]]
        if "nextCursor" not in page:
            break
        cursor = {"cursor": page["nextCursor"]}

    assert names == [f"t{i}" for i in range(450)]
    assert wire.error_of("tools/list", cursor="elsewhere")["code"] == -32602


@pytest.mark.parametrize(
    ("returned", "structured", "wrapped"),
    [
        ("({ a: [1, 'x', null] })", {"a": [1, "x", None]}, False),
        ("'text'", {"result": "text"}, True),
        ("null", {"result": None}, True),
        ("undefined", {"result": None}, True),
        ("[1, undefined]", {"result": [1, None]}, True),
        ("0", {"result": 0}, True),
        ("-0.5e-7", {"result": -0.5e-7}, True),
        ("({ at: new Date(0) })", {"at": "1970-01-01T00:00:00.000Z"}, False),
        ("new Date(0)", {"result": "1970-01-01T00:00:00.000Z"}, True),
        ("({ kept: 1, dropped: undefined })", {"kept": 1}, False),
        ("Promise.resolve(false)", {"result": False}, True),
        ("Object.assign(Object.create(null), { a: 1 })", {"a": 1}, False),
        ("new (class Point { x = 1 })()", {"x": 1}, False),
        ("1e21", {"result": 1e21}, True),
    ],
)
def test_what_a_tool_returns_travels_as_structured_content(
    start: Start, returned: str, structured: dict[str, Any], *, wrapped: bool
) -> None:
    """Wire §5.3, §5.4."""
    wire = start(f'plugin.tool("t", {{ description: "x" }}, () => {returned});').greet()

    result = wire.call("t")

    expected: dict[str, Any] = {"content": [], "structuredContent": structured}
    if wrapped:
        expected["_meta"] = {"plughost/wrapped": True}
    assert result == expected


def test_a_plain_client_gets_a_text_block_too(start: Start) -> None:
    """Wire §5.4."""
    wire = start(
        """
        plugin.tool("text", { description: "x" }, () => "as it is");
        plugin.tool("data", { description: "x" }, () => ({ a: 1 }));
        """
    ).greet(extension=None)

    assert wire.call("text")["content"] == [{"type": "text", "text": "as it is"}]
    assert wire.call("data")["content"] == [{"type": "text", "text": '{"a":1}'}]
    assert wire.call("data")["structuredContent"] == {"a": 1}


def test_a_tool_may_return_content_blocks_with_or_without_data(start: Start) -> None:
    """Wire §5.5."""
    wire = start(
        """
        const image = { type: "image", data: "aGk=", mimeType: "image/png" };
        plugin.tool("image", { description: "x" }, () => content(["see", image]));
        plugin.tool("both", { description: "x" }, () => content("three", 3));
        plugin.tool("wrong", { description: "x" }, () => content([{ type: "image" }]));
        """
    ).greet()

    blocks = [
        {"type": "text", "text": "see"},
        {"type": "image", "data": "aGk=", "mimeType": "image/png"},
    ]
    assert wire.call("image") == {"content": blocks}
    assert wire.call("both") == {
        "content": [{"type": "text", "text": "three"}],
        "structuredContent": {"result": 3},
        "_meta": {"plughost/wrapped": True},
    }
    assert "lacks data" in wire.failure("wrong")["message"]


def test_an_exception_is_a_tool_error_with_its_class_and_its_stack_in_the_log(start: Start) -> None:
    """Wire §5.6."""
    wire = start(
        """
        class NotToday extends Error {}
        plugin.tool("sync", { description: "x" }, () => { throw new NotToday("later"); });
        plugin.tool("async", { description: "x" }, async () => {
          await null;
          throw Object.assign(new TypeError("bad"), { code: "E_BAD" });
        });
        """
    ).greet()

    assert wire.failure("sync") == {
        "type": "tool-error",
        "message": "later",
        "retryable": False,
        "details": {"exception": "NotToday"},
    }
    assert wire.failure("async")["details"] == {"exception": "TypeError", "code": "E_BAD"}
    assert 'tool "sync" failed: Error: later' in wire.log
    assert "main.mjs:4" in wire.log


def test_a_tool_error_carries_its_own_details_and_no_stack(start: Start) -> None:
    wire = start(
        """
        plugin.tool("t", { description: "x" }, () => {
          throw new ToolError("busy", { retryable: true, details: { queue: 3 } });
        });
        plugin.tool("odd", { description: "x" }, () => {
          throw new ToolError("odd", { details: { n: 1n } });
        });
        """
    ).greet()

    assert wire.failure("t") == {
        "type": "tool-error",
        "message": "busy",
        "retryable": True,
        "details": {"exception": "ToolError", "queue": 3},
    }
    assert wire.failure("odd")["details"] == {"exception": "ToolError"}
    assert "main.mjs" not in wire.log


@pytest.mark.parametrize(
    ("thrown", "exception"),
    [
        ("'words'", "string"),
        ("null", "object"),
        ("undefined", "undefined"),
        ("{ toString() { throw 1; } }", "object"),
        ("Object.defineProperty(new Error(), 'message', { get() { throw 1; } })", "Error"),
        ("Object.create(null)", "object"),
    ],
)
def test_whatever_is_thrown_becomes_a_tool_error(start: Start, thrown: str, exception: str) -> None:
    wire = start(f'plugin.tool("t", {{ description: "x" }}, () => {{ throw {thrown}; }});').greet()

    assert wire.failure("t")["details"]["exception"] == exception
    assert wire.ask("ping") == {}


def test_a_deep_recursion_is_a_tool_error_with_a_short_log(start: Start) -> None:
    wire = start(
        """
        Error.stackTraceLimit = Infinity;
        const dive = (n) => dive(n + 1) + 1;
        plugin.tool("dive", { description: "x" }, () => dive(0));
        """
    ).greet()

    assert wire.failure("dive")["details"]["exception"] == "RangeError"
    assert "lines left out" in wire.log
    assert len(wire.log.splitlines()) < 60


@pytest.mark.parametrize(
    ("returned", "place", "words"),
    [
        ("({ items: [1, { n: 10n }] })", "$.items[1].n", "BigInt"),
        ("({ 'two words': NaN })", '$["two words"]', "NaN"),
        ("[Infinity]", "$[0]", "Infinity"),
        ("(() => { const a = {}; a.self = { a }; return a; })()", "$", "cycles"),
        ("({ f() {} })", "$.f", "function"),
        ("Symbol('s')", "$", "symbol"),
        ("new Map([[1, 2]])", "$", "Object.fromEntries"),
        ("({ s: new Set() })", "$.s", "[...set]"),
        ("Buffer.from('x')", "$", "base64"),
        ("({ text: '\\ud800' })", "$.text", "surrogate"),
        ("2 ** 64", "$", "64 bits"),
        ("-(2 ** 63)", "$", "64 bits"),
        ("({ p: Promise.resolve(1) })", "$.p", "await it"),
        ("({ get x() { throw new Error('boom'); } })", "$", "boom"),
        ("({ toJSON() { throw new Error('boom'); } })", "", "boom"),
    ],
)
def test_a_result_that_is_not_json_is_explained_with_tool_and_place(
    start: Start, returned: str, place: str, words: str
) -> None:
    """Wire §2.4; runtimes/README.md, "An SDK", 4."""
    wire = start(f'plugin.tool("odd", {{ description: "x" }}, () => {returned});').greet()

    message = wire.failure("odd")["message"]

    assert words in message
    assert place in message
    if place:
        assert 'tool "odd" returned something that is not JSON' in message
    assert wire.ask("ping") == {}


def test_a_result_larger_than_a_message_is_explained_before_it_is_written(start: Start) -> None:
    wire = start(
        """
        plugin.tool("long", { description: "x" }, () => "x".repeat(5_000_000));
        plugin.tool("wide", { description: "x" }, () => "é".repeat(3_000_000));
        plugin.tool("sparse", { description: "x" }, () => new Array(2 ** 32 - 1));
        plugin.tool("bomb", { description: "x" }, () => {
          let value = "boom";
          for (let i = 0; i < 50; i += 1) value = [value, value];
          return value;
        });
        """
    ).greet()

    for tool in ("long", "wide", "sparse", "bomb"):
        message = wire.failure(tool)["message"]
        assert f'tool "{tool}"' in message
        assert "message" in message
    assert wire.ask("ping") == {}


def test_an_unknown_tool_and_misfitting_arguments_are_refused(start: Start) -> None:
    """Wire §5.7."""
    wire = start(
        """
        const input = { type: "object", properties: { n: { type: "integer", minimum: 1 } },
          required: ["n"], additionalProperties: false };
        plugin.tool("t", { description: "x", input }, ({ n }) => n);
        """
    ).greet()

    def error_of(tool: str, arguments: Any) -> dict[str, Any]:
        error: dict[str, Any] = wire.error_of("tools/call", name=tool, arguments=arguments)
        return error

    unknown = error_of("toString", {})
    assert (unknown["code"], unknown["data"]["type"]) == (-32602, "tool-not-found")
    assert "known: t" in unknown["message"]
    for arguments, words in [
        ({}, 'lacks "n"'),
        ({"n": "1"}, "$.n is string, not integer"),
        ({"n": 0}, "less than the minimum of 1"),
        ({"n": 1, "m": 2}, "$.m is unknown; known: n"),
        ([], "not an object"),
    ]:
        error = error_of("t", arguments)
        assert (error["code"], error["data"]["type"]) == (-32602, "invalid-arguments")
        assert words in error["message"]
    assert wire.data("t", n=1) == 1


def test_dangerous_keys_in_arguments_stay_data(start: Start) -> None:
    wire = start(
        """
        plugin.tool("echo", { description: "x" }, (args) => args);
        plugin.tool("polluted", { description: "x" }, () => ({}).polluted ?? "clean");
        """
    ).greet()
    arguments = {
        "__proto__": {"polluted": True},
        "constructor": {"prototype": {"polluted": True}},
        "toString": 1,
    }

    assert wire.data("echo", **arguments) == arguments
    assert wire.data("polluted") == "clean"


def test_a_tool_added_later_is_announced(start: Start) -> None:
    """Wire §5.8."""
    wire = start(
        """
        plugin.tool("grow", { description: "x" }, () => {
          plugin.tool("new", { description: "x" }, () => "new");
        });
        """
    ).greet()
    wire.ask("tools/list")

    wire.call("grow")

    assert wire.next_named("notifications/tools/list_changed")
    assert [tool["name"] for tool in wire.ask("tools/list")["tools"]] == ["grow", "new"]
    assert wire.data("new") == "new"


def test_pings_and_other_calls_are_answered_while_tools_wait(start: Start) -> None:
    """Wire §5.9; runtimes/README.md, "An SDK", 1 and 2."""
    wire = start(
        """
        let open;
        const door = new Promise((resolve) => { open = resolve; });
        plugin.tool("wait", { description: "x" }, () => door);
        plugin.tool("open", { description: "x" }, () => open("in"));
        """
    ).greet()

    waiting = [wire.start_call("wait") for _ in range(32)]
    assert wire.ask("ping") == {}
    wire.call("open")

    for request_id in waiting:
        assert wire.answer_to(request_id)["result"]["structuredContent"] == {"result": "in"}


def test_the_context_shows_what_travels_with_the_call(start: Start) -> None:
    """Wire §6."""
    wire = start(
        """
        plugin.tool("t", { description: "x" }, (_, ctx) => ({
          inTime: ctx.deadlineS > 0 && ctx.deadlineS <= 5 && ctx.deadline_s <= 5,
          callId: ctx.callId, chain: ctx.chain, traceparent: ctx.traceparent,
          cancelled: ctx.cancelled, settings: ctx.settings,
        }));
        plugin.tool("bare", { description: "x" }, (_, ctx) =>
          [ctx.deadlineS, ctx.callId, ctx.chain, ctx.traceparent]);
        """
    )
    wire.initialize()
    wire.activate(language="de")

    request = wire.start_call(
        "t", deadline_ms=5000, call_id="c-7", chain=["a.b"], traceparent="00-1-2-01"
    )

    assert wire.answer_to(request)["result"]["structuredContent"] == {
        "inTime": True,
        "callId": "c-7",
        "chain": ["a.b"],
        "traceparent": "00-1-2-01",
        "cancelled": False,
        "settings": {"language": "de"},
    }
    bare = wire.ask("tools/call", name="bare")
    assert bare["structuredContent"] == {"result": [None, None, [], None]}


def test_progress_grows_and_needs_a_token(start: Start) -> None:
    """Wire §7.3."""
    wire = start(
        """
        let kept;
        plugin.tool("t", { description: "x" }, (_, ctx) => {
          kept = ctx;
          ctx.progress(1, 10, "begun");
          ctx.progress(0.5);
          ctx.progress(2);
        });
        plugin.tool("late", { description: "x" }, () => kept.progress(3));
        """
    ).greet()

    wire.answer_to(wire.start_call("t", progressToken="p"))

    assert [message["params"] for message in wire.set_aside] == [
        {"progressToken": "p", "progress": 1, "total": 10, "message": "begun"},
        {"progressToken": "p", "progress": 2},
    ]
    wire.set_aside.clear()
    wire.call("late")
    wire.call("t")
    assert wire.set_aside == []


def test_progress_of_a_tool_that_never_yields_leaves_while_it_computes(start: Start) -> None:
    wire = start(
        """
        import { readFileSync } from "node:fs";
        plugin.tool("t", { description: "x" }, ({ path }, ctx) => {
          ctx.progress(1);
          for (;;) try { return readFileSync(path, "utf8"); } catch { /* not there yet */ }
        });
        """
    ).greet()
    signal = wire.log_path.with_name("signal")

    request = wire.start_call("t", {"path": str(signal)}, progressToken=1)
    assert wire.next_named("notifications/progress")["params"]["progress"] == 1
    signal.with_suffix(".new").write_text("go", encoding="utf-8")
    signal.with_suffix(".new").rename(signal)

    assert wire.answer_to(request)["result"]["structuredContent"] == {"result": "go"}


CANCELLABLE = """
plugin.tool("wait", { description: "x" }, async (_, ctx) => {
  ctx.log("waiting");
  await new Promise((resolve) => ctx.signal.addEventListener("abort", resolve));
  await new Promise((resolve) => setTimeout(resolve, 30));
  ctx.log(`cancelled: ${ctx.cancelled}, ${ctx.signal.reason.name}, ${ctx.signal.reason.message}`);
  return "too late";
});
"""


def test_a_cancelled_call_is_answered_once_its_tool_has_ended(start: Start) -> None:
    """Wire §7.1, §7.2."""
    wire = start(CANCELLABLE).greet()

    request = wire.start_call("wait")
    wire.next_named("notifications/message")
    wire.notify("notifications/cancelled", requestId=request, reason="enough")
    ended = wire.next_named("notifications/message")["params"]["data"]

    assert ended == "cancelled: true, CancelledError, the call was cancelled: enough"
    error = wire.answer_to(request)["error"]
    assert (error["code"], error["data"]["type"]) == (-32800, "cancelled")


def test_a_plain_client_gets_no_answer_to_a_cancelled_call(start: Start) -> None:
    """Wire §7.2."""
    wire = start(CANCELLABLE).greet(extension=None)

    request = wire.start_call("wait")
    wire.next_named("notifications/message")
    wire.notify("notifications/cancelled", requestId=request)
    wire.next_named("notifications/message")
    wire.ask("ping")

    assert [message for message in wire.set_aside if message.get("id") == request] == []


def test_cancelling_what_is_unknown_or_answered_changes_nothing(start: Start) -> None:
    wire = start('plugin.tool("t", { description: "x" }, () => 1);').greet()

    request = wire.start_call("t")
    wire.answer_to(request)
    wire.notify("notifications/cancelled", requestId=request)
    wire.notify("notifications/cancelled", requestId="never")
    wire.notify("notifications/cancelled")

    assert wire.data("t") == 1
