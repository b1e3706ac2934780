"""A person at a shell: the real command, from an empty folder, with a home of its own."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
import structlog

from plughost.cli import main

ROOT = Path(__file__).resolve().parents[2]
# Several cold interpreters on a loaded machine.
COMMAND_TIMEOUT_S = 60.0
# What first-party plugins and the host run, besides Python and node.
PROGRAMS = ("sh", "awk", "find", "df", "env", "sed", "od", "tr", "cat", "mkfifo", "rm", "mktemp")

MAIN = """\
from plughost_sdk import Context, Plugin

plugin = Plugin()


@plugin.tool
def greet(name: str, times: int = 1) -> str:
    '''Greet somebody by name.'''
    return " ".join([f"Hello, {name}!"] * times)


@plugin.tool
def echo(value: dict | None = None, items: list | None = None, flag: bool = False,
         number: float = 0.0) -> dict:
    '''Return what came in.'''
    return {"value": value, "items": items, "flag": flag, "number": number}


@plugin.tool
def read(path: str) -> str:
    '''Return a file.'''
    with open(path, encoding="utf-8") as file:
        return file.read()


@plugin.tool
def fail() -> None:
    '''Raise an error with a terminal's escape sequence in it.'''
    raise ValueError("no \\x1b[31mred\\x1b[0m today")


@plugin.tool
def crash() -> None:
    '''End the process.'''
    import os, sys
    print("last words", file=sys.stderr, flush=True)
    os._exit(3)


@plugin.tool
def hang(name: str = '') -> None:
    '''Never answer.'''
    import time
    while True:
        time.sleep(1)


@plugin.tool(long_running=True)
def work(ctx: Context) -> str:
    '''Report progress.'''
    ctx.progress(1, 2, "half\\x1b[2J way")
    return "done"


plugin.run()
"""


class Paper(io.TextIOWrapper):
    """A stream in memory with a `buffer` beneath, as stdout has."""

    def __init__(self) -> None:
        self._bytes = io.BytesIO()
        super().__init__(self._bytes, encoding="utf-8", write_through=True)

    def text(self) -> str:
        return self._bytes.getvalue().decode("utf-8")


@attrs.frozen
class Shell:
    """Runs `plughost` as a person would.

    Attributes:
        folder: Where they are; empty at first.
        home: Their home folder.
    """

    folder: Path
    home: Path

    @property
    def environment(self) -> dict[str, str]:
        paths = [str(ROOT / "host"), str(ROOT / "runtimes" / "python")]
        plain = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "TERM")}
        return {**plain, "PYTHONPATH": os.pathsep.join(paths), "HOME": str(self.home)}

    def run(
        self,
        *arguments: str | bytes,
        stdin: bytes = b"",
        environment: dict[str, str] | None = None,
    ) -> subprocess.CompletedProcess[bytes]:
        """Return how `plughost` with *arguments* ended, with bytes."""
        return subprocess.run(
            [sys.executable, "-m", "plughost", *arguments],
            cwd=self.folder,
            env={**self.environment, **(environment or {})},
            input=stdin,
            capture_output=True,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )

    def __call__(
        self, *arguments: str, environment: dict[str, str] | None = None
    ) -> tuple[int, str, str]:
        """Return the exit status of `plughost` with *arguments*, its stdout, and its stderr."""
        done = self.run(*arguments, environment=environment)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def inside(self, *arguments: str) -> tuple[int, str, str]:
        """Return the same without a process of its own: for many small variations of one path."""
        with (
            pytest.MonkeyPatch.context() as patch,
            contextlib.redirect_stdout(Paper()) as out,
            contextlib.redirect_stderr(Paper()) as err,
        ):
            patch.chdir(self.folder)
            patch.setenv("HOME", str(self.home))
            try:
                status = main.run(arguments)
            finally:
                # The log must not keep on writing to this paper.
                structlog.reset_defaults()
            return status, out.text(), err.text()

    def json(self, *arguments: str, status: int = 0) -> Any:
        """Return what `plughost` with *arguments* and ``--json`` prints."""
        done = self.run(*arguments, "--json")
        assert done.returncode == status, done.stderr.decode()
        return json.loads(done.stdout)

    def start(self, *arguments: str, **how: Any) -> subprocess.Popen[bytes]:
        """Start `plughost` with *arguments*; the caller ends it."""
        return subprocess.Popen(
            [sys.executable, "-m", "plughost", *arguments],
            cwd=self.folder,
            env=self.environment,
            **how,
        )


@pytest.fixture(autouse=True)
def log_as_before() -> Iterator[None]:
    """Undo what a command does to the log of this process."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def plughost(tmp_path: Path) -> Shell:
    (tmp_path / "here").mkdir()
    (tmp_path / "home").mkdir()
    return Shell(tmp_path / "here", tmp_path / "home")


WritePlugin = Callable[..., Path]


@pytest.fixture
def write_plugin(plughost: Shell) -> WritePlugin:
    """Return a function that writes a plugin into the current folder's ``plugins/``."""

    def write(folder: str = "hello", *, manifest: str | None = None, main: str = MAIN) -> Path:
        path = plughost.folder / "plugins" / folder
        path.mkdir(parents=True)
        standard = (
            f'name = "{folder}"\nversion = "1.0.0"\ndescription = "Says hello."\n'
            'runtime = "python"\nentry = "main.py"\n'
        )
        (path / "plugin.toml").write_text(manifest or standard, encoding="utf-8")
        (path / "main.py").write_text(main, encoding="utf-8")
        return path

    return write


@pytest.fixture
def path_without_node(tmp_path: Path) -> str:
    """Return a PATH with everything the first-party plugins need, but not node."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in PROGRAMS:
        found = shutil.which(name)
        if found is not None:
            (folder / name).symlink_to(found)
    return str(folder)
