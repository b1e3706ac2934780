"""What each route answers, and what every answer has in common."""

from __future__ import annotations

import re
from typing import Any

import attrs
import pytest
from structlog.testing import capture_logs

from plughost.errors import PluginUnavailableError
from plughost.gateway.lobby import Lobby
from plughost.registry.health import Health

HEALTH_KEYS = {field.name for field in attrs.fields(Health)}


async def test_healthz_answers_while_there_is_no_host_yet(serve: Any) -> None:
    async with serve(Lobby()) as client:
        answer = await client.ask("/healthz")

    assert (answer.status, answer.body) == (200, {"status": "ok"})


async def test_readyz_is_503_until_the_host_is_there(serve: Any) -> None:
    async with serve(Lobby()) as client:
        answer = await client.ask("/readyz")

    assert answer.status == 503
    assert answer.body["error"]["type"] == "plugin-unavailable"


async def test_readyz_is_200_once_plugins_are_ready_or_given_up(ask: Any) -> None:
    answer = await ask("/readyz")

    assert (answer.status, answer.body) == (200, {"status": "ready", "plugins": 1, "ready": 1})


async def test_a_request_while_the_host_stops_hears_so(serve: Any) -> None:
    async with serve(Lobby(closing=True)) as client:
        answer = await client.ask("/v1/plugins")

    assert (answer.status, answer.body["error"]["type"]) == (503, "host-stopping")


async def test_plugins_is_an_array_of_health_records(ask: Any) -> None:
    answer = await ask("/v1/plugins")

    [record] = answer.body
    assert answer.status == 200
    assert set(record) == HEALTH_KEYS
    assert (record["name"], record["state"]) == ("hello", "ready")


async def test_one_plugin_has_its_tools_too(ask: Any) -> None:
    answer = await ask("/v1/plugins/hello")

    assert set(answer.body) == HEALTH_KEYS | {"tools"}
    assert [tool["name"] for tool in answer.body["tools"]] == ["greet"]


async def test_health_is_the_record_alone(ask: Any) -> None:
    answer = await ask("/v1/plugins/hello/health")

    assert set(answer.body) == HEALTH_KEYS


async def test_tools_have_their_schemas_and_public_names(ask: Any) -> None:
    answer = await ask("/v1/tools")

    [tool] = answer.body
    assert (tool["plugin"], tool["tool"], tool["public_name"]) == ("hello", "greet", "hello__greet")
    assert tool["input_schema"]["required"] == ["name"]


@pytest.mark.parametrize("path", ["/v1/plugins/helo", "/v1/plugins/helo/health"])
async def test_an_unknown_plugin_is_404_with_the_nearest_name(ask: Any, path: str) -> None:
    answer = await ask(path)

    error = answer.body["error"]
    assert answer.status == 404
    assert set(error) == {"type", "message", "hint", "request_id"}
    assert error["type"] == "plugin-not-found"
    assert "did you mean 'hello'" in error["message"]
    assert error["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/nothing", "/v1/plugins/", "/%2e%2e/etc", "/é"])
async def test_an_unknown_route_is_404_in_the_same_shape(ask: Any, path: str) -> None:
    answer = await ask(path)

    assert answer.status == 404
    assert set(answer.body["error"]) == {"type", "message", "hint", "request_id"}
    assert "/v1/plugins" in answer.body["error"]["hint"]


async def test_a_method_a_route_does_not_take_is_405_with_those_it_takes(ask: Any) -> None:
    answer = await ask("/v1/plugins", method="DELETE")

    assert answer.status == 405
    assert answer.headers["allow"] == "GET,HEAD"
    assert answer.body["error"]["message"] == "'/v1/plugins' does not take DELETE"


async def test_head_is_answered_without_a_body(ask: Any) -> None:
    answer = await ask("/v1/plugins", method="HEAD")

    assert (answer.status, answer.body) == (200, "")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "10.0.0.1", "[::2]:80"])
async def test_a_request_for_another_host_is_misdirected(ask: Any, host: str) -> None:
    answer = await ask("/v1/plugins", headers={"Host": host})

    assert answer.status == 421
    assert repr(host) in answer.body["error"]["message"]


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1", "127.9.9.9", "[::1]:1"])
async def test_every_name_of_this_machine_is_answered(ask: Any, host: str) -> None:
    assert (await ask("/healthz", headers={"Host": host})).status == 200


async def test_a_page_of_another_origin_is_refused_and_one_of_ours_is_not(ask: Any) -> None:
    host = {"Host": "localhost:1"}

    for origin, status in (
        ("http://evil.example", 403),
        ("null", 403),
        ("https://localhost:1", 403),
        ("http://localhost:2", 403),
        ("http://localhost:1", 200),
    ):
        answer = await ask("/v1/plugins", headers={**host, "Origin": origin})
        assert answer.status == status, origin


async def test_a_request_id_comes_back_if_it_is_a_plain_word_and_is_made_up_otherwise(
    ask: Any,
) -> None:
    kept = await ask("/healthz", headers={"X-Request-Id": "trace-1.a"})
    replaced = await ask("/healthz", headers={"X-Request-Id": "a b"})

    assert kept.headers["x-request-id"] == "trace-1.a"
    assert re.fullmatch("[0-9a-f]{32}", replaced.headers["x-request-id"])


async def test_answers_are_not_sniffed_not_cached_and_name_no_library(ask: Any) -> None:
    headers = (await ask("/v1/plugins")).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["server"] == "plughost"


class BrokenHost:
    """A host whose code has a bug; the real one has none that is known."""

    def plugins(self) -> list[Health]:
        raise ZeroDivisionError("secret detail")

    def health(self, name: str) -> Health:
        raise PluginUnavailableError("not now", hint="Wait.")

    def tools(self, plugin: str | None = None) -> list[Any]:
        return []


async def test_a_bug_is_500_without_its_words_and_the_next_request_is_answered(
    serve: Any,
) -> None:
    async with serve(Lobby(host=BrokenHost())) as client:
        with capture_logs() as log:
            failed = await client.ask("/v1/plugins")
        refused = await client.ask("/v1/plugins/x")
        fine = await client.ask("/v1/tools")

    assert (failed.status, failed.body["error"]["type"]) == (500, "internal")
    assert "secret detail" not in str(failed.body)
    assert (refused.status, refused.body["error"]["hint"]) == (503, "Wait.")
    assert (fine.status, fine.body) == (200, [])
    [entry] = log
    assert (entry["event"], entry["log_level"]) == ("request.failed", "error")
    assert entry["request_id"] == failed.body["error"]["request_id"]
