"""Type hints become JSON Schemas, and JSON becomes what the hints say."""

from __future__ import annotations

import dataclasses
import enum
import functools
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal, NewType, NotRequired, Optional, TypedDict, Union

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from plughost_sdk import Content, Context, DeclarationError, Plugin, Result
from plughost_sdk._declared.schema import Schemas
from plughost_sdk._declared.tools import Tool
from plughost_sdk.errors import Misfit
from plughost_sdk.jsontext import parse

UserId = NewType("UserId", int)


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Book(TypedDict):
    """A book."""

    title: str
    pages: NotRequired[int]


class Shelf(Book, total=False):
    books: list[Book]


@dataclasses.dataclass
class Point:
    """A point.

    Args:
        x: To the right.
    """

    x: float
    y: float = 0.0
    tags: list[str] = dataclasses.field(default_factory=list)
    seen: bool = dataclasses.field(default=False, init=False)

    def __post_init__(self) -> None:
        if self.x < 0:
            raise ValueError("x must not be negative")


@dataclasses.dataclass
class Tree:
    name: str
    children: list[Tree] = dataclasses.field(default_factory=list)
    parent: Tree | None = None


def listing(function: Callable[..., Any], **options: Any) -> dict[str, Any]:
    tool = Tool(function, None, **options)
    listed: dict[str, Any] = parse(tool.prepare())
    for name in ("inputSchema", "outputSchema"):
        if name in listed:
            Draft202012Validator.check_schema(listed[name])
    return listed


def schema_of(hint: Any) -> dict[str, Any]:
    return Schemas().form(hint, globals(), "here").schema


@pytest.mark.parametrize(
    ("hint", "schema"),
    [
        (str, {"type": "string"}),
        (bool, {"type": "boolean"}),
        (None, {"type": "null"}),
        (Any, {}),
        (object, {}),
        (list, {"type": "array"}),
        (list[int], {"type": "array", "items": {"type": "integer"}}),
        (Sequence[str], {"type": "array", "items": {"type": "string"}}),
        (typing.List[str], {"type": "array", "items": {"type": "string"}}),  # noqa: UP006 - people write it
        (set[str], {"type": "array", "items": {"type": "string"}, "uniqueItems": True}),
        (dict, {"type": "object"}),
        (dict[str, Any], {"type": "object"}),
        (Mapping[str, float], {"type": "object", "additionalProperties": {"type": "number"}}),
        (tuple[int, ...], {"type": "array", "items": {"type": "integer"}}),
        (
            tuple[int, str],
            {
                "type": "array",
                "prefixItems": [{"type": "integer"}, {"type": "string"}],
                "minItems": 2,
                "maxItems": 2,
            },
        ),
        (Literal["a", 1], {"enum": ["a", 1]}),
        (Optional[int], {"anyOf": [{"type": "integer"}, {"type": "null"}]}),  # noqa: UP045 - people write it
        (int | str, {"anyOf": [{"type": "integer"}, {"type": "string"}]}),
        (Union[int, str], {"anyOf": [{"type": "integer"}, {"type": "string"}]}),  # noqa: UP007 - people write it
        (Colour, {"enum": ["red", "blue"]}),
        (Level, {"enum": [1, 2]}),
        (UserId, {"type": "integer"}),
        (Annotated[int, "how many", 5], {"type": "integer", "description": "how many"}),
        ("Colour | None", {"anyOf": [{"enum": ["red", "blue"]}, {"type": "null"}]}),
        (
            Book,
            {
                "type": "object",
                "description": "A book.",
                "properties": {"title": {"type": "string"}, "pages": {"type": "integer"}},
                "required": ["title"],
                "additionalProperties": False,
            },
        ),
        (
            Point,
            {
                "type": "object",
                "description": "A point.",
                "properties": {
                    "x": {"type": "number", "description": "To the right."},
                    "y": {"type": "number", "default": 0.0},
                    "tags": {"type": "array", "items": {"type": "string"}},
                },
                "required": ["x"],
                "additionalProperties": False,
            },
        ),
    ],
    ids=repr,
)
def test_a_hint_has_its_schema(hint: Any, schema: dict[str, Any]) -> None:
    assert schema_of(hint) == schema


def test_a_typed_dict_that_extends_another_has_both_ones_keys() -> None:
    schema = schema_of(Shelf)

    assert set(schema["properties"]) == {"title", "pages", "books"}
    assert schema["required"] == ["title"]


