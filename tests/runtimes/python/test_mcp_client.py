"""A plugin run alone is an MCP server: the official client, both revisions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from tests.runtimes.python.conftest import PRELUDE
from tests.runtimes.python.wire_client import PYTHON, SDK

PLUGIN = f'''{PRELUDE}
from typing import TypedDict
print("this is log, not wire")

class Counted(TypedDict):
    words: int

@plugin.tool(idempotent=True)
def count(text: str, ctx: Context) -> Counted:
    """Count words.

    Args:
        text: What to count.
    """
    print("counting", text)
    ctx.progress(1, 2, "half")
    ctx.log("counting")
    return {{"words": len(text.split())}}

@plugin.tool
async def upper(text: str) -> str:
    """Upper case."""
    await asyncio.sleep(0)
    return text.upper()

@plugin.tool
def maybe(give: bool) -> Counted | None:
    """Return an object or nothing."""
    return {{"words": 0}} if give else None

@plugin.tool
def fail() -> None:
    """Fail."""
    raise ToolError("no luck")

@plugin.tool
def image() -> Content:
    """An image."""
    return Content.image(b"hi", "image/png")

plugin.run()
'''


@pytest.fixture
def server(tmp_path: Path) -> StdioServerParameters:
    (tmp_path / "main.py").write_text(PLUGIN, encoding="utf-8")
    return StdioServerParameters(
        command=PYTHON, args=["main.py"], cwd=tmp_path, env={"PYTHONPATH": str(SDK)}
    )


@pytest.mark.parametrize(
    ("mode", "version"),
    [("legacy", "2025-11-25"), ("auto", "2026-07-28"), ("2026-07-28", "2026-07-28")],
)
async def test_the_official_client_lists_and_calls(
    server: StdioServerParameters, mode: Any, version: str
) -> None:
    """Contract: wire 4.2, 4.7, 5.4."""
    with trio.fail_after(60):
        async with Client(stdio_client(server), mode=mode) as client:
            assert client.protocol_version == version
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
            assert tools["count"].input_schema["properties"]["text"] == {
                "type": "string",
                "description": "What to count.",
            }
            assert tools["count"].annotations is not None
            assert tools["count"].annotations.idempotent_hint is True

            counted = await client.call_tool("count", {"text": "a b c"})
            assert counted.structured_content == {"words": 3}
            assert [block.type for block in counted.content] == ["text"]
            upper = await client.call_tool("upper", {"text": "x"})
            assert upper.content[0].model_dump()["text"] == "X"
            for give, carried in ((True, {"words": 0}), (False, {"result": None})):
                maybe = await client.call_tool("maybe", {"give": give})
                assert maybe.structured_content == carried
            assert (await client.call_tool("fail", {})).is_error is True
            image = await client.call_tool("image", {})
            assert image.content[0].type == "image"


async def test_many_calls_of_the_official_client_run_side_by_side(
    server: StdioServerParameters,
) -> None:
    done = []
    with trio.fail_after(60):
        async with (
            Client(stdio_client(server), mode="legacy") as client,
            trio.open_nursery() as nursery,
        ):

            async def call(number: int) -> None:
                result = await client.call_tool("upper", {"text": f"t{number}"})
                done.append(result.structured_content)

            for number in range(50):
                nursery.start_soon(call, number)

    assert sorted(one["result"] for one in done if one) == sorted(f"T{n}" for n in range(50))
