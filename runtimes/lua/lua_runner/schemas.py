"""What a JSON Schema says about an empty table, and what one written in Lua means.

This reads schemas only as far as a hint needs: it validates nothing (the host does).
"""

from __future__ import annotations

TYPE_CHECKING = False  # `typing` costs more than all our modules together
if TYPE_CHECKING:
    from typing import Any, Final

__all__ = ["element_schema", "means", "property_schema", "with_empty_arrays"]

# Keywords of JSON Schema 2020-12 by the form of their value.
_LISTS: Final = frozenset(
    {"allOf", "anyOf", "oneOf", "enum", "examples", "prefixItems", "required"}
)
_MAPS: Final = frozenset({"$defs", "dependentSchemas", "patternProperties", "properties"})
_SCHEMAS: Final = frozenset(
    {
        "additionalProperties",
        "contains",
        "else",
        "if",
        "items",
        "not",
        "propertyNames",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
    }
)
_BRANCHES: Final = ("allOf", "anyOf", "oneOf")
# Enough for any schema a person wrote, and the end of a $ref that names itself.
_DEEPEST: Final = 16


def means(schema: object, root: object, kind: str, depth: int = _DEEPEST) -> bool:
    """Say whether *schema* expects *kind*, "array" or "integer", rather than its rival.

    The rivals are what the same Lua value could also be: an object, a number.
    """
    resolved = _resolved(schema, root)
    if not resolved or depth == 0:
        return False
    types = resolved.get("type")
    if isinstance(types, str):
        return types == kind
    if isinstance(types, list):
        return kind in types and {"array": "object", "integer": "number"}[kind] not in types
    if kind == "array" and ("items" in resolved or "prefixItems" in resolved):
        return True
    branches = (branch for name in _BRANCHES for branch in _listed(resolved.get(name)))
    return any(means(branch, root, kind, depth - 1) for branch in branches)


def property_schema(schema: object, root: object, name: str) -> object:
    """Return the schema of property *name*, or None."""
    for level in _levels(schema, root):
        properties = level.get("properties")
        if isinstance(properties, dict) and name in properties:
            return properties[name]
        if isinstance(level.get("additionalProperties"), dict):
            return level["additionalProperties"]
    return None


def element_schema(schema: object, root: object, index: int) -> object:
    """Return the schema of element *index*, counted from 0, or None."""
    for level in _levels(schema, root):
        first = _listed(level.get("prefixItems"))
        if index < len(first):
            return first[index]
        if "items" in level:
            return level["items"]
    return None


def with_empty_arrays(schema: Any) -> Any:
    """Return *schema* with ``{}`` as ``[]`` wherever JSON Schema has a list.

    A table in Lua without elements does not say which it is; the keyword does.
    """
    if not isinstance(schema, dict):
        return schema
    return {name: _keyword(name, value, schema) for name, value in schema.items()}


def _keyword(name: str, value: Any, schema: dict[str, Any]) -> Any:
    if name in _LISTS or (name == "type" and value == {}):
        if value == {}:
            return []
        inner = name not in ("enum", "examples", "required")
        return [with_empty_arrays(item) for item in value] if inner else value
    if name in _MAPS and isinstance(value, dict):
        return {key: with_empty_arrays(item) for key, item in value.items()}
    if name in _SCHEMAS:
        return with_empty_arrays(value)
    if name in ("default", "const") and value == {} and means(schema, schema, "array"):
        return []
    return value


def _levels(schema: object, root: object, depth: int = _DEEPEST) -> list[dict[str, Any]]:
    """Return *schema* and its branches, the nearest first."""
    resolved = _resolved(schema, root)
    if not resolved or depth == 0:
        return []
    levels = [resolved]
    for name in _BRANCHES:
        for branch in _listed(resolved.get(name)):
            levels += _levels(branch, root, depth - 1)
    return levels


def _resolved(schema: object, root: object) -> dict[str, Any] | None:
    for _ in range(_DEEPEST):
        if not isinstance(schema, dict):
            return None
        reference = schema.get("$ref")
        if not isinstance(reference, str) or not reference.startswith("#"):
            return schema
        schema = root
        for part in reference[1:].split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            schema = schema.get(name) if isinstance(schema, dict) else None
    return None


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
