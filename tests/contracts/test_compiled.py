from __future__ import annotations

import math
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plughost.contracts.checking.compiled import compile_accepts

# Few names and small numbers, so that schemas and values meet often.
NAMES = st.sampled_from(["a", "b", "c", "longer"])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 4),
    st.sampled_from([0.0, 1.0, -1.0, 2.5, 1e300, math.nan]),
    st.sampled_from(["", "a", "ab", "abc", "ü😀", "1", "true"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
TYPES = st.sampled_from(["string", "integer", "number", "boolean", "null", "array", "object"])
SIZES = st.integers(0, 3)
REQUIRED = st.builds(lambda names: {"required": names}, st.lists(NAMES, max_size=2, unique=True))
BOUNDS = st.one_of(st.integers(-2, 4), st.sampled_from([0.5, 1.0, 2.0]))


def schemas_over(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {},
        optional={
            "type": TYPES | st.lists(TYPES, min_size=1, max_size=3, unique=True),
            "enum": st.lists(VALUES, min_size=1, max_size=4),
            "const": VALUES,
            "anyOf": st.lists(inner, min_size=1, max_size=3),
            "oneOf": st.lists(inner | REQUIRED, min_size=1, max_size=3),
            "properties": st.dictionaries(NAMES, inner, max_size=3),
            "required": st.lists(NAMES, max_size=2, unique=True),
            "additionalProperties": st.booleans() | inner,
            "items": inner,
            "minItems": SIZES,
            "maxItems": SIZES,
            "minLength": SIZES,
            "maxLength": SIZES,
            "minimum": BOUNDS,
            "maximum": BOUNDS,
            "exclusiveMinimum": BOUNDS,
            "exclusiveMaximum": BOUNDS,
            "uniqueItems": st.booleans(),
            "multipleOf": st.integers(1, 3),
            "not": inner,
            "description": st.just("words"),
            "x-hint": st.just("words"),
        },
    )


SCHEMAS = st.recursive(st.booleans() | schemas_over(st.just(True)), schemas_over, max_leaves=4)


@settings(max_examples=500)
@given(SCHEMAS, st.lists(VALUES, min_size=1, max_size=8))
def test_it_never_accepts_what_jsonschema_refuses(schema: Any, values: list[Any]) -> None:
    accepts = compile_accepts(schema)
    judge = jsonschema.Draft202012Validator(schema)

    for value in values:
        if accepts is not None and accepts(value):
            assert judge.is_valid(value), value


TOOL = {
    "type": "object",
    "properties": {
        "text": {"type": "string", "minLength": 1},
        "top": {"type": "integer", "minimum": 1, "maximum": 100, "default": 10},
        "ratio": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1, "minimum": 0.1},
        "mode": {"enum": ["fast", "slow", None]},
        "tags": {"type": "array", "items": {"type": "string"}, "minItems": 1},
        "level": {"type": ["string", "integer"]},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}], "description": "free"},
        "table": {"type": "object", "additionalProperties": {"type": "integer"}},
        "list": {"type": "array"},
        "flag": {"const": True},
        "any": {},
    },
    "required": ["text"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    "more",
    [
        {"top": 5},
        {"ratio": 0.5},
        {"mode": "slow"},
        {"mode": None},
        {"tags": ["a", "b"]},
        {"level": 1},
        {"level": "one"},
        {"note": None},
        {"note": "x"},
        {"table": {"a": 1}},
        {"list": [1, "x"]},
        {"flag": True},
        {"any": [1]},
    ],
)
def test_it_says_yes_to_what_tools_are_usually_given(more: dict[str, Any]) -> None:
    accepts = compile_accepts(TOOL)

    assert accepts is not None
    assert accepts({"text": "x", **more})


@pytest.mark.parametrize(
    "more",
    [
        {"top": True},
        {"top": 0},
        {"top": 1.0},
        {"ratio": 0},
        {"ratio": 1},
        {"mode": "other"},
        {"mode": 0},
        {"tags": []},
        {"tags": [1]},
        {"level": None},
        {"table": {"a": "1"}},
        {"flag": 1},
        {"unknown": 1},
    ],
)
def test_it_asks_about_the_rest(more: dict[str, Any]) -> None:
    accepts = compile_accepts(TOOL)

    assert accepts is not None
    assert not accepts({"text": "x", **more})
    assert not accepts({})


@pytest.mark.parametrize(
    "schema",
    [
        False,
        {"$ref": "#/$defs/a"},
        {"oneOf": [{}]},
        {"oneOf": [{"required": ["a"]}, True]},
        {"oneOf": [{"required": ["a"]}] * 9},
        {"anyOf": [{"oneOf": [{"required": ["a"]}]}]},
        {"minimum": 1, "exclusiveMinimum": True},
        {"items": {}, "some-new-keyword": 1},
        {"anyOf": [{"not": {}}]},
        {"anyOf": [{"type": "string"}] * 9},
        {"anyOf": [{"anyOf": [{"type": "string"}]}]},
    ],
)
def test_what_it_does_not_know_it_does_not_compile(schema: Any) -> None:
    assert compile_accepts(schema) is None


def test_a_part_it_does_not_know_spoils_only_values_that_have_it() -> None:
    accepts = compile_accepts({"properties": {"odd": {"oneOf": [{}]}, "plain": {"type": "null"}}})

    assert accepts is not None
    assert accepts({"plain": None})
    assert not accepts({"odd": None})


def test_an_empty_list_fits_items_it_does_not_know() -> None:
    accepts = compile_accepts({"type": "array", "items": {"oneOf": [{}]}})

    assert accepts is not None
    assert accepts([])
    assert not accepts([1])


def test_a_choice_of_arguments_is_exactly_one_of_them() -> None:
    accepts = compile_accepts(
        {"anyOf": [{}], "oneOf": [{"required": ["text"]}, {"required": ["hex", "width"]}]}
    )

    assert accepts is not None
    assert accepts({"text": "x"})
    assert accepts({"hex": "x", "width": 8})
    assert accepts({"text": "x", "hex": "x"})
    assert not accepts({"text": "x", "hex": "x", "width": 8})
    assert not accepts({})
    assert not accepts("text")
