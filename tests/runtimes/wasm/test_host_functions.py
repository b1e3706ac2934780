"""What a guest can ask for (contracts/wire/wasm.md, 5 and 6)."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest


def asking(wat: Any, listed: Callable[..., Any], host: str, request: object) -> Any:
    """Return a module whose tool `t` answers with what *host* replies to *request*."""
    module = wat().answering("describe", {"tools": [listed("t")]})
    return module.asking("handle_tool_call", host, request)


@pytest.mark.parametrize(
    ("host", "request_", "method", "params", "result", "ok"),
    [
        (
            "plughost_state_get", {"key": "k"},
            "plughost/state.get", {"key": "k"}, {"found": True, "value": [1]},
            {"found": True, "value": [1]},
        ),
        (
            "plughost_state_get", {"key": "k"},
            "plughost/state.get", {"key": "k"}, {"found": False, "value": None},
            {"found": False, "value": None},
        ),
        (
            "plughost_state_set", {"key": "k", "value": {"a": 1}},
            "plughost/state.set", {"key": "k", "value": {"a": 1}}, {}, None,
        ),
        (
            "plughost_state_delete", {"key": "k"},
            "plughost/state.delete", {"key": "k"}, {"deleted": True}, {"deleted": True},
        ),
        (
            "plughost_state_list", {"prefix": "a"},
            "plughost/state.list", {"prefix": "a"}, {"keys": ["ab"]}, {"keys": ["ab"]},
        ),
        (
            "plughost_call", {"plugin": "p", "tool": "q", "arguments": {"x": 1}, "timeout_s": 2},
            "plughost/call",
            {
                "plugin": "p", "tool": "q", "arguments": {"x": 1},
                "call_id": "c1", "timeout_ms": 2000,
            },
            {"content": [], "structuredContent": {"y": 2}},
            {"y": 2},
        ),
        (
            "plughost_emit", {"name": "said", "payload": 1},
            "plughost/emit", {"name": "said", "payload": 1}, {}, None,
        ),
        (
            "plughost_http", {"url": "http://h/", "headers": {"A": "b"}},
            "plughost/http", {"method": "GET", "url": "http://h/", "headers": {"A": "b"}},
            {"status": 200, "headers": {"X": "y"}, "body": "ü"},
            {"status": 200, "headers": {"x": "y"}, "body": "ü"},
        ),
        (
            "plughost_http", {"url": "http://h/", "method": "PUT", "body_base64": "/w=="},
            "plughost/http", {"method": "PUT", "url": "http://h/", "body_base64": "/w=="},
            {"status": 201, "headers": {}, "body_base64": "/w=="},
            {"status": 201, "headers": {}, "body_base64": "/w=="},
        ),
        (
            "plughost_secret_exists", {"name": "S"},
            "plughost/secret.exists", {"name": "S"}, {"exists": True}, {"exists": True},
        ),
        (
            "plughost_llm", {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 5},
            "plughost/llm", {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 5},
            {"text": "yo", "usage": {}, "stop_reason": "end"},
            {"text": "yo", "usage": {}, "stop_reason": "end"},
        ),
    ],
)  # fmt: skip
def test_a_request_travels_to_the_host_and_its_answer_comes_back(
    spawn: Callable[..., Any],
    wat: Any,
    listed: Callable[..., Any],
    host: str,
    request_: object,
    method: str,
    params: object,
    result: dict[str, Any],
    ok: object,
) -> None:
    child = spawn(asking(wat, listed, host, request_))
    child.start()
    child.replies[method] = lambda _: {"result": result}
    assert child.data("t") == {"ok": ok}
    assert [asked["params"] for asked in child.asked] == [params]


def test_a_refusal_of_the_host_comes_back_as_an_error(
    spawn: Callable[..., Any], wat: Any, listed: Callable[..., Any]
) -> None:
    child = spawn(asking(wat, listed, "plughost_state_get", {"key": "k"}))
    child.start()
    data = {"type": "permission-denied", "message": "no state", "retryable": False}
    error = {"code": -32001, "message": "no state", "data": data}
    child.replies["plughost/state.get"] = lambda _: {"error": error}
    assert child.data("t") == {"error": {"type": "permission-denied", "message": "no state"}}


def test_what_the_host_does_not_offer_is_refused_without_asking(
    spawn: Callable[..., Any], wat: Any, listed: Callable[..., Any]
) -> None:
    child = spawn(asking(wat, listed, "plughost_llm", {"messages": []}))
    child.start(features=[])
    error = child.data("t")["error"]
    assert error["type"] == "permission-denied"
    assert "'llm'" in error["message"]
    assert child.asked == []


@pytest.mark.parametrize(
    ("host", "request_", "said"),
    [
        ("plughost_state_get", {}, "`key` must be a string"),
        ("plughost_state_set", {"key": "k"}, "`value` is missing"),
        ("plughost_progress", {"progress": "half"}, "`progress` must be a number"),
        ("plughost_progress", {"progress": True}, "`progress` must be a number"),
        ("plughost_llm", {"messages": "hi"}, "`messages` must be an array"),
        ("plughost_log", {"message": "x", "level": "loud"}, "no such level: 'loud'"),
        ("plughost_log", {"message": "x", "data": [1]}, "`data` must be an object"),
        ("plughost_log", {"message": "x", "data": {"level": 1}}, "without `level` and `message`"),
        ("plughost_http", {"url": "u", "body_base64": "?"}, "`body_base64` is not Base64"),
        ("plughost_http", {"url": "u", "headers": 3}, ""),
        ("plughost_state_get", b"{", "the request: "),
        ("plughost_state_get", b"[]", "the request is not a JSON object"),
    ],
)
def test_a_request_that_does_not_fit_is_an_error_the_guest_can_read(
    spawn: Callable[..., Any],
    wat: Any,
    listed: Callable[..., Any],
    host: str,
    request_: object,
    said: str,
) -> None:
    child = spawn(asking(wat, listed, host, request_))
    child.start()
    error = child.data("t")["error"]
    assert error["type"] == "invalid-arguments"
    assert said in error["message"]


def test_the_guest_sees_its_call(
    spawn: Callable[..., Any], wat: Any, listed: Callable[..., Any]
) -> None:
    child = spawn(asking(wat, listed, "plughost_call_info", {}))
    child.start()
    assert child.data("t", chain=["p.q"], call_id="c9") == {
        "ok": {"call_id": "c9", "chain": ["p.q"]}
    }
    child = spawn(asking(wat, listed, "plughost_deadline_s", {}))
    child.start()
    assert 8 < child.data("t", deadline_ms=10000)["ok"] <= 10
    child = spawn(asking(wat, listed, "plughost_cancelled", {}))
    child.start()
    assert child.data("t") == {"ok": False}


def test_the_settings_are_there_as_an_object_and_as_extisms_configuration(
    spawn: Callable[..., Any], wat: Any, listed: Callable[..., Any]
) -> None:
    settings = {"name": "ü", "size": {"a": 1}}
    child = spawn(asking(wat, listed, "plughost_settings", {}))
    child.start(settings)
    assert child.data("t") == {"ok": settings}

    module = wat().answering("describe", {"tools": [listed("t")]})
    module.imports.append(
        '(import "extism:host/env" "config_get" (func $config_get (param i64) (result i64)))'
    )
    key = module.text(b"size")
    child = spawn(
        module.export(
            "handle_tool_call", f"(call $answer_block (call $config_get (call $block {key})))"
        )
    )
    child.start(settings)
    assert child.data("t") == {"a": 1}


def test_progress_and_log_are_notifications(
    spawn: Callable[..., Any], wat: Any, listed: Callable[..., Any]
) -> None:
    module = wat().answering("describe", {"tools": [listed("t")]})
    module.host("plughost_progress").host("plughost_log")
    progress = module.text({"progress": 0.5, "total": 1, "message": "half"})
    line = module.text({"message": "hello", "level": "warning", "data": {"n": 1}})
    done = module.text({"data": None})
    child = spawn(
        module.export(
            "handle_tool_call",
            f"(drop (call $plughost_progress (call $block {progress})))"
            f"(drop (call $plughost_log (call $block {line})))(call $answer {done})",
        )
    )
    child.start()
    child.data("t", progressToken="p1")
    assert [(note["method"], note["params"]) for note in child.notes] == [
        (
            "notifications/progress",
            {"progressToken": "p1", "progress": 0.5, "total": 1, "message": "half"},
        ),
        ("notifications/message", {"level": "warning", "data": {"n": 1, "message": "hello"}}),
    ]


@pytest.mark.parametrize(
    ("function", "level"),
    [("log_error", "error"), ("log_warn", "warning"), ("log_info", "info"), ("log_debug", "debug")],
)
def test_the_log_of_a_pdk_is_the_plugins_log(
    spawn: Callable[..., Any], wat: Any, listed: Callable[..., Any], function: str, level: str
) -> None:
    module = wat().answering("describe", {"tools": [listed("t")]})
    module.imports.append(f'(import "extism:host/env" "{function}" (func $log (param i64)))')
    line, done = module.text(b"from a PDK"), module.text({"data": None})
    child = spawn(
        module.export("handle_tool_call", f"(call $log (call $block {line}))(call $answer {done})")
    )
    child.start()
    child.ask("logging/setLevel", {"level": "debug"})
    child.data("t")
    assert [note["params"] for note in child.notes] == [{"level": level, "data": "from a PDK"}]


def test_extisms_variables_live_as_long_as_the_call(
    spawn: Callable[..., Any], wat: Any, listed: Callable[..., Any]
) -> None:
    module = wat().answering("describe", {"tools": [listed("t")]})
    module.imports.append(
        '(import "extism:host/env" "var_get" (func $var_get (param i64) (result i64)))'
        '(import "extism:host/env" "var_set" (func $var_set (param i64 i64)))'
    )
    key, value = f"(call $block {module.text(b'k')})", f"(call $block {module.text([1])})"
    child = spawn(
        module.export(
            "handle_tool_call",
            f"""(if (i64.ne (call $var_get {key}) (i64.const 0)) (then unreachable))
            (call $var_set {key} {value})
            (call $answer_block (call $var_get {key}))""",
        )
    )
    child.start()
    assert [child.data("t"), child.data("t")] == [[1], [1]]


@pytest.mark.parametrize(
    ("imported", "call"),
    [
        ('"var_get" (func $f (param i64) (result i64))', "(drop (call $f (i64.const 8)))"),
        ('"var_set" (func $f (param i64 i64))', "(call $f (i64.const 8) (i64.const 8))"),
        ('"config_get" (func $f (param i64) (result i64))', "(drop (call $f (i64.const 8)))"),
        ('"http_request" (func $f (param i64 i64) (result i64))',
         "(drop (call $f (i64.const 8) (i64.const 8)))"),
        ('"log\\5finfo" (func $f (param i64))', "(call $f (i64.const 8))"),
    ],
)  # fmt: skip
def test_no_function_touches_memory_for_a_start_function(
    spawn: Callable[..., Any], wat: Any, listed: Callable[..., Any], imported: str, call: str
) -> None:
    """Extism's own would follow a dangling pointer there."""
    module = wat().answering("describe", {"tools": [listed("t")]})
    module.answering("handle_tool_call", {"data": 1})
    module.imports.append(f'(import "extism:host/env" {imported})')
    # It runs twice for each instance; the second time 100000 bytes are in use.
    module.parts.append(
        "(func $start (if (i64.gt_u (call $alloc (i64.const 100000)) (i64.const 100000))"
        f" (then {call}))) (start $start)"
    )
    child = spawn(module)
    child.start()
    assert child.data("t") == 1
    assert child.notes == []


