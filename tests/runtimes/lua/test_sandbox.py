"""What Lua code can try to reach beyond its sandbox, and what becomes of it.

Each attempt is a tool that returns what it got.  The process is the boundary; what is
tested here is that ordinary Lua finds no door in front of it.
"""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest
from tests.runtimes.lua.conftest import Launch

# Every name Lua or lupa would have defined, and the fields by which escapes begin.
ABSENT = [
    "python",
    "io",
    "package",
    "debug",
    "ffi",
    "jit",
    "bit",
    "dofile",
    "loadfile",
    "collectgarbage",
    "warn",
    "loadstring",
    "setfenv",
    "getfenv",
    "newproxy",
    "module",
    "os.execute",
    "os.exit",
    "os.getenv",
    "os.remove",
    "os.rename",
    "os.tmpname",
    "os.setlocale",
    "string.dump",
]


@pytest.mark.parametrize("name", ABSENT)
def test_a_door_out_of_the_sandbox_is_not_there(launch: Launch, name: str) -> None:
    plugin = launch(f'tool("look", function() return tostring({name}) end)').begin()

    assert plugin.data("look") == "nil"


def test_nothing_in_the_environment_is_of_another_kind(launch: Launch) -> None:
    """A userdata would be an object of the interpreter around Lua."""
    plugin = launch("""
        local function walk(value, path, seen, found)
          if type(value) == "userdata" or type(value) == "thread" then found[#found + 1] = path end
          if type(value) ~= "table" or seen[value] then return found end
          seen[value] = true
          for k, v in next, value do
            walk(k, path .. ".key", seen, found)
            walk(v, path .. "." .. tostring(k), seen, found)
          end
          return walk(getmetatable(value), path .. ".metatable", seen, found)
        end
        tool("walk", function(args, ctx)
          local _ = ctx.state, ctx.progress, ctx.chain, ctx.settings
          return plugin.array(walk({ _G, ctx, plugin, args }, "", {}, {}))
        end)
    """).begin()

    assert plugin.data("walk") == []


# What it tries, and what it must get: a value, or an error that says why not.
ATTEMPTS: dict[str, tuple[str, Any]] = {
    "eval through a string": ('return load("return python")()', None),
    "byte code": (
        'local chunk, why = load("\\27Lua") return { chunk == nil, why }',
        [True, "load: plugins load source text only, and this is byte code"],
    ),
    "byte code from a reader": (
        """
        local piece = "\\27Lua"
        local chunk = load(function() local now = piece piece = nil return now end)
        return chunk == nil""",
        True,
    ),
    "byte code by mode": ('return load("\\27Lua", "x", "b") == nil', True),
    "the string metatable": ('return { getmetatable("") == nil }', [True]),
    "the string metatable through a poisoned method": (
        """
        string.upper = function() return "mine" end
        return { ("x"):upper(), getmetatable("x") == nil }""",
        ["mine", True],
    ),
    "a metatable that says no": (
        "return pcall(setmetatable, setmetatable({}, { __metatable = 1 }), {})",
        False,
    ),
    "a finalizer": (
        "return select(2, pcall(setmetatable, {}, { __gc = function() end }))",
        "setmetatable: plugins have no __gc; release things in plugin.on_cleanup",
    ),
    "a finalizer added later": (
        """
        local ran = false
        local metatable = {}
        setmetatable({}, metatable)
        metatable.__gc = function() ran = true end
        for i = 1, 20000 do local _ = { i } end
        return ran""",
        False,
    ),
    "nothing, very often": ('return { (""):rep(1e18), #("ab"):rep(3, "-") }', ["", 8]),
    "nothing, very often, by text": ('return string.rep("", "1e18")', ""),
    "a string of a terabyte": (
        'return select(2, pcall(string.rep, "x", 1e12))',
        "string.rep: the result would be longer than 64 MiB",
    ),
    "a string of a terabyte of separators": (
        'return pcall(string.rep, "", 1e12, "x")',
        False,
    ),
    "a date that ends the C library": (
        'return { pcall(os.date, "%Ez") }',
        [False, "os.date: '%E' is not a conversion"],
    ),
    "a date cut short": ('return pcall(os.date, "%")', False),
    "a date like any other": ('return os.date("!%Y-%m-%d %%", 0)', "1970-01-01 %"),
    "what an error carries": (
        "return type(select(2, pcall(plugin.json.decode, '{')))",
        "table",
    ),
    "what an error at the border carries": (
        'return type(select(2, pcall(print, "\\255")))',
        "string",
    ),
    "the traceback of a host function": (
        "return select(2, pcall(plugin.tool, nil)).__traceback__",
        None,
    ),
    "recursion through C": (
        """
        local function again(s) return (s:gsub("a", again)) end
        return select(2, pcall(again, "a"))""",
        "C stack overflow",
    ),
    "recursion through C in coroutines": (
        """
        local function again(s)
          return (s:gsub("a", function(m) return coroutine.wrap(again)(m) end))
        end
        return (pcall(again, "a"))""",
        False,
    ),
    "recursion of handlers": (
        "local function h(e) error(e) end return (xpcall(error, h, 'x'))",
        False,
    ),
    "recursion of the parser": ('return load("return " .. ("("):rep(10000)) == nil', True),
    "a pattern too deep": (
        'return pcall(string.find, "a", ("("):rep(100) .. "a")',
        False,
    ),
    "too much to unpack": ("return pcall(table.unpack, {}, 1, 1e7)", False),
    "a format too wide": ('return pcall(string.format, "%999d", 1)', False),
    "require of a path": (
        'return { pcall(require, "../secret") }',
        [
            False,
            "require: '../secret' is not a module's name; write 'a.b' for the file a/b.lua",
        ],
    ),
    "require of an absolute path": ('return pcall(require, "/etc/passwd")', False),
    "require of parents": ('return pcall(require, "..secret")', False),
    "require of a library": ('return pcall(require, "os")', False),
    "require of the sandbox": ('return pcall(require, "sandbox")', False),
    "globals of our own files": (
        """
        local seen = {}
        for level = 1, 3 do
          local co = coroutine.running()
          seen[level] = type(co)
        end
        return { seen[1], _G._G == _G, _ENV == _G }""",
        ["thread", True, True],
    ),
}