def test_a_type_that_contains_itself_is_a_reference() -> None:
    def plant(tree: Tree) -> Tree:
        return tree

    listed = listing(plant)

    schema = listed["inputSchema"]
    validator = Draft202012Validator(schema)
    assert validator.is_valid({"tree": {"name": "a", "children": [{"name": "b"}]}})
    assert not validator.is_valid({"tree": {"name": "a", "children": [{"nam": "b"}]}})
    assert listed["outputSchema"]["type"] == "object"
    form = Schemas().form(Tree, globals(), "here")
    assert form.convert is not None
    made = form.convert({"name": "a", "children": [{"name": "b"}]}, "tree")
    assert made == Tree("a", [Tree("b")])


@pytest.mark.parametrize(
    ("hint", "words"),
    [
        ("Missing", "'Missing' cannot be resolved"),
        ("1 +", "cannot be resolved"),
        (bytes, "bytes has no JSON form"),
        (complex, "complex has no JSON form"),
        (Callable[[], int], "has no JSON form"),
        (dict[int, str], "keys are strings"),
        (list[bytes], "bytes has no JSON form"),
        (typing.TypeVar("T"), "has no JSON form"),
        (enum.Enum("Odd", {"A": (1,)}), "which JSON cannot carry"),
        (Literal[b"a"], "has no JSON form"),
        (Context, "has no JSON form"),
    ],
    ids=repr,
)
def test_a_hint_without_a_json_form_is_an_error_that_names_the_place(hint: Any, words: str) -> None:
    def tool(value: Any) -> None: ...

    tool.__annotations__["value"] = hint
    if hint is Context:  # a second one has no meaning
        tool.__annotations__ = {"value": dict[str, Context]}

    with pytest.raises(DeclarationError) as caught:
        listing(tool)

    assert "tool 'tool', parameter 'value'" in str(caught.value)
    assert words in str(caught.value)


def test_what_a_tool_returns_is_named_when_it_has_no_json_form() -> None:
    def tool() -> bytes:
        return b""

    with pytest.raises(DeclarationError, match="tool 'tool', what it returns: bytes"):
        listing(tool)


def carrying(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {"result": schema}, "required": ["result"]}


@pytest.mark.parametrize(
    ("returns", "output"),
    [
        (int, carrying({"type": "integer"})),
        (dict[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}),
        (None, carrying({"type": "null"})),
        (Any, None),
        (Content, None),
        (list[Content], None),
        (Result | None, None),
    ],
    ids=repr,
)  # fmt: skip
def test_what_a_tool_returns_is_its_output_schema(returns: Any, output: object) -> None:
    def tool() -> None: ...

    tool.__annotations__["return"] = returns

    assert listing(tool).get("outputSchema") == output


def test_an_object_or_a_scalar_has_an_output_schema_of_type_object() -> None:
    def tool() -> Book | int | None: ...

    schema = listing(tool)["outputSchema"]

    validator = Draft202012Validator(schema)
    assert schema["type"] == "object"
    for carried in ({"title": "t"}, {"result": 1}, {"result": None}):
        assert validator.is_valid(carried)
    assert not validator.is_valid({"result": "x"})


def test_the_docstring_describes_the_tool_and_its_parameters() -> None:
    def tool(text: str, top: int = 3, *, rest: list[str] | None = None) -> None:
        """Count words.

        Over two
        lines: with a colon.

        Args:
            text (str): What to count,
                in full.
            top: How many: at most.

        Returns:
            text: not a parameter.
        """

    listed = listing(tool)

    assert listed["description"] == "Count words.\n\nOver two\nlines: with a colon."
    properties = listed["inputSchema"]["properties"]
    assert properties["text"]["description"] == "What to count, in full."
    assert properties["top"] == {
        "type": "integer",
        "description": "How many: at most.",
        "default": 3,
    }
    assert properties["rest"]["default"] is None
    assert listed["inputSchema"]["required"] == ["text"]


def test_decorated_bound_and_partial_functions_are_read_through() -> None:
    def tool(a: int, b: str = "x") -> str:
        return b * a

    @functools.wraps(tool)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return tool(*args, **kwargs)

    class Holder:
        def method(self, a: int, b: str = "x") -> str:
            return tool(a, b)

        def __call__(self, a: int, b: str = "x") -> str:
            return tool(a, b)

    for function in (tool, wrapped, Holder().method):
        assert list(listing(function)["inputSchema"]["properties"]) == ["a", "b"]
    called = Tool(Holder(), "called")
    assert parse(called.prepare())["inputSchema"]["required"] == ["a"]
    partial = Tool(functools.partial(tool, b="y"), "partial")
    assert list(parse(partial.prepare())["inputSchema"]["properties"]) == ["a"]


def test_types_of_an_enclosing_function_are_found() -> None:
    @dataclasses.dataclass
    class Local:
        n: int

    def tool(one: Local) -> int:
        return Local(one.n).n

    assert listing(tool)["inputSchema"]["properties"]["one"]["required"] == ["n"]


