"""The mean, the spread and the correlation of streams of numbers, added batch by batch."""

from __future__ import annotations

__all__ = ["Centred", "Moments", "PairMoments"]

import math
from collections.abc import Sequence
from operator import mul
from typing import NamedTuple


class Centred(NamedTuple):
    """A batch of numbers as its mean, the deviations from it, and the sum of their squares."""

    mean: float
    deviations: list[float]
    squares: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Centred:
        """Centre *values*, which are not empty."""
        mean = sum(values) / len(values)
        deviations = [value - mean for value in values]
        return cls(mean, deviations, sum(map(mul, deviations, deviations)))


class Moments:
    """Count, mean and sum of squared deviations of one stream.

    Source: Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm
    for computing sample variances", 1979: Welford's update for whole batches.
    """

    def __init__(self) -> None:
        self.count = 0
        self.mean = 0.0
        self._squares = 0.0

    def add(self, batch: Centred) -> None:
        """Add a batch."""
        count = len(batch.deviations)
        gap = batch.mean - self.mean
        total = self.count + count
        self._squares += batch.squares + gap * gap * (self.count * count / total)
        self.mean += gap * (count / total)
        self.count = total

    @property
    def stddev(self) -> float | None:
        """The sample standard deviation; None for fewer than two values or an overflow."""
        if self.count < 2 or not math.isfinite(self._squares):  # noqa: PLR2004 - n - 1 divides
            return None
        return math.sqrt(self._squares / (self.count - 1))


class PairMoments:
    """Pearson's correlation of two streams, over the rows where both have a number."""

    def __init__(self) -> None:
        self.count = 0
        self._mean_x = self._mean_y = 0.0
        self._xx = self._yy = self._xy = 0.0

    def add(self, x: Centred, y: Centred) -> None:
        """Add rows; both batches are equally long, row by row."""
        count = len(x.deviations)
        gap_x, gap_y = x.mean - self._mean_x, y.mean - self._mean_y
        total = self.count + count
        share = self.count * count / total
        self._xx += x.squares + gap_x * gap_x * share
        self._yy += y.squares + gap_y * gap_y * share
        self._xy += sum(map(mul, x.deviations, y.deviations)) + gap_x * gap_y * share
        self._mean_x += gap_x * (count / total)
        self._mean_y += gap_y * (count / total)
        self.count = total

    @property
    def correlation(self) -> float | None:
        """Pearson's r; None where one side is constant, or for fewer than two rows."""
        scale = math.sqrt(self._xx) * math.sqrt(self._yy)
        if not scale > 0 or not math.isfinite(scale) or not math.isfinite(self._xy):
            return None
        return max(-1.0, min(1.0, self._xy / scale))
