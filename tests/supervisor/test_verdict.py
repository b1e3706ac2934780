from __future__ import annotations

import pytest

from plughost.contracts.manifest import Restart
from plughost.errors import PluginUnavailableError, StartError
from plughost.process.guard import Exit
from plughost.supervisor.budget import RestartBudget
from plughost.supervisor.lifecycle import Lifecycle, State
from plughost.supervisor.outcomes import Ended
from plughost.supervisor.verdict import Verdict, after_end, after_failed_start


def apply(verdict: Verdict, before: State) -> State:
    life = Lifecycle(before)
    for event, reason in verdict.steps:
        life.apply(event, 0.0, reason)
    return life.state


def ended(status: int | None = None, signal: int | None = None) -> Ended:
    return Ended(Exit(status=status, signal=signal), "", "")


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (PluginUnavailableError("no node"), State.UNAVAILABLE),
        (StartError("syntax error", permanent=True), State.UNAVAILABLE),
        (StartError("exit 1"), State.CRASHED),
    ],
)
def test_a_failed_start_is_tried_again_unless_nothing_would_change(
    error: StartError, state: State
) -> None:
    verdict = after_failed_start(error, Restart(), RestartBudget(), 0.0, 0.5)

    assert apply(verdict, State.STARTING) is state
    assert (verdict.delay_s is None) == (state is State.UNAVAILABLE)


def test_crashes_lead_to_back_off_and_then_to_quarantine() -> None:
    budget = RestartBudget(intensity=2)

    verdicts = [after_end(ended(signal=11), Restart(), budget, 0.0, 0.5) for _ in range(3)]

    assert [apply(verdict, State.READY) for verdict in verdicts] == [
        State.CRASHED,
        State.BACKING_OFF,
        State.QUARANTINED,
    ]
    assert [verdict.delay_s for verdict in verdicts] == pytest.approx([0.0, 0.1, 60.0])


@pytest.mark.parametrize(
    ("status", "policy", "state"),
    [
        (0, "on-failure", State.STOPPED),
        (0, "always", State.CRASHED),
        (1, "on-failure", State.CRASHED),
        (1, "never", State.STOPPED),
        (78, "always", State.UNAVAILABLE),
    ],
)
def test_the_exit_status_and_the_policy_decide(status: int, policy: str, state: State) -> None:
    restart = Restart(policy=policy)  # type: ignore[arg-type]  # parametrised

    verdict = after_end(ended(status), restart, RestartBudget(), 0.0, 0.5)

    assert apply(verdict, State.READY) is state
    assert verdict.starts_on_use == (status == 0 and policy == "on-failure")
