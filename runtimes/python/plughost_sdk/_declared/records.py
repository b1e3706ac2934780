"""Which JSON objects TypedDicts, dataclasses and enumerations take.

Loaded when a tool uses one.
"""

from __future__ import annotations

import sys

from plughost_sdk._declared.docstrings import read_docstring
from plughost_sdk._declared.plainvalues import plain_value
from plughost_sdk._declared.schema import Form, kind_of
from plughost_sdk._declared.signatures import names_of, resolve
from plughost_sdk.errors import DeclarationError, Misfit
from plughost_sdk.jsontext import NotJsonError

TYPE_CHECKING = False  # `typing` costs 10 ms, which every start would pay
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    FormOf = Callable[[Any, dict[str, Any], str], Form]

__all__ = ["enum_form", "is_enum", "is_record", "record_form"]


def is_enum(cls: type) -> bool:
    """Whether *cls* is an enumeration."""
    enum = sys.modules.get("enum")
    return enum is not None and issubclass(cls, enum.Enum)


def is_record(cls: type) -> bool:
    """Whether *cls* is a TypedDict or a dataclass."""
    return hasattr(cls, "__dataclass_fields__") or hasattr(cls, "__required_keys__")


def enum_form(cls: Any, where: str) -> Form:
    """Return the form of the enumeration *cls*: one of its values."""
    for member in cls:
        if member.value is not None and not isinstance(member.value, (str, int, float)):
            raise DeclarationError(
                f"{where}: {cls.__qualname__} has the value {member.value!r}, "
                "which JSON cannot carry: give its members strings or numbers"
            )
    members = {member.value: member for member in cls}

    def convert(value: Any, path: str) -> Any:
        for known, member in members.items():
            if value == known and isinstance(value, bool) == isinstance(known, bool):
                return member
        raise Misfit(path, f"{value!r} is none of {', '.join(map(repr, members))}")

    return Form({"enum": [plain_value(value) for value in members]}, convert)


def record_form(cls: Any, form_of: FormOf, where: str) -> Form:
    """Return the form of the TypedDict or dataclass *cls*."""
    if hasattr(cls, "__dataclass_fields__"):
        return _dataclass_form(cls, form_of, where)
    return _typed_dict_form(cls, form_of, where)


class _Fields:
    """The fields of one class, collected on the way to its form."""

    def __init__(self, cls: Any, description: str) -> None:
        self.forms: dict[str, Form] = {}
        self.required: list[str] = []
        self.schema: dict[str, Any] = {"type": "object"}
        if description:
            self.schema["description"] = description
        self.cls = cls

    def add(self, name: str, form: Form, *, required: bool) -> None:
        self.forms[name] = form
        if required:
            self.required.append(name)

    def form(self, build: Callable[[dict[str, Any]], Any] | None) -> Form:
        self.schema["properties"] = {name: form.schema for name, form in self.forms.items()}
        if self.required:
            self.schema["required"] = list(self.required)
        self.schema["additionalProperties"] = False
        return Form(self.schema, lambda value, path: self._convert(value, path, build))

    def _convert(self, value: Any, path: str, build: Callable[..., Any] | None) -> Any:
        if type(value) is not dict:
            raise Misfit(path, f"{kind_of(value)}, not an object")
        fields = {}
        for name, one in value.items():
            form = self.forms.get(name)
            if form is None:
                known = ", ".join(self.forms) or "nothing"
                raise Misfit(f"{path}.{name}", f"unknown; known are {known}")
            fields[name] = one if form.convert is None else form.convert(one, f"{path}.{name}")
        for name in self.required:
            if name not in fields:
                raise Misfit(f"{path}.{name}", "missing")
        if build is None:
            return fields
        try:
            return build(fields)
        except (TypeError, ValueError) as error:  # what __post_init__ refuses
            raise Misfit(path, str(error)) from error


def _dataclass_form(cls: Any, form_of: FormOf, where: str) -> Form:
    written = cls.__doc__ or ""
    if written.startswith(f"{cls.__name__}("):  # written by @dataclass itself
        written = ""
    description, about = read_docstring(written)
    fields = _Fields(cls, description)
    missing = sys.modules["dataclasses"].MISSING
    for name, field in cls.__dataclass_fields__.items():
        if field._field_type.name != "_FIELD" or not field.init:  # noqa: SLF001 - as dataclasses.fields() does
            continue
        form = form_of(field.type, names_of(cls), f"{where}, {cls.__qualname__}.{name}")
        if name in about:
            form.schema = {**form.schema, "description": about[name]}
        if field.default is not missing:
            form.schema = _with_default(form.schema, field.default)
        required = field.default is missing and field.default_factory is missing
        fields.add(name, form, required=required)
    return fields.form(lambda values: cls(**values))


def _typed_dict_form(cls: Any, form_of: FormOf, where: str) -> Form:
    fields = _Fields(cls, read_docstring(cls.__doc__)[0])
    names = names_of(cls)
    for name, hint in cls.__annotations__.items():
        place = f"{where}, {cls.__qualname__}[{name!r}]"
        # Under `from __future__ import annotations` the class could not read NotRequired[…].
        resolved = resolve(hint, names, place)
        wrapper = getattr(getattr(resolved, "__origin__", None), "_name", None)
        required = name in cls.__required_keys__
        if wrapper in ("Required", "NotRequired"):
            required = wrapper == "Required"
        fields.add(name, form_of(resolved, names, place), required=required)
    return fields.form(None)


def _with_default(schema: dict[str, Any], default: object) -> dict[str, Any]:
    try:
        return {**schema, "default": plain_value(default)}
    except NotJsonError:
        return schema
