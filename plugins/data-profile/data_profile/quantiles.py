"""Where the quantiles of a stream of numbers lie, within a stated error of rank."""

from __future__ import annotations

__all__ = ["QuantileSketch"]

import math
import random
from collections.abc import Sequence

# From here on only one value of each block of 2, 4, 8 … enters the sketch, so
# that its cost per value falls as the stream grows.  Choosing one of each block
# adds a standard error of n / (2 √m) for m values kept: 0.05 % for 2**20.
SAMPLE_FROM = 2**20

# A normal deviate stays below this in 99.9 % of cases (two-sided 3.29).
DEVIATIONS = 3.29

# Same input, same answer: every sketch draws from its own generator with this seed.
SEED = 20_240_601


class QuantileSketch:
    """Merge-and-halve compactors, as in the KLL sketch.

    Values enter a buffer of weight 1.  A buffer that holds *capacity* values is
    sorted and every second one (from a random first) moves to a buffer of twice
    the weight.  Each such step shifts any rank by at most its weight, and as
    often up as down: the standard error of a rank is at most √2 n / capacity,
    and no rank is ever off by more than n * levels / (capacity - 1).

    Source: Karnin, Lang, Liberty, "Optimal quantile approximation in streams",
    FOCS 2016, with equal capacities and its sampler.

    Attributes:
        count: How many values were added.
    """

    def __init__(self, capacity: int) -> None:
        self.count = 0
        self._capacity = capacity
        self._levels: list[list[float]] = [[]]
        self._height = 0
        self._pending: list[float] = []
        self._random = random.Random(SEED)  # noqa: S311 - a sketch, not a secret

    @property
    def exact(self) -> bool:
        """Whether every value is still here."""
        return len(self._levels) == 1

    @property
    def rank_error(self) -> float:
        """The share of all values a rank may be off by, with 99.9 % certainty; 0 when exact."""
        if self.exact:
            return 0.0
        halving = 2 / self._capacity**2
        sampling = 1 / (4 * SAMPLE_FROM) if self._height else 0.0
        return DEVIATIONS * math.sqrt(halving + sampling)

    @property
    def rank_error_limit(self) -> float:
        """The share no rank is ever off by more than, while nothing is sampled."""
        return len(self._levels) / (self._capacity - 1)

    def add(self, values: Sequence[float]) -> None:
        """Take *values* into account."""
        self.count += len(values)
        if self.count > SAMPLE_FROM:
            values = self._sampled(values)
        self._levels[self._height].extend(values)
        level = self._height
        while level < len(self._levels) and len(self._levels[level]) >= self._capacity:
            self._halve(level)
            level += 1

    def quantiles(self, shares: Sequence[float]) -> list[float]:
        """Return the values below which each of *shares* (ascending, 0 to 1) of all values lie.

        While nothing was dropped, neighbours are interpolated linearly, as
        ``statistics.quantiles(…, method="inclusive")`` does.
        """
        if self.exact:
            return _interpolated(sorted(self._levels[0]), shares)
        weighted = [(value, 1) for value in self._pending]
        for level, values in enumerate(self._levels):
            weighted += [(value, 1 << level) for value in values]
        weighted.sort()
        total = sum(weight for _, weight in weighted)
        found, seen, position = [], 0, 0
        for share in shares:
            while position < len(weighted) - 1 and seen + weighted[position][1] <= share * total:
                seen += weighted[position][1]
                position += 1
            found.append(weighted[position][0])
        return found

    def _halve(self, level: int) -> None:
        values = self._levels[level]
        values.sort()
        odd = [values.pop()] if len(values) % 2 else []
        promoted = values[self._random.getrandbits(1) :: 2]
        self._levels[level] = odd
        if level + 1 == len(self._levels):
            self._levels.append([])
        self._levels[level + 1] += promoted

    def _sampled(self, values: Sequence[float]) -> list[float]:
        height = (self.count // SAMPLE_FROM).bit_length()
        while len(self._levels) <= height:
            self._levels.append([])
        self._height = height
        self._pending += values
        block = 1 << height
        bits = self._random.getrandbits
        kept = [
            self._pending[start + bits(height)]
            for start in range(0, len(self._pending) - block + 1, block)
        ]
        del self._pending[: len(kept) * block]
        return kept


def _interpolated(ordered: list[float], shares: Sequence[float]) -> list[float]:
    found = []
    for share in shares:
        below = share * (len(ordered) - 1)
        index = min(int(below), max(len(ordered) - 2, 0))
        low, high = ordered[index], ordered[min(index + 1, len(ordered) - 1)]
        # Weighted sum rather than low + part * (high - low): the difference of
        # two finite numbers may overflow.
        part = below - index
        found.append(low if low == high else low * (1 - part) + high * part)
    return found
