"""The import layers hold, and the check that says so can fail.

Contract: docs/reference/developer-contract.md#the-layers.
Each case breaks one rule in a copy of the tree and runs the real
``lint-imports`` with the real settings there.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ONE_DOOR = "one door: plugins are reached through the registry"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    caches = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "host" / "plughost", tmp_path / "host" / "plughost", ignore=caches)
    shutil.copytree(
        ROOT / "runtimes" / "python" / "plughost_sdk",
        tmp_path / "runtimes" / "python" / "plughost_sdk",
        ignore=caches,
    )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    # PYTHONPATH goes before the editable install, so the copy is what is read.
    paths = os.pathsep.join([str(tree / "host"), str(tree / "runtimes" / "python")])
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def add_line(tree: Path, module: str, line: str) -> None:
    """Append *line* to the module file, which may be of a room that is not built yet."""
    path = tree / "host" / module
    path.parent.mkdir(parents=True, exist_ok=True)
    (path.parent / "__init__.py").touch()
    with path.open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")


def broken_contracts(result: subprocess.CompletedProcess[str]) -> list[str]:
    return re.findall(r"^(.+) BROKEN\b", result.stdout, re.MULTILINE)


def test_the_tree_as_it_is_keeps_every_contract(tree: Path) -> None:
    result = lint(tree)

    assert result.returncode == 0, result.stdout + result.stderr
    assert "Contracts: 5 kept, 0 broken." in result.stdout


@pytest.mark.parametrize("room", ["agent", "rules", "metering", "memory", "gateway"])
@pytest.mark.parametrize("behind_the_door", ["supervisor", "process"])
def test_a_room_that_reaches_past_the_registry_breaks_the_build(
    tree: Path, room: str, behind_the_door: str
) -> None:
    add_line(tree, f"plughost/{room}/shortcut.py", f"import plughost.{behind_the_door}")

    result = lint(tree)

    assert result.returncode == 1, result.stdout + result.stderr
    assert broken_contracts(result) == [ONE_DOOR]
    assert f"plughost.{room}.shortcut -> plughost.{behind_the_door}" in result.stdout


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("plughost/protocol/waiting.py", "import trio", "the core waits for nothing"),
        ("plughost/contracts/clock.py", "import time", "the core waits for nothing"),
        ("plughost/process/loop.py", "import asyncio", "asyncio lives in the gateway only"),
        ("plughost/cli/web.py", "import aiohttp", "asyncio lives in the gateway only"),
        ("plughost/process/up.py", "import plughost.registry", "one way, top to bottom"),
        ("plughost/helpers/things.py", "import json", "one way, top to bottom"),
    ],
)
def test_a_forbidden_import_or_an_undeclared_room_breaks_the_build(
    tree: Path, module: str, line: str, contract: str
) -> None:
    add_line(tree, module, line)

    result = lint(tree)

    assert result.returncode == 1, result.stdout + result.stderr
    assert contract in broken_contracts(result)


def test_an_sdk_that_imports_the_host_breaks_the_build(tree: Path) -> None:
    sdk = tree / "runtimes" / "python" / "plughost_sdk"
    (sdk / "borrowed.py").write_text("import plughost.errors\n", encoding="utf-8")

    result = lint(tree)

    assert result.returncode == 1, result.stdout + result.stderr
    assert broken_contracts(result) == ["the SDK stands alone"]
