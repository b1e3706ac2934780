"""Which compiled module does a call run in?

Extism interrupts every call of an engine at once, so two calls never share one: an engine is
leased, and a second one is compiled when calls overlap.
"""

from __future__ import annotations

from _thread import allocate_lock

TYPE_CHECKING = False  # `typing` costs 10 ms, which every start would pay
if TYPE_CHECKING:
    from collections.abc import Callable

    from wasm_runner.call import GuestCall
    from wasm_runner.library import Engine

__all__ = ["EnginePool", "Lease"]

# Engines kept for the next calls: one takes 5 ms and more to compile, and 0.1 MB and more to keep.
MAX_IDLE = 4


class Lease:
    """An engine, and the one call that may run in it.

    Attributes:
        call: The call; None before it started. Host functions find it here.
    """

    def __init__(self, compile_engine: Callable[[Lease], Engine]) -> None:
        self.call: GuestCall | None = None
        self.engine = compile_engine(self)


class EnginePool:
    """Engines of one module."""

    def __init__(self, compile_engine: Callable[[Lease], Engine]) -> None:
        """Start empty.

        Args:
            compile_engine: Compiles the module, with host functions for the lease.
        """
        self._compile_engine = compile_engine
        self._idle: list[Lease] = []
        self._lock = allocate_lock()

    def take(self) -> Lease:
        """Lend an engine that no other call uses, until `give_back`."""
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return Lease(self._compile_engine)

    def give_back(self, lease: Lease) -> None:
        """Take an engine back; its call's instance must be closed."""
        call, lease.call = lease.call, None
        # An interruption that is still on its way would end the next call instead.
        interrupted = call is not None and call.reason is not None
        with self._lock:
            keep = not interrupted and len(self._idle) < MAX_IDLE
            if keep:
                self._idle.append(lease)
        if not keep:
            lease.engine.close()
