"""The SDK for plughost plugins in Python; it needs nothing but the standard library."""

from __future__ import annotations

from plughost_sdk._declared.handlers import Event
from plughost_sdk.content import Content, Response, Result
from plughost_sdk.context import Context
from plughost_sdk.errors import Cancelled, DeclarationError, HostError, ToolError
from plughost_sdk.plugin import Plugin

__all__ = [
    "Cancelled",
    "Content",
    "Context",
    "DeclarationError",
    "Event",
    "HostError",
    "Plugin",
    "Response",
    "Result",
    "ToolError",
]
