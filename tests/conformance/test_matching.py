"""The judge of the conformance tests is judged here."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import attrs
import pytest
from tests.conformance.matching import Bindings, fill_in, mismatch
from tests.conformance.player import TRANSCRIPTS, play, raw_bytes, read_transcript, spawn
from tests.conformance.test_transcripts import COMMANDS, FIXTURES, LACKS, cases

FEATURES = {"events", "hooks", "snapshot", "channel", "parallel", "content-with-data"}


@pytest.mark.parametrize(
    ("golden", "value"),
    [
        ({"a": 1}, {"a": 1}),
        ({"a": 5}, {"a": 5.0}),
        ({"a?": 1}, {}),
        ({"a?": 1}, {"a": 1}),
        ({"a": 1, "...": True}, {"a": 1, "b": 2}),
        ({"...": True}, {}),
        ([1, {"$any": "string"}], [1, "x"]),
        ({"$any": "number"}, 1.5),
        ({"$any": "boolean"}, False),
        ({"$any": "value"}, None),
        ({"$like": "b.d"}, "a bad c"),
        ({"$or": [1, {"$any": "string"}]}, "x"),
        ({"$contains": [2, {"$any": "string"}]}, ["x", 1, 2]),
    ],
)
def test_what_fits_fits(golden: Any, value: Any) -> None:
    assert mismatch(golden, value, {}) is None


@pytest.mark.parametrize(
    ("golden", "value", "why"),
    [
        ({"a": 1}, {"a": 2}, "$.a is 2, not 1"),
        ({"a": 1}, {}, "$.a is missing"),
        ({"a": 1}, {"a": 1, "b": 2}, "$ has ['b'] too"),
        ({"a?": 1}, {"a": 2}, "$.a is 2, not 1"),
        ({"a": {}}, {"a": []}, "$.a is [], not an object"),
        ({"a": 1}, {"a": True}, "$.a is True, not 1"),
        ({"a": True}, {"a": 1}, "$.a is 1, not True"),
        ({"a": None}, {"a": False}, "$.a is False, not None"),
        ([1], [1, 2], "$ is [1, 2], not [1]"),
        ([1, 2], [1, 3], "$[1] is 3, not 2"),
        ({"$any": "integer"}, 1.5, "$ is 1.5, not any integer"),
        ({"$any": "integer"}, True, "$ is True, not any integer"),
        ({"$like": "^b"}, "ab", "$ is 'ab', not like '^b'"),
        ({"$or": [1, 2]}, 3, "$ is 3, not 1 and $ is 3, not 2"),
        ({"$contains": [2]}, [1], "$ lacks 2"),
        ({"$contains": [2]}, {}, "$ is {}, not an array"),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(golden: Any, value: Any, why: str) -> None:
    assert mismatch(golden, value, {}) == why


def test_what_was_saved_is_said_again() -> None:
    bound: Bindings = {}

    assert mismatch({"id": {"$save": "call"}}, {"id": "p-1"}, bound) is None
    assert fill_in({"id": {"$saved": "call"}, "params": [{"$saved": "call"}]}, bound) == {
        "id": "p-1",
        "params": ["p-1"],
    }
    assert mismatch({"$saved": "call"}, "p-1", bound) is None
    assert mismatch({"$saved": "call"}, "p-2", bound) == "$ is 'p-2', not 'p-1'"


def test_raw_bytes_may_be_repeated() -> None:
    assert raw_bytes(["[", {"repeat": "ab", "times": 3}, "]"]) == b"[ababab]"


@pytest.mark.parametrize(
    ("golden", "found"),
    [
        ({"jsonrpc": "2.0", "id": 99, "result": {"pong": True}}, "$.result.pong is missing"),
        ({"jsonrpc": "2.0", "id": 98, "result": {}}, "$.id is 99, not 98"),
    ],
)
def test_a_plugin_that_says_something_else_fails(
    golden: dict[str, Any], found: str, tmp_path: Path
) -> None:
    transcript = read_transcript("before-initialize")
    lines = [transcript.lines[0], {"from": "plugin", "frame": golden}]

    with (
        spawn(
            COMMANDS["python"](tmp_path), folder=FIXTURES / "python", env={}, log=tmp_path / "log"
        ) as child,
        pytest.raises(AssertionError) as caught,
    ):
        play(attrs.evolve(transcript, lines=lines), child)

    assert found in str(caught.value)


@pytest.mark.parametrize(
    ("program", "found"),
    [
        ("raise SystemExit('no thanks')", "the plugin closed its wire"),
        ("import os; os.write(4, b'[]\\n')", "the plugin wrote [], which is no message"),
        ("import os; os.read(3, 99); os._exit(3)", "the plugin closed its wire"),
    ],
)
def test_a_plugin_that_does_not_answer_fails(program: str, found: str, tmp_path: Path) -> None:
    argv = [sys.executable, "-c", program]

    with (
        spawn(argv, folder=tmp_path, env={}, log=tmp_path / "log") as child,
        pytest.raises(AssertionError) as caught,
    ):
        play(read_transcript("before-initialize"), child)

    assert found in str(caught.value)


def test_another_exit_status_than_the_golden_one_fails(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", "import sys; sys.exit(3)"]

    with (
        spawn(argv, folder=tmp_path, env={}, log=tmp_path / "log") as child,
        pytest.raises(AssertionError, match="exit status 3"),
    ):
        play(read_transcript("end-of-file-before-greeting"), child)


def test_every_transcript_for_plugins_is_played_by_some_runtime() -> None:
    names = {path.stem for path in TRANSCRIPTS.glob("*.jsonl")}
    for_host = {name for name in names if read_transcript(name).head.get("for") == "host"}

    assert {name for name, _ in cases()} == names - for_host
    assert len(names) >= 24


def test_what_a_transcript_needs_is_something_a_runtime_may_lack() -> None:
    needed = {
        need for path in TRANSCRIPTS.glob("*.jsonl") for need in read_transcript(path.stem).needs
    }

    assert needed <= FEATURES
    assert {lack for lacks in LACKS.values() for lack in lacks} <= needed
