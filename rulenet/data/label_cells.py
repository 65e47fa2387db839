"""What a cell of labels means: one label, or several. Imports errors, wording and labels.

A list, as JSON and Parquet have it, is several labels. A string is one, unless the reading says that its labels are separated by ``|``:
then a blank cell means that the text has none of them. Nothing is told by the looks of a cell: what looks like several labels where one
is read is an error that says how to decide.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from reprlib import repr as short
from typing import Any

from rulenet.base.wording import counted, some
from rulenet.data.labels import as_label
from rulenet.errors import DataError

SEPARATOR = "|"
OTHERS = (",", ";")  # what else may have been meant to separate labels
Label = str | tuple[str, ...]


@dataclass
class LabelCells:
    """Reads the label cells of one source.

    Attributes
    ----------
    several
        Whether a string may hold several labels, or a list may; None: strings hold one, lists several, and there may be only either.
    blank
        How many blank strings were read as no label.

    Examples
    --------
    >>> LabelCells(True).read("joy | love"), LabelCells(True).read(""), LabelCells(None).read(["joy"]), LabelCells(None).read("a|b")
    (('joy', 'love'), (), ('joy',), 'a|b')
    """

    several: bool | None
    blank: int = 0
    has_lists: bool | None = None  # of the rows so far

    def read(self, cell: Any) -> Label | None:
        """The label, or the labels, of a cell; None if it is missing. A DataError says what is wrong with it."""
        if isinstance(cell, list) and self.several is not False:
            found: Label | None = _checked([as_label(part) for part in cell], cell)
        elif self.several and isinstance(cell, str):
            found = self._split(cell)
        else:
            found = as_label(cell)
        if self.several is None and found is not None:
            is_list = isinstance(found, tuple)
            if self.has_lists not in (None, is_list):
                this, before = ("a list", "have one label each") if is_list else ("one label", "have lists")
                raise DataError(f"is {short(cell)}, {this}, but the rows before {before}: give lists in all rows")
            self.has_lists = is_list
        return (found,) if self.several and isinstance(found, str) else found

    def _split(self, cell: str) -> tuple[str, ...]:
        if not cell.strip():
            self.blank += 1
            return ()
        if cell.strip()[0] == "[" and cell.strip()[-1] == "]":
            raise DataError(
                f"is {short(cell)}, a list in a string: separate labels by {SEPARATOR}, as in joy{SEPARATOR}love"
            )
        return _checked([as_label(part.strip()) for part in cell.split(SEPARATOR)], cell)


def _checked(parts: list[str | None], cell: Any) -> tuple[str, ...]:
    found = [part for part in parts if part is not None]
    if len(found) < len(parts):
        raise DataError(f"is {short(cell)}, where one of the labels has no name: complete it or leave it out")
    if twice := [name for name, n in Counter(found).items() if n > 1]:
        raise DataError(f"is {short(cell)}, where {twice[0]!r} stands twice: name each label once")
    return tuple(found)


def check_separated(labels: Collection[Label], source: str, several: bool | None) -> None:
    """Refuse strings that look like several labels where one is read, and several that are separated by something else than ``|``.

    They look like it if a part of one stands for itself, or in another one as well.

    Examples
    --------
    >>> check_separated(["joy", "joy|love"], "mail.csv", None)
    Traceback (most recent call last):
    rulenet.errors.DataError: mail.csv: 1 label looks like several, such as 'joy|love': give --several, or --no-several if that is one label
    """
    if several is None and (joined := _joined({one for one in labels if isinstance(one, str)}, SEPARATOR)):
        what = counted(len(joined), "label looks", "labels look")
        raise DataError(
            f"{source}: {what} like several, such as {joined[0]!r}: give --several, or --no-several if that is one label"
        )
    if several and all(len(one) < 2 for one in labels):
        names = {name for one in labels for name in one}
        for separator in OTHERS:
            if joined := _joined(names, separator):
                why = f"no cell has more than one label, but {some([repr(joined[0])])} looks like several"
                raise DataError(f"{source}: {why}: separate labels by {SEPARATOR}, or leave out --several")


def _joined(labels: Collection[str], separator: str) -> list[str]:
    """The labels with a part that another label is, or has; sorted."""
    parts = {label: {part.strip() for part in label.split(separator)} for label in labels}
    seen = Counter(part for found in parts.values() for part in found)
    return sorted(label for label, found in parts.items() if len(found) > 1 and any(seen[part] > 1 for part in found))
