from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from plughost.contracts.checking.patterns import (
    MAX_INSTRUCTIONS,
    MAX_PATTERNS,
    Pattern,
    PatternError,
    compile_patterns,
)

# Pieces that any concatenation of makes a valid pattern, over a small alphabet so
# that matches are as common as misses.  `re.ASCII` gives \d and \w ECMA's meaning.
PLAIN_ATOMS = ["a", "b", "-", ".", "[ab]", "[^a]", "[a-y]", "[^b-z0]", "(?:)", "ü", r"\u00fc"]
CLASS_ATOMS = [r"\d", r"\w", r"\s", r"\D", r"\W", r"\S", r"[\d-]", r"[^\w]", r"\.", r"\/", r"\\"]
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
TEXTS = st.text(alphabet="aab-. 0ü٣_\\/\n\ud800😀", max_size=12)


@given(st.sampled_from(["{}", "^{}", "{}$", "^{}$", "a|^{}", "(^|-){}($|b)"]), PATTERNS, TEXTS)
def test_it_finds_what_re_finds(frame: str, inner: str, text: str) -> None:
    # `\Z` is Python's name for the end of the text.
    try:
        expected = re.compile(frame.format(inner).replace("$", r"\Z"), re.ASCII)
    except re.error:
        assume(False)
        return

    assert Pattern(frame.format(inner)).search(text) is bool(expected.search(text))


@pytest.mark.parametrize(
    ("source", "inside", "outside"),
    [
        ("^name$", "name", "name\n"),
        ("a.b", "a-b", "a\nb"),
        ("a[^x]b", "a\nb", "axb"),
        (r"^\d$", "3", "٣"),
        (r"^\w$", "u", "ü"),
        (r"^\p{L}$", "ü", "3"),
        (r"^\p{Greek}+$", "αβγ", "abc"),
        (r"^[\u4e00-\u9fff]$", "漢", "a"),
        (r"^\u{1f600}$", "😀", "u"),
        (r"^\\u0041$", r"\u0041", "A"),
        ("(?i)^straße$", "STRAßE", "strasse"),
        ("(?<word>a)", "a", "b"),
        (r"\bword\b", "a word.", "swords"),
        (r"^[\w-.]+$", "a-b.c", "a b"),
        ("^[^a]$", "\ud800", "a"),
        ("\x00", "a\x00", "a"),
    ],
)
def test_a_pattern_means_what_ecma_262_says(source: str, inside: str, outside: str) -> None:
    pattern = Pattern(source)

    assert pattern.search(inside)
    assert not pattern.search(outside)


@pytest.mark.parametrize(
    "source", ["^(a+)+$", "^(a|aa)*$", "^(a|a)*$", "(x+x+)+y", "^(.*a){20}$", "(a|b)*a(a|b){12}c"]
)
def test_patterns_that_backtrack_for_ever_come_to_an_end(source: str) -> None:
    """``re`` needs 2**n steps for these texts."""
    assert not Pattern(source).search("a" * 5000 + "x" * 5000 + "!")


def test_a_search_is_charged_before_it_is_made() -> None:
    def refuse(steps: int) -> None:
        charged.append(steps)
        raise TimeoutError

    charged: list[int] = []
    pattern = Pattern("^a{9}$")

    with pytest.raises(TimeoutError):
        pattern.search("ü" * 500, refuse)

    assert charged == [1000 * pattern.size]
    assert pattern.size > 9


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("(?=a)b", "look-around"),
        ("(?!a)b", "look-around"),
        ("(?<=a)b", "look-around"),
        ("(?<!a)b", "look-around"),
        (r"(a)\1", "back-reference"),
        (r"(?<n>a)\k<n>", "back-reference"),
        (r"(a)?(?(1)b|c)", "RE2 runs: invalid perl operator"),
        ("(?>a+)b", "RE2 runs: invalid perl operator"),
        ("a++b", "RE2 runs: bad repetition operator"),
        (r"a\Z", r"RE2 runs: invalid escape sequence: \\Z"),
        (r"\ü", "RE2 runs: invalid escape sequence: \\\\ü"),
        ("[", r"RE2 runs: missing \]"),
        ("a{1,1001}", "more than 1000 times"),
        ("(a{100}){100}", "more than 1000 times"),
        (r"\p{L}{1,64}", "too big"),
        (r"\p{L}" * 17, r"more than 16 of \\p"),
        ("x" * 1025, "longer than 1024"),
        ("\ud800", "half of a surrogate pair"),
    ],
)
def test_what_re2_cannot_run_is_refused_with_the_reason(source: str, reason: str) -> None:
    with pytest.raises(PatternError, match=reason):
        Pattern(source)


def test_a_refused_pattern_leaves_no_line_on_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    for source in ("[", r"\p{L}{1,64}"):
        with pytest.raises(PatternError):
            Pattern(source)
    Pattern("(a|b)*a(a|b){30}c").search("ab" * 20_000)

    assert capfd.readouterr() == ("", "")


def test_a_schema_has_a_bounded_number_of_patterns() -> None:
    names: dict[str, Any] = {f"^{number}$": {} for number in range(MAX_PATTERNS + 5)}

    compiled = compile_patterns({"patternProperties": names, "pattern": "^0$"})

    assert len(compiled.runnable) == MAX_PATTERNS
    assert [str(problem).partition(" is ")[0] for problem in compiled.refused] == [
        f"$: the pattern '^{number}$'" for number in range(MAX_PATTERNS, MAX_PATTERNS + 5)
    ]


def test_the_patterns_of_a_schema_are_bounded_together() -> None:
    ways = [{"pattern": f"^.{{1,{count}}}$"} for count in range(490, 500)]

    compiled = compile_patterns({"allOf": ways})

    largest = max(pattern.size for pattern in compiled.runnable.values())
    assert sum(pattern.size for pattern in compiled.runnable.values()) <= MAX_INSTRUCTIONS + largest
    assert len(compiled.refused) + len(compiled.runnable) == 10
    assert all("too big together" in problem.message for problem in compiled.refused)
