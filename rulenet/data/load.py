"""Data sets from tables, texts, folders or the Hugging Face hub, as texts and labels.

Imports the modules of each kind of source. Each of those is one generator of (row number, cells) that asks `Intake.choose` which
columns to read; the rest is shared. Messages name the options of the command line: ``--text`` is `text` here.
"""

from __future__ import annotations

import lzma
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rulenet.data.check import check_answers
from rulenet.data.columns import FIND_OUT, Reading, hint
from rulenet.data.delimited import read_delimited
from rulenet.data.formats import read_excel, read_folder, read_hub, read_json, read_parquet, read_text
from rulenet.data.intake import Intake, Row, Rows
from rulenet.data.lines import OPENERS, check_regular, open_text
from rulenet.data.sample import stratified
from rulenet.errors import DataError

TABLES = (".csv", ".tsv", ".jsonl", ".ndjson", ".txt")
SUFFIXES = (*TABLES, ".xlsx", ".parquet")
SUPPORTED = f"{' '.join(SUFFIXES)} (text files also .gz .xz .bz2), a folder with a sub-folder per class, 'hub:NAME'"
MAX_IN_MEMORY = 8 * 1024**3  # characters of a data set that is read as a whole


@dataclass(frozen=True)
class Dataset:
    """Texts and their labels; the texts are unchanged: empty ones are kept and white space is not stripped."""

    texts: list[str]
    # Strings, or tuples of several; None if labels were not required and at least one is missing.
    labels: list[Any] | None
    source: str  # for messages
    # From 1, for each text: the line where its row starts, the row (Excel, parquet, hub) or the file (folder).
    rows: list[int]

    @property
    def several(self) -> bool:
        """Whether the texts have several labels each, or none."""
        return bool(self.labels) and isinstance(self.labels[0], tuple)  # type: ignore[index]


def load(
    source: str | Path, *, text: str | None = None, label: str | None = None, split: str | None = None,
    need_labels: bool = True, limit: int | None = None, seed: int = 0, encoding: str | None = None,
    separator: str | None = None, quoting: bool | None = None, sheet: str | None = None, several: bool | None = None,
) -> Dataset:  # fmt: skip
    """Read texts and labels from a file, a folder or the hub.

    Parameters
    ----------
    source
        A csv, tsv, jsonl or txt file (also .gz, .xz, .bz2; a txt file has one text a line), an Excel or parquet file, a folder with
        one sub-folder of .txt files per class, or ``"hub:NAME"``; NAME may be ORG/NAME, NAME/CONFIG or ORG/NAME/CONFIG.
    text
        Column of the texts; several, as in ``"title,body"``, become records with these fields. None looks for the usual names, and
        joins a title with its description, body or content.
    label
        Column of the labels, returned as strings, not stripped; whole numbers without decimals. None looks for the usual names.
    split
        For a file: keep the rows with this value in the column ``split``. For the hub: the split; None means "train".
    need_labels
        Whether a missing label, or a single class, is an error.
    limit
        Take this many rows, at random and in proportion to the labels. None takes all.
    seed
        Seed of `limit`.
    encoding
        Encoding of text files. None: UTF-8 or what the bytes look like, which is then said in a warning.
    separator
        What separates the columns of a csv or tsv file, ``"tab"`` or one character. None: tabs in .tsv; in .csv what fits the first rows.
    quoting
        Whether a field may be in quotes. None: yes, unless tabs separate the columns.
    sheet
        Sheet of an Excel file; None: the first.
    several
        Whether a cell holds labels separated by ``|``, returned as a tuple. None: only lists are several. False: not even they.

    Raises
    ------
    DataError
        If the source cannot be read or used. The message lists the first five bad rows and says how many there are.
    MissingExtraError
        If the package for Excel, parquet or the hub is needed but not installed.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "mail.csv"
    >>> _ = path.write_text("text,label\\nwin a prize,spam\\nsee you at noon,ham\\n")
    >>> load(path).labels
    ['spam', 'ham']
    """
    if limit is not None and limit < 1:
        raise DataError(f"{source}: limit={limit} leaves no rows: give at least 1")
    how = Reading(text, label, split, encoding, separator, quoting, sheet, several)
    intake = Intake(str(source), how, need_labels=need_labels)
    found = _bounded(intake.rows(_rows(source, intake)), str(source))
    rows = list(found) if limit is None else stratified(found, limit, _stratum, seed)
    if need_labels:
        _check_two_classes(rows, str(source), {"limit": limit, "split": split})
    return _dataset(rows, str(source))


