from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plughost.supervisor.calls.latency import Latency


def test_nothing_recorded_has_no_percentile() -> None:
    assert Latency().percentile_ms(0.5) is None


@given(st.lists(st.floats(1e-6, 1000), min_size=1, max_size=200), st.sampled_from([0.5, 0.95]))
def test_a_percentile_is_at_most_an_eighth_above_the_truth(
    durations_s: list[float], share: float
) -> None:
    latency = Latency()
    for duration_s in durations_s:
        latency.record(duration_s)
    exact = sorted(durations_s)
    rank = max(0, -(-int(share * len(exact) * 1000) // 1000) - 1)

    found = latency.percentile_ms(share)

    assert found is not None
    assert found >= exact[rank] * 1000 * 0.999
    assert found <= exact[min(rank + 1, len(exact) - 1)] * 1000 * 1.126


@pytest.mark.parametrize("duration_s", [0.0, -1.0, 1e9])
def test_odd_durations_are_counted_at_the_ends(duration_s: float) -> None:
    latency = Latency()
    latency.record(duration_s)

    assert latency.count == 1
    assert latency.percentile_ms(0.99) is not None
