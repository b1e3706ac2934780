"""How is Extism's C library called?

Through the cffi binding of the `extism-sys` wheel, not through the `extism` package around it.
That package costs 18 ms for typing, pickle and uuid, dispatches host functions through one global
list, and loses the reason of a trap: Extism's C API reports only where a trap happened, its log
says what it was.  So the log is kept in memory at level `error` and asked after a failure.
"""

from __future__ import annotations

import os
from _thread import allocate_lock
from binascii import b2a_base64

from plughost_sdk.jsontext import dumps

TYPE_CHECKING = False  # `typing` costs 10 ms, which every start would pay
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeAlias

__all__ = ["Engine", "Guest", "GuestFailure", "GuestMemory", "HostFunction", "LoadFailure"]

# Each of wasmtime's compile threads has a 2 MiB stack inside RLIMIT_DATA, and there would be one
# per core of the machine.  Two halve the compile time of a 17 kB module (30 ms to 16).
COMPILE_THREADS = min(2, os.cpu_count() or 1)

# Read by the library when it is loaded, hence before the import below.  Without a cache nothing on
# disk can become native code here; backtraces of wasmtime itself help nobody.
os.environ["EXTISM_CACHE_CONFIG"] = ""
os.environ["RAYON_NUM_THREADS"] = str(COMPILE_THREADS)
os.environ["RUST_BACKTRACE"] = "0"

from extism_sys import ffi, lib  # type: ignore[import-untyped]  # noqa: E402 - the wheel has no types

# A 32-bit memory, such as the one Extism shares with the guest, has no addresses behind this.
ADDRESS_SPACE_BYTES = 1 << 32

# No PDK exports this; a module that did would be called once more, in vain.
NO_FUNCTION = "plughost: begin"

# Offsets have 64 bits and no sign; cffi hands them over with one.
LARGEST_OFFSET = (1 << 64) - 1

# ExtismValType of extism.h.
VALUE_TYPES = {"i32": 0, "i64": 1}

# What a host function is given and returns: values as WebAssembly has them.
if TYPE_CHECKING:
    Implementation: TypeAlias = Callable[["GuestMemory", Sequence[int]], int]


class LoadFailure(Exception):  # noqa: N818 - a fact about a module, explained by `refusals`
    """The module cannot be compiled or linked; the message says why."""


class GuestFailure(Exception):  # noqa: N818 - a fact about a guest, explained by `traps`
    """The guest ended without an answer.

    Attributes:
        text: What Extism said, such as a message of the guest, "timeout" or "oom".
        trace: Extism's log of the failure; it names the trap and the functions it happened in.
    """

    def __init__(self, text: str, trace: str) -> None:
        super().__init__(text)
        self.text = text
        self.trace = trace


class HostFunction:
    """One function a module may import."""

    def __init__(
        self,
        name: str,
        parameters: str,
        result: str,
        run: Implementation,
        namespace: str,
    ) -> None:
        """Describe a function.

        Args:
            name: The import's name.
            parameters: Types of the parameters, separated by spaces.
            result: Type of the result, or "".
            run: Called in the guest's thread; must not raise.
            namespace: The import's module.
        """
        self.name = name
        self.run = run
        self._handle = ffi.new_handle(self)
        self._types = [VALUE_TYPES[word] for word in parameters.split()]
        self._results = [VALUE_TYPES[word] for word in result.split()]
        self._namespace = namespace

    def pointer(self) -> Any:
        """Return a new `ExtismFunction`, for one engine."""
        function = lib.extism_function_new(
            self.name.encode(),
            self._types,
            len(self._types),
            self._results,
            len(self._results),
            _on_host_call,
            self._handle,
            ffi.NULL,
        )
        lib.extism_function_set_namespace(function, self._namespace.encode())
        return function


class GuestMemory:
    """Extism's shared memory, as a host function sees it while it runs."""

    def __init__(self, current: Any) -> None:
        self._current = current

    def read(self, offset: int) -> bytes:
        """Return the block at *offset*; 0 and what is no block are empty."""
        offset &= LARGEST_OFFSET
        length = lib.extism_current_plugin_memory_length(self._current, offset)
        # The guest can write the blocks' headers.  Held to its address space, a wrong length meets
        # the pages wasmtime reserves behind this memory and never the runner's own.
        if not 0 < offset <= offset + length <= ADDRESS_SPACE_BYTES:
            return b""
        base = lib.extism_current_plugin_memory(self._current)
        return bytes(ffi.buffer(base + offset, length))

    def write(self, data: bytes) -> int:
        """Copy *data* into a new block and return its offset; nothing is at 0.

        Raises:
            MemoryError: The guest has no memory left for it.
        """
        if not data:
            return 0
        offset: int = lib.extism_current_plugin_memory_alloc(self._current, len(data))
        if offset == 0:
            raise MemoryError(f"no memory is left for the host's answer of {len(data)} bytes")
        base = lib.extism_current_plugin_memory(self._current)
        ffi.memmove(base + offset, data, len(data))
        return offset


