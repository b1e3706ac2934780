"""One session with one running child: requests out, answers to exactly their callers.

A caller parks its task; the reader wakes it when its answer is there, the
timer when its deadline has passed, the end of the session when the child is
gone.  Whatever happens first wins, and there is always one of the three.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import attrs
import trio

from plughost.errors import PeerError
from plughost.journal import Journal
from plughost.process.guard import Guard, Spawned
from plughost.process.log import LogRing, drain, drain_rest
from plughost.process.pump import Pump
from plughost.protocol.messages import RequestId
from plughost.protocol.session import (
    Answer,
    Ask,
    Event,
    Malformed,
    Noise,
    Session,
    Stray,
    Tell,
    TooLong,
)
from plughost.supervisor.calls.deadlines import Deadlines
from plughost.supervisor.calls.early import EarlyLook
from plughost.supervisor.calls.slots import Slots
from plughost.supervisor.outcomes import Counters, Ended, Failure, Open, Progress

__all__ = ["Connection", "Hooks"]

log = Journal("plughost.supervisor")

# docs/reference/defaults.md: how long a cancelled call may hold its slot.
CANCEL_GRACE_S: Final = 2.0

# docs/reference/defaults.md: one plugin handles at most so many messages per turn of the
# loop; and a line without an end must let go of the loop as well.
_MESSAGES_PER_TURN: Final = 100
_BYTES_PER_TURN: Final = 256 * 1024

# A call that found its answer at once has not let other tasks run; 20 of them
# are about a millisecond.
_CALLS_PER_TURN: Final = 20

# One caller gains by an immediate write, several by sharing one; with two
# open requests there is little to share.
_GATHER_FROM: Final = 3

# docs/reference/defaults.md: the second oversize message in this time ends the session.
_STRIKE_WINDOW_S: Final = 60.0

# A dead child's end of file and the guard's report of its exit race each
# other; a child that closed its output and lives on is as good as dead.
_EXIT_AFTER_EOF_S: Final = 0.5
_EOF_AFTER_EXIT_S: Final = 0.1


@attrs.frozen(kw_only=True)
class Hooks:
    """Whom a connection tells what a plugin asks and says.

    Attributes:
        on_ask: Answers a request of the plugin; runs in a task of its own.
        on_tell: Hears a notification.
        on_log: Hears a line of stderr.
    """

    on_ask: Callable[[Connection, Ask], Any]
    on_tell: Callable[[Connection, Tell], None]
    on_log: Callable[[str], None]


@attrs.define(eq=False)
class Connection:
    """A running child and the conversation with it.

    Attributes:
        slots: Who may call now, and who waits.
        extended: Whether the plugin speaks our extensions; known after the greeting.
        ended: How it ended; None while it lives.
        over: Set when `ended` is.
    """

    spawned: Spawned
    guard: Guard
    session: Session
    slots: Slots
    counters: Counters
    hooks: Hooks
    log: LogRing
    extended: bool = False
    ended: Ended | None = None
    over: trio.Event = attrs.field(factory=trio.Event)
    _pump: Pump = attrs.field(init=False)
    _open: dict[int, Open] = attrs.field(factory=dict, init=False)
    # Cancelled calls that still hold their slot.
    _lingering: dict[int, Open] = attrs.field(factory=dict, init=False)
    _deadlines: Deadlines = attrs.field(factory=Deadlines, init=False)
    _timer: trio.CancelScope = attrs.field(factory=trio.CancelScope, init=False)
    _strikes: list[float] = attrs.field(factory=list, init=False)
    _early: EarlyLook = attrs.field(factory=EarlyLook, init=False)
    _handling: bool = attrs.field(default=False, init=False)
    _unpaused: int = attrs.field(default=0, init=False)
    _why: str = attrs.field(default="", init=False)
    _tasks: trio.Nursery | None = attrs.field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self._pump = Pump(self.spawned.to_plugin, self.spawned.from_plugin)

    # -- talking -------------------------------------------------------------

    def open(self, method: str, params: bytes = b"{}") -> Open:
        """Send a request; the caller then waits on what is returned.

        Raises:
            LocalError: The session does not allow it, or it is too long.
        """
        request_id, line = self.session.request(method, params)
        opened = self._open[request_id] = Open(request_id, self)
        self._pump.send(line, at_once=True)
        return opened

    def open_call(self, params: bytes, deadline: float, progress: Progress | None = None) -> Open:
        """Send a tool call whose slot the caller holds; `free` it afterwards.

        Raises:
            LocalError: The session does not allow it, or it is too long.
        """
        request_id, line = self.session.call(params)
        # Complete before a byte leaves: its progress may be heard below.
        opened = Open(request_id, self, progress, holds_slot=True)
        self._open[request_id] = opened
        if self._deadlines.put(request_id, deadline):
            self._timer.deadline = deadline
        alone = len(self._open) == 1
        self._pump.send(line, at_once=alone or len(self._open) < _GATHER_FROM)
        # Not while the reader is in the middle of what it has read: order counts.
        if alone and not self._handling and self._early.due():
            self._look_early()
        return opened

    def notify(self, method: str, params: bytes = b"{}") -> None:
        """Send a notification.

        Raises:
            LocalError: The session does not allow it, or it is too long.
        """
        self._pump.send(self.session.notify(method, params), at_once=True)

    def answer(self, request_id: RequestId, result: bytes) -> None:
        """Answer a request of the plugin.

        Raises:
            LocalError: It is not open, or the answer is too long.
        """
        self._pump.send(self.session.answer(request_id, result), at_once=True)

    def refuse(self, request_id: RequestId, code: int, message: str, data: dict[str, Any]) -> None:
        """Refuse a request of the plugin."""
        self._pump.send(self.session.refuse(request_id, code, message, data), at_once=True)

    def withdraw(self, opened: Open, reason: str) -> None:
        """Stop waiting for *opened*: tell the plugin, and keep the slot for a while."""
        if self._open.pop(opened.id, None) is None:
            return
        self._pump.send(self.session.give_up(opened.id, reason), at_once=True)
        if opened.holds_slot:
            self._lingering[opened.id] = opened
            self._set_deadline(opened.id, trio.current_time() + CANCEL_GRACE_S)

    def progressed(self, params: dict[str, Any]) -> None:
        """Take in a progress notification; its token is the id of an open call."""
        token = params.get("progressToken")
        opened = self._open.get(token) if type(token) is int else None
        progress = opened.progress if opened is not None else None
        if opened is None or progress is None:
            return
        if progress.idle_s > 0:
            at = min(trio.current_time() + progress.idle_s, progress.latest_at)
            self._set_deadline(opened.id, at)
        if progress.listener is not None:
            try:
                progress.listener(params)
            except Exception:
                log.exception("progress.listener_failed")

    def free(self, opened: Open) -> None:
        """Give back the slot of *opened*, unless the plugin may still be busy with it."""
        if opened.id not in self._lingering:
            self._give_back(opened)

    def hang_up(self) -> None:
        """Write nothing any more; the stop ladder closes our end next."""
        self._pump.close()

    def fail(self, why: str) -> None:
        """End the session: kill the child, whose end of file does the rest."""
        self._why = self._why or why
        self.guard.signal(self.spawned, 9, scope="tree")

    # -- living --------------------------------------------------------------

    async def run(self) -> None:
        """Serve until the child's output ends; then `ended` is set and nobody waits."""
        try:
            async with trio.open_nursery() as nursery:
                self._tasks = nursery
                nursery.start_soon(drain, self.spawned.log, self.log, self.hooks.on_log)
                nursery.start_soon(self._write)
                nursery.start_soon(self._time)
                nursery.start_soon(self._watch_exit, nursery)
                await self._read()
                with trio.move_on_after(_EXIT_AFTER_EOF_S):
                    await self.spawned.exited.wait()
                if self.spawned.exit is None:
                    self.fail("it closed its output")
                    with trio.move_on_after(_EXIT_AFTER_EOF_S):
                        await self.spawned.exited.wait()
                nursery.cancel_scope.cancel()
        finally:
            self._finish()

    def _look_early(self) -> None:
        """Read at once what a lone caller's plugin may have answered already."""
        data = self._pump.receive_nowait()
        if not data:
            self._early.missed()
            return
        self._early.found()
        for event in self.session.receive(data):
            self._handle(event)
        self._flush_refusals()

    async def pause(self) -> None:
        """Let others run after so many calls that did not have to wait."""
        self._unpaused += 1
        if self._unpaused >= _CALLS_PER_TURN:
            self._unpaused = 0
            await trio.lowlevel.checkpoint()

    def _flush_refusals(self) -> None:
        """Send what the session itself refuses (wire §3.4)."""
        if self.session.to_send:
            self._pump.send(bytes(self.session.to_send), at_once=True)
            self.session.to_send.clear()

    async def _read(self) -> None:
        messages = size = 0
        while data := await self._pump.receive():
            size += len(data)
            for event in self.session.receive(data):
                self._handle(event)
                messages += 1
                if messages >= _MESSAGES_PER_TURN:
                    messages = size = 0
                    self._handling = True
                    await trio.lowlevel.checkpoint()
            self._handling = False
            self._flush_refusals()
            if size >= _BYTES_PER_TURN:
                messages = size = 0
                await trio.lowlevel.checkpoint()

    async def _write(self) -> None:
        try:
            await self._pump.write_forever()
        except PeerError as exc:
            self.fail(str(exc))

    async def _time(self) -> None:
        while True:
            with trio.CancelScope(deadline=self._deadlines.next_at()) as self._timer:
                await trio.sleep_forever()
            for call_id in self._deadlines.due(trio.current_time()):
                self._expire(call_id)

    async def _watch_exit(self, nursery: trio.Nursery) -> None:
        """A grandchild may hold the wire open: an exited leader ends the session too."""
        await self.spawned.exited.wait()
        await trio.sleep(_EOF_AFTER_EXIT_S)
        nursery.cancel_scope.cancel()

    def _finish(self) -> None:
        self._pump.close()
        drain_rest(self.spawned.log, self.log, self.hooks.on_log)
        self.ended = Ended(self.spawned.exit, self._why, self.log.tail())
        self.session.end()
        crash = Failure(
            "plugin-crashed",
            str(self.ended),
            {"exit": str(self.ended), "log_tail": self.ended.log_tail},
        )
        for opened in list(self._open.values()):
            opened.settle(crash)
        self._open.clear()
        self._lingering.clear()
        for waiter in self.slots.drain():
            waiter.set()
        self.over.set()

    # -- hearing -------------------------------------------------------------

    def _handle(self, event: Event) -> None:
        if type(event) is Answer:
            opened = self._open.pop(event.id)
            self._deadlines.drop(event.id)
            opened.settle(event)
        elif type(event) is Ask:
            assert self._tasks is not None
            self._tasks.start_soon(self.hooks.on_ask, self, event)
        elif type(event) is Tell:
            self.hooks.on_tell(self, event)
        elif type(event) is Stray:
            self._stray(event)
        elif type(event) is TooLong:
            self._too_long(event)
        elif type(event) is Malformed:
            self._malformed(event)
        else:
            assert type(event) is Noise
            self.counters.noise += 1
            self.hooks.on_log(f"[not a message: {event.reason}] {event.excerpt}")

    def _stray(self, event: Stray) -> None:
        if not event.late:
            self.counters.stray += 1
            return
        self.counters.late += 1
        opened = self._lingering.pop(event.id, None) if isinstance(event.id, int) else None
        if opened is not None:
            self._deadlines.drop(opened.id)
            self._give_back(opened)

    def _too_long(self, event: TooLong) -> None:
        self.counters.oversize += 1
        limit = self.session.max_message_bytes
        fact = f"the plugin sent a message of {event.size_bytes} bytes, over the limit of {limit}"
        if event.id is not None:
            self._deadlines.drop(event.id)
            details = {"size_bytes": event.size_bytes, "limit_bytes": limit}
            self._open.pop(event.id).settle(Failure("output-limit", fact, details))
        now = trio.current_time()
        self._strikes = [at for at in self._strikes if now - at < _STRIKE_WINDOW_S] + [now]
        if len(self._strikes) > 1:
            self.fail(f"{fact}, twice in {_STRIKE_WINDOW_S:g} s")

    def _malformed(self, event: Malformed) -> None:
        self._deadlines.drop(event.id)
        fact = f"the plugin's answer is not understood: {event.reason}"
        details = {"excerpt": event.excerpt}
        self._open.pop(event.id).settle(Failure("protocol-violation", fact, details))
        self.hooks.on_log(f"[not understood: {event.reason}] {event.excerpt}")

    def _expire(self, call_id: int) -> None:
        lingering = self._lingering.pop(call_id, None)
        if lingering is not None:
            self._give_back(lingering)
            return
        opened = self._open.get(call_id)
        if opened is not None:
            self.withdraw(opened, "its deadline has passed")
            opened.settle(Failure("call-timeout", "", {}))

    def _give_back(self, opened: Open) -> None:
        """Free the slot of *opened* once, whoever comes first: its caller or its late answer."""
        if opened.holds_slot:
            opened.holds_slot = False
            self.free_slot()

    def free_slot(self) -> None:
        """Give a slot back to whoever waits first."""
        waiter = self.slots.release()
        if waiter is not None:
            waiter.set()

    def _set_deadline(self, call_id: int, at: float) -> None:
        if self._deadlines.put(call_id, at):
            self._timer.deadline = at
