"""What a function takes and returns, read without `inspect` (which costs 20 ms)."""

from __future__ import annotations

import sys

from plughost_sdk.errors import DeclarationError

TYPE_CHECKING = False  # `typing` costs 10 ms, which every start would pay
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["NO_DEFAULT", "Parameter", "Signature", "read_signature", "resolve"]

# Flags of code objects (inspect.CO_*; docs.python.org, "Code Objects Bit Flags").
_VARIADIC = 0x04
_VARIADIC_KEYWORDS = 0x08
_COROUTINE = 0x80


class _NoDefault:
    __slots__ = ()


NO_DEFAULT = _NoDefault()


class Parameter:
    """One parameter: its name, its annotation as written, its default."""

    __slots__ = ("annotation", "default", "name")

    def __init__(self, name: str, annotation: Any, default: Any) -> None:
        self.name = name
        self.annotation = annotation
        self.default = default


class Signature:
    """What a function takes and returns.

    Attributes:
        names: Where annotations that are strings look up their names.
        takes_rest: Whether it has ``**rest``.
    """

    __slots__ = ("is_async", "names", "parameters", "positional_only", "returns", "takes_args",
                 "takes_rest", "where")  # fmt: skip

    def __init__(self, where: str) -> None:
        self.where = where
        self.is_async = False
        self.parameters: list[Parameter] = []
        self.positional_only = 0
        self.takes_args = False
        self.takes_rest = False
        self.returns: Any = NO_DEFAULT
        self.names: dict[str, Any] = {}


def read_signature(function: Callable[..., Any], where: str) -> Signature:
    """Return what *function* takes; *where* begins the messages about it."""
    target: Any = function
    while hasattr(target, "__wrapped__"):
        target = target.__wrapped__
    partial: tuple[int, dict[str, Any]] = (0, {})
    if hasattr(target, "func") and hasattr(target, "keywords"):  # functools.partial
        partial = (len(target.args), dict(target.keywords))
        target = target.func
    if not hasattr(target, "__code__") and not hasattr(target, "__func__"):
        target = type(target).__call__.__get__(target)
    bound = 1 if getattr(target, "__self__", None) is not None else 0
    target = getattr(target, "__func__", target)
    if not hasattr(target, "__code__"):
        raise DeclarationError(f"{where}: {function!r} is not a Python function: wrap it in one")
    signature = _read_code(target, where, bound + partial[0], partial[1])
    signature.is_async = _is_async(function) or signature.is_async
    return signature


def _is_async(function: Any) -> bool:
    # A wrapper that is `async def` itself counts, whatever it wraps.
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    return code is not None and bool(code.co_flags & _COROUTINE)


def _read_code(function: Any, where: str, skip: int, given: dict[str, Any]) -> Signature:
    code = function.__code__
    try:
        annotations = function.__annotations__
    except NameError as error:  # from Python 3.14 on they are evaluated here
        raise DeclarationError(
            f"{where}: an annotation cannot be resolved ({error}): "
            "import or define its names at module level"
        ) from error
    signature = Signature(where)
    signature.is_async = bool(code.co_flags & _COROUTINE)
    signature.takes_args = bool(code.co_flags & _VARIADIC)
    signature.takes_rest = bool(code.co_flags & _VARIADIC_KEYWORDS)
    signature.returns = annotations.get("return", NO_DEFAULT)
    signature.positional_only = max(0, code.co_posonlyargcount - skip)
    cells = function.__closure__ or ()
    signature.names = {
        **function.__globals__,
        **{name: cell.cell_contents for name, cell in zip(code.co_freevars, cells, strict=True)
           if _is_filled(cell)},
    }  # fmt: skip
    positional = code.co_varnames[: code.co_argcount]
    defaults = function.__defaults__ or ()
    values = dict(zip(positional[len(positional) - len(defaults) :], defaults, strict=True))
    values.update(function.__kwdefaults__ or {})
    values.update(given)
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    signature.parameters = [
        Parameter(name, annotations.get(name, NO_DEFAULT), values.get(name, NO_DEFAULT))
        for name in names[skip:]
        if name not in given
    ]
    return signature


def _is_filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018 - an empty cell raises
    except ValueError:
        return False
    return True


def resolve(annotation: Any, names: dict[str, Any], where: str) -> Any:
    """Return the type an *annotation* stands for, evaluating it if it is a string.

    Raises:
        DeclarationError: It cannot be evaluated; the message starts with *where*.
    """
    forward = getattr(annotation, "__forward_arg__", None)
    text = annotation if isinstance(annotation, str) else forward
    if not isinstance(text, str):
        return annotation
    try:
        found = eval(text, names)  # noqa: S307 - the plugin's own source
    except Exception as error:
        raise DeclarationError(
            f"{where}: the annotation {text!r} cannot be resolved "
            f"({type(error).__name__}: {error}): import or define its names at module level"
        ) from error
    return resolve(found, names, where) if isinstance(found, str) else found


def names_of(owner: type) -> dict[str, Any]:
    """Where the annotations in the class *owner* look up their names."""
    module = sys.modules.get(owner.__module__)
    return {**(vars(module) if module is not None else {}), owner.__name__: owner}
