"""Where the demo speaks, and where it keeps account of what was promised."""

from __future__ import annotations

import textwrap
from typing import Any

import attrs

from plughost.cli.output import columns, print_text

__all__ = ["Stage"]


@attrs.define
class Stage:
    """Tells the demo to a person, or keeps silent and remembers for ``--json``.

    Attributes:
        silent: Print nothing: the record is printed at the end.
        record: What happened, by part of the demo.
        broken: Promises that did not hold; empty is the demo's success.
    """

    silent: bool
    record: dict[str, Any] = attrs.field(factory=dict)
    broken: list[str] = attrs.field(factory=list)

    def title(self, text: str) -> None:
        """Begin a part."""
        self.say(f"\n{text}\n{'-' * len(text)}")

    def say(self, text: str = "", *, indent: int = 0) -> None:
        """Print a paragraph, folded to the terminal."""
        if self.silent:
            return
        for line in text.split("\n"):
            folded = textwrap.fill(
                line,
                width=columns(),
                initial_indent=" " * indent,
                subsequent_indent=" " * (indent + 2),
                break_on_hyphens=False,
                replace_whitespace=False,
                drop_whitespace=bool(line.strip()),
            )
            print_text(folded)

    def expect(self, kept: bool, promise: str) -> bool:
        """Remember that *promise* was broken unless it was *kept*."""
        if not kept:
            self.broken.append(promise)
            self.say(f"NOT AS PROMISED: {promise}", indent=4)
        return kept
