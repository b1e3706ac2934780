"""From a fresh child to a plugin that serves: greet, activate, list (wire §4).

The host's half of the negotiation; it ends in a `Greeting` or in a reason why not.
"""

from __future__ import annotations

from typing import Any, Final

import attrs

from plughost.contracts.tools import Tool, parse_tool
from plughost.contracts.versions import RangeError, versions_match
from plughost.errors import PeerError, StartError
from plughost.protocol.messages import encode
from plughost.supervisor.connection import Connection
from plughost.supervisor.outcomes import Failure, Open

__all__ = ["EXTENSION_VERSION", "Activation", "Greeting", "greet", "list_tools"]

# contracts/COMPATIBILITY.md: the version of our extensions to MCP.
EXTENSION_VERSION: Final = "1.0.0"
_MCP_REVISION: Final = "2025-11-25"

# What this host offers to plugins (wire §10); an SDK refuses the rest itself.
_OFFERED: Final = ("call",)

# A plugin with more pages of tools than this is in a loop.
_MAX_PAGES: Final = 100


@attrs.frozen(kw_only=True)
class Activation:
    """What ``plughost/activate`` tells a plugin (wire §9.1)."""

    settings: dict[str, Any]
    state_namespace: str
    limits: dict[str, Any]
    generation: int


@attrs.frozen(kw_only=True)
class Greeting:
    """What a plugin said of itself.

    Attributes:
        extension: Version of our extensions that it speaks, or None for a
            plain MCP server.
        features: Extensions it has handlers for.
    """

    server_name: str
    server_version: str
    mcp_revision: str
    extension: str | None
    features: frozenset[str]
    tools: tuple[Tool, ...]


async def greet(connection: Connection, activation: Activation, host_version: str) -> Greeting:
    """Shake hands; the caller bounds the time.

    Raises:
        StartError: The plugin refuses, answers nonsense, or speaks another
            major version (*facts* has ``permanent``).
    """
    opened = connection.open(
        "initialize",
        encode(
            {
                "protocolVersion": _MCP_REVISION,
                "capabilities": {
                    "experimental": {
                        "plughost": {"version": EXTENSION_VERSION, "features": list(_OFFERED)}
                    }
                },
                "clientInfo": {"name": "plughost", "version": host_version},
            }
        ),
    )
    hello = await _result(opened, "initialize")
    extension, features = _extension(hello)
    connection.notify("notifications/initialized")
    activating = None
    if extension is not None:
        activating = connection.open("plughost/activate", encode(attrs.asdict(activation)))
    listing = connection.open("tools/list")
    if activating is not None:
        await _result(activating, "plughost/activate")
    tools = await _all_pages(connection, listing)
    connection.session.step_ready()
    info = hello.get("serverInfo")
    info = info if isinstance(info, dict) else {}
    return Greeting(
        server_name=str(info.get("name", "")),
        server_version=str(info.get("version", "")),
        mcp_revision=str(hello.get("protocolVersion", "")),
        extension=extension,
        features=features,
        tools=tools,
    )


async def list_tools(connection: Connection) -> tuple[Tool, ...]:
    """Ask again for all tools: the plugin says that they have changed.

    Raises:
        StartError: The plugin answers nonsense or an error.
    """
    return await _all_pages(connection, connection.open("tools/list"))


async def _all_pages(connection: Connection, listing: Open) -> tuple[Tool, ...]:
    tools: list[Tool] = []
    for _ in range(_MAX_PAGES):
        page = await _result(listing, "tools/list")
        documents = page.get("tools")
        if not isinstance(documents, list):
            raise StartError("its answer to tools/list has no list of tools")
        try:
            tools += [parse_tool(each, f"tools[{at}]") for at, each in enumerate(documents)]
        except PeerError as exc:
            raise StartError(f"its tool list does not fit the contract: {exc}") from exc
        cursor = page.get("nextCursor")
        if not isinstance(cursor, str):
            return _unique(tools)
        listing = connection.open("tools/list", encode({"cursor": cursor}))
    raise StartError(f"its tool list has more than {_MAX_PAGES} pages")


def _unique(tools: list[Tool]) -> tuple[Tool, ...]:
    names = [tool.name for tool in tools]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise StartError(f"it lists the tool {twice[0]!r} twice", permanent=True)
    return tuple(tools)


async def _result(opened: Open, method: str) -> dict[str, Any]:
    reply = await opened.wait()
    if isinstance(reply, Failure):
        raise StartError(f"{method}: {reply.message}", ended=True)
    if reply.error is not None:
        data = reply.error.get("data")
        refused = isinstance(data, dict) and data.get("type") == "plugin-start-failed"
        message = reply.error.get("message", "no reason given")
        words = "it refuses to start" if refused else f"{method} was answered with an error"
        raise StartError(f"{words}: {message}", code=reply.error.get("code"))
    return reply.result


def _extension(hello: dict[str, Any]) -> tuple[str | None, frozenset[str]]:
    found: Any = hello
    for key in ("capabilities", "experimental", "plughost"):
        found = found.get(key) if isinstance(found, dict) else None
    if not isinstance(found, dict):
        return None, frozenset()
    version = str(found.get("version", ""))
    if not _matches(version):
        raise StartError(
            f"it speaks version {version or 'unknown'} of the plughost extensions, "
            f"this host speaks {EXTENSION_VERSION}",
            hint="Update the older of the two.",
            permanent=True,
        )
    features = found.get("features")
    names = features if isinstance(features, list) else []
    return version, frozenset(name for name in names if isinstance(name, str))


def _matches(version: str) -> bool:
    try:
        return versions_match(EXTENSION_VERSION, version)
    except RangeError:
        return False
