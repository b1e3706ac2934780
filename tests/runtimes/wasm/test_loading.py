"""What is refused when a module is loaded (contracts/wire/wasm.md, 1.6 and 2)."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
RUNNER = ROOT / "runtimes" / "wasm" / "runner.py"

# A module with both exports whose `describe` does what a test puts in.
WITH_DESCRIBE = (
    '(module {extra} (func (export "describe") (result i32) {body} (i32.const 0))'
    ' (func (export "handle_tool_call") (result i32) (i32.const 0)))'
)

# A tool of `describe` with all it needs.
TOOL = {"name": "a", "description": "", "inputSchema": {"type": "object"}}


def refused(child: Any) -> str:
    """Return the one sentence of a child that refuses to start."""
    status, log = child.ended()
    assert status == 78, log
    assert log.count("\n") == 1, log
    return str(log)


def test_a_file_that_is_no_module_is_refused(spawn: Callable[..., Any]) -> None:
    log = refused(spawn(b"\0asm garbage", entry="main.wasm"))
    assert "main.wasm: it is not a WebAssembly module that can be run" in log


def test_an_extism_manifest_is_no_module_and_nothing_it_names_is_read(
    spawn: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "other.wat").write_text(
        WITH_DESCRIBE.format(extra="", body="unreachable"), encoding="utf-8"
    )
    manifest = json.dumps({"wasm": [{"path": str(tmp_path / "other.wat")}]})
    log = refused(spawn(manifest, entry="main.wasm"))
    assert "describe" not in log


def test_an_error_in_the_text_form_is_shown_with_its_place(spawn: Callable[..., Any]) -> None:
    log = refused(spawn("(module\n  (func i32.frob))"))
    assert log.startswith("main.wat: line 2, column 9: ")


def test_a_missing_file_is_named(spawn: Callable[..., Any], tmp_path: Path) -> None:
    child = spawn("(module)", entry="other.wat")
    child.ended()
    (tmp_path / "other.wat").unlink()
    log = refused(type(child)(tmp_path, "other.wat"))
    assert log == "other.wat cannot be read: No such file or directory\n"


@pytest.mark.parametrize("missing", ["describe", "handle_tool_call"])
def test_a_missing_export_is_named(spawn: Callable[..., Any], missing: str) -> None:
    (other,) = {"describe", "handle_tool_call"} - {missing}
    log = refused(spawn(f'(module (func (export "{other}") (result i32) (i32.const 0)))'))
    assert f"it exports no function `{missing}` without parameters" in log


def test_an_export_with_parameters_does_not_count(spawn: Callable[..., Any]) -> None:
    log = refused(
        spawn(
            '(module (func (export "describe") (param i32) (result i32) (i32.const 0))'
            '(func (export "handle_tool_call") (result i32) (i32.const 0)))'
        )
    )
    assert "it exports no function `describe` without parameters" in log


@pytest.mark.parametrize("module", ["env", "extism:host/user", "extism:host/env"])
def test_an_import_nobody_provides_is_named(spawn: Callable[..., Any], module: str) -> None:
    text = WITH_DESCRIBE.format(extra=f'(import "{module}" "frobnicate" (func))', body="")
    log = refused(spawn(text))
    assert f"it imports `frobnicate` from `{module}`, which nobody provides" in log


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("unreachable", "`describe` executed an `unreachable` instruction"),
        ("", "`describe` answered what is not JSON"),
    ],
)
def test_a_describe_without_an_answer_is_refused(
    spawn: Callable[..., Any], body: str, said: str
) -> None:
    assert said in refused(spawn(WITH_DESCRIBE.format(extra="", body=body)))


def test_a_describe_that_never_ends_is_refused_after_five_seconds(
    spawn: Callable[..., Any],
) -> None:
    log = refused(spawn(WITH_DESCRIBE.format(extra="", body="(loop (br 0))")))
    assert "`describe` did not end within 5 s" in log


def test_a_start_function_that_never_ends_is_refused_too(spawn: Callable[..., Any]) -> None:
    extra = "(func $spin (loop (br 0))) (start $spin)"
    log = refused(spawn(WITH_DESCRIBE.format(extra=extra, body="")))
    assert (
        log == "the module's start function runs on after it was interrupted, so the process ends\n"
    )


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ([], "`describe` must answer an object"),
        ({}, "whose `tools` is an array"),
        ({"tools": [{"name": "a"}]}, "$.tools[0] of `describe` (a) must have a `description`"),
        ({"tools": [{"name": "a", "description": ""}]}, "(a) must have an `inputSchema`"),
        ({"tools": [{**TOOL, "title": 1}]}, "(a) has a `title` that is no string"),
        ({"tools": [{**TOOL, "annotations": []}]}, "(a) has `annotations` that are no object"),
        (
            {"tools": [{"name": "a b", "description": "", "inputSchema": {"type": "object"}}]},
            "'a b' cannot name a tool",
        ),
        (
            {"tools": [{"name": "a", "description": "", "inputSchema": {"type": "array"}}]},
            "must be a JSON Schema of type object",
        ),
        ({"tools": [], "events": "x"}, "$.events of `describe` must be an array of names"),
        ({"tools": [], "hooks": ["x"]}, "lists hooks, but `on_hook` is not exported"),
    ],
)
def test_a_description_that_cannot_be_served_is_refused(
    spawn: Callable[..., Any], wat: Any, answer: object, said: str
) -> None:
    module = wat().answering("describe", answer).answering("handle_tool_call", {"data": 1})
    assert said in refused(spawn(module))


def test_two_tools_of_one_name_are_refused(
    spawn: Callable[..., Any], wat: Any, listed: Any
) -> None:
    module = wat().answering("describe", {"tools": [listed("a"), listed("a")]})
    assert "two tools are named 'a'" in refused(
        spawn(module.answering("handle_tool_call", {"data": 1}))
    )


def test_half_a_channel_is_refused(spawn: Callable[..., Any], wat: Any) -> None:
    module = wat().answering("describe", {"tools": []}).answering("handle_tool_call", {"data": 1})
    log = refused(spawn(module.answering("parse_incoming", {"data": {}})))
    assert "`parse_incoming` and `format_outgoing`" in log


def test_wrong_arguments_are_explained() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", RUNNER], capture_output=True, encoding="utf-8", check=False
    )
    assert (done.returncode, done.stderr.split(":")[0]) == (64, "usage")
