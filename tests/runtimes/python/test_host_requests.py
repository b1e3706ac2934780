"""What a plugin asks its host, and what the host asks of its handlers (wire 9 and 10)."""

from __future__ import annotations

from typing import Any

import pytest
from tests.runtimes.python.conftest import Launch
from tests.runtimes.python.wire_client import FEATURES, WireClient, data_of

TOOLS = '''
async def both(value):
    """Wait for what an async context returns, and take what a plain one did."""
    return await value if hasattr(value, "__await__") else value

STEPS = {
    "get": lambda ctx: ctx.state.get("k", "nothing"),
    "set": lambda ctx: ctx.state.set("k", {"v": [1]}),
    "delete": lambda ctx: ctx.state.delete("k"),
    "list": lambda ctx: ctx.state.list("a"),
    "list all": lambda ctx: ctx.state.list(),
    "call": lambda ctx: ctx.call("other", "tool", {"a": 1}, timeout_s=1.5),
    "emit": lambda ctx: ctx.emit("text.indexed", {"n": 1}),
    "http": lambda ctx: ctx.http("GET", "https://x/", {"A": "b"}),
    "post": lambda ctx: ctx.http("POST", "https://x/", body={"a": 1}),
    "post bytes": lambda ctx: ctx.http("POST", "https://x/", body=b"raw"),
    "post text": lambda ctx: ctx.http("POST", "https://x/", body="text"),
    "llm": lambda ctx: ctx.llm([{"role": "user", "content": "hi"}], max_tokens=5, model="m"),
    "secret": lambda ctx: ctx.secret_exists("TOKEN"),
    "not json": lambda ctx: ctx.state.set("k", {1, 2}),
    "too long": lambda ctx: ctx.state.set("k", "x" * 5_000_000),
}

def shown(value):
    if isinstance(value, Response):
        return [value.status, value.headers, value.text, value.ok]
    return value

@plugin.tool
def plain(what: str, ctx: Context) -> Any:
    return shown(STEPS[what](ctx))

@plugin.tool
async def awaited(what: str, ctx: Context) -> Any:
    return shown(await STEPS[what](ctx))

@plugin.tool
def handled(ctx: Context) -> dict[str, Any]:
    try:
        ctx.state.get("k")
    except HostError as error:
        return {"type": error.type, "message": error.message, "retryable": error.retryable,
                "details": error.details}
    return {}
'''

EXCHANGES: list[tuple[str, str, dict[str, Any], dict[str, Any], Any]] = [
    ("get", "state.get", {"key": "k"}, {"found": True, "value": [1]}, [1]),
    ("get", "state.get", {"key": "k"}, {"found": False}, "nothing"),
    ("get", "state.get", {"key": "k"}, {"found": True, "value": None}, None),
    ("set", "state.set", {"key": "k", "value": {"v": [1]}}, {}, None),
    ("delete", "state.delete", {"key": "k"}, {"deleted": True}, True),
    ("list", "state.list", {"prefix": "a"}, {"keys": ["a", "ab"]}, ["a", "ab"]),
    ("list all", "state.list", {}, {"keys": []}, []),
    (
        "call",
        "call",
        {
            "plugin": "other",
            "tool": "tool",
            "arguments": {"a": 1},
            "call_id": "c-1",
            "timeout_ms": 1500,
        },
        {"content": [], "structuredContent": {"result": 4}, "_meta": {"plughost/wrapped": True}},
        4,
    ),
    ("emit", "emit", {"name": "text.indexed", "payload": {"n": 1}}, {}, None),
    (
        "http",
        "http",
        {"method": "GET", "url": "https://x/", "headers": {"A": "b"}},
        {"status": 200, "headers": {"Content-Type": "text/plain"}, "body": "grüße"},
        [200, {"content-type": "text/plain"}, "grüße", True],
    ),
    (
        "post",
        "http",
        {
            "method": "POST",
            "url": "https://x/",
            "headers": {"Content-Type": "application/json"},
            "body": '{"a":1}',
        },
        {"status": 404, "headers": {}, "body_base64": "cmF3"},
        [404, {}, "raw", False],
    ),
    (
        "post bytes",
        "http",
        {"method": "POST", "url": "https://x/", "body_base64": "cmF3"},
        {"status": 204, "headers": {}},
        [204, {}, "", True],
    ),
    (
        "post text",
        "http",
        {"method": "POST", "url": "https://x/", "body": "text"},
        {"status": 204, "headers": {}},
        [204, {}, "", True],
    ),
    (
        "llm",
        "llm",
        {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 5, "model": "m"},
        {"text": "ho", "usage": {"input_tokens": 1, "output_tokens": 1}, "stop_reason": "end"},
        {"text": "ho", "usage": {"input_tokens": 1, "output_tokens": 1}, "stop_reason": "end"},
    ),
    ("secret", "secret.exists", {"name": "TOKEN"}, {"exists": True}, True),
]


