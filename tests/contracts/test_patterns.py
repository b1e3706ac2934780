from __future__ import annotations

import re
import warnings

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from plughost.contracts.checking.patterns import MAX_REMEMBERED, Pattern, PatternError

# Pieces that any concatenation of makes a valid pattern, over a small alphabet so
# that matches are as common as misses.
PLAIN_ATOMS = ["a", "b", "-", ".", "[ab]", "[^a]", "[a-y]", "[^b-z0]", "(?:)"]
CLASS_ATOMS = [r"\d", r"\w", r"\s", r"\D", r"\W", r"\S", r"[\d-]", r"[^\w]", r"\."]
ATOMS = st.sampled_from([*PLAIN_ATOMS, *CLASS_ATOMS])
PATTERNS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds("({}|{})".format, inner, inner),
        st.builds("{}{}".format, inner, inner),
        st.builds(
            "(?:{}){}".format,
            inner,
            st.sampled_from(["*", "+", "?", "*?", "+?", "??", "{2}", "{1,3}", "{0,2}?", "{2,}"]),
        ),
        st.builds("(?P<n>{})".format, inner).filter(lambda text: text.count("?P<n>") == 1),
    ),
    max_leaves=6,
)
TEXTS = st.text(alphabet="aab-. 0ü٣_", max_size=12)


@given(
    st.sampled_from(["{}", "^{}", "{}$", "^{}$", r"\A{}\Z", "a|^{}", "(^|-){}($|b)"]),
    PATTERNS,
    TEXTS,
)
def test_it_finds_what_re_finds(frame: str, inner: str, text: str) -> None:
    source = frame.format(inner)
    try:
        expected = re.compile(source)
    except re.error:
        assume(False)
        return

    assert Pattern(source).search(text) is bool(expected.search(text))


def test_the_end_is_the_end_of_the_text() -> None:
    assert re.search("^name$", "name\n")
    assert not Pattern("^name$").search("name\n")


@pytest.mark.parametrize("source", ["^(a+)+$", "^(a|aa)*$", "^(a|a)*$", "(x+x+)+y", "^(.*a){20}$"])
def test_patterns_that_backtrack_for_ever_take_a_step_for_each_character(source: str) -> None:
    """``re`` needs 2**n steps for these texts; the automaton's are counted."""
    steps: list[int] = []
    pattern = Pattern(source)

    assert not pattern.search("a" * 5000 + "x" * 5000 + "!", steps.append)

    assert sum(steps) <= pattern.size * 200


def test_a_pattern_whose_automaton_is_huge_forgets_and_goes_on() -> None:
    pattern = Pattern("(a|b)*a(a|b){12}c")
    text = "".join("ab"[number * number % 7 % 2 ^ number % 3 % 2] for number in range(20_000))

    held = [pattern.search(text) or pattern._remembered for text in (text, text[::-1])]

    assert max(held) <= MAX_REMEMBERED + pattern.size
    assert pattern.search(text + "a" + "b" * 12 + "c")


def test_the_caller_can_stop_a_search() -> None:
    def refuse(_states: int) -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        Pattern("a").search("b", refuse)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("(?=a)b", "look-around"),
        ("(?<!a)b", "look-around"),
        (r"(a)\1", "back-reference"),
        (r"(a)?(?(1)b|c)", "back-reference"),
        (r"\bword\b", "word boundary"),
        ("(?>a+)b", "atomic group"),
        ("a++b", "possessive repeat"),
        ("(?i)a", "flags"),
        ("(?i:a)b", "flags"),
        ("[", "not a regular expression"),
        (r"\p{L}", "not a regular expression"),
        ("a{9999999999}", "not a regular expression"),
        ("(a{100}){100}", "too big"),
        ("(?:){4000000000}x{4000000000}", "too big"),
        ("x" * 1025, "longer than 1024"),
        ("(" * 500 + ")" * 500, "nests too deep"),
    ],
)
def test_what_no_automaton_can_run_is_refused_with_the_reason(source: str, reason: str) -> None:
    with pytest.raises(PatternError, match=reason):
        Pattern(source)


def test_repeating_nothing_is_nothing() -> None:
    assert Pattern("^(?:){4000000000}a$").search("a")


def test_a_doubtful_pattern_compiles_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")

        assert Pattern("[[a]").search("[")
