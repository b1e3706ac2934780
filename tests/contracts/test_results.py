from __future__ import annotations

import attrs
import orjson
import pytest

from plughost.contracts.results import CallError, CallResult
from plughost.errors import CallTimeoutError, InternalError, ToolError


def failure(error_type: str) -> CallResult:
    return CallResult(
        ok=False,
        error=CallError(error_type, "it took too long", retryable=True, details={"after_s": 5}),
        call_id="c-1",
        plugin="text-tools",
        tool="slugify",
    )


@pytest.mark.parametrize("data", [{"a": 1}, 5, "text", None, [1, 2], False])
def test_unwrap_returns_the_data(data: object) -> None:
    assert CallResult(ok=True, data=data).unwrap() == data


def test_unwrap_raises_the_class_of_the_error_type_with_its_facts() -> None:
    with pytest.raises(CallTimeoutError, match="it took too long") as caught:
        failure("call-timeout").unwrap()

    assert caught.value.facts == {
        "call_id": "c-1",
        "plugin": "text-tools",
        "tool": "slugify",
        "details": {"after_s": 5},
    }


def test_unwrap_raises_a_tool_error_for_the_tools_own_failure() -> None:
    with pytest.raises(ToolError):
        failure("tool-error").unwrap()


def test_an_error_type_nobody_knows_is_a_bug_of_ours() -> None:
    with pytest.raises(InternalError):
        failure("no-such-type").unwrap()


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (CallResult(ok=True, data="as it is"), "as it is"),
        (CallResult(ok=True, data={"a": [1, None]}), '{"a":[1,null]}'),
        (CallResult(ok=True), "null"),
        (failure("call-timeout"), "it took too long"),
    ],
)
def test_a_result_without_content_derives_one_text_block(result: CallResult, text: str) -> None:
    assert result.content == [{"type": "text", "text": text}]


def test_content_the_plugin_sent_is_kept() -> None:
    blocks = [{"type": "text", "text": "hello"}, {"type": "text", "text": "again"}]

    assert CallResult(ok=True, data=1, content=blocks).content == blocks


def test_json_has_every_field_and_derived_content() -> None:
    result = CallResult(ok=True, data=5, call_id="c-1", plugin="p", tool="t", duration_s=0.5)

    assert orjson.loads(orjson.dumps(result.to_json())) == {
        "ok": True,
        "data": 5,
        "content": [{"type": "text", "text": "5"}],
        "error": None,
        "call_id": "c-1",
        "plugin": "p",
        "tool": "t",
        "duration_s": 0.5,
    }
    assert failure("call-timeout").to_json()["error"] == {
        "type": "call-timeout",
        "message": "it took too long",
        "retryable": True,
        "details": {"after_s": 5},
    }


def test_a_result_is_a_value() -> None:
    result = CallResult(ok=True, data=5)

    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        result.ok = False  # type: ignore[misc]  # that it cannot be set is the point
    assert result == CallResult(ok=True, data=5)