@pytest.mark.parametrize(("lua", "expected"), ATTEMPTS.values(), ids=ATTEMPTS.keys())
def test_an_attempt_gets_what_it_may_have_and_the_plugin_lives(
    launch: Launch, lua: str, expected: object
) -> None:
    plugin = launch(
        f"""
        tool("try", function(args, ctx) {lua} end)
        tool("fine", function() return 1 end)
        """,
        memory_mb=128,
    ).begin()

    got = plugin.data("try")

    assert got == expected
    assert plugin.data("fine") == 1


def test_a_module_that_is_a_link_out_of_the_folder_is_refused(
    launch: Launch, tmp_path: Path
) -> None:
    plugin = launch(
        """
        tool("try", function() return select(2, pcall(require, "outside")) end)
        tool("inside", function() return require("alias") end)
        """,
        files={"real.lua": "return 'inside'"},
    ).begin()
    folder = tmp_path / "plugin-0"
    (tmp_path / "outside.lua").write_text("return 'secret'", encoding="utf-8")
    (folder / "outside.lua").symlink_to("../outside.lua")
    (folder / "alias.lua").symlink_to("real.lua")

    assert plugin.data("try") == "require: outside.lua leads outside the plugin's folder"
    assert plugin.data("inside") == "inside"


BOMBS = {
    "table": "local t = {} while true do t[#t + 1] = { #t } end",
    "string": 'local s = "x" while true do s = s .. s end',
    "rep": 'local t = {} while true do t[#t + 1] = ("x"):rep(1 << 24) .. #t end',
    "closures": "local f while true do local g = f f = function() return g end end",
    "coroutines": """
        local t = {} while true do
          local co = coroutine.wrap(function() coroutine.yield() end)
          co()
          t[#t + 1] = co
        end""",
    "swallowed": """
        local t = {}
        pcall(function() while true do t[#t + 1] = ("x"):rep(1 << 20) .. #t end end)
        while true do t[#t + 1] = ("x"):rep(1 << 20) .. #t end""",
    "buffer": 'return #table.concat({ ("x"):rep(1 << 26), ("y"):rep(1 << 26) })',
    "packed": 'return #string.pack("c1000000000", "x")',
}


@pytest.mark.parametrize("lua", BOMBS.values(), ids=BOMBS.keys())
def test_a_memory_bomb_fails_its_call_and_the_plugin_lives(launch: Launch, lua: str) -> None:
    plugin = launch(
        f'tool("grow", function() {lua} end)\ntool("fine", function() return 1 end)',
        memory_mb=96,
    ).begin()

    failure = plugin.failure("grow")

    assert failure["message"] == (
        "not enough memory: this plugin's Lua state may hold 48 MiB;"
        " raise resource_limits.memory_mb"
    )
    assert plugin.data("fine") == 1


def test_a_plugin_that_keeps_all_its_memory_dies_with_a_reason(launch: Launch) -> None:
    """Nobody can say more to a Lua state that is full: the process ends, and with it the leak."""
    plugin = launch(
        """
        local kept = {}
        tool("fill", function()
          pcall(function() while true do kept[#kept + 1] = {} end end)
          for index = #kept, #kept - 20000, -1 do kept[index] = nil end  -- 1 MiB to live on
        end)
        tool("size", function(args) return #args.text end)
        """,
        memory_mb=96,
    ).begin()
    plugin.data("fill")
    assert plugin.data("size", text="xy") == 2

    plugin.start_call("size", {"text": "x" * 4_000_000})

    assert plugin.exit_status() == -signal.SIGABRT
    assert "not enough memory" in plugin.log
