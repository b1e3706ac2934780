"""How does a WebAssembly plugin start?

The host runs `python -I -S -u runner.py --packages DIR PLUGIN_DIR ENTRY`; DIR holds `extism_sys`.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # `typing` costs 10 ms, which every start would pay
if TYPE_CHECKING:
    from typing import NoReturn

    from plughost_sdk import Plugin

USAGE = "usage: python -I -S -u runner.py --packages DIR PLUGIN_DIR ENTRY"

# sysexits.h: EX_USAGE; and EX_CONFIG, as wire 11.2 uses it: restarting does not help.
EX_USAGE = 64
EX_CONFIG = 78


def main(arguments: list[str]) -> None:
    """Load the plugin's module and serve it until the host hangs up."""
    if len(arguments) != 4 or arguments[0] != "--packages":  # noqa: PLR2004 - two words, two paths
        leave(USAGE, EX_USAGE)
    _, packages, folder, entry = arguments
    here = __file__.rpartition("/")[0] or "."
    # The packages come last: they hold everything the host has installed.  The plugin's folder is
    # not on the path at all, for it holds no Python.
    sys.path[:0] = [here, f"{here}/../python"]
    sys.path.append(packages)

    from plughost_sdk.wire import secure

    secure()
    load(folder, entry).run()


def load(folder: str, entry: str) -> Plugin:
    """Return the plugin whose module is *entry*; what can never work ends the process."""
    from wasm_runner.description import described
    from wasm_runner.library import LoadFailure
    from wasm_runner.memory import guest_pages
    from wasm_runner.module import GuestError, GuestModule
    from wasm_runner.refusals import Refusal, refusal_of
    from wasm_runner.serving import declared

    from plughost_sdk.errors import DeclarationError

    try:
        with open(f"{folder}/{entry}", "rb") as file:
            source = file.read()
    except OSError as error:
        leave(f"{entry} cannot be read: {error.strerror}", EX_CONFIG)
    try:
        module = GuestModule(source, max_pages=guest_pages(), give_up=give_up)
        return declared(module, described(module), folder)
    except LoadFailure as failure:
        leave(f"{entry}: {refusal_of(failure)}", EX_CONFIG)
    except (Refusal, DeclarationError) as error:
        leave(f"{entry}: {error}", EX_CONFIG)
    except GuestError as error:
        leave(f"{entry}: `describe` {error.trap.what}", EX_CONFIG)
    except (MemoryError, RuntimeError) as error:  # RuntimeError: a thread found no room
        leave(f"{entry}: {error}; raise `resource_limits.memory_mb`", EX_CONFIG)


def give_up(name: str) -> None:
    """End the process, whatever still runs in it, because of a guest nobody can interrupt."""
    import posix

    # Before anything is served it is the start function, which will do so again.
    loading = name in ("linking", "describe")
    what = "the module's start function" if loading else name
    sys.stderr.write(f"{what} runs on after it was interrupted, so the process ends\n")
    sys.stderr.flush()
    posix._exit(EX_CONFIG if loading else 1)  # noqa: SLF001 - its public name is os._exit


def leave(sentence: str, status: int) -> NoReturn:
    """Say why this cannot work, and end."""
    sys.stderr.write(f"{sentence}\n")
    raise SystemExit(status)


if __name__ == "__main__":
    main(sys.argv[1:])
