"""A result on its way to another plugin: from value to wire (wire §5.2, §10.1).  Pure."""

from __future__ import annotations

from typing import Any

from plughost.contracts.results import CallResult
from plughost.protocol.messages import encode

__all__ = ["to_wire"]


def to_wire(result: CallResult) -> bytes:
    """Return *result* as a result of ``tools/call``, encoded."""
    document: dict[str, Any]
    if result.error is not None:
        document = {
            "isError": True,
            "content": [{"type": "text", "text": result.error.message}],
            "_meta": {"plughost/error": result.error.to_json()},
        }
    elif isinstance(result.data, dict):
        document = {"content": [], "structuredContent": result.data}
    else:
        document = {
            "content": [],
            "structuredContent": {"result": result.data},
            "_meta": {"plughost/wrapped": True},
        }
    return encode(document)
