"""Which message is legal in which state of a session, as one table.

Rule 1: this file does not know what a message is for; it only knows when it
may be sent, by which side.
Rule 2: the documentation's table is generated from `MOVES` and `STEPS`; change
them, not the page.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

__all__ = ["MOVES", "STEPS", "Side", "State", "may_send"]


class Side(StrEnum):
    """Who sends."""

    HOST = "host"
    PLUGIN = "plugin"


class State(StrEnum):
    """Where a session is, as the host sees it (contracts/wire/README.md §4)."""

    NEW = "new"  # nothing has been said
    GREETING = "greeting"  # `initialize` is on its way
    GREETED = "greeted"  # `initialize` was answered
    READY = "ready"  # activated, tools listed
    CLOSING = "closing"  # `plughost/shutdown` is on its way
    CLOSED = "closed"  # end of file, either side


_OPEN: Final = frozenset({State.GREETING, State.GREETED, State.READY, State.CLOSING})
_TALKING: Final = frozenset({State.GREETED, State.READY, State.CLOSING})
_SERVING: Final = frozenset({State.GREETED, State.READY})

# (side, method) -> states in which it may be sent.  A method that is not here
# may not be sent by the host at all; from the plugin it is answered -32601.
MOVES: Final[Mapping[tuple[Side, str], frozenset[State]]] = {
    (Side.HOST, "initialize"): frozenset({State.NEW}),
    (Side.HOST, "notifications/initialized"): frozenset({State.GREETED}),
    (Side.HOST, "ping"): _OPEN,
    (Side.HOST, "tools/list"): _SERVING,
    (Side.HOST, "tools/call"): frozenset({State.READY}),
    (Side.HOST, "logging/setLevel"): _SERVING,
    (Side.HOST, "notifications/cancelled"): _TALKING,
    (Side.HOST, "plughost/activate"): _SERVING,
    (Side.HOST, "plughost/event"): frozenset({State.READY}),
    (Side.HOST, "plughost/hook"): frozenset({State.READY}),
    (Side.HOST, "plughost/snapshot"): frozenset({State.READY}),
    (Side.HOST, "plughost/restore"): _SERVING,
    (Side.HOST, "plughost/channel.parse"): frozenset({State.READY}),
    (Side.HOST, "plughost/channel.format"): frozenset({State.READY}),
    (Side.HOST, "plughost/shutdown"): _SERVING,
    (Side.PLUGIN, "ping"): _OPEN,
    (Side.PLUGIN, "notifications/message"): _OPEN,
    (Side.PLUGIN, "notifications/progress"): _TALKING,
    (Side.PLUGIN, "notifications/cancelled"): _TALKING,
    (Side.PLUGIN, "notifications/tools/list_changed"): _TALKING,
    (Side.PLUGIN, "plughost/extend_start"): _OPEN,
    (Side.PLUGIN, "plughost/call"): _TALKING,
    (Side.PLUGIN, "plughost/state.get"): _TALKING,
    (Side.PLUGIN, "plughost/state.set"): _TALKING,
    (Side.PLUGIN, "plughost/state.delete"): _TALKING,
    (Side.PLUGIN, "plughost/state.list"): _TALKING,
    (Side.PLUGIN, "plughost/emit"): _TALKING,
    (Side.PLUGIN, "plughost/http"): _TALKING,
    (Side.PLUGIN, "plughost/secret.exists"): _TALKING,
    (Side.PLUGIN, "plughost/llm"): _TALKING,
}

# (state, what happened) -> next state.  What is not here changes nothing.
STEPS: Final[Mapping[tuple[State, str], State]] = {
    (State.NEW, "sent initialize"): State.GREETING,
    (State.GREETING, "answered initialize"): State.GREETED,
    (State.GREETED, "ready"): State.READY,
    (State.GREETED, "sent plughost/shutdown"): State.CLOSING,
    (State.READY, "sent plughost/shutdown"): State.CLOSING,
    **{(state, "end"): State.CLOSED for state in State},
}


def may_send(side: Side, method: str, state: State) -> bool | None:
    """Tell whether *side* may send *method* in *state*; None for a method nobody knows."""
    states = MOVES.get((side, method))
    return None if states is None else state in states
