"""Real runner processes, a small client for their wire, and modules in WebAssembly text."""

from __future__ import annotations

import json
import os
import resource
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import extism_sys  # type: ignore[import-untyped]  # the wheel has no types
import pytest

ROOT = Path(__file__).resolve().parents[3]
RUNNER = ROOT / "runtimes" / "wasm" / "runner.py"
PACKAGES = Path(extism_sys.__file__).resolve().parents[1]

# Bounds a hang; the slowest test takes two seconds.
PATIENCE_S = 30.0

FEATURES = ["call", "state", "emit", "http", "llm"]

# What a module needs to answer: copy linear memory into an Extism block and make it the output.
PRELUDE = r"""
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "length" (func $length (param i64) (result i64)))
  (import "extism:host/env" "store_u8" (func $store (param i64 i32)))
  (import "extism:host/env" "load_u8" (func $load (param i64) (result i32)))
  (import "extism:host/env" "input_length" (func $input_length (result i64)))
  (import "extism:host/env" "input_load_u8" (func $input (param i64) (result i32)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
  (import "extism:host/env" "error_set" (func $error_set (param i64)))
"""
ROUTINES = r"""
  (func $block (param $at i32) (param $size i32) (result i64)
    (local $to i64) (local $i i32)
    (local.set $to (call $alloc (i64.extend_i32_u (local.get $size))))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $i) (local.get $size)))
      (call $store (i64.add (local.get $to) (i64.extend_i32_u (local.get $i)))
        (i32.load8_u (i32.add (local.get $at) (local.get $i))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next)))
    (local.get $to))
  (func $answer (param $at i32) (param $size i32) (result i32)
    (call $output_set (call $block (local.get $at) (local.get $size))
      (i64.extend_i32_u (local.get $size)))
    (i32.const 0))
  ;; Answers {"data": <the block at $from>}.
  (func $answer_block (param $from i64) (result i32)
    (local $to i64) (local $i i64) (local $size i64)
    (local.set $size (call $length (local.get $from)))
    (local.set $to (call $alloc (i64.add (local.get $size) (i64.const 9))))
    (drop (call $put (local.get $to) (i64.const 0x3a2261746164227b)))
    (block $done (loop $next
      (br_if $done (i64.ge_u (local.get $i) (local.get $size)))
      (call $store (i64.add (i64.add (local.get $to) (i64.const 8)) (local.get $i))
        (call $load (i64.add (local.get $from) (local.get $i))))
      (local.set $i (i64.add (local.get $i) (i64.const 1)))
      (br $next)))
    (call $store (i64.add (i64.add (local.get $to) (i64.const 8)) (local.get $size))
      (i32.const 125))
    (call $output_set (local.get $to) (i64.add (local.get $size) (i64.const 9)))
    (i32.const 0))
  (func $put (param $to i64) (param $bytes i64) (result i64)
    (local $i i64)
    (loop $next
      (call $store (i64.add (local.get $to) (local.get $i))
        (i32.wrap_i64 (i64.shr_u (local.get $bytes)
          (i64.mul (local.get $i) (i64.const 8)))))
      (local.set $i (i64.add (local.get $i) (i64.const 1)))
      (br_if $next (i64.lt_u (local.get $i) (i64.const 8))))
    (local.get $to))
  ;; The input as a block of its own.
  (func $input_block (result i64)
    (local $to i64) (local $i i64) (local $size i64)
    (local.set $size (call $input_length))
    (local.set $to (call $alloc (local.get $size)))
    (block $done (loop $next
      (br_if $done (i64.ge_u (local.get $i) (local.get $size)))
      (call $store (i64.add (local.get $to) (local.get $i)) (call $input (local.get $i)))
      (local.set $i (i64.add (local.get $i) (i64.const 1)))
      (br $next)))
    (local.get $to))
"""


