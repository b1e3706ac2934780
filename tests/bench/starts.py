"""Spawn to ready beside the bare interpreter, twelve at once, and idle memory."""

from __future__ import annotations

import importlib.util
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import structlog
import trio

from plughost import Host
from plughost.resources import share_dir

HERE = Path(__file__).parent
ROUNDS = 15
# What each runtime's plugin costs at least: its interpreter with its engine loaded.
PYTHON = [sys.executable, "-I", "-S", "-c"]
WITH = "import sys; sys.path.append(sys.argv[1]); import "
BARE = {
    "python": [*PYTHON, "pass"],
    "node": ["node", "-e", "0"],
    "lua": [*PYTHON, WITH + "lupa.lua54"],
    "wasm": [*PYTHON, WITH + "extism"],
}
NAMES = {"python": "bench-python", "node": "bench-node", "lua": "bench-lua", "wasm": "checksums"}


def _folder(runtime: str) -> Path:
    return (
        share_dir() / "plugins" / "checksums" if runtime == "wasm" else HERE / "plugins" / runtime
    )


def runtimes() -> list[str]:
    """Return the runtimes this machine can run."""
    return [name for name in BARE if name != "node" or shutil.which("node")]


def bare_start_s(runtime: str) -> float:
    """Start the bare interpreter once, to its end, and return the seconds."""
    spec = importlib.util.find_spec("lupa")
    assert spec is not None
    assert spec.origin is not None
    site = str(Path(spec.origin).parent.parent)
    start = time.perf_counter()
    subprocess.run([*BARE[runtime], site], check=True, stdin=subprocess.DEVNULL)
    return time.perf_counter() - start


async def ready_s(host: Host, name: str) -> float:
    """Stop a plugin, start it, and return seconds from spawn to ready."""
    await host.stop(name)
    start = time.perf_counter()
    host.start(name)
    plugin = host._registry.plugin(name)
    while str(plugin.state) != "ready":
        await plugin.changed()
    return time.perf_counter() - start


def pss_mb(pid: int) -> float:
    """Return the proportional set size of a process in MB (10⁶ bytes)."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise ValueError(pid)


async def _starts() -> dict[str, float]:
    found: dict[str, float] = {}
    for runtime in runtimes():
        ours: list[float] = []
        bare: list[float] = []
        name = NAMES[runtime]
        async with Host.open(_folder(runtime), first_party=False) as host:
            for _ in range(ROUNDS):
                bare.append(await trio.to_thread.run_sync(bare_start_s, runtime))
                ours.append(await ready_s(host, name))
            pid = host.health(name).pid
            assert pid is not None
            await trio.sleep(1)  # idle, as a resting plugin is
            found[f"{runtime}_pss_mb"] = pss_mb(pid)
        found[f"{runtime}_bare_ms"] = statistics.median(bare) * 1e3
        found[f"{runtime}_ready_ms"] = statistics.median(ours) * 1e3
        allowed_ms = 1.6 * found[f"{runtime}_bare_ms"] + 15
        found[f"{runtime}_ready_over_allowed"] = found[f"{runtime}_ready_ms"] / allowed_ms
    return found


async def _twelve() -> float:
    with tempfile.TemporaryDirectory() as made:
        for runtime in runtimes():
            for number in range(12 // len(runtimes())):
                folder = Path(made) / f"{runtime}-{number}"
                shutil.copytree(
                    _folder(runtime), folder, ignore=shutil.ignore_patterns("node_modules")
                )
                manifest = folder / "plugin.toml"
                text = manifest.read_text(encoding="utf-8")
                renamed = text.replace(f'"{NAMES[runtime]}"', f'"{runtime}-{number}"')
                manifest.write_text(renamed, encoding="utf-8")
        times: list[float] = []
        for _ in range(5):
            start = time.perf_counter()
            async with Host.open(made, first_party=False) as host:
                times.append(time.perf_counter() - start)
                assert [each.state for each in host.plugins()] == ["ready"] * len(host.plugins())
    return statistics.median(times)


def measure() -> dict[str, float]:
    """Return start times in ms, idle memory in MB, and the time twelve plugins take in s."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    found = trio.run(_starts)
    found["twelve_plugins_ready_s"] = trio.run(_twelve)
    return found
