"""The checksums plugin, through its real runner: known vectors, the standard library, a rebuild."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import re
import select
import shutil
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import extism_sys  # type: ignore[import-untyped]  # the wheel has no types
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[2]
PLUGIN = ROOT / "plugins" / "checksums"
RUNNER = ROOT / "runtimes" / "wasm" / "runner.py"
PACKAGES = Path(extism_sys.__file__).resolve().parents[1]

# Bounds a hang; a call takes a millisecond.
PATIENCE_S = 30.0

# The sanity buffer of xxHash's own tests (xxHash, tests/sanity_test.c: a multiplicative generator
# with PRIME32 as seed and PRIME64 as factor), and the XXH64 of its first bytes from
# tests/sanity_test_vectors.h: length, seed, hash.
PRIME32 = 2654435761
PRIME64 = 11400714785074694797
XXH64_VECTORS = [
    (0, 0, 0xEF46DB3751D8E999),
    (0, PRIME32, 0xAC75FDA2929B17EF),
    (1, 0, 0xE934A84ADB052768),
    (1, PRIME32, 0x5014607643A9B4C3),
    (4, 0, 0x9136A0DCA57457EE),
    (14, 0, 0x8282DCC4994E35C8),
    (14, PRIME32, 0xC3BD6BF63DEB6DF0),
    (222, 0, 0xB641AE8CB691C174),
    (222, PRIME32, 0x20CB8AB7AE10C14A),
]


class Plugin:
    """The running plugin."""

    def __init__(self) -> None:
        theirs_in, self._to = os.pipe()
        self._from, theirs_out = os.pipe()
        runner = [sys.executable, "-I", "-S", "-u", str(RUNNER), "--packages", str(PACKAGES)]
        self.process = subprocess.Popen(
            [*runner, str(PLUGIN), "checksums.wasm"],
            cwd=PLUGIN,
            env={"PLUGHOST_WIRE": f"{theirs_in},{theirs_out}"},
            stdin=subprocess.DEVNULL,
            pass_fds=(theirs_in, theirs_out),
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._number = 0
        self._buffer = b""
        extensions = {"experimental": {"plughost": {"version": "1.0.0", "features": []}}}
        self.ask(
            "initialize",
            protocolVersion="2025-11-25",
            capabilities=extensions,
            clientInfo={"name": "test", "version": "1"},
        )
        limits = {"call_timeout_s": 10, "memory_mb": 256, "concurrency": 32, "max_message_mb": 4}
        self.ask("plughost/activate", settings={}, state_namespace="n", limits=limits, generation=1)
        self.tools = self.ask("tools/list")["tools"]

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        answer = self.answer(method, **params)
        assert "result" in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    def answer(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        message = {"jsonrpc": "2.0", "id": self._number, "method": method, "params": params}
        data = json.dumps(message).encode() + b"\n"
        while data:
            data = data[os.write(self._to, data) :]
        while b"\n" not in self._buffer:
            assert select.select([self._from], [], [], PATIENCE_S)[0], "the plugin said nothing"
            chunk = os.read(self._from, 1 << 16)
            assert chunk, "the plugin hung up"
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        about = {"deadline_ms": 10000, "call_id": "c", "chain": []}
        return self.ask("tools/call", name=tool, arguments=arguments, _meta=about)

    def data(self, tool: str, **arguments: Any) -> dict[str, Any]:
        result = self.call(tool, **arguments)
        assert not result.get("isError"), result
        data: dict[str, Any] = result["structuredContent"]
        return data

    def refusal(self, tool: str, **arguments: Any) -> str:
        result = self.call(tool, **arguments)
        assert result["isError"] is True, result
        error = result["_meta"]["plughost/error"]
        assert error["details"]["exception"] == "invalid-arguments"
        message: str = error["message"]
        return message

    def close(self) -> None:
        os.close(self._to)
        os.close(self._from)
        self.process.wait(PATIENCE_S)


@pytest.fixture(scope="module")
def plugin() -> Iterator[Plugin]:
    plugin = Plugin()
    yield plugin
    plugin.close()


def sanity_buffer(size: int) -> bytes:
    state = PRIME32
    data = bytearray()
    for _ in range(size):
        data.append(state >> 56)
        state = state * PRIME64 % 2**64
    return bytes(data)


@pytest.mark.parametrize(("size", "seed", "expected"), XXH64_VECTORS)
def test_xxhash64_agrees_with_the_vectors_of_its_authors(
    plugin: Plugin, size: int, seed: int, expected: int
) -> None:
    data = plugin.data("xxhash64", hex=sanity_buffer(size).hex(), seed=seed)
    assert data == {"algorithm": "xxhash64", "hex": f"{expected:016x}", "bytes": size}


@pytest.mark.parametrize(
    ("text", "crc32", "sha256"),
    [
        ("", "00000000", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "352441c2", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "171a3f5f",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
        ),
    ],
)
def test_crc32_and_sha256_agree_with_published_vectors(
    plugin: Plugin, text: str, crc32: str, sha256: str
) -> None:
    assert plugin.data("crc32", text=text)["hex"] == crc32
    assert plugin.data("sha256", text=text)["hex"] == sha256


# No deadline: the machine may be busy; the plugin's own calls are bounded.
@settings(deadline=None, max_examples=60)
@given(data=st.binary(max_size=400))
def test_any_bytes_hash_as_in_the_standard_library(plugin: Plugin, data: bytes) -> None:
    hashes = plugin.data("all", base64=base64.b64encode(data).decode())
    assert hashes["crc32"] == f"{zlib.crc32(data):08x}"
    assert hashes["sha256"] == hashlib.sha256(data).hexdigest()
    assert hashes["bytes"] == len(data)
    assert plugin.data("all", hex=data.hex()) == hashes


@settings(deadline=None, max_examples=60)
@given(text=st.text(max_size=200))
def test_text_is_hashed_as_utf8_whatever_json_escapes_it_needs(plugin: Plugin, text: str) -> None:
    data = text.encode()
    assert plugin.data("sha256", text=text) == {
        "algorithm": "sha256",
        "hex": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
    }


@settings(deadline=None, max_examples=30)
@given(junk=st.text(alphabet="ABZaz019+/=-_ \n", max_size=12))
def test_base64_is_accepted_exactly_where_a_strict_decoder_accepts_it(
    plugin: Plugin, junk: str
) -> None:
    try:
        data: bytes | None = binascii.a2b_base64(junk, strict_mode=True)
    except binascii.Error:
        data = None
    if data is None or base64.b64encode(data).decode() != junk:
        assert "`base64`" in plugin.refusal("crc32", base64=junk)
    else:
        assert plugin.data("crc32", base64=junk)["hex"] == f"{zlib.crc32(data):08x}"


def test_a_large_text_at_the_edges_of_blocks_and_messages(plugin: Plugin) -> None:
    for size in (55, 56, 63, 64, 65, 3_900_000):
        text = "a" * size
        hashes = plugin.data("all", text=text)
        assert hashes["sha256"] == hashlib.sha256(text.encode()).hexdigest()
        assert hashes["crc32"] == f"{zlib.crc32(text.encode()):08x}"


def test_a_seed_may_be_as_large_as_64_bits_and_may_come_as_text(plugin: Plugin) -> None:
    largest = 2**64 - 1
    assert (
        plugin.data("xxhash64", text="x", seed=largest)
        == plugin.data("xxhash64", text="x", seed=str(largest))
        != plugin.data("xxhash64", text="x")
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "give the bytes to hash as one of `text`, `base64` or `hex`"),
        ({"text": "", "hex": ""}, "`text` and `hex` are both given; give one of them"),
        ({"hex": "abc"}, "`hex` has 3 digits; two make a byte"),
        ({"hex": "0g"}, "`hex` has something else than a hex digit at position 1"),
        ({"base64": "YQ"}, "`base64` has 2 characters, not a multiple of 4"),
        ({"base64": "YR=="}, "`base64` ends with bits that are not part of a byte"),
        ({"text": "x", "seed": -1}, "`seed` must be an integer from 0 to 18446744073709551615"),
        ({"text": "x", "seed": 1.5}, "`seed` must be an integer from 0 to 18446744073709551615"),
        (
            {"text": "x", "seed": str(2**64)},
            "`seed` must be an integer from 0 to 18446744073709551615",
        ),
    ],
)
def test_arguments_that_mean_nothing_are_explained(
    plugin: Plugin, arguments: dict[str, object], message: str
) -> None:
    assert plugin.refusal("xxhash64", **arguments) == message


@pytest.mark.parametrize(
    ("tool", "arguments", "message"),
    [
        ("sha256", {"text": 1}, "arguments.text: an integer, not string"),
        ("sha256", {"file": "x"}, "arguments.file: unknown"),
        ("crc32", {"text": "x", "seed": 0}, "arguments.seed: unknown"),
    ],
)
def test_arguments_that_miss_the_schema_do_not_reach_the_plugin(
    plugin: Plugin, tool: str, arguments: dict[str, object], message: str
) -> None:
    answer = plugin.answer("tools/call", name=tool, arguments=arguments)
    assert answer["error"]["data"]["type"] == "invalid-arguments"
    assert message in answer["error"]["message"]


def test_every_tool_describes_its_input_and_output(plugin: Plugin) -> None:
    assert [tool["name"] for tool in plugin.tools] == ["crc32", "xxhash64", "sha256", "all"]
    for tool in plugin.tools:
        assert tool["annotations"]["idempotentHint"] is True
        assert tool["inputSchema"]["additionalProperties"] is False
        data = plugin.data(tool["name"], text="x")
        assert sorted(data) == sorted(tool["outputSchema"]["required"])
        for name, schema in tool["outputSchema"]["properties"].items():
            if "pattern" in schema:
                assert re.fullmatch(schema["pattern"], data[name])


def test_the_readme_shows_what_the_plugin_answers(plugin: Plugin) -> None:
    readme = (PLUGIN / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"^\$ plughost call checksums (\w+) (.*)\n(\{.*\})$", readme, re.MULTILINE)
    assert len(shown) >= 3
    for tool, arguments, answer in shown:
        given_ = dict(pair.split("=", 1) for pair in arguments.replace("'", "").split())
        assert plugin.data(tool, **given_) == json.loads(answer)


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
def test_building_the_source_again_gives_the_same_bytes(tmp_path: Path) -> None:
    copy = tmp_path / "checksums"
    shutil.copytree(PLUGIN, copy, ignore=shutil.ignore_patterns("node_modules", "*.wasm"))
    for command in (["npm", "ci", "--no-audit", "--no-fund"], ["npm", "run", "build"]):
        done = subprocess.run(command, cwd=copy, capture_output=True, encoding="utf-8", check=False)
        if command[1] == "ci" and done.returncode and "network" in done.stderr:
            pytest.skip("the package registry is out of reach")
        assert done.returncode == 0, done.stderr
    assert (copy / "checksums.wasm").read_bytes() == (PLUGIN / "checksums.wasm").read_bytes()
