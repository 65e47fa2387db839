"""Data sets from csv, tsv, jsonl, parquet, a folder or the Hugging Face hub, as texts and labels.

Imports only errors, extras and records; pyarrow and datasets are imported inside the function that needs them. Each kind of
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
from reprlib import repr as short
from typing import IO, Any

from rulenet.base.extras import need
from rulenet.base.wording import counted, some
from rulenet.errors import DataError
from rulenet.text.record import Record

TEXT_COLUMNS = ("text", "sentence", "review", "content", "title", "body", "message", "comment", "question")
LABEL_COLUMNS = ("label", "labels", "class", "category", "topic", "sentiment", "intent", "target")
SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
MAX_FIELD = 64 * 1024 * 1024  # characters in one csv field; Python's own limit of 131,072 is too low for long documents
SHOWN = 5  # bad rows listed in one message
HEAD = 100  # jsonl lines that are read to find the column names
SUPPORTED = f"{' '.join(SUFFIXES)} (text files also .gz .xz .bz2), a folder with a sub-folder per class, 'hub:NAME'"

_OPENERS: dict[str, Callable[..., Any]] = {"": open, ".gz": gzip.open, ".xz": lzma.open, ".bz2": bz2.open}
_Rows = Iterator[tuple[int, Sequence[Any]]]


@dataclass(frozen=True)
class Dataset:
    """Texts and their labels; the texts are unchanged: empty ones are kept and white space is not stripped."""

    texts: list[str]
    labels: list[str] | None  # None if labels were not required and at least one is missing
    source: str  # for messages
    rows: list[int]  # from 1, for each text: the line where its row starts, the row (parquet, hub) or the file (folder)


def load(
    source: str | Path, *, text: str | None = None, label: str | None = None, split: str | None = None,
    need_labels: bool = True, limit: int | None = None, encoding: str = "utf-8",
) -> Dataset:  # fmt: skip
    """Read texts and labels from a file, a folder or the hub.

    Parameters
    ----------
    source
        A csv, tsv or jsonl file (also .gz, .xz, .bz2), a parquet file, a folder with one sub-folder of .txt files per
        class, or ``"hub:NAME"``, ``"hub:ORG/NAME"``, ``"hub:NAME/CONFIG"``, ``"hub:ORG/NAME/CONFIG"``.
    text
        Column of the texts. Several columns, as in ``"title,body"``, become records with these fields. None looks for the usual names,
        and joins a title with its description or body.
    label
        Column of the labels, which are returned as strings, not stripped. None looks for the usual names.
    split
        For a file: keep the rows with this value in the column ``split``. For the hub: the split; None means "train".
    need_labels
        Whether a missing label, or a single class, is an error.
    limit
        Stop after this many rows. None reads all.
    encoding
        Encoding of text files. In UTF-8, a byte order mark is allowed.

    Raises
    ------
    DataError
        If the source cannot be read or used. The message lists the first five bad rows and says how many there are.
    MissingExtraError
        If the package for parquet or the hub is needed but not installed.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "mail.csv"
    >>> _ = path.write_text("text,label\\nwin a prize,spam\\nsee you at noon,ham\\n")
    >>> load(path).labels
    ['spam', 'ham']
    """
    if limit is not None and limit < 1:
        raise DataError(f"{source}: limit={limit} leaves no rows: pass at least 1, or None for all rows")
    intake = _Intake(str(source), text, label, split, need_labels)
    kept = list(islice(intake.records(_rows(source, intake, encoding)), limit))
    intake.check()
    labels = [row_label for _, _, row_label in kept if row_label is not None]
    if need_labels and len(set(labels)) == 1:
        part = "" if limit is None and split is None else f" (limit={limit!r}, split={split!r})"
        raise DataError(f"{source}{part} has only one class, {labels[0]!r}, but at least two are needed")
    complete = labels if len(labels) == len(kept) else None
    return Dataset(texts=[row[1] for row in kept], labels=complete, source=str(source), rows=[row[0] for row in kept])


def stream(source: str | Path, *, text: str | None = None, encoding: str = "utf-8") -> Iterator[str]:
    """Yield the texts of a source one by one, in constant memory.

    The source is opened when the first text is requested. After the first bad row no more texts are yielded, so that
    results cannot be assigned to the wrong rows; the remaining rows are only checked, and the error is raised at the end.
    Parameters and errors are those of `load`; from the hub, the split "train" is read.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "mail.jsonl"
    >>> _ = path.write_text('{"text": "win a prize"}\\n{"text": "see you at noon"}\\n')
    >>> list(stream(path))
    ['win a prize', 'see you at noon']
    """
    intake = _Intake(str(source), text, None, None, need_labels=False)
    for _, row_text, _ in intake.records(_rows(source, intake, encoding)):
        if not intake.total:
            yield row_text


class _Intake:
    """What to read from one source, and the bad rows found so far: all are counted, the first few are listed."""

    def __init__(self, name: str, text: str | None, label: str | None, split: str | None, need_labels: bool) -> None:
        self.name, self.text, self.label, self.split, self.need_labels = name, text, label, split, need_labels
        self.texts: list[str] = []  # the columns that are joined to one text
        self.by_split = False  # whether rows are filtered by a column; the hub does its own splitting
        self.unit = ": row "  # between the name of the source and the number of the row
        self.first: list[str] = []
        self.total = 0

    def bad(self, row: int, message: str) -> None:
        self.total += 1
        if self.total <= SHOWN:
            self.first.append(f"{self.name}{self.unit}{row}: {message}")

    def check(self) -> None:
        if self.total:
            more = f" (the first {SHOWN} are shown)" if self.total > SHOWN else ""
            head = [f"{self.total:,} bad rows in {self.name}{more}"] if self.total > 1 else []
            raise DataError("\n".join(head + self.first))

    def choose(self, columns: list[str], *, is_hub: bool = False) -> list[str]:
        """Return the columns to read: of the text, the label, the split. All problems go into one error."""
        known = {column.strip().lower(): column for column in reversed(columns)}  # reversed: the first of two wins
        twice = sorted({column for column in columns if columns.count(column) > 1})
        problems = [f"the column name {column!r} appears more than once: rename or delete one" for column in twice]
        # A comma separates columns, unless it is part of the name of a column.
        is_one = self.text is None or self.text in columns
        asked = [self.text] if is_one else [name.strip() for name in str(self.text).split(",")]
        for option, column in (*(("text", name) for name in asked), ("label", self.label)):
            if column is not None and column not in columns:
                problems.append(f"no column {column!r}{_hint(column, columns)}: correct {option}= (--{option})")
        usual = [[known[key]] for key in TEXT_COLUMNS if key in known]
        pairs = [[known["title"], known[key]] for key in ("description", "body") if {"title", key} <= known.keys()]
        candidates = usual if "text" in known else pairs + usual
        if self.text is not None:
            candidates = [[name for name in asked if name]]
        self.texts = candidates[0] if candidates else []
        if not self.texts:
            problems.append("found no text column: name it with text= (--text)")
        if self.label is None:
            found = [known[key] for key in LABEL_COLUMNS if key in known]
            self.label = next((column for column in found if column not in self.texts), None)
        if self.label is None and self.need_labels:
            problems.append("found no label column: name it with label= (--label)")
        if self.label in self.texts:
            problems.append(f"text and label are both {self.label!r}: pass text= and label= (--text, --label)")
        self.by_split = self.split is not None and not is_hub
        if self.by_split and "split" not in known:
            problems.append(f"split={self.split!r} needs a column 'split', which is missing: omit split= (--split)")
        if problems:
            raise DataError(f"{self.name}: {'; '.join(problems)}. Columns found: {', '.join(map(repr, columns))}")
        label = [self.label] if self.label is not None else []
        return [*self.texts, *label, *([known["split"]] if self.by_split else [])]

    def records(self, rows: _Rows) -> Iterator[tuple[int, str, str | None]]:
        """Yield (row number, text, label) of the good rows of the split; raise an error for the bad rows at the end."""
        empty, splits = True, set()
        for row, cells in rows:
            empty, width = False, len(self.texts)
            splits.add(str(cells[-1]) if self.by_split else None)
            if self.by_split and str(cells[-1]) != self.split:
                continue
            label = _as_label(cells[width]) if self.label is not None else None
            wrong = next((i for i in range(width) if not isinstance(cells[i], str)), None)
            if wrong is not None:
                what = "is missing" if cells[wrong] is None else f"is {short(cells[wrong])}, not a string"
                self.bad(row, f"the text (column {self.texts[wrong]!r}) {what}: correct it or delete the row")
            elif label is None and self.need_labels:
                what = f"is {short(cells[width])}" if isinstance(cells[width], (list, dict, bytes)) else "is missing"
                self.bad(row, f"the label (column {self.label!r}) {what}: give one class or delete the row")
            else:
                parts = dict(zip(self.texts, cells[:width], strict=True))
                yield row, Record.of(parts) if width > 1 else cells[0], label
        self.check()
        if empty:
            what = "no rows below the column names" if self.texts else "the file is empty"
            raise DataError(f"{self.name}: {what}: add at least one row")
        if self.by_split and self.split not in splits:
            found = sorted(str(value) for value in splits)
            hint = f"{_hint(str(self.split), found)}. Values found: {', '.join(map(repr, found[:30]))}"
            raise DataError(f"{self.name}: no row has the split {self.split!r}{hint}")


def _as_label(value: Any) -> str | None:
    """Return the label as a string, or None if it is missing, blank, NaN or a collection."""
    if isinstance(value, (list, dict, bytes)) or value is None or value != value:
        return None
    whole = isinstance(value, float) and value.is_integer()  # pandas turns 0/1 with gaps into 0.0/1.0
    return str(int(value) if whole else value) if str(value).strip() else None


def _hint(name: str, options: Iterable[str]) -> str:
    lowered = {option.lower(): option for option in options}
    near = get_close_matches(name.lower(), lowered, n=1)
    return f" (did you mean {lowered[near[0]]!r}?)" if near else ""


def _rows(source: str | Path, intake: _Intake, encoding: str) -> _Rows:
    """Read any source; convert errors to DataError."""
    try:
        "a".encode(encoding)  # unlike codecs.lookup, this refuses codecs that are not text encodings ("hex")
    except LookupError as error:
        raise DataError(f"encoding={encoding!r}: {error}; try 'utf-8', 'utf-16', 'cp1252' or 'gb18030'") from None
    # A byte order mark, as Excel writes it, would otherwise become part of the first column name.
    codec = "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding
    path = Path(source)
    packing = path.suffix.lower() if path.suffix.lower() in _OPENERS else ""
    suffix = (path.with_suffix("") if packing else path).suffix.lower()
    try:
        if intake.name.startswith("hub:"):
            yield from _hub(intake)
        elif not os.path.exists(path):  # Path.exists would raise for a name that is too long, such as a whole text
            near = f" (there is no folder {path.parent} either)"
            if os.path.isdir(path.parent):
                near = _hint(path.name, os.listdir(path.parent))
            hub = "" if suffix else f". For a data set on the hub, write 'hub:{path}'"
            raise DataError(f"{path}: not found{near}{hub}")
        elif path.is_dir():
            yield from _folder(path, intake, codec)
        elif suffix not in SUFFIXES or (packing and suffix == ".parquet"):
            raise DataError(f"{path}: unknown file type{_hint(suffix, SUFFIXES)}. Supported: {SUPPORTED}")
        elif suffix == ".parquet":
            yield from _parquet(path, intake)
        elif path.stat().st_size > 0:  # an empty file is not a valid .xz, but "empty" says more than "damaged"
            intake.unit = ":"
            with _OPENERS[packing](path, "rb") as raw, io.TextIOWrapper(raw, encoding=codec, newline="") as file:
                lines = _lines(file, raw, path)
                yield from _csv(lines, suffix, intake) if suffix in (".csv", ".tsv") else _json(lines, intake)
    except (EOFError, OSError, UnicodeError, zlib.error, lzma.LZMAError) as error:
        raise DataError(f"{path}: damaged, incomplete or not readable ({error}): download or write it again") from error


def _lines(file: IO[str], raw: IO[bytes], path: Path) -> Iterator[str]:
    """Yield the lines; report a byte that cannot be decoded with its position."""
    line = 1
    try:
        for content in file:
            yield content
            line += 1
    except UnicodeDecodeError as error:  # it has the chunk just read; the lines of that chunk are not counted yet
        line += error.object[: error.start].count(b"\n")
        place = f"{path}:{line}: byte {raw.tell() - len(error.object) + error.start} of the file"
        hint = "save the file as UTF-8, or in Python pass encoding=, for example 'cp1252', 'gb18030' or 'utf-16'"
        raise DataError(f"{place} is not valid {error.encoding}: {hint}") from None


def _csv(lines: Iterator[str], suffix: str, intake: _Intake) -> _Rows:
    # The limit is global to the process. It is only ever raised, so that other readers keep what they set.
    csv.field_size_limit(max(csv.field_size_limit(), MAX_FIELD))
    reader = csv.reader(lines, delimiter="\t" if suffix == ".tsv" else ",", strict=True)
    header: list[str] = []
    places: list[int] = []
    while True:
        line = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:  # the reader starts afresh on the next line
            intake.bad(line, f"broken quoting ({error}): close every quote, and double a quote inside a quoted field")
            if not header:
                intake.check()
            continue
        if fields and not header:
            header = fields
            places = [header.index(column) for column in intake.choose(header)]
        elif fields and len(fields) != len(header):
            hint = "quote fields that contain the separator" if len(fields) > len(header) else "add the missing fields"
            intake.bad(line, f"{counted(len(fields), 'field')}, but the header has {len(header)}: {hint}")
        elif fields:  # not a blank line
            yield line, [fields[place] for place in places]


def _json(lines: Iterator[str], intake: _Intake) -> _Rows:
    numbered = ((number, line) for number, line in enumerate(lines, start=1) if line.strip())
    head = list(islice(numbered, HEAD))
    objects = [record for record in (_json_object(line) for _, line in head) if isinstance(record, dict)]
    # Without an object there are no columns to choose from, but the bad lines are still reported in full.
    wanted = intake.choose(list(dict.fromkeys(chain.from_iterable(objects)))) if objects else []
    for number, line in chain(head, numbered):
        record = _json_object(line)
        if isinstance(record, str):
            intake.bad(number, record)
        elif wanted:
            yield number, [record.get(column) for column in wanted]


def _json_object(line: str) -> dict[str, Any] | str:
    """Return the object of a line, or what is wrong with it."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:  # ValueError: also a number with too many digits
        return f"not valid JSON ({error}): each line must be one whole JSON object"
    return record if isinstance(record, dict) else f'{short(record)} is not a JSON object: write {{"text": ...}}'


