"""The edge of the command line: usage, bugs, interrupts, readers that leave."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot

from plughost.cli import main
from plughost.cli.commands.explain import explain
from plughost.errors import ConfigError


@pytest.mark.parametrize(
    ("arguments", "message", "command"),
    [
        (("cal",), "no such command 'cal'; did you mean 'call'?", "plughost"),
        (("call", "--jsn"), "no such option '--jsn'; did you mean '--json'?", "plughost call"),
        (("call",), "missing argument 'PLUGIN'", "plughost call"),
        (("sdk", "path", "perl"), "invalid value for 'RUNTIME': 'perl'", "plughost sdk path"),
        (
            ("explain", "plugin-crashd"),
            "there is no error type 'plugin-crashd'; did you mean 'plugin-crashed'?",
            "plughost explain",
        ),
    ],
)
def test_what_cannot_be_understood_looks_like_every_other_error(
    plughost: Any, arguments: tuple[str, ...], message: str, command: str
) -> None:
    status, out, err = plughost.inside(*arguments)

    lines = err.splitlines()
    assert (status, out) == (64, "")
    assert lines[0].startswith(f"error[usage]: {message}")
    assert lines[1].startswith("  hint: ")
    assert lines[2:] == [f"  help: {command} --help"]


def test_usage_errors_are_objects_under_json(plughost: Any) -> None:
    status, out, err = plughost("call", "--json")

    assert (status, err) == (64, "")
    assert json.loads(out)["error"]["type"] == "usage"


def test_without_a_command_the_help_is_printed_and_the_status_says_usage(plughost: Any) -> None:
    status, out, err = plughost()

    assert (status, out) == (64, "")
    assert err.startswith("Usage: plughost [OPTIONS] COMMAND")


def test_help_lists_every_command_and_goes_to_stdout(plughost: Any) -> None:
    status, out, err = plughost("--help")

    assert (status, err) == (0, "")
    listed = [line.split()[0] for line in out.partition("Commands:\n")[2].splitlines()]
    assert listed == snapshot(
        ["demo", "call", "plugins", "tools", "serve", "doctor", "explain", "sdk"]
    )


def test_the_version_is_the_packages(plughost: Any) -> None:
    status, out, _ = plughost("--version")

    assert status == 0
    assert out.startswith("plughost 0.")


def test_a_bug_is_an_error_with_a_hint_and_its_traceback_only_on_request(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    # No input is known to reach a bug: one is put in.
    def bug(**_: object) -> int:
        raise RuntimeError("a bug")

    monkeypatch.setattr(explain, "callback", bug)

    assert main.run(["explain"]) == 70
    assert capfd.readouterr().err == snapshot(
        """\
error[internal]: RuntimeError: a bug
  hint: This is a bug in plughost: report it with what `--debug` prints.
  help: plughost explain internal
"""
    )
    assert main.run(["explain", "--debug"]) == 70
    assert "Traceback (most recent call last)" in capfd.readouterr().err
    assert main.run(["explain", "--json"]) == 70
    assert json.loads(capfd.readouterr().out)["error"]["type"] == "internal"


def test_errors_out_of_nurseries_are_shown_as_themselves(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    wrapped: list[BaseException] = [
        BaseExceptionGroup("", [ExceptionGroup("", [ConfigError("wrong", hint="Mend it.")])]),
        BaseExceptionGroup("", [KeyboardInterrupt(), ValueError()]),
        ExceptionGroup("two bugs", [ValueError(), TypeError()]),
    ]

    def fail(**_: object) -> int:
        raise wrapped.pop(0)

    monkeypatch.setattr(explain, "callback", fail)

    assert main.run(["explain"]) == 78
    assert capfd.readouterr().err.startswith("error[config-invalid]: wrong\n")
    assert main.run(["explain"]) == 130
    assert capfd.readouterr().err == ""
    assert main.run(["explain"]) == 70
    assert capfd.readouterr().err.startswith("error[internal]: ExceptionGroup: two bugs")


def test_a_reader_that_leaves_is_no_error(plughost: Any) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)

    with plughost.start("explain", stdout=write_end, stderr=subprocess.PIPE) as process:
        os.close(write_end)
        _, err = process.communicate(timeout=60)

    assert (process.returncode, err) == (141, b"")


def test_a_full_disk_is_reported(plughost: Any) -> None:
    with (
        Path("/dev/full").open("wb") as full,
        plughost.start("explain", stdout=full, stderr=subprocess.PIPE) as process,
    ):
        _, err = process.communicate(timeout=60)

    assert process.returncode == 70
    assert b"No space left on device" in err


def test_control_c_stops_the_plugin_and_exits_130_in_silence(
    plughost: Any, write_plugin: Any
) -> None:
    path = write_plugin(
        main="import os, sys, time\nfrom plughost_sdk import Plugin\nplugin = Plugin()\n"
        "@plugin.tool\ndef hang() -> None:\n"
        "    open('pid', 'w').write(str(os.getpid()))\n"
        "    os.close(os.open('started', os.O_WRONLY))\n"
        "    time.sleep(60)\n"
        "plugin.run()\n"
    )
    os.mkfifo(path / "started")
    process = plughost.start(
        "call", "hello", "hang", "--plugins", "plugins",
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    with process:
        # Opens when the tool opens its end: the call is in the plugin.
        (path / "started").open("rb").close()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)

    assert (process.returncode, out, err) == (130, b"", b"")
    pid = int((path / "pid").read_text(encoding="utf-8"))
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


HEAVY = {"aiohttp", "anthropic", "asyncio", "extism", "jsonschema", "lupa", "mcp", "openai"}


@pytest.mark.parametrize(
    ("arguments", "unwanted"),
    [
        (("--help",), HEAVY | {"rich", "simpleeval", "structlog", "trio"}),
        (("call", "--help"), HEAVY | {"rich", "simpleeval", "structlog", "trio"}),
        (("explain", "internal"), HEAVY | {"rich", "simpleeval", "structlog", "trio"}),
        # Manifests are checked by jsonschema; structlog brings rich and asyncio along.
        (("call", "disk-usage", "free"), HEAVY - {"asyncio", "jsonschema"} | {"simpleeval"}),
    ],
    ids=["help", "call-help", "explain", "call"],
)
def test_a_command_imports_only_what_it_uses(
    plughost: Any, arguments: tuple[str, ...], unwanted: set[str]
) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "plughost", *arguments],
        cwd=plughost.folder,
        env={**plughost.environment, "COVERAGE_PROCESS_CONFIG": "", "COVERAGE_PROCESS_START": ""},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )
    lines = (line for line in done.stderr.splitlines() if line.startswith("import time:"))
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}

    assert "click" in loaded
    assert loaded & unwanted == set()