HTTP_IMPORTS = """
  (import "extism:host/env" "http_request"
    (func $http_request (param i64 i64) (result i64)))
  (import "extism:host/env" "http_status_code" (func $http_status_code (result i32)))
"""


def requesting(wat: Any, listed: Callable[..., Any]) -> Any:
    """Return a module that makes a request as a PDK does and answers with its body."""
    module = wat().answering("describe", {"tools": [listed("t")]})
    module.imports.append(HTTP_IMPORTS)
    request = module.text({"url": "http://h/", "method": "POST", "headers": {"A": "b"}})
    body = module.text(b"\xff")
    return module.export(
        "handle_tool_call",
        f"""(local $reply i64)
        (local.set $reply (call $http_request (call $block {request}) (call $block {body})))
        (if (i32.ne (call $http_status_code) (i32.const 418)) (then unreachable))
        (call $answer_block (local.get $reply))""",
    )


def test_the_http_of_a_pdk_goes_through_the_host(
    spawn: Callable[..., Any], wat: Any, listed: Callable[..., Any]
) -> None:
    child = spawn(requesting(wat, listed))
    child.start()
    child.replies["plughost/http"] = lambda _: {
        "result": {
            "status": 418,
            "headers": {},
            "body_base64": base64.b64encode(b'"tea"').decode(),
        }
    }
    assert child.data("t") == "tea"
    assert child.asked[0]["params"] == {
        "method": "POST", "url": "http://h/", "headers": {"A": "b"}, "body_base64": "/w==",
    }  # fmt: skip


