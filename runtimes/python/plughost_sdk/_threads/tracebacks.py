"""How an exception is written to the log: its traceback, cut before it is formatted.

Formatting the 1000 frames of an endless recursion takes 1.6 s and says nothing that
its ends do not say.  Loaded when something fails.
"""

from __future__ import annotations

import traceback

from plughost_sdk.jsontext import NotJsonError

TYPE_CHECKING = False  # `typing` costs 10 ms, which every start would pay
if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["written"]

# Frames kept at each end of a traceback (runtimes/README.md).
_FRAMES = 20

# Exceptions followed through `raise … from …`: each is a traceback of its own.
_CHAIN = 8

_OWN_FOLDER = __file__.rpartition("/_threads/")[0]

_CAUSED = "\nThe above exception was the direct cause of the following exception:\n"
_DURING = "\nDuring handling of the above exception, another exception occurred:\n"


def written(error: BaseException, what: str) -> str:
    """Say *what* failed, with the traceback of *error*."""
    try:
        if isinstance(error, NotJsonError):
            return f"{what}: {error}"
        return f"{what}:\n" + "\n".join(_chain(error))
    except Exception as broken:  # noqa: BLE001 - an exception that cannot be printed
        return f"{what}: {type(error).__name__} (its traceback: {type(broken).__name__})"


def _chain(error: BaseException) -> list[str]:
    parts: list[str] = []
    current: BaseException | None = error
    seen: set[int] = set()
    while current is not None and len(seen) < _CHAIN and id(current) not in seen:
        seen.add(id(current))
        parts.append(_one(current))
        if current.__cause__ is not None:
            current, link = current.__cause__, _CAUSED
        elif current.__context__ is not None and not current.__suppress_context__:
            current, link = current.__context__, _DURING
        else:
            break
        parts.append(link)
    if len(parts) > 1 and parts[-1] in (_CAUSED, _DURING):
        parts.pop()
    return parts[::-1]


def _one(error: BaseException) -> str:
    lines = _frames(error.__traceback__)
    # Without the traceback, which `format_exception_only` does not read anyway.
    lines += traceback.format_exception_only(type(error), error)
    if isinstance(error, BaseExceptionGroup):
        for inside in error.exceptions[:_CHAIN]:
            lines += ["  one of them:\n", *(f"    {line}\n" for line in _one(inside).splitlines())]
    return "".join(lines).rstrip("\n")


def _frames(start: TracebackType | None) -> list[str]:
    steps = []
    step = start
    while step is not None:
        steps.append(step)
        step = step.tb_next
    while len(steps) > 1 and steps[0].tb_frame.f_code.co_filename.startswith(_OWN_FOLDER):
        del steps[0]
    if not steps:
        return []
    left_out = len(steps) - 2 * _FRAMES
    lines = ["Traceback (most recent call last):\n"]
    if left_out <= 0:
        return lines + _format(steps)
    lines += _format(steps[:_FRAMES])
    lines.append(f"  … {left_out} frames left out …\n")
    return lines + _format(steps[-_FRAMES:])


def _format(steps: list[TracebackType]) -> list[str]:
    return traceback.StackSummary.from_list(
        [
            traceback.FrameSummary(
                step.tb_frame.f_code.co_filename, step.tb_lineno, step.tb_frame.f_code.co_name
            )
            for step in steps
        ]
    ).format()
