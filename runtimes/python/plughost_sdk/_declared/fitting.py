"""Whether arguments fit a JSON Schema somebody wrote by hand: the part that needs no library.

A plughost host checks arguments against the whole schema before it calls.  This check
serves tools that bring their own schema when a plain MCP client calls them: it knows
``type``, ``required``, ``properties``, ``additionalProperties``, ``items``, ``enum`` and
``const``, and takes no notice of other keywords.
"""

from __future__ import annotations

from plughost_sdk._declared.schema import kind_of
from plughost_sdk.errors import Misfit

TYPE_CHECKING = False  # `typing` costs 10 ms, which every start would pay
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["checker"]


def checker(schema: dict[str, Any]) -> Callable[[dict[str, Any]], None]:
    """Return a function that raises `Misfit` for arguments that do not fit *schema*."""

    def check(arguments: dict[str, Any]) -> None:
        _check(arguments, schema, "arguments")

    return check


def _check(value: Any, schema: Any, path: str) -> None:
    if not isinstance(schema, dict):
        if schema is False:
            raise Misfit(path, "not allowed")
        return
    _check_kind(value, schema.get("type"), path)
    if "enum" in schema and not any(_same(value, one) for one in schema["enum"]):
        raise Misfit(path, f"{value!r} is none of {', '.join(map(repr, schema['enum']))}")
    if "const" in schema and not _same(value, schema["const"]):
        raise Misfit(path, f"{value!r} is not {schema['const']!r}")
    if isinstance(value, dict):
        _check_object(value, schema, path)
    elif isinstance(value, list) and "items" in schema:
        skipped = len(schema.get("prefixItems", ()))
        for at, one in enumerate(value[skipped:], skipped):
            _check(one, schema["items"], f"{path}[{at}]")


def _check_kind(value: Any, kinds: Any, path: str) -> None:
    if kinds is None:
        return
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if not any(_is_kind(value, kind) for kind in kinds):
        raise Misfit(path, f"{kind_of(value)}, not {' or '.join(map(str, kinds))}")


def _check_object(value: dict[str, Any], schema: dict[str, Any], path: str) -> None:
    for name in schema.get("required", ()):
        if name not in value:
            raise Misfit(f"{path}.{name}", "missing")
    properties = schema.get("properties", {})
    others = True if "patternProperties" in schema else schema.get("additionalProperties", True)
    for name, one in value.items():
        if name in properties:
            _check(one, properties[name], f"{path}.{name}")
        elif others is False:
            known = ", ".join(properties) or "none"
            raise Misfit(f"{path}.{name}", f"unknown; the parameters are: {known}")
        else:
            _check(one, others, f"{path}.{name}")


def _is_kind(value: Any, kind: object) -> bool:
    if kind == "integer":
        return type(value) is int or (type(value) is float and value.is_integer())
    if kind == "number":
        return type(value) in (int, float)
    types = {"string": str, "boolean": bool, "null": type(None), "array": list, "object": dict}
    return type(value) is types.get(str(kind))


def _same(one: Any, other: Any) -> bool:
    # JSON's 1 equals 1.0, but True equals neither.
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)
