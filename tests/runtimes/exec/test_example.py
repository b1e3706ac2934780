"""The shell example keeps what runtimes/exec/README.md says of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).parents[3] / "runtimes" / "exec"


def call(peer: Any, tool: str, arguments: dict[str, Any], **more: Any) -> Any:
    return peer.ask("tools/call", {"name": tool, "arguments": arguments}, **more)


def test_the_example_is_no_longer_than_it_claims() -> None:
    lines = [
        line
        for name in ("main.sh", "answer.awk")
        for line in (ROOT / "example" / name).read_text(encoding="utf-8").splitlines()
    ]

    assert len(lines) <= 60


def test_every_answer_shown_in_the_page_is_what_the_example_says(peer: Any) -> None:
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = [json.loads(line) for line in page.splitlines() if line.strip().startswith('{"jsonrpc')]

    initialized = peer.ask("initialize", {"protocolVersion": "2025-11-25"})
    listed = peer.ask("tools/list", id=2)
    greeted = call(peer, "greet", {"text": "Ada"}, id=3)
    shouted = call(peer, "upper", {"text": 'a "b"\n\u00e9'})

    assert shown[0] == initialized
    assert shown[1]["result"]["tools"] == listed["result"]["tools"][:1]
    assert shown[2] == greeted
    assert shown[3] == shouted


def test_a_ping_is_answered_with_its_own_id(peer: Any) -> None:
    assert peer.ask("ping", id='a"b\\c\u00e9') == {
        "jsonrpc": "2.0",
        "id": 'a"b\\c\u00e9',
        "result": {},
    }
    assert peer.ask("ping", id=-7)["id"] == -7


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_comes_back_as_it_went(peer: Any, text: str) -> None:
    greeted = call(peer, "greet", {"text": text})
    shouted = call(peer, "upper", {"text": text})

    capitals = "".join(c.upper() if c.isascii() else c for c in text)
    assert greeted["result"]["content"] == [{"type": "text", "text": "Hello, " + text}]
    assert shouted["result"]["content"] == [{"type": "text", "text": capitals}]


def test_a_key_in_another_object_is_not_mistaken_for_the_argument(peer: Any) -> None:
    params = {"_meta": {"name": "upper", "text": "wrong"}, "list": [{"text": "wrong"}, [], {}]}
    params |= {"name": "greet", "arguments": {"other": {"text": "wrong"}, "text": "right"}}

    answer = peer.ask("tools/call", params)

    assert answer["result"]["content"][0]["text"] == "Hello, right"


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("no/such", {}, -32601),
        ("tools/call", {"name": "shrug", "arguments": {}}, -32602),
        ("tools/call", {"name": "greet", "arguments": {}}, -32602),
        ("tools/call", {"name": "greet", "arguments": {"text": 3}}, -32602),
    ],
)
def test_what_it_cannot_do_is_an_error(
    peer: Any, method: str, params: dict[str, Any], code: int
) -> None:
    answer = peer.ask(method, params, id=9)

    assert answer["id"] == 9
    assert answer["error"]["code"] == code


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"noise",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"jsonrpc":"2.0","id":1,"method":"ping"',
        b'{"jsonrpc":"2.0","id":1,"method":"ping"} and more',
        b'{"jsonrpc":"2.0","id":1,"method":"\\x"}',
        b'"ping"',
        b'{"jsonrpc":"2.0","method":"notifications/initialized"}',
        b'{"jsonrpc":"2.0","id":1,"result":{}}',
    ],
)
def test_a_line_that_is_no_request_is_left_out_and_the_next_is_answered(
    peer: Any, line: bytes
) -> None:
    peer.write(line)

    assert peer.ask("ping", id=2) == {"jsonrpc": "2.0", "id": 2, "result": {}}


def test_the_end_of_the_input_ends_it_with_status_zero(peer: Any) -> None:
    peer.write(b"noise")
    status, log = peer.end()

    assert status == 0
    assert "not JSON: noise" in log
