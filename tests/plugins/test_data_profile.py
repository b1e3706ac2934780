"""data-profile says of a file what is true of it, in bounded memory, or says why it cannot."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import json
import math
import os
import random
import select
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).parents[2]
PLUGIN = ROOT / "plugins" / "data-profile"
sys.path.insert(0, str(PLUGIN))

from data_profile import source  # noqa: E402 - the plugin's folder is on the path only now
from data_profile.column import Column, SketchSizes  # noqa: E402 - likewise
from data_profile.correlations import Correlations  # noqa: E402 - likewise
from data_profile.failure import ProfileFailure  # noqa: E402 - likewise
from data_profile.frequencies import DistinctEstimate, Frequencies  # noqa: E402 - likewise
from data_profile.preview import head_of_file, schema_of_file  # noqa: E402 - likewise
from data_profile.profile import Options, profile_file  # noqa: E402 - likewise
from data_profile.quantiles import SAMPLE_FROM, QuantileSketch  # noqa: E402 - likewise

# Only a hang takes as long.
PATIENCE_S = 60.0

finite = st.floats(-1e9, 1e9)


def write(folder: Path, content: str | bytes, name: str = "file.csv") -> str:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def columns(profile: dict[str, Any]) -> dict[str, Any]:
    return {column["name"]: column for column in profile["columns"]}


def warned(profile: dict[str, Any]) -> dict[str, list[int]]:
    return {warning["kind"]: warning["lines"] for warning in profile["warnings"]}


def column_of(values: list[str], batch: int = 1000) -> dict[str, Any]:
    column = Column("x", SketchSizes.for_columns(1))
    for start in range(0, len(values), batch):
        column.add_text(values[start : start + batch])
    return column.described(len(values), 5)


# --- statistics ---


@given(st.lists(finite, min_size=2, max_size=200), st.integers(1, 50))
def test_small_columns_have_the_statistics_module_s_numbers(
    numbers: list[float], batch: int
) -> None:
    found = column_of([repr(number) for number in numbers], batch)

    hundredths = statistics.quantiles(numbers, n=100, method="inclusive")
    scale = max(map(abs, numbers))
    assert (found["min"], found["max"]) == (min(numbers), max(numbers))
    # 1e-300: below that a double has no room for a relative error (subnormal numbers).
    assert found["mean"] == pytest.approx(
        statistics.fmean(numbers), rel=1e-9, abs=1e-9 * scale + 1e-300
    )
    assert found["stddev"] == pytest.approx(
        statistics.stdev(numbers), rel=1e-6, abs=1e-7 * scale + 1e-12
    )
    for name, cut in (("p05", 4), ("p25", 24), ("p50", 49), ("p75", 74), ("p95", 94)):
        assert found["quantiles"][name] == pytest.approx(hundredths[cut], rel=1e-9, abs=1e-9)
    assert found["quantiles_rank_error"] == 0
    assert found["distinct"] == len({repr(number) for number in numbers})


@given(
    st.lists(st.tuples(st.none() | finite, st.none() | finite), min_size=3, max_size=80),
    st.integers(1, 40),
)
def test_correlation_is_pearsons_over_the_rows_with_both_numbers(
    rows: list[tuple[float | None, float | None]], batch: int
) -> None:
    x, y = (Column(name, SketchSizes.for_columns(2)) for name in "xy")
    correlations = Correlations()
    for start in range(0, len(rows), batch):
        part = rows[start : start + batch]
        found = {
            column.name: numbers
            for index, column in enumerate((x, y))
            if (
                numbers := column.add_text(
                    ["" if row[index] is None else repr(row[index]) for row in part]
                )
            )
        }
        correlations.add(found)

    listed = correlations.listed({"x", "y"})

    both = [(a, b) for a, b in rows if a is not None and b is not None]
    spread = all(len(set(side)) > 1 for side in zip(*both, strict=True)) if both else False
    if spread and all(statistics.stdev(side) > 1e-3 for side in zip(*both, strict=True)):
        expected = statistics.correlation(*zip(*both, strict=True))
        assert listed[0]["r"] == pytest.approx(expected, abs=1e-4)
        assert listed[0]["rows"] == len(both)
    if not spread:
        assert listed == []


def test_numbers_far_from_zero_keep_their_spread() -> None:
    found = column_of([str(1e9 + n % 10) for n in range(10_000)], batch=999)

    assert found["stddev"] == pytest.approx(statistics.stdev([n % 10 for n in range(10_000)]))


def test_numbers_whose_squares_overflow_have_no_deviation_rather_than_infinity() -> None:
    found = column_of(["1e308", "-1e308", "1e308"])

    assert (found["min"], found["max"], found["stddev"]) == (-1e308, 1e308, None)
    json.dumps(found, allow_nan=False)


# --- sketches ---


@given(st.lists(finite, min_size=1, max_size=3000), st.integers(1, 200), st.integers(8, 64))
def test_no_quantile_is_further_off_than_the_sketch_s_limit(
    numbers: list[float], batch: int, capacity: int
) -> None:
    sketch = QuantileSketch(capacity)
    for start in range(0, len(numbers), batch):
        sketch.add(numbers[start : start + batch])

    ordered = sorted(numbers)
    shares = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
    # One kept value may stand for as many as its weight.
    slack = sketch.rank_error_limit * len(numbers) + 2 ** len(sketch._levels)
    for share, value in zip(shares, sketch.quantiles(shares), strict=True):
        below = sum(number < value for number in ordered)
        up_to = sum(number <= value for number in ordered)
        assert below - slack <= share * len(numbers) <= up_to + slack


@pytest.mark.parametrize("order", ["ascending", "descending", "shuffled", "zigzag"])
def test_quantiles_of_many_numbers_stay_within_the_stated_error(order: str) -> None:
    count = SAMPLE_FROM + 700_000  # so that sampling is tested too
    numbers = [float(n) for n in range(count)]
    if order == "descending":
        numbers.reverse()
    elif order == "shuffled":
        random.Random(7).shuffle(numbers)
    elif order == "zigzag":
        numbers = [n if i % 2 else count - 1 - n for i, n in enumerate(numbers)]
    sketch = QuantileSketch(1024)
    for start in range(0, count, 5000):
        sketch.add(numbers[start : start + 5000])

    shares = [n / 20 for n in range(1, 20)]
    assert 0 < sketch.rank_error < 0.005
    ranks = sorted(numbers)
    for share, value in zip(shares, sketch.quantiles(shares), strict=True):
        assert abs(ranks.index(value) / count - share) <= sketch.rank_error
    assert sum(map(len, sketch._levels)) < 1024 * 16


@given(
    st.lists(st.sampled_from("aaaaaaaabbbbccdefghijklmnopqrstuvw"), max_size=600),
    st.integers(1, 40),
    st.integers(2, 12),
)
def test_a_count_is_never_too_high_and_too_low_by_at_most_the_stated_error(
    values: list[str], batch: int, capacity: int
) -> None:
    frequencies = Frequencies(capacity, 16)
    for start in range(0, len(values), batch):
        part = values[start : start + batch]
        frequencies.add(part, set(part))
        frequencies.settle()

    truth = Counter(values)
    found = dict(frequencies.top(100))
    assert frequencies.count_error <= len(values) / (capacity // 2 + 1)
    for value, count in found.items():
        assert truth[value] - frequencies.count_error <= count <= truth[value]
    # A value more frequent than twice the error cannot be missing from the list.
    assert {v for v, n in truth.items() if n > 2 * frequencies.count_error} <= found.keys()
    if frequencies.exact:
        assert found == dict(truth)


@pytest.mark.parametrize(
    "name", ["consecutive", "decimals", "words", "hexadecimal", "repeated", "few"]
)
def test_distinct_values_are_estimated_within_four_standard_errors(name: str) -> None:
    chance = random.Random(3)
    values = {
        "consecutive": [str(1_000_000 + n) for n in range(60_000)],
        "decimals": [f"{chance.gauss(0, 1000):.6f}" for _ in range(60_000)],
        "words": [f"customer-{n}-{n * 7}" for n in range(60_000)],
        "hexadecimal": [f"{chance.getrandbits(128):032x}" for _ in range(60_000)],
        "repeated": [str(n % 20_000) for n in range(60_000)],
        "few": [str(n % 100) for n in range(60_000)],
    }[name]
    estimate = DistinctEstimate(2048)
    for start in range(0, len(values), 4096):
        estimate.add(values[start : start + 4096])

    truth = len(set(values))
    assert abs(estimate.estimate() - truth) <= 4 * estimate.standard_error * truth
    if name == "few":
        assert estimate.estimate() == 100


# --- kinds ---


@pytest.mark.parametrize(
    ("values", "kind", "extremes"),
    [
        (["1", "-2", "+3", "0"], "integer", (-2, 3)),
        (["1", "2.5", "1e3", ".5", "7."], "number", (0.5, 1000.0)),
        (["1.0", "2.0"], "number", (1.0, 2.0)),
        ([" 1", "2 "], "integer", (1, 2)),
        (["9007199254740993"], "integer", (9007199254740992.0, 9007199254740992.0)),
        (["true", "False", "YES", "no"], "boolean", None),
        (["2024-02-29", "2023-12-31"], "date", ("2023-12-31", "2024-02-29")),
        (["2024-01-31", "2024-01-30T10:00:00Z"], "datetime", None),
        (
            ["2024-01-31 10:00", "2024-01-31T09:30:00.5+02:00"],
            "datetime",
            ("2024-01-31T09:30:00.500000+02:00", "2024-01-31T10:00:00+00:00"),
        ),
        (["a", "b", ""], "string", ("a", "b")),
        (["007", "0150", "-01"], "string", ("-01", "0150")),
        (["1_000", "0x1f", "1,5", "١٢", "inf", "-"], "string", None),
        (["2023-02-29", "2024-13-01"], "string", None),
        (["2024-1-1", "20240101", "2024-W01-1"], "mixed", None),
        (["1e999", "1" * 400], "string", None),
        (["1", "x", "2"], "mixed", (1, 2)),
        (["", "NA", "null", "NaN", r"\N"], "empty", None),
    ],
)
def test_a_column_has_the_kind_of_its_values(
    values: list[str], kind: str, extremes: tuple[Any, Any] | None
) -> None:
    found = column_of(values)

    assert found["type"] == kind
    assert found["count"] + found["nulls"] == len(values)
    if extremes:
        assert (found["min"], found["max"]) == extremes
    # A batch of many repeats takes another way and must arrive at the same.
    repeated = column_of(values * 10)
    for key in ("type", "min", "max", "distinct", "length"):
        assert repeated.get(key) == found.get(key)
    assert repeated["types"] == {kind: 10 * count for kind, count in found["types"].items()}


@given(
    st.lists(
        st.sampled_from(
            ["1", "2.5", "-0", "007", "", "NA", "x", "true", "2024-01-01", " 3", "1e5"]
        ),
        max_size=60,
    ),
    st.integers(1, 60),
)
def test_the_kinds_do_not_depend_on_how_a_column_is_cut_into_batches(
    values: list[str], batch: int
) -> None:
    whole, cut = column_of(values), column_of(values, batch)

    for key in ("type", "types", "nulls", "min", "max", "top", "length", "distinct"):
        assert cut.get(key) == whole.get(key)


def test_a_long_value_is_counted_but_not_kept(tmp_path: Path) -> None:
    long = "x" * 100_000
    found = column_of([long, long, long + "y"])

    assert found["length"] == {"min": 100_000, "max": 100_001, "mean": pytest.approx(100_000.333)}
    assert [item["count"] for item in found["top"]] == [2, 1]
    assert len(json.dumps(found)) < 2000


# --- CSV ---


def read_back(text: str, delimiter: str) -> list[list[str]]:
    return [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row]


cells = st.text(st.sampled_from('ab1,;\t|"\n\r é€😀 '), max_size=6)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.lists(cells, min_size=2, max_size=3), min_size=1, max_size=12),
    st.integers(1, 40),
    st.sampled_from(["\r\n", "\n"]),
)
def test_blocks_of_any_size_yield_what_the_csv_module_reads(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    rows: list[list[str]],
    block: int,
    line_end: str,
) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator=line_end).writerows([["p", "q"], *rows])
    path = write(tmp_path, text.getvalue())
    monkeypatch.setattr(source, "BLOCK_BYTES", block)

    found = profile_file(path, Options(delimiter=",", header="yes", top=50))

    expected = [[*row, ""][:2] for row in read_back(text.getvalue(), ",")[1:]]
    assert found["rows"] == len(expected)
    for index, name in enumerate("pq"):
        values = Counter(row[index] for row in expected if row[index])
        top = {item["value"]: item["count"] for item in columns(found)[name]["top"]}
        assert top == dict(values)
    ragged = sum(len(row) != 2 for row in read_back(text.getvalue(), ",")[1:])
    assert sum(w["count"] for w in found["warnings"] if w["kind"] == "ragged-row") == ragged


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_though_the_others_occur_in_quotes(
    tmp_path: Path, delimiter: str
) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(
        [["id", "text", "n"], *([str(n), "a, b; c | d\te", str(n)] for n in range(20))]
    )

    found = profile_file(write(tmp_path, text.getvalue()))

    assert (found["delimiter"], len(found["columns"]), found["warnings"]) == (delimiter, 3, [])


@pytest.mark.parametrize(
    ("text", "header", "names"),
    [
        ("a,b\n1,2\n", True, ["a", "b"]),
        ("a,b\nx,y\n", True, ["a", "b"]),
        ("1,2\n3,4\n", False, ["column_1", "column_2"]),
        ("x,2024-01-01\ny,2024-01-02\n", False, ["column_1", "column_2"]),
        ("a,,a\n1,2,3\n", True, ["a", "column_2", "a_2"]),
        ("only\n", True, ["only"]),
        ("\ufeffa,b\n1,2\n", True, ["a", "b"]),
        ('\n\n"two\nlines",b\n1,2\n', True, ["two\nlines", "b"]),
    ],
)
def test_the_header_is_told_from_data(
    tmp_path: Path, text: str, header: bool, names: list[str]
) -> None:
    found = profile_file(write(tmp_path, text))

    assert (found["header"], list(columns(found))) == (header, names)


def test_the_caller_s_choice_of_header_stands(tmp_path: Path) -> None:
    path = write(tmp_path, "1,2\n3,4\n")

    assert list(columns(profile_file(path, Options(header="yes")))) == ["1", "2"]
    assert profile_file(write(tmp_path, "a,b\n"), Options(header="no"))["rows"] == 1


def test_ragged_rows_are_named_by_line_though_fields_span_lines(tmp_path: Path) -> None:
    text = 'a,b\n1,"x\ny"\n\n2\n3,4,5\r\n6,"7\r\n8"\n9\n'

    found = profile_file(write(tmp_path, text))

    assert warned(found) == {"ragged-row": [5, 6, 9]}
    assert (found["rows"], columns(found)["b"]["nulls"]) == (5, 2)


def test_bytes_that_are_not_utf8_are_named_by_line_and_readable_as_latin1(tmp_path: Path) -> None:
    path = write(tmp_path, b"name,n\nok,1\ncaf\xe9,2\n")

    found = profile_file(path)
    as_latin = profile_file(path, Options(encoding="latin-1"))

    assert warned(found) == {"encoding": [3]}
    assert columns(found)["name"]["max"] == "ok"
    assert {item["value"] for item in columns(found)["name"]["top"]} == {"caf\ufffd", "ok"}
    assert as_latin["warnings"] == []
    assert columns(as_latin)["name"]["min"] == "café"


def test_a_quote_that_is_never_closed_costs_one_field_and_not_the_file(tmp_path: Path) -> None:
    rows = "".join(f"{n},text {n}\n" for n in range(200_000))
    path = write(tmp_path, f'id,text\n1,"unclosed\n{rows}')

    found = profile_file(path, Options(delimiter=",", header="yes"))

    assert warned(found)["unclosed-quote"][0] == 2
    assert 100_000 < found["rows"] < 200_000
    assert columns(found)["id"]["max"] == 199_999


def test_columns_and_sample_narrow_the_profile(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b,c\n" + "".join(f"{n},x,{n}\n" for n in range(1000)))

    found = profile_file(path, Options(columns=("c", "b"), sample=10))

    assert list(columns(found)) == ["b", "c"]
    assert (found["rows"], found["complete"], columns(found)["c"]["max"]) == (10, False, 9)


def test_a_file_wider_than_the_limit_is_profiled_as_far_as_it_goes(tmp_path: Path) -> None:
    names = ",".join(f"c{n}" for n in range(300))
    path = write(tmp_path, names + "\n" + ",".join("1" * 300) + "\n")

    found = profile_file(path)

    assert len(found["columns"]) == 256
    assert set(warned(found)) == {"too-many-columns", "correlations-limited"}
    assert list(columns(profile_file(path, Options(columns=("c299",))))) == ["c299"]


# --- JSON lines ---


def test_nested_objects_become_dotted_columns_and_types_are_kept(tmp_path: Path) -> None:
    records = [
        {"id": 1, "who": {"name": "Ada", "age": 36.5}, "tags": ["a"], "ok": True},
        {"id": 2, "who": {"name": "2"}, "when": "2024-01-01", "empty": {}},
        {"id": None, "deep": {"a": {"b": {"c": {"d": {"e": 1}}}}}},
    ]
    path = write(tmp_path, "\n".join(map(json.dumps, records)) + "\n")

    found = profile_file(path)

    kinds = {name: (c["type"], c["count"]) for name, c in columns(found).items()}
    assert (found["format"], found["rows"]) == ("jsonl", 3)
    assert kinds == {
        "id": ("integer", 2),
        "who.name": ("string", 2),
        "who.age": ("number", 1),
        "tags": ("array", 1),
        "ok": ("boolean", 1),
        "when": ("date", 1),
        "empty": ("object", 1),
        "deep.a.b.c": ("object", 1),
    }
    assert columns(found)["deep.a.b.c"]["top"][0]["value"] == '{"d":{"e":1}}'


def test_dates_among_json_strings_are_found_whatever_stands_beside_them(tmp_path: Path) -> None:
    values = ["2024-01-02", None, "soon", "2024-01-01", "2024-01-01T10:00:00", 5, "-1"]
    path = write(tmp_path, "\n".join(json.dumps({"when": value}) for value in values))

    types = columns(profile_file(path))["when"]["types"]

    assert types == {"date": 2, "datetime": 1, "integer": 1, "string": 2}


def test_lines_that_are_no_object_are_named_and_left_out(tmp_path: Path) -> None:
    lines = ['{"n": 1}', "", "oops", "[1]", '{"n": NaN}', '{"n": 2} x', "[" * 100_000, '{"n": 3}']
    found = profile_file(write(tmp_path, "\n".join(lines)), Options(format="jsonl"))

    assert warned(found) == {"bad-line": [3, 5, 6, 7], "not-an-object": [4]}
    assert (found["rows"], columns(found)["n"]["max"]) == (2, 3)


def test_a_lone_surrogate_in_json_becomes_the_replacement_character(tmp_path: Path) -> None:
    path = write(tmp_path, '{"a\\ud800": "x\\udfff", "pair": "\\ud83d\\ude00"}\n')

    found = profile_file(path)

    assert list(columns(found)) == ["a\ufffd", "pair"]
    assert columns(found)["pair"]["top"][0]["value"] == "😀"
    json.dumps(found, ensure_ascii=False).encode()


def test_json_numbers_beyond_a_float_are_counted_without_a_value(tmp_path: Path) -> None:
    path = write(tmp_path, '{"n": 1' + "0" * 400 + '}\n{"n": 1e999}\n{"n": 5}\n')

    column = columns(profile_file(path))["n"]

    assert (column["type"], column["count"], column["min"], column["max"]) == (
        "number",
        3,
        5.0,
        5.0,
    )


def test_csv_and_json_lines_of_the_same_rows_have_the_same_profile(tmp_path: Path) -> None:
    chance = random.Random(5)
    rows = [
        {"n": chance.randrange(50), "x": round(chance.gauss(0, 1), 3), "s": chance.choice("abc")}
        for _ in range(5000)
    ]
    text = io.StringIO()
    writer = csv.DictWriter(text, ["n", "x", "s"])
    writer.writeheader()
    writer.writerows(rows)

    as_csv = profile_file(write(tmp_path, text.getvalue()))
    as_json = profile_file(write(tmp_path, "\n".join(map(json.dumps, rows)), "file.jsonl"))

    assert as_csv["columns"] == as_json["columns"]
    assert as_csv["correlations"] == as_json["correlations"]


# --- what cannot be profiled ---


def fails(path: str, options: Options = Options()) -> ProfileFailure:  # noqa: B008 - immutable
    with pytest.raises(ProfileFailure) as caught:
        profile_file(path, options)
    failure = caught.value
    assert failure.what in str(failure)
    assert failure.where in str(failure)
    assert failure.next_step.endswith(".")
    return failure


def test_a_path_that_is_no_file_says_what_it_is(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    assert "no such file" in fails(str(tmp_path / "missing")).what
    assert "--grant fs_read=" in fails(str(tmp_path / "missing")).next_step
    assert "a directory" in fails(str(tmp_path)).what
    assert "not a regular file" in fails(str(tmp_path / "pipe")).what
    assert "cannot be opened" in fails("a\0b").what
    assert "empty" in fails(write(tmp_path, "")).what


@pytest.mark.parametrize(
    ("content", "what", "next_step"),
    [
        (gzip.compress(b"a,b\n"), "gzip", "gzip -dc"),
        (b"PK\x03\x04rest", "ZIP", "CSV"),
        (b"PAR1....", "Parquet", "CSV"),
        ("a,b\n1,2\n".encode("utf-16"), "UTF-16", "iconv"),
        (b"a,b\n1,\x002\n", "NUL byte", "UTF-8"),
        (b"x" * (2 * 1024 * 1024), "does not end within", "one record per line"),
        (b"[\n1,\n2\n]\n", "one JSON array", "jq"),
        (b'{\n"a": 1\n}\n', "one JSON document", "jq"),
    ],
)
def test_a_file_of_another_kind_says_which_and_how_to_convert_it(
    tmp_path: Path, content: bytes, what: str, next_step: str
) -> None:
    failure = fails(write(tmp_path, content))

    assert what in failure.what
    assert next_step in failure.next_step


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_says_so(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b\n")
    Path(path).chmod(0)

    assert "may not be read" in fails(path).what


@pytest.mark.parametrize(
    ("options", "where"),
    [
        (Options(top=51), "top"),
        (Options(sample=-1), "sample"),
        (Options(delimiter="::"), "delimiter"),
        (Options(delimiter='"'), "delimiter"),
    ],
)
def test_an_option_out_of_range_is_named(tmp_path: Path, options: Options, where: str) -> None:
    assert where in fails(write(tmp_path, "a,b\n"), options).where


@pytest.mark.parametrize("text", ["a,b\n1,2\n", '{"a": 1, "b": 2}\n'])
def test_an_unknown_column_lists_the_known_ones(tmp_path: Path, text: str) -> None:
    failure = fails(write(tmp_path, text), Options(columns=("amount",)))

    assert "'amount'" in failure.what
    assert failure.next_step == "The columns are: a, b."


def test_a_file_without_records_has_no_columns(tmp_path: Path) -> None:
    found = profile_file(write(tmp_path, "\n\n"))

    assert (found["rows"], found["columns"]) == (0, [])


# --- head and schema ---


def test_head_shows_rows_as_they_are_read(tmp_path: Path) -> None:
    sample = head_of_file(str(PLUGIN / "samples" / "orders.csv"), 5)
    lines = head_of_file(write(tmp_path, '{"a": {"b": 1}}\n{"c": [2]}\n'), 5)

    assert len(sample["rows"]) == 5
    assert sample["rows"][4][-1] == "leave at\nthe door"
    assert (lines["columns"], lines["rows"]) == (["a.b", "c"], [[1, None], [None, "[2]"]])
    with pytest.raises(ProfileFailure, match="1 to 1000"):
        head_of_file("any", 0)


def test_head_of_wide_cells_stays_small(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b\n" + f"{'x' * 5000},1\n" * 40)

    shown = head_of_file(path, 40)["rows"]

    assert len(shown) == 40
    assert all(len(row[0]) == 201 for row in shown)


def test_schema_names_types_and_nulls() -> None:
    found = schema_of_file(str(PLUGIN / "samples" / "orders.csv"))

    kinds = {c["name"]: (c["type"], c["nullable"]) for c in found["columns"]}
    assert kinds["order_id"] == ("integer", False)
    assert kinds["amount"] == ("number", True)
    assert kinds["ordered_at"] == ("date", False)
    assert kinds["paid"] == ("boolean", False)


# --- long files ---

LONG_ROWS = 700_000

RUN = """
import json, sys
sys.path.insert(0, sys.argv[1])
from data_profile.profile import profile_file
found = profile_file(sys.argv[2])
peak = next(line for line in open("/proc/self/status", encoding="ascii") if "VmHWM" in line)
print(json.dumps([found, int(peak.split()[1])]))
"""


def profiled_apart(path: str, seed: str) -> tuple[dict[str, Any], int]:
    """Profile *path* in a process of its own; return the profile and its peak memory in KiB."""
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-c", RUN, str(PLUGIN), path],
        check=True,
        capture_output=True,
        env={"PYTHONHASHSEED": seed},
        timeout=PATIENCE_S,
    )
    found, peak_kib = json.loads(run.stdout)
    return found, peak_kib


@pytest.fixture(scope="module")
def long_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """50 MB: an identifier, a measure, a word of which one is frequent, and a text."""
    path = tmp_path_factory.mktemp("long") / "long.csv"
    chance = random.Random(11)
    notes = [f'"note {n}, with a comma and some more to read"' for n in range(1000)]
    with path.open("w", encoding="utf-8") as file:
        file.write("id,measure,word,note\n")
        for start in range(0, LONG_ROWS, 50_000):
            file.writelines(
                f"{n},{chance.gauss(50, 10):.4f},"
                f"{'often' if n % 10 == 0 else f'w{n * 7919 % 999_983}'},{notes[n % 1000]}\n"
                for n in range(start, start + 50_000)
            )
    return str(path)


def test_a_long_file_takes_little_memory_and_its_estimates_hold(long_file: str) -> None:
    found, peak_kib = profiled_apart(long_file, "0")

    by_name = columns(found)
    assert os.path.getsize(long_file) > 40_000_000  # noqa: PTH202 - the file is a string here
    assert (found["rows"], found["complete"], found["warnings"]) == (LONG_ROWS, True, [])
    assert peak_kib < 64 * 1024
    assert (by_name["id"]["min"], by_name["id"]["max"]) == (0, LONG_ROWS - 1)
    assert by_name["id"]["mean"] == (LONG_ROWS - 1) / 2
    error = by_name["id"]["quantiles_rank_error"]
    assert 0 < error < 0.005
    assert by_name["id"]["quantiles"]["p75"] == pytest.approx(
        LONG_ROWS * 3 / 4, abs=error * LONG_ROWS
    )
    assert by_name["measure"]["mean"] == pytest.approx(50, abs=0.1)
    assert by_name["measure"]["stddev"] == pytest.approx(10, abs=0.1)
    assert by_name["id"]["distinct_exact"] is False
    assert by_name["id"]["distinct"] == pytest.approx(LONG_ROWS, rel=0.1)
    top = by_name["word"]["top"][0]
    assert top["value"] == "often"
    assert LONG_ROWS / 10 - by_name["word"]["top_count_error"] <= top["count"] <= LONG_ROWS / 10
    assert (by_name["note"]["distinct"], by_name["note"]["distinct_exact"]) == (1000, True)


def test_the_same_file_has_the_same_profile_in_every_process(tmp_path: Path) -> None:
    text = "n,s\n" + "".join(f"{n * 7919 % 100_003},{n % 12_345}x\n" for n in range(120_000))
    path = write(tmp_path, text)

    first, _ = profiled_apart(path, "1")
    second, _ = profiled_apart(path, "2")

    assert columns(first)["n"]["distinct_exact"] is False
    assert columns(first)["n"]["quantiles_rank_error"] > 0
    assert first == second


def test_progress_grows_to_the_size_and_a_cancelled_profile_stops(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b\n" + "1,2\n" * 300_000)
    seen: list[tuple[int, int]] = []

    profile_file(path, on_progress=lambda done, total: seen.append((done, total)))
    with pytest.raises(ProfileFailure, match="cancelled"):
        profile_file(path, is_cancelled=lambda: True)

    size = os.path.getsize(path)  # noqa: PTH202 - the file is a string here
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})
    assert seen[-1] == (size, size)
    assert len(seen) > 3


# --- over the wire, with the real SDK ---


# Moves two descriptors to 3 and 4, whatever they were, and becomes the program that follows.
ON_3_AND_4 = """
import fcntl, os, sys
high = [fcntl.fcntl(int(descriptor), fcntl.F_DUPFD, 10) for descriptor in sys.argv[1:3]]
os.dup2(high[0], 3)
os.dup2(high[1], 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


class Child:
    """The plugin as the host starts it: the wire on descriptors 3 and 4."""

    def __init__(self) -> None:
        to_child, self._write = os.pipe()
        self._read, from_child = os.pipe()
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-I", "-S", "-c", ON_3_AND_4, str(to_child), str(from_child)),
                *(sys.executable, "-I", "-S", "-u"),
                *(str(ROOT / "runtimes/python/runner.py"), str(PLUGIN), "main.py"),
            ],
            cwd=PLUGIN,
            env={"PLUGHOST_WIRE": "3,4", "PLUGHOST_PLUGIN": "data-profile"},
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(to_child, from_child),
        )
        os.close(to_child)
        os.close(from_child)
        self._pending = b""
        self._id = 0

    def send(self, method: str, params: dict[str, Any]) -> int:
        self._id += 1
        self.write({"jsonrpc": "2.0", "id": self._id, "method": method, "params": params})
        return self._id

    def write(self, message: dict[str, Any]) -> None:
        os.write(self._write, json.dumps(message).encode() + b"\n")

    def read(self) -> dict[str, Any]:
        while b"\n" not in self._pending:
            readable, _, _ = select.select([self._read], [], [], PATIENCE_S)
            assert readable, "no answer"
            data = os.read(self._read, 65536)
            assert data, "the plugin ended"
            self._pending += data
        line, _, self._pending = self._pending.partition(b"\n")
        message: dict[str, Any] = json.loads(line)
        return message

    def ask(self, method: str, params: dict[str, Any]) -> Any:
        sent = self.send(method, params)
        while (message := self.read()).get("id") != sent:
            pass
        return message

    def call(self, tool: str, **arguments: Any) -> Any:
        return self.ask("tools/call", {"name": tool, "arguments": arguments})["result"]

    def end(self) -> int:
        with contextlib.suppress(OSError):
            os.close(self._write)
        status = self.process.wait(PATIENCE_S)
        os.close(self._read)
        return status


