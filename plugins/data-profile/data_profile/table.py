"""What is known about a whole file: its columns, fed side by side."""

from __future__ import annotations

__all__ = ["MAX_COLUMNS", "Table"]

from collections.abc import Mapping, Sequence
from typing import Any

from data_profile.column import Column, SketchSizes
from data_profile.correlations import MAX_CORRELATED, Correlations, Numbers
from data_profile.notes import Notes

# Memory is shared between columns; with more than this their sketches would be
# too small to say much.
MAX_COLUMNS = 256


class Table:
    """The columns that are profiled and the rows seen so far.

    Attributes:
        rows: How many rows were added.
        columns: The columns by name, in the order of the file.
    """

    def __init__(self, names: Sequence[str], *, open_ended: bool, notes: Notes) -> None:
        """Start with the columns *names*; an open-ended table grows with the keys it meets."""
        self._sizes = SketchSizes.for_columns(MAX_COLUMNS // 8 if open_ended else len(names))
        self._open_ended = open_ended
        self._notes = notes
        self._correlations = Correlations()
        self.rows = 0
        self.columns = {name: Column(name, self._sizes) for name in names}

    def add_texts(self, columns: Sequence[Sequence[str]]) -> None:
        """Add a batch of untyped texts, in the order of the columns."""
        if not columns:
            return
        numeric: dict[str, Numbers] = {}
        for column, values in zip(self.columns.values(), columns, strict=True):
            if numbers := column.add_text(values):
                numeric[column.name] = numbers
        self.rows += len(columns[0])
        self._correlations.add(numeric)

    def add_values(self, columns: Mapping[str, Sequence[Any]], rows: int) -> None:
        """Add a batch of *rows* JSON values by column; None is null."""
        numeric: dict[str, Numbers] = {}
        for name, values in columns.items():
            column = self._column(name)
            if column is None:
                continue
            if numbers := column.add_json(values):
                numeric[name] = numbers
        self.rows += rows
        self._correlations.add(numeric)

    def described(self, top: int) -> dict[str, Any]:
        """Return the summary as plain JSON values."""
        numeric = {name for name, column in self.columns.items() if column.numeric}
        if self._correlations.left_out:
            self._notes.add(
                "correlations-limited",
                f"correlations cover the first {MAX_CORRELATED} numeric columns; "
                "name others with `columns`",
            )
        return {
            "rows": self.rows,
            "columns": [column.described(self.rows, top) for column in self.columns.values()],
            "correlations": self._correlations.listed(numeric),
        }

    def _column(self, name: str) -> Column | None:
        column = self.columns.get(name)
        if column is None and self._open_ended:
            if len(self.columns) >= MAX_COLUMNS:
                self._notes.add(
                    "too-many-columns",
                    f"only the first {MAX_COLUMNS} columns are profiled; name others with "
                    "`columns`",
                )
                return None
            column = self.columns[name] = Column(name, self._sizes)
        return column
