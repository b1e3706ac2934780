"""How a runner loads a plugin's entry, and what it says when that cannot work.

Python caches what is imported, not what is run; compiling even a small entry takes
1.4 ms of a 14 ms start, 1.1 of them to set up the compiler.  So the compiled entry is
kept where Python keeps those of modules.  The cache is checked by the source's hash
(PEP 552), not by its time stamp: an edit that keeps the length within one second is
seen.  A folder that cannot be written simply has no cache.
"""

from __future__ import annotations

import _frozen_importlib_external as machinery
import _imp
import gc
import io
import marshal
import sys

from plughost_sdk.errors import DeclarationError
from plughost_sdk.wire import log, secure

TYPE_CHECKING = False  # `typing` costs 10 ms, which every start would pay
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any

__all__ = ["run_entry"]

# sysexits.h: EX_CONFIG, as wire 11.2 uses it: not restarted until a file changes.
_NEVER_WORKS = 78

# A hash-based .pyc that is checked against its source: PEP 552, flags 0b11.
_CHECKED_HASH = (0b11).to_bytes(4, "little")

_machinery: Any = machinery  # typeshed lacks the private half that writes such files


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
        code = _load_code(path)
    except OSError as error:
        log(f"{path}: {error.strerror}: correct 'entry' in plugin.toml (it says {entry!r})")
        return _NEVER_WORKS
    except SyntaxError as error:
        return _not_python(error, path)
    return _run(code, module.__dict__, entry)


def _load_code(path: str) -> CodeType:
    """Return the code of the Python source at *path*.

    Raises:
        OSError: There is no such file.
        SyntaxError: It is no Python.
    """
    with io.open_code(path) as file:
        source = file.read()
    source_hash = _imp.source_hash(_machinery._RAW_MAGIC_NUMBER, source)  # noqa: SLF001 - see above
    cache = _machinery.cache_from_source(path)
    header = _machinery.MAGIC_NUMBER + _CHECKED_HASH + source_hash
    code = _cached(cache, header)
    if code is None:
        try:
            code = compile(source, path, "exec", dont_inherit=True)
        except ValueError as error:  # a null byte
            raise SyntaxError(str(error), (path, 1, 0, "")) from error
        _keep(path, cache, header + marshal.dumps(code))
    return code


def _cached(cache: str, header: bytes) -> CodeType | None:
    try:
        with io.open_code(cache) as file:
            data = file.read()
        if not data.startswith(header):
            return None
        code = marshal.loads(data[len(header) :])  # noqa: S302 - the plugin's own, as any .pyc
    except (OSError, ValueError, EOFError, TypeError):
        return None
    return code if isinstance(code, type(_load_code.__code__)) else None


def _keep(path: str, cache: str, data: bytes) -> None:
    if sys.dont_write_bytecode:
        return
    loader = _machinery.SourceFileLoader("__main__", path)
    loader.set_data(cache, data)  # atomic, makes __pycache__, and is silent where it may not write


def _run(code: CodeType, names: dict[str, Any], entry: str) -> int:
    gc.freeze()  # or the first collection would look through all of the SDK
    gc.enable()
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
        from plughost_sdk._threads.lastresort import report

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
    session = sys.modules.get("plughost_sdk._session.session")
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
