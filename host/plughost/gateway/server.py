"""When does the gateway's thread begin and end?  With an `open_gateway` block."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Final

import trio
from aiohttp import web

from plughost.gateway.address import Address, listen
from plughost.gateway.app import make_app
from plughost.gateway.bridge import TrioPort
from plughost.gateway.lobby import Lobby

__all__ = ["open_gateway"]

# How long open requests may take when the gateway leaves; every route answers
# from memory, so only a client that reads slowly needs any of it.
_DRAIN_S: Final = 5.0


@asynccontextmanager
async def open_gateway(lobby: Lobby, address: Address) -> AsyncIterator[Address]:
    """Answer HTTP on *address* for as long as the block runs; yields the address in use.

    Raises:
        ConfigError: The address cannot be had.
    """
    listener = listen(address)
    bound = Address(address.host, listener.getsockname()[1])
    loop = asyncio.new_event_loop()
    leave = asyncio.Event()
    async with trio.open_nursery() as halves:
        port = TrioPort(trio.lowlevel.current_trio_token(), halves)
        app = make_app(port, lobby)
        async with trio.open_nursery() as thread:
            serve = partial(_serve_in_thread, loop, app, listener, leave)
            thread.start_soon(trio.to_thread.run_sync, serve)
            try:
                yield bound
            finally:
                # RuntimeError: the loop has ended by itself; the thread says why.
                with suppress(RuntimeError):
                    loop.call_soon_threadsafe(leave.set)
        # The loop has ended: nobody hands a call to a nursery that is closing.
        halves.cancel_scope.cancel()


def _serve_in_thread(
    loop: asyncio.AbstractEventLoop,
    app: web.Application,
    listener: socket.socket,
    leave: asyncio.Event,
) -> None:
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(_serve(app, listener, leave))


async def _serve(app: web.Application, listener: socket.socket, leave: asyncio.Event) -> None:
    # Signals are trio's, in the main thread; a client that leaves cancels its
    # handler, and through the bridge what the handler waits for.
    runner = web.AppRunner(
        app,
        handle_signals=False,
        handler_cancellation=True,
        access_log=None,
        shutdown_timeout=_DRAIN_S,
    )
    try:
        await runner.setup()
        await web.SockSite(runner, listener).start()
        await leave.wait()
    finally:
        await runner.cleanup()
