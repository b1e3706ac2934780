"""What is logged to stderr while a command runs, and how it looks."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any, TextIO

import attrs
import structlog

from plughost.cli.output import plain

__all__ = ["configure"]


def configure(*, verbosity: int = 0, lasting: bool = False) -> None:
    """Log to stderr, one line an event.

    Args:
        verbosity: 1 logs what happens to plugins, 2 everything.
        lasting: Without a verbosity, log warnings: nobody waits for this
            command's result.  Others say themselves how they ended.
    """
    quiet = logging.WARNING if lasting else logging.ERROR
    level = (quiet, logging.INFO, logging.DEBUG)[min(verbosity, 2)]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
            structlog.processors.format_exc_info,
            _one_line,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_names: _Stderr(sys.stderr),
    )


@attrs.frozen
class _Stderr:
    """Writes lines to *stream* while somebody reads it.

    A reader that left, or a full disk, must not end a host over a log line.
    """

    stream: TextIO

    def msg(self, line: str) -> None:
        with suppress(OSError, ValueError):
            self.stream.write(f"{line}\n")
            self.stream.flush()

    log = debug = info = warn = warning = error = err = critical = fatal = failure = msg
    exception = msg


def _one_line(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> str:
    """Return ``12:00:00 warning plugin.exited plugin=echo reason='exit status 3'``."""
    begin = f"{event.pop('timestamp')} {event.pop('level')} {event.pop('event')}"
    exception = event.pop("exception", None)
    values = " ".join(f"{key}={_value(value)}" for key, value in event.items())
    line = plain(f"{begin} {values}".rstrip())
    return line if exception is None else f"{line}\n{plain(exception)}"


def _value(value: Any) -> str:
    text = str(value)
    return text if text and not set(text) & set(" '\"=\n") else repr(text)
