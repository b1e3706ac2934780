"""Is this value valid?  Yes, no or "ask", for the schemas the host wrote itself.

A host reads its plugins' manifests before it does anything else, and to load
`jsonschema` for that takes longer than to read them.  Schemas of plugins do not come
here: nothing counts the work, and nothing checks that the schema is one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sized
from functools import cache
from typing import Any, Final

import attrs

from plughost.contracts.checking.compiled import Accepts
from plughost.contracts.checking.patterns import Pattern

__all__ = ["compile_own"]


class _AskError(Exception):
    """`jsonschema` has to decide."""


def compile_own(document: Mapping[str, Any]) -> Accepts:
    """Return a function that is True only for values *document* accepts.

    Args:
        document: A schema of draft 2020-12 that is not recursive.

    Raises:
        KeyError: It has a keyword that is not decided here.
    """
    decide = _Compiler(document).compile(document)

    def accepts(value: Any) -> bool:
        try:
            return decide(value)
        except _AskError:
            return False

    return accepts


@attrs.define
class _Compiler:
    """Turns the schemas of one document into functions."""

    root: Mapping[str, Any]

    def compile(self, schema: Any) -> Accepts:
        if isinstance(schema, bool):
            return lambda _value: schema
        checks = [
            _KEYWORDS[key](self, wanted, schema)
            for key, wanted in schema.items()
            if key not in _SILENT and not key.startswith("x-")
        ]
        return _all_of(checks)

    def look_up(self, ref: str) -> Accepts:
        value = self.root
        for name in ref.removeprefix("#/").split("/"):
            value = value[name]
        return self.compile(value)


_SILENT: Final = frozenset(
    ["$comment", "$defs", "$id", "$schema", "default", "description", "else", "then", "title"]
)


def _all_of(checks: list[Accepts]) -> Accepts:
    if len(checks) == 1:
        return checks[0]
    return lambda value: all(check(value) for check in checks)


# --- what the keywords mean; each holds for values of other types ---


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_integer(value: Any) -> bool:
    if isinstance(value, float):
        raise _AskError  # 1.0 is an integer in JSON Schema, and 1.5 is none
    return _is_number(value)


_TYPES: Final[dict[str, Accepts]] = {
    "array": lambda value: isinstance(value, list),
    "boolean": lambda value: isinstance(value, bool),
    "integer": _is_integer,
    "number": _is_number,
    "object": lambda value: isinstance(value, dict),
    "string": lambda value: isinstance(value, str),
}


def _listed(values: list[Any]) -> Accepts:
    # With the type, because True is 1 in Python and not in JSON.
    known = frozenset((type(value), value) for value in values if isinstance(value, (str, bool)))
    assert len(known) == len(values)
    return lambda value: isinstance(value, (str, bool)) and (type(value), value) in known


def _either(check: Accepts, then: Accepts, otherwise: Accepts) -> Accepts:
    return lambda value: then(value) if check(value) else otherwise(value)


def _properties(compiler: _Compiler, wanted: dict[str, Any], _schema: Any) -> Accepts:
    known = {name: compiler.compile(part) for name, part in wanted.items()}
    return lambda value: (
        not isinstance(value, dict)
        or all(known[name](item) for name, item in value.items() if name in known)
    )


def _additional(compiler: _Compiler, wanted: Any, schema: dict[str, Any]) -> Accepts:
    known = schema.get("properties", {})
    others = compiler.compile(wanted)
    return lambda value: (
        not isinstance(value, dict)
        or all(others(item) for name, item in value.items() if name not in known)
    )


def _unique(_compiler: _Compiler, _wanted: Any, _schema: Any) -> Accepts:
    def check(value: Any) -> bool:
        if not isinstance(value, list):
            return True
        if not all(isinstance(item, str) for item in value):
            raise _AskError
        return len(set(value)) == len(value)

    return check


_compiled: Final = cache(Pattern)  # when first needed: most of a manifest's are not


def _sized(kind: type[Sized], fits: Callable[[int, int], bool]) -> Any:
    return lambda _compiler, wanted, _schema: (
        lambda value: not isinstance(value, kind) or fits(len(value), wanted)
    )


def _bound(fits: Callable[[float, float], bool]) -> Any:
    return lambda _compiler, wanted, _schema: (
        lambda value: not _is_number(value) or fits(value, wanted)
    )


# Negated, so that not-a-number passes as it does in `jsonschema`.
def _at_least(value: float, wanted: float) -> bool:
    return not value < wanted


def _at_most(value: float, wanted: float) -> bool:
    return not value > wanted


_KEYWORDS: Final[dict[str, Callable[[_Compiler, Any, Any], Accepts]]] = {
    "$ref": lambda compiler, wanted, _schema: compiler.look_up(wanted),
    "additionalProperties": _additional,
    "allOf": lambda compiler, wanted, _schema: _all_of(list(map(compiler.compile, wanted))),
    "const": lambda _compiler, wanted, _schema: _listed([wanted]),
    "enum": lambda _compiler, wanted, _schema: _listed(wanted),
    "if": lambda compiler, wanted, schema: _either(
        compiler.compile(wanted),
        compiler.compile(schema.get("then", True)),
        compiler.compile(schema.get("else", True)),
    ),
    "items": lambda compiler, wanted, _schema: _each(compiler.compile(wanted), list),
    "maxItems": _sized(list, _at_most),
    "maxLength": _sized(str, _at_most),
    "maxProperties": _sized(dict, _at_most),
    "maximum": _bound(_at_most),
    "minItems": _sized(list, _at_least),
    "minLength": _sized(str, _at_least),
    "minimum": _bound(_at_least),
    "not": lambda compiler, wanted, _schema: _negate(compiler.compile(wanted)),
    "pattern": lambda _compiler, wanted, _schema: (
        lambda value: not isinstance(value, str) or _compiled(wanted).search(value)
    ),
    "properties": _properties,
    "propertyNames": lambda compiler, wanted, _schema: _each(compiler.compile(wanted), dict),
    "required": lambda _compiler, wanted, _schema: (
        lambda value: not isinstance(value, dict) or all(name in value for name in wanted)
    ),
    "type": lambda _compiler, wanted, _schema: _TYPES[wanted],
    "uniqueItems": _unique,
}


def _each(check: Accepts, kind: type[Iterable[Any]]) -> Accepts:
    return lambda value: not isinstance(value, kind) or all(map(check, value))


def _negate(check: Accepts) -> Accepts:
    return lambda value: not check(value)