def _parquet(path: Path, intake: _Intake) -> _Rows:
    arrow, parquet = (need(module, purpose=f"reading {path}") for module in ("pyarrow", "pyarrow.parquet"))
    try:
        with parquet.ParquetFile(path) as file:
            wanted = intake.choose(file.schema_arrow.names)
            yield from _cells(file.iter_batches(batch_size=1024, columns=wanted), wanted)
    except arrow.ArrowException as error:
        raise DataError(f"{path}: damaged, or not a parquet file ({error}): download or write it again") from error


def _cells(batches: Iterable[Any], wanted: list[str]) -> _Rows:
    lists = ([batch.column(column).to_pylist() for column in wanted] for batch in batches)
    return enumerate(chain.from_iterable(zip(*columns, strict=True) for columns in lists), start=1)


def _folder(path: Path, intake: _Intake, codec: str) -> _Rows:
    folders = sorted(folder for folder in path.iterdir() if folder.is_dir() and not folder.name.startswith("."))
    files = {folder: sorted(file for file in folder.iterdir() if file.suffix.lower() == ".txt") for folder in folders}
    bare = [folder.name for folder in folders if not files[folder]]
    if bare or not folders:
        what = f"no .txt files in the sub-folders {some(bare)}" if bare else "the folder has no sub-folders"
        raise DataError(f"{path}: {what}: create one sub-folder per class, with .txt files in it")
    wanted, intake.unit = intake.choose(["text", "label"]), ": file "
    for row, file in enumerate(chain.from_iterable(files.values()), start=1):
        with file.open("rb") as raw, io.TextIOWrapper(raw, encoding=codec, newline="") as opened:
            try:
                cells = {"text": "".join(_lines(opened, raw, file)), "label": file.parent.name}
                yield row, [cells[column] for column in wanted]
            except DataError as error:
                intake.bad(row, str(error))


