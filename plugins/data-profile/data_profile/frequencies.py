"""Which values are frequent, and how many different ones there are."""

from __future__ import annotations

__all__ = ["DistinctEstimate", "Frequencies"]

import math
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

# Longer values are counted by their beginning and a digest, so that a column of
# documents costs no more to count than a column of names.
LONGEST_KEY = 200
KEPT_OF_LONG = 80

# Python's hashes are signed 64-bit integers.
HASHES = 2**64
LOWEST_HASH = -(2**63)
# crc32 has this many values; two of n different strings share one with
# probability n / 2**33 or so, which `estimate` corrects for.
CHECKSUMS = 2**32


class DistinctEstimate:
    """The number of different strings seen, from the *size* smallest of their hashes.

    The hash is a tuple hash of a CRC: deterministic across processes, unlike
    that of a string, and made of C calls only.  The standard error is
    1 / √(size - 2).

    Source: Bar-Yossef et al., "Counting distinct elements in a data stream",
    RANDOM 2002 (k minimum values).
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._smallest: set[int] = set()
        self._below = LOWEST_HASH + HASHES

    @property
    def standard_error(self) -> float:
        """The standard error as a share of the number."""
        return 1 / math.sqrt(self._size - 2)

    def add(self, values: Iterable[str]) -> None:
        """Take *values* into account; those seen before change nothing."""
        below = self._below
        hashes = map(hash, zip(map(zlib.crc32, map(str.encode, values)), strict=True))
        self._smallest.update([value for value in hashes if value < below])
        if len(self._smallest) > 2 * self._size:
            self._shrink()

    def estimate(self) -> int:
        """Return how many different values were seen."""
        if len(self._smallest) > self._size:
            self._shrink()
        if len(self._smallest) < self._size:
            return len(self._smallest)
        checksums = (self._size - 1) * HASHES / (self._below - LOWEST_HASH)
        if checksums >= CHECKSUMS:
            return CHECKSUMS
        return round(-CHECKSUMS * math.log1p(-checksums / CHECKSUMS))

    def _shrink(self) -> None:
        kept = sorted(self._smallest)[: self._size]
        self._below = kept[-1]
        self._smallest = set(kept)


class Frequencies:
    """Counts of the values of one column, exact until there are too many of them.

    Beyond *capacity* different values the rarest are dropped and what they had
    is subtracted from all: a count is then too low by at most `count_error`,
    which never exceeds n / (capacity / 2).

    Source: Misra and Gries 1982, in the batched form of Agarwal et al.,
    "Mergeable summaries", PODS 2012.

    Attributes:
        count_error: By how much a count may be too low; 0 while exact.
    """

    def __init__(self, capacity: int, distinct_size: int) -> None:
        self.count_error = 0
        self._counts: Counter[str] = Counter()
        self._capacity = capacity
        self._dropped = DistinctEstimate(distinct_size)
        self._any_dropped = False

    @property
    def exact(self) -> bool:
        """Whether no value was ever dropped."""
        return not self._any_dropped

    def add(self, values: Sequence[str], different: AbstractSet[str]) -> None:
        """Count *values*; *different* are the same values, each once."""
        if max(map(len, different), default=0) > LONGEST_KEY:
            values = [value if len(value) <= LONGEST_KEY else _short(value) for value in values]
        self._counts.update(values)

    def discard(self, values: Iterable[str]) -> None:
        """Forget *values*, as if they had never been added."""
        for value in values:
            del self._counts[value]

    def settle(self) -> None:
        """Drop the rarest values if there are too many."""
        if len(self._counts) <= self._capacity:
            return
        cut = self._cut()
        self.count_error += cut
        self._any_dropped = True
        # Those that stay are hashed as well: again and again changes nothing.
        self._dropped.add(self._counts)
        self._counts = Counter(
            {value: count - cut for value, count in self._counts.items() if count > cut}
        )

    def distinct(self) -> tuple[int, float]:
        """Return how many different values there were, and the standard error as a share."""
        if self.exact:
            return len(self._counts), 0.0
        self._dropped.add(self._counts)
        return self._dropped.estimate(), self._dropped.standard_error

    def top(self, limit: int) -> list[tuple[str, int]]:
        """Return the most frequent values with their counts, most frequent first.

        Once counts are approximate, values that could be as rare as the dropped
        ones are left out.
        """
        certain = [item for item in self._counts.items() if item[1] > self.count_error]
        return sorted(certain, key=lambda item: (-item[1], item[0]))[:limit]

    def _cut(self) -> int:
        """Return the smallest count that at most half of *capacity* values exceed."""
        keep = self._capacity // 2
        above = len(self._counts)
        cut = 0
        for cut, values in sorted(Counter(self._counts.values()).items()):  # noqa: B007 - read below
            above -= values
            if above <= keep:
                break
        return cut


def _short(value: str) -> str:
    digest = zlib.crc32(value.encode())
    return f"{value[:KEPT_OF_LONG]}… ({len(value)} characters, crc32 {digest:08x})"
