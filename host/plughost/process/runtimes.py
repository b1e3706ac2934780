"""How a plugin of each runtime is started: its `Launch`, from manifest and machine.

runtimes/README.md is the contract of the command lines below.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Final

import attrs

from plughost.contracts.manifest import Manifest
from plughost.errors import PluginUnavailableError
from plughost.process.launch import Launch, Wire, environment, limits
from plughost.resources import share_dir

__all__ = ["Machine", "launch_of", "node_path"]

# docs/reference/defaults.md: V8's heap stops at this share of RLIMIT_DATA, so that a leak
# ends in V8's own report and not in a failed mmap.
_OLD_SPACE_SHARE: Final = 0.6


@attrs.frozen
class Machine:
    """What this host lends to its plugins.

    Attributes:
        environ: The host's own environment, filtered for each plugin.
        scratch: A folder of this host alone, removed with it.
    """

    environ: Mapping[str, str]
    scratch: Path


def launch_of(manifest: Manifest, machine: Machine) -> Launch:
    """Return how to start the plugin of *manifest*.

    Raises:
        PluginUnavailableError: Its interpreter is not on this machine.
    """
    argv = _COMMANDS[manifest.runtime](manifest, machine)
    sdk = manifest.runtime not in ("exec", "mcp")
    return Launch(
        argv=tuple(argv),
        env=environment(
            machine.environ,
            manifest.permissions.env,
            PLUGHOST_PLUGIN=manifest.name,
            PLUGHOST_PLUGIN_VERSION=manifest.version,
        ),
        cwd=manifest.folder,
        wire=Wire.PRIVATE if sdk else Wire.STDIO,
        limits=limits(
            memory_mb=manifest.resource_limits.memory_mb,
            open_files=manifest.resource_limits.open_files,
        ),
    )


def node_path(environ: Mapping[str, str]) -> str | None:
    """Return where ``node`` is, or None."""
    return shutil.which("node", path=environ.get("PATH"))


def _python(manifest: Manifest, _: Machine) -> list[str]:
    runner = str(share_dir() / "runtimes" / "python" / "runner.py")
    if manifest.python.venv is None:
        # -S: the plugin sees the standard library, its folder and the SDK, on
        # every machine the same; and it starts 2 ms sooner.
        interpreter = [sys.executable, "-I", "-S", "-u"]
    else:
        program = manifest.folder / manifest.python.venv / "bin" / "python"
        if not program.exists():
            raise PluginUnavailableError(
                f"{manifest.name} needs its virtual environment, and {program} does not exist",
                hint=f"Create it: `python3 -m venv {program.parent.parent}`, "
                "then install the plugin's requirements into it.",
            )
        interpreter = [str(program), "-I", "-u"]
    return [*interpreter, runner, str(manifest.folder), str(manifest.entry)]


def _packaged(package: str) -> Callable[[Manifest, Machine], list[str]]:
    """Return the command of a runner that needs *package* of the host's own environment."""

    def command(manifest: Manifest, _: Machine) -> list[str]:
        runner = share_dir() / "runtimes" / manifest.runtime / "runner.py"
        python = [sys.executable, "-I", "-S", "-u", str(runner)]
        return [
            *python,
            "--packages",
            _folder_of(package),
            str(manifest.folder),
            str(manifest.entry),
        ]

    return command


@cache
def _folder_of(package: str) -> str:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise PluginUnavailableError(
            f"the Python package {package!r} is not installed",
            hint=f"Reinstall plughost, or `pip install {package}`.",
        )
    return str(Path(spec.origin).parent.parent)


def _node(manifest: Manifest, machine: Machine) -> list[str]:
    program = node_path(machine.environ)
    if program is None:
        raise PluginUnavailableError(
            f"{manifest.name} needs node, and there is no `node` on PATH",
            hint="Install Node.js 20 or newer (Debian: `apt install nodejs`), then run it again.",
        )
    stage = _stage(manifest, machine)
    old_space_mb = int(manifest.resource_limits.memory_mb * _OLD_SPACE_SHARE)
    return [
        program,
        f"--max-old-space-size={old_space_mb}",
        "--preserve-symlinks",
        "--preserve-symlinks-main",
        str(stage / "runner.mjs"),
        str(manifest.folder),
        str(manifest.entry),
    ]


def _stage(manifest: Manifest, machine: Machine) -> Path:
    """Make the folder in which Node finds runner, SDK and plugin together.

    ES modules ignore NODE_PATH, and a loader hook costs 30 ms: three symlinks
    cost none (docs/explanation/architecture.md).
    """
    sdk = share_dir() / "runtimes" / "node"
    stage = machine.scratch / "node" / manifest.name
    scope = stage / "node_modules" / "@plughost"
    scope.mkdir(parents=True, exist_ok=True)
    for link, target in (
        (stage / "runner.mjs", sdk / "runner.mjs"),
        (scope / "sdk", sdk),
        (stage / "plugin", manifest.folder),
    ):
        link.unlink(missing_ok=True)
        link.symlink_to(target)
    return stage


def _command(manifest: Manifest, machine: Machine) -> list[str]:
    """Return the manifest's own command; a program in the plugin's folder goes first."""
    program, *rest = manifest.command
    local = manifest.folder / program
    if local.is_file() and (os.sep in program or os.access(local, os.X_OK)):
        return [str(local), *rest]
    if os.sep not in program and shutil.which(program, path=machine.environ.get("PATH")) is None:
        raise PluginUnavailableError(
            f"{manifest.name} needs {program!r}, which is neither in its folder nor on PATH",
            hint=f"Install {program}, or correct `command` in {manifest.folder}/plugin.toml.",
        )
    return [program, *rest]


_COMMANDS: Final[Mapping[str, Callable[[Manifest, Machine], list[str]]]] = {
    "python": _python,
    "node": _node,
    "lua": _packaged("lupa"),
    "wasm": _packaged("extism"),
    "exec": _command,
    "mcp": _command,
}
