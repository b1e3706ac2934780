"""`plughost serve`: up, answering, and down without leaving anything behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def serving(plugins: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run `plughost serve` and yield the process and its URL once plugins are ready."""
    paths = [str(ROOT / "host"), str(ROOT / "runtimes" / "python")]
    process = subprocess.Popen(
        [sys.executable, "-m", "plughost", "serve", "--listen", "127.0.0.1:0",
         "--plugins", str(plugins), *options],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "HOME": str(plugins.parent)},
        cwd=plugins.parent,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )  # fmt: skip
    with process:
        assert process.stderr is not None
        found = re.search(r"http://\S+", process.stderr.readline())
        assert found is not None
        while " plugins ready" not in process.stderr.readline():
            assert process.poll() is None
        try:
            yield process, found[0]
        finally:
            if process.poll() is None:
                process.kill()


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=30) as reply:
        return json.load(reply)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_host_gateway_and_plugins_with_status_0(
    plugins: Path, number: signal.Signals
) -> None:
    with serving(plugins) as (process, url):
        pids = [each["pid"] for each in get(f"{url}/v1/plugins") if each["pid"] is not None]
        process.send_signal(number)
        _, err = process.communicate(timeout=60)

    assert process.returncode == 0
    assert err == "plughost: stopping\n"
    assert pids
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_the_gateway_and_the_command_line_say_the_same_about_tools(plugins: Path) -> None:
    paths = [str(ROOT / "host"), str(ROOT / "runtimes" / "python")]
    with serving(plugins) as (_, url):
        served = get(f"{url}/v1/tools")
    listed = subprocess.run(
        [sys.executable, "-m", "plughost", "tools", "--json", "--plugins", str(plugins)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "HOME": str(plugins.parent)},
        capture_output=True,
        timeout=60,
        check=True,
    )

    assert json.loads(listed.stdout) == served


def test_a_plugin_that_dies_is_a_line_in_the_log_and_the_gateway_goes_on(plugins: Path) -> None:
    with serving(plugins) as (process, url):
        pid = get(f"{url}/v1/plugins/hello")["pid"]
        os.kill(pid, signal.SIGKILL)
        assert process.stderr is not None
        line = process.stderr.readline()
        while (record := get(f"{url}/v1/plugins/hello"))["state"] != "ready":
            pass

    assert "warning plugin.exited plugin=hello" in line
    assert "killed by SIGKILL" in line
    assert record["restart_count"] == 1
    assert record["pid"] != pid


def test_it_goes_on_when_nobody_reads_its_log_any_more(plugins: Path) -> None:
    with serving(plugins) as (process, url):
        assert process.stderr is not None
        process.stderr.close()
        # Its death is a line in the log, and its writing fails.
        os.kill(get(f"{url}/v1/plugins/hello")["pid"], signal.SIGKILL)
        while get(f"{url}/v1/plugins/hello")["generation"] < 2:
            pass
        process.send_signal(signal.SIGTERM)
        status = process.wait(60)

    assert status == 0


@pytest.mark.parametrize(
    ("address", "fact"),
    [
        ("0.0.0.0:8420", "is not a loopback address"),
        ("8420", "is not an address to listen on"),
    ],
)
def test_an_address_it_cannot_have_stops_it_before_any_plugin_starts(
    plugins: Path, address: str, fact: str
) -> None:
    paths = [str(ROOT / "host"), str(ROOT / "runtimes" / "python")]
    done = subprocess.run(
        [sys.executable, "-m", "plughost", "serve", "--listen", address],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "HOME": str(plugins.parent)},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )

    assert done.returncode == 78
    assert done.stderr.startswith(f"error[config-invalid]: {address!r} {fact}")
    assert "starting plugins" not in done.stderr
