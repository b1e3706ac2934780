"""Throws random and mutated bytes at the session, by hand: `python tests/protocol/fuzz.py 250000`.

What broke is kept as a case in test_messages.py and test_session.py; a run
prints how many inputs it tried and how many events of each kind came out.
"""

from __future__ import annotations

import json
import random
import sys
from collections import Counter
from pathlib import Path

from plughost.protocol.session import Answer, Ask, Malformed, Noise, Session, Stray, Tell, TooLong

SEEDS = [
    {"jsonrpc": "2.0", "id": 2, "result": {"content": [], "structuredContent": {"a": [1, 2.5]}}},
    {"jsonrpc": "2.0", "id": 2, "error": {"code": -32602, "message": "x", "data": {"type": "y"}}},
    {"jsonrpc": "2.0", "id": "q", "method": "plughost/call", "params": {"plugin": "a"}},
    {"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": 2}},
    {"jsonrpc": "2.0", "method": "notifications/message", "params": {"data": "\u00e9\U0001f600"}},
]
TOKENS = [
    b"{", b"}", b"[", b"]", b'"', b"\\", b"\n", b"\r\n", b"\x00", b"\xff", b"\xed\xa0\x80", b"NaN",
    b"1e999", b"-0", b"9" * 400, b'"id":', b'"method":', b'"result":', b'"jsonrpc":"2.0"', b"null",
    b"\\ud800", b"{" * 70, b"[" * 2000, b"true", b",", b":",
]  # fmt: skip


def mutate(line: bytes, luck: random.Random) -> bytes:
    data = bytearray(line)
    for _ in range(luck.choice([0, 1, 1, 2, 6])):
        at = luck.randrange(len(data) + 1)
        action = luck.randrange(5)
        if action == 0:
            data[at:at] = luck.choice(TOKENS)
        elif action == 1:
            del data[at : at + luck.randint(1, 12)]
        elif action == 2:
            data[at : at + 1] = bytes([luck.randrange(256)])
        elif action == 3:
            data[at:at] = data[: luck.randrange(len(data) + 1)]
        else:
            data = data[:at]
    return bytes(data)


def one(luck: random.Random, seeds: list[bytes]) -> Counter[str]:
    session = Session(max_message_bytes=luck.choice([64, 512, 1 << 20]))
    opened, _ = session.request("initialize")
    session.receive(b'{"jsonrpc":"2.0","id":%d,"result":{}}\n' % opened)
    session.step_ready()
    session.request("tools/call")
    if luck.random() < 0.2:
        data = luck.randbytes(luck.randrange(300))
    else:
        lines = [mutate(luck.choice(seeds), luck) for _ in range(luck.randint(1, 3))]
        data = luck.choice([b"\n", b"\n", b"\n", b""]).join([*lines, b""])
    found: Counter[str] = Counter()
    while data:
        size = luck.randint(1, len(data))
        for event in session.receive(data[:size]):
            assert isinstance(event, (Answer, Ask, Tell, Malformed, Noise, Stray, TooLong))
            found[type(event).__name__] += 1
        data = data[size:]
    for refusal in bytes(session.to_send).splitlines():
        json.loads(refusal)
    return found


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    luck = random.Random(20261120)
    folder = Path(__file__).parents[2] / "contracts" / "wire" / "transcripts"
    seeds = [json.dumps(each).encode() for each in SEEDS]
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_bytes().splitlines():
            frame = json.loads(line).get("frame")
            seeds += [json.dumps(frame).encode()] if frame is not None else []
    total: Counter[str] = Counter()
    for _ in range(count):
        total += one(luck, seeds)
    print(f"{count} inputs, nothing raised; events: {dict(total)}")


if __name__ == "__main__":
    main()
