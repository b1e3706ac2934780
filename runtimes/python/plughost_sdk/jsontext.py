"""What is JSON and what is not: strict reading and writing of the wire's texts.

`json` imports `re`, `enum` and `functools`, 7 ms of an 8 ms start, to find white
space.  Its two C halves do the work alone; where they are missing, `json` is used.
"""

from __future__ import annotations

TYPE_CHECKING = False  # `typing` costs 10 ms, which every start would pay
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Any, NoReturn

__all__ = ["MAX_DEPTH", "NotJsonError", "dumps", "encode", "is_plain", "parse"]

# How deep objects and arrays may nest, both ways (wire 2.3).
MAX_DEPTH = 64

# The integers every language of the wire can hold (wire 2.4).
MAX_INTEGER = 2**64 - 1
MIN_INTEGER = -(2**63) + 1

# Brackets, both kinds folded into one, and every other byte, for `bytes.translate`.
_FOLD = bytes.maketrans(b"{}", b"[]")
_NOT_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")

# Types whose values need no look inside; NaN among floats is the encoder's to refuse.
_LEAVES = frozenset((str, bool, float, type(None)))
_INTEGERS = frozenset((int,))
_KEYS = frozenset((str,))


class NotJsonError(ValueError):
    """A value that JSON, as the wire speaks it, cannot carry."""


def _refuse_constant(name: str) -> NoReturn:
    raise NotJsonError(f"{name} is not JSON")


def _refuse_object(value: object) -> NoReturn:
    raise NotJsonError(f"a {type(value).__name__} is not JSON")


class _Reading:
    """The attributes the C scanner asks for."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = staticmethod(_refuse_constant)
    memo: dict[str, str] = {}  # noqa: RUF012 - the scanner's own cache of keys


try:
    from _json import encode_basestring as _quote
    from _json import make_encoder, make_scanner

    _scan: Callable[[str, int], tuple[Any, int]] = make_scanner(_Reading)  # type: ignore[arg-type]  # duck-typed
    _write: Callable[[object, int], Any] = make_encoder(
        None, _refuse_object, _quote, None, ":", ",", False, False, False
    )
except (ImportError, TypeError, AttributeError):  # another Python, or a later one
    import json

    _scan = json.JSONDecoder(parse_constant=_refuse_constant).scan_once  # type: ignore[attr-defined]  # typeshed omits it
    _encoder = json.JSONEncoder(
        ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":")
    )

    def _write(obj: object, level: int) -> Any:
        return _encoder.encode(obj)


def parse(line: bytes) -> Any:
    """Return what *line* says.

    Raises:
        ValueError: It is not JSON, nests too deep, or holds a lone surrogate.
    """
    if line.count(b"[") + line.count(b"{") > MAX_DEPTH and _depth(line) > MAX_DEPTH:
        raise NotJsonError(f"it nests more than {MAX_DEPTH} deep")
    text = line.decode()
    if text[:1].isspace():
        text = text.lstrip(" \t\r\n")
    try:
        value, end = _scan(text, 0)
    except (StopIteration, SystemError):
        # SystemError: CPython 3.11 looks for json's exception in a module nobody imported.
        raise NotJsonError("it is not JSON") from None
    except RecursionError:
        raise NotJsonError("it nests too deep") from None
    if end != len(text) and text[end:].strip(" \t\r\n"):
        raise NotJsonError("something follows the JSON value")
    if b"\\u" in line and b"\\ud" in line.lower():
        _refuse_surrogates(value)
    return value


def dumps(value: object) -> bytes:
    """Write *value*, which is ours and known to be plain JSON."""
    return "".join(_write(value, 0)).encode()


def encode(value: object, where: str = "$", above: int = 0) -> bytes:
    """Write *value*, which may be anything.

    Dataclasses become objects and enumerations their values.

    Args:
        value: What a plugin's author gave us.
        where: What it is, for messages.
        above: How many objects and arrays it will stand inside.

    Raises:
        NotJsonError: It cannot be written; the message names the place below *where*.
    """
    if type(value) is str:
        parts: Any = _quote(value)
    else:
        plain = value if is_plain(value, above) else _rebuild(value, where, above)
        try:
            parts = "".join(_write(plain, 0))
        except ValueError:
            _rebuild(plain, where, above)  # names the NaN
            raise
    try:
        return bytes(parts, "utf-8")
    except UnicodeEncodeError:
        _rebuild(value, where, above)  # names the surrogate
        raise


def _rebuild(value: object, where: str, above: int) -> object:
    from plughost_sdk._declared.plainvalues import plain_value

    return plain_value(value, where, above)


def is_plain(value: Any, depth: int = 0) -> bool:
    """Say whether the encoder may have *value*, which stands *depth* deep, as it is.

    Flat lists and dicts are looked through in C.  NaN and surrogates are left to the encoder.
    """
    kind = type(value)
    if kind is dict:
        return set(map(type, value)) <= _KEYS and _are_plain(value.values(), depth)
    if kind is list or kind is tuple:
        return _are_plain(value, depth)
    return kind in _LEAVES or (kind is int and MIN_INTEGER <= value <= MAX_INTEGER)


def _are_plain(values: Collection[Any], depth: int) -> bool:
    """Say whether the members of an object or array that stands *depth* deep are plain."""
    if depth == MAX_DEPTH:
        return False
    kinds = set(map(type, values))
    if kinds == _INTEGERS:
        return bool(min(values) >= MIN_INTEGER and max(values) <= MAX_INTEGER)
    if kinds <= _LEAVES:
        return True
    return all(type(value) in _LEAVES or is_plain(value, depth + 1) for value in values)


def _depth(line: bytes) -> int:
    """How deep *line* nests, counted without parsing it: each pass takes off one level."""
    outside = line
    if b"\\" in line:
        outside = line.replace(b"\\\\", b"").replace(b'\\"', b"")
    brackets = b"".join(outside.split(b'"')[::2]).translate(_FOLD, _NOT_BRACKETS)
    depth = 0
    while brackets and depth <= MAX_DEPTH:
        depth += 1
        shorter = brackets.replace(b"[]", b"")
        if shorter == brackets:  # unbalanced: the scanner says so
            return 0 if len(brackets) <= MAX_DEPTH else MAX_DEPTH + 1
        brackets = shorter
    return depth


def _refuse_surrogates(value: object) -> None:
    try:
        dumps(value)
    except UnicodeEncodeError:
        raise NotJsonError("a string holds a lone surrogate") from None
