from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio
import trio.testing
from trio.testing import MockClock

from plughost.errors import PeerError
from plughost.process.pump import WRITE_STALL_S, Pump


@pytest.fixture
def pipes() -> Iterator[tuple[Pump, int, int]]:
    """A pump, and the two ends a plugin would have."""
    plugin_reads, to_plugin = os.pipe()
    from_plugin, plugin_writes = os.pipe()
    for fd in (to_plugin, from_plugin):
        os.set_blocking(fd, False)
    yield Pump(to_plugin, from_plugin), plugin_reads, plugin_writes
    for fd in (plugin_reads, to_plugin, from_plugin, plugin_writes):
        if Path(f"/proc/self/fd/{fd}").exists():
            os.close(fd)


async def test_a_small_message_is_written_at_once(pipes: tuple[Pump, int, int]) -> None:
    pump, plugin_reads, _ = pipes

    pump.send(b"hello\n", at_once=True)

    assert os.read(plugin_reads, 99) == b"hello\n"
    assert pump.sent_bytes == 6


async def test_what_several_tasks_send_in_one_turn_leaves_in_one_write(
    pipes: tuple[Pump, int, int],
) -> None:
    pump, plugin_reads, _ = pipes
    async with trio.open_nursery() as nursery:
        nursery.start_soon(pump.write_forever)
        await trio.testing.wait_all_tasks_blocked()
        for number in range(3):
            pump.send(b"%d\n" % number, at_once=False)
        os.set_blocking(plugin_reads, False)
        with pytest.raises(BlockingIOError):
            os.read(plugin_reads, 99)

        await trio.testing.wait_all_tasks_blocked()

        assert os.read(plugin_reads, 99) == b"0\n1\n2\n"
        nursery.cancel_scope.cancel()


async def test_a_message_larger_than_the_pipe_arrives_whole_and_in_order(
    pipes: tuple[Pump, int, int],
) -> None:
    pump, plugin_reads, _ = pipes
    fcntl.fcntl(plugin_reads, fcntl.F_SETPIPE_SZ, 4096)
    big = bytes(range(256)) * 400
    received = b""
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(pump.write_forever)
            pump.send(big, at_once=True)
            pump.send(b"after", at_once=True)
            while len(received) < len(big) + 5:
                await trio.lowlevel.wait_readable(plugin_reads)
                received += os.read(plugin_reads, 4096)
            nursery.cancel_scope.cancel()

    assert received == big + b"after"


async def test_a_child_that_stops_reading_is_found_out(
    pipes: tuple[Pump, int, int], autojump_clock: MockClock
) -> None:
    pump, _, _ = pipes
    start = trio.current_time()

    pump.send(b"x" * 200_000, at_once=True)
    with pytest.raises(PeerError, match="has not read its input for 5 s") as caught:
        await pump.write_forever()

    assert trio.current_time() - start == pytest.approx(WRITE_STALL_S)
    assert caught.value.facts["unsent_bytes"] == 200_000 - pump.sent_bytes


async def test_reading_ends_with_the_other_side(pipes: tuple[Pump, int, int]) -> None:
    pump, _, plugin_writes = pipes
    os.write(plugin_writes, b"abc")
    assert await pump.receive() == b"abc"

    os.close(plugin_writes)

    assert await pump.receive() == b""
    assert pump.received_bytes == 3


async def test_writing_to_a_closed_end_is_silent(pipes: tuple[Pump, int, int]) -> None:
    pump, plugin_reads, _ = pipes
    os.close(plugin_reads)

    pump.send(b"x", at_once=True)
    pump.send(b"y", at_once=True)

    assert pump.sent_bytes == 0


async def test_a_closed_pump_writes_nothing(pipes: tuple[Pump, int, int]) -> None:
    pump, plugin_reads, _ = pipes
    pump.close()

    pump.send(b"x", at_once=True)

    os.set_blocking(plugin_reads, False)
    with pytest.raises(BlockingIOError):
        os.read(plugin_reads, 1)
