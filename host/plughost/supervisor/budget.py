"""How often a plugin may be restarted, and how long each restart waits.  Pure."""

from __future__ import annotations

from collections import deque
from typing import Final

import attrs

__all__ = ["HEALTHY_S", "RestartBudget"]

# docs/reference/defaults.md: delays between restarts, the spread around them, probation, and
# how long a plugin must be ready before `RestartBudget.clear` is due.
_FIRST_DELAY_S: Final = 0.1
_MAX_DELAY_S: Final = 30.0
_JITTER: Final = 0.2
_FIRST_PROBATION_S: Final = 60.0
_MAX_PROBATION_S: Final = 15 * 60.0
HEALTHY_S: Final = 30.0


@attrs.define
class RestartBudget:
    """Allow at most *intensity* restarts in any *period_s* seconds.

    Source: the rule and its names are Erlang/OTP's, `supervisor`, "Restart
    intensity and period".  Ours differs in what follows: OTP gives up, we
    quarantine and try again after a growing probation.

    Attributes:
        intensity: Restarts allowed inside the window; 0 forbids any.
        period_s: Window length in seconds.
    """

    intensity: int = 5
    period_s: float = 60.0
    _restarts: deque[float] = attrs.field(factory=deque, init=False)
    _in_a_row: int = attrs.field(default=0, init=False)
    _probations: int = attrs.field(default=0, init=False)

    def spend(self, now: float, luck: float = 0.5) -> float | None:
        """Record a restart at *now* and return the delay before it.

        Args:
            now: Seconds on any monotonic clock; never decreasing.
            luck: A number in [0, 1) that decides the jitter; 0.5 is none.

        Returns:
            Seconds to wait, 0 for the first since the counters were clear;
            None when the budget is spent.
        """
        if self._probations:
            return None  # one failed probation leads straight back to quarantine
        while self._restarts and now - self._restarts[0] >= self.period_s:
            self._restarts.popleft()
        if len(self._restarts) >= self.intensity:
            return None
        self._restarts.append(now)
        self._in_a_row += 1
        if self._in_a_row == 1:
            return 0.0
        # The exponent is capped before the power: 2.0**2000 overflows.
        doublings = min(self._in_a_row - 2, 16)
        delay_s = min(_FIRST_DELAY_S * 2.0**doublings, _MAX_DELAY_S)
        return delay_s * (1 + _JITTER * (2 * luck - 1))

    def probation(self) -> float:
        """Return how long a quarantine lasts before one start on probation; it doubles."""
        self._probations += 1
        doublings = min(self._probations - 1, 8)
        return min(_FIRST_PROBATION_S * 2.0**doublings, _MAX_PROBATION_S)

    def clear(self) -> None:
        """Forget everything: the plugin was healthy long enough, or an operator says so."""
        self._restarts.clear()
        self._in_a_row = 0
        self._probations = 0
