"""When which open call has to end: a heap of deadlines, read by one timer.  Pure.

A cancel scope for each call would cost more than the call's own bookkeeping;
nearly all calls end long before their deadline, so entries are dropped lazily.
"""

from __future__ import annotations

import heapq
import math
from typing import Final

import attrs

__all__ = ["Deadlines"]

# Below this a heap of stale entries is not worth rebuilding.
_SMALL: Final = 64


@attrs.define
class Deadlines:
    """The deadlines of open calls, by id."""

    _heap: list[tuple[float, int]] = attrs.field(factory=list, init=False)
    _current: dict[int, float] = attrs.field(factory=dict, init=False)

    def put(self, call_id: int, at: float) -> bool:
        """Set or move the deadline of *call_id*; True if it is now the first of all."""
        self._current[call_id] = at
        if not self._heap or at < self._heap[0][0]:
            heapq.heappush(self._heap, (at, call_id))
            return True
        heapq.heappush(self._heap, (at, call_id))
        return False

    def drop(self, call_id: int) -> None:
        """Forget *call_id*."""
        self._current.pop(call_id, None)
        # Lazily dropped entries must not pile up behind one far deadline.
        if len(self._heap) > _SMALL and len(self._heap) > 4 * len(self._current):
            self._heap = [(at, number) for number, at in self._current.items()]
            heapq.heapify(self._heap)

    def next_at(self) -> float:
        """Return the first deadline, or infinity; stale entries may make it early."""
        return self._heap[0][0] if self._heap else math.inf

    def due(self, now: float) -> list[int]:
        """Take out and return the ids whose deadline has passed at *now*."""
        found: list[int] = []
        while self._heap and self._heap[0][0] <= now:
            at, call_id = heapq.heappop(self._heap)
            if self._current.get(call_id) == at:
                del self._current[call_id]
                found.append(call_id)
        return found
