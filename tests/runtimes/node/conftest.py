"""A real Node plugin in a stage, and a small client that speaks its wire."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
SDK = ROOT / "runtimes" / "node"
# Two shared cores and a cold interpreter; a hang is the only thing this bounds.
PATIENCE_S = 30
FEATURES = ["call", "state", "emit", "http", "llm"]
EXTENSION = {"version": "1.0.0", "features": FEATURES}


class HungUpError(AssertionError):
    """The plugin closed the wire where it should have spoken."""


class Wire:
    """A plugin process and both directions of its wire."""

    def __init__(self, process: subprocess.Popen[bytes], send_fd: int, receive_fd: int) -> None:
        self.process = process
        self.log_path: Path | None = None
        self._send_fd: int | None = send_fd
        self._receive_fd = receive_fd
        self._buffer = b""
        self._number = 0
        self.set_aside: list[dict[str, Any]] = []

    @property
    def log(self) -> str:
        assert self.log_path is not None
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def send_bytes(self, data: bytes) -> None:
        assert self._send_fd is not None
        while data:
            data = data[os.write(self._send_fd, data) :]

    def send(self, message: dict[str, Any]) -> None:
        self.send_bytes(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")

    def notify(self, method: str, **params: Any) -> None:
        self.send({"method": method, "params": params})

    def request(self, method: str, params: dict[str, Any] | None = None) -> int:
        self._number += 1
        self.send({"id": self._number, "method": method, "params": params or {}})
        return self._number

    def receive(self) -> dict[str, Any]:
        """Return the next message, whatever it is."""
        deadline = time.monotonic() + PATIENCE_S
        while b"\n" not in self._buffer:
            left = deadline - time.monotonic()
            assert left > 0, "the plugin said nothing"
            assert select.select([self._receive_fd], [], [], left)[0], "the plugin said nothing"
            chunk = os.read(self._receive_fd, 1 << 16)
            if not chunk:
                raise HungUpError(self.log)
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        message: dict[str, Any] = json.loads(line)
        assert message["jsonrpc"] == "2.0"
        return message

    def answer_to(self, request_id: int | str) -> dict[str, Any]:
        """Return the answer to one request; what comes before it is set aside."""
        for index, message in enumerate(self.set_aside):
            if message.get("id") == request_id and "method" not in message:
                return self.set_aside.pop(index)
        while True:
            message = self.receive()
            if message.get("id") == request_id and "method" not in message:
                return message
            self.set_aside.append(message)

    def next_named(self, method: str) -> dict[str, Any]:
        """Return the plugin's next request or notification of this method."""
        for index, message in enumerate(self.set_aside):
            if message.get("method") == method:
                return self.set_aside.pop(index)
        while True:
            message = self.receive()
            if message.get("method") == method:
                return message
            self.set_aside.append(message)

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        answer = self.answer_to(self.request(method, params))
        assert "result" in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    def error_of(self, method: str, **params: Any) -> dict[str, Any]:
        answer = self.answer_to(self.request(method, params))
        assert "error" in answer, answer
        error: dict[str, Any] = answer["error"]
        return error

    def start_call(self, tool: str, arguments: dict[str, Any] | None = None, **meta: Any) -> int:
        about = {"deadline_ms": 20_000, "call_id": "c-1", "chain": [], **meta}
        params = {"name": tool, "arguments": arguments or {}, "_meta": about}
        return self.request("tools/call", params)

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        answer = self.answer_to(self.start_call(tool, arguments))
        assert "result" in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    def data(self, tool: str, **arguments: Any) -> Any:
        """Return what the tool returned."""
        result = self.call(tool, **arguments)
        assert not result.get("isError"), result
        structured = result["structuredContent"]
        wrapped = result.get("_meta", {}).get("plughost/wrapped")
        return structured["result"] if wrapped else structured

    def failure(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Return how the tool failed."""
        result = self.call(tool, **arguments)
        assert result["isError"] is True, result
        error: dict[str, Any] = result["_meta"]["plughost/error"]
        assert result["content"] == [{"type": "text", "text": error["message"]}]
        return error

    def initialize(self, extension: dict[str, Any] | None = EXTENSION) -> dict[str, Any]:
        capabilities = {"experimental": {"plughost": extension}} if extension else {}
        return self.ask(
            "initialize",
            protocolVersion="2025-11-25",
            capabilities=capabilities,
            clientInfo={"name": "test", "version": "1"},
        )

    def activate(self, max_message_mb: int = 4, **settings: Any) -> dict[str, Any]:
        return self.ask("plughost/activate", **activation(settings, max_message_mb))

    def greet(self, extension: dict[str, Any] | None = EXTENSION) -> Wire:
        """Do the handshake as the host does, or as a plain MCP client without *extension*."""
        self.initialize(extension)
        self.notify("notifications/initialized")
        if extension:
            self.activate()
        return self

    def hang_up(self) -> None:
        if self._send_fd is not None:
            os.close(self._send_fd)
            self._send_fd = None

    def wait(self) -> int:
        return self.process.wait(timeout=PATIENCE_S)

    def close(self) -> None:
        self.hang_up()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(timeout=PATIENCE_S)
        os.close(self._receive_fd)


def activation(settings: dict[str, Any], max_message_mb: int) -> dict[str, Any]:
    limits = {
        "call_timeout_s": 30,
        "memory_mb": 256,
        "concurrency": 32,
        "max_message_mb": max_message_mb,
    }
    return {"settings": settings, "state_namespace": "n", "limits": limits, "generation": 1}


def environment(**more: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **more}


def write_plugin(folder: Path, code: str, entry: str, files: dict[str, str] | None) -> Path:
    """Write an entry; ``import`` and ``run()`` are added where the code has none."""
    if entry.endswith(".mjs") and "@plughost/sdk" not in code:
        head = "import { CancelledError, content, Plugin, plugin, PlughostError, ToolError }"
        code = f'{head} from "@plughost/sdk";\n{code}\nplugin.run();\n'
    for name, text in {entry: code, **(files or {})}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def stage(folder: Path, plugin: Path) -> Path:
    """Build what the host builds: the runner, the SDK and the plugin beside each other."""
    scope = folder / "node_modules" / "@plughost"
    scope.mkdir(parents=True, exist_ok=True)
    (scope / "sdk").symlink_to(SDK)
    (folder / "runner.mjs").symlink_to(SDK / "runner.mjs")
    (folder / "plugin").symlink_to(plugin)
    return folder


def runner_command(staged: Path, plugin: Path, entry: str = "main.mjs") -> list[str]:
    flags = ["--preserve-symlinks", "--preserve-symlinks-main"]
    return ["node", *flags, str(staged / "runner.mjs"), str(plugin), entry]


Start = Callable[..., Wire]


@pytest.fixture(scope="session", autouse=True)
def node() -> str:
    """The interpreter, started once: the first start after a boot takes seconds."""
    path = shutil.which("node")
    if path is None:
        pytest.skip("node is not on PATH; install nodejs >= 20")
    subprocess.run([path, "-e", "0"], check=True, timeout=120)
    return path


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start plugins as the host does: staged, wire on 3 and 4."""
    wires: list[Wire] = []

    # `named`: the entry the host asks for, where it is not the one that was written.
    def start(
        code: str = "",
        entry: str = "main.mjs",
        files: dict[str, str] | None = None,
        named: str | None = None,
    ) -> Wire:
        number = len(wires)
        plugin = write_plugin(tmp_path / f"plugin{number}", code, entry, files)
        staged = tmp_path / f"stage{number}"
        staged.mkdir()
        stage(staged, plugin)
        wire = spawn_on_3_and_4(
            runner_command(staged, plugin, named or entry), plugin, tmp_path / f"log{number}"
        )
        wires.append(wire)
        return wire

    yield start
    for wire in wires:
        wire.close()


@pytest.fixture
def installed(tmp_path: Path) -> Callable[..., Path]:
    """Write a plugin folder in which ``npm install`` has linked the SDK."""
    numbers = count()

    def installed(code: str, files: dict[str, str] | None = None) -> Path:
        plugin = write_plugin(tmp_path / f"alone{next(numbers)}", code, "main.mjs", files)
        scope = plugin / "node_modules" / "@plughost"
        scope.mkdir(parents=True, exist_ok=True)
        (scope / "sdk").symlink_to(SDK)
        return plugin

    return installed


@pytest.fixture
def start_alone(tmp_path: Path, installed: Callable[..., Path]) -> Iterator[Start]:
    """Start plugins as an MCP client does: no host, wire on 0 and 1."""
    wires: list[Wire] = []

    def start_alone(code: str, files: dict[str, str] | None = None) -> Wire:
        plugin = installed(code, files)
        log_path = tmp_path / f"alone-log{len(wires)}"
        with log_path.open("wb") as log:
            process = subprocess.Popen(
                ["node", "main.mjs"],
                cwd=plugin,
                env=environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        assert process.stdin is not None
        assert process.stdout is not None
        wire = Wire(process, os.dup(process.stdin.fileno()), os.dup(process.stdout.fileno()))
        process.stdin.close()
        process.stdout.close()
        wire.log_path = log_path
        wires.append(wire)
        return wire

    yield start_alone
    for wire in wires:
        wire.close()


def spawn_on_3_and_4(command: list[str], cwd: Path, log_path: Path) -> Wire:
    their_read, our_write = os.pipe()
    our_read, their_write = os.pipe()

    def place() -> None:
        # Copies first: one of the pipes may stand on 3 or 4 itself.
        reader, writer = os.dup(their_read), os.dup(their_write)
        spare = [os.dup(reader), os.dup(writer)]
        os.dup2(spare[0], 3)
        os.dup2(spare[1], 4)

    with log_path.open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=environment(
                PLUGHOST_WIRE="3,4", PLUGHOST_PLUGIN="sample", PLUGHOST_PLUGIN_VERSION="1.2.3"
            ),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(3, 4),
            preexec_fn=place,  # noqa: PLW1509 - one thread; posix_spawn cannot set the folder
        )
    os.close(their_read)
    os.close(their_write)
    wire = Wire(process, our_write, our_read)
    wire.log_path = log_path
    return wire
