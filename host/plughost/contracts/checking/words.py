"""How does a person read what is wrong with a value?"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, Final

import attrs

from plughost.contracts.checking.refusals import Where

__all__ = ["Problem", "json_path", "nearest", "shorten", "word"]

_SHOWN_CHARS: Final = 60  # of a value, in a message: enough to recognise it on one line
_SHOWN_ITEMS: Final = 20  # of a list or object: sixty characters hold no more
_SHOWN_DEPTH: Final = 4  # of lists in lists, for the same reason
_LONGEST_INTEGER_BITS: Final = 128  # twice what the wire carries
_SHOWN_MESSAGE_CHARS: Final = 400  # of a message: hints of plugins end up in our log


@attrs.frozen
class Problem:
    """One thing that is wrong with a value: where, and what, in words."""

    where: Where
    message: str

    @property
    def path(self) -> str:
        """The place as a JSON path, ``$.permissions.http[0].hosts``."""
        return json_path(self.where)

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


def json_path(where: Where) -> str:
    """Return *where* as a JSON path; names that need it are quoted."""
    return "$" + "".join(
        f"[{step}]"
        if isinstance(step, int)
        else f".{step}"
        if step.replace("-", "_").isidentifier() and len(step) <= _SHOWN_CHARS
        else f"[{shorten(step)}]"
        for step in where
    )


def shorten(value: object) -> str:
    """Return *value* as people recognise it, on one line."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    text = repr(_clip(value, 0))
    return text if len(text) <= _SHOWN_CHARS + 2 else f"{text[:_SHOWN_CHARS]}…"


def _clip(value: object, depth: int) -> object:
    """Return the first of *value*, so that nobody writes out megabytes to show a line."""
    if isinstance(value, str):
        return value[:_SHOWN_CHARS]
    if isinstance(value, int) and value.bit_length() > _LONGEST_INTEGER_BITS:
        return ...  # `repr` refuses integers of more than 4,300 digits
    if isinstance(value, (list, dict)) and depth == _SHOWN_DEPTH:
        return ...
    if isinstance(value, list):
        return [_clip(item, depth + 1) for item in value[:_SHOWN_ITEMS]]
    if isinstance(value, dict):
        shown = islice(value.items(), _SHOWN_ITEMS)
        return {_clip(key, depth): _clip(item, depth + 1) for key, item in shown}
    return value


def nearest(name: object, known: Iterable[object]) -> str:
    """Return ``; did you mean 'x'?`` for the known name most like *name*, or nothing."""
    names = [each for each in known if isinstance(each, str)][:200]
    if not isinstance(name, str) or len(name) > _SHOWN_CHARS:
        return ""  # difflib is quadratic, and nobody misspells that much
    close = difflib.get_close_matches(name, names, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


_NOUNS: Final = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "null",
    "number": "a number",
    "object": "an object",
    "string": "a string",
}

_LISTED: Final = 12  # values of an enum in a message: one line of a terminal


def word(error: Any) -> Problem:
    """Return *error* as a sentence: the schema's own ``x-hint`` where there is one."""
    hint = error.schema.get("x-hint") if isinstance(error.schema, dict) else None
    if error.validator in _OWN_WORDS:
        message = _OWN_WORDS[error.validator](error)
    elif isinstance(hint, str):
        message = hint
    elif error.validator_value == {}:  # {"not": {}}, the schema `false`
        message = "must not be here"
    elif error.validator in _FACTS:
        message = _FACTS[error.validator].format(
            value=shorten(error.instance), wanted=shorten(error.validator_value)
        )
    else:
        message = error.message
    if len(message) > _SHOWN_MESSAGE_CHARS:
        message = f"{message[:_SHOWN_MESSAGE_CHARS]}…"
    return Problem(tuple(error.absolute_path), message)


def _word_min_length(error: Any) -> str:
    hint = error.schema.get("x-hint")
    if isinstance(hint, str):
        return hint
    if error.validator_value == 1:
        return "must not be empty"
    return f"is shorter than {error.validator_value} characters: {shorten(error.instance)}"


def _word_type(error: Any) -> str:
    wanted = error.validator_value
    names = [wanted] if isinstance(wanted, str) else wanted
    return f"must be {' or '.join(map(_NOUNS.__getitem__, names))}, not {shorten(error.instance)}"


def _word_unknown(error: Any) -> str:
    # Here and not where it is found: a union finds thousands, and shows one.
    return f"is not a known key{nearest(error.path[-1], error.schema.get('properties', {}))}"


def _word_enum(error: Any) -> str:
    hint = error.schema.get("x-hint")
    if isinstance(hint, str):
        return hint
    values = error.validator_value
    listed = ", ".join(shorten(each) for each in values[:_LISTED])
    more = f" and {len(values) - _LISTED} more" if len(values) > _LISTED else ""
    close = nearest(error.instance, values)
    return f"{shorten(error.instance)} is not one of {listed}{more}{close}"


# These say more than a hint written for `pattern` beside them would.
_OWN_WORDS: Final[dict[Any, Callable[[Any], str]]] = {
    "enum": _word_enum,
    "minLength": _word_min_length,
    "type": _word_type,
    "unknown": _word_unknown,
}

_FACTS: Final = {
    "anyOf": "{value} fits none of the forms allowed here",
    "const": "must be {wanted}, not {value}",
    "exclusiveMaximum": "must be less than {wanted}, not {value}",
    "exclusiveMinimum": "must be more than {wanted}, not {value}",
    "maximum": "must be at most {wanted}, not {value}",
    "maxItems": "has too many items; at most {wanted}",
    "maxLength": "is longer than {wanted} characters",
    "minimum": "must be at least {wanted}, not {value}",
    "minItems": "has too few items; at least {wanted}",
    "not": "{value} is not allowed here",
    "oneOf": "{value} does not fit exactly one of the forms allowed here",
}
