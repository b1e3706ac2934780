"""Where contracts/, runtimes/, plugins/ and rules/ are on this machine.

A wheel carries them inside the package, as ``plughost/_share/``; a checkout
has them at its top level.  Callers never know which.  They are real files in
both cases, because child interpreters must open them, so the package is not
zip-safe.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

__all__ = ["share_dir"]


@cache
def share_dir() -> Path:
    """Return the folder that holds contracts/, runtimes/, plugins/ and rules/."""
    package = Path(__file__).resolve().parent
    installed = package / "_share"
    if installed.is_dir():
        return installed
    return package.parent.parent
