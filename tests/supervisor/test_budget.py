from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plughost.supervisor.budget import RestartBudget


def test_the_first_restart_is_immediate_and_the_next_ones_double() -> None:
    budget = RestartBudget(intensity=9, period_s=60)

    delays = [budget.spend(now=float(at)) for at in range(5)]

    assert delays == pytest.approx([0.0, 0.1, 0.2, 0.4, 0.8])


def test_the_sixth_restart_in_a_minute_is_refused_and_the_window_slides() -> None:
    budget = RestartBudget()
    assert [budget.spend(0.0) is not None for _ in range(6)] == [True] * 5 + [False]

    assert budget.spend(59.9) is None
    assert budget.spend(60.0) is not None


def test_the_delay_is_capped() -> None:
    budget = RestartBudget(intensity=10_000, period_s=1)
    delays = [budget.spend(now=10.0 * at) for at in range(2000)]

    assert delays[-1] == pytest.approx(30.0)


@given(st.floats(0, 1, exclude_max=True))
def test_jitter_stays_within_a_fifth(luck: float) -> None:
    budget = RestartBudget()
    budget.spend(0.0)

    delay_s = budget.spend(0.0, luck)

    assert delay_s is not None
    assert 0.08 - 1e-9 <= delay_s <= 0.12 + 1e-9


def test_quarantine_grows_and_one_failed_probation_leads_back() -> None:
    budget = RestartBudget(intensity=1)
    assert budget.spend(0.0) == 0.0
    assert budget.spend(0.0) is None

    lengths = []
    for round_ in range(7):
        lengths.append(budget.probation())
        assert budget.spend(1000.0 * (round_ + 1)) is None

    assert lengths == [60, 120, 240, 480, 900, 900, 900]


def test_clearing_forgives_everything() -> None:
    budget = RestartBudget(intensity=1)
    budget.spend(0.0)
    budget.probation()

    budget.clear()

    assert budget.spend(0.0) == 0.0
    assert budget.probation() == 60


def test_an_intensity_of_zero_forbids_any_restart() -> None:
    assert RestartBudget(intensity=0).spend(0.0) is None
