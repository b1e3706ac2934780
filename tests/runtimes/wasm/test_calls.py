"""Calls and their answers (contracts/wire/wasm.md, 1.4, 1.5, 3 and 4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

# Counts in linear memory, in a global and in an Extism variable; answers with what it found.
COUNTING = r"""
  (global $count (mut i32) (i32.const 0))
  (func (export "handle_tool_call") (result i32)
    (global.set $count (i32.add (global.get $count) (i32.const 1)))
    (i32.store8 (i32.const 8) (i32.add (i32.load8_u (i32.const 8)) (i32.const 1)))
    (i32.store8 (i32.const 32) (i32.add (i32.const 48) (global.get $count)))
    (i32.store8 (i32.const 33) (i32.const 44))
    (i32.store8 (i32.const 34) (i32.add (i32.const 48) (i32.load8_u (i32.const 8))))
    (memory.copy (i32.const 24) (i32.const 40) (i32.const 8))
    (i32.store8 (i32.const 35) (i32.const 93))
    (i32.store8 (i32.const 36) (i32.const 125))
    (call $answer (i32.const 23) (i32.const 14)))
  (data (i32.const 23) "{")
  (data (i32.const 40) "\22data\22:[")
"""


def plugin_of(wat: Any, tools: list[Any], answer: object, **described: object) -> Any:
    module = wat().answering("describe", {"tools": tools, **described})
    return module.answering("handle_tool_call", answer)


def test_the_tools_of_describe_are_listed(
    spawn: Callable[..., Any], wat: Any, listed: Callable[..., Any]
) -> None:
    tool = listed(
        "slow",
        outputSchema={"type": "object"},
        title="A slow one",
        annotations={"idempotentHint": True, "readOnlyHint": False, "vendor/cost": [1]},
        _meta={"plughost/longRunning": True},
    )
    child = spawn(plugin_of(wat, [tool], {"data": {}}))
    (shown,) = child.start()
    assert shown == tool
    assert child.initialized["serverInfo"] == {"name": "probe", "version": "1.2.3"}


@pytest.mark.parametrize("value", [{"a": [1, "ü", None]}, [1, 2], "text", 2**63, None])
def test_data_of_any_kind_comes_back_as_it_was(
    spawn: Callable[..., Any], wat: Any, listed: Callable[..., Any], value: object
) -> None:
    child = spawn(plugin_of(wat, [listed("t")], {"data": value}))
    child.start()
    assert child.data("t") == value


def test_the_request_reaches_the_guest_as_name_and_arguments(
    spawn: Callable[..., Any], wat: Any, listed: Callable[..., Any]
) -> None:
    module = wat().answering("describe", {"tools": [listed("echo")]})
    child = spawn(module.export("handle_tool_call", "(call $answer_block (call $input_block))"))
    child.start()
    arguments = {"text": "ü😀\n", "deep": [{"a": None}]}
    assert child.data("echo", arguments) == {"name": "echo", "arguments": arguments}


def test_content_blocks_travel_as_they_are(
    spawn: Callable[..., Any], wat: Any, listed: Callable[..., Any]
) -> None:
    blocks = [{"type": "text", "text": "hi"}, {"type": "image", "data": "", "mimeType": "image/x"}]
    child = spawn(plugin_of(wat, [listed("t")], {"content": blocks}))
    child.start()
    assert child.call("t") == {"content": blocks}


def test_an_error_becomes_a_tool_error_named_by_its_type(
    spawn: Callable[..., Any], wat: Any, listed: Callable[..., Any]
) -> None:
    error = {"type": "not-found", "message": "no such thing", "retryable": True}
    child = spawn(plugin_of(wat, [listed("t")], {"error": error}))
    child.start()
    assert child.error("t") == {
        "type": "tool-error",
        "message": "no such thing",
        "retryable": True,
        "details": {"exception": "not-found"},
    }


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"", "answered what is not JSON"),
        (b"{", "answered what is not JSON"),
        (b'{"data": NaN}', "answered what is not JSON"),
        (b"[]", "must answer one of `data`, `content` and `error`, not none of them"),
        (b"{}", "must answer one of `data`, `content` and `error`, not none of them"),
        (b'{"data": 1, "error": {}}', "not `data` and `error`"),
        (b'{"error": "text"}', "an `error` without a `type` and a `message`"),
        (b'{"content": {}}', "`content` that is not an array of content blocks"),
    ],
)
def test_an_answer_that_is_none_is_a_tool_error(
    spawn: Callable[..., Any],
    wat: Any,
    listed: Callable[..., Any],
    answer: bytes,
    said: str,
) -> None:
    child = spawn(plugin_of(wat, [listed("t")], answer))
    child.start()
    error = child.error("t")
    assert error["details"]["exception"] == "InvalidAnswer"
    assert said in error["message"]


def test_extisms_own_error_and_a_status_are_tool_errors(
    spawn: Callable[..., Any], wat: Any, listed: Callable[..., Any]
) -> None:
    module = wat().answering("describe", {"tools": [listed("t")]})
    text = module.text(b"I give up")
    child = spawn(
        module.export("handle_tool_call", f"(call $error_set (call $block {text})) (i32.const 1)")
    )
    child.start()
    error = child.error("t")
    assert error["message"] == "I give up"
    assert error["details"]["exception"] == "PluginError"

    module = wat().answering("describe", {"tools": [listed("t")]})
    child = spawn(module.export("handle_tool_call", "(i32.const 7)"))
    child.start()
    assert child.error("t")["message"] == "`handle_tool_call` returned 7, and set no error"


def test_nothing_stays_from_one_call_to_the_next(
    spawn: Callable[..., Any], wat: Any, listed: Callable[..., Any]
) -> None:
    module = wat().answering("describe", {"tools": [listed("t")]})
    module.parts.append(COUNTING)
    child = spawn(module)
    child.start()
    assert [child.data("t") for _ in range(3)] == [[1, 1]] * 3


def test_calls_run_side_by_side_and_pings_are_answered_meanwhile(
    spawn: Callable[..., Any], wat: Any, listed: Callable[..., Any]
) -> None:
    module = wat().answering("describe", {"tools": [listed("t")]})
    child = spawn(module.asking("handle_tool_call", "plughost_emit", {"name": "waiting"}))
    child.start()
    calls = [child.send("tools/call", child.request("t", call_id=f"c{n}")) for n in range(4)]
    child.wait_for(lambda: len(child.asked) == 4)
    child.ask("ping")
    for asked in reversed(child.asked):
        child.reply(asked, {})
    for number in calls:
        assert child.wait(number)["result"]["structuredContent"] == {"ok": None}


def test_on_init_sees_the_settings_and_may_refuse(
    spawn: Callable[..., Any], wat: Any, listed: Callable[..., Any]
) -> None:
    module = plugin_of(wat, [listed("t")], {"data": 1})
    child = spawn(module.export("on_init", "(call $error_set (call $input_block)) (i32.const 1)"))
    error = child.activate({"colour": "blue"})["error"]
    assert error["code"] == -32002
    assert error["data"]["type"] == "plugin-start-failed"
    assert '"colour":"blue"' in error["message"]


def test_a_module_without_on_init_starts(
    spawn: Callable[..., Any], wat: Any, listed: Callable[..., Any]
) -> None:
    child = spawn(plugin_of(wat, [listed("t")], {"data": 1}))
    assert child.activate({"colour": "blue"})["result"] == {}


def test_on_cleanup_runs_at_shutdown(
    spawn: Callable[..., Any], wat: Any, listed: Callable[..., Any]
) -> None:
    module = plugin_of(wat, [listed("t")], {"data": 1})
    child = spawn(module.asking("on_cleanup", "plughost_log", {"message": "bye"}))
    child.start()
    assert child.ask("plughost/shutdown", {"grace_ms": 1000}) == {}
    status, _ = child.ended()
    assert status == 0
    assert [note["params"]["data"] for note in child.notes] == ["bye"]


def test_a_hang_up_ends_the_runner(
    spawn: Callable[..., Any], wat: Any, listed: Callable[..., Any]
) -> None:
    child = spawn(plugin_of(wat, [listed("t")], {"data": 1}))
    child.start()
    child.hang_up()
    status, log = child.ended()
    assert (status, log) == (0, "")


def test_events_and_hooks_reach_their_exports(
    spawn: Callable[..., Any], wat: Any, listed: Callable[..., Any]
) -> None:
    module = plugin_of(wat, [listed("t")], {"data": 1}, events=["said"], hooks=["tool_call"])
    module.answering("on_hook", {"data": {"decision": "deny", "message": "no"}})
    module.host("plughost_log")
    module.export("on_event", "(drop (call $plughost_log (call $input_block))) (i32.const 0)")
    child = spawn(module)
    child.start()
    features = child.initialized["capabilities"]["experimental"]["plughost"]["features"]
    assert sorted(features) == ["events", "hooks"]

    context = {"point": "tool_call", "context": {"tool": "x"}}
    answer = child.ask("plughost/hook", context)
    assert (answer["decision"], answer["message"]) == ("deny", "no")

    event = {"name": "said", "origin": "p", "seq": 1, "payload": None, "message": "heard"}
    child.notify("plughost/event", event)
    child.wait_for(lambda: bool(child.notes))
    assert child.notes[0]["params"]["data"] == "heard"


def test_a_channel_adapter_parses_and_formats(
    spawn: Callable[..., Any], wat: Any, listed: Callable[..., Any]
) -> None:
    module = plugin_of(wat, [listed("t")], {"data": 1})
    module.answering("parse_incoming", {"data": [{"text": "hi"}]})
    module.answering("format_outgoing", {"data": {"body": "hi"}})
    child = spawn(module)
    child.start()
    parsed = child.ask("plughost/channel.parse", {"payload": {}, "headers": {"x": "y"}})
    assert parsed == {"messages": [{"text": "hi"}]}
    formatted = child.ask("plughost/channel.format", {"message": {"text": "hi"}})
    assert formatted == {"payload": {"body": "hi"}}
