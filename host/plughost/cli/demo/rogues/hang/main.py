# ruff: noqa: INP001 - a plugin is a folder with an entry file
"""A plugin that spins for ever and listens to nobody."""

from __future__ import annotations

import os
import signal

from plughost_sdk import Plugin

plugin = Plugin()

# Only SIGKILL ends it now; that takes no permission.
signal.signal(signal.SIGTERM, signal.SIG_IGN)


@plugin.tool
def spin() -> str:
    """Use a processor for ever."""
    while True:
        pass


@plugin.tool
def alive() -> int:
    """Return the id of the process that answers."""
    return os.getpid()


plugin.run()
