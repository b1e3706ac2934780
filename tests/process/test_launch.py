from __future__ import annotations

import resource
from pathlib import Path
from typing import Any

import pytest

from plughost.contracts.manifest import Manifest, PythonSection
from plughost.errors import PluginUnavailableError
from plughost.process.launch import Limit, Wire, environment, limits
from plughost.process.runtimes import Machine, launch_of


def test_only_allowed_and_declared_names_are_inherited() -> None:
    source = {
        "HOME": "/home/u",
        "LC_ALL": "C",
        "LC_": "x",
        "AWS_SECRET": "s",
        "MINE": "m",
        "USER": "() { :;}; x",
        "PYTHONPATH": "/evil",
    }

    assert environment(source, ["MINE", "ABSENT"], ADDED="1") == {
        "HOME": "/home/u",
        "LC_ALL": "C",
        "MINE": "m",
        "ADDED": "1",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
    }


def test_limits_are_those_of_the_manifest() -> None:
    assert Limit(resource.RLIMIT_DATA, 64 * 2**20) in limits(memory_mb=64, open_files=10)
    assert Limit(resource.RLIMIT_NOFILE, 10) in limits(memory_mb=64, open_files=10)


def manifest(folder: Path, **changes: Any) -> Manifest:
    values: dict[str, Any] = {
        "name": "p",
        "version": "1.0.0",
        "runtime": "python",
        "entry": "main.py",
        "folder": folder,
        **changes,
    }
    return Manifest(**values)


@pytest.mark.parametrize("runtime", ["python", "lua", "wasm"])
def test_python_based_runtimes_get_a_bare_interpreter_and_a_private_wire(
    runtime: str, tmp_path: Path
) -> None:
    launch = launch_of(manifest(tmp_path, runtime=runtime), Machine({}, tmp_path))

    assert launch.argv[1:4] == ("-I", "-S", "-u")
    assert Path(launch.argv[4]).name == "runner.py"
    assert launch.argv[-2:] == (str(tmp_path), "main.py")
    assert launch.wire is Wire.PRIVATE
    assert launch.env["PLUGHOST_PLUGIN"] == "p"
    assert launch.cwd == tmp_path


def test_a_virtual_environment_is_used_or_missed_with_a_remedy(tmp_path: Path) -> None:
    wanted = manifest(tmp_path, python=PythonSection(venv=".venv"))
    with pytest.raises(PluginUnavailableError, match="virtual environment") as caught:
        launch_of(wanted, Machine({}, tmp_path))
    assert "python3 -m venv" in caught.value.hint

    program = tmp_path / ".venv" / "bin" / "python"
    program.parent.mkdir(parents=True)
    program.touch()
    assert launch_of(wanted, Machine({}, tmp_path)).argv[:2] == (str(program), "-I")


def test_node_is_staged_with_its_sdk(tmp_path: Path) -> None:
    node = tmp_path / "bin" / "node"
    node.parent.mkdir()
    node.touch(mode=0o755)
    wanted = manifest(tmp_path, runtime="node", entry="main.mjs")
    machine = Machine({"PATH": str(node.parent)}, tmp_path / "scratch")

    launch_of(wanted, machine)
    launch = launch_of(wanted, machine)  # a restart finds the stage already there

    stage = tmp_path / "scratch" / "node" / "p"
    assert launch.argv[0] == str(node)
    assert launch.argv[1] == f"--max-old-space-size={int(256 * 0.6)}"
    assert (stage / "plugin").resolve() == tmp_path
    assert (stage / "node_modules" / "@plughost" / "sdk").is_symlink()


def test_a_missing_node_says_what_to_install(tmp_path: Path) -> None:
    wanted = manifest(tmp_path, runtime="node", entry="main.mjs")

    with pytest.raises(PluginUnavailableError, match="no `node` on PATH") as caught:
        launch_of(wanted, Machine({"PATH": "/nowhere"}, tmp_path))

    assert "Node.js 20" in caught.value.hint


def test_a_command_of_its_own_folder_goes_first(tmp_path: Path) -> None:
    (tmp_path / "run").touch(mode=0o755)
    local = manifest(tmp_path, runtime="exec", entry=None, command=("./run", "-x"))
    on_path = manifest(tmp_path, runtime="exec", entry=None, command=("sh", "main.sh"))
    machine = Machine({"PATH": "/bin:/usr/bin"}, tmp_path)

    assert launch_of(local, machine).argv == (str(tmp_path / "run"), "-x")
    assert launch_of(on_path, machine).argv == ("sh", "main.sh")
    assert launch_of(on_path, machine).wire is Wire.STDIO


def test_a_missing_command_is_named(tmp_path: Path) -> None:
    wanted = manifest(tmp_path, runtime="exec", entry=None, command=("no-such-tool",))

    with pytest.raises(PluginUnavailableError, match="neither in its folder nor on PATH"):
        launch_of(wanted, Machine({"PATH": "/bin"}, tmp_path))
