"""How is an exported function of the plugin's module called?

In a fresh instance each time, so that nothing stays from one call to the next, watched by the
watchdog, in an engine of its own.
"""

from __future__ import annotations

import time

from wasm_runner.call import GuestCall
from wasm_runner.host_functions import host_functions
from wasm_runner.library import Engine, GuestFailure
from wasm_runner.pool import EnginePool
from wasm_runner.traps import Trap, trap_of
from wasm_runner.watchdog import Watchdog

TYPE_CHECKING = False  # `typing` costs 10 ms, which every start would pay
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from wasm_runner.library import Guest
    from wasm_runner.pool import Lease

    T = TypeVar("T")

__all__ = ["GuestError", "GuestModule", "Interrupted"]

# What the first instance is called, and its time: half of the ten seconds a plugin has to start.
LINKING = "linking"
LINK_LIMIT_S = 5.0

# WASI's functions come from here; an import's name stands in a module as it is.
WASI_NAMESPACE = b"wasi_snapshot_preview1"


# Every export the contract knows (contracts/wire/wasm.md, sections 2 and 3).
EXPORTS = (
    "describe",
    "handle_tool_call",
    "on_init",
    "on_cleanup",
    "on_event",
    "on_hook",
    "parse_incoming",
    "format_outgoing",
)


class GuestError(Exception):
    """The guest ended without an answer; `trap` says why."""

    def __init__(self, trap: Trap) -> None:
        super().__init__(trap.what)
        self.trap = trap


class Interrupted(Exception):  # noqa: N818 - named like the state it reports
    """The guest was ended because its caller withdrew the call."""


class GuestModule:
    """The plugin's module, compiled.

    Attributes:
        exports: Which of `EXPORTS` it has, with the right signature.
        settings: The plugin's settings, once the host has sent them.
    """

    def __init__(self, source: bytes, *, max_pages: int, give_up: Callable[[str], None]) -> None:
        """Compile *source*, and link it once to see that it can be.

        Args:
            source: The binary or the text form of a module.
            max_pages: Memory for one instance, in pages of 64 KiB.
            give_up: Told the name of a call that cannot be interrupted; must not return.

        Raises:
            LoadFailure: It is no module, or imports what is not offered.
        """
        self.settings: dict[str, Any] = {}
        self._source = source
        self._max_pages = max_pages
        self._wasi = WASI_NAMESPACE in source
        self._pool = EnginePool(self._compile)
        self._watchdog = Watchdog(give_up)
        self.exports: frozenset[str] = frozenset()
        self._in_guest(self._call(LINKING, limit_s=LINK_LIMIT_S), self._look_at_exports)

    def run(
        self,
        export: str,
        request: bytes,
        *,
        name: str = "",
        context: Any = None,
        long_running: bool = False,
        limit_s: float | None = None,
    ) -> bytes:
        """Call *export* in a fresh instance and return its output.

        Args:
            export: Name of an exported function.
            request: Its input.
            name: What to call it in messages; its own name if empty.
            context: The SDK's context of the call being served, if there is one.
            long_running: Whether progress extends the deadline.
            limit_s: Time to give it if the context sets no deadline.

        Raises:
            GuestError: It trapped, reported an error, or ran out of time or memory.
            Interrupted: Its caller withdrew the call.
        """
        call = self._call(
            name or export, context=context, long_running=long_running, limit_s=limit_s
        )
        try:
            output = self._in_guest(call, lambda guest: guest.call(export, request))
        except GuestFailure as failure:
            raise _explained(call, failure) from None
        if call.failure is not None:
            raise call.failure
        return output

    def _call(
        self,
        name: str,
        *,
        context: Any = None,
        long_running: bool = False,
        limit_s: float | None = None,
    ) -> GuestCall:
        return GuestCall(
            name,
            context=context,
            settings=self.settings,
            now=time.monotonic(),
            long_running=long_running,
            limit_s=limit_s,
        )

    def _in_guest(self, call: GuestCall, use: Callable[[Guest], T]) -> T:
        """Return what *use* makes of a fresh instance, watched as *call*."""
        lease = self._pool.take()
        lease.call = call
        self._watchdog.add(call)
        try:
            # Linking runs the start function, too, so it is watched as well.
            guest = lease.engine.instantiate()
            try:
                guest.begin()
                call.attach(guest)
                return use(guest)
            finally:
                self._watchdog.remove(call)  # before the instance goes: no interruption after it
                guest.close()
        finally:
            self._watchdog.remove(call)
            self._pool.give_back(lease)

    def _look_at_exports(self, guest: Guest) -> None:
        self.exports = frozenset(name for name in EXPORTS if guest.exports(name))

    def _compile(self, lease: Lease) -> Engine:
        functions = host_functions(lease, self._source)
        return Engine(self._source, functions, max_pages=self._max_pages, wasi=self._wasi)


def _explained(call: GuestCall, failure: GuestFailure) -> BaseException:
    """Return the exception that says why *call* ended with *failure*."""
    if call.failure is not None:
        return call.failure
    if call.reason == "cancelled":
        return Interrupted()
    if call.reason == "deadline":
        allowed = f"{call.allowed_s:.3g}" if call.allowed_s is not None else "?"
        return GuestError(Trap("DeadlineExceeded", f"did not end within {allowed} s"))
    return GuestError(trap_of(failure))
