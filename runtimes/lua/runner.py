"""Starts a Lua plugin: ``runner.py --packages DIR PLUGIN_DIR ENTRY`` (runtimes/README.md)."""

from __future__ import annotations

import sys

_HERE = __file__.rpartition("/")[0] or "."
sys.path[:0] = [_HERE, f"{_HERE}/../python"]

from plughost_sdk.wire import log, secure  # noqa: E402 - found through the line above

if len(sys.argv) != 5 or sys.argv[1] != "--packages":  # noqa: PLR2004 - as in the docstring
    log("usage: runner.py --packages DIR PLUGIN_DIR ENTRY; it is plughost that starts it")
    sys.exit(64)

# Before any code of the plugin; a person at a terminal is told what this is, status 64.
secure()
sys.path.append(sys.argv[2])

from lua_runner.serving import serve  # noqa: E402 - found through the lines above

sys.exit(serve(sys.argv[3], sys.argv[4]))
