"""A small host: starts a plugin over real pipes and speaks its wire, a message at a time."""

from __future__ import annotations

import fcntl
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

__all__ = ["EXTENSION", "FEATURES", "PYTHON", "RUNNER", "SDK", "WireClient", "start_process"]

# The interpreter plugins run in: another one's path here tests the SDK on that Python.
PYTHON: Final = os.environ.get("PLUGHOST_TEST_PYTHON", sys.executable)

SDK: Final = Path(__file__).resolve().parents[3] / "runtimes" / "python"
RUNNER: Final = SDK / "runner.py"
FEATURES: Final = ("call", "state", "emit", "http", "llm")
EXTENSION: Final[Mapping[str, Any]] = {"version": "1.0.0", "features": list(FEATURES)}

# A hang is all this bounds: two shared cores, and a first start that compiles the SDK.
PATIENCE_S: Final = 30.0


def start_process(
    argv: Sequence[str], *, folder: Path, env: Mapping[str, str], log: Path, on_three: bool
) -> tuple[subprocess.Popen[bytes], int, int]:
    """Start *argv* and return it with our ends of its wire: where to write, where to read."""
    their_in, our_out = os.pipe()
    our_in, their_out = os.pipe()
    # Above what the child will number itself, so that dup2 cannot overwrite one with the other.
    ends = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 200) for end in (their_in, their_out)]

    def wire_to_three_and_four() -> None:
        os.dup2(ends[0], 3)
        os.dup2(ends[1], 4)

    with log.open("wb") as log_file:
        process = subprocess.Popen(
            argv,
            cwd=folder,
            env={
                "PATH": os.environ["PATH"],
                **env,
                **({"PLUGHOST_WIRE": "3,4"} if on_three else {}),
            },
            stdin=subprocess.DEVNULL if on_three else their_in,
            stdout=log_file if on_three else their_out,
            stderr=log_file,
            close_fds=not on_three,
            # Two descriptors below those of this process; nothing of Python runs in between.
            preexec_fn=wire_to_three_and_four if on_three else None,  # noqa: PLW1509
        )
    for descriptor in (their_in, their_out, *ends):
        os.close(descriptor)
    return process, our_out, our_in


class WireClient:
    """A plugin process and both directions of its wire."""

    def __init__(
        self, process: subprocess.Popen[bytes], write_to: int, read_from: int, log: Path
    ) -> None:
        self.process = process
        self.set_aside: list[dict[str, Any]] = []
        self._write_to: int | None = write_to
        self._read_from = read_from
        self._log = log
        self._unread = b""
        self._number = 0

    @property
    def log(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    # -- messages -----------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        assert self._write_to is not None
        while data:
            data = data[os.write(self._write_to, data) :]

    def send(self, *messages: dict[str, Any]) -> None:
        lines = [json.dumps({"jsonrpc": "2.0", **message}).encode() for message in messages]
        self.write(b"\n".join(lines) + b"\n")

    def notify(self, method: str, **params: Any) -> None:
        self.send({"method": method, "params": params})

    def request(self, method: str, params: Mapping[str, Any] | None = None) -> int:
        self._number += 1
        self.send({"id": self._number, "method": method, "params": params or {}})
        return self._number

    def receive(self) -> dict[str, Any]:
        """Return the next message, whatever it is."""
        give_up = time.monotonic() + PATIENCE_S
        while b"\n" not in self._unread:
            left_s = give_up - time.monotonic()
            ready = left_s > 0 and select.select([self._read_from], [], [], left_s)[0]
            assert ready, f"the plugin said nothing; its log:\n{self.log}"
            chunk = os.read(self._read_from, 1 << 16)
            assert chunk, f"the plugin closed its wire; its log:\n{self.log}"
            self._unread += chunk
        line, _, self._unread = self._unread.partition(b"\n")
        message: dict[str, Any] = json.loads(line)
        assert message["jsonrpc"] == "2.0"
        return message

    def answer_to(self, number: int | str) -> dict[str, Any]:
        """Return the answer to a request; what comes before it is set aside."""
        for at, message in enumerate(self.set_aside):
            if message.get("id") == number and "method" not in message:
                return self.set_aside.pop(at)
        while True:
            message = self.receive()
            if message.get("id") == number and "method" not in message:
                return message
            self.set_aside.append(message)

    def next_named(self, method: str) -> dict[str, Any]:
        """Return the plugin's next request or notification *method*."""
        for at, message in enumerate(self.set_aside):
            if message.get("method") == method:
                return self.set_aside.pop(at)
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

    # -- the session --------------------------------------------------------------------

    def initialize(self, extension: Mapping[str, Any] | None = EXTENSION) -> dict[str, Any]:
        offered = {} if extension is None else {"experimental": {"plughost": extension}}
        answer = self.ask(
            "initialize",
            protocolVersion="2025-11-25",
            capabilities=offered,
            clientInfo={"name": "tests", "version": "1"},
        )
        self.notify("notifications/initialized")
        return answer

    def activate(self, **settings: Any) -> dict[str, Any]:
        return self.ask("plughost/activate", **activation(settings))

    def begin(self, **settings: Any) -> WireClient:
        self.initialize()
        self.activate(**settings)
        return self

    # -- calls --------------------------------------------------------------------------

    def start_call(self, tool: str, arguments: Mapping[str, Any] | None = None, **meta: Any) -> int:
        about = {"deadline_ms": 20_000, "call_id": "c-1", "chain": [], **meta}
        return self.request(
            "tools/call", {"name": tool, "arguments": arguments or {}, "_meta": about}
        )

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        answer = self.answer_to(self.start_call(tool, arguments))
        assert "result" in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    def data(self, tool: str, **arguments: Any) -> Any:
        """Return what the tool returned."""
        return data_of(self.call(tool, **arguments))

    def failure(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Return how the tool failed."""
        result = self.call(tool, **arguments)
        assert result["isError"] is True, result
        error: dict[str, Any] = result["_meta"]["plughost/error"]
        assert error["type"] == "tool-error"
        assert result["content"] == [{"type": "text", "text": error["message"]}]
        return error

    def misfit(self, tool: str, **arguments: Any) -> str:
        """Return why the arguments do not fit."""
        answer = self.answer_to(self.start_call(tool, arguments))
        assert answer["error"]["code"] == -32602, answer
        assert answer["error"]["data"]["type"] == "invalid-arguments"
        message: str = answer["error"]["message"]
        return message

    # -- the end ------------------------------------------------------------------------

    def close_wire(self) -> None:
        if self._write_to is not None:
            os.close(self._write_to)
            self._write_to = None

    def exit_status(self) -> int:
        return self.process.wait(PATIENCE_S)

    def leave(self) -> None:
        """Leave nothing behind, whatever happened."""
        self.close_wire()
        os.close(self._read_from)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(PATIENCE_S)


def activation(settings: Mapping[str, Any]) -> dict[str, Any]:
    limits = {"call_timeout_s": 30, "memory_mb": 256, "concurrency": 32, "max_message_mb": 4}
    return {"settings": settings, "state_namespace": "p", "limits": limits, "generation": 1}


def data_of(result: Mapping[str, Any]) -> Any:
    assert not result.get("isError"), result
    structured = result["structuredContent"]
    wrapped = result.get("_meta", {}).get("plughost/wrapped")
    return structured["result"] if wrapped else structured
