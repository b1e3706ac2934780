"""The demo's order: start, ask, let the rogues loose, account for everything."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import attrs
import trio

from plughost.cli.demo.containment import Contained, contain
from plughost.cli.demo.questions import Question, questions
from plughost.cli.demo.stage import Stage
from plughost.cli.listing.tables import guards_of, print_table, wrap
from plughost.cli.machine import Node, find_node
from plughost.cli.output import print_text
from plughost.contracts.results import CallResult
from plughost.host import Host
from plughost.resources import share_dir

__all__ = ["run_demo"]

_ROGUES: Final = Path(__file__).resolve().parent / "rogues"

# A demo that takes a minute is watched by nobody.
_LIMIT_S: Final = 55.0


async def run_demo(stage: Stage) -> None:
    """Run the demo on *stage*; what did not hold is in `Stage.broken`."""
    # Before the host: the first node after boot takes seconds to load.
    node = find_node(os.environ)
    with trio.move_on_after(_LIMIT_S) as limit:
        began_at = trio.current_time()
        # Given directories come first: a plugin of the user with one of our
        # names must not answer the demo's questions.
        async with Host.open(_ROGUES, share_dir() / "plugins", first_party=False) as host:
            await _start(host, stage, node, began_at)
            await _ask_all(host, stage)
            neighbour = next((each for each in questions() if _is_ready(host, each.plugin)), None)
            stage.title("2. A crash, a hang and a memory hog, all at once")
            contained = await contain(host, stage, neighbour)
            _account(host, stage, contained, node)
    stage.expect(not limit.cancelled_caught, f"the demo ends within {_LIMIT_S:g} s")
    stage.record["broken"] = stage.broken


async def _start(host: Host, stage: Stage, node: Node, began_at: float) -> None:
    for record in host.plugins():
        if record.state in ("backing-off", "quarantined"):
            await host.restart(record.name)  # a cold disk: it deserves a second chance
    took_s = trio.current_time() - began_at
    records = host.plugins()
    ready = [each.name for each in records if each.state == "ready"]
    stage.say(
        f"plughost started {len(ready)} of {len(records)} plugins in {took_s:.2f} s, each a "
        "child process with limits of its own. Three of them are rogues, for later."
    )
    missing: list[dict[str, str]] = []
    for each in records:
        if each.state == "ready":
            continue
        if each.runtime == "node" and node.problem:
            missing.append({"plugin": each.name, "what": node.problem, "hint": node.hint})
            stage.say(f"Missing for {each.name}: {node.problem}. {node.hint}")
        else:
            stage.expect(False, f"{each.name} starts; it is {each.state}: {each.reason}")
    for problem in host.problems():
        stage.say(f"Left out: {problem}")
    stage.record["missing"] = missing
    stage.record["started_in_s"] = round(took_s, 3)


async def _ask_all(host: Host, stage: Stage) -> None:
    stage.title("1. Plugins of every runtime answer questions about real files")
    stage.record["answers"] = []
    last = ""
    for question in questions():
        if not _is_ready(host, question.plugin):
            continue
        if question.plugin != last:
            health = host.health(question.plugin)
            stage.say(f"{question.plugin} ({health.runtime}, process {health.pid})", indent=2)
        last = question.plugin
        result = await host.call(question.plugin, question.tool, question.arguments)
        _hear(stage, question, result)
    if not stage.broken:
        stage.say(
            "Each answer was computed a second time by other means, and is the same.", indent=2
        )


def _hear(stage: Stage, question: Question, result: CallResult) -> None:
    """Show one answer, and whether it is right."""
    data = _data_of(question, result)
    stage.say(question.asked, indent=4)
    right = data is not None and _is_right(question, data)
    if data is not None:
        stage.say(f"→ {question.told(data)}  [{result.duration_s * 1000:.1f} ms]", indent=6)
    error = "" if result.error is None else f" ({result.error.type}: {result.error.message})"
    stage.expect(right, f"{question.plugin}.{question.tool} answers rightly{error}")
    stage.record["answers"].append(
        {
            "plugin": question.plugin,
            "tool": question.tool,
            "asked": question.asked,
            "answer": data,
            "right": right,
            "duration_ms": round(result.duration_s * 1000, 3),
        }
    )


def _data_of(question: Question, result: CallResult) -> Any:
    """Return what *question* is about: the data, or the words of the refusal it expects."""
    if not question.refused:
        return result.data if result.ok else None
    refused = result.error is not None and result.error.type == "tool-error"
    return result.error.message if refused and result.error is not None else None


def _is_right(question: Question, data: Any) -> bool:
    try:
        return question.is_right(data)
    except (KeyError, IndexError, TypeError, ValueError):
        return False  # not even of the right shape


def _is_ready(host: Host, plugin: str) -> bool:
    return any(each.name == plugin and each.state == "ready" for each in host.plugins())


def _account(host: Host, stage: Stage, contained: list[Contained], node: Node) -> None:
    """Print the table of plugins, with what was contained and what guards them."""
    records = [each.to_json() for each in host.plugins()]
    outcomes = {each.plugin: each for each in contained}
    stage.record["contained"] = [attrs.asdict(each) for each in contained]
    stage.record["plugins"] = records
    stage.title("3. Health")
    if stage.silent:
        return
    heads = ("plugin", "runtime", "state", "ok", "failed", "restarts", "contained")
    print_table(
        heads,
        [
            (
                each["name"],
                each["runtime"],
                each["state"],
                str(each["success_count"]),
                str(each["error_count"]),
                str(each["restart_count"]),
                outcomes[each["name"]].type if each["name"] in outcomes else "",
            )
            for each in records
        ],
        styles={2: {"ready": "green", "unavailable": "yellow"}},
    )
    print_text()
    print_text(wrap(guards_of(records)))
    if node.problem:
        print_text(wrap(f"Node plugins did not run: {node.problem}. {node.hint}"))
