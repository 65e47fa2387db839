"""Rows of different lengths in two flat arrays, in memory or mapped from disk. Imports numpy, base and errors."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rulenet.base.files import write_file
from rulenet.base.types import Array
from rulenet.errors import DataError


@dataclass(frozen=True, eq=False)
class Ragged(Sequence[Any]):
    """A list of rows of whole numbers, such as the word pieces of many texts.

    A list of lists of Python's own numbers takes some ten times the memory, and cannot be mapped from disk.

    Examples
    --------
    >>> rows = Ragged.of([[5, 6, 7], [], [8]])
    >>> len(rows), rows[0].tolist(), rows.lengths.tolist(), rows.take([2, 0]).values.tolist()
    (3, [5, 6, 7], [3, 0, 1], [8, 5, 6, 7])
    """

    values: Array  # all rows, one after the other, int32
    offsets: Array  # where each row begins in `values`, and the last one ends: int64, (n_rows + 1,)

    @classmethod
    def of(cls, rows: Iterable[Iterable[int]]) -> Ragged:
        """Pack rows; they are read one at a time, so that a generator is never in memory as a whole."""
        values, offsets = array("i"), array("q", [0])
        for row in rows:
            values.extend(row)
            offsets.append(len(values))
        return cls(np.asarray(values, dtype=np.int32), np.asarray(offsets, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: Any) -> Any:
        """A row, as a view of `values`; for a slice, its rows as a `Ragged`."""
        if isinstance(index, slice):
            return self.take(np.arange(len(self))[index])
        i = range(len(self))[index]
        return self.values[self.offsets[i] : self.offsets[i + 1]]

    @property
    def lengths(self) -> Array:
        """Length of each row, shape (n_rows,)."""
        return np.diff(self.offsets)

    def take(self, indices: Any) -> Ragged:
        """Some of the rows, copied, in the order of `indices`."""
        chosen = np.arange(len(self))[np.asarray(indices, dtype=np.intp)]
        lengths = self.lengths[chosen]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)
        return Ragged(self.values[np.repeat(self.offsets[chosen], lengths) + within], offsets)

    def save(self, path: Path) -> None:
        """Write to a file, complete or not at all: checksum (32 bytes), then as int32 the number of rows, lengths and values."""
        parts: list[Any] = [np.asarray(part, dtype="<i4") for part in ([len(self)], self.lengths, self.values)]
        content = b"".join(parts)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_file(path, hashlib.sha256(content).digest() + content)
        except OSError as error:
            raise DataError(f"{path}: rows cannot be written: {error.strerror or error}") from error

    @classmethod
    def open(cls, path: Path) -> Ragged:
        """Map a file that `save` wrote into memory; a DataError if it is missing or not what was saved."""
        try:
            numbers: Any = np.asarray(np.memmap(path, dtype="<i4", mode="r"))
        except (OSError, ValueError) as error:
            raise DataError(f"{path}: rows cannot be read: {error}") from error
        if numbers[:8].tobytes() != hashlib.sha256(numbers[8:]).digest():
            raise DataError(f"{path}: rows cannot be read: the checksum is not that of the rows that were saved")
        first = 9 + int(numbers[8])
        return cls(numbers[first:], np.concatenate([[0], np.cumsum(numbers[9:first], dtype=np.int64)]))
