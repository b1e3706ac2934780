from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plughost.contracts.checking.refusals import Where
from plughost.contracts.checking.words import Problem
from plughost.contracts.documents import Document, complain, not_json, read_toml
from plughost.errors import ConfigError

TRICKY = """\
# a comment with = and [brackets]
title = "a # b"
"quoted key" = 1
'literal.key' = 2
a.b . "c d" = 3   # dotted
text = \"\"\"
not.a = key
\\\"\"\" still inside \"\"\"\"\"
after = '''
nor = this ''\''' # two quotes more
list = [
  1, # one
  { x = 1, y = [ 2,
    3 ] },
  [
    "]",
  ],
]

[table]
when = 1979-05-27T07:32:00Z
inline = { deep.er = { z = '}' } }

[[items]]
name = "first"
[items.more]
n = 1
[[items.parts]]
p = 1
[[items.parts]]
p = 2

[[items]]
name = "second"
[[items.parts]]
p = 3
"""


def read(text: str) -> Document:
    return read_toml(text.encode(), "test.toml", error=ConfigError)


def places(value: Any, where: Where = ()) -> set[Where]:
    """Return the place of every key and item of *value*."""
    found: set[Where] = {where} if where else set()
    if isinstance(value, dict):
        for key, item in value.items():
            found |= places(item, (*where, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            found |= places(item, (*where, index))
    return found


@pytest.mark.parametrize(
    ("where", "line"),
    [
        (("title",), 2),
        (("quoted key",), 3),
        (("literal.key",), 4),
        (("a", "b", "c d"), 5),
        (("text",), 6),
        (("after",), 9),
        (("list",), 11),
        (("list", 0), 12),
        (("list", 1), 13),
        (("list", 1, "y"), 13),
        (("list", 1, "y", 1), 14),
        (("list", 2), 15),
        (("list", 2, 0), 16),
        (("table",), 20),
        (("table", "when"), 21),
        (("table", "inline", "deep", "er", "z"), 22),
        (("items", 0), 24),
        (("items", 0, "more", "n"), 27),
        (("items", 0, "parts", 1, "p"), 31),
        (("items", 1, "name"), 34),
        (("items", 1, "parts", 0, "p"), 36),
    ],
)
def test_every_key_and_item_has_the_line_it_begins_on(where: Where, line: int) -> None:
    assert read(TRICKY).lines()[where] == line


def test_no_place_is_missing_and_none_is_made_up() -> None:
    assert set(read(TRICKY).lines()) == places(tomllib.loads(TRICKY))


KEYS = st.text(alphabet="ab-_ .\"'\\#=[]{}\n\tü", max_size=4)
VALUES = st.recursive(
    st.booleans() | st.integers(-9, 9) | st.sampled_from([0.5, 1e9]) | KEYS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


def quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def write_value(value: Any) -> str:
    """Write *value* on several lines where TOML allows it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quote(k)}={write_value(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[\n" + "".join(f"{write_value(each)}, # ]\n" for each in value) + "]"
    return quote(value) if isinstance(value, str) else json.dumps(value)


@given(st.dictionaries(KEYS, VALUES, max_size=4), st.dictionaries(KEYS, VALUES, max_size=3))
def test_the_places_of_any_document_are_found(
    values: dict[str, Any], table: dict[str, Any]
) -> None:
    values.pop("a", None)
    text = "".join(f"{quote(key)} = {write_value(value)}\n" for key, value in values.items())
    text += "[a]\n" + "".join(f"{quote(k)} = {write_value(v)}\n" for k, v in table.items())

    document = read(text)

    assert document.values == {**values, "a": table}
    assert set(document.lines()) == places(document.values)


@given(st.lists(KEYS, unique=True, min_size=1, max_size=6))
def test_a_key_a_line_is_found_on_its_line(keys: list[str]) -> None:
    text = "".join(f"{quote(key)} = '''\n'''\n" for key in keys)

    assert read(text).lines() == {(key,): 2 * index + 1 for index, key in enumerate(keys)}


TWICE = "this key or table is written a second time"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"a = 1\nb = \n", "test.toml:2:5: not TOML: Invalid value: 'b ='"),
        (b"a = 1\nb 2\n", "test.toml:2:3: not TOML: Expected '='"),
        (b"a = 1\na = 2\n", f"test.toml:2:6: not TOML: {TWICE}: 'a = 2'"),
        (b"[t]\n[t]\n", f"test.toml:2:3: not TOML: {TWICE}: '[t]'"),
        (b"a = [1,\n\n", "test.toml:3:1: not TOML: Invalid value"),
        (b'a = """x', "test.toml:1:9: not TOML: Unterminated string"),
        (b"\xef\xbb\xbfa = 1", "test.toml:1:1: not TOML: the file begins with a byte-order mark"),
        (b"a = 1\nb = '\xff'\n", "test.toml:2: byte 11 (0xff) is not UTF-8"),
        (b"a = " + b"[" * 5000, "test.toml nests too deep"),
        (b"a = " + b"1" * 5000, "test.toml nests too deep or holds a number too long"),
        (b"#" * 300_000, "test.toml is 300000 bytes long; at most 262144 are read"),
    ],
)
def test_what_is_not_toml_is_refused_with_line_and_column(data: bytes, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_toml(data, "test.toml", error=ConfigError)

    assert str(caught.value).startswith(words)
    assert caught.value.hint
    assert caught.value.facts["path"] == "test.toml"


def test_windows_line_ends_count_as_one_line() -> None:
    document = read_toml(b"a = 1\r\nb = 2\r\n", "test.toml", error=ConfigError)

    assert document.lines() == {("a",): 1, ("b",): 2}


def test_problems_are_told_in_the_order_of_their_lines() -> None:
    document = read("a = 1\n[b]\nc = 2\n")

    error = complain(
        document,
        [Problem(("b", "c"), "is odd"), Problem(("a",), "is even"), Problem((), "is short")],
        error=ConfigError,
        what="a valid test",
    )

    assert str(error) == (
        "test.toml is not a valid test:\n"
        "  line 1, $.a: is even\n"
        "  line 1, $: is short\n"
        "  line 3, $.b.c: is odd"
    )
    assert error.facts["problems"] == [
        {"line": 1, "path": "$.a", "message": "is even"},
        {"line": 1, "path": "$", "message": "is short"},
        {"line": 3, "path": "$.b.c", "message": "is odd"},
    ]


def test_what_is_missing_is_told_at_the_table_it_is_missing_in() -> None:
    error = complain(
        read("a = 1\n[b]\n"),
        [Problem(("b", "c", 0), "is missing")],
        error=ConfigError,
        what="a valid test",
    )

    assert "line 2, $.b.c[0]: is missing" in str(error)


def test_values_that_json_cannot_carry_are_found_wherever_they_are() -> None:
    values = tomllib.loads(
        "a = nan\nb = [1, {c = -inf}]\nd = 1979-05-27\ne = 18446744073709551616\n"
        "f = 18446744073709551615\ng = true\nh = -9223372036854775809\ni = 07:32:00"
    )

    paths = [problem.path for problem in not_json(values)]

    assert paths == ["$.a", "$.b[1].c", "$.d", "$.e", "$.h", "$.i"]
