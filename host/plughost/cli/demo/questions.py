"""What does the demo ask each first-party plugin, and how does it know the right answer?

Every answer is computed a second time here, by other means.
"""

from __future__ import annotations

import base64
import csv
import difflib
import hashlib
import os
import re
import statistics
import zlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import attrs

from plughost.resources import share_dir

__all__ = ["Question", "questions"]

_MILE_KM: Final = Fraction(1_609_344, 1_000_000)  # the international mile, 1959
_WORDS_PER_MINUTE: Final = 238  # what text-tools says it assumes
_MIB: Final = 1024 * 1024


@attrs.frozen(kw_only=True)
class Question:
    """One call, with what a person reads and what is true.

    Attributes:
        asked: The question in words.
        told: The answer's data in words.
        is_right: Whether the answer's data is what we found by other means.
        refused: The answer is a refusal: a `tool-error` whose message `told` gets.
    """

    plugin: str
    tool: str
    asked: str
    arguments: dict[str, Any]
    told: Callable[[Any], str]
    is_right: Callable[[Any], bool]
    refused: bool = False


def questions() -> list[Question]:
    """Return the demo's questions about files of this installation, by plugin."""
    share = share_dir()
    return [
        *_about_text(share),
        *_about_data(share / "plugins" / "data-profile" / "samples" / "orders.csv"),
        *_about_units(),
        *_about_bytes(share / "contracts" / "errors.json"),
        *_about_folder(share / "contracts"),
    ]


def _about_text(share: Path) -> list[Question]:
    # A wheel carries no README of the project; it carries those of its plugins.
    document = next(
        path
        for path in (share / "README.md", share / "plugins" / "disk-usage" / "README.md")
        if path.is_file()
    )
    text = document.read_text(encoding="utf-8")
    name = document.relative_to(share)
    title = "Run plugins you do not trust, in any of four languages"
    before, after = (
        (share / "contracts" / "wire" / "transcripts" / each).read_text(encoding="utf-8")
        for each in ("handshake.jsonl", "stateless.jsonl")
    )
    return [
        Question(
            plugin="text-tools",
            tool="slugify",
            asked=f"What is the slug of “{title}”?",
            arguments={"text": title},
            told=str,
            is_right=lambda slug: slug == "-".join(re.findall(r"[a-z]+", title.lower())),
        ),
        Question(
            plugin="text-tools",
            tool="word_count",
            asked=f"How long is {name}?",
            arguments={"text": text},
            told=lambda count: (
                f"{count['words']} words, {count['characters']} characters, {count['lines']} lines"
            ),
            is_right=lambda count: (
                count["characters"] == len(text) and count["lines"] == len(text.splitlines())
            ),
        ),
        Question(
            plugin="text-tools",
            tool="reading_time",
            asked="How long does it take to read?",
            arguments={"text": text},
            told=lambda time: f"{time['seconds']} s at {time['words_per_minute']} words a minute",
            is_right=lambda time: (
                abs(time["seconds"] - time["words"] * 60 / _WORDS_PER_MINUTE) <= 1
            ),
        ),
        Question(
            plugin="text-tools",
            tool="extract_links",
            asked="Where does it link to?",
            arguments={"markdown": text},
            told=lambda links: (
                f"{len(links)} in all, the first on line {links[0]['line']}: {links[0]['url']}"
            ),
            is_right=lambda links: _are_all_links(links, text),
        ),
        Question(
            plugin="text-tools",
            tool="diff",
            asked="How do the transcripts of the two MCP revisions' handshakes differ?",
            arguments={"before": before, "after": after},
            told=lambda diff: f"{diff['added']} lines added, {diff['removed']} removed",
            is_right=lambda diff: _is_diff(diff, before, after),
        ),
    ]


