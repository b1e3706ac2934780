"""Run plugins you do not trust, in any of four languages, one process each."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["Host"]


def __getattr__(name: str) -> Any:
    # Lazy, so that `plughost --help` and error handling do not import trio.
    if name == "Host":
        return import_module("plughost.host").Host
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
