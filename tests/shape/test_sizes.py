"""Sizes and names stay as docs/reference/developer-contract.md says."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "host" / "plughost"
# The numbers are the contract's, "Sizes": medians of nine projects read before
# this one was begun lie at 90-270 lines for a module.
MAX_MODULE_LINES = 400
MAX_MODULES_IN_A_PACKAGE = 8
NAMES_THAT_SAY_NOTHING = {"utils", "util", "common", "helpers", "helper", "core", "manager", "misc"}
CODE_SUFFIXES = {".py", ".mjs", ".lua", ".ts"}


def code_files(*folders: str) -> list[Path]:
    return sorted(
        path
        for folder in folders
        for path in (ROOT / folder).rglob("*")
        if path.suffix in CODE_SUFFIXES and "node_modules" not in path.parts
    )


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def is_unfinished(text: str) -> bool:
    return re.search(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b", text) is not None


def test_no_module_is_longer_than_a_reader_can_hold() -> None:
    lengths = {
        relative(path): len(path.read_text(encoding="utf-8").splitlines())
        for path in code_files("host", "runtimes", "plugins", "docs")
    }

    assert {path: n for path, n in lengths.items() if n > MAX_MODULE_LINES} == {}


def test_no_package_has_more_modules_than_fit_a_page() -> None:
    packages = [path.parent for path in PACKAGE.rglob("__init__.py")]
    counts = {
        relative(package): len([p for p in package.glob("*.py") if p.name != "__init__.py"])
        for package in packages
    }

    assert {path: n for path, n in counts.items() if n > MAX_MODULES_IN_A_PACKAGE} == {}


def test_no_file_or_folder_has_a_name_that_says_nothing() -> None:
    named = {
        relative(path)
        for path in code_files("host", "runtimes", "tests")
        if NAMES_THAT_SAY_NOTHING & {part.removeprefix("_") for part in path.with_suffix("").parts}
    }

    assert named == set()


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("__init__.py")), ids=relative)
def test_an_init_file_holds_only_imports_and_all(path: Path) -> None:
    body = ast.parse(path.read_text(encoding="utf-8")).body

    assert [ast.unparse(node) for node in body if not belongs_in_an_init(node)] == []


def belongs_in_an_init(node: ast.stmt) -> bool:
    match node:
        case ast.Import() | ast.ImportFrom():
            return True
        case ast.Expr(value=ast.Constant(value=str())):
            return True  # the docstring
        case ast.Assign(targets=[ast.Name(id="__all__")]):
            return True
        case ast.FunctionDef(name="__getattr__"):
            return True  # a lazy import (PEP 562)
        case _:
            return False


def test_every_module_of_the_host_says_what_it_answers() -> None:
    silent = [
        relative(path)
        for path in PACKAGE.rglob("*.py")
        if ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) is None
    ]

    assert silent == []


def test_nothing_is_marked_as_unfinished() -> None:
    files = code_files("host", "runtimes", "plugins", "tests")

    assert [relative(p) for p in files if is_unfinished(p.read_text(encoding="utf-8"))] == []
