"""`plughost explain`: what an error type means, whose it is, and what to do."""

from __future__ import annotations

from typing import Any, Final

import click

from plughost.cli.failures import error_types
from plughost.cli.options import UnknownNameError, debug_option, json_option
from plughost.cli.output import print_json, print_text

__all__ = ["explain"]

_BLAME: Final = {
    "caller": "whoever made the call",
    "plugin": "the plugin's author",
    "host": "plughost",
}


@click.command
@click.argument("error_type", metavar="[TYPE]", required=False)
@json_option
@debug_option
def explain(*, error_type: str | None, as_json: bool) -> int:
    """Say what an error TYPE means and what to do about it.

    Without a TYPE all are listed.  The types are those of `error[TYPE]`, of
    `error.type` in a result, and of the gateway's error bodies.
    """
    types = error_types()
    if error_type is None:
        _list(types, as_json=as_json)
        return 0
    entry = types.get(error_type)
    if entry is None:
        raise UnknownNameError(
            "error type", error_type, types, hint="List them with `plughost explain`."
        )
    if as_json:
        print_json({"type": error_type, **entry})
    else:
        print_text(_page(error_type, entry))
    return 0


def _list(types: dict[str, dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print_json([{"type": name, **entry} for name, entry in types.items()])
        return
    width = max(map(len, types))
    for name, entry in types.items():
        print_text(f"{name:{width}}  {entry['meaning']}")
    print_text("\nMore about one: plughost explain TYPE")


def _page(name: str, entry: dict[str, Any]) -> str:
    again = "may work later" if entry["retryable"] else "will fail again"
    return (
        f"{name}: {entry['meaning']}\n"
        f"  who can fix it: {_BLAME.get(entry['blame'], entry['blame'])}\n"
        f"  the same call:  {again}\n"
        f"  exit status:    {entry['exit']}\n"
        f"  HTTP status:    {entry['http']}\n"
        f"  hint: {entry['hint']}"
    )
