"""Does this value satisfy that JSON Schema, and if not, what is wrong in words?

The usual values under the usual schemas are accepted by functions compiled from the
schema.  `plughost.contracts.checking.judging` decides the rest, and is loaded on first
need: `jsonschema` alone takes longer to load than a manifest takes to read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Final

from plughost.contracts.checking.compiled import compile_accepts
from plughost.contracts.checking.deciding import compile_own
from plughost.contracts.checking.patterns import CompiledPatterns, compile_patterns
from plughost.contracts.checking.refusals import RefusedError, check_schema_limits
from plughost.contracts.checking.wellformed import surely_schema
from plughost.contracts.checking.words import Problem, json_path
from plughost.errors import PeerError

__all__ = ["Problem", "Schema", "SchemaRefusedError"]

# A person mends a few problems at a time; a hostile value has millions.
MAX_PROBLEMS: Final = 20


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
    """

    def __init__(
        self, document: Mapping[str, Any], *, what: str = "the schema", own: bool = False
    ) -> None:
        """Check and compile *document*.

        Args:
            document: The schema, as JSON values.
            what: Begins the error message: whose schema this is.
            own: It is the host's own: it was checked before it was shipped, and
                is trusted not to be made to be slow.

        Raises:
            SchemaRefusedError: It is invalid, too big, recursive, or refers elsewhere.
        """
        self.document = document
        if own:
            self._fast = compile_own(document)
            return
        try:
            check_schema_limits(document)
            if not surely_schema(document):
                _check_metaschema(document)
        except RefusedError as refused:
            raise SchemaRefusedError(what, refused) from refused
        self._fast = compile_accepts(document) or _ask

    @property
    def unchecked(self) -> tuple[Problem, ...]:
        """Each ``pattern`` the host leaves to the plugin, because RE2 cannot run it."""
        return self._patterns.refused

    def accepts(self, value: Any) -> bool:
        """Return whether *value* is valid; fast when it is, as almost always."""
        return self._fast(value) or not self._find_problems(value, 1)

    def problems(self, value: Any) -> list[Problem]:
        """Return what is wrong with *value*, in document order; empty if nothing is."""
        return [] if self._fast(value) else self._find_problems(value, MAX_PROBLEMS)

    @cached_property
    def _patterns(self) -> CompiledPatterns:
        return compile_patterns(self.document)

    @cached_property
    def _find_problems(self) -> Callable[[Any, int], list[Problem]]:
        from plughost.contracts.checking.judging import Judge  # noqa: PLC0415 - on first need

        return Judge(self.document, self._patterns.runnable).problems


def _ask(_value: Any) -> bool:
    return False


def _check_metaschema(document: Mapping[str, Any]) -> None:
    from plughost.contracts.checking.judging import check_metaschema  # noqa: PLC0415 - same

    check_metaschema(document)
