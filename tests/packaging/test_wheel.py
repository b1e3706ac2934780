"""What is shipped runs where there is no checkout.

Contract: docs/reference/developer-contract.md#where-the-folders-go.
A copy of the tree, with the litter that a working copy has, is built into an
sdist and wheels; each is installed into an empty environment, and one plugin
of every runtime is called from another folder.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Installing all dependencies from a cold cache, on two shared cores.
INSTALL_TIMEOUT_S = 300.0
# One cold start of the slowest interpreter, with room for a loaded machine.
COMMAND_TIMEOUT_S = 60.0
needs_node = pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not on PATH")


def run(
    *command: str | Path,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    timeout_s: float = COMMAND_TIMEOUT_S,
) -> str:
    result = subprocess.run(
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=timeout_s,
        check=False,
    )
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result.stdout


def install(environment: Path, *what: str | Path) -> Path:
    """Create an empty environment, install *what* into it, and return its bin folder."""
    run(sys.executable, "-m", "venv", "--without-pip", environment, cwd=environment.parent)
    python = environment / "bin" / "python"
    pip: list[str | Path] = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet"]
    run(*pip, *what, cwd=environment.parent, timeout_s=INSTALL_TIMEOUT_S)
    return environment / "bin"


def elsewhere(bin_folder: Path, home: Path) -> dict[str, str]:
    """Return the environment of a user who has the installed commands and nothing of ours."""
    return {
        "PATH": os.pathsep.join([str(bin_folder), os.environ["PATH"]]),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "NO_COLOR": "1",
    }


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the tree, with files in it that must not be shipped."""
    copy = tmp_path_factory.mktemp("source") / "checkout"
    litter = shutil.ignore_patterns(".git", ".venv", "node_modules", "__pycache__", ".*_cache")
    shutil.copytree(ROOT, copy, ignore=litter, symlinks=True)
    for ignored in ("runtimes/node/node_modules/x/index.js", "host/plughost/__pycache__/x.pyc"):
        (copy / ignored).parent.mkdir(parents=True)
        (copy / ignored).write_text("not ours to ship\n", encoding="utf-8")
    return copy