@pytest.fixture
def plugin(launch: Launch) -> WireClient:
    return launch(TOOLS).begin()


@pytest.mark.parametrize("tool", ["plain", "awaited"])
def test_each_request_travels_as_the_contract_says(plugin: WireClient, tool: str) -> None:
    """Contract: wire 10.1 to 10.6."""
    for what, method, params, answer, value in EXCHANGES:
        call = plugin.start_call(tool, {"what": what})
        asked = plugin.next_named(f"plughost/{method}")
        assert asked["params"] == params
        plugin.send({"id": asked["id"], "result": answer})

        assert data_of(plugin.answer_to(call)["result"]) == value, what


def test_the_plugins_ids_are_its_own_and_never_used_twice(plugin: WireClient) -> None:
    """Contract: wire 3.2."""
    ids = []
    for _ in range(5):
        call = plugin.start_call("plain", {"what": "get"})
        asked = plugin.next_named("plughost/state.get")
        ids.append(asked["id"])
        plugin.send({"id": asked["id"], "result": {"found": False}})
        plugin.send({"id": asked["id"], "result": {"found": True, "value": "late"}})
        assert data_of(plugin.answer_to(call)["result"]) == "nothing"

    assert len(set(ids)) == 5


@pytest.mark.parametrize("tool", ["plain", "awaited"])
@pytest.mark.parametrize(
    ("what", "feature"),
    [("get", "state"), ("call", "call"), ("emit", "emit"), ("http", "http"), ("llm", "llm"),
     ("secret", "http")],
)  # fmt: skip
def test_what_the_host_does_not_offer_is_refused_here_by_name(
    launch: Launch, tool: str, what: str, feature: str
) -> None:
    """Contract: runtimes/README.md, an SDK, 5."""
    plugin = launch(TOOLS)
    offered = [one for one in FEATURES if one != feature]
    plugin.initialize({"version": "1.0.0", "features": offered})
    plugin.activate()

    message = plugin.failure(tool, what=what)["message"]

    assert f"feature {feature!r}" in message
    assert plugin.set_aside == []


def test_in_a_plain_mcp_client_every_feature_is_refused(launch: Launch) -> None:
    plugin = launch(TOOLS, alone=True)
    plugin.initialize(None)

    assert "plain MCP client" in plugin.failure("plain", what="get")["message"]


def test_an_error_of_the_host_is_an_exception_with_its_type(plugin: WireClient) -> None:
    """Contract: wire 10, 3.5."""
    call = plugin.start_call("handled")
    asked = plugin.next_named("plughost/state.get")
    data = {"type": "permission-denied", "message": "not yours", "retryable": False,
            "details": {"key": "k"}}  # fmt: skip
    error = {"code": -32001, "message": "permission denied", "data": data}
    plugin.send({"id": asked["id"], "error": error})

    assert data_of(plugin.answer_to(call)["result"]) == data


@pytest.mark.parametrize("error", [{"code": 1, "message": "only words"}, "nonsense", {}])
def test_an_error_of_the_host_may_be_bare(plugin: WireClient, error: object) -> None:
    call = plugin.start_call("handled")
    asked = plugin.next_named("plughost/state.get")
    plugin.send({"id": asked["id"], "error": error})

    seen = data_of(plugin.answer_to(call)["result"])
    assert seen["type"] == "internal"
    assert seen["message"] in ("only words", "the host gave no reason")


@pytest.mark.parametrize("tool", ["plain", "awaited"])
@pytest.mark.parametrize(
    ("answer", "data"),
    [
        ({"content": [{"type": "text", "text": "{}"}]}, "{}"),
        ({"content": [], "structuredContent": {"result": 1}}, {"result": 1}),
        ({"content": [{"type": "image"}, {"type": "text", "text": "a"}]},
         [{"type": "image"}, {"type": "text", "text": "a"}]),
    ],
)  # fmt: skip
def test_the_data_of_another_plugins_result_is_found(
    plugin: WireClient, tool: str, answer: dict[str, Any], data: object
) -> None:
    call = plugin.start_call(tool, {"what": "call"})
    asked = plugin.next_named("plughost/call")
    plugin.send({"id": asked["id"], "result": answer})

    assert data_of(plugin.answer_to(call)["result"]) == data


