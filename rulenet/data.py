"""Data sets from csv, tsv, jsonl, parquet, a folder or the Hugging Face hub, as texts and labels.

Imports only errors and extras; pyarrow and datasets are fetched inside the function that needs them. Each kind of
source is one generator of (row number, cells) that asks `_Intake.choose` which columns to read; the rest is shared.
"""

from __future__ import annotations

import bz2
import codecs
import csv
import gzip
import io
import json
import lzma
import os
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any

from rulenet.errors import DataError
from rulenet.extras import need

TEXT_COLUMNS = ("text", "sentence", "review", "content", "title", "body", "message", "comment", "question")
LABEL_COLUMNS = ("label", "labels", "class", "category", "topic", "sentiment", "intent", "target")
MAX_FIELD = 64 * 1024 * 1024  # characters in one csv field; Python's own limit of 131,072 refuses long documents
SHOWN = 5  # bad rows spelled out in one message
HEAD = 100  # jsonl lines looked at to learn the column names
SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")

_OPENERS: dict[str, Callable[..., Any]] = {"": open, ".gz": gzip.open, ".xz": lzma.open, ".bz2": bz2.open}
_Rows = Iterator[tuple[int, Sequence[Any]]]


@dataclass(frozen=True)
class Dataset:
    """Texts and their labels; the texts are unchanged: empty ones are kept and white space is not stripped."""

    texts: list[str]
    labels: list[str] | None  # None if they were not required, and some row or the whole source has none
    source: str  # for messages
    rows: list[int]  # 1-based, per text: the line where its row starts, the row (parquet, hub) or the file (folder)


def load(
    source: str | Path,
    *,
    text: str | None = None,
    label: str | None = None,
    split: str | None = None,
    need_labels: bool = True,
    limit: int | None = None,
    encoding: str = "utf-8",
) -> Dataset:
    """Read texts and labels from a file, a folder or the hub.

    Parameters
    ----------
    source
        A csv, tsv or jsonl file (also .gz, .xz, .bz2), a parquet file, a folder with one sub-folder of .txt files per
        class, or ``"hub:NAME"``, ``"hub:ORG/NAME"``, ``"hub:NAME/CONFIG"``, ``"hub:ORG/NAME/CONFIG"``.
    text
        Column of the texts. None looks for the usual names, and joins a title with its description or body.
    label
        Column of the labels, which come back as strings, not stripped. None looks for the usual names.
    split
        Of a file: keep the rows with this value in the column ``split``. Of the hub: the split, None for "train".
    need_labels
        Whether a missing label, or a single class, is an error.
    limit
        Stop after this many rows. None reads all.
    encoding
        Of text files. A byte order mark is tolerated in UTF-8.

    Raises
    ------
    DataError
        If the source cannot be read or used. Of the bad rows, the message shows the first five and the number.
    MissingExtraError
        If parquet or the hub is asked for and its package is not installed.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "mail.csv"
    >>> _ = path.write_text("text,label\\nwin a prize,spam\\nsee you at noon,ham\\n")
    >>> load(path).labels
    ['spam', 'ham']
    """
    if limit is not None and limit < 1:
        raise DataError(f"{source}: limit={limit} keeps no row: pass at least 1, or None for all rows")
    intake = _Intake(str(source), text=text, label=label, split=split, need_labels=need_labels)
    kept = list(islice(intake.records(_rows(source, intake, encoding)), limit))
    intake.check()
    labels = [row_label for _, _, row_label in kept if row_label is not None]
    if need_labels and len(set(labels)) == 1:
        part = "" if limit is None and split is None else f" (limit={limit!r}, split={split!r})"
        raise DataError(f"only one class {labels[0]!r} in {source}{part}: at least two are needed")
    complete = labels if len(labels) == len(kept) else None
    return Dataset(texts=[row[1] for row in kept], labels=complete, source=str(source), rows=[row[0] for row in kept])


def stream(source: str | Path, *, text: str | None = None, encoding: str = "utf-8") -> Iterator[str]:
    """Yield the texts of a source one by one, in flat memory.

    Nothing is opened before the first text is asked for. After the first bad row no further text is yielded, so that
    results cannot slip against their rows; the rest is only checked, and the error comes at the end.

    Parameters
    ----------
    source
        As in `load`. Of the hub, the split "train" is read.
    text
        Column of the texts. None looks for the usual names.
    encoding
        Of text files.

    Raises
    ------
    DataError
        If the source cannot be read or has bad rows, as in `load`.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "mail.jsonl"
    >>> _ = path.write_text('{"text": "win a prize"}\\n{"text": "see you at noon"}\\n')
    >>> list(stream(path))
    ['win a prize', 'see you at noon']
    """
    intake = _Intake(str(source), text=text, label=None, split=None, need_labels=False)
    for _, row_text, _ in intake.records(_rows(source, intake, encoding)):
        if not intake.total:
            yield row_text


