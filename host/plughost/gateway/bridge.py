"""How does an asyncio handler await a trio function?

aiohttp needs asyncio; everything below the gateway is trio.  The gateway runs
its own loop in one worker thread, so that a handler that blocks cannot delay
supervision, and reaches trio through `TrioPort.call` and nothing else.
Results, errors and cancellation cross; a browser that leaves withdraws the
call it made.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Generic, TypeVar, TypeVarTuple

import attrs
import trio

from plughost.errors import HostStoppingError

__all__ = ["TrioPort"]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


@attrs.frozen
class TrioPort:
    """The trio side, as the gateway's asyncio thread sees it.

    Attributes:
        token: Of the trio loop.
        nursery: Runs the trio halves of calls.
    """

    token: trio.lowlevel.TrioToken
    nursery: trio.Nursery

    async def call(self, function: Callable[[*Ts], Awaitable[T]], *arguments: *Ts) -> T:
        """Run ``function(*arguments)`` in trio and return its result here.

        Cancelling the asyncio task cancels the trio one and waits for it.

        Raises:
            HostStoppingError: The trio side takes no more calls.
        """
        crossing: _Crossing[T] = _Crossing(self, asyncio.get_running_loop())
        try:
            self.token.run_sync_soon(crossing.start, function, arguments)
        except trio.RunFinishedError as ended:
            raise HostStoppingError("the host has stopped") from ended
        return await crossing.wait()


@attrs.define(eq=False)
class _Crossing(Generic[T]):
    """One call on its way: `wait` is the asyncio half, the rest is trio's."""

    port: TrioPort
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[T] = attrs.field(init=False)
    scope: trio.CancelScope = attrs.field(factory=trio.CancelScope)

    def __attrs_post_init__(self) -> None:
        self.done = self.loop.create_future()

    # -- in asyncio ----------------------------------------------------------

    async def wait(self) -> T:
        """Return the result; when cancelled, cancel the trio half and wait for its end."""
        try:
            return await asyncio.shield(self.done)
        except asyncio.CancelledError:
            if not self.done.done():
                with suppress(trio.RunFinishedError):
                    self.port.token.run_sync_soon(self.scope.cancel)
                await asyncio.wait([self.done])
            if not self.done.cancelled():
                self.done.exception()  # heard: asyncio would log it as lost
            raise

    def settle(self, result: T | None, error: BaseException | None) -> None:
        if self.done.done():
            return
        if error is None:
            self.done.set_result(result)  # type: ignore[arg-type]  # None is a T when nothing failed
        elif isinstance(error, asyncio.CancelledError):
            self.done.cancel()
        else:
            self.done.set_exception(error)

    # -- in trio -------------------------------------------------------------

    def start(self, function: Callable[..., Awaitable[T]], arguments: tuple[Any, ...]) -> None:
        """Begin the trio half.

        It must not raise: in `run_sync_soon` that is a TrioInternalError, which
        kills the host.  A closed nursery means that the host is stopping.
        """
        try:
            self.port.nursery.start_soon(self.run, function, arguments)
        except RuntimeError:
            self.answer(None, HostStoppingError("the host is stopping"))

    async def run(self, function: Callable[..., Awaitable[T]], arguments: tuple[Any, ...]) -> None:
        result: T | None = None
        # What stays true if a cancellation ends this task.
        error: BaseException | None = asyncio.CancelledError()
        try:
            # Not `outcome.acapture`: it captures trio.Cancelled as well, and
            # that would end the asyncio task without a word.
            with self.scope:
                try:
                    result, error = await function(*arguments), None
                except Exception as raised:  # noqa: BLE001 - carried across
                    error = raised
        finally:
            self.answer(result, error)

    def answer(self, result: T | None, error: BaseException | None) -> None:
        # RuntimeError: the loop was closed over a caller who had given up.
        with suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self.settle, result, error)
