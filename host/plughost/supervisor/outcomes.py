"""How a request and a session can end, and what a wire has seen.  Values only."""

from __future__ import annotations

from typing import Any

import attrs

from plughost.process.guard import Exit
from plughost.protocol.session import Answer

__all__ = ["Counters", "Ended", "Failure", "Reply"]


@attrs.define
class Failure:
    """Why there is no answer.

    Attributes:
        type: ``call-timeout``, ``plugin-crashed``, ``output-limit``, or
            ``not-sent`` for a call that never left the host.
    """

    type: str
    message: str
    details: dict[str, Any]


Reply = Answer | Failure


@attrs.frozen
class Ended:
    """How a session ended.

    Attributes:
        exit: How the process did; None if even SIGKILL has not ended it yet.
        why: In words, when it was more than an exit.
    """

    exit: Exit | None
    why: str
    log_tail: str

    def __str__(self) -> str:
        end = "still there after SIGKILL" if self.exit is None else str(self.exit)
        return f"{self.why} ({end})" if self.why else end


@attrs.define
class Counters:
    """What the wire of one plugin has seen; kept across its restarts."""

    noise: int = 0
    late: int = 0
    stray: int = 0
    oversize: int = 0
