"""What a call ends in: always a value, with data or with an error."""

from __future__ import annotations

from typing import Any

import attrs
import orjson

from plughost.errors import error_class

__all__ = ["CallError", "CallResult"]


@attrs.frozen(slots=True)
class CallError:
    """Why a call failed.

    Attributes:
        type: A name of contracts/errors.json.
        message: The fact, in one sentence.
        retryable: Whether the same call may succeed later, unchanged.
        details: JSON values the message was built from.
    """

    type: str
    message: str
    retryable: bool = False
    details: dict[str, Any] = attrs.field(factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return what the command line and HTTP print."""
        return {
            "type": self.type,
            "message": self.message,
            "retryable": self.retryable,
            "details": self.details,
        }


@attrs.frozen(slots=True)
class CallResult:
    """How one call ended; built on the hot path, so nothing here is computed early.

    Attributes:
        ok: Whether the tool returned; `error` is None exactly then.
        data: What the tool returned, scalars included.
        error: Why the call failed.
        call_id: The call's name in logs, unique in the host.
        duration_s: Seconds from entering the queue to this value.
    """

    ok: bool
    data: Any = None
    error: CallError | None = None
    call_id: str = ""
    plugin: str = ""
    tool: str = ""
    duration_s: float = 0.0
    _content: list[dict[str, Any]] | None = attrs.field(default=None, alias="content")

    @property
    def content(self) -> list[dict[str, Any]]:
        """MCP content blocks; one derived text block if the plugin sent none (wire §5.4)."""
        if self._content:
            return self._content
        if self.error is not None:
            return [{"type": "text", "text": self.error.message}]
        if isinstance(self.data, str):
            return [{"type": "text", "text": self.data}]
        return [{"type": "text", "text": orjson.dumps(self.data).decode()}]

    def unwrap(self) -> Any:
        """Return the data.

        Raises:
            PlughostError: The call failed; the class is that of `error.type`.
        """
        if self.error is None:
            return self.data
        raise error_class(self.error.type)(
            self.error.message,
            call_id=self.call_id,
            plugin=self.plugin,
            tool=self.tool,
            details=self.error.details,
        )

    def to_json(self) -> dict[str, Any]:
        """Return what the command line and HTTP print; `content` is derived here."""
        return {
            "ok": self.ok,
            "data": self.data,
            "content": self.content,
            "error": None if self.error is None else self.error.to_json(),
            "call_id": self.call_id,
            "plugin": self.plugin,
            "tool": self.tool,
            "duration_s": self.duration_s,
        }
