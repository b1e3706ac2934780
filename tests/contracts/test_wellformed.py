from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plughost.contracts.checking.wellformed import _KEYWORDS, NEWEST_DIALECT, surely_schema

JUDGE = jsonschema.Draft202012Validator(jsonschema.Draft202012Validator.META_SCHEMA)

# What keywords hold, rightly and wrongly.
VALUES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 2),
    st.sampled_from([0.5, 1.0, -1.0]),
    st.sampled_from(["", "a", "string", "object", "any", NEWEST_DIALECT]),
    st.lists(st.sampled_from(["a", "string", "null", 1, True]), max_size=3),
    st.dictionaries(st.sampled_from(["a", "b"]), st.none() | st.booleans(), max_size=2),
)
KEYS = st.sampled_from([*sorted(_KEYWORDS), "x-hint", "$ref", "unheard-of"])


def documents_over(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    parts = inner | st.lists(inner, max_size=2) | st.dictionaries(st.just("a"), inner, max_size=1)
    return st.dictionaries(KEYS, VALUES | parts, max_size=3)


DOCUMENTS = st.recursive(VALUES, documents_over, max_leaves=5)


@settings(max_examples=500)
@given(DOCUMENTS)
def test_it_never_takes_for_a_schema_what_the_metaschema_refuses(document: Any) -> None:
    if surely_schema(document):
        assert JUDGE.is_valid(document), document


@given(KEYS, VALUES)
def test_it_judges_each_keyword_as_strictly_as_the_metaschema(key: str, value: Any) -> None:
    if surely_schema({key: value}):
        assert JUDGE.is_valid({key: value})


@pytest.mark.parametrize(
    "document",
    [
        True,
        {},
        {"$schema": NEWEST_DIALECT, "type": "object", "title": "t", "x-order": 1},
        {"properties": {"a": {"type": ["string", "null"], "pattern": "^a$", "default": None}}},
        {"required": ["a", "b"], "additionalProperties": False},
        {"type": "array", "items": {"enum": [1, "a"]}, "minItems": 1, "uniqueItems": True},
        {"anyOf": [{"minimum": 0.5}, {"const": None}], "deprecated": False},
    ],
)
def test_it_knows_the_usual_schemas(document: Any) -> None:
    assert surely_schema(document)


@pytest.mark.parametrize(
    "document",
    [
        None,
        {"$schema": "http://json-schema.org/draft-07/schema#"},
        {"$schema": 5},
        {"minimum": True},
        {"minLength": -1},
        {"minLength": True},
        {"required": ["a", "a"]},
        {"required": "a"},
        {"required": [1]},
        {"type": []},
        {"type": "any"},
        {"anyOf": []},
        {"properties": {"a": {"type": 5}}},
        {"properties": []},
        {"$ref": "#"},
    ],
)
def test_it_leaves_the_rest_to_the_metaschema(document: Any) -> None:
    assert not surely_schema(document)
