"""`plughost serve`: the host with its gateway, until somebody stops it."""

from __future__ import annotations

from pathlib import Path

import click

from plughost.cli.options import host_options

__all__ = ["serve"]


@click.command
@click.option(
    "--listen",
    default="127.0.0.1:8420",
    show_default=True,
    metavar="HOST:PORT",
    help="A loopback address; port 0 takes any that is free.",
)
@host_options
def serve(*, directories: tuple[Path, ...], listen: str) -> int:
    """Run the plugins and answer HTTP about them.

    GET /v1/plugins, /v1/tools, /healthz, /readyz.  Only this machine can
    reach it.  SIGTERM or Ctrl-C ends it.
    """
    import trio

    from plughost.cli.serving import serve_until_stopped
    from plughost.gateway.address import parse_address

    trio.run(serve_until_stopped, parse_address(listen), directories)
    return 0
