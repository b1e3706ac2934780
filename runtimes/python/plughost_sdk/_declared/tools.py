"""One declared tool: what the host lists, and how its arguments reach the function."""

from __future__ import annotations

from plughost_sdk._declared.docstrings import read_docstring
from plughost_sdk._declared.signatures import NO_DEFAULT, read_signature, resolve
from plughost_sdk.content import Content, Result
from plughost_sdk.context import AsyncContext, Context
from plughost_sdk.errors import DeclarationError, Misfit
from plughost_sdk.jsontext import NotJsonError, encode, is_plain

TYPE_CHECKING = False  # `typing` costs 10 ms, which every start would pay
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from plughost_sdk._declared.schema import Convert, Schemas
    from plughost_sdk._declared.signatures import Parameter, Signature
    from plughost_sdk._session.calls import Call

__all__ = ["Tool", "check_name"]

# Characters of a tool's name (wire 5.1).
_NAME_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-")
_NAME_LENGTH = 64


def check_name(name: object) -> str:
    """Return *name* if it may name a tool.

    Raises:
        DeclarationError: It may not.
    """
    if type(name) is str and 0 < len(name) <= _NAME_LENGTH and _NAME_CHARACTERS.issuperset(name):
        return name
    raise DeclarationError(
        f"{name!r} cannot name a tool: use 1 to {_NAME_LENGTH} letters, digits, '_', '.' and '-'"
    )


class Tool:
    """A tool: its listing, its parameters, and whether it has been quick so far.

    A tool made from a function reads its schema off the type hints; one made by
    `Plugin.add_tool` (*raw*) brings its schema and gets its arguments as one dict.

    Attributes:
        is_async: Whether the function is ``async def``.
        quick: Whether it runs where the wire is read (see `crew`).
        streak: How often in a row it was quick while it ran elsewhere.
        last_s: How long it took when that was last looked at.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        name: str | None,
        *,
        title: str | None = None,
        description: str | None = None,
        input: dict[str, Any] | None = None,  # noqa: A002 - the keyword plugin authors write
        output: dict[str, Any] | None = None,
        idempotent: bool = False,
        long_running: bool = False,
        annotations: dict[str, Any] | None = None,
        raw: bool = False,
    ) -> None:
        self.function = function
        self.name = check_name(name if name is not None else getattr(function, "__name__", None))
        self.quick = True
        self.streak = 0
        self.last_s = float("inf")
        self._signature = read_signature(function, f"tool {self.name!r}")
        self.is_async = self._signature.is_async
        self._title = title
        self._description = description
        self._input = input
        self._output = output
        self._annotations = annotations
        self._idempotent = idempotent
        self._long_running = long_running
        self._raw = raw
        self._ctx: str | None = None
        self._converts: dict[str, Convert | None] = {}
        self._required: tuple[str, ...] = ()
        self._check: Callable[[dict[str, Any]], None] | None = None
        self._taken: frozenset[str] | None = None  # names a schema of its own may not exceed

    def prepare(self) -> bytes:
        """Read the schema, once every name in the module exists, and return the listing.

        Raises:
            DeclarationError: The tool can never be called as it is written.
        """
        description, about = read_docstring(self.function.__doc__)
        listing: dict[str, Any] = {
            "name": self.name,
            "description": description if self._description is None else self._description,
            "inputSchema": self._input_schema(about),
        }
        output = self._output if self._output is not None else self._output_schema()
        if output is not None:
            listing["outputSchema"] = _object_schema(output, f"tool {self.name!r}: output")
        if self._title is not None:
            if not isinstance(self._title, str):
                raise DeclarationError(f"tool {self.name!r}: title must be a string")
            listing["title"] = self._title
        annotations = self._hints()
        if annotations:
            listing["annotations"] = annotations
        if self._long_running:
            listing["_meta"] = {"plughost/longRunning": True}
        try:
            return encode(listing, f"the listing of tool {self.name!r}")
        except NotJsonError as error:
            raise DeclarationError(str(error)) from error

    def _hints(self) -> dict[str, Any]:
        given = {} if self._annotations is None else self._annotations
        if not isinstance(given, dict):
            raise DeclarationError(
                f"tool {self.name!r}: annotations must be a dict of hints, "
                'as {"readOnlyHint": True}'
            )
        return {**given, "idempotentHint": True} if self._idempotent else given

    def start(self, call: Call) -> Any:
        """Run the function with the call's arguments and return what it returns.

        Raises:
            Misfit: The arguments do not fit.
        """
        arguments = call.arguments
        if self._check is not None:
            self._check(arguments)
        if self._raw:
            return self.function(arguments, self._context(call))
        if self._check is None:
            arguments = self._bind(arguments)
        elif self._taken is not None and not self._taken.issuperset(arguments):
            raise _unknown(next(name for name in arguments if name not in self._taken), self._taken)
        if self._ctx is not None:
            arguments = {**arguments, self._ctx: self._context(call)}
        return self.function(**arguments)

    def _context(self, call: Call) -> Context:
        return (AsyncContext if self.is_async else Context)(call.session, call)

    def _bind(self, arguments: dict[str, Any]) -> dict[str, Any]:
        converts = self._converts
        bound = {}
        for name, value in arguments.items():
            if name not in converts:
                raise _unknown(name, converts)
            convert = converts[name]
            bound[name] = value if convert is None else convert(value, f"arguments.{name}")
        for name in self._required:
            if name not in bound:
                raise Misfit(f"arguments.{name}", "missing")
        return bound

    # -- reading the declaration ----------------------------------------------------

    def _input_schema(self, about: dict[str, str]) -> dict[str, Any]:
        signature = self._signature
        if self._raw:
            return self._given_schema()
        _refuse_unnamed(signature)
        parameters = self._without_context(signature.parameters)
        if self._input is not None:
            given = self._given_schema()
            self._match_names(parameters)
            return given
        if signature.takes_rest:
            raise DeclarationError(
                f"{signature.where}: **keywords say nothing about the arguments: "
                "name them, or give the tool a schema with input={…}"
            )
        from plughost_sdk._declared.schema import Schemas

        schemas = Schemas()
        schema: dict[str, Any] = {
            "type": "object",
            "properties": {
                one.name: self._property(one, schemas, about.get(one.name)) for one in parameters
            },
            "additionalProperties": False,
        }
        self._required = tuple(one.name for one in parameters if one.default is NO_DEFAULT)
        if self._required:
            schema["required"] = list(self._required)
        if schemas.definitions:
            schema["$defs"] = schemas.definitions
        return schema

    def _property(self, one: Parameter, schemas: Schemas, about: str | None) -> dict[str, Any]:
        where = f"{self._signature.where}, parameter {one.name!r}"
        if one.annotation is NO_DEFAULT:
            raise DeclarationError(
                f"{where} has no type: write one, as {one.name}: str, or {one.name}: Any"
            )
        form = schemas.form(one.annotation, self._signature.names, where)
        self._converts[one.name] = form.convert
        schema = dict(form.schema)
        if about:
            schema["description"] = about
        if one.default is not NO_DEFAULT:
            with_default(schema, one.default)
        return schema

    def _without_context(self, parameters: list[Parameter]) -> list[Parameter]:
        """Take out the parameter that receives the context, and remember its name."""
        rest = []
        for one in parameters:
            if self._ctx is None and is_context(one, self._signature):
                self._ctx = one.name
            else:
                rest.append(one)
        return rest

    def _match_names(self, parameters: list[Parameter]) -> None:
        """Refuse an explicit schema whose properties the function does not take."""
        assert self._input is not None
        properties = self._input.get("properties", {})
        taken = {one.name for one in parameters}
        missing = [name for name in properties if name not in taken]
        if missing and not self._signature.takes_rest:
            raise DeclarationError(
                f"{self._signature.where}: its schema has {missing[0]!r}, which is none of its "
                f"parameters ({', '.join(sorted(taken)) or 'none'}): name it, or take **arguments"
            )
        self._taken = None if self._signature.takes_rest else frozenset(taken)
        required = set(self._input.get("required", ()))
        for one in parameters:
            if one.default is NO_DEFAULT and one.name not in required:
                raise DeclarationError(
                    f"{self._signature.where}: parameter {one.name!r} has no default and its "
                    "schema does not require it: give it one, or add it to 'required'"
                )

    def _given_schema(self) -> dict[str, Any]:
        from plughost_sdk._declared.fitting import checker

        schema = _object_schema(self._input or {}, f"{self._signature.where}: input")
        self._check = checker(schema)
        return schema

    def _output_schema(self) -> dict[str, Any] | None:
        """The schema of what the function says it returns; None when it says nothing useful."""
        signature = self._signature
        if self._raw or signature.returns is NO_DEFAULT:
            return None
        where = f"{signature.where}, what it returns"
        hint = resolve(signature.returns, signature.names, where)
        if _is_content(hint):
            return None
        from plughost_sdk._declared.schema import Schemas

        schemas = Schemas()
        schema = schemas.form(hint, signature.names, where).schema
        if not schema:
            return None
        schema = _as_object(schema, schemas.definitions)
        if schemas.definitions:
            schema["$defs"] = schemas.definitions
        return schema


def with_default(schema: dict[str, Any], default: object) -> None:
    """Write a parameter's *default* into its *schema*, if JSON can carry it."""
    if not is_plain(default):
        from plughost_sdk._declared.plainvalues import plain_value

        try:
            default = plain_value(default)
        except NotJsonError:
            return
    schema["default"] = default


