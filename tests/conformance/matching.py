"""Does a frame fit a golden frame, whose values may be matchers?

The matchers are described in contracts/wire/transcripts/README.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

__all__ = ["Bindings", "fill_in", "mismatch"]

Bindings = dict[str, Any]
Matcher = Callable[[Any, Any, Bindings, str], str | None]

_KINDS: Final[dict[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
}


def mismatch(golden: Any, value: Any, bound: Bindings, where: str = "$") -> str | None:
    """Return why *value* does not fit *golden*, or None; a fit may add to *bound*."""
    if isinstance(golden, dict):
        matchers = [key for key in golden if key.startswith("$")]
        if matchers:
            return _MATCHERS[matchers[0]](golden[matchers[0]], value, bound, where)
        return _mismatch_object(golden, value, bound, where)
    if isinstance(golden, list):
        if not isinstance(value, list) or len(value) != len(golden):
            return f"{where} is {value!r}, not {golden!r}"
        found = (
            mismatch(each, item, bound, f"{where}[{index}]")
            for index, (each, item) in enumerate(zip(golden, value, strict=True))
        )
        return next((problem for problem in found if problem), None)
    # True is 1 in Python and not in JSON; 5.0 is 5 in both.
    if isinstance(golden, bool) is not isinstance(value, bool) or golden != value:
        return f"{where} is {value!r}, not {golden!r}"
    return None


def fill_in(frame: Any, bound: Bindings) -> Any:
    """Return *frame* with ``{"$saved": name}`` replaced by what was saved."""
    if isinstance(frame, dict):
        if "$saved" in frame:
            return bound[frame["$saved"]]
        return {key: fill_in(value, bound) for key, value in frame.items()}
    if isinstance(frame, list):
        return [fill_in(value, bound) for value in frame]
    return frame


def _mismatch_object(golden: Any, value: Any, bound: Bindings, where: str) -> str | None:
    if not isinstance(value, dict):
        return f"{where} is {value!r}, not an object"
    known = {key.removesuffix("?") for key in golden}
    extra = sorted(value.keys() - known)
    if extra and "..." not in golden:
        return f"{where} has {extra} too"
    for key, each in golden.items():
        name = key.removesuffix("?")
        if name in value:
            problem = mismatch(each, value[name], bound, f"{where}.{name}")
            if problem:
                return problem
        elif name == key != "...":
            return f"{where}.{name} is missing"
    return None


def _match_any(kind: str, value: Any, bound: Bindings, where: str) -> str | None:
    fits = kind == "value" or (
        isinstance(value, _KINDS[kind]) and isinstance(value, bool) is (kind == "boolean")
    )
    return None if fits else f"{where} is {value!r}, not any {kind}"


def _match_like(pattern: str, value: Any, bound: Bindings, where: str) -> str | None:
    fits = isinstance(value, str) and re.search(pattern, value)
    return None if fits else f"{where} is {value!r}, not like {pattern!r}"


def _match_or(ways: list[Any], value: Any, bound: Bindings, where: str) -> str | None:
    problems = [mismatch(way, value, bound, where) for way in ways]
    return None if None in problems else " and ".join(map(str, problems))


def _match_contains(needed: list[Any], value: Any, bound: Bindings, where: str) -> str | None:
    if not isinstance(value, list):
        return f"{where} is {value!r}, not an array"
    for each in needed:
        if all(mismatch(each, item, bound) for item in value):
            return f"{where} lacks {each!r}"
    return None


def _match_save(name: str, value: Any, bound: Bindings, where: str) -> str | None:
    bound[name] = value
    return None


def _match_saved(name: str, value: Any, bound: Bindings, where: str) -> str | None:
    return None if bound[name] == value else f"{where} is {value!r}, not {bound[name]!r}"


_MATCHERS: Final[dict[str, Matcher]] = {
    "$any": _match_any,
    "$like": _match_like,
    "$or": _match_or,
    "$contains": _match_contains,
    "$save": _match_save,
    "$saved": _match_saved,
}
