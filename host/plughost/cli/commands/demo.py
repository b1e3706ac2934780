"""`plughost demo`: the whole product in one run, every promise checked."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

import click

from plughost.cli.options import debug_option, json_option

__all__ = ["demo"]


@click.command
@json_option
@debug_option
def demo(*, as_json: bool) -> int:
    """Show every runtime at work, and a crash, a hang and a leak.

    Every answer and every promise is checked while it runs; exits 1 if one
    did not hold.
    """
    import trio

    from plughost.cli.demo.show import run_demo
    from plughost.cli.demo.stage import Stage
    from plughost.cli.logs import configure
    from plughost.cli.output import print_json, print_text

    configure()
    stage = Stage(silent=as_json)
    trio.run(run_demo, stage)
    if as_json:
        print_json(stage.record)
    if not stage.broken:
        if not as_json:
            print_text(_what_next())
        return 0
    for promise in stage.broken:
        sys.stderr.write(f"not as promised: {promise}\n")
    return 1


def _what_next() -> str:
    # Not folded to the terminal: a command is there to be copied.
    commands = ("tools", "call PLUGIN TOOL", "doctor")
    return "\nNext:\n" + "\n".join(f"  {_as_typed()} {command}" for command in commands)


def _as_typed() -> str:
    """Return this program as the person at this shell can type it."""
    if shutil.which("plughost") is not None:
        return "plughost"
    # `make demo` runs the program by its path, without changing PATH.
    program = sys.argv[0]
    if Path(program).name == "plughost":
        return shlex.quote(program)
    return f"{shlex.quote(sys.executable)} -m plughost"
