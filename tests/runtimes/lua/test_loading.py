"""How a Lua plugin starts, and what it says when it cannot."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from tests.runtimes.lua.conftest import PRELUDE, RUNNER, Launch, runner_argv

NEVER_WORKS = {
    "syntax error": ("local x = = 1", "main.lua:1: unexpected symbol near '='"),
    "unfinished": ("local function f(", "main.lua:1: <name> or '...' expected near <eof>"),
    "byte code": ("\x1bLua", "attempt to load a binary chunk"),
    "no run()": (
        'local plugin = require "plughost"',
        "main.lua ended without plugin.run(); call it in the last line",
    ),
    "nothing at all": ("", "main.lua ended without plugin.run()"),
    "unknown field": (
        'local plugin = require "plughost"\nplugin.tool { nmae = "x" }',
        "main.lua:2: plugin.tool: 'nmae' is not a field of a tool; they are description,",
    ),
    "missing field": (
        'local plugin = require "plughost"\n\nplugin.tool { name = "x", run = print }',
        "main.lua:3: plugin.tool: description is missing",
    ),
    "wrong field": (
        'require("plughost").tool { name = "x", description = "x", run = {} }',
        "main.lua:1: plugin.tool: run must be a function, not a table",
    ),
    "no table": ('require("plughost").tool("x", print)', "main.lua:1: plugin.tool takes a table"),
    "bad name": (
        'require("plughost").tool { name = "no good", description = "x", run = print }',
        "main.lua:1: plugin.tool: 'no good' cannot name a tool",
    ),
    "two of a name": (
        """local p = require "plughost"
for _ = 1, 2 do
p.tool { name = "x", description = "x", run = print }
end""",
        "main.lua:3: plugin.tool: two tools are named 'x'",
    ),
    "schema that is no JSON": (
        """local input = { type = print }
