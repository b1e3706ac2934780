"""Reads the fenced blocks of a page and knows what each of them is for."""

from __future__ import annotations

import re
from pathlib import Path

import attrs
import pytest

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(
    r"^(?:<!-- (?P<marker>file|not run|needs): (?P<argument>.+?) -->\n\n?)?"
    r"^```(?P<language>[a-z]*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@attrs.frozen(kw_only=True)
class Block:
    """One fenced block, and the comment in front of it.

    Attributes:
        marker: ``file`` (write it to *argument*), ``not run`` (*argument* says
            why), ``needs`` (run it where the program *argument* is installed),
            or empty (the language decides).
    """

    page: str
    line: int
    marker: str
    argument: str
    language: str
    text: str

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


def blocks_of(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [
        Block(
            page=page.relative_to(ROOT).as_posix(),
            line=text.count("\n", 0, found.start("language")) + 1,
            marker=found["marker"] or "",
            argument=found["argument"] or "",
            language=found["language"],
            text=found["text"],
        )
        for found in FENCE.finditer(text)
    ]


def pages() -> list[Path]:
    """Return every page a reader may follow, the plugins' own READMEs too."""
    return [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *sorted(ROOT.glob("docs/**/*.md")),
        *sorted(ROOT.glob("plugins/*/README.md")),
    ]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "page" in metafunc.fixturenames:
        found = pages()
        ids = [page.relative_to(ROOT).as_posix() for page in found]
        metafunc.parametrize("page", found, ids=ids)


@pytest.fixture
def blocks(page: Path) -> list[Block]:
    return blocks_of(page)
