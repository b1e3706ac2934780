"""What travels back from a tool: the bytes of a result or of an error."""

from __future__ import annotations

from plughost_sdk.content import NOTHING, Content, Result
from plughost_sdk.errors import ToolError
from plughost_sdk.jsontext import NotJsonError, dumps, encode

TYPE_CHECKING = False  # `typing` costs 10 ms, which every start would pay
if TYPE_CHECKING:
    from typing import Any

__all__ = ["error_member", "result_member", "returned", "stamped", "too_long", "tool_failure",
           "typed_error"]  # fmt: skip

# JSON-RPC's codes and ours (wire 3.6).
INVALID_REQUEST = -32600
UNKNOWN_METHOD = -32601
INVALID_PARAMS = -32602
INTERNAL = -32603
REFUSED = -32002
UNSUPPORTED_VERSION = -32022
CANCELLED = -32800

# The answers of a plugin that has no memory left to write others.
STARVED_RESULT = (
    b'"result":{"content":[{"type":"text","text":"MemoryError"}],"isError":true,'
    b'"resultType":"complete","_meta":{"plughost/error":{"type":"tool-error",'
    b'"message":"MemoryError","retryable":false,"details":{"exception":"MemoryError"}}}}'
)
STARVED_ERROR = (
    b'"error":{"code":-32603,"message":"the plugin has no memory left for this request",'
    b'"data":{"type":"memory-limit","message":"the plugin has no memory left for this request",'
    b'"retryable":false}}'
)

# What a string becomes for a host with our extensions (wire 5.3, 5.4).
_WRAPPED = b'{"content":[],"structuredContent":{"result":%s},"_meta":{"plughost/wrapped":true}}'

# What stands around `structuredContent`: the message and its result.
_ABOVE_DATA = 2


def result_member(body: bytes) -> bytes:
    """Return the member of a response that carries the result *body*."""
    return b'"result":' + body


def error_member(code: int, message: str, data: dict[str, Any] | None = None) -> bytes:
    """Return the member of a response that carries an error."""
    error: dict[str, Any] = {"code": code, "message": message}
    if data is not None:
        error["data"] = data
    return b'"error":' + _safely(error)


def typed_error(code: int, type_name: str, message: str) -> bytes:
    """Return an error with a type of ``contracts/errors.json``, none of which a retry cures."""
    data = {"type": type_name, "message": message, "retryable": False}
    return error_member(code, message, data)


def stamped(body: bytes, extra: bytes) -> bytes:
    """Return the object *body* with the members *extra* at its end."""
    return body[:-1] + (b"," if len(body) > 2 else b"") + extra + b"}"  # noqa: PLR2004 - b"{}"


def returned(value: object, *, extended: bool, where: str) -> bytes:
    """Return the result of a tool that returned *value* (wire 5.3 to 5.5).

    Args:
        value: What the tool returned.
        extended: Whether the session has our extensions: then nobody needs a text block.
        where: Begins the message about what is not JSON.

    Raises:
        NotJsonError: *value* is not JSON.
    """
    kind = type(value)
    if kind is dict:
        data = encode(value, where, _ABOVE_DATA)
        if extended:
            return b'{"content":[],"structuredContent":%s}' % data
        text = _text_block(data.decode())
        return b'{"content":[%s],"structuredContent":%s}' % (text, data)
    if kind is str and extended:
        return _WRAPPED % encode(value, where)
    if isinstance(value, (Content, Result)) or (
        kind is list and value and isinstance(value[0], Content)  # type: ignore[index]  # it is one
    ):
        return _returned_content(value, where)
    data = encode(value, where, _ABOVE_DATA + 1)
    if data[:1] == b"{":  # a dataclass, or a mapping's subclass
        wrapped = b'"structuredContent":%s' % data
    else:
        wrapped = b'"structuredContent":{"result":%s},"_meta":{"plughost/wrapped":true}' % data
    if extended:
        return b'{"content":[],%s}' % wrapped
    text = _text_block(value if isinstance(value, str) else data.decode())
    return b'{"content":[%s],%s}' % (text, wrapped)


def _returned_content(value: Any, where: str) -> bytes:
    result = value if isinstance(value, Result) else Result(value)
    blocks = encode(result.blocks, f"{where}.content", _ABOVE_DATA)
    if result.data is NOTHING:
        return b'{"content":%s}' % blocks
    data = encode(result.data, f"{where}.data", _ABOVE_DATA + 1)
    if data[:1] == b"{":
        return b'{"content":%s,"structuredContent":%s}' % (blocks, data)
    return b'{"content":%s,"structuredContent":{"result":%s},"_meta":{"plughost/wrapped":true}}' % (
        blocks,
        data,
    )


def tool_failure(error: BaseException, tool: str) -> bytes:
    """Return the result of a tool that raised *error* (wire 5.6)."""
    message = explain(error, tool)
    name = type(error).__qualname__
    details: dict[str, Any] = {"exception": name}
    failure: dict[str, Any] = {"type": "tool-error", "message": message, "retryable": False}
    if isinstance(error, ToolError):
        failure["retryable"] = bool(error.retryable)
        details |= error.details
    elif type(error).__name__ == "HostError":
        failure["retryable"] = bool(getattr(error, "retryable", False))
        details["type"] = str(getattr(error, "type", "internal"))
    failure["details"] = details
    return _failure_result(message, failure, name)


def too_long(size_bytes: int, limit_bytes: int, tool: str) -> bytes:
    """Return the member that replaces one that is too long for a message.

    Args:
        size_bytes: The message's length.
        limit_bytes: What it may be.
        tool: Whose result it is; empty for another answer.
    """
    text = f"the answer has {size_bytes} bytes, a message at most {limit_bytes}"
    if tool:
        return result_member(tool_failure(ToolError(text), tool))
    return error_member(INTERNAL, text)


def explain(error: BaseException, tool: str) -> str:
    """Say what *error* means to the caller of *tool*."""
    if isinstance(error, SystemExit):
        return f"tool {tool!r} called sys.exit({error.code!r}), which ends the call, not the plugin"
    if isinstance(error, KeyboardInterrupt):
        return f"tool {tool!r} was interrupted"
    if isinstance(error, NotJsonError):
        return f"tool {tool!r} returned what is not JSON: {error}"
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - a broken __str__ must not hide the failure
        text = ""
    if isinstance(error, KeyError) or not text:  # whose text is the key and nothing else
        text = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return text


def _failure_result(message: str, failure: dict[str, Any], name: str) -> bytes:
    try:
        meta = encode(failure, "details")
    except NotJsonError:
        failure["details"] = {"exception": name}
        meta = _safely(failure)
    text = _text_block(message)
    return b'{"content":[%s],"isError":true,"_meta":{"plughost/error":%s}}' % (text, meta)


def _text_block(text: str) -> bytes:
    return b'{"type":"text","text":%s}' % _safely(text)


def _safely(value: object) -> bytes:
    """Write our own words, in which a plugin's words may hold lone surrogates."""
    try:
        return dumps(value)
    except UnicodeEncodeError:
        from json import dumps as write_ascii

        # JSON escapes would carry the surrogate across; a question mark does not.
        text = write_ascii(value, ensure_ascii=False)
        return text.encode(errors="replace")
