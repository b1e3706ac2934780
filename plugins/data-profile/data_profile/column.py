"""What is known about one column after any number of batches."""

from __future__ import annotations

__all__ = ["Column", "SketchSizes"]

import math
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from data_profile.correlations import Numbers
from data_profile.frequencies import Frequencies
from data_profile.inference import (
    LARGEST_EXACT,
    NULL_WORDS,
    Kind,
    Sorted,
    one_kind,
    sort_json,
    sort_text,
)
from data_profile.moments import Centred, Moments
from data_profile.quantiles import QuantileSketch

T = TypeVar("T", int, float, str, datetime)

QUANTILES = {"p05": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95}

# As many significant digits as a sum over 2**30 doubles can be trusted to have.
DIGITS = 12

# Longer texts are cut in the answer; the whole value is in the file.
SHOWN_CHARACTERS = 80


class SketchSizes(NamedTuple):
    """How much one column may remember; all columns together stay within a fixed budget."""

    values: int
    hashes: int
    numbers: int

    @classmethod
    def for_columns(cls, columns: int) -> SketchSizes:
        """Share the budget between *columns*.

        With the totals here the sketches of any number of columns, up to the
        most that are profiled, take less than 40 MB (a counted value about
        160 bytes, a hash 80, a number 32 in each of some 16 levels).
        """
        return cls(
            values=_share(131_072, columns, least=512, most=8192),
            hashes=_share(65_536, columns, least=256, most=2048),
            numbers=_share(32_768, columns, least=128, most=1024),
        )


class Column:
    """The running summary of one column.

    Attributes:
        name: The column's name.
        kinds: How many values of each kind were seen; nulls are none of them.
    """

    def __init__(self, name: str, sizes: SketchSizes) -> None:
        self.name = name
        self.kinds: Counter[Kind] = Counter()
        self._frequencies = Frequencies(sizes.values, sizes.hashes)
        self._quantiles = QuantileSketch(sizes.numbers)
        self._moments = Moments()
        self._number_range: tuple[float, float] | None = None
        self._moment_range: tuple[datetime, datetime] | None = None
        self._text_range: tuple[str, str] | None = None
        self._length_range: tuple[int, int] | None = None
        self._length_sum = 0

    def add_text(self, values: Sequence[str]) -> Numbers | None:
        """Add a batch of untyped texts.

        Returns:
            The batch's numbers, to be correlated with those of other columns; None without any.
        """
        different = set(values)
        self._frequencies.add(values, different)
        self._frequencies.discard(NULL_WORDS & different)
        return self._add(sort_text(values, different))

    def add_json(self, values: Sequence[Any]) -> Numbers | None:
        """Add a batch of JSON values, None for what is missing; returns as `add_text` does."""
        batch, counted = sort_json(values)
        self._frequencies.add(counted, set(counted))
        return self._add(batch)

    def _add(self, batch: Sorted) -> Numbers | None:
        self._frequencies.settle()
        self.kinds.update(batch.kinds)
        if batch.texts:
            self._add_texts(batch.texts)
        if batch.moments:
            self._moment_range = _widened(self._moment_range, batch.moments)
        if not batch.numbers or batch.aligned is None:
            return None
        self._number_range = _widened(self._number_range, batch.numbers)
        self._quantiles.add(batch.numbers)
        centred = Centred.of(batch.numbers)
        self._moments.add(centred)
        return Numbers(batch.aligned, centred)

    def _add_texts(self, texts: Sequence[str]) -> None:
        lengths = list(map(len, texts))
        self._length_range = _widened(self._length_range, lengths)
        self._length_sum += sum(lengths)
        self._text_range = _widened(self._text_range, texts)

    @property
    def numeric(self) -> bool:
        """Whether the column held numbers and nothing else."""
        return bool(self.kinds) and self.kinds.keys() <= {"integer", "number"}

    def described(self, rows: int, top: int) -> dict[str, Any]:
        """Return the summary as plain JSON values.

        Args:
            rows: How many rows the file had; what is not a value is null.
            top: How many frequent values to list.
        """
        present = self.kinds.total()
        distinct, error = self._frequencies.distinct()
        kind = one_kind(self.kinds)
        described: dict[str, Any] = {
            "name": self.name,
            "type": kind,
            "types": dict(sorted(self.kinds.items())),
            "count": present,
            "nulls": rows - present,
            "distinct": min(distinct, present),
            "distinct_exact": self._frequencies.exact,
        }
        if error:
            described["distinct_standard_error"] = _rounded(error)
        described |= self._described_range(kind)
        if self._moments.count:
            described |= self._described_numbers()
        if self._length_range:
            shortest, longest = self._length_range
            mean = self._length_sum / self.kinds["string"]
            described["length"] = {"min": shortest, "max": longest, "mean": _rounded(mean)}
        return described | self._described_top(top)

    def _described_range(self, kind: str) -> dict[str, Any]:
        """Return the least and the greatest value in the order of the column's own kind."""
        if self._number_range:
            return {
                "min": _whole_if(kind == "integer", self._number_range[0]),
                "max": _whole_if(kind == "integer", self._number_range[1]),
            }
        if kind in ("date", "datetime") and self._moment_range:
            ends = self._moment_range
            if kind == "date":
                return {"min": ends[0].date().isoformat(), "max": ends[1].date().isoformat()}
            return {"min": ends[0].isoformat(), "max": ends[1].isoformat()}
        if kind == "string" and self._text_range:
            return {"min": _cut(self._text_range[0]), "max": _cut(self._text_range[1])}
        return {}

    def _described_numbers(self) -> dict[str, Any]:
        values = self._quantiles.quantiles(tuple(QUANTILES.values()))
        return {
            "mean": _rounded(self._moments.mean),
            "stddev": _rounded(self._moments.stddev),
            "quantiles": dict(zip(QUANTILES, map(_rounded, values), strict=True)),
            "quantiles_rank_error": _rounded(self._quantiles.rank_error),
        }

    def _described_top(self, limit: int) -> dict[str, Any]:
        found = self._frequencies.top(limit)
        top: dict[str, Any] = {
            "top": [{"value": _cut(value), "count": count} for value, count in found]
        }
        if not self._frequencies.exact:
            top["top_count_error"] = self._frequencies.count_error
        return top


def _widened(known: tuple[T, T] | None, values: Sequence[T]) -> tuple[T, T]:
    low, high = min(values), max(values)
    if known is None:
        return low, high
    return min(known[0], low), max(known[1], high)


def _share(total: int, columns: int, *, least: int, most: int) -> int:
    return max(least, min(most, total // max(columns, 1)))


def _rounded(value: float | None) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    return float(f"{value:.{DIGITS}g}")


def _whole_if(whole: bool, value: float) -> float:
    # Beyond 2**53 a float is no longer the integer that was read: say so by
    # staying a float.
    return int(value) if whole and abs(value) <= LARGEST_EXACT else value


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"
