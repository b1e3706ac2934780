"""What follows when a plugin has failed: restart, wait, quarantine, or give up.  Pure."""

from __future__ import annotations

import attrs

from plughost.contracts.manifest import Restart
from plughost.errors import PlughostError, StartError
from plughost.process.diagnose import PERMANENT_STATUS
from plughost.supervisor.budget import RestartBudget
from plughost.supervisor.lifecycle import Event
from plughost.supervisor.outcomes import Ended

__all__ = ["Verdict", "after_end", "after_failed_start"]


@attrs.frozen
class Verdict:
    """The lifecycle's next steps.

    Attributes:
        steps: Events to apply, each with its reason.
        delay_s: Seconds until the next start; None until somebody asks.
        starts_on_use: Whether a call is asking enough.
    """

    steps: tuple[tuple[Event, str], ...]
    delay_s: float | None = None
    starts_on_use: bool = False


def after_failed_start(
    error: PlughostError, restart: Restart, budget: RestartBudget, now: float, luck: float
) -> Verdict:
    """Decide after a start that came to nothing; the plugin is `starting`.

    Args:
        error: Why it came to nothing.
        restart: The manifest's policy.
        budget: What restarts are left; spent here.
        now: Seconds on any monotonic clock.
        luck: A number in [0, 1) that decides the jitter.
    """
    reason = str(error)
    if not isinstance(error, StartError) or error.facts.get("permanent"):
        return Verdict(((Event.GIVE_UP, reason),))
    return _restart((Event.FAILED, reason), restart, budget, now, luck)


def after_end(
    ended: Ended, restart: Restart, budget: RestartBudget, now: float, luck: float
) -> Verdict:
    """Decide after a ready plugin has ended unasked; arguments as above."""
    reason = f"it ended: {ended}"
    failed = (Event.FAILED, reason)
    status = ended.exit.status if ended.exit is not None else None
    if status == PERMANENT_STATUS:
        return Verdict((failed, (Event.GIVE_UP, reason)))
    if status == 0 and restart.policy == "on-failure":
        # It left of its own will: not a failure, but a call needs it again.
        return Verdict((failed, (Event.STOP, "it ended by itself")), starts_on_use=True)
    return _restart(failed, restart, budget, now, luck)


def _restart(
    failed: tuple[Event, str], restart: Restart, budget: RestartBudget, now: float, luck: float
) -> Verdict:
    reason = failed[1]
    if restart.policy == "never":
        stopped = (Event.STOP, f"{reason}; its manifest says never to restart it")
        return Verdict((failed, stopped))
    delay_s = budget.spend(now, luck)
    if delay_s is None:
        return Verdict((failed, (Event.OUT_OF_BUDGET, reason)), budget.probation())
    if delay_s > 0:
        return Verdict((failed, (Event.RETRY_LATER, reason)), delay_s)
    return Verdict((failed,), 0.0)
