"""Play a transcript of contracts/wire/transcripts against a real plugin process.

The player is the host of the conversation: it writes the host's lines as they stand, and
compares what the plugin writes with the plugin's lines.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import attrs
from tests.conformance.matching import Bindings, fill_in, mismatch

__all__ = ["TRANSCRIPTS", "Transcript", "play", "read_transcript", "spawn"]

TRANSCRIPTS: Final = Path(__file__).parents[2] / "contracts" / "wire" / "transcripts"

# From the first byte to the last; the first Node of a cold machine takes 20 s to start.
PATIENCE_S: Final = 60.0

# Lines a plugin may write at any time: its log, and "what was that?" about noise.
_LOG: Final = "notifications/message"


@attrs.frozen(kw_only=True)
class Transcript:
    """One golden conversation.

    Attributes:
        name: The file's name without its suffix.
        head: The first line: title, about, plugin, and what it needs.
        lines: The lines after it, those of the transcript named by ``after`` first.
    """

    name: str
    head: Mapping[str, Any]
    lines: Sequence[Mapping[str, Any]]

    @property
    def needs(self) -> frozenset[str]:
        return frozenset(self.head.get("needs", ()))


def read_transcript(name: str) -> Transcript:
    text = (TRANSCRIPTS / f"{name}.jsonl").read_text(encoding="utf-8")
    # Not splitlines(): a golden line may hold U+2028.
    head, *lines = [json.loads(line) for line in text.split("\n") if line]
    if "after" in head:
        lines = [*read_transcript(head["after"]).lines, *lines]
    return Transcript(name=name, head=head, lines=lines)


@attrs.define
class Child:
    """A plugin process and our ends of its wire."""

    process: subprocess.Popen[bytes]
    to_plugin: int
    from_plugin: int
    log: Path
    deadline: float = attrs.field(factory=lambda: time.monotonic() + PATIENCE_S)
    _unread: bytes = b""

    def write(self, data: bytes) -> None:
        """Write all of *data*, however slowly the plugin reads."""
        while data:
            self._wait([], [self.to_plugin])
            try:
                data = data[os.write(self.to_plugin, data) :]
            except BrokenPipeError:
                raise AssertionError(f"the plugin closed its wire; {self.said()}") from None

    def read_frame(self) -> dict[str, Any]:
        while b"\n" not in self._unread:
            self._wait([self.from_plugin], [])
            chunk = os.read(self.from_plugin, 65536)
            assert chunk, f"the plugin closed its wire; {self.said()}"
            self._unread += chunk
        line, _, self._unread = self._unread.partition(b"\n")
        frame = json.loads(line)
        assert isinstance(frame, dict), f"the plugin wrote {frame}, which is no message"
        return frame

    def wait_exit(self) -> int:
        """Return the exit status, having read what is left on the wire."""
        while True:
            self._wait([self.from_plugin], [])
            if not os.read(self.from_plugin, 65536):
                return self.process.wait(timeout=max(0.1, self.deadline - time.monotonic()))

    def hang_up(self) -> None:
        """Close our end: the plugin reads end-of-file."""
        if self.to_plugin >= 0:
            os.close(self.to_plugin)
            self.to_plugin = -1

    def said(self) -> str:
        return f"its log:\n{self.log.read_text(encoding='utf-8', errors='replace')[-4000:]}"

    def _wait(self, readable: list[int], writable: list[int]) -> None:
        left_s = self.deadline - time.monotonic()
        ready = select.select(readable, writable, [], max(0.0, left_s))
        assert any(ready), f"nothing came for {PATIENCE_S:g} s; {self.said()}"


@contextmanager
def spawn(
    argv: Sequence[str], *, folder: Path, env: Mapping[str, str], log: Path
) -> Iterator[Child]:
    """Run *argv* with the wire on its descriptors 3 and 4 (wire §1.1) while the block runs."""
    plugin_reads, to_plugin = os.pipe()
    from_plugin, plugin_writes = os.pipe()
    # Out of the way of 3 and 4, which the child's copies will be.
    ends = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (plugin_reads, plugin_writes)]

    def wire_up() -> None:
        os.dup2(ends[0], 3)
        os.dup2(ends[1], 4)

    with log.open("wb") as sink:
        process = subprocess.Popen(
            argv,
            cwd=folder,
            env={"PATH": os.environ["PATH"], **env, "PLUGHOST_WIRE": "3,4"},
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            preexec_fn=wire_up,  # noqa: PLW1509 - safe, for no other thread runs here
            close_fds=False,  # every other descriptor of ours is close-on-exec (PEP 446)
        )
    for end in (plugin_reads, plugin_writes, *ends):
        os.close(end)
    os.set_blocking(to_plugin, False)
    child = Child(process, to_plugin, from_plugin, log)
    try:
        yield child
    finally:
        process.kill()
        process.wait()
        os.close(from_plugin)
        child.hang_up()


def play(transcript: Transcript, child: Child) -> None:
    """Hold the conversation; raise AssertionError where the plugin leaves it."""
    conversation = _Conversation(child, strict=transcript.head.get("strict", ()))
    for number, line in enumerate(transcript.lines, start=1):
        where = f"{transcript.name}, line {number} of the conversation"
        if line["from"] == "host":
            conversation.speak(line)
        elif "maybe" in line:
            conversation.maybe.append(line["maybe"])
        elif "exit" in line:
            status = child.wait_exit()
            assert status == line["exit"], f"{where}: exit status {status}; {child.said()}"
        else:
            conversation.listen(line.get("unordered") or [line["frame"]], where)


@attrs.define
class _Conversation:
    """What was said so far that matters for what may be said next."""

    child: Child
    strict: Sequence[str] = attrs.field(kw_only=True)
    maybe: list[Any] = attrs.field(factory=list)
    _bound: Bindings = attrs.field(factory=dict)

    def speak(self, line: Mapping[str, Any]) -> None:
        child = self.child
        if "frame" in line:
            frame = fill_in(line["frame"], self._bound)
            child.write(json.dumps(frame, ensure_ascii=False).encode() + b"\n")
        elif "raw" in line:
            child.write(raw_bytes(line["raw"]) + b"\n")
        elif "raw_base64" in line:
            child.write(base64.b64decode(line["raw_base64"]) + b"\n")
        else:
            assert line["end"] is True
            child.hang_up()

    def listen(self, expected: list[Any], where: str) -> None:
        """Read frames until each of *expected* has come once, in any order."""
        missing = list(expected)
        while missing:
            frame = self.child.read_frame()
            fitting = [each for each in missing if mismatch(each, frame, self._bound) is None]
            if fitting:
                missing.remove(fitting[0])
            elif not self._may_come(frame):
                why = "\n".join(str(mismatch(each, frame, self._bound)) for each in missing)
                said = self.child.said()
                raise AssertionError(f"{where}:\n{why}\nthe plugin wrote {frame}\n{said}")

    def _may_come(self, frame: Mapping[str, Any]) -> bool:
        if frame.get("method") == _LOG:
            return _LOG not in self.strict
        if "error" in frame and frame.get("id") is None:
            return True
        for each in self.maybe:
            if mismatch(each, frame, self._bound) is None:
                self.maybe.remove(each)
                return True
        return False


def raw_bytes(raw: Any) -> bytes:
    """Return the bytes of a ``raw`` line: text, ``{"repeat", "times"}``, or a list of them."""
    if isinstance(raw, list):
        return b"".join(map(raw_bytes, raw))
    text: str = raw if isinstance(raw, str) else raw["repeat"] * raw["times"]
    return text.encode()
