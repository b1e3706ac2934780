"""Pages link to things that exist and cover what the contracts promise."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

from plughost.supervisor.lifecycle import State

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")
HEADING = re.compile(r"^#+ (?P<title>.+)$", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
MODULE = re.compile(r"`(?P<module>[\w/]+\.py)`(?P<constants>(?: `\w+ = [^`]+`)+)")
CONSTANT = re.compile(r"`(?P<name>\w+) = (?P<value>[^`]+)`")
# A decision page is read standing up.
MAX_DECISION_LINES = 45


def anchors(page: Path) -> set[str]:
    """Return the anchors GitHub gives to the headings of *page*."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    titles = (found["title"].lower() for found in HEADING.finditer(text))
    return {re.sub(r"[^\w\- ]", "", title).strip().replace(" ", "-") for title in titles}


def broken_links(page: Path) -> list[str]:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    broken = []
    for found in LINK.finditer(text):
        file, _, anchor = found["target"].partition("#")
        if re.match(r"[a-z]+:", file):
            continue  # the network is not a test's business
        target = (page.parent / file).resolve() if file else page
        missing_anchor = anchor and target.suffix == ".md" and anchor not in anchors(target)
        if not target.exists() or missing_anchor:
            broken.append(found["target"])
    return broken


def test_every_link_leads_somewhere(page: Path) -> None:
    assert broken_links(page) == []


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Here\n[a](#here) [b](#there) [c](none.md)\n", encoding="utf-8")

    assert broken_links(page) == ["#there", "none.md"]


def test_every_error_type_has_a_heading() -> None:
    document = json.loads((ROOT / "contracts" / "errors.json").read_text(encoding="utf-8"))

    assert set(document["errors"]) - anchors(ROOT / "docs" / "reference" / "errors.md") == set()


def test_every_state_of_a_plugin_is_explained() -> None:
    text = (ROOT / "docs" / "reference" / "lifecycle.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE)

    assert rows == [state.value for state in State]


def test_every_page_is_reachable_from_the_index() -> None:
    index = ROOT / "docs" / "README.md"
    linked = {
        (index.parent / found["target"].partition("#")[0]).resolve()
        for found in LINK.finditer(index.read_text(encoding="utf-8"))
    }
    pages = {
        path
        for path in (ROOT / "docs").rglob("*.md")
        if path != index and "changes" not in path.parts and path.name != "changelog.md"
    }

    assert {path.relative_to(ROOT).as_posix() for path in pages - linked} == set()


def test_every_decision_says_what_would_change_our_mind_and_stays_short() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    assert [page.name[:4] for page in pages] == [f"{n:04}" for n in range(1, len(pages) + 1)]

    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert "\n## Context\n" in text, page.name
        assert "\n## Choice\n" in text, page.name
        assert "\n## What would change our mind\n" in text, page.name
        assert len(text.splitlines()) <= MAX_DECISION_LINES, page.name


def test_every_make_target_the_pages_name_exists(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"`make ([a-z-]+)`|^\$ make ([a-z-]+)", text, re.MULTILINE))

    assert {one or two for one, two in named} - targets == set()


def constants_of(module: Path) -> dict[str, str]:
    """Return the module's top-level constants, each as its source."""
    found = {}
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.AnnAssign) and node.value is not None:
            found[ast.unparse(node.target)] = ast.unparse(node.value)
        elif isinstance(node, ast.Assign):
            found |= {ast.unparse(target): ast.unparse(node.value) for target in node.targets}
    return found


def test_every_default_on_the_page_is_the_one_in_the_code() -> None:
    text = (ROOT / "docs" / "reference" / "defaults.md").read_text(encoding="utf-8")
    claimed = {
        (row["module"], constant["name"]): constant["value"]
        for row in MODULE.finditer(text)
        for constant in CONSTANT.finditer(row["constants"])
    }
    actual = {
        (module, name): constants_of(ROOT / "host" / "plughost" / module).get(name)
        for module, name in claimed
    }

    assert len(claimed) == text.count(" = ")
    assert claimed == actual