class _Intake:
    """What to take from one source, and the bad rows met so far: all are counted, the first few spelled out."""

    def __init__(self, name: str, *, text: str | None, label: str | None, split: str | None, need_labels: bool) -> None:
        self.name, self.text, self.label, self.split, self.need_labels = name, text, label, split, need_labels
        self.by_split = False  # the hub splits by itself
        self.texts: list[str] = []  # columns joined to one text
        self.unit = ": row "  # goes between the name and the number of a row
        self.first: list[str] = []
        self.total = 0

    def bad(self, row: int, message: str) -> None:
        self.total += 1
        if self.total <= SHOWN:
            self.first.append(f"{self.name}{self.unit}{row}: {message}")

    def check(self) -> None:
        if self.total:
            more = f" (the first {SHOWN} are shown)" if self.total > SHOWN else ""
            head = [f"{self.total} bad rows in {self.name}{more}"] if self.total > 1 else []
            raise DataError("\n".join(head + self.first))

    def choose(self, columns: list[str], *, is_hub: bool = False) -> list[str]:
        """Return the columns to read: of the text, the label, the split. All problems go into one error."""
        known = {column.strip().lower(): column for column in reversed(columns)}  # reversed: of two, the first wins
        twice = sorted({column for column in columns if columns.count(column) > 1})
        problems = [f"the column name {column!r} appears more than once: rename or delete one" for column in twice]
        for option, column in (("text", self.text), ("label", self.label)):
            if column is not None and column not in columns:
                problems.append(f"no column {column!r}{_hint(column, columns)}: correct {option}=")
        self.texts = [self.text] if self.text is not None else [known[key] for key in TEXT_COLUMNS if key in known][:1]
        second = [known[key] for key in ("description", "body") if key in known][:1]
        if self.text is None and "text" not in known and "title" in known and second:
            self.texts = [known["title"], *second]
        if self.label is None:
            usual = (known[key] for key in LABEL_COLUMNS if key in known)
            self.label = next((column for column in usual if column not in self.texts), None)
        if not self.texts:
            problems.append("no text column was recognised: pass text=")
        if self.label is None and self.need_labels:
            problems.append("no label column was recognised: pass label=")
        if self.label in self.texts:
            problems.append(f"text and label are both the column {self.label!r}: pass text= and label=")
        self.by_split = self.split is not None and not is_hub
        if self.by_split and "split" not in known:
            problems.append(f"split={self.split!r} needs a column 'split', and there is none: leave split= out")
        if problems:
            raise DataError(f"{self.name}: {'; '.join(problems)}. Columns found: {_listed(columns)}")
        label = [self.label] if self.label is not None else []
        return [*self.texts, *label, *([known["split"]] if self.by_split else [])]

    def records(self, rows: _Rows) -> Iterator[tuple[int, str, str | None]]:
        """Yield (row number, text, label) of the good rows of the split; raise for the bad ones at the end."""
        empty, splits = True, set()
        for row, cells in rows:
            empty = False
            if self.by_split:
                splits.add(str(cells[-1]))
                if str(cells[-1]) != self.split:
                    continue
            width = len(self.texts)
            label = _as_label(cells[width]) if self.label is not None else None
            wrong = next((i for i in range(width) if not isinstance(cells[i], str)), None)
            if wrong is not None:
                what = "is missing" if cells[wrong] is None else f"is {_short(cells[wrong])}, not a string"
                self.bad(row, f"the text (column {self.texts[wrong]!r}) {what}: correct it or delete the row")
            elif label is None and self.need_labels:
                what = f"is {_short(cells[width])}" if isinstance(cells[width], (list, dict, bytes)) else "is missing"
                self.bad(row, f"the label (column {self.label!r}) {what}: give one class or delete the row")
            else:
                yield row, " ".join(cells[:width]), label
        self.check()
        if empty:
            raise DataError(f"{self.name}: no rows, only column names: add at least one row")
        if self.by_split and self.split not in splits:
            hint = _hint(str(self.split), splits)
            raise DataError(f"{self.name}: no row has split {self.split!r}{hint}. Values found: {_listed(sorted(splits))}")


def _as_label(value: Any) -> str | None:
    """Return the label as a string, or None for what is no label: nothing, blank, NaN or a collection."""
    if isinstance(value, (list, dict, bytes)) or value is None or value != value:
        return None
    whole = isinstance(value, float) and value.is_integer()  # pandas turns 0/1 with gaps into 0.0/1.0
    return str(int(value) if whole else value) if str(value).strip() else None


