"""A request while it is open, how it can end, how a session can, and what its wire has seen."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol

import attrs
import trio

from plughost.process.guard import Exit
from plughost.protocol.session import Answer

__all__ = ["Counters", "Ended", "Failure", "Open", "Progress", "Reply"]


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


class Owner(Protocol):
    """Whoever opened a request: its connection."""

    async def pause(self) -> None:
        """Let others run now and then."""

    def withdraw(self, opened: Open, reason: str) -> None:
        """Stop waiting for *opened*."""


@attrs.frozen
class Progress:
    """What a call's progress does.

    Attributes:
        idle_s: Seconds by which it moves the deadline; 0: it does not.
        latest_at: When even progress helps no more.
        listener: Hears it, as the plugin sent it.
    """

    idle_s: float = 0.0
    latest_at: float = math.inf
    listener: Callable[[dict[str, Any]], None] | None = None


@attrs.define(eq=False)
class Open:
    """A request that waits for its answer."""

    id: int
    owner: Owner
    progress: Progress | None = None
    holds_slot: bool = False
    reply: Reply | None = None
    task: trio.lowlevel.Task | None = None

    async def wait(self) -> Reply:
        """Return the answer, or why there will be none."""
        if self.reply is not None:
            await self.owner.pause()
        else:
            self.task = trio.lowlevel.current_task()
            await trio.lowlevel.wait_task_rescheduled(self._withdraw)
        assert self.reply is not None
        return self.reply

    def settle(self, reply: Reply) -> None:
        """End the wait."""
        self.reply = reply
        if self.task is not None:
            trio.lowlevel.reschedule(self.task)
            self.task = None

    def _withdraw(self, _: object) -> trio.lowlevel.Abort:
        self.task = None
        self.owner.withdraw(self, "the caller left")
        return trio.lowlevel.Abort.SUCCEEDED
