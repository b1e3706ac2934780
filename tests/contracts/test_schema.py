from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plughost.contracts.checking.words import json_path, nearest, shorten
from plughost.contracts.schema import MAX_PROBLEMS, Problem, Schema

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([1.0, 0.0, "a", "1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner),
    max_leaves=8,
)


def told(schema: dict[str, Any], value: Any) -> list[str]:
    return [str(problem) for problem in Schema(schema).problems(value)]


@pytest.mark.parametrize(
    ("schema", "value", "words"),
    [
        ({"type": "string"}, 5, "$: must be a string, not 5"),
        ({"type": ["integer", "null"]}, "x", "$: must be a whole number or null, not 'x'"),
        ({"type": "boolean"}, [], "$: must be true or false, not []"),
        ({"type": "string", "x-hint": "h"}, 5, "$: must be a string, not 5"),
        (
            {"enum": ["cat", "dog"]},
            "dgo",
            "$: 'dgo' is not one of 'cat', 'dog'; did you mean 'dog'?",
        ),
        ({"enum": [False, "on"], "x-hint": "false, or on"}, True, "$: false, or on"),
        (
            {"enum": list(range(14))},
            -1,
            "$: -1 is not one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 2 more",
        ),
        ({"const": 1}, 2, "$: must be 1, not 2"),
        ({"minimum": 3}, 2, "$: must be at least 3, not 2"),
        ({"maximum": 3}, 4, "$: must be at most 3, not 4"),
        ({"exclusiveMinimum": 3}, 3, "$: must be more than 3, not 3"),
        ({"exclusiveMaximum": 3}, 3, "$: must be less than 3, not 3"),
        ({"minLength": 2}, "a", "$: is shorter than 2 characters: 'a'"),
        ({"minLength": 1}, "", "$: must not be empty"),
        ({"minLength": 1, "x-hint": "say it"}, "", "$: say it"),
        ({"maxLength": 2}, "abc", "$: is longer than 2 characters"),
        ({"minItems": 1}, [], "$: has too few items; at least 1"),
        ({"maxItems": 1}, [1, 2], "$: has too many items; at most 1"),
        ({"uniqueItems": True}, [1, 2, 1], "$[2]: 1 is listed twice"),
        ({"required": ["a"]}, {}, "$: 'a' is missing"),
        ({"pattern": "^a$"}, "b", "$: 'b' does not match '^a$'"),
        ({"pattern": "^a$", "x-hint": "must be a"}, "b", "$: must be a"),
        ({"not": {"type": "null"}}, None, "$: null is not allowed here"),
        ({"properties": {"a": False}}, {"a": 1}, "$.a: must not be here"),
        ({"items": False}, [1], "$: Expected at most 0 items but found 1 extra: 1"),
        ({"prefixItems": [{"not": {"type": "null"}}, False]}, [1, 2], "$[1]: must not be here"),
        ({"additionalProperties": False}, {"a": 1}, "$.a: is not a known key"),
        (
            {"properties": {"name": {}}, "additionalProperties": False},
            {"nmae": 1},
            "$.nmae: is not a known key; did you mean 'name'?",
        ),
        (
            {"patternProperties": {"^x-": {}}, "additionalProperties": {"type": "null"}},
            {"x-a": 1, "b": 2},
            "$.b: must be null, not 2",
        ),
        (
            {"patternProperties": {"^x-": {"type": "null"}}},
            {"x-a": 1, "b": 2},
            "$.x-a: must be null, not 1",
        ),
        ({"propertyNames": {"pattern": "^[a-z]$"}}, {"A": 1}, "$.A: 'A' does not match '^[a-z]$'"),
        (
            {"anyOf": [{"type": "string"}, {"properties": {"a": {"type": "null"}}}]},
            {"a": 1},
            "$.a: must be null, not 1",
        ),
        ({"multipleOf": 2}, 3, "$: 3 is not a multiple of 2"),
    ],
)
def test_each_problem_is_a_sentence_with_its_place(
    schema: dict[str, Any], value: Any, words: str
) -> None:
    assert told(schema, value) == [words]


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"required": ["a"]}, []),
        ({"propertyNames": {"minLength": 9}}, []),
        ({"additionalProperties": False}, []),
        ({"patternProperties": {"a": False}}, "text"),
        ({"pattern": "^a$"}, 5),
        ({"uniqueItems": True}, "aa"),
        ({"uniqueItems": False}, [1, 1]),
        ({"uniqueItems": True}, [1, True, "1", [1], {"a": 1}, {"a": True}, [True], None]),
    ],
)
def test_a_keyword_says_nothing_about_other_types(schema: dict[str, Any], value: Any) -> None:
    assert told(schema, value) == []


@given(st.lists(JSON, max_size=6))
def test_unique_means_what_jsonschema_means(values: list[Any]) -> None:
    schema = {"uniqueItems": True}

    assert Schema(schema).accepts(values) is jsonschema.Draft202012Validator(schema).is_valid(
        values
    )


@pytest.mark.parametrize(
    ("value", "valid"), [("x", True), (1.0, True), (1.5, False), (True, False)]
)
def test_accepts_says_what_problems_says(value: Any, valid: bool) -> None:
    schema = Schema({"type": ["string", "integer"]})

    assert schema.accepts(value) is valid
    assert (schema.problems(value) == []) is valid


