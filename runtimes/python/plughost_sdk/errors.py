"""What goes wrong between a plugin and its host, as exceptions.

Exception
├── ToolError         the tool failed, and says so in its own words
├── HostError         the host refused or failed what the plugin asked for
├── DeclarationError  a tool or handler is declared in a way that can never work
└── Misfit            arguments do not fit the tool's parameters
BaseException
└── Cancelled         the caller withdrew the call while a plain tool waited for the host
"""

from __future__ import annotations

TYPE_CHECKING = False  # `typing` costs 10 ms, which every start would pay
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Cancelled", "DeclarationError", "HostError", "Misfit", "ToolError"]


class ToolError(Exception):
    """Raise it in a tool to fail the call with a message for the caller.

    Any other exception fails the call too; this one adds what the caller can use.

    Attributes:
        message: What went wrong, for a person.
        retryable: Whether the same call may work later.
        details: Facts for programs; must be JSON.
    """

    def __init__(
        self, message: str, *, retryable: bool = False, details: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.retryable = retryable
        self.details = details or {}


class HostError(Exception):
    """The host refused or failed what the plugin asked for.

    Attributes:
        type: A stable name from ``contracts/errors.json``, as ``permission-denied``.
        message: What went wrong, for a person.
        retryable: Whether the same request may work later.
        details: Facts for programs.
    """

    def __init__(
        self,
        message: str,
        *,
        type: str = "internal",  # noqa: A002 - the name every surface of plughost uses
        retryable: bool = False,
        details: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.type = type
        self.message = message
        self.retryable = retryable
        self.details = details or {}


class DeclarationError(Exception):
    """A tool or handler is declared in a way that can never work."""


class Misfit(Exception):  # noqa: N818 - it is an answer to the caller, not a fault of the plugin
    """Arguments that do not fit: *path* says where, *reason* says why."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class Cancelled(BaseException):
    """The caller withdrew the call while a plain tool waited for the host.

    Not an `Exception`, so that ``except Exception`` does not swallow it; asyncio
    does the same.  It is raised once: what a ``finally`` block asks for still works.
    """
