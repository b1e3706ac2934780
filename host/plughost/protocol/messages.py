"""Lines to JSON-RPC messages and back (contracts/wire/README.md §2.3-§3).

Parsing accepts what the contract allows and raises `PeerError` for the rest;
no byte string makes it raise anything else.  Writing refuses with `LocalError`
before a byte leaves.
"""

from __future__ import annotations

import math
import re
from typing import Any, Final

import attrs
import orjson

from plughost.errors import LocalError, PeerError

__all__ = [
    "MAX_NESTING",
    "Message",
    "Notification",
    "Request",
    "RequestId",
    "Response",
    "encode",
    "find_id",
    "parse",
]

RequestId = int | str

# contracts/wire/README.md §2.3.  Deeper documents only occur as attacks on
# recursive readers.
MAX_NESTING: Final = 64

# What is shorter cannot nest deeper: each level takes two brackets.
_SHALLOW_BYTES: Final = 2 * MAX_NESTING

# orjson would write these as ISO strings or objects; the contract knows JSON only.
_STRICT: Final = (
    orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_SUBCLASS
)
_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_OPENERS: Final = bytes(set(range(256)) - set(b"[]{}"))
_AS_SQUARE: Final = bytes.maketrans(b"{}", b"[]")
_ID: Final = re.compile(rb'"id"\s*:\s*(?:(-?[0-9]{1,18})(?![0-9])|"([^"\\]{1,128})")')


@attrs.define
class Request:
    """A question that must be answered once."""

    id: RequestId
    method: str
    params: dict[str, Any]


@attrs.define
class Notification:
    """A statement that has no answer."""

    method: str
    params: dict[str, Any]


@attrs.define
class Response:
    """An answer: ``error`` is None when it is a result."""

    id: RequestId
    result: dict[str, Any]
    error: dict[str, Any] | None


Message = Request | Notification | Response


def parse(line: bytes) -> Message:
    """Return the message that *line* holds.

    Raises:
        PeerError: It is not JSON, nests too deep, or is no JSON-RPC message.
    """
    try:
        document = orjson.loads(line)
    except orjson.JSONDecodeError as exc:
        raise PeerError(f"not JSON: {exc}") from exc
    if type(document) is not dict:
        raise PeerError(f"a JSON {_kind(document)}, not an object")
    if len(line) > _SHALLOW_BYTES and _deeper_than(line, MAX_NESTING):
        raise PeerError(f"nested deeper than {MAX_NESTING}")
    if document.get("jsonrpc") != "2.0":
        raise PeerError('no "jsonrpc": "2.0"')
    if "method" in document:
        return _request(document)
    return _response(document)


def encode(value: Any) -> bytes:
    """Return *value* as compact JSON.

    Raises:
        LocalError: It is not JSON: a wrong type, ``NaN``, an integer past 64
            bits, a lone surrogate, a cycle, or nesting past `MAX_NESTING`.
    """
    try:
        data: bytes = orjson.dumps(value, option=_STRICT)
    except TypeError as exc:
        raise LocalError(f"not JSON: {exc}") from exc
    # orjson writes NaN and infinities as null, so only a document that has a
    # null can hold one; the slow look is for those alone.
    if b"null" in data:
        where = _not_finite(value, "$")
        if where:
            raise LocalError(f"not JSON: {where} is not a finite number")
    if len(data) > _SHALLOW_BYTES and _deeper_than(data, MAX_NESTING):
        raise LocalError(f"nested deeper than {MAX_NESTING}")
    return data


def find_id(head: bytes) -> RequestId | None:
    """Return the id that the first bytes of an unparsable message seem to carry."""
    match = _ID.search(head)
    if match is None:
        return None
    if match[1] is not None:
        return int(match[1])
    return match[2].decode("utf-8", "replace")


def _request(document: dict[str, Any]) -> Request | Notification:
    method = document["method"]
    params = document.get("params", {})
    if type(method) is not str:
        raise PeerError("method is not a string")
    if type(params) is not dict:
        raise PeerError(f"params of {method[:64]!r} is not an object")
    if "id" not in document:
        return Notification(method, params)
    return Request(_id(document["id"]), method, params)


def _response(document: dict[str, Any]) -> Response:
    if "id" not in document:
        raise PeerError("neither a method nor an id")
    message_id = _id(document["id"])
    if "error" in document:
        error = document["error"]
        if type(error) is not dict or "result" in document:
            raise PeerError(f"the answer to {message_id!r} is malformed")
        return Response(message_id, {}, error)
    result = document.get("result")
    if type(result) is not dict:
        raise PeerError(f"the result of {message_id!r} is not an object")
    return Response(message_id, result, None)


def _id(value: Any) -> RequestId:
    if type(value) is int or type(value) is str:
        return value
    raise PeerError("id is neither an integer nor a string")


def _deeper_than(data: bytes, limit: int) -> bool:
    """Tell whether valid JSON *data* nests deeper than *limit*."""
    if data.count(b"[") + data.count(b"{") <= limit:
        return False
    # Peel one level a round, all in C: what is left after `limit` rounds is deeper.
    brackets = _STRING.sub(b"", data).translate(_AS_SQUARE, _OPENERS)
    for _ in range(limit):
        brackets = brackets.replace(b"[]", b"")
        if not brackets:
            return False
    return True


def _not_finite(value: Any, path: str) -> str:
    """Return the path of the first float in *value* that JSON cannot hold, or ''."""
    stack: list[tuple[str, Any]] = [(path, value)]
    while stack:
        where, item = stack.pop()
        if type(item) is float:
            if not math.isfinite(item):
                return where
        elif isinstance(item, dict):
            stack.extend((f"{where}.{key}", inner) for key, inner in item.items())
        elif isinstance(item, (list, tuple)):
            stack.extend((f"{where}[{index}]", inner) for index, inner in enumerate(item))
    return ""


def _kind(value: Any) -> str:
    names = {list: "array", str: "string", bool: "boolean", int: "number", float: "number"}
    return names.get(type(value), "null")
