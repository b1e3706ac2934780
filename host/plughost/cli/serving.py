"""How do host and gateway come up and go down together?

The gateway is there first, so that ``/healthz`` answers while plugins start,
and leaves last, so that a request during the stop hears `host-stopping`
instead of a refused connection.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from pathlib import Path

import trio

from plughost.cli.listing.tables import show_problems
from plughost.gateway.address import Address
from plughost.gateway.lobby import Lobby
from plughost.gateway.server import open_gateway
from plughost.host import Host

__all__ = ["serve_until_stopped"]


async def serve_until_stopped(address: Address, directories: Sequence[Path]) -> None:
    """Serve on *address* until SIGTERM or SIGINT."""
    lobby = Lobby()
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async with open_gateway(lobby, address) as bound, trio.open_nursery() as nursery:
            _say(f"plughost: http://{bound} (starting plugins)")
            nursery.start_soon(_serve, lobby, directories)
            await _first(signals)
            lobby.closing = True
            _say("plughost: stopping")
            nursery.cancel_scope.cancel()


async def _serve(lobby: Lobby, directories: Sequence[Path]) -> None:
    async with Host.open(*directories) as host:
        show_problems(host.problems())
        states = [each.state for each in host.plugins()]
        _say(f"plughost: {states.count('ready')} of {len(states)} plugins ready")
        lobby.host = host
        await trio.sleep_forever()


async def _first(signals: AsyncIterator[int]) -> None:
    async for _number in signals:
        return


def _say(line: str) -> None:
    # Whoever read this has left; the host has not.
    with suppress(OSError):
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()
