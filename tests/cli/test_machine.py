"""`plughost doctor`, `explain` and `sdk path`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot

from plughost.cli.machine import find_node
from plughost.resources import share_dir

ERRORS = json.loads((share_dir() / "contracts" / "errors.json").read_text(encoding="utf-8"))


def test_doctor_finds_this_machine_well(plughost: Any) -> None:
    status, out, err = plughost("doctor")

    assert (status, err) == (0, "")
    words = " ".join(out.split())
    assert f"python {sys.version_info.major}.{sys.version_info.minor}" in words
    assert "plugin data-profile ready (python)" in words
    assert "not active yet: isolation of files and network" in words
    assert out.rstrip().endswith("0 broken")


def test_doctor_says_what_is_missing_without_node_and_how_to_get_it(
    plughost: Any, path_without_node: str
) -> None:
    status, out, _ = plughost("doctor", environment={"PATH": path_without_node})

    assert status == 0
    words = " ".join(out.split())
    assert "!! node there is no `node` on PATH Install Node.js 20 or newer" in words
    assert "!! plugin text-tools unavailable: text-tools needs node" in words
    assert "2 missing, 0 broken" in words


def test_doctor_exits_69_for_a_plugin_that_could_run_and_does_not(
    plughost: Any, write_plugin: Any
) -> None:
    write_plugin("broken", main="import nothing_like_this\n")

    report = plughost.json("doctor", "--plugins", "plugins", status=69)

    assert report["ok"] is False
    [check] = [each for each in report["checks"] if each["status"] == "broken"]
    assert check["name"] == "plugin broken"
    assert "nothing_like_this" in check["fact"]


def test_an_old_node_is_as_good_as_none(tmp_path: Path) -> None:
    fake = tmp_path / "node"
    for said, problem in (
        ("v18.19.0", "is version 18.19.0"),
        ("v20.1.0", ""),
        ("what?", "does not say its version: 'what?'"),
    ):
        fake.write_text(f"#!/bin/sh\necho '{said}'\n", encoding="utf-8")
        fake.chmod(0o755)

        node = find_node({"PATH": str(tmp_path)})

        assert node.problem.endswith(problem)
        assert bool(node.problem) == bool(node.hint) == bool(problem)


def test_a_node_that_cannot_run_is_explained(tmp_path: Path) -> None:
    (tmp_path / "node").write_text("#!/no/such/interpreter\n", encoding="utf-8")
    (tmp_path / "node").chmod(0o755)

    assert "No such file or directory" in find_node({"PATH": str(tmp_path)}).problem
    assert "no `node` on PATH" in find_node({"PATH": os.devnull}).problem


def test_explain_says_whose_fault_it_is_and_what_to_do(plughost: Any) -> None:
    status, out, _ = plughost("explain", "call-timeout")

    assert status == 0
    assert out == snapshot(
        """\
call-timeout: The call's deadline passed before the plugin answered.
  who can fix it: the plugin's author
  the same call:  may work later
  exit status:    75
  HTTP status:    504
  hint: Give it more time with `--timeout`, or declare the tool long-running and report progress.
"""
    )


def test_explain_without_a_type_lists_them_all(plughost: Any) -> None:
    _, out, _ = plughost("explain")

    assert [line.split()[0] for line in out.partition("\n\n")[0].splitlines()] == list(
        ERRORS["errors"]
    )


def test_explain_has_json_for_one_and_for_all(plughost: Any) -> None:
    one, every = (
        json.loads(plughost.inside("explain", *what, "--json")[1]) for what in (["internal"], [])
    )

    assert one == {"type": "internal", **ERRORS["errors"]["internal"]}
    assert one in every
    assert len(every) == len(ERRORS["errors"])


@pytest.mark.parametrize("runtime", ["python", "node", "lua", "wasm", "exec"])
def test_sdk_path_prints_a_folder_that_exists(plughost: Any, runtime: str) -> None:
    _, out, _ = plughost.inside("sdk", "path", runtime)

    assert Path(out.rstrip("\n")).is_dir()
    _, as_json, _ = plughost.inside("sdk", "path", runtime, "--json")
    assert json.loads(as_json) == {"runtime": runtime, "path": out.rstrip("\n")}
