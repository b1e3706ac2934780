"""How a profile fails for a reason its reader can act on."""

from __future__ import annotations

__all__ = ["ProfileFailure"]


class ProfileFailure(Exception):  # noqa: N818 - it is an outcome of the tool, not a bug in it
    """A file or an argument that cannot be profiled.

    Attributes:
        what: The fact, as a clause.
        where: The file, line or argument it was seen in.
        next_step: What the reader can do, as an imperative sentence.
    """

    def __init__(self, what: str, *, where: str, next_step: str) -> None:
        super().__init__(f"{where}: {what}. {next_step}")
        self.what = what
        self.where = where
        self.next_step = next_step
