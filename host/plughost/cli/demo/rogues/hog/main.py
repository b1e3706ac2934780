# ruff: noqa: INP001 - a plugin is a folder with an entry file
"""A plugin that takes all the memory it can get."""

from __future__ import annotations

import os

from plughost_sdk import Plugin

plugin = Plugin()

# Small against the limit, so that the limit stops it and not one huge request.
PIECE_BYTES = 1024 * 1024


@plugin.tool
def swallow(gigabytes: int = 64) -> int:
    """Fill memory, and keep it, until nothing is left.

    Args:
        gigabytes: When to stop, should nobody else stop it.
    """
    hoard = [bytearray(PIECE_BYTES) for _ in range(gigabytes * 1024)]
    return len(hoard)


@plugin.tool
def alive() -> int:
    """Return the id of the process that answers."""
    return os.getpid()


plugin.run()
