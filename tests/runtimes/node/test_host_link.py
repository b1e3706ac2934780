"""Wire sections 9 and 10: what the host asks of a plugin, and a plugin of the host."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

Start = Callable[..., Any]


def answer(wire: Any, method: str, **result: Any) -> dict[str, Any]:
    """Play the host: answer the plugin's next request and return what it asked."""
    request: dict[str, Any] = wire.next_named(method)
    wire.send({"id": request["id"], "result": result})
    params: dict[str, Any] = request["params"]
    return params


def test_a_refused_activation_says_why(start: Start) -> None:
    """Wire §9.1."""
    wire = start(
        """
        plugin.onInit(async ({ key }) => {
          if (!key) throw new RangeError("settings.key is empty");
        });
        """
    )
    wire.initialize()

    error = wire.error_of("plughost/activate", settings={}, limits={})

    assert error["code"] == -32002
    assert error["data"]["type"] == "plugin-start-failed"
    assert "RangeError: settings.key is empty" in error["message"]
    assert "main.mjs" in wire.log
    assert wire.activate(key="k") == {}


def test_a_second_activation_brings_new_settings(start: Start) -> None:
    """Wire §9.1."""
    wire = start(
        """
        const seen = [];
        plugin.onInit((settings) => { seen.push(settings.n); });
        plugin.tool("seen", { description: "x" }, (_, ctx) => [...seen, ctx.settings.n]);
        """
    )
    wire.initialize()

    wire.activate(n=1)
    assert wire.data("seen") == [1, 1]
    wire.activate(n=2)
    assert wire.data("seen") == [1, 2, 2]


def test_calls_that_overtake_a_slow_on_init_wait_for_it_and_pings_do_not(start: Start) -> None:
    wire = start(
        """
        plugin.onInit(async () => { await plugin.extendStart(30); });
        plugin.tool("t", { description: "x" }, () => "ready");
        """
    )
    wire.initialize()
    activation = wire.request("plughost/activate", {"settings": {}, "limits": {}})
    call = wire.start_call("t")
    assert wire.ask("ping") == {}

    assert answer(wire, "plughost/extend_start") == {"seconds": 30}

    assert wire.answer_to(activation)["result"] == {}
    assert wire.answer_to(call)["result"]["structuredContent"] == {"result": "ready"}


def test_events_reach_every_handler_in_order_and_a_failing_one_hurts_nobody(start: Start) -> None:
    """Wire §9.3."""
    wire = start(
        """
        const seen = [];
        plugin.on("tick", (event) => { seen.push(event); });
        plugin.on("tick", async () => { throw new Error("handler broke"); });
        plugin.tool("seen", { description: "x" }, () => seen);
        """
    ).greet()
    events = [{"name": "tick", "origin": "host", "seq": n, "payload": {"n": n}} for n in (1, 2)]

    for event in events:
        wire.notify("plughost/event", **event)
    wire.notify("plughost/event", name="tock", origin="host", seq=3, payload={})

    assert wire.data("seen") == events
    assert wire.log.count("handler broke") == 2


def test_hooks_decide(start: Start) -> None:
    """Wire §9.4."""
    wire = start(
        """
        plugin.hook("tool_call", async ({ tool }) => {
          if (tool === "rm") return { decision: "deny", message: "not that one" };
          if (tool === "odd") return { decision: "perhaps" };
          if (tool === "boom") throw new Error("hook broke");
          if (tool === "fix") return { patch: { arguments: { safe: true } } };
        });
        """
    ).greet()

    def decide(tool: str, point: str = "tool_call") -> Any:
        return wire.ask("plughost/hook", point=point, context={"tool": tool})

    assert decide("rm") == {"decision": "deny", "message": "not that one"}
    assert decide("fix") == {"patch": {"arguments": {"safe": True}}}
    assert decide("ls") == {}
    assert decide("rm", point="elsewhere") == {}
    for tool, words in [("odd", "perhaps"), ("boom", "hook broke")]:
        error = wire.error_of("plughost/hook", point="tool_call", context={"tool": tool})
        assert error["code"] == -32603
        assert words in error["message"]


def test_state_is_handed_from_generation_to_generation(start: Start) -> None:
    """Wire §9.5."""
    code = """
    let total = 0;
    plugin.tool("add", { description: "x" }, ({ n }) => (total += n));
    plugin.onSnapshot(() => ({ total }));
    plugin.onRestore((state) => {
      if (state.total < 0) throw new Error("negative total");
      total = state.total;
    });
    """
    old = start(code).greet()
    new = start(code).greet()
    old.call("add", n=5)

    assert new.ask("plughost/restore", **old.ask("plughost/snapshot")) == {}

    assert new.data("add", n=1) == 6
    error = new.error_of("plughost/restore", state={"total": -1})
    assert error["code"] == -32002
    assert "negative total" in error["message"]
    assert start("").greet().error_of("plughost/snapshot")["code"] == -32601


