"""What a plugin's answer, or its absence, means to the caller.  Pure.

An application error is the plugin working; everything else here is the
infrastructure's failure, and only those count against a plugin's health.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from plughost.contracts.results import CallError
from plughost.errors import error_classes
from plughost.process.guard import Exit
from plughost.protocol.session import Answer
from plughost.supervisor.outcomes import Failure

__all__ = ["FAILURES", "crash_type", "error_of", "late", "value_of"]

# What counts against a plugin's health: never what the tool itself reported,
# and never what was the caller's doing.
FAILURES: Final = frozenset(
    {
        "plugin-crashed",
        "call-timeout",
        "memory-limit",
        "cpu-limit",
        "output-limit",
        "protocol-violation",
    }
)

# The types a plugin may name in an error of its own; the others are the host's
# to say, and a plugin that claims one is not believed.
_PLUGINS_OWN: Final = frozenset(
    {
        "tool-error",
        "tool-not-found",
        "invalid-arguments",
        "permission-denied",
        "memory-limit",
        "output-limit",
        "cancelled",
        "host-stopping",
        "plugin-unavailable",
        "plugin-start-failed",
    }
)

# Terminal sequences in a message would reach whoever prints it.
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")

# Exits that want of memory leads to: CPython's, Node's and the shell's 128 + SIGABRT.
_MEMORY_STATUSES: Final = frozenset({1, 134, 137})

_RETRYABLE: Final[Mapping[str, bool]] = {
    name: cls.retryable for name, cls in error_classes().items()
}

# JSON-RPC and wire §3.6.
_CODES: Final[Mapping[int, str]] = {
    -32602: "invalid-arguments",
    -32601: "protocol-violation",
    -32600: "protocol-violation",
    -32700: "protocol-violation",
    -32001: "permission-denied",
    -32800: "cancelled",
}

# What the runtimes say when RLIMIT_DATA or their own cap stops them: V8,
# CPython, Lua, Rust (wasmtime).
_OUT_OF_MEMORY: Final = re.compile(
    r"heap out of memory|^MemoryError|not enough memory|memory allocation of \d+ bytes failed"
    r"|Array buffer allocation failed",
    re.MULTILINE,
)


def value_of(result: dict[str, Any], *, extended: bool) -> Any:
    """Return what the tool returned (wire §5.3).

    Args:
        result: The result of ``tools/call``.
        extended: Whether the plugin speaks our extensions.
    """
    structured = result.get("structuredContent")
    if structured is not None:
        meta = result.get("_meta")
        if extended and type(meta) is dict and meta.get("plughost/wrapped") is True:
            return structured.get("result") if type(structured) is dict else None
        return structured
    # A plain MCP server: its only text block, as a string, never parsed.
    blocks = result.get("content")
    if type(blocks) is list and len(blocks) == 1:
        return _text(blocks[0])
    return None


def error_of(reply: Answer | Failure, *, timeout_s: float, memory_mb: int) -> CallError | None:
    """Return why the call failed, or None if it did not."""
    if type(reply) is Failure:
        return _failure(reply, timeout_s)
    assert type(reply) is Answer
    if reply.error is not None:
        return _wire_error(reply.error)
    if reply.result.get("isError") is not True:
        return None
    return _tool_error(reply.result, memory_mb)


def crash_type(exit_: Exit | None, log_tail: str) -> str:
    """Return ``memory-limit`` if the process ended for want of memory, else ``plugin-crashed``."""
    by_itself = exit_ is not None and (exit_.signal is not None or exit_.status in _MEMORY_STATUSES)
    if by_itself and _OUT_OF_MEMORY.search(log_tail):
        return "memory-limit"
    return "plugin-crashed"


def late(timeout_s: float, why: str) -> CallError:
    """Return the error of a call whose deadline passed before it left the host."""
    return CallError(
        "call-timeout",
        f"no answer within {timeout_s:g} s: {why}",
        retryable=True,
        details={"timeout_s": timeout_s},
    )


def _failure(failure: Failure, timeout_s: float) -> CallError:
    if failure.type == "call-timeout":
        return CallError(
            "call-timeout",
            f"no answer within {timeout_s:g} s",
            retryable=True,
            details={"timeout_s": timeout_s},
        )
    return CallError(
        failure.type,
        failure.message,
        retryable=_RETRYABLE.get(failure.type, False),
        details=failure.details,
    )


def _wire_error(error: dict[str, Any]) -> CallError:
    data = error.get("data")
    data = data if type(data) is dict else {}
    code = error.get("code")
    named = data.get("type")
    kind = named if named in _PLUGINS_OWN else _CODES.get(code if type(code) is int else 0)
    return CallError(
        kind or "tool-error",
        _clean(error.get("message") or "no message"),
        retryable=data.get("retryable") is True,
        details={"code": code, **_table(data.get("details"))},
    )


def _tool_error(result: dict[str, Any], memory_mb: int) -> CallError:
    described = _table(_table(result.get("_meta")).get("plughost/error"))
    blocks = result.get("content")
    texts = [_text(block) for block in blocks] if type(blocks) is list else []
    message = described.get("message") or "\n".join(text for text in texts if text)
    details = _table(described.get("details"))
    if details.get("exception") == "MemoryError":
        # The limit held and the plugin lives: still a limit, not the tool's fault.
        return CallError(
            "memory-limit",
            f"the tool reached the plugin's memory limit of {memory_mb} MiB",
            details={**details, "limit_mb": memory_mb},
        )
    return CallError(
        "tool-error",
        _clean(message or "the tool failed and gave no reason"),
        retryable=described.get("retryable") is True,
        details=details,
    )


def _clean(message: Any) -> str:
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", str(message))


def _table(value: Any) -> dict[str, Any]:
    return value if type(value) is dict else {}


def _text(block: Any) -> str | None:
    if type(block) is dict and block.get("type") == "text" and type(block.get("text")) is str:
        return str(block["text"])
    return None
