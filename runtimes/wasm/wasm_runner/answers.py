"""What did a guest answer, and what does the SDK make of it?"""

from __future__ import annotations

from plughost_sdk import Content, Result, ToolError
from plughost_sdk.jsontext import parse

TYPE_CHECKING = False  # `typing` costs 10 ms, which every start would pay
if TYPE_CHECKING:
    from typing import Any

    from wasm_runner.traps import Trap

__all__ = ["answer_of", "failure", "tool_error"]

# What an answer has exactly one of (contracts/wire/wasm.md, section 4).
MEMBERS = ("data", "content", "error")


def answer_of(output: bytes, name: str, *, is_tool: bool) -> Any:
    """Return what *output* carries: a value, or a `Result` with content blocks.

    Args:
        output: What the guest wrote.
        name: What to call the guest in messages.
        is_tool: Whether it is a tool's answer, which may be content and may not be missing.

    Raises:
        ToolError: It carries an error, or it is no answer.
    """
    if not output and not is_tool:
        return None
    try:
        answer = parse(output)
    except ValueError as exc:
        raise _invalid(f"{name} answered what is not JSON: {exc}") from None
    given = [key for key in MEMBERS if isinstance(answer, dict) and key in answer]
    if len(given) != 1:
        found = " and ".join(f"`{key}`" for key in given) or "none of them"
        raise _invalid(f"{name} must answer one of `data`, `content` and `error`, not {found}")
    if given == ["error"]:
        raise _reported(answer["error"], name)
    if given == ["content"]:
        return _content(answer["content"], name, is_tool=is_tool)
    return answer["data"]


def failure(trap: Trap, name: str) -> ToolError:
    """Return the exception for a guest that ended with *trap*."""
    own_words = trap.name == "PluginError"
    details = {"where": trap.where.splitlines()} if trap.where else None
    return tool_error(trap.name, trap.what if own_words else f"{name} {trap.what}", details)


def tool_error(
    name: str, message: str, details: dict[str, Any] | None = None, *, retryable: bool = False
) -> ToolError:
    """Return a tool error whose `details.exception` is *name*.

    The SDK puts the class's name there, so the error gets a class of that name.
    """
    kind = type(name, (ToolError,), {})
    error = kind(message, retryable=retryable, details=details)
    assert isinstance(error, ToolError)
    return error


def _content(blocks: Any, name: str, *, is_tool: bool) -> Result:
    if not is_tool:
        raise _invalid(f"{name} answered `content`, which only a tool may; answer `data`")
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        raise _invalid(f"{name} answered `content` that is not an array of content blocks")
    return Result([Content(block) for block in blocks])


def _reported(error: Any, name: str) -> ToolError:
    kind, message = (
        (error.get("type"), error.get("message")) if isinstance(error, dict) else (None, None)
    )
    if not isinstance(kind, str) or not isinstance(message, str):
        return _invalid(f"{name} answered an `error` without a `type` and a `message` of text")
    retryable = error.get("retryable") is True
    # A class cannot be named with NUL.
    return tool_error(kind.replace("\0", "") or "error", message, retryable=retryable)


def _invalid(message: str) -> ToolError:
    return tool_error("InvalidAnswer", message)
