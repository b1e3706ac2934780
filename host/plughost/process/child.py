"""One child and everything it spawned, bound to a `with` block."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import attrs
import trio

from plughost.process.guard import Guard, Spawned
from plughost.process.launch import Launch

__all__ = ["StopPolicy", "open_child", "stop_child"]

# SIGKILL is not refused; this bounds a process stuck in the kernel.
_REAP_S: Final = 2.0


@attrs.frozen(kw_only=True)
class StopPolicy:
    """Seconds a child gets at each step of the stop ladder (wire §11.1).

    Attributes:
        after_shutdown_s: To answer ``plughost/shutdown``; the session's step,
            taken before the block is left.
        after_eof_s: To exit after its input has ended.
        after_sigterm_s: To exit after SIGTERM.
    """

    after_shutdown_s: float = 2.0
    after_eof_s: float = 2.0
    after_sigterm_s: float = 3.0

    @property
    def bound_s(self) -> float:
        """How long all steps together may take, from the end of input on."""
        return self.after_eof_s + self.after_sigterm_s + _REAP_S


@asynccontextmanager
async def open_child(
    guard: Guard, launch: Launch, *, stop: StopPolicy | None = None
) -> AsyncIterator[Spawned]:
    """Run a child for as long as the block runs, then stop its whole tree.

    Raises:
        StartError: The program cannot be run.
    """
    policy = stop or StopPolicy()
    spawned = await guard.spawn(launch)
    # No checkpoint between the spawn and this `try`: a cancellation in that
    # gap would leak the child.
    try:
        yield spawned
    finally:
        # Shielded, yet bounded: the sum is the longest a cancelled caller is held up.
        with trio.move_on_after(policy.bound_s, shield=True):
            await stop_child(guard, spawned, policy)
        for fd in (spawned.to_plugin, spawned.from_plugin, spawned.log):
            if fd >= 0:
                os.close(fd)


async def stop_child(guard: Guard, spawned: Spawned, policy: StopPolicy) -> None:
    """Climb the ladder: end of file, SIGTERM, SIGKILL; the guard sweeps the rest.

    The caller bounds the whole by `StopPolicy.bound_s`.  A child that has
    ended costs nothing.
    """
    if spawned.to_plugin >= 0:
        trio.lowlevel.notify_closing(spawned.to_plugin)
        os.close(spawned.to_plugin)
        spawned.to_plugin = -1
    with trio.move_on_after(policy.after_eof_s):
        await spawned.exited.wait()
    if spawned.exit is None:
        # A stopped process acts on SIGTERM only once it runs again.
        guard.signal(spawned, signal.SIGTERM, signal.SIGCONT)
        with trio.move_on_after(policy.after_sigterm_s):
            await spawned.exited.wait()
    if spawned.exit is None:
        guard.signal(spawned, signal.SIGKILL, scope="tree")
        await spawned.exited.wait()
