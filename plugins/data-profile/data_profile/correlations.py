"""How strongly the numeric columns move together."""

from __future__ import annotations

__all__ = ["MAX_CORRELATED", "Correlations", "Numbers"]

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NamedTuple, TypedDict

from data_profile.moments import Centred, PairMoments

# 66 pairs; a pair costs some 25 ns a row, so this many keep the share of the
# correlations below that of reading the file.
MAX_CORRELATED = 12

# Of r = -1.0 … 1.0; more digits than a reader of a profile has use for.
DIGITS = 6


class Numbers(NamedTuple):
    """The numbers of one column in one batch: by row, and centred."""

    by_row: Sequence[float | None]
    centred: Centred


class Correlation(TypedDict):
    """Pearson's r of two columns over the rows where both have a number."""

    x: str
    y: str
    r: float
    rows: int


class Correlations:
    """Pairs of the first `MAX_CORRELATED` columns in which numbers were seen.

    Attributes:
        left_out: Whether there were more such columns than that.
    """

    def __init__(self) -> None:
        self.left_out = False
        self._names: dict[str, None] = {}
        self._pairs: dict[tuple[str, str], PairMoments] = {}

    def add(self, batch: Mapping[str, Numbers]) -> None:
        """Add the numeric columns of one batch; all have the same rows."""
        for name in batch:
            if name not in self._names:
                if len(self._names) == MAX_CORRELATED:
                    self.left_out = True
                else:
                    self._names[name] = None
        for x, y in combinations([name for name in self._names if name in batch], 2):
            both = _where_both(batch[x], batch[y])
            if both is not None:
                self._pairs.setdefault((x, y), PairMoments()).add(*both)

    def listed(self, numeric: set[str]) -> list[Correlation]:
        """Return the pairs of *numeric* columns, the strongest first."""
        found = [
            Correlation(x=x, y=y, r=round(r, DIGITS), rows=pair.count)
            for (x, y), pair in self._pairs.items()
            if x in numeric and y in numeric and (r := pair.correlation) is not None
        ]
        return sorted(found, key=lambda pair: (-abs(pair["r"]), pair["x"], pair["y"]))


def _where_both(x: Numbers, y: Numbers) -> tuple[Centred, Centred] | None:
    rows = len(x.by_row)
    if len(x.centred.deviations) == rows == len(y.centred.deviations):
        return x.centred, y.centred
    pairs = [
        (a, b) for a, b in zip(x.by_row, y.by_row, strict=True) if a is not None and b is not None
    ]
    if not pairs:
        return None
    return Centred.of([a for a, _ in pairs]), Centred.of([b for _, b in pairs])
