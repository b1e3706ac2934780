"""Is this value surely valid?  A fast yes for the usual JSON Schemas; anything else asks.

`jsonschema` takes 10 µs for one string property and 31 µs for three; a
call's whole round trip is 31 µs.  This module turns the keywords that most schemas
consist of into closures.  It answers True only for what `jsonschema` accepts too,
and may answer False for anything: then the caller asks `jsonschema`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import NoneType
from typing import Any, Final, overload

__all__ = ["Accepts", "compile_accepts"]

Accepts = Callable[[Any], bool]

# Keywords that never decide.  `$defs` holds schemas for `$ref`, which we do not compile.
_SILENT: Final = frozenset(
    [
        "$schema",
        "$id",
        "$comment",
        "$defs",
        "definitions",
        "title",
        "description",
        "default",
        "examples",
        "deprecated",
        "readOnly",
        "writeOnly",
        "format",
        "contentEncoding",
        "contentMediaType",
        "contentSchema",
    ]
)
_DECIDING: Final = frozenset(
    [
        "type",
        "enum",
        "const",
        "anyOf",
        "oneOf",
        "properties",
        "required",
        "additionalProperties",
        "items",
        "minItems",
        "maxItems",
        "minLength",
        "maxLength",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
    ]
)

# A union is tried way by way for every element of an array, so its width
# times the array is work nobody counts.  Eight covers every nullable union.
_WIDEST_UNION: Final = 8

# The Python types each JSON type surely is.  `1.0` is an integer in JSON Schema; we ask.
_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (NoneType,),
    "array": (list,),
    "object": (dict,),
}


def compile_accepts(schema: Any, *, in_union: bool = False) -> Accepts | None:
    """Return a function that is True only for values *schema* accepts; None if there is none.

    Args:
        schema: A valid JSON Schema of any draft since 4.
        in_union: Whether this is a way of an ``anyOf``; those hold no further unions.
    """
    if schema is True:
        return _always
    if not isinstance(schema, dict) or not _knows(schema):
        return None
    by_type: dict[type, Accepts] = {
        kind: _always for name in _names(schema) for kind in _TYPES[name]
    }
    _narrow(by_type, (str,), _compile_length(schema, "minLength", "maxLength"))
    _narrow(by_type, (int, float), _compile_bounds(schema))
    _narrow(by_type, (list,), _compile_items(schema, in_union=in_union))
    _narrow(by_type, (dict,), _compile_object(schema, in_union=in_union))
    _narrow_to_values(by_type, schema)
    accepts: Accepts | None = _dispatch(by_type)
    if "anyOf" in schema:
        accepts = _both(accepts, _compile_union(schema["anyOf"], in_union=in_union))
    if "oneOf" in schema:
        accepts = _both(accepts, _compile_choice(schema["oneOf"], in_union=in_union))
    return accepts


def _dispatch(by_type: dict[type, Accepts]) -> Accepts:
    if len(by_type) == 1:  # spares the look-up: one type is the usual case
        ((kind, accepts),) = by_type.items()
        if accepts is _always:
            return lambda value: type(value) is kind
        return lambda value: type(value) is kind and accepts(value)
    return lambda value: by_type.get(type(value), _never)(value)


def _always(_value: Any) -> bool:
    return True


def _never(_value: Any) -> bool:
    return False


def _knows(schema: Mapping[str, Any]) -> bool:
    return all(
        key in _DECIDING or key in _SILENT or key.startswith("x-") for key in schema
    ) and not any(
        # Draft 4 wrote `exclusiveMinimum: true` beside `minimum`.
        isinstance(schema.get(key), bool)
        for key in ("exclusiveMinimum", "exclusiveMaximum")
    )


def _names(schema: Mapping[str, Any]) -> list[str]:
    kinds = schema.get("type", list(_TYPES))
    return [kinds] if isinstance(kinds, str) else kinds


def _narrow(by_type: dict[type, Accepts], kinds: tuple[type, ...], check: Accepts | None) -> None:
    if check is not None:
        for kind in kinds:
            if kind in by_type:
                by_type[kind] = check


def _narrow_to_values(by_type: dict[type, Accepts], schema: Mapping[str, Any]) -> None:
    """Keep only the scalars that ``enum`` and ``const`` list, each under its own type.

    Under its own type, because Python takes True for 1 and JSON does not.
    """
    lists = [schema["enum"]] if "enum" in schema else []
    if "const" in schema:
        lists.append([schema["const"]])
    for values in lists:
        for kind, accepts in list(by_type.items()):
            listed = frozenset(v for v in values if type(v) is kind and kind in _SCALARS)
            by_type[kind] = _both(accepts, listed.__contains__) if listed else _never


_SCALARS: Final = frozenset({str, int, bool, NoneType})


@overload
def _both(first: Accepts, second: Accepts) -> Accepts: ...
@overload
def _both(first: Accepts | None, second: Accepts | None) -> Accepts | None: ...
def _both(first: Accepts | None, second: Accepts | None) -> Accepts | None:
    if first is None or second is None:
        return None
    if first is _always:
        return second
    return lambda value: first(value) and second(value)


def _compile_length(schema: Mapping[str, Any], least: str, most: str) -> Accepts | None:
    if least not in schema and most not in schema:
        return None
    low, high = schema.get(least, 0), schema.get(most, float("inf"))
    return lambda value: low <= len(value) <= high


def _compile_bounds(schema: Mapping[str, Any]) -> Accepts | None:
    tests: list[Accepts] = []
    if "minimum" in schema or "maximum" in schema:
        low, high = schema.get("minimum", float("-inf")), schema.get("maximum", float("inf"))
        tests.append(lambda value: low <= value <= high)
    if "exclusiveMinimum" in schema or "exclusiveMaximum" in schema:
        above = schema.get("exclusiveMinimum")
        below = schema.get("exclusiveMaximum")
        tests.append(
            lambda value: (above is None or value > above) and (below is None or value < below)
        )
    if len(tests) == 2:  # noqa: PLR2004 - both kinds of bounds
        return _both(*tests)
    return tests[0] if tests else None


def _compile_items(schema: Mapping[str, Any], *, in_union: bool) -> Accepts | None:
    length = _compile_length(schema, "minItems", "maxItems")
    if "items" not in schema:
        return length
    item = compile_accepts(schema["items"], in_union=in_union) or _never
    if length is None:
        return lambda value: all(map(item, value))
    return lambda value: length(value) and all(map(item, value))


def _compile_object(schema: Mapping[str, Any], *, in_union: bool) -> Accepts | None:
    known = {
        name: compile_accepts(part, in_union=in_union) or _never
        for name, part in schema.get("properties", {}).items()
    }
    others = compile_accepts(schema.get("additionalProperties", True), in_union=in_union) or _never
    required = tuple(schema.get("required", ()))
    if not known and not required and others is _always:
        return None

    def accepts(value: dict[str, Any]) -> bool:
        for name in required:
            if name not in value:
                return False
        for name, item in value.items():  # noqa: SIM110 - a generator costs 0.2 µs more
            if not known.get(name, others)(item):
                return False
        return True

    return accepts


def _compile_union(ways: list[Any], *, in_union: bool) -> Accepts | None:
    if in_union or len(ways) > _WIDEST_UNION:
        return None
    found = [way for part in ways if (way := compile_accepts(part, in_union=True)) is not None]
    if not found:
        return None
    return lambda value: any(way(value) for way in found)


def _compile_choice(ways: list[Any], *, in_union: bool) -> Accepts | None:
    """Return what accepts objects with one of several arguments; other choices are not known.

    "Exactly one" needs a sure no as well, which ``required`` alone can give.
    """
    if in_union or len(ways) > _WIDEST_UNION:
        return None
    if not all(isinstance(way, dict) and way.keys() == {"required"} for way in ways):
        return None
    groups = [tuple(way["required"]) for way in ways]
    return lambda value: (
        type(value) is dict and sum(all(name in value for name in group) for group in groups) == 1
    )
