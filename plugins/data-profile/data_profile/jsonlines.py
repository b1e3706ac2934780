"""How blocks of JSON lines become batches of columns, nested objects flattened."""

from __future__ import annotations

__all__ = ["MAX_DEPTH", "columns_of", "records_of"]

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from data_profile.notes import Notes

# A dotted path of four names still reads as a column; what is deeper is kept as
# one JSON text.
MAX_DEPTH = 4

LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def records_of(text: str, first_line: int, notes: Notes) -> list[dict[str, Any]]:
    """Return the objects of *text*, one per line; other lines are noted and left out."""
    records: list[dict[str, Any]] = []
    for number, line in enumerate(text.split("\n"), first_line):
        if not line or line.isspace():
            continue
        try:
            value = _DECODER.decode(line)
        except (ValueError, RecursionError) as error:
            notes.add("bad-line", f"lines that are not JSON were left out ({error})", line=number)
            continue
        if isinstance(value, dict):
            # Only an escape of the form \ud8.. can bring a lone surrogate.
            records.append(_without_surrogates(value) if "\\u" in line else value)
        else:
            notes.add(
                "not-an-object", "lines that are JSON but no object were left out", line=number
            )
    return records


def columns_of(records: Sequence[dict[str, Any]]) -> dict[str, Sequence[Any]]:
    """Turn records into columns by dotted path; None stands for a missing key."""
    flat = [_flattened(record) for record in records]
    shapes = set(map(tuple, flat))
    if len(shapes) == 1:
        return dict(zip(shapes.pop(), zip(*map(dict.values, flat), strict=True), strict=True))
    names = dict.fromkeys(name for record in flat for name in record)
    return {name: [record.get(name) for record in flat] for name in names}


def _flattened(record: dict[str, Any]) -> dict[str, Any]:
    if dict not in map(type, record.values()):
        return record
    flat: dict[str, Any] = {}
    _flatten(record, "", MAX_DEPTH, flat)
    return flat


def _flatten(record: Mapping[str, Any], prefix: str, depth: int, flat: dict[str, Any]) -> None:
    for key, value in record.items():
        if isinstance(value, dict) and value and depth > 1:
            _flatten(value, f"{prefix}{key}.", depth - 1, flat)
        else:
            flat[prefix + key] = value


def _without_surrogates(record: dict[str, Any]) -> dict[str, Any]:
    """Replace lone surrogates, which no UTF-8 text can carry, by U+FFFD."""
    text = json.dumps(record, ensure_ascii=False)
    if not LONE_SURROGATE.search(text):
        return record
    clean: dict[str, Any] = json.loads(LONE_SURROGATE.sub("\ufffd", text))
    return clean


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
