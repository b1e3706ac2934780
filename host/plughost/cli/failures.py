"""How does a person, or with ``--json`` a program, read that a command failed?"""

from __future__ import annotations

import json
import sys
from functools import cache
from typing import Any, Final

import attrs

from plughost.cli.output import has_colour, plain, print_json
from plughost.contracts.results import CallError
from plughost.errors import PlughostError, error_class
from plughost.resources import share_dir

__all__ = ["USAGE", "Failure", "error_types", "failure_of", "failure_of_call", "show"]

# The type of what click refuses: an unknown command, option, or value.
USAGE: Final = "usage"

# Of a plugin's log, in an error: the end of a traceback, on half a screen.
_LOG_LINES: Final = 12


@attrs.frozen(kw_only=True)
class Failure:
    """Why a command failed, ready to be shown.

    Attributes:
        type: A name of contracts/errors.json.
        message: The fact, on one line.
        lines: What belongs to the fact: problems with their paths, a log's end.
        hint: What to do next.
        help: The command that says more.
        details: JSON values the message was built from.
    """

    type: str
    message: str
    lines: tuple[str, ...] = ()
    hint: str = ""
    help: str = ""
    retryable: bool = False
    details: dict[str, Any] = attrs.field(factory=dict)

    @property
    def exit_status(self) -> int:
        """The status to exit with, from sysexits.h."""
        return error_class(self.type).exit_status

    def to_json(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        message = "\n  ".join([self.message, *self.lines])
        return {
            "error": {
                "type": self.type,
                "message": message,
                "hint": self.hint,
                "retryable": self.retryable,
                "details": self.details,
            }
        }


def failure_of(error: PlughostError) -> Failure:
    """Return *error* as it is shown."""
    described = CallError(error.type, str(error), retryable=error.retryable, details=error.facts)
    return failure_of_call(described, hint=error.hint)


def failure_of_call(error: CallError, *, hint: str = "") -> Failure:
    """Return a failed call's error as it is shown."""
    details = error.details
    message, *lines = error.message.split("\n")
    problems = [each for each in details.get("problems", ()) if isinstance(each, str)]
    if problems:
        # The message names the first ones; here each has a line of its own.
        message = message.removesuffix(": " + "; ".join(problems[:3]))
    if "exception" in details:
        lines.append(f"exception: {details['exception']}")
    lines += problems
    lines += [f"| {line}" for line in str(details.get("log_tail", "")).splitlines()[-_LOG_LINES:]]
    return Failure(
        type=error.type,
        message=message,
        lines=tuple(line.removeprefix("  ").rstrip() for line in lines if line.strip()),
        hint=hint or str(details.get("hint", "")) or _standing_hint(error.type),
        help=f"plughost explain {error.type}",
        retryable=error.retryable,
        details=details,
    )


def show(failure: Failure, *, as_json: bool) -> int:
    """Print *failure* and return the exit status.

    Args:
        failure: What went wrong.
        as_json: Print an object to stdout instead of lines to stderr.
    """
    if as_json:
        print_json(failure.to_json())
        return failure.exit_status
    title = f"error[{failure.type}]"
    if has_colour(sys.stderr):
        title = f"\x1b[1;31m{title}\x1b[0m"
    told = [f"{title}: {plain(failure.message)}", *(f"  {plain(line)}" for line in failure.lines)]
    if failure.hint:
        told.append(f"  hint: {plain(failure.hint)}")
    if failure.help:
        told.append(f"  help: {plain(failure.help)}")
    text = "\n".join(told) + "\n"
    sys.stderr.buffer.write(text.encode("utf-8", "backslashreplace"))
    sys.stderr.flush()
    return failure.exit_status


@cache
def error_types() -> dict[str, dict[str, Any]]:
    """Return contracts/errors.json: what is known about each type."""
    path = share_dir() / "contracts" / "errors.json"
    types: dict[str, dict[str, Any]] = json.loads(path.read_bytes())["errors"]
    return types


def _standing_hint(error_type: str) -> str:
    return str(error_types().get(error_type, {}).get("hint", ""))