@pytest.mark.parametrize(
    ("declare", "words"),
    [
        (lambda plugin: plugin.tool(name="two words")(print), "cannot name a tool"),
        (lambda plugin: plugin.tool(name="x" * 65)(lambda: 1), "use 1 to 64 letters"),
        (lambda plugin: plugin.tool(print), "is not a Python function"),
        (lambda plugin: [plugin.tool(name="a")(lambda: 1) for _ in "12"], "two tools are named"),
        (lambda plugin: [plugin.hook("h")(lambda c: 1) for _ in "12"], "two handlers for the hook"),
        (lambda plugin: [plugin.on_init(lambda: 1) for _ in range(2)], "two handlers for on_init"),
    ],
)  # fmt: skip
def test_a_declaration_that_cannot_work_is_refused_at_once(
    declare: Callable[[Plugin], object], words: str
) -> None:
    with pytest.raises(DeclarationError, match=words):
        declare(Plugin("p"))


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def tool(*args: int): ...", r"\*arguments cannot be passed"),
        ("def tool(a: int, /): ...", "before '/' cannot be passed"),
        ("def tool(**rest: int): ...", "name them, or give the tool a schema"),
        ("def tool(a): ...", "parameter 'a' has no type"),
    ],
)
def test_parameters_that_cannot_be_filled_are_refused(source: str, words: str) -> None:
    names: dict[str, Any] = {}
    exec(source, names)

    with pytest.raises(DeclarationError, match=words):
        listing(names["tool"])


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "array"}, "must be a JSON Schema of type object"),
        ({"properties": {"b": {}}}, "'b', which is none of its parameters"),
        ({"properties": {"a": {}}}, "parameter 'a' has no default"),
    ],
)
def test_a_schema_by_hand_must_fit_its_function(schema: dict[str, Any], words: str) -> None:
    def tool(a: int) -> None: ...

    with pytest.raises(DeclarationError, match=words):
        listing(tool, input=schema)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"title": 3}, "tool 'tool': title must be a string"),
        ({"annotations": ["readOnlyHint"]}, "tool 'tool': annotations must be a dict of hints"),
        ({"annotations": {"cost": {1}}}, "the listing of tool 'tool'.annotations.cost"),
    ],
)
def test_a_title_and_annotations_must_be_json_of_their_kind(
    said: dict[str, Any], words: str
) -> None:
    def tool() -> None: ...

    with pytest.raises(DeclarationError, match=words):
        listing(tool, **said)


@pytest.mark.parametrize(
    ("said", "listed"),
    [
        ({}, None),
        ({"annotations": {}}, None),
        ({"annotations": {"readOnlyHint": True}}, {"readOnlyHint": True}),
        ({"annotations": {"idempotentHint": False}}, {"idempotentHint": False}),
        ({"annotations": {"idempotentHint": False}, "idempotent": True}, {"idempotentHint": True}),
    ],
)
def test_annotations_are_listed_with_the_hint_that_idempotent_gives(
    said: dict[str, Any], listed: dict[str, Any] | None
) -> None:
    def tool() -> None: ...

    assert listing(tool, **said).get("annotations") == listed


# Hints built at random, each with JSON values that may or may not fit it.
LEAVES: list[Any] = [str, int, float, bool, None, Any, Colour, Level, Literal["a", 2], Book, Point]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.floats(-3, 3).map(lambda number: round(number, 1))
    | st.sampled_from(["a", "b", "red", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "x", "y", "title", "pages"]), inner, max_size=3)
    ),
    max_leaves=6,
)
HINTS = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: (
        inner.map(lambda hint: list[hint])  # type: ignore[valid-type]  # built at random
        | inner.map(lambda hint: dict[str, hint])  # type: ignore[valid-type]  # built at random
        | st.tuples(inner, inner).map(lambda pair: tuple[pair])  # type: ignore[valid-type]  # built at random
        | st.tuples(inner, inner).map(lambda pair: Union[pair])  # noqa: UP007 - built at random
    ),
    max_leaves=4,
)


@settings(max_examples=400)
@given(HINTS, JSON)
def test_a_value_is_converted_exactly_when_the_schema_allows_it(hint: Any, value: Any) -> None:
    form = Schemas().form(hint, globals(), "here")
    Draft202012Validator.check_schema(form.schema)
    allowed = Draft202012Validator(form.schema).is_valid(value)

    try:
        if form.convert is not None:
            form.convert(value, "value")
        misfit = None
    except Misfit as caught:
        misfit = caught

    # What only the class itself can refuse is no matter of its schema.
    fits = misfit is None or misfit.reason == "x must not be negative"
    assert fits is allowed
    assert misfit is None or misfit.path.startswith("value")
