"""Every SDK holds every golden conversation of contracts/wire/transcripts."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import pytest
from tests.conformance.player import TRANSCRIPTS, play, read_transcript, spawn

from plughost.resources import share_dir

FIXTURES: Final = Path(__file__).parent / "fixtures"
NAMES: Final = sorted(path.stem for path in TRANSCRIPTS.glob("*.jsonl"))


def python_command(_stage: Path) -> list[str]:
    runner = share_dir() / "runtimes" / "python" / "runner.py"
    return [sys.executable, "-I", "-S", "-u", str(runner), str(FIXTURES / "python"), "main.py"]


def node_command(stage: Path) -> list[str]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    sdk = share_dir() / "runtimes" / "node"
    scope = stage / "node_modules" / "@plughost"
    scope.mkdir(parents=True)
    (scope / "sdk").symlink_to(sdk)
    (stage / "runner.mjs").symlink_to(sdk / "runner.mjs")
    (stage / "plugin").symlink_to(FIXTURES / "node")
    flags = ["--preserve-symlinks", "--preserve-symlinks-main"]
    return [node, *flags, str(stage / "runner.mjs"), str(FIXTURES / "node"), "main.mjs"]


def packaged_command(runtime: str, package: str, entry: str) -> Callable[[Path], list[str]]:
    def command(_stage: Path) -> list[str]:
        spec = importlib.util.find_spec(package)
        assert spec is not None
        assert spec.origin is not None
        packages = str(Path(spec.origin).parent.parent)
        runner = share_dir() / "runtimes" / runtime / "runner.py"
        python = [sys.executable, "-I", "-S", "-u", str(runner), "--packages", packages]
        return [*python, str(FIXTURES / runtime), entry]

    return command


COMMANDS: Final[Mapping[str, Callable[[Path], list[str]]]] = {
    "python": python_command,
    "node": node_command,
    "lua": packaged_command("lua", "lupa", "main.lua"),
    "wasm": packaged_command("wasm", "extism", "main.wat"),
}

# What a runtime cannot have, and why no transcript that needs it is played.
LACKS: Final[Mapping[str, frozenset[str]]] = {
    "python": frozenset(),
    "node": frozenset(),
    "lua": frozenset({"parallel"}),  # runtimes/README.md: one call at a time
    # contracts/wire/wasm.md: a guest keeps nothing (§1.4, §3.4), and answers one of the two (§4.1).
    "wasm": frozenset({"events", "snapshot", "content-with-data"}),
}


def cases() -> list[tuple[str, str]]:
    """Return every transcript a plugin can hold, with every runtime that can hold it."""
    found = []
    for name in NAMES:
        transcript = read_transcript(name)
        if transcript.head.get("for", "plugin") == "plugin":
            found += [(name, each) for each in COMMANDS if not transcript.needs & LACKS[each]]
    return found


@pytest.mark.parametrize(("name", "runtime"), cases())
def test_the_sdk_holds_the_conversation(name: str, runtime: str, tmp_path: Path) -> None:
    env = {"PLUGHOST_PLUGIN": "conformance", "PLUGHOST_PLUGIN_VERSION": "1.0.0"}
    argv = COMMANDS[runtime](tmp_path / "stage")
    with spawn(argv, folder=FIXTURES / runtime, env=env, log=tmp_path / "log") as child:
        play(read_transcript(name), child)
