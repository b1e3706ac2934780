"""How a session begins (wire 4)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.runtimes.python.conftest import Launch
from tests.runtimes.python.wire_client import EXTENSION, WireClient, activation, data_of

MODERN = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}
PLAIN = '''
seen = []

@plugin.on_init
def start(settings):
    time.sleep(settings.get("sleep", 0))
    seen.append(settings)
    if "refuse" in settings:
        raise ValueError(settings["refuse"])

@plugin.tool
def count(ctx: Context) -> int:
    """Return how often on_init ran."""
    ctx.log("counted", level="warning", times=len(seen))
    return len(seen)

@plugin.tool
def settings(ctx: Context) -> dict:
    return ctx.settings
'''


def greet(**changes: Any) -> dict[str, Any]:
    params = {
        "protocolVersion": "2025-11-25",
        "capabilities": {"experimental": {"plughost": EXTENSION}},
        "clientInfo": {"name": "tests", "version": "1"},
        **changes,
    }
    return {"id": 0, "method": "initialize", "params": params}


def test_a_plugin_names_itself_and_what_it_has_handlers_for(launch: Launch) -> None:
    """Contract: wire 4.2."""
    plugin = launch(
        """
plugin.on("e")(print); plugin.hook("h")(print); plugin.on_restore(print)
plugin.on_channel_parse(print)
""".replace("print", "lambda one: None"),
        env={"PLUGHOST_PLUGIN": "word-count", "PLUGHOST_PLUGIN_VERSION": "1.2.3"},
    )

    answer = plugin.initialize()

    assert answer["protocolVersion"] == "2025-11-25"
    assert answer["serverInfo"] == {"name": "word-count", "version": "1.2.3"}
    assert answer["capabilities"] == {
        "tools": {"listChanged": True},
        "logging": {},
        "experimental": {
            "plughost": {"version": "1.0.0", "features": ["events", "hooks", "snapshot", "channel"]}
        },
    }


def test_alone_a_plugin_is_named_after_its_folder_unless_it_says_otherwise(launch: Launch) -> None:
    assert launch("", alone=True).initialize(None)["serverInfo"] == {
        "name": "plugin-0",
        "version": "0.0.0",
    }
    named = launch('plugin.name = "x"', alone=True).initialize(None)
    assert named["serverInfo"]["name"] == "x"
    assert "experimental" not in named["capabilities"]


def test_everything_may_be_sent_at_once_and_is_handled_in_order(launch: Launch) -> None:
    """Contract: wire 4.5."""
    plugin = launch(PLAIN)
    plugin.send(
        greet(),
        {"method": "notifications/initialized"},
        {"id": 1, "method": "plughost/activate", "params": activation({"sleep": 0.1})},
        {"id": 2, "method": "tools/list"},
        {"id": 3, "method": "tools/call", "params": {"name": "count"}},
        {"id": 4, "method": "ping"},
    )

    order = [plugin.receive().get("id") for _ in range(6)]

    assert [one for one in order if one not in (4, None)] == [0, 1, 2, 3]
    assert order.index(4) < order.index(1)  # pings are answered while on_init runs


def test_a_call_withdrawn_while_on_init_runs_is_never_run(launch: Launch) -> None:
    plugin = launch(PLAIN)
    plugin.send(
        greet(),
        {"id": 1, "method": "plughost/activate", "params": activation({"sleep": 0.1})},
        {"id": 2, "method": "tools/call", "params": {"name": "count"}},
        {"method": "notifications/cancelled", "params": {"requestId": 2}},
        {"id": 3, "method": "tools/call", "params": {"name": "count"}},
    )

    assert plugin.answer_to(2)["error"]["code"] == -32800
    assert data_of(plugin.answer_to(3)["result"]) == 1


@pytest.mark.parametrize("version", ["2.0.0", "0.9.0", "1", "one", None, 2])
def test_a_host_of_another_major_is_refused_with_both_versions(
    launch: Launch, version: object
) -> None:
    """Contract: wire 4.4."""
    plugin = launch("")
    extension = {"version": version, "features": []}
    plugin.send(greet(capabilities={"experimental": {"plughost": extension}}))

    error = plugin.answer_to(0)["error"]

    assert error["code"] == -32602
    assert str(version) in error["message"]
    assert "1.0.0" in error["message"]


def test_a_later_minor_and_unknown_features_are_no_reason_to_refuse(launch: Launch) -> None:
    """Contract: wire 4.4."""
    plugin = launch(PLAIN)
    plugin.initialize({"version": "1.7.2", "features": ["teleport", 3]})
    plugin.activate()

    assert plugin.data("count") == 1


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("2025-06-18", "2025-06-18"),
        ("2024-11-05", "2025-11-25"),
        ("2031-01-01", "2025-11-25"),
    ],
)
def test_an_unknown_revision_is_answered_with_the_newest(
    launch: Launch, asked: str, answered: str
) -> None:
    """Contract: wire 4.3."""
    plugin = launch("")
    plugin.send(greet(protocolVersion=asked))

    assert plugin.answer_to(0)["result"]["protocolVersion"] == answered


def test_nothing_but_ping_is_answered_before_initialize(launch: Launch) -> None:
    plugin = launch("")

    assert plugin.ask("ping") == {}
    assert plugin.error_of("tools/list")["code"] == -32600
    plugin.send(greet(protocolVersion=3))
    assert plugin.answer_to(0)["error"]["code"] == -32602
    plugin.initialize()
    assert plugin.error_of("initialize", protocolVersion="2025-11-25")["code"] == -32600


def test_no_tool_runs_before_the_settings_have_come(launch: Launch) -> None:
    """Contract: wire 4.6."""
    plugin = launch(PLAIN)
    plugin.initialize()

    assert plugin.error_of("tools/call", name="count")["code"] == -32600
    assert plugin.ask("tools/list")["tools"]
    plugin.activate()
    assert plugin.data("count") == 1


def test_a_settings_error_refuses_activation_with_the_reason(launch: Launch) -> None:
    """Contract: wire 9.1."""
    plugin = launch(PLAIN)
    plugin.initialize()

    error = plugin.error_of("plughost/activate", **activation({"refuse": "no such language"}))

    assert error["code"] == -32002
    assert error["data"]["type"] == "plugin-start-failed"
    assert "no such language" in error["message"]
    assert plugin.error_of("tools/list")["code"] == -32002


def test_new_settings_arrive_with_a_second_activation(launch: Launch) -> None:
    """Contract: wire 9.1."""
    plugin = launch(PLAIN).begin(a=1)
    plugin.activate(b=2)

    assert plugin.data("count") == 2
    assert plugin.data("settings") == {"b": 2}
    plugin.error_of("plughost/activate", **activation({"refuse": "no"}))
    assert plugin.data("count") == 3  # what ran before goes on


def test_alone_on_init_runs_with_default_settings_before_the_first_call(launch: Launch) -> None:
    """Contract: wire 4.8."""
    plugin = launch(PLAIN, alone=True)
    plugin.send(greet(capabilities={}), {"id": 1, "method": "tools/list"})
    plugin.send({"method": "notifications/initialized"})
    plugin.answer_to(1)

    assert data_of(plugin.call("count")) == 1
    assert data_of(plugin.call("settings")) == {}
    assert plugin.error_of("plughost/activate")["code"] == -32601


def test_alone_a_plugin_that_cannot_start_says_so_to_every_request(launch: Launch) -> None:
    plugin = launch("@plugin.on_init\ndef start(settings):\n    sys.exit('no licence')", alone=True)
    plugin.initialize(None)

    for _ in range(2):
        error = plugin.error_of("tools/list")
        assert (error["code"], "no licence" in error["message"]) == (-32002, True)
    assert plugin.ask("ping") == {}


def test_an_async_on_init_may_ask_for_time(launch: Launch) -> None:
    """Contract: wire 10.7."""
    plugin = launch("""
