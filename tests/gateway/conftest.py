"""A real host with one plugin, behind a real gateway, and a real HTTP client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import attrs
import pytest
import trio

from plughost.gateway.address import Address
from plughost.gateway.lobby import Lobby
from plughost.gateway.server import open_gateway
from plughost.host import Host

ANY_PORT = Address("127.0.0.1", 0)
MAIN = """\
from plughost_sdk import Plugin

plugin = Plugin()


@plugin.tool
def greet(name: str) -> str:
    '''Greet somebody.'''
    return f"Hello, {name}!"


plugin.run()
"""


@attrs.frozen
class Answer:
    status: int
    body: Any
    headers: dict[str, str]


@attrs.frozen
class Client:
    """Asks one gateway, with aiohttp, from a thread of its own."""

    address: Address

    async def ask(
        self, path: str, *, method: str = "GET", headers: dict[str, str] | None = None
    ) -> Answer:
        async def ask() -> Answer:
            async with (
                aiohttp.ClientSession() as session,
                session.request(method, f"http://{self.address}{path}", headers=headers) as reply,
            ):
                is_json = reply.content_type == "application/json"
                body = await reply.json() if is_json and method != "HEAD" else await reply.text()
                # Names of headers have no case (RFC 9110 §5.1).
                headers_out = {name.lower(): value for name, value in reply.headers.items()}
                return Answer(reply.status, body, headers_out)

        return await trio.to_thread.run_sync(asyncio.run, ask())


@pytest.fixture
def plugins(tmp_path: Path) -> Path:
    folder = tmp_path / "plugins" / "hello"
    folder.mkdir(parents=True)
    (folder / "plugin.toml").write_text(
        'name = "hello"\nversion = "1.0.0"\nruntime = "python"\nentry = "main.py"\n',
        encoding="utf-8",
    )
    (folder / "main.py").write_text(MAIN, encoding="utf-8")
    return folder.parent


Serve = Callable[[Lobby], Any]


@pytest.fixture
def serve() -> Serve:
    """Return a context manager that serves a lobby and yields a client."""

    @asynccontextmanager
    async def serve(lobby: Lobby) -> AsyncIterator[Client]:
        with trio.fail_after(60):
            async with open_gateway(lobby, ANY_PORT) as address:
                yield Client(address)

    return serve


@pytest.fixture
def ask(plugins: Path, serve: Serve) -> Callable[..., Awaitable[Answer]]:
    """Return a function that asks a gateway in front of a host with one plugin."""

    async def ask(path: str, **how: Any) -> Answer:
        environ = {"HOME": str(plugins.parent), "PATH": "/usr/bin:/bin"}
        async with (
            Host.open(plugins, first_party=False, environ=environ) as host,
            serve(Lobby(host=host)) as client,
        ):
            answer: Answer = await client.ask(path, **how)
            return answer

    return ask
