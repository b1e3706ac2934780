"""Starts a Python plugin: ``runner.py PLUGIN_DIR ENTRY`` (runtimes/README.md)."""

from __future__ import annotations

import gc
import sys

# What is loaded here stays: to look for garbage among it takes 0.5 ms.  `run_entry` turns it on.
gc.disable()

# Before any user code: a plugin's own `plughost_sdk.py` must not stand in for the SDK.
_HERE = __file__.rpartition("/")[0] or "."
sys.path.insert(0, _HERE)

from plughost_sdk import Plugin as _Plugin  # noqa: E402, F401 - loads the SDK from here
from plughost_sdk.loading import run_entry  # noqa: E402 - see above
from plughost_sdk.wire import log  # noqa: E402 - see above

# Behind everything, so that `import runner` in a plugin finds the plugin's.
sys.path.remove(_HERE)
sys.path.append(_HERE)

if len(sys.argv) != 3:  # noqa: PLR2004 - the program, the folder, the entry
    log("usage: runner.py PLUGIN_DIR ENTRY; it is plughost that starts it")
    sys.exit(64)
sys.exit(run_entry(sys.argv[1], sys.argv[2]))
