"""The plugin's side of a transcript: given lines are written, the host's are checked.

Run by a host as an `exec` plugin, its wire on descriptors 0 and 1.  What it found is written
as one JSON object to the report; after that it is polite, so that the host can end as usual.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import attrs
from tests.conformance.matching import Bindings, fill_in, mismatch
from tests.conformance.player import raw_bytes

__all__ = ["Script", "main", "read_script"]

# Tools the transcripts' plugin has; what they take is not the point here.
_TOOLS: Final = [
    {"name": name, "description": f"Does {name}.", "inputSchema": {"type": "object"}}
    for name in ("echo", "add", "fail")
]

# Sent after the last line, one after the other: what the host says because of the lines before
# comes first.  Twice, because requests may be answered in any order.
_FENCES: Final = ("fence-1", "fence-2")


@attrs.frozen
class Script:
    """A transcript as it is written, without the one it is played after."""

    head: Mapping[str, Any]
    lines: Sequence[Mapping[str, Any]]


class HostLeftError(Exception):
    """The host said something else than the transcript, or closed the wire."""


def read_script(path: Path) -> Script:
    # Not splitlines(): a golden line may hold U+2028.
    head, *lines = [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]
    return Script(head, lines)


def main(transcript: str, report: str) -> None:
    """Play *transcript* and write ``{"problem": null or text}`` to *report*."""
    # Open from the beginning: a plugin that dies is an end of file, not a wait.
    with Path(report).open("w", encoding="utf-8") as sink:
        problem = None
        try:
            _play(read_script(Path(transcript)))
        except HostLeftError as error:
            problem = str(error)
        json.dump({"problem": problem}, sink)
    if problem is None:
        _serve(until="plughost/shutdown")


def _play(script: Script) -> None:
    bound: Bindings = {}
    if "after" in script.head:
        assert script.head["after"] == "handshake"
        _serve(until="tools/list")
    for number, line in enumerate(script.lines, start=2):
        if line["from"] == "plugin":
            _write(_given(line, bound))
        else:
            _check(line["frame"], bound, f"line {number}")
    for fence in _FENCES:
        _say({"jsonrpc": "2.0", "id": fence, "method": "ping"})
        _check({"jsonrpc": "2.0", "id": fence, "result": {}}, bound, "after the last line")


def _check(golden: Any, bound: Bindings, where: str) -> None:
    frame = _read()
    while "error" in frame and frame.get("id") is None:  # answers noise, at any time
        frame = _read()
    problem = mismatch(golden, frame, bound)
    if problem:
        raise HostLeftError(f"{where}: {problem}; the host wrote {json.dumps(frame)[:2000]}")


def _given(line: Mapping[str, Any], bound: Bindings) -> bytes:
    if "raw" in line:
        return raw_bytes(line["raw"])
    if "raw_base64" in line:
        return base64.b64decode(line["raw_base64"])
    return json.dumps(fill_in(line["frame"], bound), ensure_ascii=False).encode()


def _serve(*, until: str) -> None:
    """Answer every request as the plugin of `handshake` would, up to the first *until*."""
    while True:
        request = _read()
        if "method" not in request or "id" not in request:
            continue
        result: Mapping[str, Any] = {}
        if request["method"] == "initialize":
            result = {
                "protocolVersion": "2025-11-25",
                "capabilities": {
                    "tools": {"listChanged": True},
                    "logging": {},
                    "experimental": {"plughost": {"version": "1.0.0", "features": []}},
                },
                "serverInfo": {"name": "conformance", "version": "1.0.0"},
            }
        elif request["method"] == "tools/list":
            result = {"tools": _TOOLS}
        _say({"jsonrpc": "2.0", "id": request["id"], "result": result})
        if request["method"] == until:
            return


def _read() -> dict[str, Any]:
    line = sys.stdin.buffer.readline()
    if not line:
        raise HostLeftError("the host closed the wire")
    frame = json.loads(line)
    if not isinstance(frame, dict):
        raise HostLeftError(f"the host wrote {frame}, which is no message")
    return frame


def _say(frame: Mapping[str, Any]) -> None:
    _write(json.dumps(frame).encode())


def _write(line: bytes) -> None:
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()
