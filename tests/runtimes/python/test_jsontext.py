"""What is JSON on the wire and what is not (wire 2.3, 2.4)."""

from __future__ import annotations

import json
import math
import subprocess
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.runtimes.python.wire_client import PYTHON, SDK

from plughost_sdk.jsontext import MAX_DEPTH, NotJsonError, encode, is_plain, parse

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=30
)


def nested(depth: int) -> str:
    """Return JSON that nests *depth* deep, with brackets in its strings."""
    opening = "".join('{"a[]":' if at % 2 else '["]\\"[{\\\\",' for at in range(depth))
    closing = "".join("}" if at % 2 else "]" for at in reversed(range(depth)))
    return opening + "1" + closing


@given(VALUES)
def test_what_is_written_is_what_json_would_write_and_reads_back(value: Any) -> None:
    written = encode(value)

    assert written.decode() == json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    assert parse(written) == value
    assert b"\n" not in written


@given(VALUES, st.sampled_from([" ", "\t", "\r", "\r\n", "\n "]))
def test_white_space_around_a_value_does_not_matter(value: Any, space: str) -> None:
    assert parse(f"{space}{json.dumps(value)}{space}".encode()) == value


@given(st.binary())
def test_any_bytes_are_json_or_a_value_error(data: bytes) -> None:
    def refuse(name: str) -> Any:
        raise ValueError(name)

    try:
        expected = json.loads(data.decode(), parse_constant=refuse)
    except ValueError:
        with pytest.raises(ValueError):
            parse(data)
        return

    assert parse(data) == expected


@pytest.mark.parametrize(
    "line",
    [b"NaN", b"[Infinity]", b'{"a":-Infinity}', b'"\\ud800"', b'{"\\uDFFF":1}', b"{} {}", b"1 2",
     b"[1,]", b"{'a':1}", b"\xef\xbb\xbf{}", b"nul", b"", b"\xa0{}", b'"\x01"'],
)  # fmt: skip
def test_what_only_looks_like_json_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError):
        parse(line)


def test_a_surrogate_pair_is_one_character() -> None:
    assert parse(b'"\\ud83d\\ude00"') == "\U0001f600"


@given(st.integers(1, 200))
def test_nesting_is_counted_to_the_level(depth: int) -> None:
    line = nested(depth).encode()

    if depth <= MAX_DEPTH:
        assert parse(line) == json.loads(line)
    else:
        with pytest.raises(NotJsonError, match="64 deep"):
            parse(line)


@given(st.integers(0, 100), st.integers(0, 3))
def test_what_would_nest_too_deep_is_not_written(depth: int, above: int) -> None:
    value: Any = 1
    for level in range(depth):
        value = [value] if level % 2 else {"a": value, "b": [2]}
    deepest = depth + (1 if depth else 0)  # the innermost object holds an array

    if deepest + above <= MAX_DEPTH:
        assert json.loads(encode(value, "$", above)) == value
    else:
        with pytest.raises(NotJsonError, match="64 deep"):
            encode(value, "$", above)


@given(st.lists(st.integers(), min_size=1) | st.dictionaries(TEXT, st.integers(), min_size=1))
def test_integers_beyond_the_wire_are_found_wherever_they_stand(value: Any) -> None:
    numbers = value if isinstance(value, list) else list(value.values())
    fits = all(-(2**63) < number < 2**64 for number in numbers)

    assert is_plain(value) is fits


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": [0, math.nan]}, r"\$\.a\[1\] is nan"),
        ([math.inf], r"\$\[0\] is inf"),
        ([1, 2**64], r"\$\[1\] is an integer beyond 64 bits"),
        ([-(2**63)], "beyond 64 bits"),
        ({"a": {"b": {1}}}, r"\$\.a\.b is a set"),
        ({None: 1}, "key None, a NoneType"),
        ({"a\ud800": 1}, "a key of .* lone surrogate"),
        ("\ud800", "lone surrogate"),
        (b"x", "is a bytes"),
        (object, "is a type"),
    ],
)
def test_what_is_not_json_is_named_with_its_place(value: object, message: str) -> None:
    with pytest.raises(NotJsonError, match=message):
        encode(value)


def test_numbers_and_texts_of_other_types_are_written_as_what_they_are() -> None:
    class Number(int):
        def __repr__(self) -> str:
            return "not a number"

    class Word(str):
        __slots__ = ()

    assert encode([Number(3), Word("w"), True]) == b'[3,"w",true]'


def test_without_the_c_accelerator_the_same_is_read_and_written() -> None:
    """Other Pythons have no `_json`; the standard library's `json` does the work there."""
    script = """
import sys
sys.modules["_json"] = None
from plughost_sdk.jsontext import encode, parse
assert "json" in sys.modules
assert encode({"a": [1, "ü", None, 1.5]}) == '{"a":[1,"ü",null,1.5]}'.encode()
assert parse(b' {"a": [1]} ') == {"a": [1]}
for bad in (b"NaN", b"{", b'"\\\\ud800"', b"[" * 65 + b"]" * 65):
    try:
        parse(bad)
    except ValueError:
        continue
    raise AssertionError(bad)
for bad in (float("nan"), {1: 2}, {1}):
    try:
        encode(bad)
    except ValueError:
        continue
    raise AssertionError(bad)
"""
    subprocess.run(
        [PYTHON, "-X", "utf8", "-c", script],
        env={"PYTHONPATH": str(SDK), "PLUGHOST_UNMEASURED": "1"},
        check=True,
        timeout=30,
    )