def test_channels_translate_both_ways(start: Start) -> None:
    """Wire §9.6."""
    wire = start(
        """
        plugin.onChannelParse((payload, headers) => [{ text: payload.body, from: headers.from }]);
        plugin.onChannelFormat((message) => ({ body: message.text }));
        """
    )
    assert wire.initialize()["capabilities"]["experimental"]["plughost"]["features"] == ["channel"]
    wire.activate()

    parsed = wire.ask("plughost/channel.parse", payload={"body": "hi"}, headers={"from": "ada"})

    assert parsed == {"messages": [{"text": "hi", "from": "ada"}]}
    formatted = wire.ask("plughost/channel.format", message={"text": "yo"})
    assert formatted == {"payload": {"body": "yo"}}


def test_a_tool_calls_another_plugins_tool(start: Start) -> None:
    """Wire §10.1."""
    wire = start(
        """
        plugin.tool("t", { description: "x" }, (_, ctx) =>
          ctx.call("unit-convert", "convert", { n: 1 }, { timeoutS: 1.5 }));
        """
    ).greet()
    wrapped = {"structuredContent": {"result": 7}, "_meta": {"plughost/wrapped": True}}
    results: list[tuple[dict[str, Any], Any]] = [
        ({"content": [], **wrapped}, 7),
        ({"content": [], "structuredContent": {"a": 1}}, {"a": 1}),
        ({"content": [{"type": "text", "text": "12"}]}, "12"),
    ]

    for result, data in results:
        request = wire.start_call("t", call_id="c-9")
        asked = answer(wire, "plughost/call", **result)
        returned = wire.answer_to(request)["result"]["structuredContent"]
        assert returned == (data if isinstance(data, dict) else {"result": data})
        assert asked == {
            "plugin": "unit-convert",
            "tool": "convert",
            "arguments": {"n": 1},
            "call_id": "c-9",
            "timeout_ms": 1500,
        }


def test_a_failed_call_of_another_tool_rejects_with_its_type(start: Start) -> None:
    wire = start(
        """
        plugin.tool("t", { description: "x" }, async (_, ctx) => {
          try { await ctx.call("a", "b"); } catch (error) {
            return [error instanceof PlughostError, error.type, error.message, error.retryable];
          }
        });
        plugin.tool("pass", { description: "x" }, (_, ctx) => ctx.call("a", "b"));
        """
    ).greet()
    told = {"type": "tool-error", "message": "no", "retryable": True, "details": {}}

    request = wire.start_call("t")
    answer(wire, "plughost/call", content=[], isError=True, _meta={"plughost/error": told})
    assert wire.answer_to(request)["result"]["structuredContent"]["result"] == [
        True,
        "tool-error",
        "no",
        True,
    ]

    request = wire.start_call("pass")
    asked = wire.next_named("plughost/call")
    data = {"type": "permission-denied", "message": "not granted", "retryable": False}
    wire.send({"id": asked["id"], "error": {"code": -32001, "message": "no grant", "data": data}})
    error = wire.answer_to(request)["result"]["_meta"]["plughost/error"]
    assert error["details"] == {"exception": "PlughostError", "type": "permission-denied"}
    assert error["message"] == "no grant"


def test_state_emit_http_and_llm_travel_as_the_contract_says(start: Start) -> None:
    """Wire §10.2 to §10.6."""
    wire = start(
        """
        plugin.tool("t", { description: "x" }, async (_, ctx) => {
          const out = [];
          out.push(await ctx.state.get("k", "default"), await ctx.state.get("k"));
          await ctx.state.set("k", { a: 1 });
          out.push(await ctx.state.delete("k"), await ctx.state.list("p"));
          await ctx.emit("text.indexed", { n: 1 });
          const page = await ctx.http("POST", new URL("https://example.com/x"),
            { headers: { a: "b" }, body: new Uint8Array([255]) });
          out.push(page.status, page.body.toString("hex"));
          out.push((await ctx.http("GET", "https://example.com/")).body);
          out.push(await ctx.secretExists("TOKEN"));
          out.push(await ctx.llm("Hi", { maxTokens: 5, model: "m" }));
          return out;
        });
        """
    ).greet()

    request = wire.start_call("t")
    asked = [
        answer(wire, "plughost/state.get", found=False, value=None),
        answer(wire, "plughost/state.get", found=True, value=None),
        answer(wire, "plughost/state.set"),
        answer(wire, "plughost/state.delete", deleted=True),
        answer(wire, "plughost/state.list", keys=["p1"]),
        answer(wire, "plughost/emit"),
        answer(wire, "plughost/http", status=200, headers={}, body_base64="/w=="),
        answer(wire, "plughost/http", status=200, headers={}, body="page"),
        answer(wire, "plughost/secret.exists", exists=True),
        answer(
            wire,
            "plughost/llm",
            text="Hello",
            usage={"input_tokens": 1, "output_tokens": 2},
            stop_reason="end_turn",
        ),
    ]

    assert asked == [
        {"key": "k"},
        {"key": "k"},
        {"key": "k", "value": {"a": 1}},
        {"key": "k"},
        {"prefix": "p"},
        {"name": "text.indexed", "payload": {"n": 1}},
        {
            "method": "POST",
            "url": "https://example.com/x",
            "headers": {"a": "b"},
            "body_base64": base64.b64encode(b"\xff").decode(),
        },
        {"method": "GET", "url": "https://example.com/"},
        {"name": "TOKEN"},
        {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 5, "model": "m"},
    ]
    usage = {"inputTokens": 1, "outputTokens": 2}
    assert wire.answer_to(request)["result"]["structuredContent"]["result"] == [
        "default",
        None,
        True,
        ["p1"],
        200,
        "ff",
        "page",
        True,
        {"text": "Hello", "usage": usage, "stopReason": "end_turn"},
    ]


