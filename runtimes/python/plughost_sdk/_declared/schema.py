"""Which JSON a Python type takes: its schema, and how a value becomes that type.

Strict but sensible: a boolean is no number, ``3.0`` is an integer and ``3`` a float,
nothing is parsed out of strings.  A type that has no JSON form is an error that names
the function and the parameter, never a silent "anything".
"""

from __future__ import annotations

import sys

from plughost_sdk._declared.signatures import resolve
from plughost_sdk.errors import DeclarationError, Misfit

TYPE_CHECKING = False  # `typing` costs 10 ms, which every start would pay
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    # Turns a JSON value at a path into the type's value, or raises Misfit.
    Convert = Callable[[Any, str], Any]

__all__ = ["Form", "Schemas", "kind_of"]

_LISTS = {"list", "Sequence", "MutableSequence", "Iterable", "Collection"}
_SETS = {"set", "frozenset", "Set", "MutableSet"}
_DICTS = {"dict", "Mapping", "MutableMapping", "defaultdict", "OrderedDict"}


class Form:
    """A type's JSON form: its schema, and how to convert a value (None: as it is)."""

    __slots__ = ("convert", "schema")

    def __init__(self, schema: dict[str, Any], convert: Convert | None) -> None:
        self.schema = schema
        self.convert = convert


def kind_of(value: Any) -> str:
    """Name the JSON type of *value*, for a person."""
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean",
             int: "an integer", float: "a number", type(None): "null"}  # fmt: skip
    return names.get(type(value), f"a {type(value).__name__}")


