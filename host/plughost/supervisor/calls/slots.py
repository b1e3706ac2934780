"""Who may call now, who waits, who is refused: one plugin's flow control.  Pure."""

from __future__ import annotations

from collections import deque
from typing import Any, Final

import attrs

__all__ = ["QUEUE_LIMIT", "Slots"]

# docs/reference/defaults.md: a queue hides a slow plugin for so long and no longer.
QUEUE_LIMIT: Final = 128


@attrs.define
class Slots:
    """Counts calls in flight and keeps the others in order of arrival.

    A waiter is any value; the caller decides what waking one means.

    Attributes:
        limit: Calls in flight at once (the manifest's ``concurrency``).
        in_flight: Calls that hold a slot.
    """

    limit: int
    queue_limit: int = QUEUE_LIMIT
    in_flight: int = attrs.field(default=0, init=False)
    _waiting: deque[Any] = attrs.field(factory=deque, init=False)

    @property
    def queued(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def take(self) -> bool:
        """Take a slot if one is free and nobody waits for it."""
        if self.in_flight < self.limit and not self._waiting:
            self.in_flight += 1
            return True
        return False

    def queue(self, waiter: Any) -> bool:
        """Put *waiter* at the end of the queue; False if the queue is full."""
        if len(self._waiting) >= self.queue_limit:
            return False
        self._waiting.append(waiter)
        return True

    def leave(self, waiter: Any) -> None:
        """Take *waiter* out of the queue: its deadline passed, or its caller left."""
        self._waiting.remove(waiter)

    def drain(self) -> list[Any]:
        """Return everybody who waits, each with a slot of its own: nobody releases one again."""
        waiting = list(self._waiting)
        self._waiting.clear()
        self.in_flight += len(waiting)
        return waiting

    def release(self) -> Any | None:
        """Give a slot back; return the waiter that has it now, or None."""
        if self._waiting and self.in_flight <= self.limit:
            return self._waiting.popleft()
        self.in_flight -= 1
        return None
