"""What a tool gets and what its caller gets (wire 5 and 6)."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.runtimes.python.conftest import Launch
from tests.runtimes.python.wire_client import WireClient, data_of

TOOLS = '''
import dataclasses, enum

class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"

@dataclasses.dataclass
class Point:
    x: int
    y: int = 0

@plugin.tool
def give(what: str) -> Any:
    """Return a value JSON may or may not have."""
    cycle = []
    cycle.append(cycle)
    deep = 1
    for _ in range(80):
        deep = [deep]
    return {
        "nan": lambda: {"a": [1.0, float("nan")]},
        "infinity": lambda: float("inf"),
        "cycle": lambda: cycle,
        "set": lambda: {"tags": {1, 2}},
        "bytes": lambda: b"abc",
        "object": lambda: [object()],
        "int key": lambda: {1: "one"},
        "huge": lambda: 2**64,
        "surrogate": lambda: {"name": "\\ud800"},
        "deep": lambda: deep,
        "generator": lambda: (one for one in "ab"),
        "point": lambda: Point(1, 2),
        "points": lambda: [Point(1), {"at": Point(3)}],
        "colour": lambda: {"colour": Colour.RED},
        "tuple": lambda: (1, "two", None),
        "unsigned": lambda: 2**64 - 1,
        "text": lambda: "Grüße \\U0001f600 \\u2028",
        "none": lambda: None,
        "result object": lambda: {"result": 1},
    }[what]()

@plugin.tool
def fail(how: str) -> None:
    """Fail."""
    if how == "renamed":
        raise ToolError("gone", details={"exception": "NotFound", "id": 7})
    if how == "renamed, not JSON":
        raise ToolError("gone", details={"exception": object()})
    if how == "ToolError":
        raise ToolError("try later", retryable=True, details={"wait_s": 3})
    if how == "strange details":
        raise ToolError("strange", details={"when": object()})
    if how == "exit":
        sys.exit(3)
    if how == "interrupt":
        raise KeyboardInterrupt
    if how == "key":
        {}["missing"]
    if how == "silent":
        raise ValueError
    if how == "surrogate":
        raise ValueError("\\ud800")
    if how == "chain":
        try:
            1 / 0
        except ZeroDivisionError as error:
            raise ValueError("outer") from error
    if how == "unprintable":
        class Odd(Exception):
            def __str__(self):
                raise RuntimeError("no words")
        raise Odd
    if how == "group":
        raise ExceptionGroup("several", [ValueError("one of several")])

@plugin.tool
def recurse(depth: int = 0) -> int:
    return recurse(depth + 1) + 1

class Endless:
    def __getattr__(self, name: str) -> object:
        return getattr(self, name + "a")

@plugin.tool
def recurse_in_c() -> None:
    Endless().name

@plugin.tool
def move(to: Point, colour: Colour = Colour.BLUE, by: float = 1.0) -> dict:
    assert isinstance(to, Point) and isinstance(colour, Colour) and type(by) is float
    return {"x": to.x, "y": to.y, "colour": colour.value, "by": by}

@plugin.tool
def integer(value: int) -> str:
    return repr(value)

@plugin.tool(name="named.tool-1", description="Said by hand.", idempotent=True, long_running=True,
             title="By another name", annotations={"readOnlyHint": False})
def hidden_name() -> str:
    """Not this."""
    return "here"

@plugin.tool(input={"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]},
             output={"type": "object"})
def by_hand(n, ctx):
    return {"n": n, "id": ctx.call_id}

plugin.add_tool("raw", lambda arguments, ctx: {"got": arguments, "id": ctx.call_id},
                description="Raw.", input={"properties": {"a": {"enum": [1, "x"]}}},
                title="Raw data", annotations={"openWorldHint": True})

@plugin.tool
def picture() -> Content:
    return Content.image(b"png", "image/png")

@plugin.tool
def several() -> list[Content]:
    return [Content.text("a"), Content.link("file:///x", "x"), Content.resource("a:b", b"raw")]

@plugin.tool
def both() -> Result:
    return Result(["said", Content.text("twice")], data=[1])

@plugin.tool
def about(ctx: Context, request: Context = None) -> dict:
    return {"id": ctx.call_id, "chain": list(ctx.chain), "left": ctx.deadline_s,
            "settings": ctx.settings}

@plugin.tool
async def later(text: str, me: Context) -> str:
    await me.log("waiting")
    me.progress(1, 2)
    await asyncio.sleep(0)
    return text + (me.call_id or "")

@plugin.tool
def forgets() -> Any:
    return later.__wrapped__("x") if hasattr(later, "__wrapped__") else asyncio.sleep(0)
'''


@pytest.fixture
def plugin(launch: Launch) -> WireClient:
    return launch(TOOLS.replace(", request: Context = None", "")).begin(language="en")


@pytest.mark.parametrize(
    ("what", "data"),
    [
        ("point", {"x": 1, "y": 2}),
        ("points", [{"x": 1, "y": 0}, {"at": {"x": 3, "y": 0}}]),
        ("colour", {"colour": "red"}),
        ("tuple", [1, "two", None]),
        ("unsigned", 2**64 - 1),
        ("text", "Grüße \U0001f600 \u2028"),
        ("none", None),
        ("result object", {"result": 1}),
    ],
)
def test_what_a_tool_returns_arrives_as_it_was(plugin: WireClient, what: str, data: object) -> None:
    """Contract: wire 5.3."""
    result = plugin.call("give", what=what)

    assert data_of(result) == data
    assert result["content"] == []  # wire 5.4
    assert ("_meta" in result) == (not isinstance(data, dict))


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("nan", ["result.a[1]", "nan"]),
        ("infinity", ["inf"]),
        ("cycle", ["contains itself"]),
        ("set", ["result.tags", "set", "sorted"]),
        ("bytes", ["bytes", "decode"]),
        ("object", ["result[0]", "object"]),
        ("int key", ["key 1", "strings"]),
        ("huge", ["64 bits", "string"]),
        ("surrogate", ["result.name", "surrogate"]),
        ("deep", ["64 deep"]),
        ("generator", ["generator", "list"]),
    ],
)
def test_a_result_that_is_not_json_names_the_tool_the_place_and_the_reason(
    plugin: WireClient, what: str, words: list[str]
) -> None:
    """Contract: runtimes/README.md, an SDK, 4."""
    error = plugin.failure("give", what=what)

    assert "'give'" in error["message"]
    for word in words:
        assert word in error["message"]
    assert plugin.ask("ping") == {}


@pytest.mark.parametrize(
    ("how", "message", "exception"),
    [
        (
            "exit",
            "tool 'fail' called sys.exit(3), which ends the call, not the plugin",
            "SystemExit",
        ),
        ("key", "KeyError: 'missing'", "KeyError"),
        ("silent", "ValueError", "ValueError"),
        ("surrogate", "?", "ValueError"),
        ("chain", "outer", "ValueError"),
        ("group", "several (1 sub-exception)", "ExceptionGroup"),
    ],
)
def test_an_exception_is_a_tool_error_and_a_traceback_in_the_log(
    plugin: WireClient, how: str, message: str, exception: str
) -> None:
    """Contract: wire 5.6."""
    error = plugin.failure("fail", how=how)

    assert error["message"] == message
    assert error["retryable"] is False
    assert error["details"]["exception"] == exception
    assert "Traceback (most recent call last):" in plugin.log
    assert 'main.py", line' in plugin.log
    assert "plughost_sdk/" not in plugin.log  # an author's traceback begins in the author's file


def test_the_log_shows_what_caused_a_failure_and_what_a_group_held(plugin: WireClient) -> None:
    plugin.failure("fail", how="chain")
    plugin.failure("fail", how="group")

    assert "ZeroDivisionError: division by zero" in plugin.log
    assert "direct cause of the following exception" in plugin.log
    assert "ValueError: one of several" in plugin.log


def test_an_exception_without_words_still_fails_only_its_call(plugin: WireClient) -> None:
    assert plugin.failure("fail", how="unprintable")["message"]
    assert plugin.ask("ping") == {}


def test_a_tool_error_says_whether_to_retry_and_carries_details(plugin: WireClient) -> None:
    error = plugin.failure("fail", how="ToolError")

    assert error["retryable"] is True
    assert error["details"] == {"wait_s": 3, "exception": "ToolError"}


def test_a_tool_error_may_name_its_exception_itself(plugin: WireClient) -> None:
    """Contract: wire 5.6."""
    error = plugin.failure("fail", how="renamed")
    assert error["details"] == {"exception": "NotFound", "id": 7}

    error = plugin.failure("fail", how="renamed, not JSON")
    assert error["details"] == {"exception": "ToolError"}


def test_details_that_are_not_json_are_left_out(plugin: WireClient) -> None:
    error = plugin.failure("fail", how="strange details")

    assert error["message"] == "strange"
    assert error["details"] == {"exception": "ToolError"}


def test_the_traceback_of_endless_recursion_is_cut_before_it_is_formatted(
    plugin: WireClient,
) -> None:
    """Contract: runtimes/README.md, an SDK, 3."""
    error = plugin.failure("recurse")

    assert error["details"]["exception"] == "RecursionError"
    assert "frames left out" in plugin.log
    # Twenty frames at each end: three in full, then what `traceback` makes of repetition.
    assert plugin.log.count("[Previous line repeated 17 more times]") == 2


def test_endless_recursion_through_c_fails_one_call_on_every_thread(plugin: WireClient) -> None:
    """512 KiB stacks end in SIGSEGV here; see `crew._STACK_BYTES`."""
    calls = [plugin.start_call("recurse_in_c") for _ in range(12)]

    for call in calls:
        error = plugin.answer_to(call)["result"]["_meta"]["plughost/error"]
        assert error["details"]["exception"] == "RecursionError"


def test_dataclasses_and_enumerations_are_made_for_the_function(plugin: WireClient) -> None:
    made = plugin.data("move", to={"x": 1.0}, colour="red", by=2)

    assert made == {"x": 1, "y": 0, "colour": "red", "by": 2}
    assert plugin.data("move", to={"x": 1, "y": 2})["colour"] == "blue"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "arguments.to: missing"),
        ({"to": {"x": 1}, "speed": 1}, "arguments.speed: unknown; the parameters are: to, colour"),
        ({"to": 1}, "arguments.to: an integer, not an object"),
        ({"to": {"y": 1}}, "arguments.to.x: missing"),
        ({"to": {"x": "1"}}, "arguments.to.x: a string, not an integer"),
        ({"to": {"x": True}}, "arguments.to.x: a boolean, not an integer"),
        ({"to": {"x": 1.5}}, "arguments.to.x: a number, not an integer"),
        ({"to": {"x": 1, "z": 1}}, "arguments.to.z: unknown; known are x, y"),
        ({"to": {"x": 1}, "colour": "green"}, "arguments.colour: 'green' is none of 'red', 'blue'"),
        ({"to": {"x": 1}, "by": None}, "arguments.by: null, not a number"),
    ],
)
def test_arguments_that_do_not_fit_are_refused_with_their_place(
    plugin: WireClient, arguments: dict[str, object], words: str
) -> None:
    """Contract: wire 5.7."""
    assert words in plugin.misfit("move", **arguments)


def test_an_integer_may_be_written_as_a_float(plugin: WireClient) -> None:
    assert plugin.data("integer", value=3.0) == "3"
    assert plugin.data("integer", value=2**70) == str(2**70)


def test_an_unknown_tool_and_arguments_of_the_wrong_kind_are_errors(plugin: WireClient) -> None:
    """Contract: wire 5.7."""
    unknown = plugin.error_of("tools/call", name="nope", arguments={})
    assert (unknown["code"], unknown["data"]["type"]) == (-32602, "tool-not-found")
    assert "'nope'" in unknown["message"]
    assert "give" in unknown["message"]

    wrong = plugin.error_of("tools/call", name="give", arguments=[1])
    assert (wrong["code"], wrong["data"]["type"]) == (-32602, "invalid-arguments")
    assert plugin.error_of("tools/call", name=["give"])["data"]["type"] == "tool-not-found"


def test_the_listing_says_what_was_declared(plugin: WireClient) -> None:
    """Contract: wire 5.1."""
    tools = {tool["name"]: tool for tool in plugin.ask("tools/list")["tools"]}

    named = tools["named.tool-1"]
    assert named["description"] == "Said by hand."
    assert named["annotations"] == {"readOnlyHint": False, "idempotentHint": True}
    assert named["title"] == "By another name"
    assert tools["raw"]["title"] == "Raw data"
    assert tools["raw"]["annotations"] == {"openWorldHint": True}
    assert "title" not in tools["by_hand"]
    assert "annotations" not in tools["by_hand"]
    assert named["_meta"] == {"plughost/longRunning": True}
    assert "ctx" not in tools["about"]["inputSchema"]["properties"]
    assert "me" not in tools["later"]["inputSchema"]["properties"]
    assert tools["later"]["inputSchema"]["required"] == ["text"]
    assert tools["move"]["inputSchema"]["properties"]["colour"]["default"] == "blue"
    assert "outputSchema" not in tools["picture"]
    assert tools["raw"]["inputSchema"]["type"] == "object"
    assert plugin.error_of("tools/list", cursor="x")["code"] == -32602


def test_a_schema_written_by_hand_is_listed_checked_and_passed(plugin: WireClient) -> None:
    assert plugin.data("by_hand", n=1) == {"n": 1, "id": "c-1"}
    assert plugin.data("raw", a="x", b=2) == {"got": {"a": "x", "b": 2}, "id": "c-1"}
    assert "arguments.n: missing" in plugin.misfit("by_hand")
    assert "unknown" in plugin.misfit("by_hand", n=1, m=2)
    assert "none of" in plugin.misfit("raw", a=True)


def test_content_travels_with_and_without_data(plugin: WireClient) -> None:
    """Contract: wire 5.5."""
    picture = plugin.call("picture")
    assert picture == {"content": [{"type": "image", "data": "cG5n", "mimeType": "image/png"}]}

    kinds = [block["type"] for block in plugin.call("several")["content"]]
    assert kinds == ["text", "resource_link", "resource"]

    both = plugin.call("both")
    assert [block["text"] for block in both["content"]] == ["said", "twice"]
    assert data_of(both) == [1]


def test_the_context_shows_what_travelled_with_the_call(plugin: WireClient) -> None:
    """Contract: wire 6."""
    number = plugin.start_call("about", call_id="c-7", chain=["a.b", "c.d"], deadline_ms=5_000)
    seen = data_of(plugin.answer_to(number)["result"])

    assert seen["id"] == "c-7"
    assert seen["chain"] == ["a.b", "c.d"]
    assert 0 < seen["left"] <= 5
    assert seen["settings"] == {"language": "en"}


def test_an_async_tool_awaits_its_context_or_does_not(plugin: WireClient) -> None:
    number = plugin.start_call("later", {"text": "x"}, progressToken="t")

    assert data_of(plugin.answer_to(number)["result"]) == "xc-1"
    assert [message["method"] for message in plugin.set_aside] == [
        "notifications/message",
        "notifications/progress",
    ]


def test_a_coroutine_nobody_awaited_is_explained(plugin: WireClient) -> None:
    assert "async def" in plugin.failure("forgets")["message"]


def test_an_answer_longer_than_a_message_is_a_tool_error(launch: Launch) -> None:
    """Contract: wire 2.2."""
    plugin = launch(
        "@plugin.tool\ndef long(n: int) -> str:\n    return 'x' * n\n"
        "@plugin.tool\ndef fail_long(n: int) -> str:\n    raise ToolError('x' * n)"
    ).begin()

    message = plugin.failure("long", n=4 * 1024 * 1024)["message"]
    assert "'long'" in message
    assert "max_message_mb" in message
    assert plugin.failure("fail_long", n=5 * 1024 * 1024)["message"]
    assert len(plugin.data("long", n=4 * 1024 * 1024 - 1000)) == 4 * 1024 * 1024 - 1000


def test_a_tool_added_while_serving_is_announced(launch: Launch) -> None:
    """Contract: wire 5.8."""
    plugin = launch("""
@plugin.tool
def grow() -> None:
    plugin.add_tool("new", lambda arguments, ctx: "new", description="", input={})
""").begin()
    plugin.ask("tools/list")

    plugin.call("grow")

    assert plugin.next_named("notifications/tools/list_changed")
    assert [tool["name"] for tool in plugin.ask("tools/list")["tools"]] == ["grow", "new"]
    assert plugin.data("new") == "new"


def test_the_log_names_no_file_of_the_sdk(plugin: WireClient, tmp_path: Path) -> None:
    plugin.failure("fail", how="silent")

    assert str(tmp_path) in plugin.log