def test_an_http_request_that_is_refused_ends_the_guest_with_the_reason(
    spawn: Callable[..., Any], wat: Any, listed: Callable[..., Any]
) -> None:
    child = spawn(requesting(wat, listed))
    child.start()
    data = {"type": "permission-denied", "message": "h is not granted", "retryable": False}
    child.replies["plughost/http"] = lambda _: {
        "error": {"code": -32001, "message": "h is not granted", "data": data}
    }
    error = child.error("t")
    assert error["message"] == "h is not granted"
    assert error["details"] == {"exception": "HostError", "type": "permission-denied"}


def test_a_call_cancelled_while_it_waits_for_the_host_ends_there(
    spawn: Callable[..., Any], wat: Any, listed: Callable[..., Any]
) -> None:
    child = spawn(asking(wat, listed, "plughost_emit", {"name": "never answered"}))
    child.start()
    number = child.send("tools/call", child.request("t"))
    child.wait_for(lambda: bool(child.asked))
    child.notify("notifications/cancelled", {"requestId": number})
    assert child.wait(number)["error"]["code"] == -32800


def test_describe_is_told_that_there_is_nobody_to_ask(spawn: Callable[..., Any], wat: Any) -> None:
    module = wat().host("plughost_state_list")
    module.export("describe", "(call $answer_block (call $plughost_state_list (i64.const 0)))")
    status, log = spawn(module.answering("handle_tool_call", {"data": 1})).ended()
    # What it answers is {"data": {"error": …}}, which has no tools.
    assert (status, "whose `tools` is an array" in log) == (78, True)


def test_a_guest_that_forges_block_headers_harms_only_itself(
    spawn: Callable[..., Any], wat: Any, listed: Callable[..., Any]
) -> None:
    module = wat().answering("describe", {"tools": [listed("t")]}).host("plughost_log")
    bad = "".join(
        f"(drop (call $plughost_log (i64.const {offset})))"
        for offset in (1, 64, 4096, 2**31, 2**32, 2**40, -1)
    )
    done = module.text({"data": 1})
    child = spawn(module.export("handle_tool_call", f"{bad}(call $answer {done})"))
    child.start()
    assert child.data("t") == 1