class Engine:
    """One compiled module, and everything needed to make instances of it.

    Extism interrupts by engine: cancelling one instance interrupts every call that runs in an
    instance of the same engine.  So an engine serves one call at a time (see `pool`).
    """

    def __init__(
        self, source: bytes, functions: Sequence[HostFunction], *, max_pages: int, wasi: bool
    ) -> None:
        """Compile *source*, the binary or the text form of a module.

        Raises:
            LoadFailure: It is not WebAssembly.
        """
        # Handed over inside a manifest, the bytes can be nothing but a module: given alone, a text
        # that happens to be a manifest could name files and URLs for the library to fetch.
        manifest = dumps(
            {
                "wasm": [{"data": b2a_base64(source, newline=False).decode()}],
                "memory": {"max_pages": max_pages},
                "allowed_hosts": [],
            }
        )
        pointers = [function.pointer() for function in functions]
        listed = ffi.new("ExtismFunction*[]", pointers) if pointers else ffi.NULL
        self._functions = functions  # the library keeps pointers to them
        error = ffi.new("char**")
        self._pointer = lib.extism_compiled_plugin_new(
            manifest, len(manifest), listed, len(pointers), wasi, error
        )
        for pointer in pointers:
            lib.extism_function_free(pointer)
        if self._pointer == ffi.NULL:
            raise LoadFailure(_taken(error))

    def instantiate(self) -> Guest:
        """Return a fresh instance; `begin` must follow.

        Raises:
            LoadFailure: The module imports something that is not offered.
        """
        error = ffi.new("char**")
        pointer = lib.extism_plugin_new_from_compiled(self._pointer, error)
        if pointer == ffi.NULL:
            raise LoadFailure(_taken(error))
        return Guest(pointer)

    def close(self) -> None:
        """Free the compiled module; its instances must be closed."""
        lib.extism_compiled_plugin_free(self._pointer)


class Guest:
    """One instance of a module, for one thread."""

    def __init__(self, pointer: Any) -> None:
        self._pointer = pointer
        self._cancel = lib.extism_plugin_cancel_handle(pointer)

    def begin(self) -> None:
        """Run the start function, during which no host function may touch the guest's memory.

        Until the first call has passed it, the library holds pointers to where the instance was
        made, on a stack that is gone.  A call of a function that does not exist passes it.

        Raises:
            GuestFailure: The start function failed.
        """
        try:
            self.call(NO_FUNCTION, b"")
        except GuestFailure as failure:
            if failure.text != f"Function not found: {NO_FUNCTION}":
                raise

    def exports(self, name: str) -> bool:
        """Say whether the module has a function *name* without parameters."""
        return bool(lib.extism_plugin_function_exists(self._pointer, name.encode()))

    def call(self, name: str, data: bytes) -> bytes:
        """Call the exported function *name* with *data* as its input and return its output.

        Raises:
            GuestFailure: It trapped, was interrupted, or reported an error.
        """
        pointer = self._pointer
        status = lib.extism_plugin_call(pointer, name.encode(), data, len(data))
        error = lib.extism_plugin_error(pointer)
        if error != ffi.NULL:
            trace = _TRACES.take(bytes(ffi.buffer(lib.extism_plugin_id(pointer), 16)).hex())
            raise GuestFailure(_text(error), trace)
        if status != 0:
            raise GuestFailure(f"`{name}` returned {status}, and set no error", "")
        length = lib.extism_plugin_output_length(pointer)
        return bytes(ffi.buffer(lib.extism_plugin_output_data(pointer), length))

    def interrupt(self) -> None:
        """Stop the call that runs in this instance; may be called from any thread."""
        lib.extism_plugin_cancel(self._cancel)

    def close(self) -> None:
        """Free the instance."""
        lib.extism_plugin_free(self._pointer)


class _Traces:
    """Extism's log lines, by the instance they are about."""

    def __init__(self) -> None:
        self._lock = allocate_lock()
        self._by_instance: dict[str, str] = {}
        lib.extism_log_custom(b"error")

    def take(self, instance: str) -> str:
        """Return what was logged about *instance*, its id in hex."""
        with self._lock:
            lib.extism_log_drain(_on_log_line)
            return self._by_instance.pop(instance, "")

    def keep(self, line: str) -> None:
        # Every line ends with ` plugin="<id>"`; its own thread comes for it.
        text, _, instance = line.rstrip().rpartition(' plugin="')
        self._by_instance[instance.rstrip('"').replace("-", "")] = text


@ffi.callback("void(char*, ExtismSize)")  # type: ignore[untyped-decorator]  # cffi has no types
def _on_log_line(text: Any, length: int) -> None:
    _TRACES.keep(bytes(ffi.buffer(text, length)).decode(errors="replace"))


@ffi.callback(  # type: ignore[untyped-decorator]  # cffi has no types
    "void(ExtismCurrentPlugin*, const ExtismVal*, ExtismSize, ExtismVal*, ExtismSize, void*)"
)
def _on_host_call(  # noqa: PLR0917 - the signature is Extism's
    current: Any, inputs: Any, input_count: int, outputs: Any, output_count: int, handle: Any
) -> None:
    function = ffi.from_handle(handle)
    values = [
        inputs[index].v.i32 if inputs[index].t == VALUE_TYPES["i32"] else inputs[index].v.i64
        for index in range(input_count)
    ]
    result = function.run(GuestMemory(current), values)
    if output_count and outputs[0].t == VALUE_TYPES["i32"]:
        outputs[0].v.i32 = result
    elif output_count:
        outputs[0].v.i64 = result


def _taken(error: Any) -> str:
    """Return the text of *error* and free it."""
    text = _text(error[0])
    lib.extism_plugin_new_error_free(error[0])
    return text


def _text(characters: Any) -> str:
    return bytes(ffi.string(characters)).decode(errors="replace")


_TRACES = _Traces()