require("plughost").tool { name = "x", description = "x", run = print, input = input }""",
        "plugin.tool: input.type is a function",
    ),
    "handler that is none": (
        'require("plughost").on("x", 1)',
        "main.lua:1: plugin.on: the second argument is a function, not a number",
    ),
    "two handlers": (
        'local p = require "plughost"\np.on_init(print)\np.on_init(print)',
        "main.lua:3: plugin.on_init: two handlers",
    ),
    "tool after run()": (
        'local p = require "plughost"\np.run()\np.on_init(print)',
        "main.lua:3: plugin.on_init must come before plugin.run()",
    ),
    "run() twice": (
        'local p = require "plughost"\np.run()\np.run()',
        "main.lua:3: plugin.run() was called before",
    ),
}


@pytest.mark.parametrize(("source", "reason"), NEVER_WORKS.values(), ids=NEVER_WORKS.keys())
def test_what_can_never_work_is_one_sentence_and_status_78(
    launch: Launch, source: str, reason: str
) -> None:
    """Contract: runtimes/README.md, a runner, 3."""
    plugin = launch(source, whole=True)

    assert plugin.exit_status() == 78
    assert reason in plugin.log
    assert plugin.log.count("\n") == 1
    assert plugin.log.startswith("plugin 'subject': ")


def test_a_missing_entry_names_the_manifests_key(launch: Launch) -> None:
    plugin = launch("", entry="other.lua")

    assert plugin.exit_status() == 78
    assert "other.lua cannot be read: No such file or directory" in plugin.log
    assert "`entry` in plugin.toml" in plugin.log


def test_an_entry_outside_the_folder_is_refused(launch: Launch) -> None:
    plugin = launch("", entry="../log-0")

    assert plugin.exit_status() == 78
    assert "leads outside the plugin's folder" in plugin.log


def test_a_module_that_is_not_lua_is_named_with_its_line(launch: Launch) -> None:
    plugin = launch('require "part.broken"', files={"part/broken.lua": "\n\nlocal = 1"})

    assert plugin.exit_status() == 78
    assert "part/broken.lua:3: <name> expected near '='" in plugin.log


FAILURES = {
    "error": ('error("no")', "main.lua:8: no"),
    "missing module": (
        'require "none"',
        "main.lua:8: require: module 'none' not found: the plugin's folder has neither none.lua",
    ),
    "refused syntax that was caught": ('pcall(require, "broken")\nerror("later")', "later"),
}


@pytest.mark.parametrize(("source", "reason"), FAILURES.values(), ids=FAILURES.keys())
def test_any_other_failure_while_loading_is_a_traceback_and_status_1(
    launch: Launch, source: str, reason: str
) -> None:
    plugin = launch(source, files={"broken.lua": "= 1"})

    assert plugin.exit_status() == 1
    assert reason in plugin.log
    assert "stack traceback:" in plugin.log


def test_modules_load_once_and_see_their_name_and_each_other(launch: Launch) -> None:
    plugin = launch(
        """
        tool("load", function()
          local a = require "tools.alpha"
          return { a.name, a.file, a.beta, a == require "tools.alpha", require "flag", loads }
        end)
        """,
        files={
            "tools/alpha.lua": "loads = (loads or 0) + 1\nlocal name, file = ...\n"
            'return { name = name, file = file, beta = require "beta" }',
            "beta/init.lua": 'return "beta"',
            "flag.lua": "",
        },
    ).begin()

    assert plugin.data("load") == ["tools.alpha", "tools/alpha.lua", "beta", True, True, 1]


def test_modules_that_require_each_other_are_told_so_and_may_be_loaded_again(
    launch: Launch,
) -> None:
    plugin = launch(
        """
        tool("load", function()
          local ok, problem = pcall(require, "one")
          ready = true
          return { ok, problem, require "one" }
        end)
        """,
        files={
            "one.lua": 'if not ready then require "two" end\nreturn "loaded"',
            "two.lua": 'require "one"',
        },
    ).begin()

    ok, problem, again = plugin.data("load")

    assert ok is False
    assert problem.startswith("two.lua:1: require: 'one' is being loaded already")
    assert again == "loaded"


def test_print_is_log_and_never_wire(launch: Launch) -> None:
    plugin = launch("""
        print("loading", 1, nil, true, 1.5)
        tool("say", function() print('{"jsonrpc":"2.0"}') return 1 end)
    """).begin()

    assert plugin.data("say") == 1
    assert plugin.log == 'loading\t1\tnil\ttrue\t1.5\n{"jsonrpc":"2.0"}\n'


def test_the_plugin_calls_itself_what_its_manifest_says(launch: Launch) -> None:
    plugin = launch("")

    assert plugin.initialize()["serverInfo"] == {"name": "subject", "version": "1.2.3"}


def test_end_of_file_is_a_clean_end(launch: Launch) -> None:
    plugin = launch('plugin.on_cleanup(function() print("bye") end)').begin()

    plugin.close_wire()

    assert plugin.exit_status() == 0
    assert plugin.log == "bye\n"


def test_a_person_at_a_terminal_is_told_what_this_is(tmp_path: Path) -> None:
    """Contract: contracts/wire/README.md, 1.5."""
    (tmp_path / "main.lua").write_text(f"{PRELUDE}\nplugin.run()\n", encoding="utf-8")
    controller, terminal = pty.openpty()

    result = subprocess.run(
        runner_argv(tmp_path),
        stdin=terminal,
        stdout=terminal,
        stderr=subprocess.PIPE,
        env={},
        timeout=30,
        check=False,
    )
    os.close(terminal)
    os.close(controller)

    assert result.returncode == 64
    assert result.stderr.count(b"\n") == 1


def test_a_wrong_command_line_says_the_right_one(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-I", "-S", str(RUNNER), str(tmp_path)],
        capture_output=True,
        encoding="utf-8",
        timeout=30,
        check=False,
    )

    assert result.returncode == 64
    assert result.stderr.startswith("usage: runner.py --packages DIR PLUGIN_DIR ENTRY")


# An idle Lua plugin's proportional share, in kB: twice what it was when this was written
# (8 MB with its libraries shared, 11.5 MB resident), and what ten of them may cost a laptop.
LARGEST_PSS_KB = 16 * 1024


def test_an_idle_plugin_is_small(launch: Launch) -> None:
    plugin = launch('tool("echo", function(args) return args end)').begin()
    plugin.data("echo", text="warm")

    rollup = Path(f"/proc/{plugin.process.pid}/smaps_rollup").read_text(encoding="utf-8")
    pss_kb = next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))

    assert pss_kb < LARGEST_PSS_KB