@pytest.mark.parametrize("tool", ["plain", "awaited"])
def test_another_plugins_failure_is_this_tools_failure_unless_it_is_caught(
    plugin: WireClient, tool: str
) -> None:
    call = plugin.start_call(tool, {"what": "call"})
    asked = plugin.next_named("plughost/call")
    failure = {"type": "tool-error", "message": "no luck", "retryable": True}
    answer = {"content": [], "isError": True, "_meta": {"plughost/error": failure}}
    plugin.send({"id": asked["id"], "result": answer})

    error = plugin.answer_to(call)["result"]["_meta"]["plughost/error"]
    assert error["message"] == "no luck"
    assert error["retryable"] is True
    assert error["details"] == {"exception": "HostError", "type": "tool-error"}


@pytest.mark.parametrize("tool", ["plain", "awaited"])
@pytest.mark.parametrize(
    ("what", "words"), [("not json", "params.value is a set"), ("too long", "4194304")]
)
def test_what_cannot_be_sent_to_the_host_is_explained(
    plugin: WireClient, tool: str, what: str, words: str
) -> None:
    assert words in plugin.failure(tool, what=what)["message"]


HANDLERS = """
@plugin.hook("tool_call")
def guard(context):
    return {"deny": "deny", "allow": "allow", "nothing": None, "bad": 7, "worse": {"decision": "x"},
            "patch": {"decision": "allow", "message": "m", "patch": {"a": 1}}}[context["say"]]

kept = {}

@plugin.on_snapshot
def snapshot():
    return kept

@plugin.on_restore
async def restore(state):
    kept.update(state)

@plugin.on_channel_parse
def parse(payload, headers):
    return [{"text": payload["text"], "from": headers.get("x-from")}]

@plugin.on_channel_format
async def fmt(message, ctx):
    assert isinstance(ctx, Context)
    return {"body": message["text"]}
"""


def test_hooks_decide(launch: Launch) -> None:
    """Contract: wire 9.4."""
    plugin = launch(HANDLERS).begin()

    def ask(say: str) -> dict[str, Any]:
        return plugin.ask("plughost/hook", point="tool_call", context={"say": say})

    assert ask("deny") == {"decision": "deny"}
    assert ask("allow") == {"decision": "allow"}
    assert ask("nothing") == {}
    assert ask("patch") == {"decision": "allow", "message": "m", "patch": {"a": 1}}
    assert plugin.ask("plughost/hook", point="unheard", context={}) == {}
    for say in ("bad", "worse", "unknown"):
        error = plugin.error_of("plughost/hook", point="tool_call", context={"say": say})
        assert error["code"] == -32603
        assert error["data"]["type"] == "tool-error"


def test_state_is_handed_over_between_generations(launch: Launch) -> None:
    """Contract: wire 9.5."""
    plugin = launch(HANDLERS).begin()

    assert plugin.ask("plughost/restore", state={"a": 1}) == {}
    assert plugin.ask("plughost/snapshot") == {"state": {"a": 1}}
    assert plugin.error_of("plughost/restore", state=5)["code"] == -32002
    assert launch("").begin().error_of("plughost/snapshot")["code"] == -32601


def test_channels_read_and_write_a_platforms_messages(launch: Launch) -> None:
    """Contract: wire 9.6."""
    plugin = launch(HANDLERS).begin()

    parsed = plugin.ask("plughost/channel.parse", payload={"text": "hi"}, headers={"x-from": "me"})
    assert parsed == {"messages": [{"text": "hi", "from": "me"}]}
    assert plugin.ask("plughost/channel.parse", payload={"text": "hi"})["messages"]
    assert plugin.ask("plughost/channel.format", message={"text": "ho"}) == {
        "payload": {"body": "ho"}
    }


def test_progress_grows_and_goes_only_to_who_asked(launch: Launch) -> None:
    """Contract: wire 7.3."""
    plugin = launch("""
@plugin.tool
def work(ctx: Context) -> None:
    for step in (1, 2, 2, 1, 3):
        ctx.progress(step, total=3, message=f"step {step}")
""").begin()

    plugin.call("work")
    assert plugin.set_aside == []
    plugin.answer_to(plugin.start_call("work", {}, progressToken=0))

    told = [message["params"] for message in plugin.set_aside]
    assert [one["progress"] for one in told] == [1, 2, 3]
    assert told[0] == {"progressToken": 0, "progress": 1, "total": 3, "message": "step 1"}