class Schemas:
    """Builds the forms of one function's types, which share their ``$defs``."""

    def __init__(self) -> None:
        self.definitions: dict[str, dict[str, Any]] = {}
        self._open: dict[type, str] = {}  # classes being read, outermost first
        self._referenced: set[str] = set()
        self._forms: dict[type, Form] = {}

    def form(self, hint: Any, names: dict[str, Any], where: str) -> Form:
        """Return the form of the type *hint*.

        Args:
            hint: A type, or a string that names one in *names*.
            names: Globals of the function or class that uses it.
            where: Begins the message when there is no form.

        Raises:
            DeclarationError: The type has no JSON form.
        """
        hint = resolve(hint, names, where)
        plain = _PLAIN.get(hint) if isinstance(hint, type) or hint is None else None
        if plain is not None:
            return Form(dict(plain.schema), plain.convert)
        origin = getattr(hint, "__origin__", None)
        found = self._special(hint, origin, names, where)
        if found is not None:
            return found
        container = origin if isinstance(origin, type) else hint
        arguments = getattr(hint, "__args__", ()) or ()
        found = self._container(container, arguments, names, where)
        if found is None and isinstance(container, type):
            found = self._class(container, where)
        if found is None:
            raise DeclarationError(
                f"{where}: {_show(hint)} has no JSON form: use str, int, float, bool, None, list, "
                "dict[str, …], tuple, Literal, a union, a TypedDict, a dataclass, an Enum or Any"
            )
        return found

    def _special(self, hint: Any, origin: Any, names: dict[str, Any], where: str) -> Form | None:
        """Return the form of what is not a class: Any, Literal, a union, a wrapper."""
        if hint is object or _is_typing(hint, "Any"):
            return Form({}, None)
        arguments: tuple[Any, ...] = getattr(hint, "__args__", ())
        if _is_typing(origin, "Literal"):
            return _literal(arguments, where)
        if _is_typing(origin, "Union") or type(hint).__name__ == "UnionType":
            return self._union([self.form(one, names, where) for one in arguments])
        inner = _unwrapped(hint, origin, arguments)
        if inner is None:
            return None
        form = self.form(inner, names, where)
        for note in getattr(hint, "__metadata__", ()):  # Annotated
            if isinstance(note, str):
                form.schema = {**form.schema, "description": note}
        return form

    def _union(self, forms: list[Form]) -> Form:
        return Form({"anyOf": [form.schema for form in forms]}, _convert_union(forms))

    def _container(
        self, container: Any, arguments: tuple[Any, ...], names: dict[str, Any], where: str
    ) -> Form | None:
        if not isinstance(container, type) or container.__module__ not in _CONTAINER_MODULES:
            return None
        kind = container.__name__
        if kind == "tuple":
            return self._tuple(arguments, names, where)
        if kind in _LISTS or kind in _SETS:
            item = self.form(arguments[0], names, where) if arguments else Form({}, None)
            schema: dict[str, Any] = {"type": "array"}
            if item.schema:
                schema["items"] = item.schema
            if kind in _SETS:
                schema["uniqueItems"] = True
            built = {"set": set, "MutableSet": set}.get(kind, frozenset) if kind in _SETS else None
            return Form(schema, _convert_array(item, built))
        if kind in _DICTS:
            return self._dict(arguments, names, where)
        return None

    def _tuple(self, arguments: tuple[Any, ...], names: dict[str, Any], where: str) -> Form:
        if not arguments:
            return Form({"type": "array"}, _convert_array(Form({}, None), tuple))
        if len(arguments) == 2 and arguments[1] is Ellipsis:  # noqa: PLR2004 - tuple[X, ...]
            item = self.form(arguments[0], names, where)
            return Form({"type": "array", "items": item.schema}, _convert_array(item, tuple))
        forms = [self.form(one, names, where) for one in arguments]
        schema = {
            "type": "array",
            "prefixItems": [form.schema for form in forms],
            "minItems": len(forms),
            "maxItems": len(forms),
        }
        return Form(schema, _convert_tuple(forms))

    def _dict(self, arguments: tuple[Any, ...], names: dict[str, Any], where: str) -> Form:
        if not arguments:
            return Form({"type": "object"}, _convert_dict(Form({}, None)))
        key = resolve(arguments[0], names, where)
        if key is not str and not _is_typing(getattr(key, "__origin__", None), "Literal"):
            raise DeclarationError(
                f"{where}: a dict's keys are strings in JSON, not {_show(key)}: use dict[str, …]"
            )
        item = self.form(arguments[1], names, where)
        schema: dict[str, Any] = {"type": "object"}
        if item.schema:
            schema["additionalProperties"] = item.schema
        return Form(schema, _convert_dict(item))

    def _class(self, cls: type, where: str) -> Form | None:
        """Forms of TypedDicts, dataclasses and enumerations, which may contain themselves."""
        from plughost_sdk._declared import records

        if records.is_enum(cls):
            return records.enum_form(cls, where)
        if not records.is_record(cls):
            return None
        if cls in self._open:
            name = self._open[cls]
            self._referenced.add(name)

            def convert(value: Any, path: str) -> Any:
                return self._late(cls)(value, path)

            return Form({"$ref": f"#/$defs/{name}"}, convert)
        name = cls.__name__
        if name in self.definitions or name in self._open.values():
            name = f"{cls.__module__}.{cls.__qualname__}".replace(".<locals>", "")
        self._open[cls] = name
        form = records.record_form(cls, self.form, where)
        del self._open[cls]
        self._forms[cls] = form
        if name in self._referenced:
            self.definitions[name] = form.schema
            return Form({"$ref": f"#/$defs/{name}"}, form.convert)
        return form

    def _late(self, cls: type) -> Convert:
        convert = self._forms[cls].convert
        assert convert is not None
        return convert


# `list[int]` and `typing.List[int]` have their class in the first, `Sequence` in the second.
_CONTAINER_MODULES = {"builtins", "collections.abc", "collections"}


def _is_typing(hint: Any, name: str) -> bool:
    """Whether *hint* is ``typing.NAME``; nobody who did not import typing can have used it."""
    if hint is None:
        return False
    for module in ("typing", "typing_extensions"):
        if module in sys.modules and hint is getattr(sys.modules[module], name, NotImplemented):
            return True
    return False


def _unwrapped(hint: Any, origin: Any, arguments: tuple[Any, ...]) -> Any:
    """Return the type inside an Annotated, a NewType, an alias, a Required[…]; or None."""
    kind = type(hint).__name__
    if kind == "_AnnotatedAlias":
        return origin
    if kind == "TypeAliasType":
        return hint.__value__
    if any(_is_typing(origin, name) for name in ("Required", "NotRequired", "ReadOnly", "Final")):
        return arguments[0]
    return getattr(hint, "__supertype__", None)  # NewType


