"""Is this document surely a JSON Schema?  A fast yes for the usual ones; the rest asks.

Its own schema decides, which `jsonschema` takes 25 ms to load and 0.15 ms a
subschema to run.  This module answers True only where that would too, and may
answer False for anything: then the caller asks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

__all__ = ["NEWEST_DIALECT", "surely_schema"]

# MCP: a schema that names no draft is 2020-12.
NEWEST_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_TYPES: Final = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})


def surely_schema(document: Any) -> bool:
    """Return whether *document* is surely a schema of draft 2020-12.

    Args:
        document: JSON values, nested no deeper than `refusals` allows.
    """
    if isinstance(document, bool):
        return True
    return isinstance(document, dict) and all(
        key.startswith("x-") or (key in _KEYWORDS and _KEYWORDS[key](value))
        for key, value in document.items()
    )


def _is_anything(_value: Any) -> bool:
    return True


def _is_newest(value: Any) -> bool:
    return isinstance(value, str) and value == NEWEST_DIALECT


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _are_names(value: Any) -> bool:
    return (
        isinstance(value, list)
        and all(isinstance(each, str) for each in value)
        and len(set(value)) == len(value)
    )


def _is_type(value: Any) -> bool:
    names = [value] if isinstance(value, str) else value
    return _are_names(names) and bool(names) and _TYPES.issuperset(names)


def _are_ways(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(surely_schema, value))


def _are_named(value: Any) -> bool:
    return isinstance(value, dict) and all(map(surely_schema, value.values()))


_KEYWORDS: Final[dict[str, Callable[[Any], bool]]] = {
    "$schema": _is_newest,
    **dict.fromkeys(["const", "default"], _is_anything),
    **dict.fromkeys(["$comment", "title", "description", "format"], _is_text),
    **dict.fromkeys(["contentEncoding", "contentMediaType", "pattern"], _is_text),
    **dict.fromkeys(["deprecated", "readOnly", "writeOnly", "uniqueItems"], _is_flag),
    **dict.fromkeys(["enum", "examples"], _is_list),
    **dict.fromkeys(["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"], _is_number),
    **dict.fromkeys(["minItems", "maxItems", "minLength", "maxLength"], _is_count),
    "required": _are_names,
    "type": _is_type,
    **dict.fromkeys(["anyOf", "allOf", "oneOf"], _are_ways),
    **dict.fromkeys(["additionalProperties", "items", "propertyNames", "not"], surely_schema),
    **dict.fromkeys(["properties", "patternProperties", "$defs"], _are_named),
}