def _hub(intake: _Intake) -> _Rows:
    datasets = need("datasets", purpose=f"loading {intake.name}")
    parts, split = intake.name.removeprefix("hub:").split("/", maxsplit=2), intake.split or "train"
    if not all(parts):
        raise DataError(f"{intake.name!r} does not name a data set: write 'hub:NAME' or 'hub:ORG/NAME'")
    try:
        try:
            data = datasets.load_dataset("/".join(parts[:2]), *parts[2:], split=split)
        except OSError as error:  # not found: two parts may also be name/config, and only the hub can tell
            if len(parts) != 2:
                raise
            try:
                data = datasets.load_dataset(*parts, split=split)
            except OSError:
                raise error from None
    except Exception as error:  # the hub client raises errors of many libraries
        why = f"cannot load split {split!r} ({type(error).__name__}: {error})"
        raise DataError(f"{intake.name}: {why}: check the name and the network, or pass a file instead") from error
    wanted = intake.choose(data.column_names, is_hub=True)
    features = {column: data.features[column] for column in wanted}
    names = {c: dict(enumerate(f.names)) for c, f in features.items() if isinstance(f, datasets.ClassLabel)}
    for row, cells in _cells(data.select_columns(wanted).with_format("arrow").iter(batch_size=1024), wanted):
        # In a test split without labels every class is -1, which has no name: None, a missing label.
        yield row, [names[c].get(cell) if c in names else cell for c, cell in zip(wanted, cells, strict=True)]
