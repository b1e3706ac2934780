"""What a child is born with: program, environment, folder, descriptors, limits.

A `Launch` is a value; `guard.Guard.spawn` carries it out.
"""

from __future__ import annotations

import re
import resource
from collections.abc import Iterable, Mapping
from enum import Enum
from pathlib import Path
from typing import Final

import attrs

__all__ = ["Launch", "Limit", "Wire", "environment", "limits"]

# docs/reference/defaults.md: what a login gives every program, and nothing that carries
# a secret.  The same six names as MCP's Python SDK, and the locale.
_ALLOWED_NAMES: Final = frozenset(
    {"HOME", "LOGNAME", "PATH", "SHELL", "TERM", "USER", "LANG", "TZ"}
)
_ALLOWED_PATTERN: Final = re.compile(r"LC_[A-Z]+")

# Without PATH the shell's own default is unpredictable; this is Debian's for users.
_DEFAULT_PATH: Final = "/usr/local/bin:/usr/bin:/bin"

_MIB: Final = 1024 * 1024

# A sandboxed plugin writes small files; 64 MiB stops a disk from being filled by one.
_FILE_SIZE_BYTES: Final = 64 * _MIB


class Wire(Enum):
    """On which descriptors the child finds the wire (contracts/wire/README.md §1)."""

    STDIO = "stdio"
    PRIVATE = "private"


@attrs.frozen
class Limit:
    """One resource limit; soft and hard are the same."""

    resource: int
    value: int


@attrs.frozen(kw_only=True)
class Launch:
    """How to start one child.

    Attributes:
        argv: Program and arguments; the program is looked up on ``env["PATH"]``.
        env: The child's whole environment.
        cwd: Where it starts.
        wire: Which descriptors carry the wire.
        limits: Set between fork and exec.
        oom_score_adj: Added to the kernel's badness: the host is to outlive its plugins.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    wire: Wire
    limits: tuple[Limit, ...] = ()
    oom_score_adj: int = 500


def environment(
    source: Mapping[str, str], declared: Iterable[str] = (), **added: str
) -> dict[str, str]:
    """Return the allowed part of *source*, the *declared* names, and what is *added*.

    Args:
        source: Usually ``os.environ``.
        declared: Names the manifest asked for (``permissions.env``).
        added: What the host itself tells the plugin.
    """
    wanted = set(declared)
    env = {
        name: value
        for name, value in source.items()
        # A value that starts like a function is how Shellshock came in.
        if not value.startswith("()")
        and (name in _ALLOWED_NAMES or name in wanted or _ALLOWED_PATTERN.fullmatch(name))
    }
    env.setdefault("PATH", _DEFAULT_PATH)
    return env | added


def limits(*, memory_mb: int, open_files: int) -> tuple[Limit, ...]:
    """Return the limits of one process of a plugin.

    RLIMIT_DATA, not RLIMIT_AS: V8 and wasmtime reserve gigabytes of address
    space they never touch, and since Linux 4.7 RLIMIT_DATA counts private
    writable mappings (docs/decisions/0003).

    Args:
        memory_mb: MiB of private writable memory.
        open_files: Descriptors.
    """
    return (
        Limit(resource.RLIMIT_DATA, memory_mb * _MIB),
        Limit(resource.RLIMIT_NOFILE, open_files),
        Limit(resource.RLIMIT_FSIZE, _FILE_SIZE_BYTES),
        Limit(resource.RLIMIT_CORE, 0),
    )
