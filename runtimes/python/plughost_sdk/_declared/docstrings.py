"""What a docstring says about a tool and its parameters, in Google's form."""

from __future__ import annotations

__all__ = ["read_docstring"]

# Google's headings (pyguide 3.8.3) and what Napoleon adds; a description ends at any of them.
_HEADINGS = frozenset(
    ("args", "arguments", "parameters", "returns", "return", "yields", "raises", "example",
     "examples", "note", "notes", "attributes", "see", "references", "todo", "warning", "warnings")
)  # fmt: skip
_PARAMETERS = ("args", "arguments", "parameters")


def read_docstring(text: str | None) -> tuple[str, dict[str, str]]:
    """Return the description and what ``Args:`` says of each parameter."""
    if not text:
        return "", {}
    lines = _dedent(text)
    description: list[str] = []
    parameters: list[str] = []
    section = description
    for line in lines:
        if line[:1].strip() and line.rstrip().endswith(":"):
            name = line.rstrip()[:-1].lower()
            if name.split(" ")[0] in _HEADINGS:
                section = parameters if name in _PARAMETERS else []
                continue
        section.append(line)
    return _paragraphs(description), _entries(parameters)


def _dedent(text: str) -> list[str]:
    """The docstring's lines without the indentation of its body (PEP 257)."""
    lines = text.expandtabs().splitlines()
    margin = min((len(line) - len(line.lstrip()) for line in lines[1:] if line.strip()), default=0)
    return [lines[0].strip(), *(line[margin:].rstrip() for line in lines[1:])]


def _paragraphs(lines: list[str]) -> str:
    return "\n".join(lines).strip()


def _entries(lines: list[str]) -> dict[str, str]:
    """Read ``name (type): text`` entries, whose further lines are indented deeper."""
    entries: dict[str, str] = {}
    indent = -1
    name = ""
    for line in lines:
        stripped = line.strip()
        if not stripped:
            continue
        column = len(line) - len(line.lstrip())
        if indent < 0:
            indent = column
        head, colon, rest = stripped.partition(":")
        if column <= indent and colon:
            name = head.split("(")[0].strip().lstrip("*")
            entries[name] = rest.strip()
        elif name:
            entries[name] = f"{entries[name]} {stripped}".strip()
    return entries
