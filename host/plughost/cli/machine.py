"""What does this machine have that plugins need?"""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import attrs

__all__ = ["Node", "cgroup_memory_limit", "find_node", "limit_of", "package_version", "program"]

# The oldest version that the SDK is tested with; README, "Requirements".
_NODE_MAJOR: Final = 20

# A cold node after boot has been seen to take 20 s.
_PROBE_S: Final = 60.0

_NODE_HINT: Final = (
    "Install Node.js 20 or newer (Debian: `apt install nodejs`, or https://nodejs.org); "
    "Node plugins work then, everything else works without."
)


@attrs.frozen
class Node:
    """The node that plugins would run on.

    Attributes:
        path: Where it is; None if it is nowhere.
        version: As it says itself, without the ``v``.
        problem: Why Node plugins cannot run; empty if they can.
        hint: What to do about it.
    """

    path: str | None
    version: str
    problem: str = ""
    hint: str = ""


def find_node(environ: Mapping[str, str]) -> Node:
    """Return the node on *environ*'s PATH."""
    path = shutil.which("node", path=environ.get("PATH"))
    if path is None:
        return Node(None, "", "there is no `node` on PATH", _NODE_HINT)
    said = _first_line(path, "--version")
    found = re.fullmatch(r"v([0-9]+)\.\S+", said)
    if found is None:
        return Node(path, "", f"{path} does not say its version: {said!r}", _NODE_HINT)
    if int(found[1]) < _NODE_MAJOR:
        return Node(path, said[1:], f"{path} is version {said[1:]}", _NODE_HINT)
    return Node(path, said[1:])


def program(name: str) -> str | None:
    """Return the path of *name*, or None."""
    return shutil.which(name)


def package_version(name: str) -> str | None:
    """Return the version of an installed Python package, or None."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def limit_of(number: int) -> str:
    """Return the hard resource limit *number*, which no plugin can be given more than."""
    _, hard = resource.getrlimit(number)
    return "unlimited" if hard == resource.RLIM_INFINITY else str(hard)


def cgroup_memory_limit() -> str:
    """Return what the control group of this process says about memory, in words."""
    try:
        path = Path("/proc/self/cgroup").read_text(encoding="utf-8")
    except OSError:
        return "no control groups"
    own = next((line[3:] for line in path.splitlines() if line.startswith("0::")), None)
    if own is None:
        return "control groups v1"
    return f"control groups v2, {_memory_max(own)}"


def _memory_max(own: str) -> str:
    """Return the smallest limit from our group up to the root."""
    group = Path("/sys/fs/cgroup") / own.lstrip("/")
    limits: list[int] = []
    for each in (group, *group.parents):
        try:
            text = (each / "memory.max").read_text(encoding="utf-8").strip()
        except OSError:
            continue
        if text.isdecimal():
            limits.append(int(text))
    writable = os.access(group, os.W_OK) and (group / "cgroup.procs").exists()
    own_words = "may make groups of its own" if writable else "may not make groups"
    memory = f"at most {min(limits) // 2**20} MiB of memory" if limits else "no memory limit"
    return f"{memory}, {own_words}"


def _first_line(*command: str) -> str:
    try:
        said = subprocess.run(
            command, capture_output=True, timeout=_PROBE_S, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as wrong:
        return str(wrong)
    return said.stdout.decode("utf-8", "replace").partition("\n")[0].strip()
