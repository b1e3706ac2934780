"""Does a crash, a hang and a memory hog stay inside its own plugin, and does it come back?"""

from __future__ import annotations

import os
from typing import Any, Final

import attrs
import trio

from plughost.cli.demo.questions import Question
from plughost.cli.demo.stage import Stage
from plughost.host import Host

__all__ = ["ROGUES", "Contained", "Rogue", "contain"]

# The patience of the demo: long enough for a cold interpreter on a loaded
# machine, short enough that the whole demo stays under a minute.
_RECOVERY_S: Final = 15.0


@attrs.frozen(kw_only=True)
class Rogue:
    """A plugin that misbehaves, and what a caller must get from it.

    Attributes:
        does: What it does, as the rest of a sentence.
        expected: The `error.type` that its caller must get.
        timeout_s: What the caller allows.
        dies: Whether the process that misbehaved must be gone afterwards.
    """

    plugin: str
    tool: str
    does: str
    expected: str
    timeout_s: float
    dies: bool


ROGUES: Final = (
    Rogue(
        plugin="demo-crash",
        tool="fall",
        does="dies by a segmentation fault in the middle of a call",
        expected="plugin-crashed",
        timeout_s=10.0,
        dies=True,
    ),
    Rogue(
        plugin="demo-hang",
        tool="spin",
        does="spins for ever, deaf to cancellation and to SIGTERM",
        expected="call-timeout",
        timeout_s=1.0,
        dies=True,
    ),
    Rogue(
        plugin="demo-hog",
        tool="swallow",
        does="takes memory until there is none",
        expected="memory-limit",
        timeout_s=20.0,
        dies=False,
    ),
)


@attrs.frozen(kw_only=True)
class Contained:
    """What became of one rogue.

    Attributes:
        type: The `error.type` that its caller got.
        after_s: How long its caller waited for that.
        back_after_s: How long until it answered again; None if it did not.
    """

    plugin: str
    type: str
    message: str
    after_s: float
    back_after_s: float | None

    def __str__(self) -> str:
        back = "not back" if self.back_after_s is None else f"back in {self.back_after_s:.2f} s"
        return f"{self.type} after {self.after_s:.2f} s, {back}"


@attrs.define
class _Neighbour:
    """A good plugin that is asked the same question all the while."""

    question: Question
    answers: int = 0
    wrong: int = 0
    slowest_s: float = 0.0

    async def keep_asking(self, host: Host) -> None:
        while True:
            began_at = trio.current_time()
            question = self.question
            result = await host.call(question.plugin, question.tool, question.arguments)
            self.slowest_s = max(self.slowest_s, trio.current_time() - began_at)
            self.answers += 1
            self.wrong += not (result.ok and question.is_right(result.data))
            # A person's pace, not a benchmark: the rogues are to have the processor.
            await trio.sleep(0.01)


async def contain(host: Host, stage: Stage, question: Question | None) -> list[Contained]:
    """Let all rogues loose at once, while a neighbour is asked *question* all the time."""
    outcomes: dict[str, Contained] = {}

    async def let_loose(rogue: Rogue) -> None:
        outcomes[rogue.plugin] = await _let_loose(host, stage, rogue)

    neighbour = _Neighbour(question) if question is not None else None
    async with trio.open_nursery() as asking:
        if neighbour is not None:
            asking.start_soon(neighbour.keep_asking, host)
        async with trio.open_nursery() as rogues:
            for rogue in ROGUES:
                rogues.start_soon(let_loose, rogue)
        asking.cancel_scope.cancel()
    for rogue in ROGUES:
        outcome = outcomes[rogue.plugin]
        stage.say(f"{rogue.plugin} {rogue.does}:", indent=2)
        stage.say(f"{outcome}", indent=4)
        stage.say(f"“{outcome.message}”", indent=4)
    if neighbour is not None:
        _account_for(neighbour, stage)
    return [outcomes[rogue.plugin] for rogue in ROGUES]


async def _let_loose(host: Host, stage: Stage, rogue: Rogue) -> Contained:
    culprit = await _pid_of(host, rogue)
    began_at = trio.current_time()
    result = await host.call(rogue.plugin, rogue.tool, timeout_s=rogue.timeout_s)
    after_s = trio.current_time() - began_at
    got = result.error.type if result.error is not None else "no error"
    stage.expect(got == rogue.expected, f"{rogue.plugin} ends in {rogue.expected}, not {got}")
    if rogue.expected == "call-timeout":
        # It still spins, one thread of its process; an operator who has seen
        # enough restarts it, and deafness does not help it.
        await host.restart(rogue.plugin)
    successor = await _pid_of(host, rogue)
    back_after_s = trio.current_time() - began_at - after_s
    stage.expect(successor is not None, f"{rogue.plugin} answers again")
    if rogue.dies and culprit is not None:
        stage.expect(
            successor != culprit and not _is_alive(culprit),
            f"the process {culprit} of {rogue.plugin} is gone",
        )
    return Contained(
        plugin=rogue.plugin,
        type=got,
        message=result.error.message if result.error is not None else "",
        after_s=after_s,
        back_after_s=back_after_s if successor is not None else None,
    )


async def _pid_of(host: Host, rogue: Rogue) -> int | None:
    """Return the process that answers for *rogue*, once one does."""
    with trio.move_on_after(_RECOVERY_S):
        while True:
            result = await host.call(rogue.plugin, "alive", timeout_s=_RECOVERY_S)
            if result.ok:
                return int(result.data)
            assert result.error is not None
            retry_after_s: Any = result.error.details.get("retry_after_s", 0.05)
            await trio.sleep(float(retry_after_s))
    return None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _account_for(neighbour: _Neighbour, stage: Stage) -> None:
    name = neighbour.question.plugin
    stage.say(
        f"Meanwhile {name} answered {neighbour.answers} calls, all of them "
        f"{'right' if not neighbour.wrong else 'not right'}, the slowest in "
        f"{neighbour.slowest_s * 1000:.0f} ms.",
        indent=2,
    )
    stage.expect(
        neighbour.answers > 0 and not neighbour.wrong,
        f"{name} answers rightly while others misbehave",
    )
    stage.record["neighbour"] = {
        "plugin": name,
        "answers": neighbour.answers,
        "wrong": neighbour.wrong,
        "slowest_ms": round(neighbour.slowest_s * 1000, 1),
    }
