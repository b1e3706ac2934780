"""Whose message an oversize line was, as far as its head says.

Loaded when a line was too long.
"""

from __future__ import annotations

from plughost_sdk.jsontext import parse

__all__ = ["read_head"]


def read_head(head: bytes) -> tuple[int | str | None, bool]:
    """Return the id in the first bytes of a message, and whether it is a request.

    Writers put the id near the start, before what is long; where they do not, or where
    the id could be part of something deeper, nobody can be told.
    """
    before, found, after = head.partition(b'"id":')
    if not found or before.count(b"{") != 1:
        return None, False
    text = after.split(b",")[0]
    try:
        number = parse(text)
    except ValueError:
        return None, False
    if type(number) is not int and type(number) is not str:
        return None, False
    return number, b'"method":' in head
