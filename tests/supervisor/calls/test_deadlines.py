from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from plughost.supervisor.calls.deadlines import Deadlines


def test_what_is_due_comes_once_and_in_order() -> None:
    deadlines = Deadlines()
    assert deadlines.next_at() == math.inf
    assert [deadlines.put(number, at) for number, at in ((1, 5.0), (2, 3.0), (3, 9.0))] == [
        True,
        True,
        False,
    ]
    assert deadlines.next_at() == 3.0

    assert deadlines.due(6.0) == [2, 1]
    assert deadlines.due(6.0) == []
    assert deadlines.next_at() == 9.0


def test_a_moved_deadline_is_due_at_its_new_time_only() -> None:
    deadlines = Deadlines()
    deadlines.put(1, 5.0)
    deadlines.put(1, 8.0)

    assert deadlines.due(6.0) == []
    assert deadlines.due(8.0) == [1]


@given(st.lists(st.tuples(st.integers(0, 9), st.floats(0, 100) | st.none()), max_size=300))
def test_any_history_leaves_exactly_what_a_dict_would(
    history: list[tuple[int, float | None]],
) -> None:
    deadlines = Deadlines()
    model: dict[int, float] = {}
    for number, at in history:
        if at is None:
            deadlines.drop(number)
            model.pop(number, None)
        else:
            deadlines.put(number, at)
            model[number] = at

    assert sorted(deadlines.due(50.0)) == sorted(n for n, at in model.items() if at <= 50.0)
    assert deadlines.next_at() <= min((at for at in model.values() if at > 50.0), default=math.inf)


def test_calls_that_end_early_do_not_pile_up_behind_a_far_deadline() -> None:
    deadlines = Deadlines()
    for number in range(10_000):
        deadlines.put(number, 30.0 + number)
        deadlines.drop(number)

    assert len(deadlines._heap) <= 65