class Wat:
    """Builds a module: texts in linear memory, functions that answer with them."""

    def __init__(self) -> None:
        self._texts: list[tuple[int, bytes]] = []
        self._end = 1024
        self.imports: list[str] = []
        self.parts: list[str] = []

    def text(self, value: object) -> str:
        """Put *value* into memory, JSON unless it is bytes; return its place and size as WAT."""
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        at, self._end = self._end, self._end + len(data)
        self._texts.append((at, data))
        return f"(i32.const {at}) (i32.const {len(data)})"

    def answering(self, export: str, value: object) -> Wat:
        """Export a function that answers with *value*."""
        return self.export(export, f"(call $answer {self.text(value)})")

    def export(self, name: str, body: str) -> Wat:
        """Export a function that leaves its status on the stack."""
        self.parts.append(f'(func (export "{name}") (result i32) {body})')
        return self

    def host(self, name: str) -> Wat:
        """Import one of our host functions as `$name`."""
        self.imports.append(
            f'(import "extism:host/user" "{name}" (func ${name} (param i64) (result i64)))'
        )
        return self

    def asking(self, export: str, host: str, request: object) -> Wat:
        """Export a function that answers with what the host function *host* replied."""
        self.host(host)
        return self.export(
            export, f"(call $answer_block (call ${host} (call $block {self.text(request)})))"
        )

    def source(self) -> str:
        """Return the module's text."""
        data = "\n".join(f'(data (i32.const {at}) "{_escaped(text)}")' for at, text in self._texts)
        imports = "\n".join(self.imports)
        body = "\n".join(self.parts)
        return f"(module {PRELUDE}{imports}(memory 2)\n{data}\n{ROUTINES}{body})"


def _escaped(text: bytes) -> str:
    return "".join(f"\\{byte:02x}" for byte in text)


def tool(name: str, **more: object) -> dict[str, object]:
    return {"name": name, "description": name, "inputSchema": {"type": "object"}, **more}


