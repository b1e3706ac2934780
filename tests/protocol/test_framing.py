"""Contract: contracts/wire/README.md §2."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plughost.protocol.framing import ENDLESS, HEAD_BYTES, Framer, Oversize

lines = st.lists(
    st.binary(min_size=1, max_size=40).filter(
        lambda line: b"\n" not in line and not line.isspace()
    ),
    max_size=8,
)


def cut(wire: bytes, at: list[int]) -> list[bytes]:
    cuts = sorted(min(each, len(wire)) for each in at)
    return [wire[a:b] for a, b in zip([0, *cuts], [*cuts, len(wire)], strict=True)]


@given(lines, st.lists(st.integers(0, 400), max_size=8))
def test_any_chunking_yields_the_same_lines(lines: list[bytes], at: list[int]) -> None:
    framer = Framer()

    found = [
        line
        for chunk in cut(b"".join(line + b"\n" for line in lines), at)
        for line in framer.receive(chunk)
    ]

    assert [line.strip(b"\n") for line in found if isinstance(line, bytes)] == lines


@given(
    st.lists(st.integers(1, 60), max_size=6),
    st.lists(st.integers(0, 400), max_size=8),
)
def test_any_chunking_drops_the_same_oversize_lines(sizes: list[int], at: list[int]) -> None:
    wire = b"".join(b"x" * size + b"\n" for size in sizes)
    framer = Framer(max_message_bytes=32)

    found = [line for chunk in cut(wire, at) for line in framer.receive(chunk)]

    expected = [
        b"x" * size if size + 1 <= 32 else Oversize(b"x" * size, size + 1) for size in sizes
    ]
    assert [_without_head(each) for each in found] == [_without_head(each) for each in expected]


def _without_head(line: bytes | Oversize) -> bytes | int:
    return line.size_bytes if isinstance(line, Oversize) else line.strip(b"\n")


def test_a_line_of_exactly_the_limit_passes_and_one_more_byte_does_not() -> None:
    framer = Framer(max_message_bytes=8)

    assert framer.receive(b"1234567\n12345678\n") == [b"1234567", Oversize(b"12345678", 9)]


def test_a_long_line_holds_no_more_than_its_head() -> None:
    framer = Framer(max_message_bytes=HEAD_BYTES * 2)
    for _ in range(10):
        assert framer.receive(b"y" * HEAD_BYTES) == []

    assert sum(map(len, framer._chunks)) == 0
    assert framer.receive(b"\n{}\n") == [
        Oversize(b"y" * HEAD_BYTES, 10 * HEAD_BYTES + 1),
        b"{}",
    ]


def test_a_line_without_end_is_reported_again_and_again() -> None:
    framer = Framer(max_message_bytes=10)

    reports = [len(framer.receive(b"z" * 10)) for _ in range(3 * ENDLESS)]

    assert sum(reports) == 3
    assert framer.receive(b"\n{}\n")[-1] == b"{}"


@pytest.mark.parametrize("blank", [b"\n", b"\r\n", b"  \n", b"\n\n\n"])
def test_blank_lines_are_ignored(blank: bytes) -> None:
    framer = Framer()
    assert framer.receive(blank) == []
    assert framer.receive(blank + b"{}\n") == [b"{}"]
