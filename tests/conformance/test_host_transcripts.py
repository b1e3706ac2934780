"""The host holds every golden conversation in which its own lines are the checked ones."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import attrs
import pytest
import trio
from tests.conformance.player import TRANSCRIPTS
from tests.conformance.scripted_plugin import read_script

from plughost import Host
from plughost.contracts.results import CallResult

MakePlugin = Callable[..., Path]
OpenHost = Callable[..., AbstractAsyncContextManager[Host]]

ROOT: Final = Path(__file__).parents[2]
NAMES: Final = sorted(
    path.stem for path in TRANSCRIPTS.glob("*.jsonl") if read_script(path).head.get("for") == "host"
)

# From the start of the host to the verdict; a cold interpreter takes some seconds.
PATIENCE_S: Final = 20.0

# For a call the plugin leaves unanswered; the host cancels it then.
SHORT_S: Final = 0.3


@attrs.frozen
class HostCall:
    """A call that the host has to be asked for, so that it says its line.

    Attributes:
        answer: What the plugin answers before the host gives up; None if it does not.
    """

    tool: str
    arguments: dict[str, Any]
    answer: Any


def host_calls(lines: Sequence[Mapping[str, Any]]) -> list[HostCall]:
    found = []
    for at, line in enumerate(lines):
        frame = line.get("frame", {})
        if line["from"] == "host" and frame.get("method") == "tools/call":
            outcome = first_about(frame["id"]["$save"], lines[at + 1 :])
            answer = outcome["result"]["structuredContent"]["result"] if outcome else None
            params = frame["params"]
            found.append(HostCall(params["name"], params["arguments"], answer))
    return found


def first_about(saved: str, lines: Sequence[Mapping[str, Any]]) -> Any:
    """Return the plugin's answer to the request, or None if the host gives up before."""
    for line in lines:
        frame = line.get("frame", {})
        if frame.get("id") == {"$saved": saved}:
            return frame
        if frame.get("method") == "notifications/cancelled":
            return None
    raise AssertionError(saved)


def last_tools(lines: Sequence[Mapping[str, Any]]) -> list[str] | None:
    """Return the names of the tools the plugin lists, all pages of them; None if it lists none."""
    pages = [
        line["frame"]["result"]["tools"]
        for line in lines
        if line["from"] == "plugin" and "tools" in line.get("frame", {}).get("result", {})
    ]
    return sorted(tool["name"] for page in pages for tool in page) if pages else None


@attrs.frozen
class Report:
    """The plugin's end of a FIFO: it writes its verdict, or dies and says nothing."""

    end: int

    async def problem(self, host: Host) -> str | None:
        await trio.lowlevel.wait_readable(self.end)
        text = os.read(self.end, 65536)
        assert text, f"the plugin died; its log: {host.logs('conformance')}"
        found: str | None = json.loads(text)["problem"]
        return found


@pytest.fixture
def play(
    tmp_path: Path, make_plugin: MakePlugin, open_host: OpenHost
) -> Callable[[Path], AbstractAsyncContextManager[tuple[Host, Report]]]:
    """Open a host whose only plugin plays a transcript."""

    @asynccontextmanager
    async def open_(transcript: Path) -> AsyncIterator[tuple[Host, Report]]:
        report = tmp_path / "report"
        os.mkfifo(report)
        program = (
            f"import sys; sys.path.insert(0, {str(ROOT)!r}); "
            "from tests.conformance.scripted_plugin import main; main(*sys.argv[1:])"
        )
        command = [sys.executable, "-c", program, str(transcript), str(report)]
        # A JSON list of texts is a TOML list too.
        lines = ['runtime = "exec"', f"command = {json.dumps(command)}"]
        make_plugin("conformance", "\n".join([*lines, "[restart]", 'policy = "never"', ""]))
        # Open for reading first: then the plugin's own opening does not wait.
        end = os.open(report, os.O_RDONLY | os.O_NONBLOCK)
        try:
            with trio.fail_after(PATIENCE_S):
                async with open_host() as host:
                    yield host, Report(end)
        finally:
            os.close(end)

    return open_


Play = Callable[[Path], AbstractAsyncContextManager[tuple[Host, Report]]]


@pytest.mark.parametrize("name", NAMES)
async def test_the_host_holds_the_conversation(name: str, play: Play) -> None:
    script = read_script(TRANSCRIPTS / f"{name}.jsonl")
    calls = host_calls(script.lines)
    results: list[CallResult] = []

    async with play(TRANSCRIPTS / f"{name}.jsonl") as (host, report):
        for call in calls:
            timeout_s = SHORT_S if call.answer is None else PATIENCE_S
            results.append(
                await host.call("conformance", call.tool, call.arguments, timeout_s=timeout_s)
            )
        assert await report.problem(host) is None

        tools = last_tools(script.lines)
        while tools is not None and sorted(each.tool.name for each in host.tools()) != tools:
            # The host has read the last answer (the fence came after it), and acts on it soon.
            await trio.lowlevel.checkpoint()

    for call, result in zip(calls, results, strict=True):
        if call.answer is None:
            assert result.error is not None
            assert result.error.type == "call-timeout"
        else:
            assert result.unwrap() == call.answer


def rewritten(tmp_path: Path, name: str, old: str, new: str) -> Path:
    text = (TRANSCRIPTS / f"{name}.jsonl").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / f"{name}.jsonl"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "old", "new", "problem"),
    [
        ("host-unknown-method", "-32601", "-32602", "line 3: $.error.code is -32601, not -32602"),
        (
            "host-paging",
            '"params": {"cursor": "page-2"}',
            '"params": {}',
            "line 9: $.params has ['cursor'] too",
        ),
        # A request the transcript does not give the host a line to answer.
        (
            "host-lists-again",
            '"method": "notifications/tools/list_changed"',
            '"id": 7, "method": "ping"',
            "line 3: $ has ['result'] too",
        ),
    ],
)
async def test_a_host_that_says_something_else_is_found_out(
    name: str, old: str, new: str, problem: str, tmp_path: Path, play: Play
) -> None:
    async with play(rewritten(tmp_path, name, old, new)) as (host, report):
        assert str(await report.problem(host)).startswith(problem)


async def test_a_host_that_says_more_than_the_transcript_is_found_out(
    tmp_path: Path, play: Play
) -> None:
    transcript = tmp_path / "more.jsonl"
    lines = [
        {"after": "handshake", "for": "host"},
        {"from": "plugin", "frame": {"jsonrpc": "2.0", "id": 7, "method": "ping"}},
    ]
    transcript.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")

    async with play(transcript) as (host, report):
        assert str(await report.problem(host)).startswith("after the last line: $.id is 7")


def test_the_host_has_conversations_of_its_own() -> None:
    assert len(NAMES) >= 7