def _stratum(row: Row) -> object:
    """What a sample has in proportion: labels; of several the first, since most sets are too rare to have a share."""
    return row.label[:1] if isinstance(row.label, tuple) else row.label


def _dataset(rows: Sequence[Row], name: str) -> Dataset:
    texts = [row.text for row in rows]
    labels = [row.label for row in rows if row.label is not None]
    complete = labels if len(labels) == len(rows) else None
    if complete is not None:
        check_answers(texts, ["|".join(label) if isinstance(label, tuple) else label for label in complete], name)
    return Dataset(texts, complete, name, [row.number for row in rows])


def _check_two_classes(rows: Sequence[Row], name: str, part: Mapping[str, object]) -> None:
    """Refuse data of one class; `part` says what of the source it is."""
    labels = {name for row in rows for name in (row.label if isinstance(row.label, tuple) else (row.label,))} - {None}
    if not labels:
        raise DataError(f"{name}: no text has a label, so there is nothing to learn from")
    if len(labels) == 1:
        chosen = ", ".join(f"{option}={value!r}" for option, value in part.items() if value is not None)
        what = f"{name} ({chosen})" if chosen else name
        raise DataError(f"{what} has only one class, {labels.pop()!r}, but at least two are needed")


def stream(source: str | Path, how: Reading = FIND_OUT, *, keeps_all: bool = False) -> Iterator[Row]:
    """Yield the rows of a source one by one, in constant memory; with all cells if it `keeps_all`.

    The source is opened when the first row is requested. After the first bad row no more rows are yielded, so that results cannot be
    assigned to the wrong rows; the remaining rows are only checked, and the error is raised at the end. Errors are those of `load`.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "mail.jsonl"
    >>> _ = path.write_text('{"text": "win a prize", "id": 7}\\n{"text": "see you at noon"}\\n')
    >>> [row.text for row in stream(path)], next(stream(path, keeps_all=True)).cells
    (['win a prize', 'see you at noon'], {'text': 'win a prize', 'id': 7})
    """
    intake = Intake(str(source), how, need_labels=False, keeps_all=keeps_all)
    for row in intake.rows(_rows(source, intake)):
        if not intake.total:
            yield row


def _bounded(rows: Iterator[Row], name: str) -> Iterator[Row]:
    size = 0
    for row in rows:
        size += len(row.text)
        if size > MAX_IN_MEMORY:
            raise DataError(f"{name}: more than {MAX_IN_MEMORY:,} characters of text: read it in parts")
        yield row


def _rows(source: str | Path, intake: Intake) -> Rows:
    """Read any source; convert errors to DataError."""
    path = Path(source)
    packing = path.suffix.lower() if path.suffix.lower() in OPENERS else ""
    suffix = (path.with_suffix("") if packing else path).suffix.lower()
    try:
        if intake.name.startswith("hub:"):
            yield from read_hub(intake)
        elif not os.path.exists(path):  # Path.exists would raise for a name that is too long, such as a whole text
            near = f" (there is no folder {path.parent} either)"
            if os.path.isdir(path.parent):
                near = hint(path.name, os.listdir(path.parent))
            hub = "" if suffix else f". For a data set on the hub, write 'hub:{path}'"
            raise DataError(f"{path}: not found{near}{hub}")
        elif path.is_dir():
            yield from read_folder(path, intake)
        elif suffix not in SUFFIXES or (packing and suffix not in TABLES):
            raise DataError(f"{path}: unknown file type{hint(suffix, SUFFIXES)}. Supported: {SUPPORTED}")
        else:
            check_regular(path)
            yield from _file(path, packing, suffix, intake)
    except (EOFError, OSError, UnicodeError, zlib.error, lzma.LZMAError) as error:
        raise DataError(f"{path}: damaged, incomplete or not readable ({error}): download or write it again") from error


def _file(path: Path, packing: str, suffix: str, intake: Intake) -> Rows:
    if suffix == ".parquet":
        yield from read_parquet(path, intake)
    elif suffix == ".xlsx":
        yield from read_excel(path, intake)
    elif path.stat().st_size > 0:  # an empty file is not a valid .xz, but "empty" says more than "damaged"
        intake.unit = ":"
        with open_text(path, packing, intake.how.encoding) as (codec, lines):
            if intake.how.encoding is None and codec != "utf-8-sig":
                intake.note(f"not UTF-8, read as {codec}; --encoding names another")
            if suffix in (".csv", ".tsv"):
                yield from read_delimited(lines, suffix, intake)
            else:
                yield from read_text(lines, intake) if suffix == ".txt" else read_json(lines, intake)
