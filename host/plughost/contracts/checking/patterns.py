r"""Does this text match that pattern, in time linear in the text?

Tool schemas come from plugins nobody has to trust, and their ``pattern`` is
matched in the host's only thread.  `re` backtracks: ``^(a+)+$`` takes longer than
the universe on forty letters.  So the pattern becomes an automaton that is
run with every alternative at once and remembers the steps it took.

Source: Ken Thompson, "Regular Expression Search Algorithm", CACM 11 (1968);
the lazy memory of steps is RE2's.  What no automaton can do (look-around,
back-references) and ``\b`` are refused; the caller decides what that means.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from re import _constants as ops  # type: ignore[attr-defined]  # the parser is not in typeshed
from re import _parser as parser  # type: ignore[attr-defined]  # same
from typing import Any, Final

import attrs

__all__ = ["Pattern", "PatternError"]

# Longer than any pattern in the schemas of the MCP servers we looked at (the
# longest was an e-mail address of 240), short enough that the parser's recursion ends early.
MAX_PATTERN_CHARS: Final = 1024

# A counted repeat is written out: `[a-z]{1,64}` is 128 states.  4,096 allows any
# honest count and bounds one step at a few milliseconds.
MAX_STATES: Final = 4096

# States held by the remembered steps of one pattern before it forgets them all and starts
# over: 16,384 take about 2 MiB, and an honest pattern on ASCII text needs some hundred.
MAX_REMEMBERED: Final = 16_384

Charge = Callable[[int], None]
Test = Callable[[str], bool]


class PatternError(ValueError):
    """The pattern is no regular expression, or needs more than an automaton."""


@attrs.define
class _State:
    """One state: a test that eats a character, or a free move, or the end."""

    test: Test | None = None
    targets: tuple[int, ...] = ()
    only: str = ""  # a free move that holds at the text's "begin" or "end" only


@attrs.define(eq=False)
class _Step:
    """Every state the automaton is in after some text, and where characters lead."""

    eaters: tuple[int, ...]
    matched: bool
    matched_at_end: bool
    following: dict[str, _Step] = attrs.field(factory=dict)


# The final state is the first one, so that "have we matched" is "is it 0".
_FINAL: Final = 0


class Pattern:
    """A pattern that is searched for, as JSON Schema's ``pattern`` is."""

    def __init__(self, source: str) -> None:
        """Compile *source*.

        Raises:
            PatternError: *source* cannot be run as an automaton; the message says why.
        """
        self.source = source
        self._states = [_State()]
        try:
            self._entry = _emit_all(self._states, _parse(source), _FINAL)
        except RecursionError as error:
            raise PatternError("nests too deep") from error
        self._steps: dict[tuple[frozenset[int], bool, bool], _Step] = {}
        self._remembered = 0
        self._first = self._step_to([self._entry], begin=True)

    @property
    def size(self) -> int:
        """How many states the automaton has."""
        return len(self._states)

    def search(self, text: str, charge: Charge = lambda _work: None) -> bool:
        """Return whether *text* contains a match.

        Args:
            text: What to look at; every character at most once.
            charge: Told the states visited by each step that is not remembered
                yet; may raise to stop the search.
        """
        step = self._first
        for char in text:
            if step.matched:
                return True
            step = step.following.get(char) or self._advance(step, char, charge)
        return step.matched or step.matched_at_end

    def _advance(self, step: _Step, char: str, charge: Charge) -> _Step:
        reached = [self._entry]  # a match may begin at every character
        for number in step.eaters:
            state = self._states[number]
            assert state.test is not None
            if state.test(char):
                reached.extend(state.targets)
        charge(len(step.eaters) + len(reached))
        if self._remembered >= MAX_REMEMBERED:
            self._steps.clear()
            step.following.clear()
            self._first.following.clear()
            self._remembered = 0
        following = self._step_to(reached, begin=False)
        step.following[char] = following
        self._remembered += 1 + len(following.eaters)
        return following

    def _step_to(self, reached: Iterable[int], *, begin: bool) -> _Step:
        here = self._follow(reached, {"begin"} if begin else set())
        there = self._follow(reached, {"begin", "end"} if begin else {"end"})
        eaters = frozenset(n for n in here if self._states[n].test is not None)
        key = (eaters, _FINAL in here, _FINAL in there)
        if key not in self._steps:
            self._steps[key] = _Step(tuple(sorted(eaters)), key[1], key[2])
        return self._steps[key]

    def _follow(self, reached: Iterable[int], holds: set[str]) -> set[int]:
        """Return *reached* and every state that free moves lead to."""
        seen: set[int] = set()
        waiting = list(reached)
        while waiting:
            number = waiting.pop()
            if number in seen:
                continue
            seen.add(number)
            state = self._states[number]
            if state.test is None and (not state.only or state.only in holds):
                waiting.extend(state.targets)
        return seen


