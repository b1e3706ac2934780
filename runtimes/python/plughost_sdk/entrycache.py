"""The compiled entry of a plugin, kept where Python keeps those of modules.

Python caches what is imported, not what is run; compiling even a small entry takes
1.4 ms of a 14 ms start, 1.1 of them to set up the compiler.  The cache is checked by
the source's hash (PEP 552), not by its time stamp: an edit that keeps the length within
one second is seen.  A folder that cannot be written simply has no cache.
"""

from __future__ import annotations

import _frozen_importlib_external as machinery
import _imp
import io
import marshal
import sys

TYPE_CHECKING = False  # `typing` costs 10 ms, which every start would pay
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any

__all__ = ["load_code"]

# A hash-based .pyc that is checked against its source: PEP 552, flags 0b11.
_CHECKED_HASH = (0b11).to_bytes(4, "little")

_machinery: Any = machinery  # typeshed lacks the private half that writes such files


def load_code(path: str) -> CodeType:
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
    return code if isinstance(code, type(load_code.__code__)) else None


def _keep(path: str, cache: str, data: bytes) -> None:
    if sys.dont_write_bytecode:
        return
    loader = _machinery.SourceFileLoader("__main__", path)
    loader.set_data(cache, data)  # atomic, makes __pycache__, and is silent where it may not write
