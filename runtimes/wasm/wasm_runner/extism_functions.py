"""What do Extism's own logging, configuration, variable and HTTP functions do here?

Every Extism PDK has calls for them, so they lead to our context (contracts/wire/wasm.md, section
6): logging to `ctx.log`, configuration to the plugin's settings, HTTP to `ctx.http`.  Extism's own
are never reached.  Its HTTP follows redirects out of its list of allowed hosts; and from a start
function each of them follows a pointer that does not point to the instance any more.
"""

from __future__ import annotations

from plughost_sdk.errors import HostError
from plughost_sdk.jsontext import dumps, parse

TYPE_CHECKING = False  # `typing` costs 10 ms, which every start would pay
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeAlias

    from wasm_runner.call import GuestCall
    from wasm_runner.library import GuestMemory

    Body: TypeAlias = Callable[[GuestCall, GuestMemory, Sequence[int]], int]

__all__ = ["EXTISM_FUNCTIONS"]

# A PDK skips what is below this; the host decides which levels it wants.  1 is debug
# (extism's runtime/src/pdk.rs, log_level_to_int).
LOG_LEVEL_DEBUG = 1


def _logging(level: str) -> Body:
    def run(call: GuestCall, memory: GuestMemory, values: Sequence[int]) -> int:
        if call.context is not None:
            call.context.log(memory.read(values[0]).decode(errors="replace"), level)
        return 0

    return run


def _get_log_level(call: GuestCall, memory: GuestMemory, values: Sequence[int]) -> int:
    return LOG_LEVEL_DEBUG


def _config_get(call: GuestCall, memory: GuestMemory, values: Sequence[int]) -> int:
    """Return the setting of a name: text as it is, anything else as JSON, 0 if there is none."""
    value = call.settings.get(memory.read(values[0]).decode(errors="replace"))
    if value is None:
        return 0
    return memory.write(value.encode() if isinstance(value, str) else dumps(value))


def _var_get(call: GuestCall, memory: GuestMemory, values: Sequence[int]) -> int:
    return memory.write(call.variables.get(memory.read(values[0]), b""))


def _var_set(call: GuestCall, memory: GuestMemory, values: Sequence[int]) -> int:
    """Set a variable of this call; a value at 0 removes it."""
    key = memory.read(values[0])
    call.variables.pop(key, None)
    if values[1] == 0:
        return 0
    value = memory.read(values[1])
    size = sum(len(name) + len(kept) for name, kept in call.variables.items())
    if size + len(key) + len(value) > VARIABLES_BYTES:
        raise MemoryError(f"its variables need more than {VARIABLES_BYTES} bytes")
    call.variables[key] = value
    return 0


def _http_request(call: GuestCall, memory: GuestMemory, values: Sequence[int]) -> int:
    """Make the request `{url, method, headers}` with a body; a failure ends the guest."""
    request: Any = parse(memory.read(values[0]))
    if call.context is None:
        raise HostError(
            f"`{call.name}` is not called for anyone, so there is no host to ask",
            type="permission-denied",
        )
    body = memory.read(values[1]) or None
    response = call.context.http(
        request.get("method") or "GET", request["url"], request.get("headers"), body
    )
    call.http_status = response.status
    call.http_headers = response.headers
    return memory.write(response.body)


def _http_status_code(call: GuestCall, memory: GuestMemory, values: Sequence[int]) -> int:
    return call.http_status


def _http_headers(call: GuestCall, memory: GuestMemory, values: Sequence[int]) -> int:
    return memory.write(dumps(call.http_headers))


# Extism's own default for all variables together (runtime/src/pdk.rs, var_set).
VARIABLES_BYTES = 1024 * 1024

# Name, types of the parameters, type of the result, what it does.
EXTISM_FUNCTIONS: dict[str, tuple[str, str, Body]] = {
    "log_trace": ("i64", "", _logging("debug")),
    "log_debug": ("i64", "", _logging("debug")),
    "log_info": ("i64", "", _logging("info")),
    "log_warn": ("i64", "", _logging("warning")),
    "log_error": ("i64", "", _logging("error")),
    "get_log_level": ("", "i32", _get_log_level),
    "config_get": ("i64", "i64", _config_get),
    "var_get": ("i64", "i64", _var_get),
    "var_set": ("i64 i64", "", _var_set),
    "http_request": ("i64 i64", "i64", _http_request),
    "http_status_code": ("", "i32", _http_status_code),
    "http_headers": ("", "i64", _http_headers),
}
