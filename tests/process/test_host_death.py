"""SIGKILL for the host: nothing of any runtime is left.

Contract: contracts/wire/README.md §11; docs/decisions/0004.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil

MakePlugin = Callable[..., Path]

HOST = """
import json, sys, trio
from plughost import Host

async def main():
    async with Host.open(sys.argv[1]) as host:
        made = await host.call("peer", "do", {"do": "grandchild"})
        runtimes = sorted({each.runtime for each in host.plugins() if each.state == "ready"})
        print(json.dumps({"runtimes": runtimes, "grandchild": made.unwrap()["pid"]}), flush=True)
        await trio.sleep_forever()

trio.run(main)
"""

# Every process the guard started; a zombie is one that only waits to be counted.
GONE_S = 10


def test_killing_the_host_leaves_no_process_of_any_runtime(make_plugin: MakePlugin) -> None:
    folder = make_plugin()
    with subprocess.Popen(
        [sys.executable, "-c", HOST, str(folder)], stdout=subprocess.PIPE, encoding="utf-8"
    ) as host:
        assert host.stdout is not None
        said = json.loads(host.stdout.readline())
        family = psutil.Process(host.pid).children(recursive=True)
        family.append(psutil.Process(said["grandchild"]))
        host.kill()

    _, alive = psutil.wait_procs(
        [each for each in family if each.is_running() and each.status() != psutil.STATUS_ZOMBIE],
        timeout=GONE_S,
    )

    left = [each for each in alive if each.status() != psutil.STATUS_ZOMBIE]
    expected = {"exec", "lua", "python", "wasm"} | ({"node"} if shutil.which("node") else set())
    assert set(said["runtimes"]) == expected
    assert len(family) >= len(expected) + 2  # a guard and a grandchild besides
    assert left == []
