"""Which records does ``--where EXPR`` keep?

`simpleeval` evaluates the expression.  It is checked as a whole first: no
calls, no functions, only names that the records have, so that a misspelt name
is an error even when there is no record.
"""

from __future__ import annotations

import ast
import difflib
import operator
import warnings
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from simpleeval import EvalWithCompoundTypes, InvalidExpression

from plughost.errors import ConfigError

__all__ = ["Where"]

# Ten times the longest filter we could think of.
MAX_EXPRESSION_CHARS: Final = 1000

# `ast` and the evaluator recurse; a filter of 30 levels is not readable.
_MAX_DEPTH: Final = 30

_SHOWN_CHARS: Final = 100  # of the expression, around the place that is wrong

# What an expression may be made of; calls, comprehensions, f-strings, slices
# and powers are not.
_ALLOWED: Final = (
    ast.Expression, ast.Constant, ast.Name, ast.Load, ast.Attribute, ast.Subscript, ast.List,
    ast.Tuple, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.UAdd, ast.Compare,
    ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn, ast.Is, ast.IsNot,
    ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Div,
)  # fmt: skip


class Where:
    """One expression, checked once and applied to many records."""

    def __init__(self, expression: str, names: Collection[str]) -> None:
        """Check *expression*.

        Args:
            expression: What the person typed.
            names: The keys that a record has.

        Raises:
            ConfigError: It is not an expression about such records; says where.
        """
        self.expression = expression
        self._names = names
        self._tree = self._parse()
        self._evaluator = _Evaluator(operators=_OPERATORS, functions={}, names={})

    def keeps(self, record: Mapping[str, Any]) -> bool:
        """Tell whether the expression holds for *record*.

        Raises:
            ConfigError: It compares what cannot be compared, or asks for a key that is not there.
        """
        self._evaluator.names = {"true": True, "false": False, "null": None, **record}
        try:
            return bool(self._evaluator.eval(self.expression, previously_parsed=self._tree))
        except _UnknownKeyError as unknown:
            raise self._refuse(unknown.node, str(unknown)) from unknown
        except (InvalidExpression, ArithmeticError, LookupError, TypeError, ValueError) as wrong:
            raise self._refuse(None, f"{wrong}".rstrip(".")) from wrong

    def _parse(self) -> ast.expr:
        if len(self.expression) > MAX_EXPRESSION_CHARS:
            raise self._refuse(
                None, f"{len(self.expression)} characters; at most {MAX_EXPRESSION_CHARS} are read"
            )
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # `"a" is "b"` is Python's to warn about, not ours
                tree = ast.parse(self.expression.strip(), mode="eval")
        except SyntaxError as wrong:
            raise self._misspelt(wrong) from wrong
        except (ValueError, RecursionError, MemoryError) as wrong:  # NUL, or a thousand brackets
            raise self._refuse(None, "this is not an expression") from wrong
        self._check(tree.body, depth=0)
        return tree.body

    def _check(self, node: ast.AST, depth: int) -> None:
        if not isinstance(node, _ALLOWED):
            raise self._refuse(node, f"{_WORDS.get(type(node), 'this')} is not allowed here")
        if depth > _MAX_DEPTH:
            raise self._refuse(node, f"this nests deeper than {_MAX_DEPTH}")
        if isinstance(node, ast.Name) and node.id not in {*self._names, "true", "false", "null"}:
            raise self._refuse(node, _unknown(node.id, self._names))
        for child in ast.iter_child_nodes(node):
            self._check(child, depth + 1)

    def _misspelt(self, wrong: SyntaxError) -> ConfigError:
        place = (wrong.offset or 1) - 1
        before = self.expression.strip()[: place + 1]
        hint = ""
        if before.rstrip().endswith("=") or "'=='" in str(wrong.msg):
            hint = "Compare with ==, not =."
        elif "&&" in self.expression or "||" in self.expression:
            hint = "Combine with `and`, `or`, `not`."
        return self._error(place, "this is not an expression", hint)

    def _refuse(self, node: ast.AST | None, fact: str) -> ConfigError:
        return self._error(getattr(node, "col_offset", None), fact)

    def _error(self, place: int | None, fact: str, hint: str = "") -> ConfigError:
        shown = self.expression.strip()
        lines = [f"--where: {fact}"]
        if place is not None and len(shown) <= _SHOWN_CHARS and "\n" not in shown:
            lines = [f"--where, column {place + 1}: {fact}", shown, f"{' ' * place}^"]
        return ConfigError(
            "\n  ".join(lines),
            hint=hint or "Write it like: --where 'runtime == \"node\" and restart_count > 0'.",
            expression=shown[:_SHOWN_CHARS],
            column=None if place is None else place + 1,
        )


