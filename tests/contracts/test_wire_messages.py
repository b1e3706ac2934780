"""Every frame of every transcript is a message the schema describes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import referencing

from plughost.resources import share_dir

WIRE = share_dir() / "contracts" / "wire"
TRANSCRIPTS = sorted((WIRE / "transcripts").glob("*.jsonl"))
SCHEMA = json.loads((WIRE / "messages.schema.json").read_bytes())
PROSE = (WIRE / "README.md").read_text(encoding="utf-8")
SECTIONS = set(re.findall(r"^(?:## )?(\d+(?:\.\d+)?)[. ]", PROSE, re.MULTILINE))
METHOD = re.compile(
    r"`((?:plughost|server|tools|logging|notifications)/[A-Za-z_./]+|initialize|ping)\b"
)

# A value that fits where a matcher stands, so that the rest of the frame can be checked.
EXAMPLES = {
    "string": "text",
    "integer": 1,
    "number": 1.5,
    "boolean": True,
    "object": {},
    "array": [],
    "value": None,
}
LIKE = {r"^\d+\.\d+\.\d+": "1.0.0", r"^1\.": "1.0.0", r"^5(\.0)?$": "5"}


@cache
def validator(pointer: str) -> Any:
    resource = referencing.Resource.from_contents(SCHEMA)
    registry = referencing.Registry().with_resource(SCHEMA["$id"], resource)
    return jsonschema.Draft202012Validator({"$ref": f"{SCHEMA['$id']}{pointer}"}, registry=registry)


def check(pointer: str, value: Any, where: str) -> None:
    problems = [
        f"{error.json_path}: {error.message}" for error in validator(pointer).iter_errors(value)
    ]
    assert not problems, f"{where}: {pointer}: {problems}: {value}"


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


MATCHERS: dict[str, Callable[[Any], Any]] = {
    "$any": EXAMPLES.__getitem__,
    "$like": lambda pattern: LIKE.get(pattern, "plugin-start-failed"),
    "$or": lambda ways: example_of(ways[0]),
    "$contains": lambda needed: [example_of(each) for each in needed],
    "$save": "id-{}".format,
    "$saved": "id-{}".format,
}


def example_of(golden: Any) -> Any:
    """Return a value that fits *golden*; what may be absent or extra is left out."""
    if isinstance(golden, list):
        return [example_of(each) for each in golden]
    if not isinstance(golden, dict):
        return golden
    for name, example in MATCHERS.items():
        if name in golden:
            return example(golden[name])
    return {key.removesuffix("?"): example_of(each) for key, each in golden.items() if key != "..."}


def frames_of(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for line in lines_of(path)[1:]:
        for golden in line.get("unordered", [line["frame"]] if "frame" in line else []):
            yield line["from"], golden


def open_ended(golden: Any) -> bool:
    """Whether *golden* leaves parts of its result to the plugin."""
    return isinstance(golden, dict) and ("..." in golden or "$any" in golden)


def check_message(path: Path, sender: str, golden: dict[str, Any], asked: dict[Any, str]) -> None:
    other = "plugin" if sender == "host" else "host"
    frame = example_of(golden)
    where = f"{path.name}: {sender}"
    method = frame.get("method")
    if not open_ended(golden.get("error")):
        check("", frame, where)
    if method is not None:
        if "id" in frame:
            asked[sender, frame["id"]] = method
        if method in SCHEMA["$defs"][sender]:
            pointer = f"#/$defs/{sender}/{method.replace('/', '~1')}/params"
            check(pointer, frame.get("params", {}), where)
        else:
            assert "no" in method, f"{where}: {method} is in no contract"
    elif "result" in frame and not open_ended(golden["result"]) and (other, frame["id"]) in asked:
        method = asked[other, frame["id"]]
        pointer = f"#/$defs/{other}/{method.replace('/', '~1')}/result"
        check(pointer, frame["result"], where)


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_every_frame_is_a_message_of_the_schema(path: Path) -> None:
    asked: dict[Any, str] = {}
    if "after" in lines_of(path)[0]:
        for sender, golden in frames_of(path.parent / f"{lines_of(path)[0]['after']}.jsonl"):
            check_message(path, sender, golden, asked)
    for sender, golden in frames_of(path):
        check_message(path, sender, golden, asked)


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_every_transcript_says_what_it_is_about(path: Path) -> None:
    head = lines_of(path)[0]

    assert head.keys() <= {"title", "about", "plugin", "for", "after", "needs", "strict"}
    assert head["title"]
    assert head["plugin"] == "conformance"
    assert head.get("for", "plugin") in {"plugin", "host"}
    named = re.findall(r"§(\d+(?:\.\d+)?)", head["about"])
    assert named
    assert set(named) <= SECTIONS


def test_every_method_of_the_contract_is_in_the_schema_and_in_a_transcript() -> None:
    methods = {*SCHEMA["$defs"]["host"], *SCHEMA["$defs"]["plugin"]}
    played = {
        frame["method"] for path in TRANSCRIPTS for _, frame in frames_of(path) if "method" in frame
    }

    assert set(METHOD.findall(PROSE)) == methods
    # What no SDK method of the conformance plugin leads to; tests of the SDKs cover them.
    unplayed = {
        "plughost/http",
        "plughost/secret.exists",
        "plughost/llm",
        "plughost/extend_start",
        "plughost/state.delete",
        "plughost/state.list",
    }
    assert methods - played == unplayed


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("", {"jsonrpc": "2.0", "id": 1}),
        ("", {"jsonrpc": "2.0", "id": 1, "result": {}, "error": {"code": 1, "message": ""}}),
        ("", {"jsonrpc": "2.0", "id": 1.5, "method": "ping"}),
        ("", {"jsonrpc": "2.0", "id": None, "result": {}}),
        ("", {"jsonrpc": "2.0", "id": 1, "result": []}),
        ("", {"jsonrpc": "1.0", "id": 1, "method": "ping"}),
        ("", {"jsonrpc": "2.0", "id": 1, "error": {"code": -32001, "message": "no data"}}),
        ("", {"jsonrpc": "2.0", "id": 1, "error": {"code": -32022, "message": "", "data": {}}}),
        ("#/$defs/call_result", {"structuredContent": {}}),
        ("#/$defs/call_result", {"content": [], "structuredContent": 5}),
        ("#/$defs/call_result", {"content": [{"type": "text"}]}),
        ("#/$defs/call_result", {"content": [{"type": "image", "data": ""}]}),
        (
            "#/$defs/call_result",
            {"content": [], "structuredContent": {"a": 1}, "_meta": {"plughost/wrapped": True}},
        ),
        ("#/$defs/call_result", {"content": [], "_meta": {"plughost/wrapped": True}}),
        ("#/$defs/tool", {"name": "a b", "description": "", "inputSchema": {"type": "object"}}),
        ("#/$defs/tool", {"name": "a", "description": "", "inputSchema": {"type": "array"}}),
        ("#/$defs/host/tools~1call/params", {"arguments": {}}),
        ("#/$defs/host/plughost~1hook/result", {"decision": "maybe"}),
        (
            "#/$defs/plugin/plughost~1http/params",
            {"method": "GET", "url": "x", "body": "", "body_base64": ""},
        ),
        ("#/$defs/plugin/notifications~1message/params", {"level": "loud", "data": ""}),
    ],
)
def test_what_is_no_message_is_refused(pointer: str, value: Any) -> None:
    assert not validator(pointer).is_valid(value)