def is_context(one: Parameter, signature: Signature) -> bool:
    """Whether the parameter *one* wants the context: by its name, or by its annotation."""
    if one.name == "ctx":
        return True
    if one.annotation is NO_DEFAULT:
        return False
    if one.annotation in ("Context", "plughost_sdk.Context"):
        return True
    return isinstance(one.annotation, type) and issubclass(one.annotation, Context)


def _unknown(name: str, known: Iterable[str]) -> Misfit:
    names = ", ".join(known) or "none"
    return Misfit(f"arguments.{name}", f"unknown; the parameters are: {names}")


def _refuse_unnamed(signature: Signature) -> None:
    if signature.positional_only or signature.takes_args:
        what = "parameters before '/'" if signature.positional_only else "*arguments"
        raise DeclarationError(
            f"{signature.where}: {what} cannot be passed: a tool's arguments have names"
        )


def _object_schema(schema: object, where: str) -> dict[str, Any]:
    if not isinstance(schema, dict) or schema.get("type", "object") != "object":
        raise DeclarationError(f"{where} must be a JSON Schema of type object")
    return {"type": "object", **schema}


def _is_content(hint: Any) -> bool:
    if isinstance(hint, type) and issubclass(hint, (Content, Result)):
        return True
    inside = getattr(hint, "__args__", None) or ()
    return any(_is_content(one) for one in inside)


def _as_object(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of the object that carries a value of *schema* (wire 5.3)."""
    if _is_object(schema, definitions):
        return {"type": "object", **schema}
    if "anyOf" in schema and any(_is_object(one, definitions) for one in schema["anyOf"]):
        carried = [_as_object(one, definitions) for one in schema["anyOf"]]
        return {"type": "object", "anyOf": carried}
    return {"type": "object", "properties": {"result": schema}, "required": ["result"]}


def _is_object(schema: dict[str, Any], definitions: dict[str, Any]) -> bool:
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    return schema.get("type") == "object"
