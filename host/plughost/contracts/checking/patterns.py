r"""Does this text match that pattern, in time linear in the text?

Tool schemas come from plugins nobody has to trust, and their ``pattern`` is
matched in the host's only thread.  `re` backtracks: ``^(a+)+$`` takes longer than
the universe on forty letters.  RE2 does not, and what it therefore cannot run
(look-around, back-references) is refused; the caller decides what that means.
docs/decisions/0006-re2-for-patterns.md says why RE2, and where it differs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

import attrs

from plughost.contracts.checking.refusals import Where, subschemas
from plughost.contracts.checking.words import Problem, shorten

__all__ = ["CompiledPatterns", "Pattern", "PatternError", "compile_patterns"]

# Longer than any pattern in the schemas of the MCP servers we looked at (the
# longest was an e-mail address of 240).
MAX_PATTERN_CHARS: Final = 1024

# Each `\p{…}` takes RE2 up to 0.6 ms to read, so that 1,024 characters of them took 0.2 s.
MAX_PROPERTIES: Final = 16

# What RE2 may use for one pattern, its remembered steps included.  512 KiB runs
# `^.{1,512}$`; larger ones gain nothing, smaller ones refuse honest counts.
# The module keeps the last 128 patterns of the whole process: 64 MiB at worst.
MAX_PATTERN_BYTES: Final = 512 * 1024

# Of one schema; the manifest's, the largest we know, has 19.  One may take 10 ms to compile.
MAX_PATTERNS: Final = 32

# RE2's instructions of all patterns of one schema: three of the largest, 20 ms.
MAX_INSTRUCTIONS: Final = 16_384

Charge = Callable[[int], None]

# ECMA 262, which JSON Schema cites, writes a code point \u00e9 or \u{e9}; RE2 writes \x{e9}.
_ESCAPE: Final = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|u\{([0-9A-Fa-f]{1,6})\}|.)", re.DOTALL)
_PROPERTY: Final = re.compile(r"\\[pP]")

# RE2 names the text it stumbled over; these are people's words for what they meant.
_WORDS: Final[tuple[tuple[str, str], ...]] = (
    (r"invalid perl operator: \(\?<?[=!]", "uses look-around, which no automaton can run"),
    (r"invalid escape sequence: \\[1-9k]", "uses a back-reference, which no automaton can run"),
    (r"pattern too large", "is too big; its counted repeats or classes need too much memory"),
    (r"invalid repetition size", "repeats something more than 1000 times"),
)


class PatternError(ValueError):
    """The pattern is no regular expression, or needs more than RE2."""


class Pattern:
    """A pattern that is searched for, as JSON Schema's ``pattern`` is."""

    def __init__(self, source: str) -> None:
        """Compile *source*.

        Raises:
            PatternError: RE2 cannot run *source*; the message says why.
        """
        if len(source) > MAX_PATTERN_CHARS:
            raise PatternError(f"is longer than {MAX_PATTERN_CHARS} characters")
        if len(_PROPERTY.findall(source)) > MAX_PROPERTIES:
            raise PatternError(rf"holds more than {MAX_PROPERTIES} of \p and \P")
        self.source = source
        self._translated = _ESCAPE.sub(_translate, source)
        re2 = _load_re2()
        try:
            self.size: int = self._compiled().programsize
        except re2.error as error:
            raise PatternError(_word(error)) from error
        except UnicodeEncodeError as error:
            raise PatternError("holds half of a surrogate pair") from error

    def search(self, text: str, charge: Charge = lambda _steps: None) -> bool:
        """Return whether *text* contains a match.

        Args:
            text: What to look at.
            charge: Told beforehand how many steps the search may take at most:
                a step is 6 ns at worst.  May raise to prevent the search.
        """
        # A lone surrogate, which Python allows in a text, is a character like others.
        data = text.encode("utf-8", "surrogatepass")
        charge(len(data) * self.size)
        return self._compiled().search(data) is not None

    def _compiled(self) -> Any:
        # Not kept here: the module's own memory of patterns is bounded, schemas are many.
        return _load_re2().compile(self._translated, _options())


@attrs.frozen
class CompiledPatterns:
    """The patterns of one schema.

    Attributes:
        runnable: By their source.
        refused: What is said of each that cannot be run.
    """

    runnable: Mapping[str, Pattern]
    refused: tuple[Problem, ...]


def compile_patterns(document: Mapping[str, Any]) -> CompiledPatterns:
    """Return the patterns of the schema *document*, as many as a schema may have."""
    runnable: dict[str, Pattern] = {}
    refused: list[Problem] = []
    instructions = 0
    for number, (source, where) in enumerate(_sources(document).items()):
        try:
            if number >= MAX_PATTERNS or instructions > MAX_INSTRUCTIONS:
                raise PatternError("is one too many; the schema's patterns are too big together")  # noqa: TRY301 - one place words all
            pattern = Pattern(source)
        except PatternError as error:
            refused.append(Problem(where, f"the pattern {shorten(source)} {error}"))
        else:
            runnable[source] = pattern
            instructions += pattern.size
    return CompiledPatterns(runnable, tuple(refused))


def _sources(document: Mapping[str, Any]) -> dict[str, Where]:
    """Return every pattern of *document* with the place where it is first written."""
    found: dict[str, Where] = {}
    for where, part in subschemas(document):
        if "pattern" in part:
            found.setdefault(part["pattern"], where)
        for source in part.get("patternProperties", {}):
            found.setdefault(source, where)
    return found


@cache
def _load_re2() -> Any:
    # Most schemas have no pattern, and this takes 3 ms of a start.
    import re2  # noqa: PLC0415 - on first use, see above

    return re2


@cache
def _options() -> Any:
    options = _load_re2().Options()
    options.max_mem = MAX_PATTERN_BYTES
    options.log_errors = False  # they are raised; stderr is the operator's
    options.never_capture = True  # where a group matched costs a second search
    return options


def _translate(escape: re.Match[str]) -> str:
    digits = escape[1] or escape[2]
    return f"\\x{{{digits}}}" if digits else escape[0]


def _word(error: Exception) -> str:
    said = error.args[0]
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    for found, words in _WORDS:
        if re.match(found, text):
            return words
    return f"is no regular expression that RE2 runs: {text}"
