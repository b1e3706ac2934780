"""`plughost call`: one call of one tool; its result is what the command prints."""

from __future__ import annotations

from pathlib import Path

import click

from plughost.cli.options import host_options, json_option

__all__ = ["call"]

# The host's own bound: a longer wait is a mistake in a unit.
_MAX_TIMEOUT_S = 24 * 3600.0


def _seconds(
    _context: click.Context, _option: click.Parameter, value: float | None
) -> float | None:
    if value is not None and not 0 < value <= _MAX_TIMEOUT_S:  # false for NaN too
        raise click.BadParameter(f"{value:g} is not between 0 and {_MAX_TIMEOUT_S:g} seconds")
    return value


@click.command
@click.argument("plugin")
@click.argument("tool")
@click.argument("pairs", nargs=-1, metavar="[KEY=VALUE]...")
@click.option(
    "--args", "args_text", metavar="JSON", help="All arguments as one JSON object; - reads stdin."
)
@click.option(
    "--timeout",
    "timeout_s",
    type=float,
    metavar="S",
    callback=_seconds,
    help="Seconds the call may take; the plugin's manifest decides otherwise.",
)
@click.option(
    "--grant",
    "grants",
    metavar="KEY=PATH",
    multiple=True,
    help="A path the plugin may use in this call: fs_read=PATH or fs_write=PATH.",
)
@host_options
@json_option
def call(
    *,
    plugin: str,
    tool: str,
    pairs: tuple[str, ...],
    args_text: str | None,
    timeout_s: float | None,
    grants: tuple[str, ...],
    directories: tuple[Path, ...],
    as_json: bool,
) -> int:
    """Call TOOL of PLUGIN and print its result as JSON.

    KEY=VALUE pairs become arguments, converted to what the tool's schema asks
    for.  An argument that names a granted path may be relative to the current
    folder.  Exits 0, or with the status of the error's type.
    """
    from plughost.cli.calls.making import Wish, make_call
    from plughost.cli.failures import failure_of_call, show
    from plughost.cli.output import print_json

    wish = Wish(
        plugin=plugin,
        tool=tool,
        pairs=pairs,
        args_text=args_text,
        grants=grants,
        timeout_s=timeout_s,
        directories=directories,
    )
    result = make_call(wish)
    if as_json:
        print_json(result.to_json())
    elif result.error is None:
        print_json(result.data)
    if result.error is None:
        return 0
    failure = failure_of_call(result.error)
    return failure.exit_status if as_json else show(failure, as_json=False)
