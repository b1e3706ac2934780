"""The life of a plugin as one table (docs/reference/lifecycle.md): which state follows which event.

The documentation's diagram is generated from `TRANSITIONS`; change the table,
not the page.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import attrs

from plughost.errors import InternalError

__all__ = ["TRANSITIONS", "Event", "Lifecycle", "State"]


class State(StrEnum):
    """Where a plugin is; `ready` is the only state that takes calls."""

    DISCOVERED = "discovered"
    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"
    STOPPED = "stopped"
    CRASHED = "crashed"
    BACKING_OFF = "backing-off"
    QUARANTINED = "quarantined"
    UNAVAILABLE = "unavailable"


class Event(StrEnum):
    """What happens to a plugin."""

    START = "start"  # by the host's start, a first call, a back-off's end, an operator
    GREETED = "greeted"  # handshake, activation and tool list are complete
    FAILED = "failed"  # it ended, or was ended, against our will
    STOP = "stop"  # an operator, or the host's end
    DRAINED = "drained"  # its process has gone after a stop
    RETRY_LATER = "retry later"  # the restart budget grants a delay
    OUT_OF_BUDGET = "out of budget"  # it does not
    GIVE_UP = "give up"  # nothing will change until files or an operator do


TRANSITIONS: Final[Mapping[tuple[State, Event], State]] = {
    (State.DISCOVERED, Event.START): State.STARTING,
    (State.DISCOVERED, Event.STOP): State.STOPPED,
    (State.DISCOVERED, Event.GIVE_UP): State.UNAVAILABLE,
    (State.STARTING, Event.GREETED): State.READY,
    (State.STARTING, Event.FAILED): State.CRASHED,
    (State.STARTING, Event.GIVE_UP): State.UNAVAILABLE,
    (State.STARTING, Event.STOP): State.DRAINING,
    (State.READY, Event.FAILED): State.CRASHED,
    (State.READY, Event.STOP): State.DRAINING,
    (State.DRAINING, Event.DRAINED): State.STOPPED,
    (State.CRASHED, Event.START): State.STARTING,
    (State.CRASHED, Event.RETRY_LATER): State.BACKING_OFF,
    (State.CRASHED, Event.OUT_OF_BUDGET): State.QUARANTINED,
    (State.CRASHED, Event.GIVE_UP): State.UNAVAILABLE,
    (State.CRASHED, Event.STOP): State.STOPPED,
    (State.BACKING_OFF, Event.START): State.STARTING,
    (State.BACKING_OFF, Event.STOP): State.STOPPED,
    (State.QUARANTINED, Event.START): State.STARTING,
    (State.QUARANTINED, Event.STOP): State.STOPPED,
    (State.STOPPED, Event.START): State.STARTING,
    (State.UNAVAILABLE, Event.START): State.STARTING,
    (State.UNAVAILABLE, Event.STOP): State.STOPPED,
}


@attrs.define
class Lifecycle:
    """One plugin's place in the table.

    Attributes:
        state: Where it is.
        reason: Why, in words for people; empty while all is well.
        since: When it came there, on the clock of `apply`.
    """

    state: State = State.DISCOVERED
    reason: str = ""
    since: float = 0.0

    def apply(self, event: Event, now: float, reason: str = "") -> State:
        """Move along the table and return the new state.

        Args:
            event: What happened.
            now: Seconds on any monotonic clock.
            reason: Why, in words.

        Raises:
            InternalError: The table has no such transition: a bug of ours.
        """
        following = TRANSITIONS.get((self.state, event))
        if following is None:
            raise InternalError(f"a plugin that is {self.state} cannot {event}")
        self.state, self.reason, self.since = following, reason, now
        return following

    def may(self, event: Event) -> bool:
        """Tell whether *event* is legal now."""
        return (self.state, event) in TRANSITIONS