@pytest.fixture(scope="session")
def built(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the sdist, the wheel made from it, and the tree's own in ``direct/``."""
    folder = tmp_path_factory.mktemp("built")
    build = [sys.executable, "-m", "build", "--no-isolation"]
    run(*build, "--outdir", folder, checkout, cwd=folder)
    run(*build, "--wheel", "--outdir", folder / "direct", checkout, cwd=folder)
    return folder


def only(folder: Path, pattern: str) -> Path:
    [path] = folder.glob(pattern)
    return path


def names_in(wheel: Path) -> set[str]:
    return set(zipfile.ZipFile(wheel).namelist())


@pytest.fixture(scope="session", params=["wheel", "sdist"])
def installed(
    request: pytest.FixtureRequest, built: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return the bin folder of an environment that has plughost and its dependencies only."""
    what = only(built, "*.whl" if request.param == "wheel" else "*.tar.gz")
    return install(tmp_path_factory.mktemp(request.param) / "environment", what)


def test_the_sdist_and_the_tree_make_the_same_wheel(built: Path) -> None:
    assert names_in(only(built, "*.whl")) == names_in(only(built / "direct", "*.whl"))


def test_a_wheel_carries_what_children_open_and_nothing_that_git_ignores(built: Path) -> None:
    names = names_in(only(built, "*.whl"))

    assert {
        "plughost/py.typed",
        "plughost/cli/main.py",
        "plughost/_share/contracts/errors.json",
        "plughost/_share/plugins/checksums/checksums.wasm",
        "plughost/_share/plugins/disk-usage/plugin.toml",
        "plughost/_share/runtimes/node/index.d.ts",
        "plughost/_share/runtimes/python/plughost_sdk/__init__.py",
        "plughost_sdk/__init__.py",
        "plughost_sdk/py.typed",
    } <= names
    assert {name for name in names if "node_modules" in name or name.endswith(".pyc")} == set()
    top_level = {name.partition("/")[0] for name in names}
    assert {name for name in top_level if not name.endswith(".dist-info")} == {
        "plughost",
        "plughost_sdk",
    }


def test_an_editable_install_uses_the_checkout_and_copies_nothing(
    checkout: Path, tmp_path: Path
) -> None:
    bin_folder = install(tmp_path / "environment", "--no-deps", "--editable", checkout)

    where = "import plughost, plughost_sdk; print(plughost.__file__); print(plughost_sdk.__file__)"
    printed = run(bin_folder / "python", "-c", where, cwd=tmp_path).splitlines()

    assert printed == [
        str(checkout / "host" / "plughost" / "__init__.py"),
        str(checkout / "runtimes" / "python" / "plughost_sdk" / "__init__.py"),
    ]


def test_an_installed_plughost_lists_its_plugins_from_another_folder(
    installed: Path, tmp_path: Path
) -> None:
    listed = json.loads(
        run("plughost", "plugins", "--json", cwd=tmp_path, env=elsewhere(installed, tmp_path))
    )

    names = {plugin["name"] for plugin in listed}
    assert {"text-tools", "data-profile", "unit-convert", "checksums", "disk-usage"} <= names


def call(installed: Path, folder: Path, *arguments: str) -> Any:
    return json.loads(
        run("plughost", "call", *arguments, cwd=folder, env=elsewhere(installed, folder))
    )


@needs_node
def test_an_installed_node_plugin_answers(installed: Path, tmp_path: Path) -> None:
    assert call(installed, tmp_path, "text-tools", "slugify", "text=Hello, World") == "hello-world"


def test_an_installed_python_plugin_answers_about_a_granted_file(
    installed: Path, tmp_path: Path
) -> None:
    (tmp_path / "people.csv").write_text("name,age\nAda,36\nAlan,41\n", encoding="utf-8")

    profile = call(
        installed,
        tmp_path,
        *("data-profile", "profile", "path=people.csv", "--grant", "fs_read=people.csv"),
    )

    assert profile["rows"] == 2


def test_an_installed_lua_plugin_answers(installed: Path, tmp_path: Path) -> None:
    answer = call(installed, tmp_path, "unit-convert", "convert", "value=1", "from=km", "to=m")

    assert answer["value"] == 1000


def test_an_installed_wasm_plugin_answers(installed: Path, tmp_path: Path) -> None:
    answer = call(installed, tmp_path, "checksums", "sha256", "text=abc")

    # FIPS 180-4, the standard's own example.
    assert "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" in str(answer)


def test_an_installed_program_plugin_answers(installed: Path, tmp_path: Path) -> None:
    assert call(installed, tmp_path, "disk-usage", "free")


def sdk_path(installed: Path, folder: Path, runtime: str) -> Path:
    printed = run("plughost", "sdk", "path", runtime, cwd=folder, env=elsewhere(installed, folder))
    return Path(printed.strip())


@pytest.mark.parametrize("runtime", ["python", "node", "lua", "wasm", "exec"])
def test_the_folder_of_every_sdk_can_be_found(
    installed: Path, tmp_path: Path, runtime: str
) -> None:
    path = sdk_path(installed, tmp_path, runtime)

    assert path.is_dir()
    assert installed.parent in path.parents


def test_the_python_sdk_installs_alone_from_its_folder(installed: Path, tmp_path: Path) -> None:
    bin_folder = install(tmp_path / "alone", sdk_path(installed, tmp_path, "python"))

    probe = "import plughost_sdk, importlib.util as u; print(u.find_spec('plughost'))"
    assert run(bin_folder / "python", "-c", probe, cwd=tmp_path) == "None\n"


@needs_node
def test_the_node_sdk_installs_alone_from_its_folder(installed: Path, tmp_path: Path) -> None:
    npm = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--install-links"]
    run(*npm, sdk_path(installed, tmp_path, "node"), cwd=tmp_path, timeout_s=INSTALL_TIMEOUT_S)

    # The SDK points console.log at stderr when it loads; the status is what is left to say it with.
    probe = "import('@plughost/sdk').then((sdk) => process.exit(sdk.plugin.tool ? 0 : 1))"
    run("node", "-e", probe, cwd=tmp_path)
