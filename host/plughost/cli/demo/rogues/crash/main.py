# ruff: noqa: INP001 - a plugin is a folder with an entry file
"""A plugin that dies in the middle of a call, as native code does."""

from __future__ import annotations

import os
import signal

from plughost_sdk import Plugin

plugin = Plugin()


@plugin.tool
def fall() -> str:
    """End this process by a segmentation fault."""
    os.kill(os.getpid(), signal.SIGSEGV)
    signal.pause()
    return "never said"


@plugin.tool
def alive() -> int:
    """Return the id of the process that answers."""
    return os.getpid()


plugin.run()