def _short(value: object) -> str:
    return repr(value) if len(repr(value)) <= 60 else f"{repr(value)[:57]}..."


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:30])) + (", ..." if len(names) > 30 else "")


def _hint(name: str, options: Iterable[str]) -> str:
    lowered = {option.lower(): option for option in options}
    near = get_close_matches(name.lower(), lowered, n=1)
    return f" (did you mean {lowered[near[0]]!r}?)" if near else ""


def _rows(source: str | Path, intake: _Intake, encoding: str) -> _Rows:
    """Open any source; what goes wrong while it is read leaves as a DataError."""
    path, codec = Path(source), _codec(encoding)
    packing = path.suffix.lower() if path.suffix.lower() in _OPENERS else ""
    suffix = (path.with_suffix("") if packing else path).suffix.lower()
    if str(source).startswith("hub:"):
        return _hub(intake)
    if not os.path.exists(path):  # Path.exists would raise for a name that is too long, such as a whole text
        near = _hint(path.name, os.listdir(path.parent)) if os.path.isdir(path.parent) else ", nor is its folder"
        raise DataError(f"{path}: not found{near}" + ("" if suffix else f". On the hub? Then write 'hub:{path}'"))
    if path.is_dir():
        return _folder(path, intake, codec)
    if suffix not in SUFFIXES or (packing and suffix == ".parquet"):
        kinds = f"{' '.join(SUFFIXES)} (all but parquet also .gz .xz .bz2), a folder of one sub-folder per class, 'hub:NAME'"
        raise DataError(f"{path}: unknown kind of file{_hint(suffix, SUFFIXES)}. Supported: {kinds}")
    if path.stat().st_size == 0:
        raise DataError(f"{path}: the file is empty: add rows")
    return _parquet(path, intake) if suffix == ".parquet" else _text_file(path, suffix, packing, codec, intake)


def _codec(encoding: str) -> str:
    try:
        "a".encode(encoding)  # unlike codecs.lookup, this refuses codecs that are no text encoding ("hex")
    except LookupError as error:
        raise DataError(f"encoding={encoding!r}: {error}; try 'utf-8', 'utf-16', 'cp1252' or 'gb18030'") from None
    # A byte order mark, as Excel writes it, would otherwise become part of the first column name.
    return "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding


def _text_file(path: Path, suffix: str, packing: str, codec: str, intake: _Intake) -> _Rows:
    intake.unit = ":"
    try:
        try:
            with _OPENERS[packing](path, "rb") as raw, io.TextIOWrapper(raw, encoding=codec, newline="") as file:
                yield from _csv(file, suffix, intake) if suffix in (".csv", ".tsv") else _json(file, intake)
        except UnicodeError:
            raise DataError(_undecodable(path, packing, codec)) from None
    except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise DataError(f"{path}: cannot be read: {error.strerror}") from error
        raise DataError(f"{path}: not a {packing} file, or cut short ({error}): fetch or pack it again") from error


def _undecodable(path: Path, packing: str, codec: str) -> str:
    """Say where the first bad byte is: a second pass over the file, since a text stream only knows its last chunk."""
    plain = "utf-8" if codec == "utf-8-sig" else codec  # -sig counts its positions after the mark
    decoder = codecs.getincrementaldecoder(plain)()
    line, offset = 1, 0
    with _OPENERS[packing](path, "rb") as raw:
        for chunk in chain(raw, [b""]):
            pending = len(decoder.getstate()[0])
            try:
                line += decoder.decode(chunk, final=not chunk).count("\n")
            except UnicodeError as error:
                offset += getattr(error, "start", 0) - pending  # utf-16 without its mark has no position
                break
            offset += len(chunk)
    return f"{path}:{line}: byte {offset} of the file is not {plain}: pass encoding=..., e.g. 'utf-16', 'cp1252', 'gb18030'"


def _csv(file: IO[str], suffix: str, intake: _Intake) -> _Rows:
    # The limit is global to the process: it is only ever raised, so that other readers keep what they asked for.
    csv.field_size_limit(max(csv.field_size_limit(), MAX_FIELD))
    reader = csv.reader(file, delimiter="\t" if suffix == ".tsv" else ",", strict=True)
    header: list[str] = []
    places: list[int] = []
    while True:
        line = reader.line_num + 1
        try:
            fields = next(reader, None)
        except csv.Error as error:  # the reader starts afresh on the next line
            intake.bad(line, f"broken quoting ({error}): close every quote, and double a quote inside a quoted field")
            continue
        if fields is None:
            break
        ...
