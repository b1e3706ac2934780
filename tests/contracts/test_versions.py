from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plughost.contracts.versions import RangeError, check_range, satisfies, versions_match

NUMBERS = st.integers(0, 30)


@pytest.mark.parametrize(
    ("version", "range_text", "inside"),
    [
        ("1.2.3", "^1.2", True),
        ("2.0.0", "^1.2", False),
        ("0.2.9", "^0.2.3", True),
        ("0.3.0", "^0.2.3", False),
        ("1.2.9", "~1.2.3", True),
        ("1.3.0", "~1.2.3", False),
        ("1.9.0", "1.x", True),
        ("1.5.0", ">=1.0 <2", True),
        ("3.0.0", "1.x || 3.x", True),
        ("7.0.0", "*", True),
        ("1.5.0", ">=1.0,<2", True),
        ("2.0.0", ">=1.0,<2", False),
        ("1.4.7", "~=1.4.2", True),
        ("1.5.0", "~=1.4.2", False),
        ("1.4.0", "==1.*", True),
        ("1.4.0", "!=1.4.0", False),
        ("1.4.0+build.7", "==1.4.0", True),
    ],
)
def test_npm_and_pep_440_ranges_are_both_read(version: str, range_text: str, inside: bool) -> None:
    assert satisfies(version, range_text) is inside


@pytest.mark.parametrize(
    ("version", "range_text", "inside"),
    [
        ("2.0.0-rc.1", "^1.0 || ^2.0.0-rc.0", True),
        ("2.0.0-rc.1", ">=1.0", False),
        ("2.0.0-rc.1", ">=2.0.0rc0,<3", True),
        ("2.0.0-alpha", ">=2.0.0a0,<3", True),
        ("2.0.0-1", ">=2.0.0,<3", False),
        ("2.0.0-x.7.z", ">=2.0.0,<3", False),
        ("2.0.0-x.7.z", ">=2.0.0.dev0,<3", True),
    ],
)
def test_a_pre_release_comes_before_its_release_and_must_be_named(
    version: str, range_text: str, inside: bool
) -> None:
    assert satisfies(version, range_text) is inside


@given(NUMBERS, NUMBERS, NUMBERS, NUMBERS, NUMBERS)
def test_both_notations_agree_where_they_say_the_same(
    major: int, minor: int, patch: int, low: int, high: int
) -> None:
    version = f"{major}.{minor}.{patch}"

    assert satisfies(version, f">={low}.0.0 <{high}.0.0") is satisfies(
        version, f">={low}.0.0,<{high}.0.0"
    )


@pytest.mark.parametrize("text", ["banana", ">>1", "1.0,", "=>1,<2", "~=x", "1.2.3.4"])
def test_an_unreadable_range_is_named(text: str) -> None:
    with pytest.raises(RangeError, match="is not a version range") as caught:
        check_range(text)

    assert repr(text) in str(caught.value)


def test_an_unreadable_version_is_named() -> None:
    with pytest.raises(RangeError, match=r"'1\.0' is not a version like 1\.2\.3"):
        satisfies("1.0", "^1.0")


@pytest.mark.parametrize(
    ("ours", "theirs", "match"),
    [
        ("1.0.0", "1.9.3", True),
        ("1.9.3", "1.0.0", True),
        ("1.0.0", "2.0.0", False),
        ("0.3.0", "0.3.7", True),
        ("0.3.0", "0.4.0", False),
        ("0.3.0", "1.3.0", False),
        ("1.0.0", "1.1.0-rc.1+build", True),
        ("0.3.0", "0.4.0-rc.1", False),
    ],
)
def test_wire_versions_match_by_caret(ours: str, theirs: str, match: bool) -> None:
    """Contract: contracts/wire/README.md §4.4."""
    assert versions_match(ours, theirs) is match
