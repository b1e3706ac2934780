"""Wire sections 1 and 11, and runtimes/README.md: descriptors, loading, ending."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import signal
import subprocess
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Start = Callable[..., Any]
Installed = Callable[..., Path]
ECHO = 'plugin.tool("echo", { description: "x" }, (args) => args);'


def test_the_wire_is_on_3_and_4_and_a_child_of_the_plugin_has_neither(start: Start) -> None:
    """Wire §1.1, §1.3: libuv marks inherited descriptors close-on-exec."""
    wire = start(
        """
        import { spawnSync } from "node:child_process";
        import { readlinkSync } from "node:fs";
        plugin.tool("look", { description: "x" }, () => ({
          own: [3, 4].map((fd) => readlinkSync(`/proc/self/fd/${fd}`)),
          child: spawnSync("ls", ["-l", "/proc/self/fd"], { encoding: "utf8" }).stdout,
          inherited: spawnSync("ls", ["-l", "/proc/self/fd"],
            { encoding: "utf8", stdio: ["inherit", "pipe", "inherit"] }).stdout,
          told: process.env.PLUGHOST_WIRE ?? null,
        }));
        """
    ).greet()

    seen = wire.data("look")

    assert all(re.fullmatch(r"pipe:\[\d+\]", pipe) for pipe in seen["own"])
    for pipe in seen["own"]:
        assert pipe not in seen["child"]
        assert pipe not in seen["inherited"]
    assert seen["told"] is None


def test_everything_written_to_1_and_2_is_log(start: Start) -> None:
    wire = start(
        """
        import { writeSync } from "node:fs";
        import { spawnSync } from "node:child_process";
        console.log("at load");
        plugin.tool("shout", { description: "x" }, () => {
          console.log("from console");
          process.stdout.write("from stdout\\n");
          writeSync(1, "from fd 1\\n");
          spawnSync("echo", ["from a child"], { stdio: "inherit" });
          return "quiet";
        });
        """
    ).greet()

    assert wire.data("shout") == "quiet"
    assert wire.set_aside == []
    words = ["at load", "from console", "from stdout", "from fd 1", "from a child"]
    assert wire.log.splitlines() == words


def test_alone_console_and_stdout_do_not_reach_the_wire(start_alone: Start) -> None:
    """Wire §1.2, §1.3."""
    wire = start_alone(
        """
        console.log("at load");
        plugin.tool("shout", { description: "x" }, async () => {
          console.log("from console");
          console.info("from info");
          process.stdout.write("from stdout\\n");
          for await (const _ of process.stdin) return "stole from the wire";
          return "quiet";
        });
        """
    ).greet(extension=None)

    assert wire.data("shout") == "quiet"
    assert wire.set_aside == []
    assert wire.log.splitlines() == ["at load", "from console", "from info", "from stdout"]


def test_alone_a_module_that_logged_before_the_sdk_loaded_is_silenced_too(
    start_alone: Start,
) -> None:
    wire = start_alone(
        """
        import "./early.mjs";
        import { plugin } from "@plughost/sdk";
        plugin.tool("say", { description: "x" }, () => { console.log("later"); });
        plugin.run();
        """,
        files={"early.mjs": "console.error('early');"},
    ).greet(extension=None)

    wire.call("say")

    assert wire.log.splitlines() == ["early", "later"]


def test_alone_name_and_version_come_from_the_manifest(start_alone: Start) -> None:
    wire = start_alone(
        ECHO, files={"plugin.toml": 'name = "text-tools"\nversion = "3.1.4"\n[x]\nname = "no"\n'}
    )

    said = wire.initialize(extension=None)

    assert said["serverInfo"] == {"name": "text-tools", "version": "3.1.4"}


def test_alone_requests_may_come_from_a_file(tmp_path: Path, installed: Installed) -> None:
    """A pipe's end and a file's end are the same to a plugin (wire §1.4)."""
    folder = installed(ECHO)
    requests = tmp_path / "requests.jsonl"
    requests.write_text(
        '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}\n'
        '{"jsonrpc":"2.0","id":2,"method":"ping"}\n',
        encoding="utf-8",
    )

    with requests.open("rb") as source:
        done = subprocess.run(
            ["node", "main.mjs"],
            cwd=folder,
            stdin=source,
            capture_output=True,
            timeout=60,
            check=False,
        )

    assert done.returncode == 0
    assert done.stdout.splitlines()[1] == b'{"jsonrpc":"2.0","id":2,"result":{}}'


def test_by_hand_on_a_terminal_it_says_one_sentence_and_exits_64(
    installed: Installed,
) -> None:
    """Wire §1.5."""
    folder = installed(ECHO)
    ours, terminal = pty.openpty()
    try:
        done = subprocess.run(
            ["node", "main.mjs"],
            cwd=folder,
            stdin=terminal,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
    finally:
        os.close(ours)
        os.close(terminal)

    assert done.returncode == 64
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "plughost call" in done.stderr


def test_a_wire_that_is_not_open_is_explained(installed: Installed) -> None:
    folder = installed(ECHO)

    for value in ("3,4", "three"):
        done = subprocess.run(
            ["node", "main.mjs"],
            cwd=folder,
            env={**os.environ, "PLUGHOST_WIRE": value},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
        assert done.returncode == 64
        assert done.stderr.startswith("plughost: PLUGHOST_WIRE")


def test_runner_and_plugin_share_one_sdk(start: Start) -> None:
    wire = start(
        """
        import { plugin } from "@plughost/sdk";
        const shared = globalThis[Symbol.for("plughost.sdk")].plugin === plugin;
        plugin.tool("where", { description: "x" }, () => ({
          shared, argv: process.argv.slice(1), cwd: process.cwd(),
          sdk: import.meta.resolve("@plughost/sdk"), self: import.meta.url,
        }));
        plugin.run();
        """
    ).greet()

    seen = wire.data("where")

    assert seen["shared"] is True
    assert seen["argv"] == [f"{seen['cwd']}/main.mjs"]
    assert seen["sdk"].endswith("/stage0/node_modules/@plughost/sdk/index.mjs")
    assert seen["self"].endswith("/stage0/plugin/main.mjs")


def test_helpers_json_and_the_plugins_own_packages_load(start: Start) -> None:
    """runtimes/README.md, "A runner", 2."""
    wire = start(
        """
        import { readFileSync } from "node:fs";
        import { createRequire } from "node:module";
        import { helper } from "./lib/helper.mjs";
        import owned from "owned";
        import table from "./table.json" with { type: "json" };
        const required = createRequire(import.meta.url)("./table.json");
        const read = readFileSync(new URL("./table.json", import.meta.url), "utf8");
        plugin.tool("all", { description: "x" }, async () =>
          [helper(), owned, table.n, required.n, JSON.parse(read).n,
            (await import("./late.cjs")).default]);
        """,
        files={
            "lib/helper.mjs": 'import { ToolError } from "@plughost/sdk";\n'
            "export const helper = () => ToolError.name;",
            "node_modules/owned/package.json": '{"name": "owned", "main": "index.js"}',
            "node_modules/owned/index.js": "module.exports = 'own package';",
            "table.json": '{"n": 5}',
            "late.cjs": "module.exports = 'late';",
        },
    ).greet()

    assert wire.data("all") == ["ToolError", "own package", 5, 5, 5, "late"]


def test_a_commonjs_entry_gets_the_same_sdk(start: Start) -> None:
    wire = start(
        """
        const { plugin, ToolError } = require("@plughost/sdk");
        const { twice } = require("./twice.cjs");
        plugin.tool("twice", { description: "x" }, ({ n }) => twice(n));
        plugin.run();
        """,
        entry="main.cjs",
        files={"twice.cjs": "exports.twice = (n) => 2 * n;"},
    ).greet()

    assert wire.data("twice", n=4) == 8


@pytest.mark.parametrize(
    ("code", "files", "place", "words"),
    [
        ('import "@plughost/sdk";\n\nconst a = ;\n', {}, "main.mjs:3", "Unexpected token ';'"),
        (
            'import "@plughost/sdk";\nimport "./lib/a.mjs";\n',
            {"lib/a.mjs": 'export * from "./b.mjs";', "lib/b.mjs": "\n\n\nfunction ("},
            "lib/b.mjs:4",
            "Function statements require a function name",
        ),
        (
            'import { plugin,\n  nonsense } from "@plughost/sdk";\n',
            {},
            "main.mjs:2",
            "does not provide an export named 'nonsense'",
        ),
    ],
)
def test_a_syntax_error_is_one_sentence_with_file_and_line(
    start: Start, code: str, files: dict[str, str], place: str, words: str
) -> None:
    """runtimes/README.md, "A runner", 3; wire §11.2."""
    wire = start(code, files=files)

    assert wire.wait() == 78
    assert len(wire.log.splitlines()) == 1
    assert place in wire.log
    assert words in wire.log


def test_a_syntax_error_of_a_commonjs_entry_has_its_line_too(start: Start) -> None:
    wire = start("const a = 1;\nconst b = ;\n", entry="main.cjs")

    assert wire.wait() == 78
    assert "main.cjs:2: syntax error" in wire.log


def test_a_missing_entry_and_an_entry_without_run_exit_78(start: Start) -> None:
    without = start('import { plugin } from "@plughost/sdk";\nplugin.on("x", () => {});\n')
    busy = start('import "@plughost/sdk";\nsetInterval(() => {}, 1000);\n')
    missing = start(ECHO, named="other.mjs")

    assert missing.wait() == 78
    assert "other.mjs: the entry does not exist" in missing.log
    assert without.wait() == 78
    assert re.search(r"main\.mjs:2: the entry ends without plugin\.run\(\)", without.log)
    assert len(without.log.splitlines()) == 1
    assert busy.wait() == 78


def test_any_other_failure_while_loading_is_a_traceback_and_exit_1(start: Start) -> None:
    thrown = start('import "@plughost/sdk";\nnull.x;\n')
    parsed = start('import "@plughost/sdk";\nJSON.parse("{");\n')
    lacking = start('import "@plughost/sdk";\nimport "no-such-package";\n')

    assert thrown.wait() == parsed.wait() == lacking.wait() == 1
    assert "TypeError" in thrown.log
    assert "main.mjs:2" in thrown.log
    assert "SyntaxError" in parsed.log
    assert "no-such-package" in lacking.log


def test_run_may_come_a_little_late_but_not_twice(start: Start) -> None:
    late = start('import { plugin } from "@plughost/sdk";\nsetTimeout(() => plugin.run(), 50);\n')
    twice = start('import { plugin } from "@plughost/sdk";\nplugin.run();\nplugin.run();\n')

    assert late.greet().ask("tools/list") == {"tools": []}
    assert twice.wait() == 1
    assert "run() was called already" in twice.log


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ('plugin.tool("a b", { description: "x" }, () => 1);', "does not match"),
        ('plugin.tool("a", {}, () => 1);', "description is not a text"),
        ('plugin.tool("a", { description: "x", inputs: {} }, () => 1);', 'unknown option "inputs"'),
        ('plugin.tool("a", { description: "x", input: { type: "string" } }, () => 1);', "input is"),
        ('plugin.tool("a", { description: "x" });', "no function"),
        ('for (const _ of "ab") plugin.tool("a", { description: "x" }, () => 1);', "twice"),
        ("plugin.on('x', 1);", 'on("x"): the handler is number'),
    ],
)
def test_a_wrong_declaration_fails_the_start_with_its_place(
    start: Start, code: str, words: str
) -> None:
    wire = start(code)

    assert wire.wait() == 1
    assert words in wire.log
    assert "main.mjs:2" in wire.log


def test_shutdown_cleans_up_answers_and_exits_0(start: Start) -> None:
    """Wire §9.2."""
    wire = start(
        """
        plugin.onCleanup(async () => { await null; console.log("cleaned"); });
        plugin.tool("t", { description: "x" }, () => 1);
        setInterval(() => {}, 1000);
        """
    ).greet()

    assert wire.ask("plughost/shutdown", grace_ms=2000) == {}

    assert wire.wait() == 0
    assert wire.log == "cleaned\n"


def test_while_it_stops_it_takes_no_new_calls_and_ends_those_in_flight(start: Start) -> None:
    wire = start(
        """
        plugin.tool("t", { description: "x" }, (_, ctx) =>
          new Promise((resolve) => ctx.signal.addEventListener("abort", resolve)));
        plugin.onCleanup(() => new Promise((resolve) => setTimeout(resolve, 200)));
        """
    ).greet()
    running = wire.start_call("t")
    stopping = wire.request("plughost/shutdown", {"grace_ms": 2000})
    refused = wire.start_call("t")

    assert wire.answer_to(running)["error"]["code"] == -32800
    assert wire.answer_to(refused)["error"]["data"]["type"] == "plugin-unavailable"
    assert wire.answer_to(stopping)["result"] == {}
    assert wire.wait() == 0


def test_end_of_file_runs_cleanup_once_and_exits_0_even_if_cleanup_hangs(start: Start) -> None:
    """Wire §1.4."""
    good = start('plugin.onCleanup(() => console.log("cleaned"));').greet()
    hanging = start(
        """
        plugin.onCleanup(() => new Promise((resolve) => setTimeout(resolve, 60_000)));
        plugin.tool("t", { description: "x" }, () => new Promise(() => {}));
        """
    ).greet()
    failing = start('plugin.onCleanup(() => { throw new Error("cleanup broke"); });').greet()
    hanging.start_call("t")

    for wire in (good, hanging, failing):
        wire.hang_up()

    assert [wire.wait() for wire in (good, hanging, failing)] == [0, 0, 0]
    assert good.log == "cleaned\n"
    assert "cleanup broke" in failing.log


def test_a_host_that_stops_reading_is_the_end_as_well(start: Start) -> None:
    wire = start(
        """
        plugin.tool("t", { description: "x" }, (_, ctx) => { setInterval(() => ctx.log("x"), 5); });
        plugin.onCleanup(() => console.log("cleaned"));
        """
    ).greet()
    wire.call("t")
    null = os.open(os.devnull, os.O_RDONLY)

    os.dup2(null, wire._receive_fd)
    os.close(null)

    assert wire.wait() == 0
    assert wire.log == "cleaned\n"


@pytest.mark.parametrize(
    ("crash", "words"),
    [
        ("setTimeout(() => { throw new Error('boom'); }, 5)", "an exception nobody caught"),
        ("void Promise.reject(new Error('boom'))", "a rejected promise nobody handled"),
    ],
)
def test_an_error_nobody_handles_is_a_crash_that_names_the_tool(
    start: Start, crash: str, words: str
) -> None:
    wire = start(
        f"""
        plugin.tool("fuse", {{ description: "x" }}, async () => {{
          {crash};
          await new Promise(() => {{}});
        }});
        """
    ).greet()

    wire.start_call("fuse")

    assert wire.wait() == 1
    assert f"crashed by {words} while serving fuse: Error: boom" in wire.log
    assert "main.mjs:4" in wire.log


def test_what_was_answered_before_a_crash_arrives(start: Start) -> None:
    wire = start(
        """
        plugin.tool("die", { description: "x" }, (_, ctx) => {
          ctx.log("last words");
          process.nextTick(() => { throw new Error("boom"); });
          return "x".repeat(1_000_000);
        });
        """
    ).greet()

    wire.start_call("die")

    assert wire.next_named("notifications/message")["params"]["data"] == "last words"
    assert wire.wait() == 1


def test_answers_to_a_slow_reader_are_kept_and_notifications_are_not(start: Start) -> None:
    wire = start(
        """
        plugin.tool("flood", { description: "x" }, (_, ctx) => {
          const text = "x".repeat(100_000);
          for (let n = 0; n < 1000; n += 1) ctx.log(text);
          return process.memoryUsage().rss < 300e6;
        });
        """
    ).greet()

    request = wire.start_call("flood")
    poll_until_full(wire)
    answer = wire.answer_to(request)

    assert answer["result"]["structuredContent"] == {"result": True}
    assert 0 < len(wire.set_aside) < 1000


def poll_until_full(wire: Any) -> None:
    """Wait until the plugin has filled its pipe, which we do not read meanwhile."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        waiting = int.from_bytes(
            fcntl.ioctl(wire._receive_fd, termios.FIONREAD, b"\0" * 4), "little"
        )
        if waiting >= 60_000:
            return
        time.sleep(0.005)
    raise AssertionError("the plugin wrote nothing")


def test_a_term_signal_ends_it(start: Start) -> None:
    """Wire §11.1: the third step needs no cooperation."""
    wire = start(ECHO).greet()

    wire.process.send_signal(signal.SIGTERM)

    assert wire.wait() == -signal.SIGTERM


def test_an_idle_plugin_needs_less_than_60_mb(start: Start) -> None:
    wire = start(ECHO).greet()
    wire.ask("tools/list")

    rollup = Path(f"/proc/{wire.process.pid}/smaps_rollup").read_text(encoding="utf-8")

    pss_kib = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
    assert pss_kib is not None
    assert int(pss_kib[1]) < 60 * 1024
