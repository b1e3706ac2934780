"""A plugin run alone is an MCP server: the official Python client, both eras."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

Installed = Callable[..., Path]
PLUGIN = """
console.log("this is log, not wire");
const input = { type: "object", properties: { text: { type: "string" } }, required: ["text"] };
const output = { type: "object", properties: { words: { type: "integer" } }, required: ["words"] };
plugin.tool("count", { description: "Count words.", input, output }, ({ text }, ctx) => {
  ctx.progress(1, 2, "half");
  ctx.log("counting", "info");
  return { words: text.split(" ").length };
});
plugin.tool("upper", { description: "Upper case.", input, output: { type: "string" } },
  ({ text }) => text.toUpperCase());
plugin.tool("fail", { description: "Fails." }, () => { throw new ToolError("no luck"); });
plugin.tool("image", { description: "An image." }, () =>
  content([{ type: "image", data: "aGk=", mimeType: "image/png" }]));
"""
MANIFEST = 'name = "counter"\nversion = "2.0.0"\n'


@pytest.mark.parametrize(("mode", "revision"), [("legacy", "2025-11-25"), ("auto", "2026-07-28")])
async def test_the_official_client_finds_and_calls_the_tools(
    installed: Installed, mode: str, revision: str
) -> None:
    """Wire §1.2, §4.3, §4.7, §5."""
    folder = installed(PLUGIN, files={"plugin.toml": MANIFEST})
    server = StdioServerParameters(command="node", args=["main.mjs"], cwd=folder)
    heard: list[tuple[float, float | None, str | None]] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, total, message))

    with trio.fail_after(60):
        async with Client(stdio_client(server), mode=mode) as client:
            assert client.protocol_version == revision
            listed: Any = await client.list_tools()
            assert [tool.name for tool in listed.tools] == ["count", "upper", "fail", "image"]
            counted = await client.call_tool(
                "count", {"text": "one two three"}, progress_callback=note
            )
            upper = await client.call_tool("upper", {"text": "abc"})
            failed = await client.call_tool("fail", {})
            image = await client.call_tool("image", {})

    assert counted.structured_content == {"words": 3}
    assert counted.content[0].model_dump()["text"] == '{"words":3}'
    assert heard == [(1, 2, "half")]
    assert upper.structured_content == {"result": "ABC"}
    assert upper.content[0].model_dump()["text"] == "ABC"
    assert failed.is_error
    assert failed.content[0].model_dump()["text"] == "no luck"
    assert image.content[0].model_dump()["mime_type"] == "image/png"
