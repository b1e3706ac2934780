"""The one place where asyncio and trio meet."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio

from plughost.errors import HostStoppingError
from plughost.gateway.bridge import TrioPort


async def in_asyncio(main: Callable[[TrioPort], Awaitable[Any]]) -> Any:
    """Run *main* in a thread with a loop of its own, and return its result."""
    async with trio.open_nursery() as nursery:
        port = TrioPort(trio.lowlevel.current_trio_token(), nursery)

        async def run() -> Any:
            return await main(port)

        with trio.fail_after(30):
            return await trio.to_thread.run_sync(asyncio.run, run())


async def test_a_result_comes_back_and_the_work_was_done_in_trio() -> None:
    async def work(a: int, b: int) -> tuple[int, str]:
        await trio.lowlevel.checkpoint()
        return a + b, threading.current_thread().name

    result = await in_asyncio(lambda port: port.call(work, 2, 3))

    assert result == (5, threading.current_thread().name)


async def test_an_error_comes_back_as_itself() -> None:
    async def work() -> None:
        raise KeyError("mine")

    async def main(port: TrioPort) -> None:
        with pytest.raises(KeyError, match="mine"):
            await port.call(work)

    await in_asyncio(main)


async def test_a_caller_that_leaves_cancels_the_trio_half_and_waits_for_its_end() -> None:
    steps: list[str] = []
    begun = threading.Event()

    async def work() -> None:
        try:
            steps.append("began")
            begun.set()
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await trio.lowlevel.checkpoint()
            steps.append("ended")

    async def leave(port: TrioPort) -> None:
        task = asyncio.ensure_future(port.call(work))
        await asyncio.to_thread(begun.wait, 30)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert steps == ["began", "ended"]

    await in_asyncio(leave)


async def test_a_cancelled_trio_half_cancels_its_caller() -> None:
    async def main(port: TrioPort) -> str:
        async def work() -> None:
            port.nursery.cancel_scope.cancel()
            await trio.sleep_forever()

        try:
            await port.call(work)
        except asyncio.CancelledError:
            return "cancelled"
        return "not cancelled"

    async with trio.open_nursery() as nursery:
        port = TrioPort(trio.lowlevel.current_trio_token(), nursery)
        with trio.CancelScope(shield=True), trio.fail_after(30):
            result = await trio.to_thread.run_sync(asyncio.run, main(port))

    assert result == "cancelled"


async def test_a_call_after_the_nursery_closed_is_refused_and_kills_nobody() -> None:
    async def work() -> None:
        raise AssertionError("must not run")

    async with trio.open_nursery() as nursery:
        port = TrioPort(trio.lowlevel.current_trio_token(), nursery)

    with trio.fail_after(30), pytest.raises(HostStoppingError):
        await trio.to_thread.run_sync(asyncio.run, port.call(work))


def test_a_call_after_trio_ended_is_refused() -> None:
    async def open_and_close() -> TrioPort:
        async with trio.open_nursery() as nursery:
            return TrioPort(trio.lowlevel.current_trio_token(), nursery)

    async def work() -> None:
        raise AssertionError("must not run")

    port = trio.run(open_and_close)

    with pytest.raises(HostStoppingError):
        asyncio.run(port.call(work))


async def test_a_hundred_calls_cross_at_once_each_to_its_caller() -> None:
    async def work(number: int) -> int:
        await trio.sleep(0.01 * (number % 3))
        return number * number

    async def main(port: TrioPort) -> list[int]:
        return await asyncio.gather(*(port.call(work, number) for number in range(100)))

    assert await in_asyncio(main) == [number * number for number in range(100)]
