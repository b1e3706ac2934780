"""Writes the generated parts of the pages beside it: errors, manifest, commands, layers, lifecycle.

cog runs these functions inside the pages (`make fix`), and the gate fails when
a page no longer says what its source says (`cog --check`).  Each returns
Markdown; none of them words anything that its source can word.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from plughost.supervisor.lifecycle import TRANSITIONS, State

__all__ = ["commands", "errors", "layers", "lifecycle", "manifest"]

ROOT = Path(__file__).resolve().parents[2]
# Wide enough that no option's help is folded twice, narrow enough for a page.
HELP_COLUMNS = 96
BLAME = {
    "caller": "whoever made the call",
    "plugin": "the plugin's author",
    "host": "plughost",
}


def errors() -> str:
    """Return one section for each type of contracts/errors.json."""
    document = json.loads((ROOT / "contracts" / "errors.json").read_text(encoding="utf-8"))
    sections = []
    for name, entry in document["errors"].items():
        retry = "yes" if entry["retryable"] else "no"
        sections.append(
            f"## {name}\n\n"
            f"{entry['meaning']}\n\n"
            f"*What to do:* {entry['hint']}\n\n"
            "| who can fix it | same call may work later | HTTP | exit status |\n"
            "| --- | --- | --- | --- |\n"
            f"| {BLAME[entry['blame']]} | {retry} | {entry['http']} | {entry['exit']} |\n"
        )
    return "\n".join(sections)


def manifest() -> str:
    """Return one table for each table of the manifest, from its schema."""
    path = ROOT / "contracts" / "plugin-manifest.schema.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    return "\n".join(_table(schema, schema, "", "The top level"))


def _table(root: dict[str, Any], table: dict[str, Any], prefix: str, title: str) -> list[str]:
    """Describe the keys of one table, then the tables inside it."""
    lines = [f"## {title}", ""]
    if prefix and "description" in table:
        lines += [table["description"], ""]
    lines += ["| key | type | default | meaning |", "| --- | --- | --- | --- |"]
    inner: list[str] = []
    required = set(table.get("required", []))
    for key, found in table["properties"].items():
        value = _resolve(root, found)
        lines.append(_row(root, key, value, key in required))
        name, brackets, child = _inner_table(root, f"{prefix}{key}", value)
        if child is not None:
            inner += ["", *_table(root, child, f"{name}.", f"`{brackets}`")]
    return lines + inner


def _inner_table(
    root: dict[str, Any], name: str, value: dict[str, Any]
) -> tuple[str, str, dict[str, Any] | None]:
    """Return the table that *value* is or is a list of, and how TOML writes its header."""
    if "properties" in value:
        return name, f"[{name}]", value
    items = _resolve(root, value.get("items", {})) if isinstance(value.get("items"), dict) else {}
    if "properties" in items:
        return name, f"[[{name}]]", items
    return name, "", None


def _row(root: dict[str, Any], key: str, value: dict[str, Any], required: bool) -> str:
    default = "required" if required else _code(value.get("default"))
    meaning = " ".join([value.get("description", ""), *_bounds(value)]).strip()
    return f"| `{key}` | {_type(root, value)} | {default} | {_cell(meaning)} |"


def _bounds(value: dict[str, Any]) -> list[str]:
    """Word the limits that the schema does not word itself."""
    if "x-hint" in value:
        return [f"({value['x-hint']})"]
    found = []
    if "minimum" in value and "maximum" in value:
        found.append(f"({value['minimum']} to {value['maximum']})")
    if "maxLength" in value:
        found.append(f"(at most {value['maxLength']} characters)")
    if "minItems" in value:
        found.append(f"(at least {value['minItems']})")
    return found


def _type(root: dict[str, Any], value: dict[str, Any]) -> str:
    if "enum" in value:
        return _cell(" or ".join(_code(choice) for choice in value["enum"]))
    if "const" in value:
        return _code(value["const"])
    for combination in ("oneOf", "anyOf"):
        if combination in value:
            choices = [_type(root, _resolve(root, choice)) for choice in value[combination]]
            return _cell(" or ".join(dict.fromkeys(choices)))
    kind = value.get("type", "any")
    if kind == "array":
        items = value.get("items")
        return (
            f"list of {_type(root, _resolve(root, items))}" if isinstance(items, dict) else "list"
        )
    return "table" if kind == "object" else str(kind)


def _resolve(root: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    """Follow a local ``$ref``; what stands beside it wins."""
    reference = value.get("$ref")
    if reference is None:
        return value
    target: Any = root
    for part in reference.removeprefix("#/").split("/"):
        target = target[part]
    return {**target, **{key: text for key, text in value.items() if key != "$ref"}}


def _code(value: object) -> str:
    return "" if value is None else f"`{json.dumps(value, ensure_ascii=False)}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*").replace("\n", " ")


def layers() -> str:
    """Return the rooms from top to bottom, as import-linter is told them."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    [contract] = [
        contract
        for contract in settings["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers"
    ]
    return "```text\n" + "\n".join(contract["layers"]) + "\n```"


def lifecycle() -> str:
    """Return the life of a plugin as a diagram, from the one table that the host obeys."""
    # Mermaid's identifiers hold no hyphen.
    lines = [f'  state "{state}" as {state.name.lower()}' for state in State]
    lines.append("  [*] --> discovered")
    for (state, event), following in TRANSITIONS.items():
        lines.append(f"  {state.name.lower()} --> {following.name.lower()} : {event}")
    return "```mermaid\nstateDiagram-v2\n" + "\n".join(lines) + "\n```"


def commands() -> str:
    """Return `plughost --help` and the help of every command it lists."""
    overview = _help()
    listed = overview.partition("Commands:\n")[2].splitlines()
    names = [line.split()[0] for line in listed if line.startswith("  ") and line[2:3].strip()]
    sections = [f"## plughost\n\n```text\n{overview}```\n"]
    sections += [f"## plughost {name}\n\n```text\n{_help(name)}```\n" for name in names]
    return "\n".join(sections)


def _help(*command: str) -> str:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT / "host"),
        "COLUMNS": str(HELP_COLUMNS),
        "NO_COLOR": "1",
        "LC_ALL": "C.UTF-8",
    }
    result = subprocess.run(
        [sys.executable, "-m", "plughost", *command, "--help"],
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )
    # click names the program after how it was started.
    return result.stdout.replace("python -m plughost", "plughost")