@pytest.fixture
def child() -> Iterator[Child]:
    child = Child()
    extended = {"experimental": {"plughost": {"version": "1.0.0", "features": []}}}
    with child.process:
        try:
            child.ask("initialize", {"protocolVersion": "2025-11-25", "capabilities": extended})
            child.ask("plughost/activate", {"settings": {}, "generation": 1})
            yield child
        finally:
            if child.process.returncode is None:
                child.end()


def test_the_tools_are_listed_with_their_arguments(child: Child) -> None:
    tools = {t["name"]: t for t in child.ask("tools/list", {})["result"]["tools"]}

    assert set(tools) == {"profile", "head", "schema"}
    assert tools["profile"]["_meta"]["plughost/longRunning"] is True
    schema = tools["profile"]["inputSchema"]
    assert schema["required"] == ["path"]
    assert schema["properties"]["format"]["enum"] == ["auto", "csv", "jsonl"]
    assert all(p["description"] for p in schema["properties"].values())


def test_a_call_returns_the_profile_and_a_failure_its_details(child: Child) -> None:
    found = child.call("profile", path="samples/orders.csv", top=1)
    head = child.call("head", path="samples/orders.csv", rows=2)
    kinds = child.call("schema", path="samples/orders.csv")
    failed = child.call("profile", path="samples")

    assert found["structuredContent"] == profile_file(
        str(PLUGIN / "samples/orders.csv"), Options(top=1)
    ) | {"path": "samples/orders.csv"}
    assert len(head["structuredContent"]["rows"]) == 2
    assert kinds["structuredContent"]["rows_read"] == 8
    error = failed["_meta"]["plughost/error"]
    assert failed["isError"] is True
    assert error["message"].startswith("samples: this is a directory. ")
    assert error["details"]["what"] == "this is a directory"
    assert child.end() == 0


def test_a_long_profile_reports_progress_answers_pings_and_can_be_cancelled(
    child: Child, long_file: str
) -> None:
    params = {"name": "profile", "arguments": {"path": long_file}, "_meta": {"progressToken": "p"}}
    call = child.send("tools/call", params)
    first = child.read()
    ping = child.send("ping", {})
    child.write(
        {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": call}}
    )

    answers: dict[int, dict[str, Any]] = {}
    while len(answers) < 2:
        message = child.read()
        if "id" in message:
            answers[message["id"]] = message

    assert first["method"] == "notifications/progress"
    assert first["params"]["total"] == os.path.getsize(long_file)  # noqa: PTH202 - a string here
    assert list(answers) == [ping, call]
    assert answers[call]["error"]["code"] == -32800
    assert math.isfinite(first["params"]["progress"])
