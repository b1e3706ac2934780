from __future__ import annotations

import pytest

from plughost.contracts.tools import Tool, parse_tool
from plughost.errors import InvalidArgumentsError, PeerError, ToolNotFoundError
from plughost.registry.catalog import Catalog

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


def catalog(**tools: list[str]) -> Catalog:
    made = Catalog()
    for plugin, names in tools.items():
        made.replace(plugin, tuple(Tool(name=name, input_schema=SCHEMA) for name in names))
    return made


def test_arguments_are_checked_against_the_tools_schema() -> None:
    entry = catalog(p=["t"]).find("p", "t")

    entry.check({"n": 1})
    with pytest.raises(InvalidArgumentsError, match=r"p\.t do not fit .* \$\.n") as caught:
        entry.check({"n": "x"})
    assert caught.value.facts["problems"]


def test_an_unknown_tool_names_the_nearest_and_all_others() -> None:
    with pytest.raises(
        ToolNotFoundError, match=r"did you mean 'slugify'\?\); it has: diff, slugify"
    ):
        catalog(p=["slugify", "diff"]).find("p", "slugfy")
    with pytest.raises(ToolNotFoundError, match="it has: none"):
        catalog(p=[]).find("p", "x")


def test_public_names_are_short_ascii_and_never_the_same() -> None:
    long = "x" * 64
    made = catalog(p=["a.b", "a_b", long, long[:-1] + "y"], q=["a_b"])

    names = [entry.public_name for entry in made]

    assert len(set(names)) == len(names) == 5
    assert names[0] == "p__a_b"
    assert all(len(name) <= 64 and name.isascii() for name in names)
    assert [
        entry.public_name for entry in catalog(p=["a.b", "a_b", long, long[:-1] + "y"])
    ] == names[:4]


def test_a_new_list_replaces_the_old_one() -> None:
    made = catalog(p=["old"])
    made.replace("p", (Tool(name="new", input_schema=SCHEMA),))

    assert [entry.tool.name for entry in made] == ["new"]
    assert made.knows("p")
    assert not made.knows("q")


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("x", "tools[0] is not an object"),
        ({"name": "a b", "inputSchema": {"type": "object"}}, "tools[0].name"),
        ({"inputSchema": {"type": "object"}}, "tools[0].name is None"),
        ({"name": "t"}, "inputSchema of tool 't'"),
        ({"name": "t", "inputSchema": {"type": "array"}}, "inputSchema of tool 't'"),
        ({"name": "t", "inputSchema": {"type": "object"}, "outputSchema": 3}, "outputSchema"),
    ],
)
def test_a_malformed_tool_names_its_place(document: object, words: str) -> None:
    with pytest.raises(PeerError) as caught:
        parse_tool(document, "tools[0]")
    assert words in str(caught.value)


def test_hints_of_a_tool_are_read() -> None:
    tool = parse_tool(
        {
            "name": "t",
            "description": None,
            "inputSchema": {"type": "object"},
            "annotations": {"idempotentHint": True},
            "_meta": {"plughost/longRunning": True},
        },
        "tools[0]",
    )

    assert tool.to_json() == {
        "name": "t",
        "description": "",
        "input_schema": {"type": "object"},
        "output_schema": None,
        "idempotent": True,
        "long_running": True,
    }
