"""What plughost logs: an event's name and its values, silent until somebody listens.

A library must not write to its user's terminal.  A program that has configured
structlog gets structured events; any other gets lines through `logging`, as
from every library.  structlog itself is imported by whoever configures it: its
import takes 50 ms, which `plughost call` would pay for nothing.
"""

from __future__ import annotations

import logging
import sys

import attrs

__all__ = ["Journal"]


@attrs.frozen
class Journal:
    """The log of one room; event names are ``noun.verb``, values are keywords."""

    name: str

    def debug(self, event: str, **values: object) -> None:
        """Log what only a developer wants to see."""
        self._say(logging.DEBUG, event, values)

    def info(self, event: str, **values: object) -> None:
        """Log what happened as it should."""
        self._say(logging.INFO, event, values)

    def warning(self, event: str, **values: object) -> None:
        """Log what an operator should know."""
        self._say(logging.WARNING, event, values)

    def exception(self, event: str, **values: object) -> None:
        """Log a bug of ours, with the traceback of the exception being handled."""
        self._say(logging.ERROR, event, {**values, "exc_info": True})

    def _say(self, level: int, event: str, values: dict[str, object]) -> None:
        structlog = sys.modules.get("structlog")
        if structlog is not None and structlog.is_configured():
            logger = structlog.get_logger(self.name)
            getattr(logger, logging.getLevelName(level).lower())(event, **values)
            return
        logger = logging.getLogger(self.name)
        if logger.isEnabledFor(level):
            traced = values.pop("exc_info", None) is not None
            words = " ".join(f"{key}={value!r}" for key, value in values.items())
            logger.log(level, "%s %s", event, words, exc_info=traced)
