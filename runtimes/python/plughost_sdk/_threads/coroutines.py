"""Where `async def` tools run: one asyncio loop in a thread of its own.

Loaded when a plugin has an ``async def`` tool or handler: asyncio costs 40 ms.  The
wire stays with the crew, so that a coroutine that blocks its loop does not silence pings.
"""

from __future__ import annotations

import asyncio
from _thread import allocate_lock, get_ident

from plughost_sdk._session.answers import CANCELLED, error_member
from plughost_sdk._threads.lastresort import give_up
from plughost_sdk._threads.workers import started

TYPE_CHECKING = False  # `typing` costs 10 ms, which every start would pay
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from plughost_sdk._session.calls import Call

__all__ = ["Coroutines"]

# How long the loop may take to end its tasks: half of what an exit may take (wire 1.4).
_FAREWELL_S = 1.0


class Coroutines:
    """Runs coroutines in a loop that lives in its own thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._over = allocate_lock()
        self._over.acquire()
        # asyncio keeps only weak references to tasks.
        self._tasks: set[asyncio.Task[None]] = set()
        self._ident = 0
        if not started(self._run):
            self._loop.close()
            raise RuntimeError("no thread is to be had for async tools")

    def _run(self) -> None:
        self._ident = get_ident()
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        finally:
            self._loop.close()
            self._over.release()

    def start(self, call: Call) -> None:
        """Start an ``async def`` tool; it answers by itself."""
        self._loop.call_soon_threadsafe(self._start, call)

    def _start(self, call: Call) -> None:
        if call.cancelled:
            call.session.settle(call, error_member(CANCELLED, "cancelled before it ran"))
            return
        try:
            task = self._loop.create_task(self._serve(call))
            self._tasks.add(task)
            task.add_done_callback(lambda task: self._ended(task, call))
        except MemoryError as error:  # asyncio would only log it, and the caller wait
            give_up(error)
        call.task = task

    def _ended(self, task: asyncio.Task[None], call: Call) -> None:
        self._tasks.discard(task)
        if call.session.calls.get(call.id) is not call:
            return
        # It ended before its first line, and so without an answer.
        error = None if task.cancelled() else task.exception()
        if error is not None:
            give_up(error)
        call.session.settle(call, error_member(CANCELLED, "cancelled before it ran"))

    async def _serve(self, call: Call) -> None:
        try:
            member = call.member(await call.tool.start(call))
        except BaseException as error:  # noqa: BLE001 - whatever a tool raises is its answer
            member = call.failure(error)
        try:
            call.session.settle(call, member)
        except MemoryError as error:  # as in `_start`
            give_up(error)

    def cancel(self, call: Call) -> None:
        """Cancel the tool of *call* where it waits."""
        # In the loop, where it is certain whether the tool has started; one that has not
        # sees that it was cancelled.
        self._loop.call_soon_threadsafe(self._cancel, call)

    def _cancel(self, call: Call) -> None:
        if call.task is not None:
            call.task.cancel()

    def run(self, function: Callable[..., Awaitable[Any]], arguments: tuple[Any, ...]) -> Any:
        """Run a coroutine function from another thread and return its result."""
        assert get_ident() != self._ident
        done = allocate_lock()
        done.acquire()
        outcome: list[Any] = [None, None]

        async def run() -> None:
            try:
                outcome[0] = await function(*arguments)
            except BaseException as error:  # noqa: BLE001 - carried to the other thread
                outcome[1] = error
            finally:
                done.release()

        def start() -> None:
            task = self._loop.create_task(run())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        self._loop.call_soon_threadsafe(start)
        done.acquire()
        if outcome[1] is not None:
            raise outcome[1]
        return outcome[0]

    def close(self) -> None:
        """Cancel what runs, and end the loop."""
        self._loop.call_soon_threadsafe(self._close)
        self._over.acquire(timeout=_FAREWELL_S)

    def _close(self) -> None:
        async def farewell() -> None:
            me = asyncio.current_task()
            others = [task for task in asyncio.all_tasks() if task is not me]
            for task in others:
                task.cancel()
            await asyncio.wait(others, timeout=_FAREWELL_S / 2) if others else None
            self._loop.stop()

        self._tasks.add(self._loop.create_task(farewell()))
