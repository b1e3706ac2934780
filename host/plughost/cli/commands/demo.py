"""`plughost demo`: the whole product in one run, every promise checked."""

from __future__ import annotations

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
    import sys

    import trio

    from plughost.cli.demo.show import run_demo
    from plughost.cli.demo.stage import Stage
    from plughost.cli.logs import configure
    from plughost.cli.output import print_json

    configure()
    stage = Stage(silent=as_json)
    trio.run(run_demo, stage)
    if as_json:
        print_json(stage.record)
    if not stage.broken:
        stage.say("\nNext: plughost tools; plughost call PLUGIN TOOL; plughost doctor.")
        return 0
    for promise in stage.broken:
        sys.stderr.write(f"not as promised: {promise}\n")
    return 1
