"""Rows of different lengths in two flat arrays, in memory or mapped from disk. Imports numpy and errors."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import uuid
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rulenet.base.types import Array
from rulenet.errors import DataError

FILES = ("values.npy", "offsets.npy", "checksum.json")


@dataclass(frozen=True, eq=False)
class Ragged(Sequence[Any]):
    """A list of rows of whole numbers, such as the word pieces of many texts.

    A list of lists of Python's own numbers takes some ten times the memory, and cannot be mapped from disk.

    Attributes
    ----------
    values
        All rows, one after the other, int32.
    offsets
        Where each row begins in `values`, and where the last one ends: int64, shape (n_rows + 1,).

    Examples
    --------
    >>> rows = Ragged.of([[5, 6, 7], [], [8]])
    >>> len(rows), rows[0].tolist(), rows.lengths.tolist(), rows.take([2, 0]).values.tolist()
    (3, [5, 6, 7], [3, 0, 1], [8, 5, 6, 7])
    """

    values: Array
    offsets: Array

    @classmethod
    def of(cls, rows: Iterable[Iterable[int]]) -> Ragged:
        """Pack rows; they are read one at a time, so that a generator never lies in memory as a whole."""
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

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write to a folder, complete or not at all; rows that were saved there before are replaced.

        Raises
        ------
        DataError
            If the folder holds other things than rows, or cannot be written.
        """
        target = Path(folder).resolve()
        if foreign := _foreign(target):
            raise DataError(f"{target} holds {foreign[0]}, so it is no folder of rows; choose another name")
        work = _beside(target)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            work.mkdir()
            np.save(work / "values.npy", self.values.astype("<i4", copy=False), allow_pickle=False)
            np.save(work / "offsets.npy", self.offsets.astype("<i8", copy=False), allow_pickle=False)
            (work / "checksum.json").write_text(json.dumps({"sha256": _checksum(self)}), encoding="utf-8")
            _replace(work, target)
        except OSError as error:
            raise DataError(f"{target}: rows cannot be written: {error.strerror or error}") from error
        finally:
            shutil.rmtree(work, ignore_errors=True)

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> Ragged:
        """Map a folder that `save` wrote into memory; nothing in it is executed.

        Raises
        ------
        DataError
            If it is not there, or not what was saved.
        """
        path = Path(folder)
        try:
            values, offsets = (np.load(path / name, mmap_mode="r", allow_pickle=False) for name in FILES[:2])
            expected = json.loads((path / "checksum.json").read_text(encoding="utf-8"))["sha256"]
        except (OSError, ValueError, EOFError, KeyError, TypeError) as error:
            raise DataError(f"{path}: rows cannot be read: {error}") from error
        rows = cls(np.asarray(values), np.asarray(offsets))
        if values.dtype != np.int32 or offsets.dtype != np.int64 or _checksum(rows) != expected:
            raise DataError(f"{path}: these are not the rows that were saved (their checksum differs)")
        return rows


def _checksum(rows: Ragged) -> str:
    digest = hashlib.sha256(np.ascontiguousarray(rows.offsets, dtype="<i8").data)
    digest.update(np.ascontiguousarray(rows.values, dtype="<i4").data)
    return digest.hexdigest()


def _foreign(folder: Path) -> list[str]:
    """Names of files in a folder that are not of rows."""
    try:
        return sorted(file.name for file in folder.iterdir() if file.name not in FILES)
    except (FileNotFoundError, NotADirectoryError):  # or taken away meanwhile by another process
        return []


def _beside(target: Path) -> Path:
    """An unused name in the same folder."""
    return target.with_name(f".{target.name}.{uuid.uuid4().hex}")


def _replace(work: Path, target: Path) -> None:
    """Put a finished folder under its name. Another process may do so at the same time: either folder stays, whole."""
    while True:
        try:
            os.replace(work, target)
            return
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        old = _beside(target)
        with contextlib.suppress(FileNotFoundError):  # the other process was quicker
            os.replace(target, old)
        shutil.rmtree(old, ignore_errors=True)
