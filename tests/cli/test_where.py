"""`--where`: what it keeps, and what it refuses to evaluate."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plughost.cli.listing.where import MAX_EXPRESSION_CHARS, Where
from plughost.errors import ConfigError

RECORD: dict[str, Any] = {
    "name": "text-tools",
    "runtime": "node",
    "restart_count": 2,
    "rss_bytes": 50 * 2**20,
    "cpu_percent": None,
    "latency_ms": {"p50": 0.2},
    "guards": ["deadline"],
    "last_error": None,
    "tool": "x",
}


@pytest.mark.parametrize(
    ("expression", "kept"),
    [
        ('runtime == "node" and restart_count > 0', True),
        ('runtime == "node" and restart_count > 2', False),
        ("not restart_count", False),
        ('name in ["text-tools", "other"]', True),
        ('"deadline" in guards', True),
        ('"tools" in name', True),
        ("latency_ms.p50 < 1", True),
        ('latency_ms["p50"] >= 1', False),
        ("rss_bytes > 10 * 1024 * 1024", True),
        ("rss_bytes / 2 - 1 + 1 == 25 * 1048576", True),
        ("0 < restart_count <= 2", True),
        ("cpu_percent > 1", False),  # unknown is neither more nor less
        ("cpu_percent == null", True),
        ("cpu_percent is None", True),
        ('last_error.type == "plugin-crashed"', False),
        ("guards[0] == 'deadline' and guards[7] is null", True),
        ("true", True),
        ("-restart_count == -2", True),
    ],
)
def test_an_expression_keeps_the_records_it_holds_for(expression: str, kept: bool) -> None:
    assert Where(expression, RECORD).keeps(RECORD) is kept


@pytest.mark.parametrize(
    ("expression", "fact"),
    [
        ("", "this is not an expression"),
        ("runtime ==", "this is not an expression"),
        ("runtim == 1", "column 1: there is no 'runtim'; did you mean 'runtime'?"),
        ("1 and zzz", "column 7: there is no 'zzz'; there are: name, runtime"),
        ("latency_ms.p5 > 1", "there is no 'p5'; did you mean 'p50'?"),
        ("name.upper", "a str has no 'upper'"),
        ("name.__class__", "a str has no '__class__'"),
        ("name.upper()", "column 1: a call is not allowed here"),
        ("print(1)", "a call is not allowed here"),
        ("[x for x in guards]", "a loop is not allowed here"),
        ("lambda: 1", "a function is not allowed here"),
        ("9 ** 9 ** 9", "a power is not allowed here"),
        ("guards[0:1]", "a slice is not allowed here"),
        ("f'{name}'", "an f-string is not allowed here"),
        ("(n := 1)", "an assignment is not allowed here"),
        ("1 if name else 2", "a conditional is not allowed here"),
        ("1 << 999999", "is not allowed here"),
        ("name * 1000000", "'text-tools' and 1000000 are not both numbers"),
        ("name > 3", "not supported between"),
        ("1 / 0", "division by zero"),
        ("not " * 100 + "name", "nests deeper than"),
        ("(" * 400 + ")" * 400, "this is not an expression"),
        ("1 +" * 999 + "1", "characters; at most"),
        ("\0", "this is not an expression"),
        ("import os", "this is not an expression"),
    ],
)
def test_what_is_no_filter_is_refused_with_its_place(expression: str, fact: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Where(expression, RECORD).keeps(RECORD)

    assert str(refused.value).startswith("--where")
    assert fact in str(refused.value)
    assert refused.value.hint


def test_the_place_is_pointed_at() -> None:
    with pytest.raises(ConfigError, match="column 11") as refused:
        Where("name and (runtim)", RECORD)

    assert str(refused.value).splitlines()[1:] == ["  name and (runtim)", "            ^"]


@given(st.text(max_size=MAX_EXPRESSION_CHARS + 1))
def test_no_text_raises_anything_but_a_refusal(expression: str) -> None:
    try:
        kept = Where(expression, RECORD).keeps(RECORD)
    except ConfigError:
        return
    assert isinstance(kept, bool)


atoms = st.sampled_from(
    ["name", "restart_count", "cpu_percent", "latency_ms", "guards", "1", "'a'", "null", "[1, 'a']"]
)
expressions = st.recursive(
    atoms,
    lambda parts: st.tuples(
        parts,
        st.sampled_from(
            ["==", "<", ">=", "in", "not in", "is", "and", "or", "+", "-", "*", "/", "."]
        ),
        parts,
    ).map(lambda each: f"({each[0]} {each[1]} {each[2]})"),
    max_leaves=8,
)


@given(expressions)
def test_no_expression_raises_anything_but_a_refusal(expression: str) -> None:
    try:
        kept = Where(expression, RECORD).keeps(RECORD)
    except ConfigError:
        return
    assert isinstance(kept, bool)
