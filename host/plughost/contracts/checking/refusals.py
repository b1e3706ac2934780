"""Which JSON Schemas does the host refuse to run?

A tool's schema comes from a plugin nobody has to trust, and it is run in the
host's only thread.  A few hundred bytes can ask for ever: definitions
that name each other twice, thirty levels deep, are a thousand million
checks.  So a schema is measured, with its references followed, before it is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import unquote

import attrs
import orjson

__all__ = [
    "MAX_SCHEMA_BYTES",
    "RefusedError",
    "Where",
    "check_schema_limits",
    "subschemas",
    "without_false",
]

Where = tuple[str | int, ...]

# 64 KiB as JSON: 8 times the largest tool schema of the public MCP servers we looked at.
MAX_SCHEMA_BYTES: Final = 64 * 1024

# Nesting of the wire (contracts/wire/README.md §2.3); `$ref` counts as one level.
MAX_DEPTH: Final = 64

# Subschemas as written.  Checking one against JSON Schema's own schema takes 0.15 ms.
MAX_WRITTEN: Final = 2000

# Subschemas once every `$ref` is written out: five times the largest that is written.
MAX_SUBSCHEMAS: Final = 10_000

_ONE: Final = frozenset(
    [
        "additionalItems",
        "additionalProperties",
        "contains",
        "contentSchema",
        "else",
        "if",
        "items",
        "not",
        "propertyNames",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
    ]
)
_MANY: Final = frozenset({"allOf", "anyOf", "items", "oneOf", "prefixItems"})
_NAMED: Final = frozenset({"dependencies", "dependentSchemas", "patternProperties", "properties"})
_FALSE_IS_A_KEYWORDS_OWN: Final = frozenset(
    {
        "additionalItems",
        "additionalProperties",
        "items",
        "unevaluatedItems",
        "unevaluatedProperties",
    }
)
_DEFINITIONS: Final = frozenset({"$defs", "definitions"})

_ELSEWHERE: Final = "refers to {ref!r}; only '#/…' inside the same schema is followed"
_INSIDE_ONLY: Final = "may stand at the top of a schema only"


@attrs.frozen
class RefusedError(Exception):
    """Why a schema is not run: where, and the rest of a sentence about that place."""

    where: Where
    reason: str


def check_schema_limits(schema: Any) -> None:
    """Refuse *schema* if it is too big, too deep, recursive, or refers elsewhere.

    Raises:
        RefusedError: The first reason found.
    """
    _check_depth(schema)
    try:
        size = len(orjson.dumps(schema))
    except TypeError as error:
        raise RefusedError((), f"is not JSON: {error}") from error
    if size > MAX_SCHEMA_BYTES:
        raise RefusedError((), f"is {size} bytes long; at most {MAX_SCHEMA_BYTES} are taken")
    found = list(subschemas(schema))
    if len(found) > MAX_WRITTEN:
        raise RefusedError((), f"holds {len(found)} schemas; at most {MAX_WRITTEN} are taken")
    for where, part in found:
        _check_keywords(where, part)
    if any("unevaluatedProperties" in part for _, part in found):
        for where, part in found:
            if "patternProperties" in part:
                raise RefusedError(
                    (*where, "patternProperties"), "cannot be mixed with unevaluatedProperties"
                )
    _Expansion(schema, {id(part) for _, part in found}).count(schema, (), 0)


def subschemas(schema: Any, where: Where = ()) -> Iterator[tuple[Where, dict[str, Any]]]:
    """Yield *schema* and every schema written inside it, definitions too."""
    if not isinstance(schema, dict):
        return
    yield where, schema
    for step, part in _parts(schema, definitions=True):
        yield from subschemas(part, (*where, *step))


def without_false(schema: Any) -> Any:
    """Return *schema* with each schema ``false`` inside it written as ``{"not": {}}``.

    `jsonschema` answers ``false`` outside of its keywords, where nobody counts and the
    place is lost.  ``additionalProperties: false`` and its like are keywords' own business.
    """
    if not isinstance(schema, dict):
        return {"not": {}} if schema is False else schema
    copy = dict(schema)
    for key, value in schema.items():
        if key in _MANY and isinstance(value, list):
            copy[key] = [without_false(part) for part in value]
        elif (key in _NAMED or key in _DEFINITIONS) and isinstance(value, dict):
            copy[key] = {name: without_false(part) for name, part in value.items()}
        elif key in _ONE and (isinstance(value, dict) or key not in _FALSE_IS_A_KEYWORDS_OWN):
            copy[key] = without_false(value)
    return copy


def _parts(schema: dict[str, Any], *, definitions: bool) -> Iterator[tuple[Where, Any]]:
    """Yield the schemas directly inside *schema*, whatever draft wrote them."""
    for key, value in schema.items():
        if key in _MANY and isinstance(value, list):
            yield from (((key, index), part) for index, part in enumerate(value))
        elif key in _ONE:
            yield (key,), value
        elif (key in _NAMED or (definitions and key in _DEFINITIONS)) and isinstance(value, dict):
            yield from (((key, name), part) for name, part in value.items())


def _check_depth(schema: Any) -> None:
    level = [schema]
    for _ in range(MAX_DEPTH + 1):
        if not level:
            return
        level = [
            child
            for value in level
            if isinstance(value, (dict, list))
            for child in (value.values() if isinstance(value, dict) else value)
        ]
    raise RefusedError((), f"nests more than {MAX_DEPTH} levels deep")


def _check_keywords(where: Where, schema: dict[str, Any]) -> None:
    for key in ("$dynamicRef", "$recursiveRef"):
        if key in schema:
            raise RefusedError((*where, key), "is recursion, which is not followed; use $ref")
    if where:
        # A nested `$id` moves what `#` means, and a nested `$schema` changes the rules.
        for key in ("$id", "id", "$schema"):
            if isinstance(schema.get(key), str):
                raise RefusedError((*where, key), _INSIDE_ONLY)


@attrs.define
class _Expansion:
    """Counts the subschemas of a schema whose references are written out."""

    root: Any
    schemas: set[int]  # ids of everything that stands where a schema may stand
    _open: set[int] = attrs.field(factory=set)
    _known: dict[int, tuple[int, int]] = attrs.field(factory=dict)

    def count(self, schema: Any, where: Where, depth: int) -> tuple[int, int]:
        """Return how many subschemas *schema* expands to, and how deep.

        Raises:
            RefusedError: Too many, too deep, or for ever.
        """
        if not isinstance(schema, dict):
            return 1, 0
        key = id(schema)
        if key in self._open:
            raise RefusedError(where, "refers to itself; recursive schemas are not run")
        if depth > MAX_DEPTH:  # said before the interpreter's own stack would be
            raise RefusedError(where, f"nests more than {MAX_DEPTH} schemas deep")
        if key not in self._known:
            self._open.add(key)
            self._known[key] = self._count_parts(schema, where, depth)
            self._open.remove(key)
        total, height = self._known[key]
        if depth + height > MAX_DEPTH:
            raise RefusedError(where, f"nests more than {MAX_DEPTH} schemas deep")
        return total, height

    def _count_parts(self, schema: dict[str, Any], where: Where, depth: int) -> tuple[int, int]:
        parts = list(_parts(schema, definitions=False))
        if "$ref" in schema:
            parts.append((("$ref",), self._look_up(schema["$ref"], (*where, "$ref"))))
        total, height = 1, 0
        for step, part in parts:
            size, below = self.count(part, (*where, *step), depth + 1)
            total, height = total + size, max(height, below + 1)
        if total > MAX_SUBSCHEMAS:
            raise RefusedError(
                where,
                f"is more than {MAX_SUBSCHEMAS} schemas once its references are written out",
            )
        return total, height

    def _look_up(self, ref: Any, where: Where) -> Any:
        """Return what *ref* points to, without ever leaving this schema."""
        if not isinstance(ref, str) or not (ref == "#" or ref.startswith("#/")):
            raise RefusedError(where, _ELSEWHERE.format(ref=ref))
        value = self.root
        for part in unquote(ref).split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            if isinstance(value, list) and name.isdecimal() and int(name) < len(value):
                value = value[int(name)]
            elif isinstance(value, dict) and name in value:
                value = value[name]
            else:
                raise RefusedError(where, f"refers to {ref!r}, which is not there")
        if not isinstance(value, bool) and id(value) not in self.schemas:
            raise RefusedError(where, f"refers to {ref!r}, which is no schema")
        return value
