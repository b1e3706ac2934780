"""A host of a few lines: it speaks the wire to a program on its descriptors 0 and 1."""

from __future__ import annotations

import json
import os
import select
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

EXAMPLE = Path(__file__).parents[3] / "runtimes" / "exec" / "example"

# A cold awk on a loaded machine; only a hang takes as long.
PATIENCE_S = 30.0


class Peer:
    """The example plugin as a child process."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            ["sh", "main.sh"],
            cwd=EXAMPLE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        self._pending = b""

    def write(self, line: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + b"\n")

    def read(self) -> Any:
        assert self.process.stdout is not None
        while b"\n" not in self._pending:
            readable, _, _ = select.select([self.process.stdout], [], [], PATIENCE_S)
            assert readable, "no answer"
            data = os.read(self.process.stdout.fileno(), 65536)
            assert data, "the plugin ended"
            self._pending += data
        line, _, self._pending = self._pending.partition(b"\n")
        return json.loads(line)

    def ask(self, method: str, params: dict[str, Any] | None = None, *, id: Any = 1) -> Any:  # noqa: A002 - the wire's name
        message = {"jsonrpc": "2.0", "id": id, "method": method, "params": params or {}}
        self.write(json.dumps(message).encode())
        return self.read()

    def end(self) -> tuple[int, str]:
        """Close the wire; return the exit status and the log."""
        _, log = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, log.decode()


@pytest.fixture
def peer() -> Iterator[Peer]:
    peer = Peer()
    with peer.process:
        yield peer
        if peer.process.returncode is None:
            peer.process.kill()