class Child:
    """One runner process, seen from the host's end of the wire."""

    def __init__(self, folder: Path, entry: str, *, memory_bytes: int | None = None) -> None:
        theirs_in, self._to = os.pipe()
        self._from, theirs_out = os.pipe()
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-u", RUNNER, "--packages", PACKAGES, folder, entry],
            cwd=folder,
            env={
                "PLUGHOST_WIRE": f"{theirs_in},{theirs_out}",
                "PLUGHOST_PLUGIN": "probe",
                "PLUGHOST_PLUGIN_VERSION": "1.2.3",
            },
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=(theirs_in, theirs_out),
        )
        if memory_bytes is not None:
            resource.prlimit(self.process.pid, resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
        os.close(theirs_in)
        os.close(theirs_out)
        self._buffer = b""
        self._last_id = 0
        self._answers: dict[int, dict[str, Any]] = {}
        self.notes: list[dict[str, Any]] = []
        self.asked: list[dict[str, Any]] = []
        self.replies: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {}

    def send(self, method: str, params: dict[str, Any] | None = None) -> int:
        """Send a request and return its id."""
        self._last_id += 1
        self._write({"id": self._last_id, "method": method, "params": params or {}})
        return self._last_id

    def notify(self, method: str, params: dict[str, Any]) -> None:
        self._write({"method": method, "params": params})

    def wait(self, number: int) -> dict[str, Any]:
        """Return the response to request *number*, serving the plugin's requests meanwhile."""
        until = time.monotonic() + PATIENCE_S
        while number not in self._answers:
            self._take(until)
        return self._answers.pop(number)

    def wait_for(self, seen: Callable[[], bool]) -> None:
        """Read until *seen* says that what we wait for has arrived."""
        until = time.monotonic() + PATIENCE_S
        while not seen():
            self._take(until)

    def reply(self, asked: dict[str, Any], result: dict[str, Any]) -> None:
        """Answer a request of the plugin."""
        self._write({"id": asked["id"], "result": result})

    def ask(self, method: str, params: dict[str, Any] | None = None) -> Any:
        """Send a request and return the result of its response."""
        response = self.wait(self.send(method, params))
        assert "result" in response, response
        return response["result"]

    def start(
        self, settings: dict[str, Any] | None = None, features: list[str] | None = None
    ) -> list[dict[str, Any]]:
        """Shake hands as the host does and return the tools."""
        assert "result" in self.activate(settings, features)
        tools: list[dict[str, Any]] = self.ask("tools/list")["tools"]
        return tools

    def activate(
        self, settings: dict[str, Any] | None = None, features: list[str] | None = None
    ) -> dict[str, Any]:
        """Shake hands and return the response to `plughost/activate`."""
        offered = {"version": "1.0.0", "features": FEATURES if features is None else features}
        initialize = {
            "protocolVersion": "2025-11-25",
            "capabilities": {"experimental": {"plughost": offered}},
            "clientInfo": {"name": "test", "version": "1"},
        }
        self.initialized = self.ask("initialize", initialize)
        self.notify("notifications/initialized", {})
        activate = {
            "settings": settings or {},
            "state_namespace": "probe",
            "limits": {
                "call_timeout_s": 30, "memory_mb": 256, "concurrency": 32, "max_message_mb": 4,
            },
            "generation": 1,
        }  # fmt: skip
        return self.wait(self.send("plughost/activate", activate))

    def call(self, name: str, arguments: object = None, **meta: object) -> dict[str, Any]:
        """Call a tool and return its result."""
        result: dict[str, Any] = self.ask("tools/call", self.request(name, arguments, **meta))
        return result

    def request(self, name: str, arguments: object = None, **meta: object) -> dict[str, Any]:
        about = {"deadline_ms": 20000, "call_id": "c1", "chain": [], **meta}
        return {"name": name, "arguments": arguments or {}, "_meta": about}

    def data(self, name: str, arguments: object = None, **meta: object) -> Any:
        """Call a tool and return what it returned."""
        result = self.call(name, arguments, **meta)
        assert not result.get("isError"), result
        value = result["structuredContent"]
        return value["result"] if result.get("_meta", {}).get("plughost/wrapped") else value

    def error(self, name: str, arguments: object = None, **meta: object) -> dict[str, Any]:
        """Call a tool that fails and return its `plughost/error`."""
        result = self.call(name, arguments, **meta)
        assert result["isError"] is True, result
        error: dict[str, Any] = result["_meta"]["plughost/error"]
        return error

    def hang_up(self) -> None:
        os.close(self._to)
        self._to = -1

    def ended(self) -> tuple[int, str]:
        """Wait for the process to end and return its status and its log."""
        _, log = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, log.decode()

    def close(self) -> None:
        if self._to >= 0:
            self.hang_up()
        os.close(self._from)
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate(timeout=PATIENCE_S)

    def _write(self, message: dict[str, Any]) -> None:
        os.write(self._to, json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")

    def _take(self, until: float) -> None:
        ready, _, _ = select.select([self._from], [], [], max(0.0, until - time.monotonic()))
        assert ready, "the plugin said nothing"
        chunk = os.read(self._from, 1 << 16)
        assert chunk, f"the plugin hung up: {self.ended()}"
        *lines, self._buffer = (self._buffer + chunk).split(b"\n")
        for line in lines:
            self._handle(json.loads(line))

    def _handle(self, message: dict[str, Any]) -> None:
        if "method" not in message:
            self._answers[message["id"]] = message
        elif "id" not in message:
            self.notes.append(message)
        else:
            self.asked.append(message)
            reply = self.replies.get(message["method"])
            if reply is not None:
                self._write({"id": message["id"], **reply(message["params"])})


@pytest.fixture
def wat() -> type[Wat]:
    return Wat


@pytest.fixture
def listed() -> Callable[..., dict[str, object]]:
    return tool


@pytest.fixture
def spawn(tmp_path: Path) -> Iterator[Callable[..., Child]]:
    """Start the runner with a module: text, bytes, or a `Wat`."""
    children: list[Child] = []

    def start(module: str | bytes | Wat, entry: str = "main.wat", **more: Any) -> Child:
        text = module.source() if isinstance(module, Wat) else module
        data = text.encode() if isinstance(text, str) else text
        (tmp_path / entry).write_bytes(data)
        children.append(Child(tmp_path, entry, **more))
        return children[-1]

    yield start
    for child in children:
        child.close()
