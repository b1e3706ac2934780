"""One call as it travels: what is asked, by when, on whose behalf.  Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import attrs

from plughost.contracts.tools import Tool
from plughost.protocol.messages import encode

__all__ = ["ABSOLUTE_LIMIT_S", "Call", "Patience", "call_params"]

# docs/reference/defaults.md: how far progress can carry a long-running call.
ABSOLUTE_LIMIT_S: Final = 600.0


@attrs.frozen
class Patience:
    """How long somebody waits, and until when on trio's clock."""

    timeout_s: float
    deadline: float


@attrs.define(kw_only=True)
class Call:
    """A call that has been admitted.

    Attributes:
        arguments: Validated and encoded.
        started_at: When its deadline began to run, on trio's clock.
        sent_at: When it leaves the host: later than `started_at` if it had to wait.
        chain: Who called whom to get here, as ``plugin.tool``, outermost first.
        user: On whose behalf.
        on_progress: Hears the call's progress, as the plugin sent it.
    """

    call_id: str
    plugin: str
    tool: Tool
    arguments: bytes
    timeout_s: float
    started_at: float
    deadline: float
    sent_at: float = attrs.field(
        default=attrs.Factory(lambda self: self.started_at, takes_self=True)
    )
    chain: tuple[str, ...] = ()
    traceparent: str | None = None
    user: str = "local"
    on_progress: Callable[[dict[str, Any]], None] | None = None

    @property
    def latest_at(self) -> float:
        """When even progress helps no more; a caller's longer timeout stands."""
        return self.started_at + max(ABSOLUTE_LIMIT_S, self.timeout_s)


def call_params(call: Call, progress_token: int) -> bytes:
    """Return the parameters of ``tools/call`` (wire §5.2, §6), encoded.

    Args:
        call: The call.
        progress_token: The id the request will have; only long-running tools
            and callers who listen need one.
    """
    extra = b""
    if call.chain:
        extra += b',"chain":' + encode(list(call.chain))
    if call.traceparent is not None:
        extra += b',"traceparent":' + encode(call.traceparent)
    if call.tool.long_running or call.on_progress is not None:
        extra += b',"progressToken":%d' % progress_token
    return b'{"name":"%b","arguments":%b,"_meta":{"call_id":"%b","deadline_ms":%d%b}}' % (
        call.tool.name.encode(),
        call.arguments,
        call.call_id.encode(),
        max(0, int((call.deadline - call.sent_at) * 1000)),
        extra,
    )
