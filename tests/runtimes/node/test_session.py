"""Wire sections 2 to 4 and 8: framing, messages, both handshakes, log."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

Start = Callable[..., Any]
ECHO = 'plugin.tool("echo", { description: "Echo." }, (args) => args);'
STATELESS = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}


def test_the_handshake_names_the_plugin_and_the_features_it_has_handlers_for(start: Start) -> None:
    """Wire §4.1, §4.2, §9."""
    wire = start('plugin.on("x", () => {}).hook("y", () => {}).onSnapshot(() => 1);')

    said = wire.initialize()

    assert said["protocolVersion"] == "2025-11-25"
    assert said["serverInfo"] == {"name": "sample", "version": "1.2.3"}
    assert said["capabilities"]["tools"] == {"listChanged": True}
    assert said["capabilities"]["logging"] == {}
    offered = said["capabilities"]["experimental"]["plughost"]
    assert offered == {"version": "1.0.0", "features": ["events", "hooks", "snapshot"]}


def test_a_client_without_the_extension_sees_a_plain_mcp_server(start: Start) -> None:
    wire = start(ECHO)

    said = wire.initialize(extension=None)

    assert "experimental" not in said["capabilities"]
    assert wire.error_of("plughost/shutdown")["code"] == -32601


@pytest.mark.parametrize(
    ("asked", "answered"), [("2025-06-18", "2025-06-18"), ("1999-01-01", "2025-11-25")]
)
def test_an_unknown_revision_is_answered_with_the_newest(
    start: Start, asked: str, answered: str
) -> None:
    """Wire §4.3."""
    wire = start(ECHO)

    said = wire.ask("initialize", protocolVersion=asked, capabilities={}, clientInfo={})

    assert said["protocolVersion"] == answered


@pytest.mark.parametrize("version", ["2.0.0", "0.9.0", "one", ""])
def test_a_version_mismatch_is_refused_with_both_versions(start: Start, version: str) -> None:
    """Wire §4.4."""
    wire = start(ECHO)

    error = wire.error_of(
        "initialize",
        protocolVersion="2025-11-25",
        capabilities={"experimental": {"plughost": {"version": version, "features": []}}},
    )

    assert error["code"] == -32602
    assert version in error["message"]
    assert "1.0.0" in error["message"]


def test_a_newer_minor_version_and_unknown_features_are_welcome(start: Start) -> None:
    wire = start(ECHO).greet({"version": "1.7.3-rc.1", "features": ["telepathy"]})

    assert wire.data("echo", a=1) == {"a": 1}


def test_activate_and_list_may_be_sent_before_initialize_is_answered(start: Start) -> None:
    """Wire §4.5: all at once, handled in order; here a tool comes from a slow onInit."""
    wire = start(
        """
        plugin.onInit(async (settings) => {
          await new Promise((resolve) => setTimeout(resolve, 50));
          plugin.tool(settings.name, { description: "Late." }, () => 1);
        });
        """
    )
    extension = {"experimental": {"plughost": {"version": "1.0.0", "features": []}}}
    first = wire.request("initialize", {"protocolVersion": "2025-11-25", "capabilities": extension})
    wire.notify("notifications/initialized")
    second = wire.request("plughost/activate", {"settings": {"name": "late"}, "limits": {}})
    third = wire.request("tools/list")

    received = [wire.receive() for _ in range(3)]

    assert [message["id"] for message in received] == [first, second, third]
    assert [tool["name"] for tool in received[2]["result"]["tools"]] == ["late"]


def test_requests_before_the_handshake_are_refused(start: Start) -> None:
    wire = start(ECHO)

    assert "before initialize" in wire.error_of("tools/list")["message"]
    assert wire.ask("ping") == {}
    wire.initialize()
    assert "before plughost/activate" in wire.error_of("tools/call", name="echo")["message"]
    assert wire.error_of("initialize", protocolVersion="2025-11-25")["code"] == -32600


def test_a_stateless_request_needs_no_handshake(start: Start) -> None:
    """Wire §4.7."""
    wire = start(
        'plugin.onInit(() => { plugin.tool("late", { description: "Late." }, () => "x"); });'
    )

    found = wire.ask("server/discover", _meta=STATELESS)

    assert found["supportedVersions"] == ["2026-07-28"]
    assert (found["resultType"], found["ttlMs"], found["cacheScope"]) == ("complete", 0, "private")
    assert found["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] == "sample"
    listed = wire.ask("tools/list", _meta=STATELESS)
    assert (listed["resultType"], listed["ttlMs"], listed["cacheScope"]) == (
        "complete",
        0,
        "private",
    )
    called = wire.ask("tools/call", name="late", arguments={}, _meta=STATELESS)
    assert called == {
        "content": [{"type": "text", "text": "x"}],
        "structuredContent": {"result": "x"},
        "_meta": {"plughost/wrapped": True},
        "resultType": "complete",
    }
    assert wire.ask("ping", _meta=STATELESS) == {"resultType": "complete"}


def test_a_stateless_request_with_an_unknown_version_or_no_capabilities_is_refused(
    start: Start,
) -> None:
    wire = start(ECHO)
    unknown = {**STATELESS, "io.modelcontextprotocol/protocolVersion": "2031-01-01"}
    bare = {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}

    error = wire.error_of("tools/list", _meta=unknown)

    assert error["code"] == -32022
    assert error["data"] == {"supported": ["2026-07-28"], "requested": "2031-01-01"}
    assert wire.error_of("tools/list", _meta=bare)["code"] == -32602
    assert wire.error_of("server/discover")["code"] == -32602


def test_a_stateless_request_gets_log_only_if_it_names_a_level(start: Start) -> None:
    wire = start('plugin.tool("say", { description: "Log." }, (_, ctx) => ctx.log("hello"));')
    loud = {**STATELESS, "io.modelcontextprotocol/logLevel": "info"}

    wire.ask("tools/call", name="say", arguments={}, _meta=STATELESS)
    assert wire.set_aside == []
    wire.ask("tools/call", name="say", arguments={}, _meta=loud)

    assert wire.set_aside[0]["params"] == {"level": "info", "data": "hello", "logger": "say"}


def test_without_a_host_on_init_runs_once_with_default_settings(start: Start) -> None:
    """Wire §4.8."""
    code = """
    let inits = [];
    plugin.onInit((settings) => { inits.push(settings); });
    plugin.tool("inits", { description: "How often." }, () => inits);
    """
    announced = start(code).greet(extension=None)
    silent = start(code)
    silent.initialize(extension=None)

    assert announced.data("inits") == [{}]
    assert silent.data("inits") == [{}]
    assert silent.data("inits") == [{}]


def test_without_a_host_a_failed_on_init_fails_every_request_with_its_reason(start: Start) -> None:
    wire = start('plugin.onInit(() => { throw new Error("no key"); });').greet(extension=None)

    for _ in range(2):
        error = wire.error_of("tools/list")
        assert error["code"] == -32002
        assert "no key" in error["message"]
    assert wire.ask("ping") == {}


def test_noise_is_logged_and_nothing_stops(start: Start) -> None:
    """Wire §2.6, §3.4."""
    wire = start(ECHO).greet()

    wire.send_bytes(b"not json\n\r\n\n[1,2]\n42\n\xff\xfe{}\n\xef\xbb\xbf{}\n")
    wire.send_bytes(b'{"jsonrpc":"1.0","id":1,"method":"ping"}\n')
    wire.send_bytes(b'{"jsonrpc":"2.0","id":null,"method":"ping"}\n{"jsonrpc":"2.0"}\n')
    wire.send_bytes(b'{"jsonrpc":"2.0","id":777,"result":{}}\n')
    wire.notify("notifications/unheard/of")
    wire.send_bytes(b'{"jsonrpc":"2.0","id":"crlf","method":"ping"}\r\n')

    assert wire.receive() == {"jsonrpc": "2.0", "id": "crlf", "result": {}}
    assert wire.log.count("ignored a line that is not JSON:") == 2
    assert wire.log.count("not a JSON object") == 2
    assert wire.log.count("not UTF-8") == 1
    assert wire.log.count('no "jsonrpc": "2.0"') == 1


def test_an_unknown_method_is_answered(start: Start) -> None:
    wire = start(ECHO).greet()

    assert wire.error_of("tools/delete")["code"] == -32601
    assert wire.error_of("constructor")["code"] == -32601
    assert wire.error_of("__proto__")["code"] == -32601


def test_params_that_are_no_object_are_refused(start: Start) -> None:
    wire = start(ECHO).greet()

    wire.send({"id": "a", "method": "tools/list", "params": [1]})

    assert wire.answer_to("a")["error"]["code"] == -32602


def test_a_line_may_arrive_in_any_pieces(start: Start) -> None:
    """Wire §2.1."""
    wire = start(ECHO).greet()
    text = "grüße 👋 " * 3
    params = {"name": "echo", "arguments": {"text": text}}
    message = {"jsonrpc": "2.0", "id": "p", "method": "tools/call", "params": params}

    for byte in json.dumps(message, ensure_ascii=False).encode() + b"\n":
        wire.send_bytes(bytes([byte]))

    assert wire.answer_to("p")["result"]["structuredContent"] == {"text": text}


def test_a_message_as_long_as_the_limit_passes_and_one_byte_more_is_refused(start: Start) -> None:
    """Wire §2.2, §2.5: the id of what was discarded is answered, and the reader goes on."""
    wire = start(
        'plugin.tool("length", { description: "Length." }, ({ text }) => text.length);'
    ).greet()

    def line(name: str, total: int) -> bytes:
        head = f'{{"jsonrpc":"2.0","id":"{name}","method":"tools/call","params":'
        head += '{"name":"length","arguments":{"text":"'
        tail = '"}}}\n'
        return (head + "x" * (total - len(head) - len(tail)) + tail).encode()

    limit = 4 * 1024 * 1024
    wire.send_bytes(line("fits", limit))
    wire.send_bytes(line("long", limit + 1))
    wire.send_bytes(line("next", 200))

    assert wire.answer_to("fits")["result"]["structuredContent"]["result"] > limit - 200
    error = wire.answer_to("long")["error"]
    assert (error["code"], error["data"]["type"]) == (-32600, "output-limit")
    assert "result" in wire.answer_to("next")


def test_the_manifest_may_raise_the_limit(start: Start) -> None:
    wire = start(ECHO)
    wire.initialize()
    wire.activate(max_message_mb=8)
    text = "x" * (6 * 1024 * 1024)

    assert wire.data("echo", text=text) == {"text": text}


def test_nesting_past_64_is_refused_both_ways(start: Start) -> None:
    """Wire §2.3."""
    wire = start(
        """
        plugin.tool("echo", { description: "Echo." }, (args) => args);
        plugin.tool("nest", { description: "Nest." }, ({ levels }) => {
          let value = {};
          for (let level = 1; level < levels; level += 1) value = { value };
          return value;
        });
        """
    ).greet()

    def nested(levels: int) -> dict[str, Any]:
        value: Any = []
        for _ in range(levels - 1):
            value = [value]
        return {"value": value}

    # message, params, arguments: three levels above; the answer has three as well
    assert wire.data("echo", **nested(61 - 1)) == nested(60)
    error = wire.answer_to(wire.start_call("echo", nested(64)))["error"]
    assert (error["code"], error["data"]["type"]) == (-32600, "output-limit")
    assert wire.call("nest", levels=62)["structuredContent"]
    assert "deeper than the 64 levels" in wire.failure("nest", levels=63)["message"]


def test_a_document_nested_a_hundred_thousand_deep_is_survived(start: Start) -> None:
    wire = start(ECHO).greet()
    deep = b"[" * 100_000 + b"]" * 100_000

    wire.send_bytes(b'{"jsonrpc":"2.0","id":"deep","method":"ping","params":{"x":' + deep + b"}}\n")

    assert wire.answer_to("deep")["error"]["data"]["type"] == "output-limit"
    assert wire.ask("ping") == {}


def test_a_second_request_with_an_id_in_flight_is_not_answered_twice(start: Start) -> None:
    """Wire §3.2, §3.3."""
    wire = start(
        'plugin.tool("wait", { description: "W." }, () => new Promise((r) => setTimeout(r, 100)));'
    ).greet()

    params = {"name": "wait", "arguments": {}}
    wire.send({"id": "twin", "method": "tools/call", "params": params})
    wire.send({"id": "twin", "method": "tools/call", "params": params})
    wire.answer_to("twin")
    wire.ask("ping")

    assert wire.set_aside == []
    assert "second request" in wire.log


def test_log_messages_travel_with_level_data_and_tool(start: Start) -> None:
    """Wire §8."""
    wire = start(
        """
        plugin.tool("say", { description: "Log." }, (_, ctx) => {
          ctx.log("quiet", "debug");
          ctx.log("loud", "warning", { n: 1 });
          console.log("to the log");
          process.stderr.write("also\\n");
        });
        """
    ).greet()

    assert wire.ask("logging/setLevel", level="info") == {}
    wire.call("say")

    assert [m["params"] for m in wire.set_aside] == [
        {"level": "warning", "data": {"message": "loud", "n": 1}, "logger": "say"}
    ]
    assert "to the log\nalso\n" in wire.log
    assert wire.error_of("logging/setLevel", level="loud")["code"] == -32602
