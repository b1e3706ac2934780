"""Which kinds of values a batch of one column holds, and what they are as values."""

from __future__ import annotations

__all__ = ["LARGEST_EXACT", "NULL_WORDS", "Kind", "Sorted", "one_kind", "sort_json", "sort_text"]

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime
from typing import Any, Literal, NamedTuple

Kind = Literal["integer", "number", "boolean", "date", "datetime", "string", "array", "object"]

# What pandas and R write or read as "not available", without the ones that are
# also ordinary words or numbers ("-", "0", "nil").
NULL_WORDS = frozenset(
    ["", "null", "NULL", "Null", "NA", "N/A", "n/a", "NaN", "nan", "None", "none", r"\N"]
)
# 0 and 1 are integers; t, f, y and n are too often codes of something else.
BOOLEAN_WORDS = frozenset(
    cased
    for word in ("true", "false", "yes", "no")
    for cased in (word, word.capitalize(), word.upper())
)

# A leading zero makes an identifier (a postal code, an article number), not a number.
INTEGER = re.compile(r"[+-]?(?:0|[1-9][0-9]*)")
NUMBER = re.compile(r"[+-]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
DATETIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?"
    r"(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)?"
)
# Every number, date and datetime begins with one of these; spaces may precede.
STARTS = frozenset("0123456789+-. \t")

# Up to here a float holds every integer (IEEE 754, 53 bits of mantissa).
LARGEST_EXACT = 2**53

# Where values repeat more often than this, looking each up once is the faster way.
FEW = 4

# The length of "2024-01-31".
DATE_LENGTH = 10


class Sorted(NamedTuple):
    """A batch of one column, by kind.

    Attributes:
        kinds: How many values of each kind; nulls are none of them.
        numbers: The numbers, in order.
        aligned: One number, or None, for every row of the batch; None without any numbers.
        moments: The different dates and datetimes; without an offset they count as UTC.
        texts: The strings, in order.
    """

    kinds: dict[Kind, int]
    numbers: Sequence[float] = ()
    aligned: Sequence[float | None] | None = None
    moments: Sequence[datetime] = ()
    texts: Sequence[str] = ()


def sort_text(values: Sequence[str], different: AbstractSet[str]) -> Sorted:
    """Sort a column of texts without a type, as CSV has them.

    Batches of one kind, which nearly all are, cost a few C calls per value, and
    less where values repeat.

    Args:
        values: The batch.
        different: The same values, each once.
    """
    nulls = NULL_WORDS & different
    present, left = values, different
    if nulls:
        present, left = [v for v in values if v not in NULL_WORDS], different - nulls
    if not present:
        return Sorted({})
    if len(left) * FEW > len(present):
        return (
            _all_numbers(values, present)
            or _all_dates(present, left)
            or _mixture(values, present, left)
        )
    return _all_dates(present, left) or _mixture(values, present, left)


def sort_json(values: Sequence[Any]) -> tuple[Sorted, Sequence[str]]:
    """Sort a column of JSON values and return them as text too, to be counted.

    None stands for null and for a missing key.
    """
    types = set(map(type, values))
    if types == {int} and max(map(abs, values)) <= LARGEST_EXACT:
        return Sorted({"integer": len(values)}, values, values), list(map(str, values))
    texts = [value for value in values if isinstance(value, str)]
    strings = _strings(texts)
    if types <= {str, type(None)}:
        return strings, texts
    kinds: Counter[Kind] = Counter(strings.kinds)
    aligned: list[float | None] = []
    others: list[str] = []
    for value in values:
        number: float | None = None
        if value is not None and not isinstance(value, str):
            kind, text, number = _json_value(value)
            kinds[kind] += 1
            others.append(text)
        aligned.append(number)
    numbers = [number for number in aligned if number is not None]
    batch = Sorted(
        dict(kinds), numbers, aligned if numbers else None, strings.moments, strings.texts
    )
    return batch, texts + others


def one_kind(kinds: Iterable[Kind]) -> str:
    """Return the one name for a column that holds *kinds*."""
    found = set(kinds)
    if not found:
        return "empty"
    if len(found) == 1:
        return found.pop()
    if found == {"integer", "number"}:
        return "number"
    if found == {"date", "datetime"}:
        return "datetime"
    return "mixed"


def _json_value(value: Any) -> tuple[Kind, str, float | None]:
    if isinstance(value, bool):
        return "boolean", "true" if value else "false", None
    if isinstance(value, int | float):
        kind: Kind = "integer" if isinstance(value, int) else "number"
        return kind, str(value), _finite(value)
    kind = "array" if isinstance(value, list) else "object"
    return kind, json.dumps(value, ensure_ascii=False, separators=(",", ":")), None