@pytest.mark.parametrize(
    ("use", "feature"),
    [
        ("ctx.call('a', 'b')", "call"),
        ("ctx.state.get('k')", "state"),
        ("ctx.emit('e')", "emit"),
        ("ctx.http('GET', 'https://example.com')", "http"),
        ("ctx.secretExists('K')", "http"),
        ("ctx.llm('x')", "llm"),
    ],
)
def test_what_the_host_did_not_offer_is_refused_without_asking(
    start: Start, use: str, feature: str
) -> None:
    """Wire §10."""
    wire = start(f'plugin.tool("t", {{ description: "x" }}, (_, ctx) => {use});')
    wire.greet({"version": "1.0.0", "features": ["telepathy"]})

    error = wire.failure("t")

    assert f'needs the feature "{feature}"' in error["message"]
    assert "it offers: telepathy" in error["message"]
    assert error["details"] == {"exception": "PlughostError", "type": "permission-denied"}
    assert wire.set_aside == []


def test_a_plain_client_offers_nothing(start: Start) -> None:
    wire = start('plugin.tool("t", { description: "x" }, (_, ctx) => ctx.state.get("k"));')
    wire.greet(extension=None)

    assert "only a Plughost host offers" in wire.failure("t")["message"]


def test_a_cancelled_call_withdraws_what_it_asked_of_the_host(start: Start) -> None:
    """Wire §7.1: cancelled where it waits."""
    wire = start(
        """
        plugin.tool("t", { description: "x" }, async (_, ctx) => {
          try { await ctx.call("slow", "tool"); }
          catch (error) { ctx.log(error.constructor.name); throw error; }
        });
        """
    ).greet()
    request = wire.start_call("t")
    asked = wire.next_named("plughost/call")

    wire.notify("notifications/cancelled", requestId=request)

    withdrawn = wire.next_named("notifications/cancelled")
    assert withdrawn["params"]["requestId"] == asked["id"]
    assert wire.next_named("notifications/message")["params"]["data"] == "CancelledError"
    assert wire.answer_to(request)["error"]["code"] == -32800
    wire.send({"id": asked["id"], "result": {"content": []}})
    assert wire.ask("ping") == {}


def test_what_cannot_be_asked_is_explained_in_the_tool(start: Start) -> None:
    wire = start(
        """
        plugin.tool("big", { description: "x" }, (_, ctx) => ctx.state.set("k", { n: 1n }));
        plugin.tool("none", { description: "x" }, (_, ctx) => ctx.state.set("k", undefined));
        plugin.tool("time", { description: "x" }, (_, ctx) =>
          ctx.call("a", "b", {}, { timeoutS: -1 }));
        plugin.tool("log", { description: "x" }, (_, ctx) => ctx.log("x", "loud"));
        """
    ).greet()

    assert "plughost/state.set: $.value.n is a BigInt" in wire.failure("big")["message"]
    assert "use delete" in wire.failure("none")["message"]
    assert "timeoutS is -1" in wire.failure("time")["message"]
    assert "not one of debug, info" in wire.failure("log")["message"]


def test_an_answer_too_long_to_read_fails_the_question(start: Start) -> None:
    """Wire §2.5."""
    wire = start(
        """
        plugin.tool("t", { description: "x" }, (_, ctx) =>
          ctx.http("GET", "https://example.com").catch((error) => error.type));
        """
    ).greet()
    request = wire.start_call("t")
    asked = wire.next_named("plughost/http")

    wire.send({"id": asked["id"], "result": {"body": "x" * (4 * 1024 * 1024)}})

    assert wire.answer_to(request)["result"]["structuredContent"] == {"result": "output-limit"}
