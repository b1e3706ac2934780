"""What tests of several rooms share: warm interpreters, plugin folders, proof of death."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from plughost import Host

# The gate tries the same examples each time: a change is to blame for what it
# breaks, not the day.  HYPOTHESIS_PROFILE=explore looks for new ones.
settings.register_profile("gate", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "gate"))

MakePlugin = Callable[..., Path]
OpenHost = Callable[..., AbstractAsyncContextManager[Host]]

# A plain MCP server in 40 lines of standard library: what the host's own
# rooms are tested against, so that an SDK's bug cannot hide one of the host's.
PEER = """
import json, os, sys, time

def say(**message):
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\\n")
    sys.stdout.flush()

def behave(request_id, do, arguments):
    if do == "echo":
        return {"content": [], "structuredContent": {"value": arguments.get("value")}}
    if do == "exit":
        os._exit(arguments["status"])
    if do == "signal":
        os.kill(os.getpid(), arguments["signal"])
    if do == "hang":
        return None
    if do == "sleep":
        time.sleep(arguments["seconds"])
        return {"content": [{"type": "text", "text": "slept"}]}
    if do == "big":
        return {"content": [], "structuredContent": {"value": "x" * arguments["size"]}}
    if do == "progress":
        token = arguments["meta"].get("progressToken")
        say(method="notifications/progress", params={"progressToken": token, "progress": 1})
        return {"content": [], "structuredContent": {}}
    if do == "bad":
        sys.stdout.write('{"jsonrpc": "2.0", "id": %d, "result": null}\\n' % request_id)
        sys.stdout.flush()
        return None
    if do == "endless":
        while True:
            os.write(1, b"x" * 65536)
    if do == "fail":
        return {"content": [{"type": "text", "text": "it failed"}], "isError": True}
    if do == "noise":
        sys.stdout.write("this is not json\\n")
        return {"content": [], "structuredContent": {}}
    if do == "stderr":
        sys.stderr.write(arguments["text"] + "\\n")
        sys.stderr.flush()
        return {"content": [], "structuredContent": {}}
    if do == "env":
        return {"content": [], "structuredContent": dict(os.environ)}
    if do == "grandchild":
        pid = os.fork()
        if pid == 0:
            os.setsid()
            time.sleep(3600)
        return {"content": [], "structuredContent": {"pid": pid}}

for line in sys.stdin:
    message = json.loads(line)
    if "id" not in message or "method" not in message:
        continue
    method, params = message["method"], message.get("params", {})
    if method == "initialize":
        result = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}},
                  "serverInfo": {"name": "peer", "version": "1"}}
    elif method == "tools/list":
        result = {"tools": [{"name": "do", "inputSchema": {"type": "object"}}]}
    elif method == "tools/call":
        arguments = {**params["arguments"], "meta": params.get("_meta", {})}
        result = behave(message["id"], arguments.get("do", "echo"), arguments)
    else:
        result = {}
    if result is not None:
        say(id=message["id"], result=result)
"""


@pytest.fixture(scope="session", autouse=True)
def warm_interpreters() -> None:
    """Start each interpreter once: the first start after boot may take 20 s."""
    for program in ("python3", "node"):
        found = shutil.which(program) if program == "node" else sys.executable
        if found is not None:
            flag = "-e" if program == "node" else "-c"
            subprocess.run([found, flag, "0"], check=True, timeout=120)


@pytest.fixture
def make_plugin(tmp_path: Path) -> MakePlugin:
    """Make a plugin folder below ``tmp_path / "plugins"``; the default is the peer above."""

    def make(name: str = "peer", manifest: str = "", *, main: str = PEER) -> Path:
        folder = tmp_path / "plugins" / name
        folder.mkdir(parents=True)
        head = f'name = "{name}"\nversion = "1.0.0"\n'
        if "runtime" not in manifest:
            command = f'["{sys.executable}", "-I", "-S", "main.py"]'
            head += f'runtime = "exec"\ncommand = {command}\n'
        (folder / "plugin.toml").write_text(head + manifest, encoding="utf-8")
        (folder / "main.py").write_text(main, encoding="utf-8")
        return folder

    return make


@pytest.fixture
def open_host(tmp_path: Path) -> OpenHost:
    """Open a host on what `make_plugin` made, and on nothing else."""

    def open_(**options: Any) -> AbstractAsyncContextManager[Host]:
        opened: AbstractAsyncContextManager[Host] = Host.open(
            tmp_path / "plugins", **{"first_party": False, **options}
        )
        return opened

    return open_


@pytest.fixture
def death_probe(tmp_path: Path) -> Iterator[tuple[Path, Callable[[], bool]]]:
    """A FIFO that children hold open for writing, and a test for the last one's death.

    The kernel reports end of file only when the last holder is gone, so the
    read proves death without a pid lookup.
    """
    fifo = tmp_path / "alive"
    os.mkfifo(fifo)
    fd = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)

    def all_dead() -> bool:
        try:
            return os.read(fd, 4096) == b""
        except BlockingIOError:
            return False

    yield fifo, all_dead
    os.close(fd)
