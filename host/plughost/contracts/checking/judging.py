"""What is wrong with this value under that JSON Schema?

`jsonschema` decides; a few of its keywords are replaced.  ``pattern`` and its
kin run in linear time (`plughost.contracts.checking.patterns`), ``uniqueItems`` does too, and every
step is paid from a budget, because both the schema and the value may be hostile.
Loaded on first need: the usual values are accepted without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from functools import cache
from typing import Any, Final

import attrs
import jsonschema
import referencing
from jsonschema.exceptions import ValidationError, best_match

from plughost.contracts.checking.patterns import Pattern
from plughost.contracts.checking.refusals import RefusedError, without_false
from plughost.contracts.checking.wellformed import NEWEST_DIALECT
from plughost.contracts.checking.words import Problem, shorten, word

__all__ = ["Judge", "check_metaschema"]

# Checks before a value counts as too large to check.  One takes about 2 µs, so
# this is some 0.3 s: the longest the host's thread may be held by one call.
MAX_CHECKS: Final = 150_000

# Steps of RE2 in the time of one check: 6 ns each, measured with patterns made to be slow.
STEPS_PER_CHECK: Final = 333


def check_metaschema(document: Mapping[str, Any]) -> None:
    """Check *document* against the schema of its own draft.

    Raises:
        RefusedError: It names no draft we know, or is not valid in it.
    """
    # The first error only: a hostile schema of 64 KiB has thousands.
    for error in _metaschema(_find_dialect(document)).iter_errors(document):
        problem = word(best_match([error]))
        raise RefusedError(problem.where, f"is not JSON Schema: {problem.message}")


class Judge:
    """Says what is wrong with values under one schema."""

    def __init__(self, document: Mapping[str, Any], patterns: Mapping[str, Pattern]) -> None:
        """Take *document*, which is valid, and those of its patterns that can be run."""
        self._patterns = patterns
        # Without `$schema`: with it jsonschema would put its own keywords in place of ours.
        root = {k: v for k, v in without_false(document).items() if k != "$schema"}
        # An empty registry retrieves nothing: a reference elsewhere fails instead of fetching.
        validator = _validator(_find_dialect(document))
        self._validator = validator(root, registry=referencing.Registry())

    def problems(self, value: Any, at_most: int) -> list[Problem]:
        """Return what is wrong with *value*, in document order; at most *at_most* things."""
        found: list[Problem] = []
        reset = _CHECKING.set(_Checking(self._patterns))
        try:
            for error in self._validator.iter_errors(value):
                found.append(word(best_match([error]) or error))
                if len(found) == at_most:
                    break
        except _TooMuchError:
            found.append(Problem((), "is too large to check; send less at once"))
        except RecursionError:
            found.append(Problem((), "nests too deep to check"))
        except ValueError:  # jsonschema shows values, and Python shows no longer integers
            found.append(Problem((), "holds an integer of more than 4300 digits"))
        finally:
            _CHECKING.reset(reset)
        return found


# --- one check's budget ---


class _TooMuchError(Exception):
    """The budget of checks is spent."""


@attrs.define
class _Checking:
    patterns: Mapping[str, Pattern]
    left: int = MAX_CHECKS

    def charge(self, work: int) -> None:
        self.left -= work
        if self.left < 0:
            raise _TooMuchError

    def matches(self, source: str, text: str) -> bool:
        """Return whether *text* matches; an unchecked pattern matches everything."""
        pattern = self.patterns.get(source)
        if pattern is None:
            return True
        return pattern.search(text, lambda steps: self.charge(1 + steps // STEPS_PER_CHECK))


_CHECKING: ContextVar[_Checking] = ContextVar("_CHECKING")

# --- keywords we replace ---

_Errors = Iterator[ValidationError]
_Keyword = Callable[[Any, Any, Any, Any], Iterable[ValidationError] | None]


def _check_pattern(validator: Any, source: str, value: Any, schema: Any) -> _Errors:
    if isinstance(value, str) and not _CHECKING.get().matches(source, value):
        yield ValidationError(f"{shorten(value)} does not match {shorten(source)}")


def _check_pattern_properties(validator: Any, parts: Any, value: Any, schema: Any) -> _Errors:
    if isinstance(value, dict):
        checking = _CHECKING.get()
        for source, part in parts.items():
            for name, item in value.items():
                if source in checking.patterns and checking.matches(source, name):
                    yield from validator.descend(item, part, path=name, schema_path=source)


def _check_additional(validator: Any, rest: Any, value: Any, schema: Any) -> _Errors:
    if not isinstance(value, dict):
        return
    known = schema.get("properties", {})
    sources = list(schema.get("patternProperties", {}))
    for name, item in value.items():
        if name in known or any(_CHECKING.get().matches(source, name) for source in sources):
            continue
        if rest is False:
            yield ValidationError("is not a known key", path=(name,), validator="unknown")
        else:
            yield from validator.descend(item, rest, path=name)


def _check_property_names(validator: Any, part: Any, value: Any, schema: Any) -> _Errors:
    if isinstance(value, dict):
        for name in value:
            yield from validator.descend(name, part, path=name)


def _check_required(validator: Any, names: Any, value: Any, schema: Any) -> _Errors:
    if isinstance(value, dict):
        for name in names:
            if name not in value:
                yield ValidationError(f"{shorten(name)} is missing")


def _check_unique(validator: Any, wanted: Any, value: Any, schema: Any) -> _Errors:
    if wanted and isinstance(value, list):
        seen: set[object] = set()
        for index, item in enumerate(value):
            identity = _identify(item)
            if identity in seen:
                yield ValidationError(f"{shorten(item)} is listed twice", path=(index,))
                return
            seen.add(identity)


def _identify(value: Any) -> object:
    """Return something hashable that is equal exactly when the JSON values are."""
    if isinstance(value, (list, dict)):
        _CHECKING.get().charge(1 + len(value) // 4)
    if isinstance(value, list):
        return tuple(map(_identify, value))
    if isinstance(value, dict):
        return frozenset((key, _identify(item)) for key, item in value.items())
    return (type(value), value) if isinstance(value, bool) else value


_OURS: Final[dict[str, _Keyword]] = {
    "additionalProperties": _check_additional,
    "pattern": _check_pattern,
    "patternProperties": _check_pattern_properties,
    "propertyNames": _check_property_names,
    "required": _check_required,
    "uniqueItems": _check_unique,
}


def _paid(check: _Keyword) -> _Keyword:
    """Return *check*, paid from the budget: one, and a part of what it looks through."""

    def paid(validator: Any, wanted: Any, value: Any, schema: Any) -> _Errors:
        looked_through = sum(
            len(each) for each in (wanted, value) if isinstance(each, (list, dict))
        )
        checking = _CHECKING.get()
        checking.charge(1 + looked_through // 2)
        for error in check(validator, wanted, value, schema) or ():
            # An error takes 16 µs, and its message holds the whole value, for each way of a union.
            checking.charge(8 + len(error.message) // 32)
            yield error

    return paid


# --- drafts ---

_DRAFTS: Final[dict[str, Any]] = {
    standard.META_SCHEMA["$schema"].rstrip("#"): standard
    for standard in (
        jsonschema.Draft202012Validator,
        jsonschema.Draft201909Validator,
        jsonschema.Draft7Validator,
        jsonschema.Draft6Validator,
        jsonschema.Draft4Validator,
    )
}


def _find_dialect(document: Mapping[str, Any]) -> str:
    named = document.get("$schema", NEWEST_DIALECT)
    dialect = named.rstrip("#") if isinstance(named, str) else ""
    if dialect not in _DRAFTS:
        raise RefusedError(("$schema",), f"names {shorten(named)}, not a JSON Schema draft since 4")
    return dialect


@cache
def _metaschema(dialect: str) -> Any:
    return _DRAFTS[dialect](_DRAFTS[dialect].META_SCHEMA)


@cache
def _validator(dialect: str) -> Any:
    standard = _DRAFTS[dialect]
    keywords = {name: _paid(_OURS.get(name, check)) for name, check in standard.VALIDATORS.items()}
    return jsonschema.validators.extend(standard, keywords)  # type: ignore[no-untyped-call]  # its stub has no types