def test_every_problem_is_listed_up_to_a_limit() -> None:
    schema = Schema({"items": {"type": "string"}})

    assert [problem.where for problem in schema.problems([1, "a", 2])] == [(0,), (2,)]
    assert len(schema.problems([1] * 100)) == MAX_PROBLEMS


def test_a_pattern_re2_cannot_run_is_left_to_the_plugin_and_said() -> None:
    schema = Schema(
        {
            "properties": {"a": {"pattern": "^(?!x)"}},
            "patternProperties": {"(?=b)": False},
            "additionalProperties": False,
        }
    )

    assert schema.accepts({"a": "x", "b": 1})
    assert [str(problem).partition(" uses")[0] for problem in schema.unchecked] == [
        "$: the pattern '(?=b)'",
        "$.properties.a: the pattern '^(?!x)'",
    ]


def test_patterns_that_are_too_big_together_are_left_to_the_plugin() -> None:
    schema = Schema({"allOf": [{"pattern": f"^(.{{{count}}}|y)"} for count in range(490, 500)]})

    assert not schema.accepts("z")
    assert schema.accepts("y")
    assert all("too big" in problem.message for problem in schema.unchecked)
    assert 0 < len(schema.unchecked) < 10


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"items": {"multipleOf": 2}}, [2] * 500_000),
        ({"items": {"enum": [[n] for n in range(2000)]}}, [[1999]] * 50_000),
        ({"pattern": "^a*$"}, "a" * 20_000_000),
        ({"pattern": "(a|b)*a(a|b){190}c"}, format(3**200_000, "b").translate({48: "a", 49: "b"})),
        ({"contains": True, "minContains": 1}, [1] * 4_000_000),
        ({"anyOf": [{"type": "null"}] * 900}, {"a": "x" * 4_000_000}),
        ({"anyOf": [False] * 900}, {"a": "x" * 4_000_000}),
        ({"allOf": [{"if": False, "else": {"if": {"not": {}}}}] * 400}, {"a": "x" * 4_000_000}),
        ({"allOf": [{"uniqueItems": True}] * 900}, [[[n] for n in range(100_000)]]),
        (
            {
                "anyOf": [{"$ref": "#/$defs/closed"}] * 40,
                "$defs": {
                    "closed": {
                        "properties": {f"name-{n}": {} for n in range(200)},
                        "additionalProperties": False,
                    }
                },
            },
            {f"nmae-{n}": n for n in range(50_000)},
        ),
    ],
)
def test_a_value_that_takes_too_long_to_check_is_refused(
    schema: dict[str, Any], value: Any
) -> None:
    assert told(schema, value) == ["$: is too large to check; send less at once"]


def test_a_message_full_of_base64_is_not_too_large() -> None:
    schema = Schema({"pattern": "^[A-Za-z0-9+/]+={0,2}$"})

    assert schema.problems("QUJD" * 1024 * 1024) == []


def test_the_budget_is_each_checks_own() -> None:
    schema = Schema({"items": {"multipleOf": 2}})

    assert [schema.problems([2] * 20_000) for _ in range(6)] == [[]] * 6


def test_a_value_too_deep_for_the_stack_is_a_problem_and_no_crash() -> None:
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]

    assert told({"uniqueItems": True}, [deep]) == ["$: nests too deep to check"]


def test_an_integer_too_long_to_show_is_a_problem_and_no_crash() -> None:
    assert told({"type": "string"}, 1 << 99_999) == ["$: holds an integer of more than 4300 digits"]
    assert told({"not": {"pattern": "a"}}, [1 << 99_999]) != []


def test_a_long_message_is_cut() -> None:
    (problem,) = Schema({"pattern": "a", "x-hint": "h" * 5000}).problems("b")

    assert len(problem.message) == 401


def test_a_schema_is_a_document_that_json_can_carry() -> None:
    document = {"type": "object", "properties": {"a": {"type": "integer"}}}

    assert json.loads(json.dumps(Schema(document).document)) == document


@pytest.mark.parametrize(
    ("where", "path"),
    [
        ((), "$"),
        (("a", 0, "b-c"), "$.a[0].b-c"),
        (("a b", ""), "$['a b']['']"),
        (("x" * 100,), f"$['{'x' * 60}']"),
    ],
)
def test_a_place_is_a_json_path(where: tuple[str | int, ...], path: str) -> None:
    assert Problem(where, "").path == json_path(where) == path


def test_what_is_long_is_shortened() -> None:
    assert shorten("x" * 61) == f"'{'x' * 60}'"
    assert len(shorten(list(range(1000)))) == 61


def test_only_the_first_of_a_large_value_is_written_out() -> None:
    class Loud:
        def __repr__(self) -> str:
            raise AssertionError

    assert shorten([*range(30), Loud()]).startswith("[0, 1, 2")
    assert shorten({"a": [[[[Loud()]]]], "b": 1 << 9999}) == "{'a': [[[Ellipsis]]], 'b': Ellipsis}"


def test_the_nearest_name_is_near() -> None:
    assert nearest("pyhton", ["python", "node", 5]) == "; did you mean 'python'?"
    assert nearest("zzz", ["python", "node"]) == ""
    assert nearest(5, ["python"]) == ""
    assert nearest("p" * 100, ["p" * 99]) == ""
