"""Contract: contracts/wire/README.md §5.3-§5.7."""

from __future__ import annotations

from typing import Any

import pytest

from plughost.process.guard import Exit
from plughost.protocol.session import Answer
from plughost.supervisor.calls.answers import crash_type, error_of, late, value_of
from plughost.supervisor.outcomes import Failure

WRAPPED = {"_meta": {"plughost/wrapped": True}}


@pytest.mark.parametrize(
    ("result", "extended", "value"),
    [
        ({"structuredContent": {"a": 1}}, True, {"a": 1}),
        ({"structuredContent": {"result": 3}, **WRAPPED}, True, 3),
        ({"structuredContent": {"result": None}, **WRAPPED}, True, None),
        # A plain MCP server's own wrapping stays as it is.
        ({"structuredContent": {"result": 3}}, False, {"result": 3}),
        ({"structuredContent": {"result": 3}, **WRAPPED}, False, {"result": 3}),
        ({"content": [{"type": "text", "text": '{"a":1}'}]}, False, '{"a":1}'),
        ({"content": [{"type": "image", "data": ""}]}, False, None),
        ({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}, False, None),
        ({"content": "nonsense"}, False, None),
        ({}, True, None),
    ],
)
def test_what_the_tool_returned(result: dict[str, Any], extended: bool, value: Any) -> None:
    assert value_of(result, extended=extended) == value


def error(reply: Answer | Failure) -> tuple[str, str, bool]:
    found = error_of(reply, timeout_s=5, memory_mb=64)
    assert found is not None
    return found.type, found.message, found.retryable


@pytest.mark.parametrize(
    ("wire_error", "kind"),
    [
        ({"code": -32602, "message": "m", "data": {"type": "tool-not-found"}}, "tool-not-found"),
        ({"code": -32602, "message": "m"}, "invalid-arguments"),
        ({"code": -32800, "message": "m"}, "cancelled"),
        ({"code": -32601, "message": "m"}, "protocol-violation"),
        ({"code": -32603, "message": "m"}, "tool-error"),
        ({"code": "odd", "message": "m", "data": "odd"}, "tool-error"),
        ({"code": -32000, "message": "m", "data": {"type": "made-up"}}, "tool-error"),
        # The host's to say, not a plugin's.
        ({"code": -32000, "message": "m", "data": {"type": "plugin-crashed"}}, "tool-error"),
        ({"code": -32602, "message": "m", "data": {"type": "denied-by-rule"}}, "invalid-arguments"),
    ],
)
def test_json_rpc_errors_become_error_types(wire_error: dict[str, Any], kind: str) -> None:
    assert error(Answer(1, {}, wire_error))[:2] == (kind, "m")


def test_a_tool_error_keeps_the_tools_own_words_and_details() -> None:
    described = {"message": "no such unit", "retryable": True, "details": {"exception": "KeyError"}}
    reply = Answer(
        1, {"isError": True, "content": [], "_meta": {"plughost/error": described}}, None
    )

    found = error_of(reply, timeout_s=5, memory_mb=64)

    assert found is not None
    assert (found.type, found.message, found.retryable) == ("tool-error", "no such unit", True)
    assert found.details == {"exception": "KeyError"}


def test_a_plain_servers_tool_error_is_its_text() -> None:
    content = [{"type": "text", "text": "line one"}, {"type": "text", "text": "line two"}]
    assert error(Answer(1, {"isError": True, "content": content}, None)) == (
        "tool-error",
        "line one\nline two",
        False,
    )
    assert error(Answer(1, {"isError": True}, None))[1] == "the tool failed and gave no reason"


def test_terminal_sequences_in_a_message_are_made_harmless() -> None:
    content = [{"type": "text", "text": "a\x1b[2Jb\r\tc\n"}]

    assert (
        error(Answer(1, {"isError": True, "content": content}, None))[1] == "a\\x1b[2Jb\\x0d\tc\n"
    )


def test_a_memory_error_that_the_plugin_survived_is_a_limit() -> None:
    meta = {"plughost/error": {"message": "", "details": {"exception": "MemoryError"}}}

    kind, message, _ = error(Answer(1, {"isError": True, "_meta": meta}, None))

    assert kind == "memory-limit"
    assert "64 MiB" in message


def test_failures_of_the_infrastructure_keep_their_type() -> None:
    assert error(Failure("call-timeout", "", {})) == ("call-timeout", "no answer within 5 s", True)
    assert error(Failure("plugin-crashed", "gone", {})) == ("plugin-crashed", "gone", True)
    assert error(Failure("output-limit", "big", {})) == ("output-limit", "big", False)
    assert late(2, "busy").message == "no answer within 2 s: busy"


def test_an_answer_without_error_is_none() -> None:
    assert error_of(Answer(1, {"content": []}, None), timeout_s=1, memory_mb=1) is None


@pytest.mark.parametrize(
    ("exit_", "tail", "kind"),
    [
        (Exit(signal=6), "FATAL ERROR: ... JavaScript heap out of memory", "memory-limit"),
        (Exit(status=1), "Traceback\nMemoryError", "memory-limit"),
        (Exit(signal=6), "memory allocation of 800 bytes failed", "memory-limit"),
        (Exit(status=1), "see MemoryError in the docs", "plugin-crashed"),
        (Exit(signal=11), "", "plugin-crashed"),
        (Exit(status=0), "MemoryError", "plugin-crashed"),
        (Exit(status=70), "not enough memory", "plugin-crashed"),
        (None, "MemoryError", "plugin-crashed"),
    ],
)
def test_a_crash_for_want_of_memory_is_told_from_others(
    exit_: Exit | None, tail: str, kind: str
) -> None:
    assert crash_type(exit_, tail) == kind
