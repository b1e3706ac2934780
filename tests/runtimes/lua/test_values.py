"""What a Lua value is in JSON, and JSON in Lua."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.runtimes.lua.conftest import Launch

VALUES = [
    {},
    {"text": "ünïcode ✓ \u0000", "n": 3},
    {"deep": {"list": [1, [2, [3]]], "empty": [], "object": {}}},
    {"integer": 2**63 - 1, "low": -(2**62), "float": 1.5, "whole float": 2.0},
    {"null": None, "nulls": [None, 1, None]},
    {"booleans": [True, False]},
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: next(iter(value), "empty"))
def test_arguments_come_back_as_they_went(launch: Launch, value: dict[str, Any]) -> None:
    plugin = launch('tool("echo", function(args) return args end)').begin()

    returned = plugin.data("echo", **value)

    assert returned == value
    # 2.0 equals 2, and true equals 1; their JSON does not.
    assert json.dumps(returned, sort_keys=True) == json.dumps(value, sort_keys=True)


def test_an_integer_that_lua_cannot_hold_becomes_a_float(launch: Launch) -> None:
    plugin = launch('tool("type", function(args) return math.type(args.n) end)').begin()

    assert plugin.data("type", n=2**64 - 1) == "float"
    assert plugin.data("type", n=2**63 - 1) == "integer"


RESULTS = [
    ("42", 42),
    ("1.0", 1.0),
    ('"text"', "text"),
    ("nil", None),
    ("plugin.null", None),
    ("{ 1, 2, 3 }", [1, 2, 3]),
    ("{ [2] = 'b', [1] = 'a' }", ["a", "b"]),
    ("{}", {}),
    ("plugin.array {}", []),
    ("plugin.object {}", {}),
    ("{ list = plugin.array(), object = plugin.object() }", {"list": [], "object": {}}),
    ("{ 1, plugin.null, 3 }", [1, None, 3]),
]


@pytest.mark.parametrize(("lua", "expected"), RESULTS, ids=[lua for lua, _ in RESULTS])
def test_a_result_is_what_its_table_was_meant_to_be(
    launch: Launch, lua: str, expected: object
) -> None:
    plugin = launch(f'tool("make", function() return {lua} end)').begin()

    returned = plugin.data("make")

    assert returned == expected
    assert type(returned) is type(expected)


GUIDED = [
    ('{ type = "array" }', "{}", []),
    ('{ type = { "array", "null" } }', "{}", []),
    ("{ items = { type = 'string' } }", "{}", []),
    ('{ anyOf = { { type = "null" }, { type = "array" } } }', "{}", []),
    ('{ type = "object" }', "{}", {}),
    (
        '{ properties = { tags = { type = "array" }, map = { type = "object" } } }',
        "{ tags = {}, map = {} }",
        {"map": {}, "tags": []},
    ),
    (
        '{ type = "object", additionalProperties = { type = "array" } }',
        "{ any = {} }",
        {"any": []},
    ),
    ('{ type = "array", items = { type = "array" } }', "{ {}, {} }", [[], []]),
    (
        '{ ["$ref"] = "#/$defs/list", ["$defs"] = { list = { type = "array" } } }',
        "{}",
        [],
    ),
    ('{ type = "integer" }', "6 / 2", 3),
    ('{ type = "number" }', "6 / 2", 3.0),
]


@pytest.mark.parametrize(("schema", "lua", "expected"), GUIDED, ids=[one[0] for one in GUIDED])
def test_the_output_schema_says_what_an_empty_table_is(
    launch: Launch, schema: str, lua: str, expected: object
) -> None:
    plugin = launch(
        f'tool("make", function() return {{ value = {lua} }} end,'
        f' {{ output = {{ type = "object", properties = {{ value = {schema} }},'
        ' ["$defs"] = { list = { type = "array" } } } })'
    ).begin()

    returned = plugin.data("make")["value"]

    assert repr(returned) == repr(expected)


REFUSED = [
    ("{ a = { 1, 0/0 } }", "$.a[2] is nan"),
    ("{ a = 1/0 }", "$.a is inf"),
    ("{ f = print }", "$.f is a function"),
    ("{ 1, 2, x = 3 }", "both elements and named fields"),
    ("{ 1, nil, 3 }", "its elements have gaps"),
    ("{ [1.5] = 1 }", "a key is a number (1.5)"),
    ("{ [true] = 1 }", "a key is a boolean"),
    ("(function() local t = {} t.t = t return t end)()", "contains itself"),
    ('"\\xff"', "not UTF-8"),
    ('{ s = "\\xff" }', "$ holds a string that is not UTF-8"),
]


@pytest.mark.parametrize(("lua", "reason"), REFUSED, ids=[lua for lua, _ in REFUSED])
def test_what_is_not_json_fails_the_call_and_says_where(
    launch: Launch, lua: str, reason: str
) -> None:
    plugin = launch(f"""
        tool("make", function() return {lua} end)
        tool("fine", function() return 1 end)
    """).begin()

    failure = plugin.failure("make")

    assert reason in failure["message"]
    assert plugin.data("fine") == 1


def test_content_blocks_travel_with_and_without_data(launch: Launch) -> None:
    plugin = launch("""
        tool("words", function()
          return plugin.content { "plain", { type = "text", text = "block" } }
        end)
        tool("both", function() return plugin.content({ "two" }, { n = 2 }) end)
    """).begin()

    assert plugin.call("words") == {
        "content": [{"type": "text", "text": "plain"}, {"type": "text", "text": "block"}]
    }
    assert plugin.call("both") == {
        "content": [{"type": "text", "text": "two"}],
        "structuredContent": {"n": 2},
    }


def test_json_text_is_read_and_written(launch: Launch) -> None:
    plugin = launch("""
        tool("round", function(args)
          local value = plugin.json.decode(args.text)
          return { text = plugin.json.encode(value), null = value.c == plugin.null }
        end)
        tool("broken", function(args)
          local ok, problem = pcall(plugin.json.decode, args.text)
          return { ok = ok, type = problem.type, text = tostring(problem) }
        end)
    """).begin()

    assert plugin.data("round", text='{"a":[],"b":{},"c":null,"d":[1,2.5,"x"]}') == {
        "text": '{"a":[],"b":{},"c":null,"d":[1,2.5,"x"]}',
        "null": True,
    }
    broken = plugin.data("broken", text="{")
    assert broken["ok"] is False
    assert broken["type"] == "invalid-arguments"
    assert broken["text"].startswith("plughost.json.decode: ")


def test_the_listing_has_lists_and_maps_where_json_schema_has_them(launch: Launch) -> None:
    plugin = launch("""
        plugin.tool {
          name = "one", description = "One.", idempotent = true, long_running = true,
          input = { type = "object", required = {},
            properties = { a = { enum = {}, default = {}, type = "array" } } },
          output = { type = "object", properties = {} },
          run = function() end,
        }
        plugin.tool { name = "two", description = "Two.", run = function() end }
    """).begin()

    one, two = plugin.ask("tools/list")["tools"]

    assert one == {
        "name": "one",
        "description": "One.",
        "inputSchema": {
            "type": "object",
            "properties": {"a": {"enum": [], "default": [], "type": "array"}},
            "required": [],
        },
        "outputSchema": {"type": "object", "properties": {}},
        "annotations": {"idempotentHint": True},
        "_meta": {"plughost/longRunning": True},
    }
    assert two["inputSchema"] == {"type": "object", "additionalProperties": False}
