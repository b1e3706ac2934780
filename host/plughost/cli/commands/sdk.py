"""`plughost sdk`: where the SDKs are on this machine."""

from __future__ import annotations

from pathlib import Path

import click

from plughost.cli.options import debug_option, json_option
from plughost.cli.output import print_json, print_text
from plughost.resources import share_dir

__all__ = ["sdk"]


@click.group
def sdk() -> None:
    """Find the SDK of a runtime, to install or to read it."""


@sdk.command
@click.argument(
    "runtime", metavar="RUNTIME", type=click.Choice(["python", "node", "lua", "wasm", "exec"])
)
@json_option
@debug_option
def path(*, runtime: str, as_json: bool) -> int:
    """Print the folder of the SDK for RUNTIME: python, node, lua, wasm or exec.

    `pip install "$(plughost sdk path python)"` and `npm install "$(plughost
    sdk path node)"` install the SDK alone.
    """
    folder: Path = share_dir() / "runtimes" / runtime
    if as_json:
        print_json({"runtime": runtime, "path": str(folder)})
    else:
        print_text(str(folder))
    return 0
