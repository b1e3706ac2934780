"""Does this value satisfy that JSON Schema, and if not, what is wrong in words?

`jsonschema` decides; a few of its keywords are replaced.  ``pattern`` and its
kin run in linear time (`plughost.contracts.checking.patterns`), ``uniqueItems`` does too, and every
step is paid from a budget, because both the schema and the value may be hostile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any, Final

import attrs
import jsonschema
import referencing
from jsonschema.exceptions import ValidationError, best_match

from plughost.contracts.checking.compiled import compile_accepts
from plughost.contracts.checking.patterns import Pattern, PatternError
from plughost.contracts.checking.refusals import (
    RefusedError,
    check_schema_limits,
    subschemas,
    without_false,
)
from plughost.contracts.checking.words import Problem, json_path, shorten, word
from plughost.errors import PeerError

__all__ = ["Problem", "Schema", "SchemaRefusedError"]

# A person mends a few problems at a time; a hostile value has millions.
MAX_PROBLEMS: Final = 20

# Checks before a value counts as too large to check.  One takes about 2 µs, so
# this is some 0.3 s: the longest the host's thread may be held by one call.
MAX_CHECKS: Final = 150_000

# States of all patterns of one schema together: four of the largest.
MAX_PATTERN_STATES: Final = 16_384


class SchemaRefusedError(PeerError):
    """A plugin's JSON Schema that the host does not run.

    Attributes:
        where: The place in the schema.
        reason: What is wrong there; the rest of a sentence about that place.
    """

    def __init__(self, what: str, refused: RefusedError) -> None:
        """Say what *refused* says about *what*, whose schema it is."""
        path = json_path(refused.where)
        super().__init__(
            f"{what}: {path} {refused.reason}",
            hint="Simplify the schema; the host checks every call against it.",
            path=path,
        )
        self.where = refused.where
        self.reason = refused.reason


class Schema:
    """A JSON Schema that was checked once and is used often.

    Attributes:
        document: The schema as it was given.
        unchecked: Each ``pattern`` the host leaves to the plugin, because no
            automaton can run it.
    """

    def __init__(self, document: Mapping[str, Any], *, what: str = "the schema") -> None:
        """Check and compile *document*.

        Args:
            document: The schema, as JSON values.
            what: Begins the error message: whose schema this is.

        Raises:
            SchemaRefusedError: It is invalid, too big, recursive, or refers elsewhere.
        """
        self.document = document
        try:
            check_schema_limits(document)
            dialect = _find_dialect(document)
            _check_against_metaschema(document, dialect)
        except RefusedError as refused:
            raise SchemaRefusedError(what, refused) from refused
        self._patterns, self.unchecked = _compile_patterns(document)
        self._fast = compile_accepts(document)
        # Without `$schema`: with it jsonschema would put its own keywords in place of ours.
        root = {k: v for k, v in without_false(document).items() if k != "$schema"}
        # An empty registry retrieves nothing: a reference elsewhere fails instead of fetching.
        self._validator = _DIALECTS[dialect].validator(root, registry=referencing.Registry())

    def accepts(self, value: Any) -> bool:
        """Return whether *value* is valid; fast when it is, as almost always."""
        if self._fast is not None and self._fast(value):
            return True
        return not self.problems(value, at_most=1)

    def problems(self, value: Any, *, at_most: int = MAX_PROBLEMS) -> list[Problem]:
        """Return what is wrong with *value*, in document order; empty if nothing is."""
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
        # Remembered steps take 0.06 µs a character, new ones 0.5 µs a state.
        self.charge(len(text) // 32)
        return pattern.search(text, lambda states: self.charge(1 + states // 4))


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


def _build(standard: Any) -> Any:
    keywords = {name: _paid(_OURS.get(name, check)) for name, check in standard.VALIDATORS.items()}
    return jsonschema.validators.extend(standard, keywords)  # type: ignore[no-untyped-call]  # its stub has no types


@attrs.frozen
class _Dialect:
    metaschema: Any
    validator: Any


_DIALECTS: Final[dict[str, _Dialect]] = {
    standard.META_SCHEMA["$schema"].rstrip("#"): _Dialect(
        standard(standard.META_SCHEMA), _build(standard)
    )
    for standard in (
        jsonschema.Draft202012Validator,
        jsonschema.Draft201909Validator,
        jsonschema.Draft7Validator,
        jsonschema.Draft6Validator,
        jsonschema.Draft4Validator,
    )
}
# MCP: a schema that names no draft is 2020-12.
_NEWEST: Final = "https://json-schema.org/draft/2020-12/schema"

# --- compiling ---


def _find_dialect(document: Mapping[str, Any]) -> str:
    named = document.get("$schema", _NEWEST)
    dialect = named.rstrip("#") if isinstance(named, str) else ""
    if dialect not in _DIALECTS:
        raise RefusedError(("$schema",), f"names {shorten(named)}, not a JSON Schema draft since 4")
    return dialect


def _check_against_metaschema(document: Mapping[str, Any], dialect: str) -> None:
    # The first error only: a hostile schema of 64 KiB has thousands.
    for error in _DIALECTS[dialect].metaschema.iter_errors(document):
        problem = word(best_match([error]))
        raise RefusedError(problem.where, f"is not JSON Schema: {problem.message}")


def _compile_patterns(
    document: Mapping[str, Any],
) -> tuple[dict[str, Pattern], tuple[Problem, ...]]:
    """Return the patterns of *document* that run, and what is said of each that does not."""
    found: dict[str, Pattern] = {}
    unchecked: list[Problem] = []
    states = 0
    for where, part in subschemas(document):
        sources = [part["pattern"]] if "pattern" in part else []
        for source in (*sources, *part.get("patternProperties", {})):
            if source in found:
                continue
            try:
                pattern = Pattern(source)
                states += pattern.size
                if states > MAX_PATTERN_STATES:
                    raise PatternError("is one too many; the schema's patterns are too big")  # noqa: TRY301 - one place words all three
            except PatternError as error:
                unchecked.append(Problem(where, f"the pattern {shorten(source)} {error}"))
            else:
                found[source] = pattern
    return found, tuple(unchecked)
