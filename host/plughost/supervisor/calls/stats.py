"""What a plugin's calls have come to, since the host started.  Pure."""

from __future__ import annotations

from typing import Any

import attrs

from plughost.contracts.results import CallError
from plughost.errors import PlughostError
from plughost.supervisor.calls.answers import FAILURES
from plughost.supervisor.calls.latency import Latency

__all__ = ["Stats"]


@attrs.define
class Stats:
    """Counters of one plugin.

    Attributes:
        success_count: Calls whose tool returned.
        error_count: Calls that failed, for whatever reason.
        consecutive_failures: Infrastructure failures since the last answer.
        restart_count: Starts after the first.
        last_error: The last failed call's error, as JSON, with ``at``.
    """

    success_count: int = 0
    error_count: int = 0
    consecutive_failures: int = 0
    restart_count: int = 0
    last_error: dict[str, Any] | None = None
    latency: Latency = attrs.field(factory=Latency)

    def succeeded(self, duration_s: float) -> None:
        """Count a call whose tool returned after *duration_s*."""
        self.success_count += 1
        self.consecutive_failures = 0
        self.latency.record(duration_s)

    def failed(self, tool: str, error: CallError, duration_s: float, at: float) -> None:
        """Count a call of *tool* that failed; *at* is Unix time, for people."""
        self.error_count += 1
        if error.type in FAILURES:
            self.consecutive_failures += 1
        else:
            self.consecutive_failures = 0
            self.latency.record(duration_s)
        self.last_error = {"type": error.type, "message": error.message, "tool": tool, "at": at}

    def start_failed(self, error: PlughostError, at: float) -> None:
        """Count a start that came to nothing; *at* is Unix time, for people."""
        self.consecutive_failures += 1
        self.last_error = {"type": error.type, "message": str(error), "tool": None, "at": at}
