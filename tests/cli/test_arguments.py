"""How text from a command line becomes the values a schema asks for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plughost.cli.calls.arguments import parse_arguments, type_values
from plughost.errors import InvalidArgumentsError


def typed(text: str, part: object, **more: Any) -> Any:
    return type_values({"key": text}, {"properties": {"key": part}, **more})["key"]


@pytest.mark.parametrize(
    ("text", "part", "value"),
    [
        ("5", {"type": "string"}, "5"),
        ("5", {"type": "integer"}, 5),
        ("5", {"type": ["integer", "null"]}, 5),
        ("null", {"type": ["integer", "null"]}, None),
        ("null", {"type": ["string", "null"]}, "null"),
        ("5", {"anyOf": [{"type": "integer"}, {"type": "string"}]}, "5"),
        ("[1]", {"anyOf": [{"type": "array"}, {"type": "null"}]}, [1]),
        ("true", {"oneOf": [{"type": "boolean"}]}, True),
        ("yes", {"enum": ["yes", "no"]}, "yes"),
        ("2", {"enum": [1, 2]}, 2),
        ("2", {"const": 2}, 2),
        ("many", {"type": "integer"}, "many"),
        ('{"a": 1}', {"$ref": "#/$defs/thing"}, {"a": 1}),
        ("x", {"$ref": "#/nowhere"}, "x"),
        ("7", {}, 7),
        ("words", {}, "words"),
        ("words", True, "words"),
    ],
)
def test_a_value_has_the_type_its_schema_names(text: str, part: object, value: object) -> None:
    found = typed(text, part, **{"$defs": {"thing": {"type": "object"}}})

    assert (found, type(found)) == (value, type(value))


def test_a_schema_without_properties_leaves_unknown_words_alone() -> None:
    assert type_values({"a": "b", "n": "1"}, {}) == {"a": "b", "n": 1}


@pytest.mark.parametrize("kind", ["array", "object"])
def test_a_list_or_an_object_that_is_no_json_says_how_to_write_it(kind: str) -> None:
    with pytest.raises(InvalidArgumentsError, match=f"key=a,b: an {kind} is written") as refused:
        typed("a,b", {"type": kind})

    assert refused.value.hint.startswith("Write it as key='")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), json_values))
def test_any_json_object_is_read_as_it_is(values: dict[str, Any]) -> None:
    text = json.dumps(values)

    assert parse_arguments(text) == values


@given(st.text())
def test_no_text_raises_anything_but_a_refusal(text: str) -> None:
    if text == "-":
        return  # stdin
    try:
        values = parse_arguments(text)
    except InvalidArgumentsError:
        return
    assert isinstance(values, dict)
