"""Contract: contracts/wire/README.md §2.3-§3."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from plughost.errors import LocalError, PeerError
from plughost.protocol.messages import (
    MAX_NESTING,
    Notification,
    Request,
    Response,
    encode,
    find_id,
    parse,
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def nested(depth: int) -> Any:
    value: Any = 1
    for level in range(depth):
        value = [value] if level % 2 else {"k": value}
    return value


def test_the_four_kinds_of_message_are_told_apart() -> None:
    assert parse(b'{"jsonrpc":"2.0","id":1,"method":"m","params":{"a":1}}') == Request(
        1, "m", {"a": 1}
    )
    assert parse(b'{"jsonrpc":"2.0","id":"a","method":"m"}') == Request("a", "m", {})
    assert parse(b'{"jsonrpc":"2.0","method":"m"}') == Notification("m", {})
    assert parse(b'{"jsonrpc":"2.0","id":1,"result":{}}') == Response(1, {}, None)
    assert parse(b'{"jsonrpc":"2.0","id":1,"error":{"code":1}}') == Response(1, {}, {"code": 1})


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"nope", "not JSON"),
        (b"[]", "a JSON array, not an object"),
        (b'[{"jsonrpc":"2.0"}]', "a JSON array"),
        (b'"x"', "a JSON string"),
        (b"1", "a JSON number"),
        (b"true", "a JSON boolean"),
        (b"null", "a JSON null"),
        (b"\xff\xfe", "not JSON"),
        (b'{"jsonrpc":"2.0","method":"m","params":{"x":NaN}}', "not JSON"),
        (b'{"jsonrpc":"2.0","method":"m","params":{"x":"\\ud800"}}', "not JSON"),
        (b'{"method":"m"}', 'no "jsonrpc": "2.0"'),
        (b'{"jsonrpc":"2.0"}', "neither a method nor an id"),
        (b'{"jsonrpc":"2.0","id":1}', "result of 1 is not an object"),
        (b'{"jsonrpc":"2.0","id":1,"result":3}', "result of 1 is not an object"),
        (b'{"jsonrpc":"2.0","id":1,"result":{},"error":{}}', "answer to 1 is malformed"),
        (b'{"jsonrpc":"2.0","id":1,"error":"no"}', "answer to 1 is malformed"),
        (b'{"jsonrpc":"2.0","id":true,"method":"m"}', "id is neither"),
        (b'{"jsonrpc":"2.0","id":null,"method":"m"}', "id is neither"),
        (b'{"jsonrpc":"2.0","id":1.5,"result":{}}', "id is neither"),
        (b'{"jsonrpc":"2.0","method":7}', "method is not a string"),
        (b'{"jsonrpc":"2.0","method":"m","params":[]}', "params of 'm' is not an object"),
    ],
)
def test_what_is_no_message_is_refused_with_its_reason(line: bytes, reason: str) -> None:
    with pytest.raises(PeerError, match=re.escape(reason)):
        parse(line)


@given(st.binary())
@example(b'{"jsonrpc":"2.0","id":' + b"9" * 5000 + b',"result":{}}')
@example(b'{"jsonrpc":"2.0","id":1,"result":' + b'{"a":' * 2000 + b"1" + b"}" * 2000 + b"}")
@example(b"{" * 100_000)
def test_no_byte_string_raises_anything_but_the_peer_error(line: bytes) -> None:
    with suppress(PeerError):
        assert isinstance(parse(line), (Request, Notification, Response))


@given(st.integers(1, 200))
def test_nesting_is_counted_exactly(depth: int) -> None:
    value = {"jsonrpc": "2.0", "method": "m", "params": {"v": nested(depth)}}
    line = json.dumps(value).encode()
    # The message's object and its params are two levels of their own.
    if depth + 2 <= MAX_NESTING:
        assert isinstance(parse(line), Notification)
    else:
        with pytest.raises(PeerError, match="nested deeper than 64"):
            parse(line)


def test_brackets_inside_strings_are_not_nesting() -> None:
    text = '[{"' * 500 + "\\" * 3
    line = encode({"jsonrpc": "2.0", "method": "m", "params": {"text": text, "more": ["["] * 80}})

    message = parse(line)

    assert isinstance(message, Notification)
    assert message.params["text"] == text


@given(json_values)
def test_what_we_encode_any_json_reader_reads_back(value: Any) -> None:
    assert json.loads(encode(value)) == value


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"a": [1, {"b": math.nan}]}, r"\$\.a\[1\]\.b is not a finite number"),
        (math.inf, r"\$ is not a finite number"),
        ((1, -math.inf), r"\$\[1\] is not a finite number"),
        ({1: 2}, "not JSON"),
        ({"a": {1, 2}}, "not JSON"),
        (b"bytes", "not JSON"),
        (dt.datetime(2026, 1, 1, tzinfo=dt.UTC), "not JSON"),
        (2**70, "not JSON"),
        ("\ud800", "not JSON"),
        (nested(MAX_NESTING + 1), "nested deeper than 64"),
        (nested(400), "not JSON"),
    ],
)
def test_what_is_not_json_is_refused_before_it_leaves(value: Any, reason: str) -> None:
    with pytest.raises(LocalError, match=reason):
        encode(value)


def test_a_null_beside_finite_numbers_is_fine() -> None:
    assert json.loads(encode({"a": None, "b": [1.5, None]})) == {"a": None, "b": [1.5, None]}


@pytest.mark.parametrize(
    ("head", "found"),
    [
        (b'{"jsonrpc":"2.0","id":17,"result":{"x":"', 17),
        (b'{"id" : "call-9", "result', "call-9"),
        (b'{"result":"', None),
        (b'{"id":99999999999999999999999,', None),
    ],
)
def test_the_id_of_a_message_that_cannot_be_parsed(head: bytes, found: int | str | None) -> None:
    assert find_id(head) == found
