"""How do lists of plugins, tools and problems look to a person?"""

from __future__ import annotations

import io
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from plughost.cli.failures import failure_of, show
from plughost.cli.output import columns, has_colour, plain, print_rendered, print_text
from plughost.errors import PlughostError

__all__ = [
    "NOT_ISOLATED",
    "guards_of",
    "print_table",
    "show_plugins",
    "show_problems",
    "show_tools",
    "wrap",
]

_STATE_STYLES: Final = {
    "ready": "green",
    "discovered": "dim",
    "stopped": "dim",
    "starting": "yellow",
    "draining": "yellow",
}
_OTHER_STATE: Final = "red"

_WHOLE: Final = frozenset({"name", "plugin", "state"})

# What stands around no plugin yet; said wherever guards are listed, so that
# nobody takes a list of limits for a sandbox.
NOT_ISOLATED: Final = (
    "not active yet: isolation of files and network; a plugin may read and write what you may"
)


def show_plugins(records: Sequence[Mapping[str, Any]], *, total: int) -> None:
    """Print plugins as a table, then why some are not ready, then what guards them."""
    if not records:
        print_text(_none("plugins", total))
        return
    heads = ("name", "version", "runtime", "state", "memory", "per call", "calls", "files")
    rows = [_plugin_row(record) for record in records]
    print_table(heads, rows, styles={3: _STATE_STYLES})
    for record in records:
        if record["reason"]:
            print_text(wrap(f"{record['name']} is {record['state']}: {record['reason']}"))
    print_text(wrap(guards_of(records)))


def show_tools(records: Sequence[Mapping[str, Any]], *, total: int) -> None:
    """Print tools with their parameters and what they do."""
    if not records:
        print_text(_none("tools", total))
        return
    rows = [
        (record["plugin"], _signature(record), record["description"].partition("\n")[0])
        for record in records
    ]
    print_table(("plugin", "tool", "what it does"), rows)


def show_problems(problems: Iterable[PlughostError]) -> None:
    """Print what is wrong with plugin folders to stderr; the rest goes on without them."""
    for problem in problems:
        show(failure_of(problem), as_json=False)


def print_table(
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    styles: Mapping[int, Mapping[str, str]] | None = None,
) -> None:
    """Print a table as wide as the terminal; long cells wrap.

    Args:
        heads: The columns' names.
        rows: Cells, as plain text.
        styles: By column: the style of each value; others are red.
    """
    table = Table(
        box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False, header_style="bold"
    )
    for head in heads:
        # Names are copied into other commands: whole, or not at all.
        table.add_column(head, no_wrap=head in _WHOLE, overflow="fold")
    for row in rows:
        table.add_row(*[_cell(index, text, styles or {}) for index, text in enumerate(row)])
    sheet = io.StringIO()
    coloured = has_colour(sys.stdout)
    console = Console(
        file=sheet,
        width=columns(),
        force_terminal=coloured,
        no_color=not coloured,
        color_system="standard" if coloured else None,
        legacy_windows=False,
    )
    console.print(table)
    lines = [line.rstrip() for line in sheet.getvalue().splitlines()]
    print_rendered("\n".join(lines).strip("\n") + "\n")


def wrap(text: str) -> str:
    """Return *text* folded to the terminal, later lines indented."""
    return textwrap.fill(
        text, width=columns(), subsequent_indent="  ", break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip


def guards_of(records: Iterable[Mapping[str, Any]]) -> str:
    """Return which guards are active around the plugins of *records*, and what is missing."""
    by_guards: dict[tuple[str, ...], list[str]] = {}
    for record in records:
        by_guards.setdefault(tuple(record["guards"]), []).append(record["name"])
    if len(by_guards) == 1:
        [guards] = by_guards
        told = f"guards around each: {', '.join(guards)}"
    else:
        told = "guards: " + "; ".join(
            f"around {', '.join(names)}: {', '.join(guards)}" for guards, names in by_guards.items()
        )
    return f"{told}; {NOT_ISOLATED}"


def _plugin_row(record: Mapping[str, Any]) -> tuple[str, ...]:
    limits = record["limits"]
    return (
        record["name"],
        record["version"],
        record["runtime"],
        record["state"],
        f"{limits['memory_mb']} MiB",
        f"{limits['call_timeout_s']:g} s",
        str(limits["concurrency"]),
        str(limits["open_files"]),
    )


def _signature(record: Mapping[str, Any]) -> str:
    """Return ``slugify(text, [separator])``: optional parameters stand in brackets."""
    schema = record["input_schema"]
    properties = schema.get("properties")
    required = schema.get("required") or ()
    names = list(properties) if isinstance(properties, dict) else []
    shown = ", ".join(name if name in required else f"[{name}]" for name in names)
    return f"{record['tool']}({shown})"


def _cell(index: int, text: str, styles: Mapping[int, Mapping[str, str]]) -> Text:
    style = styles[index].get(text, _OTHER_STATE) if index in styles else ""
    return Text(plain(text), style=style)


def _none(what: str, total: int) -> str:
    if total:
        return f"None of {total} {what} fits --where."
    return f"There are no {what}. Name a folder with --plugins DIR."
