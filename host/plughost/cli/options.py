"""The options that several commands share."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, TypeVar

import click

from plughost.errors import ConfigError

__all__ = ["UnknownNameError", "debug_option", "host_options", "json_option", "where_option"]

F = TypeVar("F", bound=Callable[..., Any])


class UnknownNameError(click.UsageError):
    """A name that is none of those there are; the message says which is nearest."""

    def __init__(self, what: str, name: str, known: Collection[str], *, hint: str) -> None:
        """Say that there is no *what* called *name*."""
        close = difflib.get_close_matches(name, known, n=1)
        meant = f"; did you mean {close[0]!r}?" if close else ""
        super().__init__(f"there is no {what} {name!r}{meant}")
        self.hint = hint


def json_option(command: F) -> F:
    """Add ``--json``."""
    option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    return option(command)


def where_option(command: F) -> F:
    """Add ``--where EXPR``."""
    option = click.option(
        "--where",
        metavar="EXPR",
        help='Only records for which EXPR holds, such as: runtime == "node".',
    )
    return option(command)


def debug_option(command: F) -> F:
    """Add ``--debug``; `main` reads it, because an error may come before the command exists."""
    option = click.option(
        "--debug", is_flag=True, expose_value=False, help="Show the tracebacks of errors."
    )
    return option(command)


def host_options(command: F) -> F:
    """Add ``--plugins``, ``--verbose`` and ``--debug``, for a command that starts a host."""
    plugins = click.option(
        "--plugins",
        "directories",
        metavar="DIR",
        multiple=True,
        callback=_existing_folders,
        help="A plugin's folder, or a folder of plugins' folders; repeat it for more.",
    )
    verbose = click.option(
        "-v",
        "--verbose",
        count=True,
        expose_value=False,
        callback=_set_verbosity,
        help="Log more to stderr; twice for everything.",
    )
    return plugins(verbose(debug_option(command)))


def _existing_folders(
    _context: click.Context, _option: click.Parameter, directories: tuple[str, ...]
) -> tuple[Path, ...]:
    for each in directories:
        if not Path(each).expanduser().is_dir():
            raise _no_folder(each)
    return tuple(Path(each).expanduser().absolute() for each in directories)


def _no_folder(directory: str) -> ConfigError:
    path = Path(directory).expanduser()
    if path.exists():
        return ConfigError(
            f"--plugins {directory}: this is not a folder",
            hint="Name the plugin's folder, or the folder around it.",
            path=str(path.absolute()),
        )
    beside = path.absolute().parent
    names = [each.name for each in beside.iterdir() if each.is_dir()] if beside.is_dir() else []
    close = difflib.get_close_matches(path.name, names, n=1)
    meant = f"; did you mean {str(path.with_name(close[0]))!r}?" if close else ""
    return ConfigError(
        f"--plugins {directory}: there is no folder {path.absolute()}{meant}",
        hint="Name the plugin's folder, or the folder around it.",
        path=str(path.absolute()),
    )


def _set_verbosity(context: click.Context, _option: click.Parameter, count: int) -> int:
    from plughost.cli.logs import configure

    configure(verbosity=count, lasting=context.command.name == "serve")
    return count
