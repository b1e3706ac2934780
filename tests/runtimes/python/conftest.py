"""Plugins written by the tests, started as a host or a person starts them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from tests.runtimes.python.wire_client import PYTHON, RUNNER, SDK, WireClient, start_process

# What every plugin of these tests begins with.
PRELUDE = """\
from __future__ import annotations
import asyncio, os, subprocess, sys, threading, time
from typing import Any
from plughost_sdk import *

plugin = Plugin()
"""

Launch = Callable[..., WireClient]


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    """Start a plugin made of a prelude, the given source, and ``plugin.run()``.

    ``alone=True`` starts it as an MCP client would, on 0 and 1 and without the runner.
    ``whole=True`` takes the source as it stands.
    """
    running: list[WireClient] = []

    def start(
        source: str,
        *,
        alone: bool = False,
        whole: bool = False,
        env: Mapping[str, str] | None = None,
        files: Mapping[str, str] | None = None,
    ) -> WireClient:
        folder = tmp_path / f"plugin-{len(running)}"
        folder.mkdir()
        text = source if whole else f"{PRELUDE}\n{source}\n\nplugin.run()\n"
        for name, content in {"main.py": text, **(files or {})}.items():
            (folder / name).write_text(content, encoding="utf-8")
        argv = [PYTHON, "-I", "-S", "-u", str(RUNNER), str(folder), "main.py"]
        environment = dict(env or {})
        if alone:
            argv = [PYTHON, "main.py"]
            environment["PYTHONPATH"] = str(SDK)
        log = tmp_path / f"log-{len(running)}"
        process, write_to, read_from = start_process(
            argv, folder=folder, env=environment, log=log, on_three=not alone
        )
        client = WireClient(process, write_to, read_from, log)
        running.append(client)
        return client

    yield start
    for client in running:
        client.leave()
