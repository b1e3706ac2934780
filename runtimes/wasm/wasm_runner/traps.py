"""What did the guest fail of, in words and as a name programs can compare?"""

from __future__ import annotations

TYPE_CHECKING = False  # `typing` costs 10 ms, which every start would pay
if TYPE_CHECKING:
    from wasm_runner.library import GuestFailure

__all__ = ["Trap", "trap_of"]

# What wasmtime says about a trap, the name in `details.exception` (contracts/wire/wasm.md, section
# 7), and what we say.  The first that is found holds.
TRAPS = (
    ("`unreachable` instruction", "Unreachable", "executed an `unreachable` instruction"),
    ("out of bounds memory access", "MemoryOutOfBounds", "accessed memory out of bounds"),
    ("out of bounds table access", "TableOutOfBounds", "accessed a table out of bounds"),
    ("call stack exhausted", "StackOverflow", "exhausted its call stack"),
    ("integer divide by zero", "DivideByZero", "divided an integer by zero"),
    ("integer overflow", "IntegerOverflow", "overflowed an integer"),
    ("invalid conversion to integer", "BadConversion", "converted no number to an integer"),
    ("indirect call type mismatch", "BadSignature", "called a function of another type"),
    ("uninitialized element", "UninitializedElement", "called a table element that is not set"),
    ("failed to allocate", "MemoryLimit", "asked for more memory than it may have"),
)


class Trap:
    """Why a guest ended without an answer."""

    def __init__(self, name: str, what: str, where: str = "") -> None:
        """Describe a failure.

        Args:
            name: As it stands in `details.exception`.
            what: The rest of a sentence that begins with the tool.
            where: The functions it happened in, innermost first, one a line.
        """
        self.name = name
        self.what = what
        self.where = where


def trap_of(failure: GuestFailure) -> Trap:
    """Return what *failure* means."""
    if failure.text == "oom":
        return Trap("MemoryLimit", "asked for more memory than it may have")
    # Before the cause stand names of functions, which the guest chose.
    cause = (failure.trace or failure.text).rpartition("Caused by:")[2]
    for sign, name, what in TRAPS:
        if sign in cause:
            return Trap(name, what, _frames(failure))
    if "wasm trap" in failure.trace or "wasm backtrace" in failure.text:
        reason = cause.strip().partition("\n")[0]
        return Trap("Trap", f"trapped: {reason}" if reason else "trapped", _frames(failure))
    return Trap("PluginError", failure.text)


def _frames(failure: GuestFailure) -> str:
    """Return the lines of the guest's backtrace."""
    lines = failure.text.splitlines()
    return "\n".join(line.strip() for line in lines if line.strip()[:1].isdigit())