class _UnknownKeyError(Exception):
    """A record inside the record has no such key."""

    def __init__(self, node: ast.AST, fact: str) -> None:
        super().__init__(fact)
        self.node = node


class _Evaluator(EvalWithCompoundTypes):  # type: ignore[misc]  # simpleeval has no types
    """Reads ``latency_ms.p50`` as a key, never as an attribute of a Python object."""

    def _eval_attribute(self, node: ast.Attribute) -> Any:
        return self._item(node, self._eval(node.value), node.attr)

    def _eval_subscript(self, node: ast.Subscript) -> Any:
        return self._item(node, self._eval(node.value), self._eval(node.slice))

    @staticmethod
    def _item(node: ast.AST, container: Any, key: Any) -> Any:
        if container is None:
            return None  # `last_error.type` of a plugin that has had none
        if isinstance(container, Mapping):
            if key not in container:
                raise _UnknownKeyError(node, _unknown(key, [*container]))
            return container[key]
        if isinstance(container, (list, tuple)) and isinstance(key, int):
            return container[key] if -len(container) <= key < len(container) else None
        raise _UnknownKeyError(node, f"a {type(container).__name__} has no {key!r}")


def _unknown(name: object, known: Collection[str]) -> str:
    close = difflib.get_close_matches(str(name)[:60], known, n=1)
    meant = f"; did you mean {close[0]!r}?" if close else f"; there are: {', '.join(known)}"
    return f"there is no {str(name)[:60]!r}{meant}"


def _known(compare: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Return *compare*, false where a side is null: what does not run uses no memory."""

    def compare_known(left: Any, right: Any) -> Any:
        if left is None or right is None:
            return False
        return compare(left, right)

    return compare_known


def _reckon(compute: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Return *compute* for numbers only: a text times a million is no filter."""

    def compute_numbers(left: Any, right: Any) -> Any:
        if left is None or right is None:
            return None
        if not isinstance(left, (int, float)) or not isinstance(right, (int, float)):
            raise TypeError(f"{left!r} and {right!r} are not both numbers")
        return compute(left, right)

    return compute_numbers


_OPERATORS: Final[dict[type[ast.AST], Callable[..., Any]]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.Lt: _known(operator.lt),
    ast.LtE: _known(operator.le),
    ast.Gt: _known(operator.gt),
    ast.GtE: _known(operator.ge),
    ast.In: _known(lambda part, whole: part in whole),
    ast.NotIn: _known(lambda part, whole: part not in whole),
    ast.Not: operator.not_,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Add: _reckon(operator.add),
    ast.Sub: _reckon(operator.sub),
    ast.Mult: _reckon(operator.mul),
    ast.Div: _reckon(operator.truediv),
}

_WORDS: Final[dict[type[ast.AST], str]] = {
    ast.Call: "a call",
    ast.Lambda: "a function",
    ast.ListComp: "a loop",
    ast.GeneratorExp: "a loop",
    ast.JoinedStr: "an f-string",
    ast.Slice: "a slice",
    ast.Pow: "a power",
    ast.NamedExpr: "an assignment",
    ast.IfExp: "a conditional",
}
