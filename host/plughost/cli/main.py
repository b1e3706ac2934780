"""`plughost`: finds the command, runs it, and turns whatever goes wrong into a status.

A command is imported when it is asked for, so that `plughost call` pays for
no other command.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from typing import Final

import click

from plughost.cli.failures import USAGE, Failure, failure_of, show
from plughost.cli.output import silence
from plughost.errors import PlughostError

__all__ = ["main", "run"]

# In the order of `plughost --help`: what one does first comes first.
_COMMANDS: Final = {
    "demo": "plughost.cli.commands.demo:demo",
    "call": "plughost.cli.commands.call:call",
    "plugins": "plughost.cli.commands.listing:plugins",
    "tools": "plughost.cli.commands.listing:tools",
    "serve": "plughost.cli.commands.serve:serve",
    "doctor": "plughost.cli.commands.doctor:doctor",
    "explain": "plughost.cli.commands.explain:explain",
    "sdk": "plughost.cli.commands.sdk:sdk",
}

# What a shell reports for a program that a signal ended: 128 and its number.
_INTERRUPTED: Final = 128 + 2
_READER_LEFT: Final = 128 + 13


class _Commands(click.Group):
    """Imports a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        place = _COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, _, name = place.partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if not name.startswith("-") and name not in _COMMANDS:
            raise click.exceptions.NoSuchCommand(name, possibilities=_COMMANDS, ctx=ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="plughost", message="plughost %(version)s")
def plughost() -> None:
    """Run plugins you do not trust, in any of four languages, one process each.

    Results go to stdout, everything else to stderr.
    """


def main() -> None:
    """Run the command that ``sys.argv`` names; never returns."""
    status = run(sys.argv[1:])
    # What cannot be written any more must not turn the status into Python's own 120.
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            silence(stream)
    sys.exit(status)


def run(arguments: Sequence[str]) -> int:
    """Run the command that *arguments* name and return the exit status."""
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    as_json, debug = "--json" in options, "--debug" in options
    try:
        return _status_of(list(arguments), as_json=as_json, debug=debug)
    except BrokenPipeError:
        silence(sys.stdout)
        return _READER_LEFT
    except KeyboardInterrupt:
        return _INTERRUPTED


def _status_of(arguments: list[str], *, as_json: bool, debug: bool) -> int:
    try:
        with plughost.make_context("plughost", arguments) as context:
            status = plughost.invoke(context)
            sys.stdout.flush()
            return int(status or 0)
    except click.exceptions.Exit as end:  # `--help` and `--version`
        return int(end.exit_code)
    except click.exceptions.NoArgsIsHelpError as end:
        click.echo(end.format_message(), err=True)
        return Failure(type=USAGE, message="").exit_status
    except click.ClickException as refused:
        return show(_refusal(refused), as_json=as_json)
    except BaseException as error:  # noqa: BLE001 - the outermost edge
        return _end(_cause(error), as_json=as_json, debug=debug)


def _end(cause: BaseException, *, as_json: bool, debug: bool) -> int:
    if isinstance(cause, (BrokenPipeError, KeyboardInterrupt)):
        raise cause
    if isinstance(cause, SystemExit):
        raise cause
    if debug:
        traceback.print_exception(cause)
    if isinstance(cause, PlughostError):
        return show(failure_of(cause), as_json=as_json)
    failure = Failure(
        type="internal",
        message=f"{type(cause).__name__}: {cause}",
        hint="This is a bug in plughost: report it with what `--debug` prints.",
        help="plughost explain internal",
    )
    return show(failure, as_json=as_json)


def _cause(error: BaseException) -> BaseException:
    """Return what a nursery wrapped: an interrupt first, else the only error there is."""
    while isinstance(error, BaseExceptionGroup):
        interrupt = error.subgroup(KeyboardInterrupt)
        if interrupt is not None:
            return KeyboardInterrupt()
        if len(error.exceptions) != 1:
            return error
        error = error.exceptions[0]
    return error


def _refusal(refused: click.ClickException) -> Failure:
    """Return what click refused, in the look of every other error."""
    context = getattr(refused, "ctx", None)
    command = context.command_path if context is not None else "plughost"
    usage = "" if context is None else f"Write it as: {_usage_of(context)}"
    message = refused.format_message().rstrip(".").replace(". Did you mean", "; did you mean")
    return Failure(
        type=USAGE,
        message=message[:1].lower() + message[1:],
        hint=getattr(refused, "hint", usage),
        help=f"{command} --help",
    )


def _usage_of(context: click.Context) -> str:
    return " ".join([context.command_path, *context.command.collect_usage_pieces(context)])
