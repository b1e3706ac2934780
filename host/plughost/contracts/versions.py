"""Does this version satisfy that range, and do two wire versions match?"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

__all__ = ["RangeError", "check_range", "satisfies", "versions_match"]

# Operators and separators that only PEP 440 has; what has none of them is read npm-style.
# A plain `>=1.0` means the same in both.
_PEP440_ONLY: Final = re.compile(r",|~=|===?|!=")

# A release as almost every version is written; the rest of SemVer is a library's business.
_RELEASE: Final = re.compile(r"(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})")

# The pre-release names both worlds share: SemVer `-rc.1` is PEP 440 `rc1`.
_SHARED_PRE_RELEASE: Final = re.compile(r"(alpha|beta|rc)(?:[.-]?(\d{1,9}))?")


class RangeError(ValueError):
    """A version or a range that neither npm nor PEP 440 can read."""


def satisfies(version: str, range_text: str) -> bool:
    """Return whether SemVer *version* lies in *range_text*, npm-style or PEP 440.

    Pre-releases are inside a range only if the range names one, as in npm and pip.

    Raises:
        RangeError: One of the two cannot be read; the message names it.
    """
    return _parse_range(range_text)(_parse_version(version))


def check_range(range_text: str) -> None:
    """Raise `RangeError` unless *range_text* can be read."""
    _parse_range(range_text)


def versions_match(ours: str, theirs: str) -> bool:
    """Return whether two wire versions match by caret.

    The same major; for ``0.x`` the same minor (contracts/wire/README.md §4.4).

    Raises:
        RangeError: One of the two is not SemVer; the message names it.
    """
    (major, minor), (their_major, their_minor) = _parse_release(ours), _parse_release(theirs)
    return major == their_major and (major != 0 or minor == their_minor)


def _parse_release(text: str) -> tuple[int, int]:
    """Return major and minor of the version *text*."""
    release = _RELEASE.fullmatch(text)
    if release is not None:
        return int(release[1]), int(release[2])
    version = _parse_version(text)
    return version.major, version.minor


# The two libraries take 20 ms to load, and most starts read no range.


def _parse_version(text: str) -> Any:
    import semantic_version  # noqa: PLC0415 - on first need, see above

    try:
        return semantic_version.Version(text)
    except ValueError as error:
        raise RangeError(f"{text!r} is not a version like 1.2.3 (SemVer)") from error


def _parse_range(text: str) -> Callable[[Any], bool]:
    """Return what tells whether a version lies in the range *text*."""
    import semantic_version  # noqa: PLC0415 - same
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 - same

    try:
        if _PEP440_ONLY.search(text):
            specifiers = SpecifierSet(text)
            return lambda version: specifiers.contains(_as_pep440(version))
        npm = semantic_version.NpmSpec(text)
    except (InvalidSpecifier, ValueError) as error:
        raise RangeError(
            f"{text!r} is not a version range; write it like ^1.2, ~1.2.3, 1.x or >=1.0,<2"
        ) from error
    return lambda version: bool(npm.match(version))


def _as_pep440(version: Any) -> str:
    """Return *version* as PEP 440 orders it; the build metadata does not count."""
    release = f"{version.major}.{version.minor}.{version.patch}"
    if not version.prerelease:
        return release
    shared = _SHARED_PRE_RELEASE.fullmatch(".".join(version.prerelease))
    if shared is None:
        # PEP 440 reads `1.0.0-1` as a *post*-release; SemVer says before 1.0.0.
        return f"{release}.dev0"
    return f"{release}{shared[1]}{shared[2] or 0}"
