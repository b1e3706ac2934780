"""How a runner loads a plugin's entry, and what it says when that cannot work."""

from __future__ import annotations

import sys

from plughost_sdk.entrycache import load_code
from plughost_sdk.errors import DeclarationError
from plughost_sdk.wire import log, secure

TYPE_CHECKING = False  # `typing` costs 10 ms, which every start would pay
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any

__all__ = ["run_entry"]

# sysexits.h: EX_CONFIG, as wire 11.2 uses it: not restarted until a file changes.
_NEVER_WORKS = 78


def run_entry(folder: str, entry: str) -> int:
    """Run *entry* of the plugin in *folder* as ``__main__`` and return the exit status."""
    secure()
    path = f"{folder.rstrip('/')}/{entry}"
    sys.path.insert(0, folder)
    sys.argv = [path]
    module = type(sys)("__main__")
    module.__dict__.update(__file__=path, __builtins__=__builtins__)
    sys.modules["__main__"] = module
    try:
        code = load_code(path)
    except OSError as error:
        log(f"{path}: {error.strerror}: correct 'entry' in plugin.toml (it says {entry!r})")
        return _NEVER_WORKS
    except SyntaxError as error:
        return _not_python(error, path)
    return _run(code, module.__dict__, entry)


def _run(code: CodeType, names: dict[str, Any], entry: str) -> int:
    try:
        exec(code, names)  # noqa: S102 - running the plugin is the runner's job
    except SyntaxError as error:  # in a module beside it
        return _not_python(error, code.co_filename)
    except DeclarationError as error:
        log(f"{_place(error, code.co_filename)}: {error}")
        return _NEVER_WORKS
    except SystemExit as leaving:
        return _status(leaving, entry)
    except BaseException as error:  # noqa: BLE001 - the outermost edge
        from plughost_sdk.failures import report

        report(error, f"{entry} failed while it was loaded")
        return 1
    return 0 if _has_run() else _never_ran(entry)


def _not_python(error: SyntaxError, path: str) -> int:
    # Of a null byte CPython 3.11 says neither the file nor the line.
    log(f"{error.filename or path}:{error.lineno or 1}: {error.msg}: correct the file")
    return _NEVER_WORKS


def _status(leaving: SystemExit, entry: str) -> int:
    if leaving.code is None or leaving.code == 0:
        return 0 if _has_run() else _never_ran(entry)
    if isinstance(leaving.code, int):
        return leaving.code
    log(str(leaving.code))
    return 1


def _has_run() -> bool:
    session = sys.modules.get("plughost_sdk.session")
    return session is not None and session.Session.begun


def _never_ran(entry: str) -> int:
    log(f"{entry} ended without serving: end it with plugin.run()")
    return _NEVER_WORKS


def _place(error: DeclarationError, path: str) -> str:
    """The line of the entry in which the declaration stands."""
    place = path
    step = error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == path:
            place = f"{path}:{step.tb_lineno}"
        step = step.tb_next
    return place
