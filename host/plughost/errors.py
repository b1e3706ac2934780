"""Every error plughost raises on purpose, one class for each type of contracts/errors.json.

* PlughostError
    * UsageError, PluginNotFoundError, ToolNotFoundError, InvalidArgumentsError   the caller's
    * ManifestError, ConfigError                                      a file's
    * PluginUnavailableError, StartError, CrashError                  a plugin's life
    * CallTimeoutError, MemoryLimitError, CpuLimitError, OutputLimitError
    * ProtocolError
        * PeerError                                                   written by the plugin
        * LocalError                                                  about to be written by us
    * CircuitOpenError, OverloadedError, HostStoppingError, CancelledError
    * PermissionDeniedError, DeniedByRuleError, BudgetExceededError
    * ToolError                                                       the plugin's own failure
    * InternalError                                                   a bug of ours

``type``, ``retryable``, ``http_status`` and ``exit_status`` repeat that file,
so that raising an error reads no file; a test compares the two.
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "BudgetExceededError",
    "CallTimeoutError",
    "CancelledError",
    "CircuitOpenError",
    "ConfigError",
    "CpuLimitError",
    "CrashError",
    "DeniedByRuleError",
    "HostStoppingError",
    "InternalError",
    "InvalidArgumentsError",
    "LocalError",
    "ManifestError",
    "MemoryLimitError",
    "OutputLimitError",
    "OverloadedError",
    "PeerError",
    "PermissionDeniedError",
    "PlughostError",
    "PluginNotFoundError",
    "PluginUnavailableError",
    "ProtocolError",
    "StartError",
    "ToolError",
    "ToolNotFoundError",
    "UsageError",
    "error_class",
    "error_classes",
]


class PlughostError(Exception):
    """Base class; catch this at a program's outermost edge, nowhere else.

    Attributes:
        type: Stable identifier, kebab-case, from contracts/errors.json.
        retryable: Whether the same call may succeed later, unchanged.
        http_status: Status of a failed call over HTTP.
        exit_status: Status of a command that fails with it, from sysexits.h.
        hint: What the reader can do next, as an imperative sentence.
        facts: Values the message was built from, for logs and ``--json``.
    """

    type: ClassVar[str] = "internal"
    retryable: ClassVar[bool] = False
    http_status: ClassVar[int] = 500
    exit_status: ClassVar[int] = 70

    def __init__(self, message: str, *, hint: str = "", **facts: object) -> None:
        super().__init__(message)
        self.hint = hint
        self.facts = facts


class InternalError(PlughostError):
    """A bug in plughost."""


class PluginNotFoundError(PlughostError):
    """No plugin of this name is known."""

    type = "plugin-not-found"
    http_status = 404
    exit_status = 69


class ToolNotFoundError(PlughostError):
    """The plugin has no tool of this name."""

    type = "tool-not-found"
    http_status = 404
    exit_status = 69


class UsageError(PlughostError):
    """A command line or an HTTP request that plughost does not understand."""

    type = "usage"
    http_status = 400
    exit_status = 64


class InvalidArgumentsError(PlughostError):
    """The arguments do not fit the tool's input schema, or are not JSON."""

    type = "invalid-arguments"
    http_status = 400
    exit_status = 65


class ManifestError(PlughostError):
    """A manifest does not satisfy contracts/plugin-manifest.schema.json."""

    type = "manifest-invalid"
    http_status = 422
    exit_status = 65


class ConfigError(PlughostError):
    """The configuration or an option has a value that cannot be used."""

    type = "config-invalid"
    http_status = 422
    exit_status = 78


class PluginUnavailableError(PlughostError):
    """The plugin cannot take calls now."""

    type = "plugin-unavailable"
    retryable = True
    http_status = 503
    exit_status = 69


class StartError(PlughostError):
    """The plugin's process ended or stayed silent before it was ready."""

    type = "plugin-start-failed"
    http_status = 503
    exit_status = 69


class CrashError(PlughostError):
    """The plugin's process ended while the call was open."""

    type = "plugin-crashed"
    retryable = True
    http_status = 502
    exit_status = 69


class CallTimeoutError(PlughostError):
    """The call's deadline passed before the plugin answered."""

    type = "call-timeout"
    retryable = True
    http_status = 504
    exit_status = 75


class MemoryLimitError(PlughostError):
    """The plugin reached its memory limit."""

    type = "memory-limit"
    http_status = 507
    exit_status = 69


class CpuLimitError(PlughostError):
    """The plugin used more processor time than it may."""

    type = "cpu-limit"
    retryable = True
    http_status = 503
    exit_status = 69


class OutputLimitError(PlughostError):
    """A message is larger than it may be, or nests too deep."""

    type = "output-limit"
    http_status = 413
    exit_status = 65


class ProtocolError(PlughostError):
    """Bytes or events that break contracts/wire/."""

    type = "protocol-violation"
    http_status = 502
    exit_status = 76


class PeerError(ProtocolError):
    """The plugin broke the wire contract."""


class LocalError(ProtocolError):
    """We were about to break the wire contract; nothing was written."""


class CircuitOpenError(PlughostError):
    """The plugin failed too often; calls are refused until it has recovered."""

    type = "circuit-open"
    retryable = True
    http_status = 503
    exit_status = 75


class OverloadedError(PlughostError):
    """Too many calls wait for this plugin already."""

    type = "overloaded"
    retryable = True
    http_status = 429
    exit_status = 75


class PermissionDeniedError(PlughostError):
    """The manifest does not grant what was asked for."""

    type = "permission-denied"
    http_status = 403
    exit_status = 77


class DeniedByRuleError(PlughostError):
    """A rule denied the call."""

    type = "denied-by-rule"
    http_status = 403
    exit_status = 77


class BudgetExceededError(PlughostError):
    """A budget has nothing left."""

    type = "budget-exceeded"
    retryable = True
    http_status = 429
    exit_status = 75


class CancelledError(PlughostError):
    """The caller withdrew the call."""

    type = "cancelled"
    retryable = True
    http_status = 499
    exit_status = 75


class ToolError(PlughostError):
    """The tool ran and reported a failure of its own."""

    type = "tool-error"
    http_status = 422
    exit_status = 1


class HostStoppingError(PlughostError):
    """The host is shutting down and takes no more calls."""

    type = "host-stopping"
    retryable = True
    http_status = 503
    exit_status = 75


def error_classes() -> dict[str, type[PlughostError]]:
    """Return the class of every error type; where two share one, the general one."""
    found: dict[str, type[PlughostError]] = {}
    queue: list[type[PlughostError]] = [InternalError, *PlughostError.__subclasses__()]
    for cls in queue:
        found.setdefault(cls.type, cls)
    return found


def error_class(error_type: str) -> type[PlughostError]:
    """Return the class for *error_type*; an unknown name is a bug somewhere."""
    return error_classes().get(error_type, InternalError)
