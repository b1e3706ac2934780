"""Every dependency is used, and nobody pays at start for one that they do not use."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
# Where a distribution's module is not called like the distribution.  The WASM
# runner calls the binding that extism brings: the package around it costs 18 ms.
IMPORT_NAMES = {
    "extism": "extism_sys",
    "extism-sys": "extism_sys",
    "google-re2": "re2",
    "semantic-version": "semantic_version",
}
# What one call from the command line has no use for.
NOT_FOR_A_CALL = {"aiohttp", "anthropic", "extism", "lupa", "mcp", "openai", "simpleeval"}


def dependencies() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {Requirement(line).name for line in project["dependencies"]}


def imported_modules() -> set[str]:
    found: set[str] = set()
    for folder in ("host", "runtimes"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    found |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom):
                    found.add((node.module or "").partition(".")[0])
    return found


def modules_loaded_by(*arguments: str) -> set[str]:
    result = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )
    lines = (line for line in result.stderr.splitlines() if line.startswith("import time:"))
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


def test_no_dependency_is_declared_for_show() -> None:
    imported = imported_modules()

    assert {
        name for name in dependencies() if IMPORT_NAMES.get(name, name) not in imported
    } == set()


def test_importing_plughost_loads_neither_trio_nor_a_web_framework() -> None:
    loaded = modules_loaded_by("-c", "import plughost")

    assert "plughost" in loaded
    assert loaded & (NOT_FOR_A_CALL | {"trio", "asyncio"}) == set()


def test_a_call_loads_only_what_a_call_needs() -> None:
    loaded = modules_loaded_by("-m", "plughost", "call", "disk-usage", "free")

    assert "trio" in loaded
    assert loaded & NOT_FOR_A_CALL == set()
