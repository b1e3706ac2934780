"""Runs a plugin's interpreter under coverage, as if it were the plain one.

Children start with ``-I -S`` and an environment of their own, so neither
coverage's ``.pth`` file nor its variables reach them.  The gate therefore names
a command in ``PLUGHOST_TEST_PYTHON`` that runs this file with the child's own
arguments.  A test that looks at the interpreter itself (what it has loaded, how it
prints) starts its child with ``PLUGHOST_UNMEASURED`` and gets the plain one.

Usage: python -I -S -u tests/shape/measured_python.py [-I] [-S] [-u] SCRIPT ARGUMENT...
"""

from __future__ import annotations

import _thread
import atexit
import os
import runpy
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["main"]

ROOT = Path(__file__).absolute().parents[2]
# Without `site` a virtual environment is known only by where its interpreter lies.
PACKAGES = str(
    Path(sys.executable).absolute().parents[1]
    / "lib"
    / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    / "site-packages"
)


def main() -> None:
    """Start measuring, then become the script that the arguments name."""
    if os.environ.pop("PLUGHOST_UNMEASURED", None):
        os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
    options = [argument for argument in sys.argv[1:] if argument in ("-I", "-S", "-u")]
    script, *arguments = sys.argv[1 + len(options) :]
    measure()
    sys.argv = [script, *arguments]
    if "-I" not in options:
        given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        sys.path[:0] = [str(Path(script).absolute().parent), *filter(None, given)]
    runpy.run_path(script, run_name="__main__")


def measure() -> None:
    """Measure this process until it exits, also in threads that `threading` did not start."""
    sys.path.append(PACKAGES)
    import coverage  # noqa: PLC0415 - its folder is on the path only now

    sys.path.remove(PACKAGES)
    measurement = coverage.Coverage(
        data_file=str(ROOT / ".coverage"),
        data_suffix=True,
        config_file=str(ROOT / "pyproject.toml"),
        source=[str(ROOT / "host"), str(ROOT / "runtimes" / "python")],
        messages=False,
    )
    measurement.start()
    atexit.register(measurement.save)
    atexit.register(measurement.stop)

    trace = threading.gettrace()
    start_new_thread = _thread.start_new_thread

    def start_traced(function: Callable[..., object], arguments: tuple[Any, ...]) -> int:
        def run(*given: Any) -> None:
            sys.settrace(trace)
            function(*given)

        return start_new_thread(run, arguments)

    _thread.start_new_thread = start_traced  # type: ignore[assignment]  # keywords are not used


main()
