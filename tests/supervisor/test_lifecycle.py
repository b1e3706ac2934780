"""Contract: docs/reference/lifecycle.md is drawn from this table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plughost.errors import InternalError
from plughost.supervisor.lifecycle import TRANSITIONS, Event, Lifecycle, State


def test_a_good_life() -> None:
    life = Lifecycle()

    states = [life.apply(event, 1.0) for event in (Event.START, Event.GREETED, Event.STOP)]
    states.append(life.apply(Event.DRAINED, 2.0, "done"))

    assert states == [State.STARTING, State.READY, State.DRAINING, State.STOPPED]
    assert (life.reason, life.since) == ("done", 2.0)


def test_every_state_but_the_first_can_be_reached_and_every_one_can_be_left() -> None:
    assert set(TRANSITIONS.values()) == set(State) - {State.DISCOVERED}
    assert {before for before, _ in TRANSITIONS} == set(State)


def test_a_stop_is_legal_wherever_something_would_happen_by_itself() -> None:
    waiting = {State.STARTING, State.READY, State.BACKING_OFF, State.QUARANTINED, State.CRASHED}

    assert all((state, Event.STOP) in TRANSITIONS for state in waiting)


@given(st.lists(st.sampled_from(Event)))
def test_no_sequence_leaves_the_table(events: list[Event]) -> None:
    life = Lifecycle()
    for event in events:
        if life.may(event):
            assert life.apply(event, 0.0) in State
        else:
            with pytest.raises(InternalError, match="cannot"):
                life.apply(event, 0.0)