def _finite(value: float) -> float | None:
    """Return *value* as a float, or None if it has none."""
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _all_numbers(values: Sequence[str], present: Sequence[str]) -> Sorted | None:
    """Return the batch if every value that is not null is a finite number."""
    joined = "".join(present).encode()
    marks = joined.translate(None, b"0123456789")
    if marks.translate(None, b"+-.eE") or _any_leading_zero(present):
        return None
    try:
        numbers = list(map(float, present))
    except ValueError:
        return None
    # The sum is the cheap test; only where it overflows are both ends looked at.
    if not math.isfinite(sum(numbers)) and not all(map(math.isfinite, numbers)):
        return None
    whole = len(present) if not marks.translate(None, b"+-") else _count_integers(present)
    kinds: dict[Kind, int] = {"integer": whole, "number": len(present) - whole}
    aligned: Sequence[float | None] = numbers
    if len(present) < len(values):
        rest = iter(numbers)
        aligned = [None if value in NULL_WORDS else next(rest) for value in values]
    return Sorted({k: n for k, n in kinds.items() if n}, numbers, aligned)


def _count_integers(values: Sequence[str]) -> int:
    return sum(1 for value in values if "." not in value and "e" not in value and "E" not in value)


def _any_leading_zero(values: Sequence[str]) -> bool:
    """Whether one of *values*, which hold digits and ``+-.eE`` only, is like 007 or -01."""
    if min(values) >= "1":  # a zero, a sign and a point all sort before it
        return False
    lines = "\t" + "\n\t".join(values) + "\n"
    for sign in ("\t0", "\t-0", "\t+0"):
        zeros = lines.count(sign)
        if zeros and zeros > sum(lines.count(sign + after) for after in ("\n", ".", "e", "E")):
            return True
    return False


def _all_dates(present: Sequence[str], different: AbstractSet[str]) -> Sorted | None:
    """Return the batch if every value is a date, or each is a datetime."""
    if present[0][4:5] != "-" or present[-1][4:5] != "-":
        return None
    lengths = set(map(len, different))
    kind: Kind = "date" if lengths == {DATE_LENGTH} else "datetime"
    pattern = DATE if kind == "date" else DATETIME
    if not all(map(pattern.fullmatch, different)):
        return None
    try:
        moments = [_moment(value) for value in different]
    except ValueError:
        return None
    return Sorted({kind: len(present)}, moments=moments)


def _moment(value: str) -> datetime:
    moment = datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _strings(texts: Sequence[str]) -> Sorted:
    """Sort strings that are no numbers whatever they look like: JSON has a type for those."""
    kind_of: dict[str, Kind] = {
        value: kind
        for value in set(texts)
        if value[4:5] == "-" and (kind := _kind(value)) in ("date", "datetime")
    }
    if not kind_of:
        return _strings_only(texts) if texts else Sorted({})
    kinds: Counter[Kind] = Counter([kind_of.get(value, "string") for value in texts])
    moments = [_moment(value.strip()) for value in kind_of]
    rest = [value for value in texts if value not in kind_of]
    return Sorted(dict(kinds), moments=moments, texts=rest)


def _strings_only(values: Sequence[str]) -> Sorted:
    return Sorted({"string": len(values)}, texts=values)


def _mixture(values: Sequence[str], present: Sequence[str], different: AbstractSet[str]) -> Sorted:
    """Sort a batch by looking at each different value once."""
    suspects = [v for v in different if v[0] in STARTS] + list(BOOLEAN_WORDS & different)
    kind_of = {value: kind for value in suspects if (kind := _kind(value)) != "string"}
    if not kind_of:
        return _strings_only(present)
    kinds: Counter[Kind] = Counter([kind_of.get(value, "string") for value in present])
    texts = [value for value in present if value not in kind_of] if kinds["string"] else []
    number_of = {v: float(v) for v, kind in kind_of.items() if kind in ("integer", "number")}
    moments = [_moment(v.strip()) for v, kind in kind_of.items() if kind in ("date", "datetime")]
    aligned: Sequence[float | None] | None = None
    numbers: Sequence[float] = ()
    if number_of:
        aligned = list(map(number_of.get, values))
        numbers = [number for number in aligned if number is not None]
    return Sorted({k: n for k, n in kinds.items() if n}, numbers, aligned, moments, texts)


def _kind(value: str) -> Kind:
    value = value.strip()
    if value in BOOLEAN_WORDS:
        return "boolean"
    if NUMBER.fullmatch(value) and math.isfinite(float(value)):
        return "integer" if INTEGER.fullmatch(value) else "number"
    for kind, pattern, read in (
        ("date", DATE, date.fromisoformat),
        ("datetime", DATETIME, datetime.fromisoformat),
    ):
        if pattern.fullmatch(value) and _readable(read, value):
            return "date" if kind == "date" else "datetime"
    return "string"


def _readable(read: Any, value: str) -> bool:
    try:
        read(value)
    except ValueError:
        return False
    return True
