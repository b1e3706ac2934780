"""Which format, delimiter and header a file has, judged from its beginning."""

from __future__ import annotations

__all__ = ["Dialect", "Format", "FormatChoice", "HeaderChoice", "detect", "parse_csv"]

import csv
import io
from collections import Counter
from collections.abc import Sequence
from typing import Literal, NamedTuple

from data_profile.failure import ProfileFailure
from data_profile.inference import sort_text

Format = Literal["csv", "jsonl"]
FormatChoice = Literal["auto", "csv", "jsonl"]
HeaderChoice = Literal["auto", "yes", "no"]

# In this order where the evidence is equal.
DELIMITERS = ",;\t|"

# Enough records to tell a delimiter from punctuation, few enough to parse four times.
SAMPLE_CHARACTERS = 64 * 1024
SAMPLE_RECORDS = 200


class Dialect(NamedTuple):
    """How to read a file.

    Attributes:
        format: CSV or JSON lines.
        delimiter: One character; unused for JSON lines.
        header: Whether the first record names the columns.
    """

    format: Format
    delimiter: str = ","
    header: bool = True


def detect(
    path: str,
    text: str,
    *,
    format: FormatChoice = "auto",  # noqa: A002 - the tool's own argument name
    delimiter: str = "",
    header: HeaderChoice = "auto",
) -> Dialect:
    """Judge the first block *text* of the file *path*; what the caller chose stands.

    Raises:
        ProfileFailure: It is one JSON document rather than JSON lines.
    """
    sample = text[:SAMPLE_CHARACTERS]
    if len(text) > len(sample):
        # The last record may be cut; a cut inside quotes is dropped with it.
        sample = sample[: sample.rfind("\n") + 1] or sample
    if format == "jsonl" or (format == "auto" and sample.lstrip().startswith(("{", "["))):
        _refuse_document(path, sample)
        return Dialect("jsonl")
    delimiter = delimiter or _delimiter(sample)
    named = header == "yes" or (header == "auto" and _has_header(parse_csv(sample, delimiter)))
    return Dialect("csv", delimiter, named)


def parse_csv(text: str, delimiter: str) -> list[list[str]]:
    """Return the first records of *text*, blank lines left out."""
    records: list[list[str]] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for record in reader:
            if record:
                records.append(record)
            if len(records) == SAMPLE_RECORDS:
                break
    except csv.Error:
        # An endless quoted field; what came before it is evidence enough.
        pass
    return records


def _delimiter(sample: str) -> str:
    """Return the delimiter that splits most records into equally many fields."""
    best, best_score = DELIMITERS[0], (0.0, 0)
    for candidate in DELIMITERS:
        widths = Counter(map(len, parse_csv(sample, candidate)))
        if not widths:
            continue
        width, records = widths.most_common(1)[0]
        # A width of one is what every wrong delimiter yields: no evidence.
        score = (records / widths.total(), width) if width > 1 else (0.0, 0)
        if score > best_score:
            best, best_score = candidate, score
    return best


def _has_header(records: Sequence[Sequence[str]]) -> bool:
    """Whether the first record looks like names: texts, none empty, none twice."""
    if not records:
        return False
    first = records[0]
    names = [name.strip() for name in first]
    if len(set(names)) < len(names) or "" in names:
        # A missing or repeated name still is a header where a column that is
        # not text below has a text above.
        return _texts_over_values(records)
    return sort_text(names, set(names)).kinds == {"string": len(names)}


def _texts_over_values(records: Sequence[Sequence[str]]) -> bool:
    first, rest = records[0], records[1:]
    if any(sort_text([name], {name}).kinds.keys() - {"string"} for name in first):
        return False
    columns = zip(*(row for row in rest if len(row) == len(first)), strict=True)
    return any(
        (kinds := sort_text(column, set(column)).kinds) and "string" not in kinds
        for column in columns
    )


def _refuse_document(path: str, sample: str) -> None:
    start = sample.lstrip()
    if start.startswith("[") and start.split("\n", 1)[0].rstrip() in ("[", "[{"):
        raise ProfileFailure(
            "the file is one JSON array, not one JSON object per line",
            where=path,
            next_step="Convert it first: jq -c '.[]' IN > OUT.jsonl.",
        )
    if start.split("\n", 1)[0].rstrip() == "{":
        raise ProfileFailure(
            "the file is one JSON document over several lines, not one JSON object per line",
            where=path,
            next_step="Convert it first: jq -c . IN > OUT.jsonl.",
        )
