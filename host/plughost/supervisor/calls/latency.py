"""How long calls took: a histogram of fixed size.  Pure."""

from __future__ import annotations

import math
from typing import Final

import attrs

__all__ = ["Latency"]

# Eight buckets an octave bound a percentile's error to 9 %; 31 octaves reach
# from one microsecond to half an hour, past the longest call (600 s).
_PER_OCTAVE: Final = 8
_OCTAVES: Final = 31


@attrs.define
class Latency:
    """Counts durations in logarithmic buckets."""

    count: int = attrs.field(default=0, init=False)
    _buckets: list[int] = attrs.field(
        factory=lambda: [0] * (_PER_OCTAVE * _OCTAVES), init=False, repr=False
    )

    def record(self, duration_s: float) -> None:
        """Count one duration, in seconds."""
        mantissa, exponent = math.frexp(max(duration_s * 1e6, 1.0))
        # frexp: mantissa in [0.5, 1), and 1 µs has exponent 1.
        index = (exponent - 1) * _PER_OCTAVE + int((mantissa - 0.5) * 2 * _PER_OCTAVE)
        self._buckets[min(index, len(self._buckets) - 1)] += 1
        self.count += 1

    def percentile_ms(self, share: float) -> float | None:
        """Return the duration that *share* (0 to 1) of all stayed under, in ms; None if none."""
        if not self.count:
            return None
        wanted = share * self.count
        seen = 0
        for index, count in enumerate(self._buckets):
            seen += count
            if seen >= wanted and count:
                return _upper_us(index) / 1000
        return _upper_us(len(self._buckets) - 1) / 1000


def _upper_us(index: int) -> float:
    octave, step = divmod(index, _PER_OCTAVE)
    return math.ldexp(1 + (step + 1) / _PER_OCTAVE, octave)
