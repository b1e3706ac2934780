"""The echo tool as an MCP server, written with the official SDK."""

from __future__ import annotations

import logging

from mcp.server import MCPServer

server = MCPServer("bench")
logging.disable(logging.CRITICAL)


@server.tool()
def echo(text: str) -> dict[str, str]:
    """Return the text."""
    return {"text": text}


server.run()
