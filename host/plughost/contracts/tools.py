"""A tool as its plugin describes it (contracts/wire/README.md §5.1)."""

from __future__ import annotations

import re
from typing import Any, Final

import attrs

from plughost.errors import PeerError

__all__ = ["Tool", "parse_tool"]

_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@attrs.frozen(kw_only=True)
class Tool:
    """One tool of one plugin.

    Attributes:
        input_schema: JSON Schema of its arguments, of type object.
        output_schema: JSON Schema of what it returns, if declared.
        idempotent: Calling it twice is as calling it once.
        long_running: Its progress extends the call's deadline.
    """

    name: str
    description: str = ""
    input_schema: dict[str, Any] = attrs.field(factory=dict)
    output_schema: dict[str, Any] | None = None
    idempotent: bool = False
    long_running: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return what the command line and HTTP print."""
        return {
            "name": self.name,
            "description": self.description,
            "input_schema": self.input_schema,
            "output_schema": self.output_schema,
            "idempotent": self.idempotent,
            "long_running": self.long_running,
        }


def parse_tool(document: Any, where: str) -> Tool:
    """Return the tool that *document*, an entry of ``tools/list``, describes.

    Raises:
        PeerError: It does not fit the contract; the message starts with *where*.
    """
    if not isinstance(document, dict):
        raise PeerError(f"{where} is not an object")
    name = document.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise PeerError(f"{where}.name is {name!r}; 1 to 64 of A-Z a-z 0-9 _ . - are allowed")
    input_schema = document.get("inputSchema")
    if not isinstance(input_schema, dict) or input_schema.get("type") != "object":
        raise PeerError(f"{where}.inputSchema of tool {name!r} is not a schema of type object")
    output_schema = document.get("outputSchema")
    if output_schema is not None and not isinstance(output_schema, dict):
        raise PeerError(f"{where}.outputSchema of tool {name!r} is not a schema")
    annotations = _table(document, "annotations")
    meta = _table(document, "_meta")
    return Tool(
        name=name,
        description=str(document.get("description") or ""),
        input_schema=input_schema,
        output_schema=output_schema,
        idempotent=annotations.get("idempotentHint") is True,
        long_running=meta.get("plughost/longRunning") is True,
    )


def _table(document: dict[str, Any], key: str) -> dict[str, Any]:
    value = document.get(key)
    return value if isinstance(value, dict) else {}
