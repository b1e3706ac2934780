"""The one door: what reaches a plugin, in which order, and what never does."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from plughost import Host
from plughost.contracts.results import CallError, CallResult
from plughost.registry.intercept import Interceptor, Proceed, Request

MakePlugin = Callable[..., Path]
OpenHost = Callable[..., AbstractAsyncContextManager[Host]]

STRICT = """
import json, sys
for line in sys.stdin:
    m = json.loads(line)
    if "id" not in m: continue
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    result = {
        "initialize": {"protocolVersion": "2025-11-25", "capabilities": {}},
        "tools/list": {"tools": [{"name": "double", "inputSchema": schema}]},
    }.get(m["method"], {})
    if m["method"] == "tools/call":
        result = {"content": [], "structuredContent": {"n": 2 * m["params"]["arguments"]["n"],
                  "meta": m["params"]["_meta"]}}
    print(json.dumps({"jsonrpc": "2.0", "id": m["id"], "result": result}), flush=True)
"""


def kind(result: CallResult) -> str:
    assert result.error is not None
    return result.error.type


async def test_bad_calls_are_refused_with_a_fact_and_a_next_step(
    make_plugin: MakePlugin, open_host: OpenHost
) -> None:
    make_plugin("strict", main=STRICT)
    async with open_host() as host:
        cases = [
            (await host.call("strct", "double", {"n": 1}), "plugin-not-found", "'strict'"),
            (await host.call("strict", "doubl", {"n": 1}), "tool-not-found", "'double'"),
            (await host.call("strict", "double", {"n": "1"}), "invalid-arguments", "$.n"),
            (await host.call("strict", "double"), "invalid-arguments", "'n' is missing"),
            (await host.call("strict", "double", {"n": math.nan}), "invalid-arguments", "$.n"),
            (await host.call("strict", "double", [1]), "invalid-arguments", "not an object"),
            (
                await host.call("strict", "double", {"n": 1, "x": "y" * 5_000_000}),
                "invalid-arguments",
                "over the limit",
            ),
            (
                await host.call("strict", "double", {"n": 1}, timeout_s=0),
                "invalid-arguments",
                "timeout",
            ),
            (
                await host.call("strict", "double", {"n": 1}, timeout_s=math.inf),
                "invalid-arguments",
                "timeout",
            ),
        ]
        alive = await host.call("strict", "double", {"n": 4})

    for result, expected, words in cases:
        assert kind(result) == expected
        assert result.error is not None
        assert words in result.error.message
        assert result.error.details["hint"]
    assert alive.unwrap()["n"] == 8


async def test_a_call_tells_the_plugin_its_deadline_and_its_name(
    make_plugin: MakePlugin, open_host: OpenHost
) -> None:
    make_plugin("strict", main=STRICT)
    async with open_host() as host:
        result = await host.call("strict", "double", {"n": 1}, timeout_s=5)

    meta = result.unwrap()["meta"]
    assert 0 < meta["deadline_ms"] <= 5000
    assert meta["call_id"] == result.call_id
    assert "progressToken" not in meta


@attrs.define
class Recorder:
    """Writes down what passes; denies what it is told to."""

    name: str
    seen: list[str]
    deny: str = ""

    async def __call__(self, request: Request, proceed: Proceed) -> CallResult:
        self.seen.append(f"{self.name} before {request.tool.name} {request.arguments}")
        if self.deny:
            error = CallError("denied-by-rule", self.deny)
            return CallResult(False, None, error, request.call_id, request.plugin)
        result = await proceed(request)
        self.seen.append(f"{self.name} after {result.ok}")
        return result


async def test_interceptors_stand_around_every_call_in_their_order(
    make_plugin: MakePlugin, open_host: OpenHost
) -> None:
    make_plugin("strict", main=STRICT)
    seen: list[str] = []
    around: list[Interceptor] = [Recorder("outer", seen), Recorder("inner", seen)]
    async with open_host(interceptors=around) as host:
        assert (await host.call("strict", "double", {"n": 1})).ok
        assert kind(await host.call("strict", "double", {})) == "invalid-arguments"

    assert seen == [
        "outer before double {'n': 1}",
        "inner before double {'n': 1}",
        "inner after True",
        "outer after True",
    ]


async def test_an_interceptor_may_deny_and_nothing_reaches_the_plugin(
    make_plugin: MakePlugin, open_host: OpenHost
) -> None:
    make_plugin("strict", main=STRICT)
    async with open_host(interceptors=[Recorder("rule", [], deny="not today")]) as host:
        result = await host.call("strict", "double", {"n": 1})
        assert host.health("strict").success_count == 0

    assert kind(result) == "denied-by-rule"


async def test_an_interceptor_that_hangs_is_held_to_the_deadline(
    make_plugin: MakePlugin, open_host: OpenHost
) -> None:
    make_plugin("strict", main=STRICT)

    async def stuck(request: Request, proceed: Proceed) -> CallResult:
        await trio.sleep_forever()
        raise AssertionError

    async with open_host(interceptors=[stuck]) as host:
        with trio.fail_after(5):
            assert (
                kind(await host.call("strict", "double", {"n": 1}, timeout_s=0.1)) == "call-timeout"
            )


async def test_an_interceptor_that_fails_ends_its_call_only(
    make_plugin: MakePlugin, open_host: OpenHost
) -> None:
    make_plugin("strict", main=STRICT)

    async def broken(request: Request, proceed: Proceed) -> CallResult:
        raise KeyError("mine")

    async with open_host(interceptors=[broken]) as host:
        result = await host.call("strict", "double", {"n": 1})
        assert host.health("strict").state == "ready"

    assert kind(result) == "internal"


async def test_a_setting_whose_schema_is_just_true_harms_nobody(
    make_plugin: MakePlugin, open_host: OpenHost
) -> None:
    make_plugin(
        "strict",
        main=STRICT,
        manifest="[settings]\nproperties.x = true\nproperties.y = { default = 1 }\n",
    )
    async with open_host() as host:
        assert (await host.call("strict", "double", {"n": 1})).ok


async def test_dependencies_start_first_and_missing_ones_are_explained(
    make_plugin: MakePlugin, open_host: OpenHost
) -> None:
    make_plugin("base", main=STRICT)
    make_plugin("above", main=STRICT, manifest='[dependencies]\nbase = "^1.0"\n')
    make_plugin("lost", main=STRICT, manifest='[dependencies]\nghost = "^1.0"\n')
    async with open_host() as host:
        base, above, lost = (host.health(name) for name in ("base", "above", "lost"))
        refused = await host.call("lost", "double", {"n": 1})
        assert (await host.call("above", "double", {"n": 1})).ok

    assert (base.state, above.state, lost.state) == ("ready", "ready", "unavailable")
    assert base.uptime_seconds is not None
    assert above.uptime_seconds is not None
    assert base.uptime_seconds > above.uptime_seconds
    assert "ghost ^1.0, which is not there" in lost.reason
    assert kind(refused) == "plugin-unavailable"


async def test_a_broken_manifest_answers_calls_with_its_problems(
    make_plugin: MakePlugin, open_host: OpenHost
) -> None:
    make_plugin("bad", manifest='runtim = "python"\n')
    make_plugin("strict", main=STRICT)
    async with open_host() as host:
        result = await host.call("bad", "x")
        assert [problem.type for problem in host.problems()] == ["manifest-invalid"]
        assert (await host.call("strict", "double", {"n": 1})).ok

    assert kind(result) == "manifest-invalid"


@pytest.mark.parametrize("eager", [True, False])
async def test_tools_are_listed_once_their_plugin_was_ready(
    make_plugin: MakePlugin, open_host: OpenHost, eager: bool
) -> None:
    make_plugin("strict", main=STRICT)
    async with open_host(eager=eager) as host:
        assert [entry.public_name for entry in host.tools()] == ["strict__double"] * eager
        await host.call("strict", "double", {"n": 1})
        assert [entry.public_name for entry in host.tools("strict")] == ["strict__double"]


async def test_health_is_complete_and_plain_json(
    make_plugin: MakePlugin, open_host: OpenHost
) -> None:
    make_plugin("strict", main=STRICT)
    async with open_host() as host:
        await host.call("strict", "double", {"n": 1})
        record: dict[str, Any] = host.health("strict").to_json()

    assert record["state"] == "ready"
    assert record["rss_bytes"] > 1_000_000
    assert record["latency_ms"]["p50"] > 0
    assert record["limits"]["memory_mb"] == 256
    assert {"name", "pid", "guards", "circuit"} - set(record) == {"circuit"}  # the breaker's


async def test_an_error_inside_the_block_comes_out_as_it_is(
    make_plugin: MakePlugin, open_host: OpenHost
) -> None:
    make_plugin("strict", main=STRICT)
    with pytest.raises(KeyError, match="mine"):
        async with open_host():
            raise KeyError("mine")
