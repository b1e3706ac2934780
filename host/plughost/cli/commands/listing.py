"""`plughost plugins` and `plughost tools`: what there is and how it is."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import click

from plughost.cli.options import host_options, json_option, where_option

__all__ = ["plugins", "tools"]


@click.command
@where_option
@host_options
@json_option
def plugins(*, directories: tuple[Path, ...], where: str | None, as_json: bool) -> int:
    """List the plugins with state, limits and guards.

    It starts them first.  A plugin whose manifest is broken is listed below, with every problem.
    With --json the list is that of the gateway's GET /v1/plugins.
    """
    from plughost.cli.listing.looking import PLUGIN_KEYS, look_at_plugins
    from plughost.cli.listing.tables import show_plugins, show_problems
    from plughost.cli.output import print_json

    wanted = _filter(where, PLUGIN_KEYS)
    records, problems = look_at_plugins(directories)
    kept = _kept(records, wanted)
    if as_json:
        print_json(kept)
    else:
        show_plugins(kept, total=len(records))
    show_problems(problems)
    return 0


@click.command
@click.argument("plugin", required=False)
@where_option
@host_options
@json_option
def tools(
    *, plugin: str | None, directories: tuple[Path, ...], where: str | None, as_json: bool
) -> int:
    """List the tools of all plugins, or of PLUGIN.

    It starts the plugins first.  With --json each record has the tool's
    schemas; its name is both `name` and `tool`.
    """
    from plughost.cli.listing.looking import TOOL_KEYS, look_at_tools
    from plughost.cli.listing.tables import show_problems, show_tools
    from plughost.cli.output import print_json

    wanted = _filter(where, TOOL_KEYS)
    records, problems = look_at_tools(directories, plugin)
    kept = _kept(records, wanted)
    if as_json:
        print_json(kept)
    else:
        show_tools(kept, total=len(records))
    show_problems(problems)
    return 0


def _filter(where: str | None, names: Collection[str]) -> Any:
    """Return the checked expression, before anything is started for it."""
    if where is None:
        return None
    from plughost.cli.listing.where import Where

    return Where(where, names)


def _kept(records: Sequence[dict[str, Any]], wanted: Any) -> list[dict[str, Any]]:
    return [record for record in records if wanted is None or wanted.keeps(record)]
