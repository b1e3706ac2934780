from __future__ import annotations

from typing import Any

import pytest

from plughost.contracts.tools import parse_tool
from plughost.errors import PeerError

SMALLEST = {"name": "echo", "description": "Returns.", "inputSchema": {"type": "object"}}


def test_a_tool_is_read_with_its_hints() -> None:
    """Contract: contracts/wire/README.md §5.1."""
    tool = parse_tool(
        {
            **SMALLEST,
            "outputSchema": {"type": "object"},
            "annotations": {"idempotentHint": True},
            "_meta": {"plughost/longRunning": True},
        },
        "tools[0]",
    )

    assert tool.to_json() == {
        "name": "echo",
        "description": "Returns.",
        "input_schema": {"type": "object"},
        "output_schema": {"type": "object"},
        "idempotent": True,
        "long_running": True,
    }


def test_a_tool_without_hints_is_neither_idempotent_nor_long_running() -> None:
    tool = parse_tool({**SMALLEST, "annotations": None, "_meta": 5}, "tools[0]")

    assert (tool.idempotent, tool.long_running, tool.output_schema) == (False, False, None)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ([], "tools[0] is not an object"),
        ({}, "tools[0].name is None"),
        ({**SMALLEST, "name": "a b"}, "tools[0].name is 'a b'"),
        ({**SMALLEST, "name": "a" * 65}, "tools[0].name is"),
        ({**SMALLEST, "inputSchema": 5}, "tools[0].inputSchema of tool 'echo'"),
        ({**SMALLEST, "inputSchema": {"type": "array"}}, "tools[0].inputSchema of tool 'echo'"),
        ({**SMALLEST, "outputSchema": 5}, "tools[0].outputSchema of tool 'echo'"),
    ],
)
def test_what_is_no_tool_is_refused_with_its_place(document: Any, words: str) -> None:
    with pytest.raises(PeerError) as caught:
        parse_tool(document, "tools[0]")

    assert str(caught.value).startswith(words)
