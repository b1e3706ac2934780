from __future__ import annotations

from typing import Any

import pytest

from plughost.contracts.schema import Schema, SchemaRefusedError


def nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(depth):
        schema = {"not": schema}
    return schema


def doubling(levels: int) -> dict[str, Any]:
    """Return definitions that each name the next one twice."""
    steps = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(levels)}
    return {"$ref": "#/$defs/d0", "$defs": {**steps, f"d{levels}": {"type": "string"}}}


def chain(levels: int) -> dict[str, Any]:
    steps = {f"d{n}": {"$ref": f"#/$defs/d{n + 1}"} for n in range(levels)}
    # The far end first, so that heights are known before the near end is looked at.
    return {
        "$defs": {**steps, f"d{levels}": {"type": "string"}},
        "properties": {"far": {"$ref": f"#/$defs/d{levels // 2}"}, "near": {"$ref": "#/$defs/d0"}},
    }


@pytest.mark.parametrize(
    ("schema", "path", "reason"),
    [
        ({"$ref": "https://example.com/s.json"}, "$['$ref']", "refers to 'https://example.com"),
        ({"items": {"$ref": "other.json"}}, "$.items['$ref']", "refers to 'other.json'"),
        ({"$ref": "#anchor"}, "$['$ref']", "only '#/…' inside the same schema"),
        ({"$ref": 5}, "$['$ref']", "refers to 5"),
        ({"$ref": "#/$defs/none"}, "$['$ref']", "is not there"),
        ({"allOf": [{"$ref": "#/allOf/7"}]}, "$.allOf[0]['$ref']", "is not there"),
        ({"$ref": "#/default", "default": {"type": "null"}}, "$['$ref']", "is no schema"),
        ({"$ref": "#/title", "title": "x"}, "$['$ref']", "is no schema"),
        ({"properties": {"a": {"$ref": "#"}}}, "$.properties.a['$ref']", "refers to itself"),
        (
            {"$ref": "#/$defs/a", "$defs": {"a": {"items": {"$ref": "#/$defs/a"}}}},
            "$['$ref'].items['$ref']",
            "refers to itself",
        ),
        ({"$dynamicRef": "#a"}, "$['$dynamicRef']", "recursion"),
        ({"$recursiveRef": "#"}, "$['$recursiveRef']", "recursion"),
        ({"items": {"$id": "urn:x"}}, "$.items['$id']", "at the top of a schema only"),
        ({"items": {"$schema": "urn:x"}}, "$.items['$schema']", "at the top of a schema only"),
        ({"description": "x" * 65_536}, "$", "is 65554 bytes long; at most 65536"),
        ({"allOf": [{}] * 2000}, "$", "holds 2001 schemas; at most 2000"),
        (nested(70), "$", "more than 64 levels deep"),
        (chain(70), None, "more than 64 schemas deep"),
        (chain(140), None, "more than 64 schemas deep"),
        (doubling(30), None, "more than 10000 schemas once its references"),
        ({"default": object()}, "$", "is not JSON"),
        (
            {"unevaluatedProperties": False, "allOf": [{"patternProperties": {"a": {}}}]},
            "$.allOf[0].patternProperties",
            "unevaluatedProperties",
        ),
        ({"type": "strong"}, "$.type", "is not JSON Schema"),
        ({"required": "all"}, "$.required", "must be a list, not 'all'"),
        ({"properties": 5}, "$.properties", "must be an object, not 5"),
        ({"$schema": "https://example.com/mine"}, "$['$schema']", "not a JSON Schema draft"),
        ({"$schema": 7}, "$['$schema']", "not a JSON Schema draft"),
    ],
)
def test_a_schema_that_could_hold_the_host_up_is_refused_with_its_place(
    schema: dict[str, Any], path: str | None, reason: str
) -> None:
    with pytest.raises(SchemaRefusedError) as caught:
        Schema(schema, what="tool 'x' of plugin 'y', inputSchema")

    message = str(caught.value)
    assert message.startswith("tool 'x' of plugin 'y', inputSchema: $")
    assert reason in message
    assert path is None or caught.value.facts["path"] == path


def test_references_inside_the_schema_are_followed() -> None:
    schema = Schema(
        {
            "properties": {
                "from": {"$ref": "#/$defs/a~1b~0c"},
                "to": {"$ref": "#/properties/from"},
                "first": {"$ref": "#/allOf/0"},
                "any": {"$ref": "#/$defs/any"},
            },
            "allOf": [{"type": "object"}],
            "$defs": {"a/b~c": {"type": "string"}, "any": True},
        }
    )

    assert schema.accepts({"from": "x", "to": "y", "first": {}, "any": 5})
    assert [problem.path for problem in schema.problems({"from": 1, "to": 2, "first": 3})] == [
        "$.from",
        "$.to",
        "$.first",
    ]


def test_unevaluated_properties_alone_are_fine() -> None:
    schema = Schema({"properties": {"a": {}}, "unevaluatedProperties": False})

    assert schema.accepts({"a": 1})
    assert not schema.accepts({"b": 1})


def test_words_that_look_like_keywords_are_not_taken_for_them() -> None:
    schema = Schema(
        {
            "properties": {
                "$ref": {"type": "string"},
                "$id": {"type": "string"},
                "default": {"type": "string"},
            },
            "default": {"$ref": "https://example.com"},
            "examples": [{"$dynamicRef": "#"}],
        }
    )

    assert not schema.accepts({"$ref": 1})


@pytest.mark.parametrize("draft", ["draft-04", "draft-06", "draft-07"])
def test_older_drafts_are_read_as_what_they_are(draft: str) -> None:
    schema = Schema(
        {
            "$schema": f"http://json-schema.org/{draft}/schema#",
            "items": [{"type": "string"}],
            "additionalItems": {"type": "integer"},
            "definitions": {"unused": {"type": "string"}},
        }
    )

    assert schema.accepts(["x", 1, 2])
    assert not schema.accepts(["x", "y"])


def test_draft_4_bounds_are_read_as_what_they_are() -> None:
    schema = Schema(
        {
            "$schema": "http://json-schema.org/draft-04/schema#",
            "minimum": 1,
            "exclusiveMinimum": True,
        }
    )

    assert schema.accepts(2)
    assert not schema.accepts(1)