def _show(hint: Any) -> str:
    return getattr(hint, "__qualname__", None) or repr(hint)


def _literal(values: tuple[Any, ...], where: str) -> Form:
    for value in values:
        if value is not None and type(value) not in (str, int, bool):
            raise DeclarationError(f"{where}: Literal[{value!r}] has no JSON form")

    def convert(value: Any, path: str) -> Any:
        for one in values:
            if value == one and type(value) is type(one):
                return one
        raise Misfit(path, f"{value!r} is none of {', '.join(map(repr, values))}")

    return Form({"enum": list(values)}, convert)


def _exactly(kind: type, words: str) -> Convert:
    def convert(value: Any, path: str) -> Any:
        if type(value) is kind:
            return value
        raise Misfit(path, f"{kind_of(value)}, not {words}")

    return convert


def _to_int(value: Any, path: str) -> int:
    if type(value) is int:
        return value
    if type(value) is float and value.is_integer():
        return int(value)
    raise Misfit(path, f"{kind_of(value)}, not an integer")


def _to_float(value: Any, path: str) -> float:
    if type(value) is float:
        return value
    if type(value) is int:
        try:
            return float(value)
        except OverflowError:
            raise Misfit(path, "an integer too large for a float") from None
    raise Misfit(path, f"{kind_of(value)}, not a number")


_NULL = Form({"type": "null"}, _exactly(type(None), "null"))
_PLAIN: dict[Any, Form] = {
    str: Form({"type": "string"}, _exactly(str, "a string")),
    bool: Form({"type": "boolean"}, _exactly(bool, "a boolean")),
    int: Form({"type": "integer"}, _to_int),
    float: Form({"type": "number"}, _to_float),
    None: _NULL,
    type(None): _NULL,
}


def _convert_array(item: Form, build: Callable[[list[Any]], Any] | None) -> Convert:
    each = item.convert

    def convert(value: Any, path: str) -> Any:
        if type(value) is not list:
            raise Misfit(path, f"{kind_of(value)}, not an array")
        if each is not None:
            value = [each(one, f"{path}[{at}]") for at, one in enumerate(value)]
        if build is None:
            return value
        try:
            return build(value)
        except TypeError:
            raise Misfit(path, "an array whose items cannot be members of a set") from None

    return convert


def _convert_tuple(forms: list[Form]) -> Convert:
    def convert(value: Any, path: str) -> Any:
        if type(value) is not list:
            raise Misfit(path, f"{kind_of(value)}, not an array")
        if len(value) != len(forms):
            raise Misfit(path, f"an array of {len(value)} items, not of {len(forms)}")
        return tuple(
            one if form.convert is None else form.convert(one, f"{path}[{at}]")
            for at, (form, one) in enumerate(zip(forms, value, strict=True))
        )

    return convert


def _convert_dict(item: Form) -> Convert:
    each = item.convert

    def convert(value: Any, path: str) -> Any:
        if type(value) is not dict:
            raise Misfit(path, f"{kind_of(value)}, not an object")
        if each is None:
            return value
        return {key: each(one, f"{path}.{key}") for key, one in value.items()}

    return convert


def _convert_union(forms: list[Form]) -> Convert:
    # `float | int` must leave 3 an int: a type that fits exactly goes first.
    exact = {"string": str, "integer": int, "number": float, "boolean": bool, "null": type(None)}
    kinds = {exact[form.schema["type"]] for form in forms if form.schema.get("type") in exact}

    def convert(value: Any, path: str) -> Any:
        if type(value) in kinds:
            return value
        reasons = []
        for form in forms:
            if form.convert is None:
                return value
            try:
                return form.convert(value, path)
            except Misfit as misfit:
                reasons.append(misfit)
        deepest = max(reasons, key=lambda misfit: len(misfit.path))
        if deepest.path != path:
            raise deepest
        raise Misfit(path, " and ".join(misfit.reason for misfit in reasons))

    return convert
