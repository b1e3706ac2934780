"""How much memory may one guest have?"""

from __future__ import annotations

import resource

__all__ = ["guest_pages"]

# A page of WebAssembly memory, in bytes (WebAssembly core specification, 4.2.8).
PAGE_BYTES = 65536

# What the host sets for a plugin whose manifest says nothing (`memory_mb = 256`); used when the
# runner is started by hand, without a limit.
DEFAULT_LIMIT_BYTES = 256 * 1024 * 1024

# Kept for the runner itself: the stacks of twenty workers (1 MiB each), of the library's five
# threads (2 MiB each) and copies of a message.
RESERVE_BYTES = 32 * 1024 * 1024


# Below this the library may find no room for its threads, and then hangs instead of failing: 16 MiB
# start, 14 do not.
LEAST_LIMIT_BYTES = 24 * 1024 * 1024


def guest_pages(limit_bytes: int | None = None, used_bytes: int | None = None) -> int:
    """Return how many pages a guest may have so that it meets its limit before the process does.

    Args:
        limit_bytes: Data the process may map; None: its RLIMIT_DATA.
        used_bytes: Data it has mapped already; None: as the kernel counts it.

    Raises:
        MemoryError: The limit is too small to load anything.
    """
    if limit_bytes is None:
        limit_bytes = resource.getrlimit(resource.RLIMIT_DATA)[0]
        if limit_bytes == resource.RLIM_INFINITY:
            limit_bytes = DEFAULT_LIMIT_BYTES
    if limit_bytes < LEAST_LIMIT_BYTES:
        raise MemoryError(f"the runner alone needs {LEAST_LIMIT_BYTES >> 20} MiB")
    if used_bytes is None:
        used_bytes = _mapped_data_bytes()
    room = max(0, limit_bytes - used_bytes)
    # A small limit is shared half and half.
    return max(1, (room - min(RESERVE_BYTES, room // 2)) // PAGE_BYTES)


def _mapped_data_bytes() -> int:
    """Return what counts against RLIMIT_DATA; 0 where /proc is missing."""
    try:
        with open("/proc/self/statm", "rb") as file:
            pages = int(file.read().split()[5])
    except OSError:
        return 0
    return pages * resource.getpagesize()
