"""What a Python value is as plain JSON, or why it is none: the slow, explaining half.

Loaded when a value is not plain JSON already.
"""

from __future__ import annotations

import sys

from plughost_sdk.jsontext import MAX_DEPTH, MAX_INTEGER, MIN_INTEGER, NotJsonError

TYPE_CHECKING = False  # `typing` costs 10 ms, which every start would pay
if TYPE_CHECKING:
    from typing import Any

__all__ = ["plain_value"]

# What to write instead, for what people return most often.
_INSTEAD = {
    "set": "return a list, as sorted(…)",
    "frozenset": "return a list, as sorted(…)",
    "bytes": "decode it, or return Content.image(…) or base64 text",
    "bytearray": "decode it, or return base64 text",
    "datetime": "return .isoformat()",
    "date": "return .isoformat()",
    "Decimal": "return str(…) or float(…)",
    "UUID": "return str(…)",
    "PosixPath": "return str(…)",
    "generator": "return list(…)",
    "dict_keys": "return list(…)",
    "dict_values": "return list(…)",
    "map": "return list(…)",
    "coroutine": "await it, or declare the tool with async def",
}


def plain_value(value: object, where: str = "$", above: int = 0) -> object:
    """Return *value* made of dict, list, str, int, float, bool and None alone.

    Raises:
        NotJsonError: It cannot be; the message names the place and what to do.
    """
    return _plain(value, where, (None,) * above)


def _plain(value: Any, where: str, above: tuple[object, ...]) -> object:
    enum = _enum_value(value)
    if enum is not value:
        return _plain(enum, where, above)
    if value is None or isinstance(value, (bool, str, int, float)):
        return _plain_scalar(value, where)
    if any(value is one for one in above):
        raise NotJsonError(f"{where} contains itself")
    if len(above) >= MAX_DEPTH:
        raise NotJsonError(f"{where} makes a message nest more than {MAX_DEPTH} deep")
    inside = (*above, value)
    if isinstance(value, dict):
        return {
            _plain_key(key, where): _plain(item, f"{where}.{key}", inside)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_plain(item, f"{where}[{at}]", inside) for at, item in enumerate(value)]
    if hasattr(type(value), "__dataclass_fields__"):
        return {
            name: _plain(getattr(value, name), f"{where}.{name}", inside)
            for name, field in value.__dataclass_fields__.items()
            if field._field_type.name == "_FIELD"  # noqa: SLF001 - as dataclasses.fields(), without importing it
        }
    kind = type(value).__name__
    hint = _INSTEAD.get(kind, "return dicts, lists, strings, numbers, booleans or None")
    raise NotJsonError(f"{where} is a {kind}, which is not JSON: {hint}")


def _enum_value(value: Any) -> Any:
    enum = sys.modules.get("enum")  # who has not imported it has no members
    return value.value if enum is not None and isinstance(value, enum.Enum) else value


def _plain_key(key: object, where: str) -> str:
    if not isinstance(key, str):
        raise NotJsonError(
            f"{where} has the key {key!r}, a {type(key).__name__}: JSON's keys are strings"
        )
    return str(_plain_scalar(key, f"a key of {where}"))


def _plain_scalar(value: Any, where: str) -> object:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise NotJsonError(
                f"{where} holds a lone surrogate: decode bytes with errors='replace'"
            ) from None
        return str.__str__(value)
    if isinstance(value, int):
        if not MIN_INTEGER <= value <= MAX_INTEGER:
            raise NotJsonError(f"{where} is an integer beyond 64 bits: return it as a string")
        return int(value)
    if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124 - NaN is not itself
        raise NotJsonError(f"{where} is {value!r}, which is not JSON: return None or a string")
    return float(value)