def _about_data(path: Path) -> list[Question]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    amounts = [float(row["amount"]) for row in rows if row["amount"] not in ("", "NA")]

    def amount_of(profile: Any) -> Any:
        return next(column for column in profile["columns"] if column["name"] == "amount")

    return [
        Question(
            plugin="data-profile",
            tool="profile",
            asked=f"What is in {path.name}?",
            arguments={"path": str(path)},
            told=lambda profile: (
                f"{profile['rows']} rows of {len(profile['columns'])} columns; amounts from "
                f"{amount_of(profile)['min']:g} to {amount_of(profile)['max']:g}, "
                f"{amount_of(profile)['mean']:.2f} on average, "
                f"{amount_of(profile)['nulls']} missing"
            ),
            is_right=lambda profile: (
                profile["rows"] == len(rows)
                and [column["name"] for column in profile["columns"]] == list(rows[0])
                and abs(amount_of(profile)["mean"] - statistics.fmean(amounts)) < 1e-6  # noqa: PLR2004 - what it is rounded to
            ),
        )
    ]


def _about_units() -> list[Question]:
    return [
        Question(
            plugin="unit-convert",
            tool="convert",
            asked="How fast is 60 mi/h in km/h?",
            arguments={"value": 60, "from": "mi/h", "to": "km/h"},
            told=lambda answer: f"{answer['decimal']} km/h",
            is_right=lambda answer: Fraction(answer["decimal"]) == 60 * _MILE_KM,
        ),
        Question(
            plugin="unit-convert",
            tool="convert",
            asked="How many metres is a kilowatt-hour?",
            arguments={"value": 1, "from": "kWh", "to": "m"},
            told=lambda message: f"none: {message}",
            is_right=lambda message: "kWh" in message,
            refused=True,
        ),
    ]


def _about_bytes(path: Path) -> list[Question]:
    data = path.read_bytes()
    encoded = base64.b64encode(data).decode("ascii")
    return [
        Question(
            plugin="checksums",
            tool="sha256",
            asked=f"What is the SHA-256 of {path.name}, {len(data)} bytes?",
            arguments={"base64": encoded},
            told=lambda answer: str(answer["hex"]),
            is_right=lambda answer: answer["hex"] == hashlib.sha256(data).hexdigest(),
        ),
        Question(
            plugin="checksums",
            tool="crc32",
            asked="And its CRC-32?",
            arguments={"base64": encoded},
            told=lambda answer: str(answer["hex"]),
            is_right=lambda answer: int(answer["hex"], 16) == zlib.crc32(data),
        ),
    ]


def _about_folder(folder: Path) -> list[Question]:
    files = sum(len(names) for _, _, names in os.walk(folder))
    sizes = sum(
        os.lstat(os.path.join(here, name)).st_size  # noqa: PTH118 - thousands of files, if need be
        for here, _, names in os.walk(folder)
        for name in (*names, ".")
    )
    return [
        Question(
            plugin="disk-usage",
            tool="usage",
            asked=f"How much is in {folder.name}/?",
            arguments={"path": str(folder)},
            told=lambda answer: (
                f"{answer['files']} files, {answer['apparent_bytes'] / _MIB:.2f} MiB long, "
                f"{answer['bytes'] / _MIB:.2f} MiB on the disk"
            ),
            is_right=lambda answer: answer["files"] == files and answer["apparent_bytes"] == sizes,
        )
    ]


def _are_all_links(links: Any, text: str) -> bool:
    """Tell whether *links* are those that a plain search finds outside code."""
    lines = text.splitlines()
    # Code, blanked so that places stay.
    prose = re.sub(
        r"^```.*?^```|`[^`\n]*`",
        lambda code: re.sub(r"[^\n]", " ", code[0]),
        text,
        flags=re.MULTILINE | re.DOTALL,
    )
    expected = re.findall(r"\]\(([^)\s]+)\)", prose)
    return [link["url"] for link in links] == expected and all(
        link["url"] in lines[link["line"] - 1] for link in links
    )


def _is_diff(diff: Any, before: str, after: str) -> bool:
    """Tell whether the lines that *diff* adds and removes turn *before* into *after*."""
    old, new = before.splitlines(), after.splitlines()
    changed = [line for line in diff["diff"].splitlines() if line[:1] in "+-"][2:]
    added = [line[1:] for line in changed if line[0] == "+"]
    removed = [line[1:] for line in changed if line[0] == "-"]
    shortest = [line for line in difflib.ndiff(old, new) if line[0] in "+-"]
    return (
        diff["added"] == len(added)
        and diff["removed"] == len(removed)
        and len(new) - len(old) == len(added) - len(removed)
        and set(added) <= set(new)
        and set(removed) <= set(old)
        and len(changed) <= len(shortest)
    )
