"""Contract: contracts/wire/README.md §8."""

from __future__ import annotations

import os

import trio
from hypothesis import given
from hypothesis import strategies as st

from plughost.process.log import (
    BYTES_PER_S,
    LINE_BYTES,
    RING_BYTES,
    TAIL_BYTES,
    LogRing,
    drain,
    drain_rest,
)


@given(st.lists(st.text(alphabet="ab é", min_size=1), max_size=6), st.integers(1, 7))
def test_any_chunking_yields_the_same_lines(lines: list[str], size: int) -> None:
    data = "".join(f"{line}\n" for line in lines).encode()
    ring = LogRing()

    found = [
        line
        for at in range(0, len(data), size)
        for line in ring.feed(data[at : at + size], now=0.0)
    ]

    assert found == ring.lines() == lines


def test_the_ring_holds_no_more_than_its_size() -> None:
    ring = LogRing()
    for _ in range(200):
        ring.feed(b"x" * 1023 + b"\n", now=0.0)

    assert sum(map(len, ring.lines())) <= RING_BYTES
    assert len(ring.tail()) <= TAIL_BYTES


def test_a_long_line_is_cut_once_and_its_rest_dropped() -> None:
    ring = LogRing()
    found = ring.feed(b"y" * (LINE_BYTES + 1), now=0.0)
    found += ring.feed(b"y" * LINE_BYTES, now=0.0)
    found += ring.feed(b"\nnext\n", now=0.0)

    assert found == ["y" * LINE_BYTES, "next"]
    assert ring.cut_lines == 1


def test_a_flood_is_dropped_and_counted_until_the_next_second() -> None:
    ring = LogRing()
    ring.feed(b"z" * BYTES_PER_S, now=1.0)
    ring.feed(b"lost\n", now=1.9)
    assert ring.dropped_bytes == 5

    assert ring.feed(b"\nback\n", now=2.0) == ["back"]


def test_a_last_line_without_its_end_is_kept() -> None:
    ring = LogRing()
    ring.feed(b"Segmentation fault", now=0.0)

    assert ring.finish() == ["Segmentation fault"]
    assert ring.tail() == "Segmentation fault"
    assert ring.finish() == []


def test_what_is_not_utf8_is_shown_as_well_as_can_be() -> None:
    assert LogRing().feed(b"a\xffb\r\n", now=0.0) == ["a\ufffdb"]


async def test_draining_ends_with_the_pipe() -> None:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    seen: list[str] = []
    ring = LogRing()
    with trio.fail_after(5):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(drain, reading, ring, seen.append)
            await trio.testing.wait_all_tasks_blocked()
            os.write(writing, b"one\ntwo")
            await trio.testing.wait_all_tasks_blocked()
            os.close(writing)
    os.close(reading)

    assert seen == ["one", "two"]


async def test_the_last_words_are_read_without_waiting_for_whoever_holds_the_pipe() -> None:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.write(writing, b"first\nlast words")
    seen: list[str] = []

    drain_rest(reading, LogRing(), seen.append)

    assert seen == ["first", "last words"]
    os.close(writing)
    os.close(reading)
