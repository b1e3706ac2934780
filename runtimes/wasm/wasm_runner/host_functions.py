"""How do host functions reach a guest?

Ours take the offset of a JSON object (0: an empty one) and return the offset of `{"ok": value}` or
`{"error": {"type", "message"}}`; Extism's own keep the signatures its PDKs expect.
"""

from __future__ import annotations

import time

from plughost_sdk.errors import Cancelled, HostError
from plughost_sdk.jsontext import NotJsonError, dumps, encode, parse
from wasm_runner.context import ASKED
from wasm_runner.extism_functions import EXTISM_FUNCTIONS
from wasm_runner.library import HostFunction

TYPE_CHECKING = False  # `typing` costs 10 ms, which every start would pay
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from wasm_runner.call import GuestCall
    from wasm_runner.context import Answer
    from wasm_runner.extism_functions import Body
    from wasm_runner.library import GuestMemory, Implementation
    from wasm_runner.pool import Lease

__all__ = ["host_functions"]

# Where the imports of a PDK's user functions and of Extism's own lead.
USER_NAMESPACE = "extism:host/user"
EXTISM_NAMESPACE = "extism:host/env"

# How a binary begins (WebAssembly core specification, 5.5.16).
BINARY_MAGIC = b"\0asm"


def host_functions(lease: Lease, source: bytes) -> list[HostFunction]:
    """Return the functions for the module *source*, to be called while *lease* is held.

    Linking costs 2 us for each function and instance, so a function whose name does not occur in a
    binary is left out; the text form may spell names with escapes, and gets them all.
    """
    binary = source.startswith(BINARY_MAGIC)

    def wanted(name: str) -> bool:
        return not binary or name.encode() in source

    ours = [
        HostFunction(name, "i64", "i64", _guarded(lease, _answering(answer)), USER_NAMESPACE)
        for name, answer in ASKED.items()
        if wanted(name)
    ]
    extisms = [
        HostFunction(name, parameters, result, _guarded(lease, body), EXTISM_NAMESPACE)
        for name, (parameters, result, body) in EXTISM_FUNCTIONS.items()
        if wanted(name)
    ]
    return ours + extisms


def _answering(answer: Answer) -> Body:
    """Put *answer* into the convention of our own functions."""

    def run(call: GuestCall, memory: GuestMemory, values: Sequence[int]) -> int:
        try:
            value = answer(call, _request(memory, values[0]))
            return memory.write(b'{"ok":%s}' % encode(value, "ok"))
        except (HostError, NotJsonError, ValueError, TypeError) as exc:
            # ValueError and TypeError: what the SDK says to a value it cannot use.
            kind = exc.type if isinstance(exc, HostError) else "invalid-arguments"
            error = {"type": kind, "message": str(exc)}
            return memory.write(dumps({"error": error}))

    return run


def _request(memory: GuestMemory, offset: int) -> dict[str, Any]:
    if offset == 0:
        return {}
    try:
        request = parse(memory.read(offset))
    except ValueError as exc:
        raise HostError(f"the request: {exc}", type="invalid-arguments") from None
    if not isinstance(request, dict):
        raise HostError("the request is not a JSON object", type="invalid-arguments")
    return request


def _guarded(lease: Lease, body: Body) -> Implementation:
    """Let nothing escape from *body*: what calls it is C, which cannot carry an exception.

    The guest is ended instead, and the exception raised where the guest was called.
    """

    def implementation(memory: GuestMemory, values: Sequence[int]) -> int:
        call = lease.call
        # For a start function the library has no memory to show (see `Guest.begin`).
        if call is None or not call.attached:
            return 0
        call.enter_host()
        try:
            return body(call, memory, values)
        except (Exception, Cancelled) as exc:  # noqa: BLE001 - see above
            call.fail(exc, time.monotonic())
            return 0
        finally:
            call.leave_host(time.monotonic())

    return implementation
