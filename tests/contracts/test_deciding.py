from __future__ import annotations

import copy
import math
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plughost.contracts.checking.deciding import compile_own
from plughost.contracts.manifest import manifest_schema
from plughost.resources import share_dir

ACCEPTS = compile_own(manifest_schema().document)
JUDGE = jsonschema.Draft202012Validator(manifest_schema().document)
FIRST_PARTY = sorted((share_dir() / "plugins").glob("*/plugin.toml"))
MANIFESTS = [
    tomllib.loads(path.read_text(encoding="utf-8"))
    for path in (Path(__file__).parent / "valid" / "full.toml", *FIRST_PARTY)
]
# Put in place of anything a manifest says.
OTHERS: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(["", "a", "node", "wasm", "exec", "1.0.0", "../x", "/x", "*.*", "ü\n"]),
    st.sampled_from(["x" * 5000, "internet", "LD_X", "a.wasm", "trusted", "sandbox"]),
    st.sampled_from([True, False, 0, 1, 95, 2**40, 0.5, 1.0, -1.0, math.nan, None]),
    st.sampled_from([[], ["a", "a"], ["a", 1], [{"hosts": ["h"]}]]),
    st.sampled_from([{}, {"a": 1}, {"hosts": ["h"]}]),
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return every container inside *value* with each of its keys."""
    found: list[tuple[Any, Any]] = []
    keys = list(value) if isinstance(value, dict) else range(len(value))
    for key in keys:
        found.append((value, key))
        if isinstance(value[key], (dict, list)):
            found += places(value[key])
    return found


@settings(max_examples=500)
@given(st.sampled_from(MANIFESTS), st.data())
def test_it_decides_on_manifests_as_jsonschema_does(manifest: Any, data: st.DataObject) -> None:
    mutant = copy.deepcopy(manifest)
    for _ in range(data.draw(st.integers(0, 2))):
        container, key = data.draw(st.sampled_from(places(mutant)))
        if isinstance(container, dict) and data.draw(st.booleans()):
            key = data.draw(st.sampled_from(["entry", "command", "python", "node", "odd"]))
        container[key] = copy.deepcopy(data.draw(OTHERS))

    if ACCEPTS(mutant):
        assert JUDGE.is_valid(mutant)


def test_valid_manifests_are_accepted_without_asking() -> None:
    assert FIRST_PARTY
    assert [each["name"] for each in MANIFESTS if not ACCEPTS(each)] == []


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "integer"}, 1.0),
        ({"uniqueItems": True}, [1, 2]),
        ({"uniqueItems": True, "items": {"type": "string"}}, ["a", "a"]),
        ({"not": {"type": "integer"}}, 1.5),
        ({"if": {"type": "integer"}, "else": False}, 1.0),
        ({"properties": {"a": False}}, {"a": 1}),
    ],
)
def test_what_it_cannot_decide_is_not_accepted(schema: dict[str, Any], value: Any) -> None:
    assert not compile_own(schema)(value)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"enum": [False, "on"]}, False),
        ({"uniqueItems": True}, "aa"),
        ({"minimum": 1}, math.nan),
        ({"pattern": "^a$"}, 5),
        ({"propertyNames": {"maxLength": 1}, "additionalProperties": True}, {"a": 1}),
        ({"if": {"const": "a"}, "then": False}, "b"),
    ],
)
def test_what_is_valid_is_accepted(schema: dict[str, Any], value: Any) -> None:
    assert compile_own(schema)(value)


def test_a_keyword_it_does_not_know_is_found_when_it_is_compiled() -> None:
    with pytest.raises(KeyError, match="oneOf"):
        compile_own({"properties": {"a": {"oneOf": [True]}}})


def test_reading_our_plugins_and_checking_a_call_loads_no_library_that_is_slow_to_load() -> None:
    program = """
import sys
from pathlib import Path
from plughost.contracts.manifest import load_manifest
from plughost.contracts.schema import Schema
from plughost.contracts.versions import versions_match

for path in sys.argv[1:]:
    load_manifest(Path(path))
tool = {
    "type": "object",
    "properties": {"text": {"type": "string"}, "hex": {"type": "string", "pattern": "^[0-9a-f]+$"}},
    "oneOf": [{"required": ["text"]}, {"required": ["hex"]}],
}
assert Schema(tool).accepts({"text": "a"})
assert versions_match("1.0.0", "1.2.0")
print(sorted({"jsonschema", "packaging", "referencing", "semantic_version"} & set(sys.modules)))
"""
    ours = [str(path) for path in FIRST_PARTY]
    done = subprocess.run(
        [sys.executable, "-c", program, *ours],
        stdout=subprocess.PIPE,
        check=True,
        timeout=60,
        encoding="utf-8",
    )

    assert done.stdout == "[]\n"
    assert ours
