"""`plughost demo`: it keeps its promises, and notices when one is broken."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
from inline_snapshot import snapshot

from plughost.cli import main
from plughost.cli.demo import containment, questions, show
from plughost.cli.demo.stage import Stage

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not on PATH")

CONTAINED = {
    "demo-crash": "plugin-crashed",
    "demo-hang": "call-timeout",
    "demo-hog": "memory-limit",
}


@needs_node
def test_the_demo_shows_every_runtime_three_rogues_and_one_table(plughost: Any) -> None:
    status, out, err = plughost("demo", environment={"NO_COLOR": "1"})

    assert (status, err) == (0, ""), out
    assert [line for line in out.splitlines() if line[:1].isdigit()] == snapshot(
        [
            "1. Plugins of every runtime answer questions about real files",
            "2. A crash, a hang and a memory hog, all at once",
            "3. Health",
        ]
    )
    for runtime in ("python", "node", "lua", "wasm", "exec"):
        assert f"({runtime}, process " in out
    for plugin, error_type in CONTAINED.items():
        [row] = [line for line in out.splitlines() if line.startswith(f"{plugin} ")]
        assert row.split()[-1] == error_type
    assert "rlimit-data" in out
    assert "\x1b" not in out
    story, _, _ = out.partition("\nNext:\n")
    assert max(map(len, story.splitlines())) <= 80


def test_without_node_it_exits_0_and_says_what_is_missing(
    plughost: Any, path_without_node: str
) -> None:
    status, out, _ = plughost("demo", environment={"PATH": path_without_node})

    assert status == 0, out
    words = " ".join(out.split())
    assert "Missing for text-tools: there is no `node` on PATH. Install Node.js 20" in words
    assert "Meanwhile data-profile answered" in words
    assert "(lua, process" in words


async def test_the_record_says_what_was_contained_and_that_nothing_was_broken() -> None:
    stage = Stage(silent=True)

    await show.run_demo(stage)

    record = stage.record
    assert record["broken"] == []
    assert {each["plugin"]: each["type"] for each in record["contained"]} == CONTAINED
    assert all(each["back_after_s"] is not None for each in record["contained"])
    assert all(answer["right"] for answer in record["answers"])
    assert record["neighbour"]["answers"] > 0


async def test_a_wrong_answer_and_a_rogue_that_is_not_caught_break_the_demo(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    doubted = [
        attrs.evolve(each, is_right=lambda _: False)
        for each in questions.questions()
        if each.tool == "convert" and not each.refused
    ]
    misnamed = attrs.evolve(containment.ROGUES[0], expected="cpu-limit")
    monkeypatch.setattr(show, "questions", lambda: doubted)
    monkeypatch.setattr(containment, "ROGUES", (misnamed,))
    stage = Stage(silent=False)

    with trio.fail_after(60):
        await show.run_demo(stage)

    assert stage.broken == snapshot(
        [
            "unit-convert.convert answers rightly",
            "demo-crash ends in cpu-limit, not plugin-crashed",
            "unit-convert answers rightly while others misbehave",
        ]
    )
    assert "NOT AS PROMISED: unit-convert.convert answers rightly" in capsys.readouterr().out


def test_a_broken_promise_is_the_commands_failure(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    async def break_one(stage: Stage) -> None:
        stage.expect(False, "water flows uphill")

    monkeypatch.setattr(show, "run_demo", break_one)

    assert main.run(["demo", "--json"]) == 1
    assert capfd.readouterr().err == "not as promised: water flows uphill\n"


@pytest.mark.parametrize(
    ("on_path", "program", "typed"),
    [
        (True, ".venv/bin/plughost", "plughost"),
        (False, ".venv/bin/plughost", ".venv/bin/plughost"),
        (False, "/a folder/plughost", "'/a folder/plughost'"),
        (False, "/host/plughost/__main__.py", f"{shlex.quote(sys.executable)} -m plughost"),
    ],
)
def test_it_ends_with_commands_that_can_be_typed_in_this_shell(
    on_path: bool,
    program: str,
    typed: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    async def nothing(_: Stage) -> None:
        pass

    if on_path:
        (tmp_path / "plughost").write_text("#!/bin/sh\n", encoding="utf-8")
        (tmp_path / "plughost").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "argv", [program, "demo"])
    monkeypatch.setattr(show, "run_demo", nothing)

    assert main.run(["demo"]) == 0
    assert capfd.readouterr().out.splitlines()[-4:] == [
        "Next:",
        f"  {typed} tools",
        f"  {typed} call PLUGIN TOOL",
        f"  {typed} doctor",
    ]