def _parse(source: str) -> Sequence[tuple[Any, Any]]:
    if len(source) > MAX_PATTERN_CHARS:
        raise PatternError(f"is longer than {MAX_PATTERN_CHARS} characters")
    try:
        with warnings.catch_warnings(action="ignore"):
            parsed = parser.parse(source)
    except (re.error, OverflowError) as error:
        raise PatternError(f"is not a regular expression: {error}") from error
    if parsed.state.flags & ~re.UNICODE.value:
        raise PatternError("sets flags inside the pattern")
    return list(parsed)


def _add(states: list[_State], state: _State) -> int:
    if len(states) >= MAX_STATES:
        raise PatternError(f"needs more than {MAX_STATES} states; its counted repeats are too big")
    states.append(state)
    return len(states) - 1


def _emit_all(states: list[_State], items: Iterable[tuple[Any, Any]], following: int) -> int:
    """Add the states of *items* in a row; return where to enter them."""
    for operator, argument in reversed(list(items)):
        following = _emit(states, operator, argument, following)
    return following


def _emit(states: list[_State], operator: Any, argument: Any, following: int) -> int:
    """Add the states of one item that lead to *following*; return where to enter it."""
    if operator in _TESTS:
        return _add(states, _State(test=_TESTS[operator](argument), targets=(following,)))
    if operator is ops.BRANCH:
        ways = tuple(_emit_all(states, way, following) for way in argument[1])
        return _add(states, _State(targets=ways))
    if operator is ops.SUBPATTERN:
        _group, added, removed, items = argument
        if added or removed:
            raise PatternError("sets flags inside the pattern")
        return _emit_all(states, items, following)
    if operator in {ops.MAX_REPEAT, ops.MIN_REPEAT}:
        return _emit_repeat(states, argument, following)
    if operator is ops.AT and argument in _PLACES:
        return _add(states, _State(targets=(following,), only=_PLACES[argument]))
    raise PatternError(f"uses {_WORDS[operator]}, which no automaton can run")


def _emit_repeat(states: list[_State], argument: tuple[int, Any, Any], following: int) -> int:
    least, most, items = argument
    if most is ops.MAXREPEAT:
        loop = _add(states, _State())
        states[loop].targets = (_emit_all(states, items, loop), following)
        entry = loop
    else:
        entry = following
        for _ in range(most - least):
            entry = _add(states, _State(targets=(_emit_all(states, items, entry), following)))
    for _ in range(least):
        before, entry = entry, _emit_all(states, items, entry)
        if entry == before:  # nothing, repeated, is nothing: `(?:){4000000000}`
            break
    return entry


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_"


_CATEGORIES: Final[dict[Any, Test]] = {
    ops.CATEGORY_DIGIT: str.isdecimal,
    ops.CATEGORY_NOT_DIGIT: lambda char: not char.isdecimal(),
    ops.CATEGORY_SPACE: str.isspace,
    ops.CATEGORY_NOT_SPACE: lambda char: not char.isspace(),
    ops.CATEGORY_WORD: _is_word,
    ops.CATEGORY_NOT_WORD: lambda char: not _is_word(char),
}


def _test_set(members: Sequence[tuple[Any, Any]]) -> Test:
    inverted = members[0][0] is ops.NEGATE
    singles = frozenset(chr(value) for kind, value in members if kind is ops.LITERAL)
    ranges = [(chr(v[0]), chr(v[1])) for kind, v in members if kind is ops.RANGE]
    kinds = [_CATEGORIES[value] for kind, value in members if kind is ops.CATEGORY]

    def test(char: str) -> bool:
        inside = (
            char in singles
            or any(low <= char <= high for low, high in ranges)
            or any(kind(char) for kind in kinds)
        )
        return inside is not inverted

    return test


_TESTS: Final[dict[Any, Callable[[Any], Test]]] = {
    ops.LITERAL: lambda code: chr(code).__eq__,
    ops.NOT_LITERAL: lambda code: chr(code).__ne__,
    ops.ANY: lambda _nothing: "\n".__ne__,
    ops.IN: _test_set,
}

# `$` is the end of the text, as in ECMA 262, which JSON Schema cites; Python's
# `$` also holds before a last line feed, which lets "name\n" through.
_PLACES: Final[dict[Any, str]] = {
    ops.AT_BEGINNING: "begin",
    ops.AT_BEGINNING_STRING: "begin",
    ops.AT_END: "end",
    ops.AT_END_STRING: "end",
}

_WORDS: Final[dict[Any, str]] = {
    ops.ASSERT: "look-around",
    ops.ASSERT_NOT: "look-around",
    ops.GROUPREF: "a back-reference",
    ops.GROUPREF_EXISTS: "a back-reference",
    ops.ATOMIC_GROUP: "an atomic group",
    ops.POSSESSIVE_REPEAT: "a possessive repeat",
    ops.AT: "a word boundary",
}
