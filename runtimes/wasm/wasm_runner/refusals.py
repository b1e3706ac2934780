"""Why can a module never work, in one sentence?"""

from __future__ import annotations

TYPE_CHECKING = False  # `typing` costs 10 ms, which every start would pay
if TYPE_CHECKING:
    from wasm_runner.library import LoadFailure

__all__ = ["Refusal", "refusal_of"]

# What Extism puts before a reason of its own.
PREFIXES = ("Unable to compile Extism plugin: ", "Unable to create Extism plugin: ")

# How wasmtime and Extism word an import that nobody provides; the import's name follows.
UNKNOWN_IMPORT = "unknown import: `"
UNKNOWN_KERNEL_IMPORT = " import from extism:host/env: "

# How the kernel, wasmtime and Extism word that memory is used up.
OUT_OF_MEMORY = ("os error 12", "failed to allocate", "oom")

# The line of a complaint about WAT that says where.
WAT_PLACE = "--> <anon>:"


class Refusal(Exception):  # noqa: N818 - what the runner says before it ends
    """The module can never work; the message says why in one sentence."""


def refusal_of(failure: LoadFailure) -> Refusal:
    """Return what *failure* means for the plugin's author."""
    text = str(failure)
    for prefix in PREFIXES:
        text = text.removeprefix(prefix)
    if UNKNOWN_IMPORT in text:
        module, _, name = text.partition(UNKNOWN_IMPORT)[2].partition("`")[0].partition("::")
        return _unknown_import(module, name)
    if UNKNOWN_KERNEL_IMPORT in text:
        name = text.partition(UNKNOWN_KERNEL_IMPORT)[2].split()[0]
        return _unknown_import("extism:host/env", name)
    if any(sign in text for sign in OUT_OF_MEMORY):
        return Refusal("it asks for more memory than `resource_limits.memory_mb` leaves it")
    reason, *rest = text.splitlines()
    for line in rest:
        if WAT_PLACE in line:
            row, _, column = line.partition(WAT_PLACE)[2].partition(":")
            return Refusal(f"line {row}, column {column}: {reason}")
    return Refusal(f"it is not a WebAssembly module that can be run: {reason}")


def _unknown_import(module: str, name: str) -> Refusal:
    return Refusal(
        f"it imports `{name}` from `{module}`, which nobody provides; "
        "contracts/wire/wasm.md lists what may be imported"
    )