@plugin.on_init
async def start(settings):
    plugin.extend_start(20)
    await asyncio.sleep(0)
""")
    plugin.initialize()
    activating = plugin.request("plughost/activate", activation({}))

    asked = plugin.next_named("plughost/extend_start")
    plugin.send({"id": asked["id"], "result": {}})

    assert asked["params"] == {"seconds": 20}
    assert plugin.answer_to(activating)["result"] == {}


def modern(plugin: WireClient, method: str, **params: Any) -> dict[str, Any]:
    return plugin.answer_to(plugin.request(method, {**params, "_meta": MODERN}))


def test_the_stateless_revision_needs_no_handshake(launch: Launch) -> None:
    """Contract: wire 4.7."""
    plugin = launch(PLAIN, alone=True)

    found = modern(plugin, "server/discover")["result"]
    assert found["supportedVersions"] == ["2026-07-28"]
    assert found["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] == "plugin-0"
    listed = modern(plugin, "tools/list")["result"]
    for result in (found, listed):
        assert (result["resultType"], result["ttlMs"], result["cacheScope"]) == (
            "complete",
            0,
            "private",
        )
    called = modern(plugin, "tools/call", name="count")["result"]
    assert called["resultType"] == "complete"
    assert called["structuredContent"] == {"result": 1}
    assert called["content"] == [{"type": "text", "text": "1"}]
    assert modern(plugin, "ping")["result"] == {"resultType": "complete"}
    failed = modern(plugin, "tools/call", name="settings", arguments={"x": 1})
    assert failed["error"]["code"] == -32602
    assert plugin.set_aside == []  # and no log entry that nobody asked for


def test_a_stateless_call_gets_the_log_it_asks_for(launch: Launch) -> None:
    plugin = launch(PLAIN, alone=True)
    meta = {**MODERN, "io.modelcontextprotocol/logLevel": "warning"}
    plugin.answer_to(plugin.request("tools/call", {"name": "count", "_meta": meta}))

    [entry] = plugin.set_aside
    assert entry["params"] == {"level": "warning", "data": {"message": "counted", "times": 1}}


def test_a_stateless_request_must_be_whole(launch: Launch) -> None:
    """Contract: wire 4.7."""
    plugin = launch("", alone=True)
    key = "io.modelcontextprotocol/protocolVersion"

    wrong = plugin.error_of("tools/list", _meta={**MODERN, key: "2027-01-01"})
    assert wrong["code"] == -32022
    assert wrong["data"] == {"supported": ["2026-07-28"], "requested": "2027-01-01"}
    assert plugin.error_of("tools/list", _meta={key: "2026-07-28"})["code"] == -32602


def test_set_level_filters_the_log(launch: Launch) -> None:
    """Contract: wire 8."""
    plugin = launch(PLAIN).begin()
    plugin.ask("logging/setLevel", level="error")
    plugin.call("count")
    assert plugin.set_aside == []

    plugin.ask("logging/setLevel", level="debug")
    plugin.call("count")
    assert plugin.set_aside[0]["method"] == "notifications/message"
    assert plugin.error_of("logging/setLevel", level="loud")["code"] == -32602


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('{"jsonrpc":"2.0","id":"n","method":5}', -32600),
        ('{"jsonrpc":"2.0","id":"n","method":"ping","params":[]}', -32602),
        ('{"jsonrpc":"2.0","id":"n","method":"nope"}', -32601),
        ('{"jsonrpc":"2.0","id":"n","method":"ping","params":"x"}\r', -32602),
    ],
)
def test_a_request_that_is_wrong_is_answered_with_its_code(
    launch: Launch, line: str, code: int
) -> None:
    """Contract: wire 3.4, 3.6."""
    plugin = launch("").begin()
    plugin.write(line.encode() + b"\n")

    assert plugin.answer_to("n")["error"]["code"] == code


@pytest.mark.parametrize(
    "line",
    [
        b"hello",
        b"[]",
        b"{}",
        b'{"id":1,"method":"ping"}',
        b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}',
        b'{"jsonrpc":"2.0","id":null,"method":"ping"}',
        b'{"jsonrpc":"2.0","id":9,"result":NaN}',
        b'{"jsonrpc":"2.0","id":9,"result":{}}',
        b'{"jsonrpc":"2.0","method":"nope"}',
        b'{"jsonrpc":"2.0","method":"ping","x":"\\ud800"}',
        b'{"jsonrpc":"2.0"} {}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a":' * 70 + b"1" + b"}" * 70,
        b"",
        b"\r",
        b"x" * 5_000_000,
    ],
)
def test_noise_does_not_end_the_session(launch: Launch, line: bytes) -> None:
    """Contract: wire 2.5, 2.6, 3.3, 3.4."""
    plugin = launch("").begin()

    plugin.write(line + b"\n")

    assert plugin.ask("ping") == {}
    assert plugin.set_aside == []


def test_a_request_longer_than_a_message_fails_by_its_id(launch: Launch) -> None:
    """Contract: wire 2.5."""
    plugin = launch("").begin()
    message = {"jsonrpc": "2.0", "id": 77, "method": "tools/list", "params": {"x": "y" * 5_000_000}}
    plugin.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")

    error = plugin.answer_to(77)["error"]

    assert error["data"]["type"] == "output-limit"
    assert plugin.ask("ping") == {}


def test_the_host_may_raise_the_limit(launch: Launch) -> None:
    """Contract: wire 2.2, 9.1."""
    plugin = launch("@plugin.tool\ndef echo(text: str) -> str:\n    return text")
    plugin.initialize()
    limits = {**activation({})["limits"], "max_message_mb": 8}
    plugin.ask("plughost/activate", settings={}, limits=limits)

    assert len(plugin.data("echo", text="x" * 6_000_000)) == 6_000_000


def test_bytes_may_arrive_in_any_pieces(launch: Launch) -> None:
    plugin = launch("").begin()
    line = '{"jsonrpc":"2.0","id":"ä","method":"ping"}\n'.encode()

    for byte in line:
        plugin.write(bytes([byte]))

    assert plugin.answer_to("ä")["result"] == {}
