"""disk-usage measures what is there, whatever it is called, and stays responsive meanwhile."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

PLUGIN = Path(__file__).parents[2] / "plugins" / "disk-usage"

# Cold shells on a loaded machine; only a hang takes as long.
PATIENCE_S = 30.0

EXTENDED = {"experimental": {"plughost": {"version": "1.0.0", "features": ["call"]}}}
STATELESS = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}

# Stands for a walk that takes long: it says what it found so far, tells the test that
# it runs by opening a named pipe, and ends only when it is killed.
ENDLESS_FIND = r"""#!/bin/sh
exec 9>"$PROBE"
printf 'd 0 8 4096 2 1:1 \0'
exec sleep 1000
"""

# Stands for a tree of 50 000 files.
MANY_FILES_FIND = r"""#!/bin/sh
exec awk 'BEGIN {
    printf "d 0 8 4096 2 1:1 %c", 0
    for (i = 1; i <= 50000; i++) printf "f 1 8 %d 1 1:%d name %d%c", i, i + 1, i, 0
}'
"""


class Plugin:
    """disk-usage as a child process, spoken to on its descriptors 0 and 1."""

    def __init__(self, folder: Path, env: dict[str, str], user: int | None) -> None:
        self.process = subprocess.Popen(
            ["sh", "main.sh"],
            cwd=folder,
            env={"PATH": os.environ["PATH"], **env},
            user=user,
            start_new_session=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        self._pending = b""
        self._id = 0

    def write(self, message: dict[str, Any] | bytes) -> None:
        assert self.process.stdin is not None
        line = message if isinstance(message, bytes) else json.dumps(message).encode()
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

    def send(self, method: str, params: dict[str, Any] | None = None) -> int:
        self._id += 1
        self.write({"jsonrpc": "2.0", "id": self._id, "method": method, "params": params or {}})
        return self._id

    def notify(self, method: str, params: dict[str, Any]) -> None:
        self.write({"jsonrpc": "2.0", "method": method, "params": params})

    def ask(self, method: str, params: dict[str, Any] | None = None) -> Any:
        sent = self.send(method, params)
        answer = self.read()
        assert answer["id"] == sent
        return answer

    def greet(self, capabilities: dict[str, Any] = EXTENDED) -> Any:
        params = {"protocolVersion": "2025-11-25", "capabilities": capabilities, "clientInfo": {}}
        return self.ask("initialize", params)

    def call(self, tool: str, **arguments: Any) -> Any:
        return self.ask("tools/call", {"name": tool, "arguments": arguments})

    def measure(self, tool: str, **arguments: Any) -> Any:
        result = self.call(tool, **arguments)["result"]
        assert not result.get("isError"), result
        return result["structuredContent"]

    def fail(self, tool: str, **arguments: Any) -> str:
        result = self.call(tool, **arguments)["result"]
        assert result["isError"] is True
        error = result["_meta"]["plughost/error"]
        assert error["type"] == "tool-error"
        assert result["content"] == [{"type": "text", "text": error["message"]}]
        return str(error["message"])

    def close(self) -> int:
        assert self.process.stdin is not None
        if not self.process.stdin.closed:
            self.process.stdin.close()
        return self.process.wait(PATIENCE_S)


@contextlib.contextmanager
def started(
    folder: Path = PLUGIN, env: dict[str, str] | None = None, user: int | None = None
) -> Iterator[Plugin]:
    plugin = Plugin(folder, env or {}, user)
    with plugin.process:
        try:
            yield plugin
        finally:
            # The end of the wire, and no signal: it ends the walks as well.
            try:
                plugin.close()
            finally:
                # What a failed test may have left; a group is gone with its last process.
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(plugin.process.pid, signal.SIGKILL)


@pytest.fixture
def plugin() -> Iterator[Plugin]:
    with started() as plugin:
        plugin.greet()
        yield plugin


@pytest.fixture
def probe(tmp_path: Path) -> Iterator[int]:
    """A named pipe; it reports end-of-file when the last process that holds it is gone."""
    os.mkfifo(tmp_path / "probe")
    descriptor = os.open(tmp_path / "probe", os.O_RDONLY | os.O_NONBLOCK)
    yield descriptor
    os.close(descriptor)


def endless_find(tmp_path: Path, source: str = ENDLESS_FIND) -> dict[str, str]:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "find").write_text(source, encoding="utf-8")
    (programs / "find").chmod(0o755)
    return {"PATH": f"{programs}:{os.environ['PATH']}", "PROBE": str(tmp_path / "probe")}


def wait_until_walking(probe: int) -> None:
    """Return once the walk holds the pipe: only then does poll() stay silent."""
    poller = select.poll()
    poller.register(probe, select.POLLIN)
    # Before the first writer there is nothing to poll for, and after the last one
    # there is POLLHUP; a writer that writes nothing is seen by neither, so ask /proc.
    while not _held_by_others(probe):
        poller.poll(5)


def _held_by_others(probe: int) -> bool:
    inode = os.fstat(probe).st_ino
    for process in Path("/proc").iterdir():
        if not process.name.isdigit() or int(process.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            for descriptor in (process / "fd").iterdir():
                with contextlib.suppress(OSError):
                    if descriptor.stat().st_ino == inode:
                        return True
    return False


def wait_until_dead(probe: int) -> None:
    poller = select.poll()
    poller.register(probe, select.POLLIN)
    events = poller.poll(PATIENCE_S * 1000)
    assert events
    assert events[0][1] & select.POLLHUP


def sizes(root: Path) -> tuple[int, int]:
    """What a tree allocates and how long its files are, each inode once."""
    seen = {}
    for path in [root, *root.rglob("*")]:
        status = path.lstat()
        seen[status.st_ino] = (status.st_blocks * 512, status.st_size)
    return sum(a for a, _ in seen.values()), sum(b for _, b in seen.values())


# --- the handshake and the tools ---


def test_with_our_extensions_it_names_them_and_answers_activate() -> None:
    with started() as plugin:
        hello = plugin.greet()["result"]

        assert hello["capabilities"]["experimental"]["plughost"] == {
            "version": "1.0.0",
            "features": [],
        }
        assert hello["serverInfo"] == {"name": "disk-usage", "version": "1.0.0"}
        assert plugin.ask("plughost/activate", {"settings": {}, "generation": 1})["result"] == {}
        assert plugin.ask("logging/setLevel", {"level": "info"})["result"] == {}


def test_to_a_plain_client_it_is_a_plain_server_with_text_blocks(tmp_path: Path) -> None:
    with started() as plugin:
        hello = plugin.greet({})["result"]
        result = plugin.call("usage", path=str(tmp_path))["result"]

        assert "experimental" not in hello["capabilities"]
        assert json.loads(result["content"][0]["text"]) == result["structuredContent"]


def test_another_major_version_is_refused_with_both_names() -> None:
    with started() as plugin:
        answer = plugin.greet({"experimental": {"plughost": {"version": "2.1.0", "features": []}}})

        assert answer["error"]["code"] == -32602
        assert "2.1.0" in answer["error"]["message"]
        assert "1.0.0" in answer["error"]["message"]


def test_an_unknown_revision_is_answered_with_the_newest(plugin: Plugin) -> None:
    answer = plugin.ask("initialize", {"protocolVersion": "1999-01-01", "capabilities": {}})

    assert answer["result"]["protocolVersion"] == "2025-11-25"


def test_the_stateless_revision_needs_no_handshake(tmp_path: Path) -> None:
    with started() as plugin:
        found = plugin.ask("server/discover", {"_meta": STATELESS})["result"]
        listed = plugin.ask("tools/list", {"_meta": STATELESS})["result"]
        arguments = {"name": "usage", "arguments": {"path": str(tmp_path)}, "_meta": STATELESS}
        called = plugin.ask("tools/call", arguments)["result"]

        assert found["supportedVersions"] == ["2026-07-28"]
        assert found["resultType"] == listed["resultType"] == called["resultType"] == "complete"
        assert (listed["ttlMs"], listed["cacheScope"]) == (0, "private")
        assert json.loads(called["content"][0]["text"]) == called["structuredContent"]


def test_the_stateless_revision_asks_for_capabilities_and_its_own_version() -> None:
    key = "io.modelcontextprotocol/protocolVersion"
    with started() as plugin:
        bare = plugin.ask("tools/list", {"_meta": {key: "2026-07-28"}})["error"]
        future = plugin.ask("tools/list", {"_meta": {**STATELESS, key: "2031-01-01"}})["error"]

        assert bare["code"] == -32602
        assert future["code"] == -32022
        assert future["data"] == {"supported": ["2026-07-28"], "requested": "2031-01-01"}


def test_every_tool_has_a_schema_that_a_validator_accepts(plugin: Plugin) -> None:
    tools = plugin.ask("tools/list")["result"]["tools"]

    assert [tool["name"] for tool in tools] == ["usage", "largest", "free"]
    for tool in tools:
        jsonschema.Draft202012Validator.check_schema(tool["inputSchema"])
        assert tool["description"]
    check = jsonschema.Draft202012Validator(tools[0]["inputSchema"])
    assert check.is_valid({"path": "/", "depth": 5, "top": 1, "cross_filesystems": True})
    assert not check.is_valid({"path": "/", "depth": 6})
    assert not check.is_valid({})


# --- what it measures ---


def test_usage_counts_what_du_and_stat_count(plugin: Plugin, tmp_path: Path) -> None:
    (tmp_path / "big").mkdir()
    (tmp_path / "big" / "a").write_bytes(os.urandom(300_000))
    (tmp_path / "big" / "deep").mkdir()
    (tmp_path / "big" / "deep" / "b").write_bytes(b"x" * 5000)
    (tmp_path / "small").write_bytes(b"x")
    with (tmp_path / "sparse").open("wb") as sparse:
        sparse.truncate(10_000_000)
    (tmp_path / "link").symlink_to("big")

    found = plugin.measure("usage", path=str(tmp_path))

    counted = subprocess.run(
        ["du", "-s", "-x", "-B1", str(tmp_path)], check=True, capture_output=True, encoding="utf-8"
    ).stdout
    assert found["bytes"] == int(counted.split("\t")[0])
    assert (found["bytes"], found["apparent_bytes"]) == sizes(tmp_path)
    assert (found["files"], found["folders"]) == (5, 3)
    entries = {Path(e["path"]).name: e for e in found["entries"]}
    assert next(iter(entries)) == "big"
    assert (entries["big"]["type"], entries["big"]["files"]) == ("folder", 2)
    assert entries["link"]["type"] == "link"
    assert entries["sparse"]["apparent_bytes"] == 10_000_000
    assert [e["bytes"] for e in found["entries"]] == sorted(
        (e["bytes"] for e in found["entries"]), reverse=True
    )


def test_depth_and_top_choose_the_entries(plugin: Plugin, tmp_path: Path) -> None:
    for name in ("a/b/c", "d/e"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "file").write_bytes(b"x" * 4096)

    none = plugin.measure("usage", path=str(tmp_path), depth=0)
    two = plugin.measure("usage", path=str(tmp_path) + "/", depth=2)
    first = plugin.measure("usage", path=str(tmp_path), depth=2, top=1)

    assert none["entries"] == []
    assert [e["path"][len(str(tmp_path)) :] for e in two["entries"]] == ["/a", "/a/b", "/d", "/d/e"]
    assert [e["path"] for e in first["entries"]] == [str(tmp_path / "a")]
    assert first["entries_left_out"] == 3


def test_a_file_with_two_names_counts_once(plugin: Plugin, tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"x" * 100_000)
    os.link(tmp_path / "one", tmp_path / "two")

    found = plugin.measure("usage", path=str(tmp_path))

    assert (found["bytes"], found["apparent_bytes"]) == sizes(tmp_path)
    assert (found["files"], found["links_left_out"]) == (1, 1)


def test_a_link_is_followed_only_where_it_is_the_path_itself(
    plugin: Plugin, tmp_path: Path
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "file").write_bytes(b"x" * 50_000)
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "to-real").symlink_to("../real")

    direct = plugin.measure("usage", path=str(tmp_path / "links" / "to-real"))
    around = plugin.measure("usage", path=str(tmp_path / "links"))

    assert direct["apparent_bytes"] >= 50_000
    assert around["apparent_bytes"] < 50_000


def test_a_single_file_is_measured_as_itself(plugin: Plugin, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 1234)

    found = plugin.measure("usage", path=str(tmp_path / "file"))
    listed = plugin.measure("largest", path=str(tmp_path / "file"))

    assert (found["apparent_bytes"], found["files"], found["entries"]) == (1234, 1, [])
    assert [f["path"] for f in listed["largest"]] == [str(tmp_path / "file")]


def test_largest_lists_files_by_size_and_then_by_name(plugin: Plugin, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for name, size in (("folder/x", 9000), ("b", 5000), ("a", 5000), ("c", 1)):
        (tmp_path / name).write_bytes(b"x" * size)

    found = plugin.measure("largest", path=str(tmp_path), top=3)

    assert [f["path"] for f in found["largest"]] == [
        str(tmp_path / name) for name in ("folder/x", "a", "b")
    ]
    assert found["files"] == 4


def test_free_reports_what_statvfs_reports(plugin: Plugin, tmp_path: Path) -> None:
    found = plugin.measure("free", path=str(tmp_path))

    status = os.statvfs(tmp_path)
    assert found["size_bytes"] == status.f_blocks * status.f_frsize
    assert found["inodes"]["total"] in (status.f_files, None)
    assert 0 <= found["used_percent"] <= 100
    assert os.path.ismount(found["mount"])
    assert str(tmp_path).startswith(found["mount"])


# --- names ---

ODD_NAMES = [
    b"two words",
    b" leading and trailing ",
    b"quote\"s and 'apostrophes'",
    b"back\\slash \\n \\0101 %s %b",
    b"line\nbreak\n",
    b"tab\tand \x01 control \x7f",
    b"-n",
    b"--help",
    b"$(touch pwned)`touch pwned`;touch pwned|&",
    b"* ? [a-z]",
    b"!not|a|failure",
    "Tromsø 日本 😀 \u2028".encode(),
]


@pytest.mark.parametrize("name", ODD_NAMES)
@pytest.mark.parametrize("escaped", [True, False])
def test_a_folder_of_any_name_is_found_and_shown_as_it_is_called(
    plugin: Plugin, tmp_path: Path, name: bytes, escaped: bool
) -> None:
    folder = tmp_path / os.fsdecode(name)
    folder.mkdir()
    (folder / os.fsdecode(name)).write_bytes(b"x" * 10)
    request = {"jsonrpc": "2.0", "id": "n", "method": "tools/call"}
    request["params"] = {"name": "usage", "arguments": {"path": str(folder)}}  # type: ignore[assignment]  # a message mixes types

    plugin.write(json.dumps(request, ensure_ascii=escaped).encode())
    found = plugin.read()["result"]["structuredContent"]

    assert found["path"] == str(folder)
    assert [e["path"] for e in found["entries"]] == [str(folder / os.fsdecode(name))]
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]
    assert not (PLUGIN / "pwned").exists()


def test_a_relative_path_that_looks_like_an_option_is_a_path(tmp_path: Path) -> None:
    copy = tmp_path / "plugin"
    shutil.copytree(PLUGIN, copy)
    (copy / "-delete").mkdir()
    (copy / "-delete" / "file").write_bytes(b"x")
    with started(copy) as plugin:
        plugin.greet()

        found = plugin.measure("usage", path="-delete")
        free = plugin.measure("free", path="-delete")

    assert [e["path"] for e in found["entries"]] == ["-delete/file"]
    assert free["size_bytes"] > 0


def test_a_name_that_is_not_utf8_is_shown_with_a_replacement_and_marked(
    plugin: Plugin, tmp_path: Path
) -> None:
    for name in (b"caf\xe9", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"caf\xc3\xa9"):
        (Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))).write_bytes(b"x")

    entries = plugin.measure("usage", path=str(tmp_path))["entries"]

    shown = {Path(e["path"]).name: e.get("lossy", False) for e in entries}
    assert shown == {"caf\ufffd": True, "\ufffd" * 3: True, "\ufffd" * 4: True, "café": False}


# --- what goes wrong ---


def test_a_missing_path_says_what_where_and_what_next(plugin: Plugin, tmp_path: Path) -> None:
    (tmp_path / "dangling").symlink_to("nothing")

    missing = plugin.fail("usage", path=str(tmp_path / "missing"))
    dangling = plugin.fail("largest", path=str(tmp_path / "dangling"))
    nowhere = plugin.fail("free", path=str(tmp_path / "missing"))

    for message in (missing, nowhere):
        assert message.startswith(f"{tmp_path / 'missing'}: there is nothing at this path.")
        assert "--grant fs_read=" in message
    assert "symbolic link to nothing" in dangling


def test_what_may_not_be_read_is_reported_and_not_skipped_in_silence() -> None:
    # Root may read everything, so the plugin runs as somebody who may not; below /tmp
    # itself, because pytest's folders are closed to others.
    folder = Path(tempfile.mkdtemp())
    try:
        folder.chmod(0o755)
        shutil.copytree(PLUGIN, folder / "plugin")
        (folder / "data" / "closed" / "inside").mkdir(parents=True)
        (folder / "data" / "open").write_bytes(b"x")
        (folder / "data" / "closed").chmod(0)
        nobody = 65534 if os.geteuid() == 0 else None
        with started(folder / "plugin", user=nobody) as plugin:
            plugin.greet()
            found = plugin.measure("usage", path=str(folder / "data"))
            refused = plugin.fail("usage", path=str(folder / "data" / "closed"))

        assert found["unreadable"] == {"count": 1, "paths": [str(folder / "data" / "closed")]}
        assert (found["files"], found["folders"]) == (1, 2)
        assert "may not be read" in refused
    finally:
        (folder / "data" / "closed").chmod(stat.S_IRWXU)
        shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("tool", "arguments", "named"),
    [
        ("usage", {}, "path"),
        ("usage", {"path": ""}, "path"),
        ("usage", {"path": 3}, "path"),
        ("usage", {"path": None}, "path"),
        ("usage", {"path": "a\0b"}, "U+0000"),
        ("usage", {"path": "x" * 5000}, "4096"),
        ("usage", {"path": "/", "depth": -1}, "0 to 5"),
        ("usage", {"path": "/", "depth": "1"}, "depth"),
        ("usage", {"path": "/", "top": 2.5}, "top"),
        ("usage", {"path": "/", "top": 101}, "1 to 100"),
        ("usage", {"path": "/", "cross_filesystems": 1}, "cross_filesystems"),
        ("largest", {"path": "/", "depth": 1}, "it takes path, top, cross_filesystems"),
        ("free", {"paths": "/"}, "paths"),
    ],
)
def test_arguments_that_do_not_fit_are_refused_by_name(
    plugin: Plugin, tool: str, arguments: dict[str, Any], named: str
) -> None:
    error = plugin.call(tool, **arguments)["error"]

    assert (error["code"], error["data"]["type"]) == (-32602, "invalid-arguments")
    assert named in error["message"]


def test_an_unknown_tool_and_an_unknown_method_have_their_own_errors(plugin: Plugin) -> None:
    tool = plugin.call("shrink")["error"]
    method = plugin.ask("plughost/hook")["error"]

    assert (tool["code"], tool["data"]["type"]) == (-32602, "tool-not-found")
    assert method["code"] == -32601


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"   \r",
        b"noise",
        b"\xff\x00\xfe",
        b"{",
        b"[]",
        b"null",
        b'{"id":1,"method":"ping"}',
        b'{"jsonrpc":"2.0","id":null,"method":"ping"}',
        b'{"jsonrpc":"2.0","id":1,"method":"ping"}}',
        b'{"jsonrpc":"2.0","id":1,"method":"\\ud800"}',
        b'{"jsonrpc":"2.0","id":01,"method":"ping"}',
        b'{"jsonrpc":"2.0","id":7,"result":{}}',
        b'{"jsonrpc":"2.0","method":"notifications/initialized"}',
        b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":99}}',
        b"[" * 65 + b"]" * 65,
    ],
)
def test_what_is_no_request_is_left_out_and_the_next_is_answered(
    plugin: Plugin, line: bytes
) -> None:
    plugin.write(line)

    assert plugin.ask("ping")["result"] == {}


@pytest.mark.parametrize("id_", [0, -5, 2**63 - 1, "", "a b", 'q"\\\n\u00e9😀', "job 1 usage"])
def test_an_answer_has_the_id_of_its_request(plugin: Plugin, tmp_path: Path, id_: Any) -> None:
    params = {"name": "usage", "arguments": {"path": str(tmp_path)}}
    plugin.write({"jsonrpc": "2.0", "id": id_, "method": "tools/call", "params": params})

    assert plugin.read()["id"] == id_


# --- several things at once ---


def test_a_ping_is_answered_while_a_walk_runs_and_a_cancel_ends_the_walk(
    tmp_path: Path, probe: int
) -> None:
    """Contract: contracts/wire §5.9 and §7.2."""
    with started(env=endless_find(tmp_path)) as plugin:
        plugin.greet()
        call = plugin.send("tools/call", {"name": "usage", "arguments": {"path": "/"}})
        wait_until_walking(probe)

        assert plugin.ask("ping")["result"] == {}

        plugin.notify("notifications/cancelled", {"requestId": call})
        answer = plugin.read()
        wait_until_dead(probe)
        assert (answer["id"], answer["error"]["code"]) == (call, -32800)
        assert plugin.ask("ping")["result"] == {}


def test_a_plain_client_gets_no_answer_to_what_it_cancelled(tmp_path: Path, probe: int) -> None:
    with started(env=endless_find(tmp_path)) as plugin:
        plugin.greet({})
        call = plugin.send("tools/call", {"name": "usage", "arguments": {"path": "/"}})
        wait_until_walking(probe)

        plugin.notify("notifications/cancelled", {"requestId": call})

        assert plugin.ask("ping")["result"] == {}
        wait_until_dead(probe)


def test_a_cancel_ends_its_own_call_only(tmp_path: Path, probe: int) -> None:
    with started(env=endless_find(tmp_path)) as plugin:
        plugin.greet()
        plugin.send("tools/call", {"name": "usage", "arguments": {"path": "/"}})
        wait_until_walking(probe)

        free = plugin.send("tools/call", {"name": "free", "arguments": {"path": "/"}})
        assert plugin.read()["id"] == free
        plugin.notify("notifications/cancelled", {"requestId": free})

        assert plugin.ask("ping")["result"] == {}
        assert _held_by_others(probe)


def test_the_end_of_the_wire_ends_the_walks_and_the_plugin_with_status_zero(
    tmp_path: Path, probe: int
) -> None:
    """Contract: contracts/wire §1.4."""
    with started(env=endless_find(tmp_path)) as plugin:
        plugin.greet()
        plugin.send("tools/call", {"name": "largest", "arguments": {"path": "/"}})
        wait_until_walking(probe)

        assert plugin.close() == 0
        wait_until_dead(probe)


def test_shutdown_is_answered_when_all_walks_have_ended(tmp_path: Path, probe: int) -> None:
    """Contract: contracts/wire §9.2."""
    with started(env=endless_find(tmp_path)) as plugin:
        plugin.greet()
        plugin.send("tools/call", {"name": "usage", "arguments": {"path": "/"}})
        wait_until_walking(probe)

        assert plugin.ask("plughost/shutdown", {"grace_ms": 2000})["result"] == {}
        wait_until_dead(probe)
        assert plugin.process.wait(PATIENCE_S) == 0


def test_large_answers_of_many_calls_never_mix(plugin: Plugin, tmp_path: Path) -> None:
    """Contract: contracts/wire §2.7."""
    for number in range(120):
        (tmp_path / (f"{number:03}" + "å" * 100)).write_bytes(b"x")
    arguments = {"name": "usage", "arguments": {"path": str(tmp_path), "top": 100}}

    calls = {plugin.send("tools/call", arguments) for _ in range(12)}
    pings = {plugin.send("ping") for _ in range(5)}
    answers = [plugin.read() for _ in range(17)]

    assert {answer["id"] for answer in answers} == calls | pings
    large = [a["result"]["structuredContent"] for a in answers if a["id"] in calls]
    assert all(found == large[0] for found in large)
    assert len(json.dumps(large[0])) > 20_000
    assert len(large[0]["entries"]) == 100


def test_a_walk_that_was_interrupted_is_an_error_and_not_a_smaller_number(
    tmp_path: Path, probe: int
) -> None:
    killed = ENDLESS_FIND.replace("exec sleep 1000", "kill -KILL $$")
    with started(env=endless_find(tmp_path, killed)) as plugin:
        plugin.greet()

        assert "ended with status 137" in plugin.fail("usage", path="/")


def test_progress_is_reported_for_a_large_tree_that_asked_for_it(
    tmp_path: Path, probe: int
) -> None:
    """Contract: contracts/wire §7.3."""
    with started(env=endless_find(tmp_path, MANY_FILES_FIND)) as plugin:
        plugin.greet()
        params = {"name": "usage", "arguments": {"path": "/", "top": 1}}
        plugin.send("tools/call", {**params, "_meta": {"progressToken": "t 1"}})

        first, second, answer = (plugin.read() for _ in range(3))

    assert [m["params"]["progressToken"] for m in (first, second)] == ["t 1", "t 1"]
    assert first["params"]["progress"] < second["params"]["progress"]
    found = answer["result"]["structuredContent"]
    assert (found["files"], found["bytes"]) == (50_000, 50_001 * 4096)
    assert found["apparent_bytes"] == 4096 + sum(range(1, 50_001))


def test_it_tells_a_person_how_to_start_it() -> None:
    controller, terminal = os.openpty()
    run = subprocess.run(
        ["sh", "main.sh"],
        check=False,
        cwd=PLUGIN,
        stdin=terminal,
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE_S,
    )
    os.close(controller)
    os.close(terminal)

    assert run.returncode == 64
    assert "plughost call disk-usage" in run.stderr


# --- json.awk by itself ---


def awk(program: str, line: str) -> str:
    run = subprocess.run(
        ["awk", "-f", "json.awk", "-f", "/dev/fd/0"],
        check=True,
        cwd=PLUGIN,
        env={"LC_ALL": "C", "PATH": os.environ["PATH"], "LINE": line},
        input=program.encode(),
        stdout=subprocess.PIPE,
        timeout=PATIENCE_S,
    )
    return run.stdout.decode()


SAY = 'BEGIN { print json_parse(ENVIRON["LINE"]) ? json_quote(json_value[""]) : "no" }'
FITS = 'BEGIN { print json_parse(ENVIRON["LINE"]) ? "yes" : "no" }'
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None)
@given(texts, st.booleans())
def test_any_string_is_read_and_written_unchanged(text: str, escaped: bool) -> None:
    assert json.loads(awk(SAY, json.dumps(text, ensure_ascii=escaped))) == text


@settings(max_examples=60, deadline=None)
@given(documents, st.sampled_from([None, 1]))
def test_any_document_is_accepted_and_none_of_its_beginnings(
    document: Any, indent: int | None
) -> None:
    line = json.dumps(document, indent=indent)

    assert awk(FITS, line) == "yes\n"
    if isinstance(document, list | dict):
        assert awk(FITS, line[:-1]) == "no\n"


@pytest.mark.parametrize(
    "line",
    ["", "01", "1.", ".5", "+1", "1e", "nul", "'a'", '"\\x"', '"\\u12"', '"\t"', "[1,]", "[,1]",
     '{"a"}', '{"a":}', "{a:1}", '{"a":1,}', "[1 2]", '"\\ud800x"', '"\\udc00"', '"a', "1 1"],
)  # fmt: skip
def test_what_is_not_json_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r".") if "\\ud" not in line else contextlib.nullcontext():
        json.loads(line)

    assert awk(FITS, line) == "no\n"


def test_values_are_found_by_path_whatever_the_keys_hold() -> None:
    line = json.dumps({"a/1:b": 1, "a": {"b": [10, {"": "deep"}]}, "1:a/1:b": 2})
    program = """BEGIN {
        json_parse(ENVIRON["LINE"])
        list = json_at(json_at("", "a"), "b")
        print json_value[json_at("", "a/1:b")], json_value[json_at(list, 1)]
        print json_value[json_at(json_at(list, 2), "")], json_size[""], json_size[list]
        print json_key["", 3], json_kind[json_at("", "a")]
    }"""

    assert awk(program, line) == "1 10\ndeep 3 2\n1:a/1:b object\n"
