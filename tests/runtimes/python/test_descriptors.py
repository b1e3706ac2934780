"""User code cannot reach the wire by accident (wire 1)."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
from pathlib import Path

import pytest
from tests.runtimes.python.conftest import PRELUDE, Launch
from tests.runtimes.python.wire_client import PYTHON, RUNNER, SDK

NOISE = """
print("while loading")

@plugin.tool
def pollute(how: str) -> str:
    if how == "print":
        print("printed")
    if how == "write":
        os.write(1, b"written\\n")
    if how == "grandchild":
        subprocess.run(["sh", "-c", "echo from a grandchild; cat"], check=True)
    if how == "held":
        subprocess.run(["sh", "-c", "ls /proc/self/fd >&2"], check=True)
    if how == "fork":
        child = os.fork()
        if child == 0:
            open_in_child = [fd for fd in (3, 4, 100, 101) if os.path.exists(f"/proc/self/fd/{fd}")]
            os.write(2, f"child holds {open_in_child}\\n".encode())
            os._exit(0)
        os.waitpid(child, 0)
    if how == "environment":
        return str(os.environ.get("PLUGHOST_WIRE")) + subprocess.run(
            ["sh", "-c", "echo $PLUGHOST_WIRE"], check=True, capture_output=True, encoding="utf-8"
        ).stdout
    if how == "input":
        return sys.stdin.read()
    return how
"""


@pytest.mark.parametrize("alone", [False, True])
@pytest.mark.parametrize(
    ("how", "logged"),
    [
        ("print", "printed"),
        ("write", "written"),
        ("grandchild", "from a grandchild"),
        ("fork", "child holds []"),
    ],
)
def test_what_plugins_and_their_children_print_is_log(
    launch: Launch, how: str, logged: str, alone: bool
) -> None:
    """Contract: wire 1.3."""
    plugin = launch(NOISE, alone=alone)
    plugin.initialize(None if alone else {"version": "1.0.0", "features": []})

    if not alone:
        plugin.activate()
    assert plugin.data("pollute", how=how) == how
    assert "while loading" in plugin.log
    assert logged in plugin.log


@pytest.mark.parametrize("alone", [False, True])
def test_standard_input_is_empty(launch: Launch, alone: bool) -> None:
    """Contract: wire 1.1, 1.3."""
    plugin = launch(NOISE, alone=alone)
    plugin.initialize(None)

    assert plugin.data("pollute", how="input") == ""


def test_programs_a_plugin_starts_do_not_hold_its_wire(launch: Launch) -> None:
    plugin = launch(NOISE).begin()
    plugin.call("pollute", how="held")

    # 3 is the folder `ls` reads.
    assert "\n4\n" not in plugin.log.replace("while loading", "")


def test_programs_a_plugin_starts_do_not_see_where_its_wire_was(launch: Launch) -> None:
    plugin = launch(NOISE).begin()

    assert plugin.data("pollute", how="environment") == "None\n"


def test_what_is_printed_before_the_plugin_exists_is_log_too(launch: Launch) -> None:
    """Standard output is buffered when it is a pipe, so nothing has left before `Plugin()`."""
    plugin = launch(
        'print("before")\nfrom plughost_sdk import Plugin\nplugin = Plugin()\n'
        "@plugin.tool\ndef two() -> int:\n    return 2\nplugin.run()\n",
        alone=True,
        whole=True,
        env={"PLUGHOST_UNMEASURED": "1"},
    )
    plugin.initialize(None)

    assert plugin.data("two") == 2
    assert "before" in plugin.log


def test_a_module_that_is_imported_keeps_its_standard_streams(tmp_path: Path) -> None:
    """A plugin's own tests import it; their output must not end up elsewhere."""
    (tmp_path / "main.py").write_text(
        'from plughost_sdk import Plugin\nplugin = Plugin()\nif __name__ == "__main__":\n'
        "    plugin.run()\n",
        encoding="utf-8",
    )

    done = subprocess.run(
        [PYTHON, "-c", "import main; print('still mine'); print(input())"],
        cwd=tmp_path,
        env={"PYTHONPATH": f"{SDK}:{tmp_path}", "PLUGHOST_UNMEASURED": "1"},
        input="and mine\n",
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=30,
    )

    assert done.stdout == "still mine\nand mine\n"


def test_a_person_at_a_terminal_is_told_what_this_is(tmp_path: Path) -> None:
    """Contract: wire 1.5."""
    (tmp_path / "main.py").write_text(f"{PRELUDE}\nplugin.run()\n", encoding="utf-8")
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(
            [PYTHON, "main.py"],
            cwd=tmp_path,
            env={"PYTHONPATH": str(SDK)},
            stdin=theirs,
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=30,
        )
    finally:
        os.close(ours)
        os.close(theirs)

    assert done.returncode == 64
    assert done.stdout == ""
    assert "This is a plughost plugin" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("wire", ["", "3", "three,four", "200,201"])
def test_a_wire_that_is_not_there_is_explained(tmp_path: Path, wire: str) -> None:
    (tmp_path / "main.py").write_text(f"{PRELUDE}\nplugin.run()\n", encoding="utf-8")

    done = subprocess.run(
        [PYTHON, "-I", "-S", str(RUNNER), str(tmp_path), "main.py"],
        env={"PLUGHOST_WIRE": wire},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=30,
    )

    assert done.returncode == 78
    assert f"PLUGHOST_WIRE={wire} does not name two open descriptors" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_wire_that_does_not_block_serves_as_well(launch: Launch) -> None:
    plugin = launch(
        """
for descriptor in (100, 101):
    os.set_blocking(descriptor, False)

@plugin.tool
def much() -> str:
    return "x" * 1_000_000
""",
        alone=True,
    )
    plugin.initialize(None)

    assert len(plugin.data("much")) == 1_000_000


def test_the_host_can_ask_for_every_threads_stack(launch: Launch) -> None:
    plugin = launch("@plugin.tool\ndef wait() -> None:\n    time.sleep(0.2)").begin()
    call = plugin.start_call("wait")
    plugin.ask("ping")

    os.kill(plugin.process.pid, signal.SIGUSR1)

    assert plugin.answer_to(call)["result"]
    assert "most recent call first" in plugin.log
    assert "in wait" in plugin.log
