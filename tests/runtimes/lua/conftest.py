"""Lua plugins written by the tests, started as the host starts them."""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import lupa
import pytest
from tests.runtimes.python.wire_client import WireClient, start_process

ROOT = Path(__file__).resolve().parents[3]
RUNNER = ROOT / "runtimes" / "lua" / "runner.py"
PACKAGES = Path(lupa.__file__).resolve().parents[1]

# What every plugin of these tests begins with.
PRELUDE = """\
local plugin = require "plughost"
local function tool(name, run, more)
  local declared = { name = name, description = name, input = { type = "object" }, run = run }
  for field, value in pairs(more or {}) do declared[field] = value end
  plugin.tool(declared)
end
"""

Launch = Callable[..., WireClient]


def runner_argv(folder: Path, entry: str = "main.lua") -> list[str]:
    """Return the command line the host uses."""
    return [
        *(sys.executable, "-I", "-S", "-u", str(RUNNER)),
        *("--packages", str(PACKAGES), str(folder), entry),
    ]


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    """Start a plugin made of a prelude, the given source, and ``plugin.run()``.

    ``whole=True`` takes the source as it stands.  ``memory_mb`` is set as the host sets it,
    as RLIMIT_DATA of the child.
    """
    running: list[WireClient] = []

    def start(
        source: str,
        *,
        whole: bool = False,
        alone: bool = False,
        memory_mb: int | None = None,
        files: Mapping[str, str] | None = None,
        entry: str = "main.lua",
    ) -> WireClient:
        folder = tmp_path / f"plugin-{len(running)}"
        folder.mkdir()
        text = source if whole else f"{PRELUDE}\n{source}\n\nplugin.run()\n"
        for name, content in {"main.lua": text, **(files or {})}.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        log = tmp_path / f"log-{len(running)}"
        process, write_to, read_from = start_process(
            runner_argv(folder, entry),
            folder=folder,
            env={"PLUGHOST_PLUGIN": "subject", "PLUGHOST_PLUGIN_VERSION": "1.2.3"},
            log=log,
            on_three=not alone,
        )
        if memory_mb is not None:
            # Before Lua is loaded: the runner's first 10 ms are the interpreter's.
            limit = memory_mb * 1024 * 1024
            resource.prlimit(process.pid, resource.RLIMIT_DATA, (limit, limit))
        client = WireClient(process, write_to, read_from, log)
        running.append(client)
        return client

    yield start
    for client in running:
        client.leave()
