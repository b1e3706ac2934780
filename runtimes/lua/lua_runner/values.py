"""JSON values and Lua values, into each other.

Lua has one table for arrays and objects and no null, so the way out needs help: what the
author marked (`plughost.array`, `plughost.object`, `plughost.null`), then the elements,
and for an empty table the tool's output schema.
"""

from __future__ import annotations

from math import isfinite

from lupa.lua54 import lua_type

from lua_runner.schemas import element_schema, means, property_schema
from plughost_sdk.jsontext import MAX_DEPTH, NotJsonError

TYPE_CHECKING = False  # `typing` costs more than all our modules together
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["Values"]

# Lua integers are 64-bit and signed.
LARGEST_INTEGER = 2**63 - 1


class Values:
    """Converts for one Lua state.

    Args:
        new_table: `LuaRuntime.table_from`.
        inspect: `inspect` of plughost.lua: what a table is, and how long.
        mark: `mark` of plughost.lua: remembers what a table was made as.
        null: `plughost.null`.
    """

    def __init__(
        self,
        new_table: Callable[[object], Any],
        inspect: Callable[[Any], tuple[str, Any]],
        mark: Callable[[Any, str], None],
        null: object,
    ) -> None:
        self._new_table = new_table
        self._inspect = inspect
        self._mark = mark
        self._null = null

    def to_lua(self, value: object) -> Any:
        """Return *value*, parsed JSON, as Lua sees it.

        An integer that Lua's 64 bits cannot hold becomes a float, as in Lua's own reader.
        """
        if isinstance(value, dict):
            table = self._new_table({key: self.to_lua(item) for key, item in value.items()})
            self._mark(table, "object")
            return table
        if isinstance(value, list):
            table = self._new_table([self.to_lua(item) for item in value])
            self._mark(table, "array")
            return table
        if value is None:
            return self._null
        if isinstance(value, int) and not -LARGEST_INTEGER - 1 <= value <= LARGEST_INTEGER:
            return float(value)
        return value

    def from_lua(self, value: Any, schema: object = None, path: str = "$") -> Any:
        """Return the JSON form of what a tool or handler returned.

        Args:
            value: As lupa hands it over.
            schema: The JSON Schema the value is meant to satisfy, if there is one.
            path: Where the value stands, for the message.

        Raises:
            NotJsonError: There is no JSON form.
        """
        return self._plain(value, schema, path, MAX_DEPTH, schema)

    def content_of(self, value: Any) -> tuple[Any, Any] | None:
        """Return blocks and data if *value* is `plughost.content`, both as Lua values."""
        if lua_type(value) != "table" or self._inspect(value)[0] != "content":
            return None
        return value["blocks"], value["data"]

    def _plain(self, value: Any, schema: object, path: str, depth: int, root: object) -> Any:
        if value is None or isinstance(value, (bool, str, int)):
            return value
        if isinstance(value, float):
            return _number(value, schema, path, root)
        kind = lua_type(value)
        if kind != "table":
            raise NotJsonError(f"{path} is a {kind or type(value).__name__}, which JSON has not")
        if depth == 0:
            raise NotJsonError(f"{path} nests more than {MAX_DEPTH} deep, or contains itself")
        return self._table(value, schema, path, depth, root)

    def _table(self, value: Any, schema: object, path: str, depth: int, root: object) -> Any:
        kind, count = self._inspect(value)
        if kind == "null":
            return None
        if kind == "bad":
            raise NotJsonError(f"{path} is neither an array nor an object: {count}")
        if kind == "content":
            raise NotJsonError(f"{path} is plughost.content, which only a tool may return, whole")
        if kind == "empty":
            kind = "array" if means(schema, root, "array") else "object"
        try:
            pairs = list(value.items())
        except UnicodeDecodeError as problem:
            raise NotJsonError(f"{path} holds a string that is not UTF-8: {problem}") from None
        if kind == "array":
            elements: list[Any] = [None] * count
            for index, item in pairs:
                inner = element_schema(schema, root, index - 1)
                where = f"{path}[{index}]"
                elements[index - 1] = self._plain(item, inner, where, depth - 1, root)
            return elements
        # Sorted: Lua seeds its hash anew in every state, and equal results should look equal.
        pairs.sort()
        return {
            key: self._plain(
                item, property_schema(schema, root, key), f"{path}.{key}", depth - 1, root
            )
            for key, item in pairs
        }


def _number(value: float, schema: object, path: str, root: object) -> float | int:
    if not isfinite(value):
        raise NotJsonError(f"{path} is {value}, which JSON has not")
    if value.is_integer() and abs(value) <= LARGEST_INTEGER and means(schema, root, "integer"):
        return int(value)
    return value
