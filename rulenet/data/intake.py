"""What is read from one source: its columns, its good rows, its bad rows and notes. Imports columns, label_cells and records."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from reprlib import repr as short
from typing import Any, NamedTuple

from rulenet.base.wording import counted
from rulenet.data.columns import Columns, Reading, choose, hint
from rulenet.data.label_cells import Label, LabelCells, check_separated
from rulenet.errors import DataError
from rulenet.text.record import Record

SHOWN = 5  # bad rows listed in one message

Rows = Iterator[tuple[int, Mapping[str, Any]]]
"""What a reader yields: the number of a row, and its cells by column: those chosen, or all if the intake keeps them."""


class Row(NamedTuple):
    """A good row."""

    number: int
    text: str
    label: Label | None
    cells: Mapping[str, Any]


class Intake:
    """Takes in the rows of one source; of the bad ones all are counted and the first few are listed."""

    def __init__(self, name: str, how: Reading, *, need_labels: bool, keeps_all: bool = False) -> None:
        self.name, self.how, self.need_labels, self.keeps_all = name, how, need_labels, keeps_all
        self.columns: Columns | None = None
        self.all_columns: list[str] = []
        self.unit = ": row "  # between the name of the source and the number of the row
        self.label_cells = LabelCells(how.several)
        self.labels: dict[Label | None, Label | None] = {}
        self.first: list[str] = []
        self.total = 0

    def bad(self, row: int, message: str) -> None:
        """Note a bad row."""
        self.total += 1
        if self.total <= SHOWN:
            self.first.append(f"{self.name}{self.unit}{row}: {message}")

    def note(self, message: str, row: int | None = None) -> None:
        """Say something about the source that does not stop the reading."""
        place = self.name if row is None else f"{self.name}{self.unit}{row}"
        warnings.warn(f"{place}: {message}", stacklevel=2)

    def check(self) -> None:
        """Raise an error if there were bad rows."""
        if self.total:
            more = f" (the first {SHOWN} are shown)" if self.total > SHOWN else ""
            head = [f"{self.total:,} bad rows in {self.name}{more}"] if self.total > 1 else []
            raise DataError(*head, *self.first)

    def choose(self, columns: Sequence[str], *, is_hub: bool = False) -> list[str]:
        """Return the columns that the reader should yield."""
        self.columns = choose(self.name, columns, self.how, need_labels=self.need_labels, is_hub=is_hub)
        self.all_columns = list(columns)
        if self.keeps_all:
            return self.all_columns
        chosen = self.columns
        return [*chosen.texts, *(column for column in (chosen.label, chosen.split) if column is not None)]

    def rows(self, rows: Rows) -> Iterator[Row]:
        """Yield the good rows of the split; raise an error for the bad ones at the end."""
        empty = True
        splits: set[str] = set()
        for number, cells in rows:
            empty, columns = False, self.columns
            if columns is None:
                continue
            if columns.split is not None:
                value = str(cells.get(columns.split))
                if len(splits) < 1000:
                    splits.add(value)
                if value != self.how.split:
                    continue
            if row := self._row(number, cells, columns):
                yield row
        if self.need_labels:
            check_separated([label for label in self.labels if label is not None], self.name, self.how.several)
        self.check()
        if blank := self.label_cells.blank:
            what = counted(blank, "text has a blank cell", "texts have blank cells")
            self.note(f"{what} of labels, read as texts with none of them; delete rows that nobody has labelled")
        if empty:
            what = "no rows below the column names" if self.columns else "the file is empty"
            raise DataError(f"{self.name}: {what}: add at least one row")
        if self.columns and self.columns.split is not None and self.how.split not in splits:
            found = sorted(splits)
            near = f"{hint(str(self.how.split), found)}. Values found: {', '.join(map(short, found[:30]))}"
            raise DataError(f"{self.name}: no row has the split {self.how.split!r}{near}")

    def _row(self, number: int, cells: Mapping[str, Any], columns: Columns) -> Row | None:
        parts = {column: cells.get(column) for column in columns.texts}
        given = cells.get(columns.label) if columns.label is not None else None
        label, fault = self._label(given)
        wrong = next((column for column, part in parts.items() if not isinstance(part, str)), None)
        if wrong is not None:
            what = "is missing" if parts[wrong] is None else f"is {short(parts[wrong])}, not a string"
            self.bad(number, f"the text (column {wrong!r}) {what}: correct it or delete the row")
        elif fault is not None:
            self.bad(number, f"the label (column {columns.label!r}) {fault}")
        else:
            text: Any = Record.of(parts) if len(parts) > 1 else parts[columns.texts[0]]  # type: ignore[arg-type]
            label = self.labels.setdefault(label, label)  # one object for each label, not for each row
            return Row(number, text, label, cells if self.keeps_all else {})
        return None

    def _label(self, cell: Any) -> tuple[Label | None, str | None]:
        """The label of a cell, or what is wrong with it."""
        try:
            label = self.label_cells.read(cell)
        except DataError as error:
            return None, str(error)
        if label is not None or not self.need_labels:
            return label, None
        what = f"is {short(cell)}" if isinstance(cell, (list, dict, bytes)) else "is missing"
        give = "its labels in a list, [] for none," if self.label_cells.has_lists or self.how.several else "one class"
        return None, f"{what}: give {give} or delete the row"
