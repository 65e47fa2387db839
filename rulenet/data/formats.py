"""JSON lines, plain text, Excel, Parquet, folders and the Hugging Face hub. Imports the intake, lines and extras.

openpyxl, pyarrow and datasets are imported inside the function that needs them.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from reprlib import repr as short
from typing import Any

from rulenet.base.extras import need
from rulenet.base.wording import counted, some
from rulenet.data.intake import Intake, Rows
from rulenet.data.lines import MAX_RATIO, MAX_UNPACKED, check_regular, open_text
from rulenet.errors import DataError

HEAD = 100  # json lines that are read to find the column names
MAX_NODES = 1_000_000  # values in one line of JSON


def read_text(lines: Iterable[str], intake: Intake) -> Rows:
    """Yield each line that is not blank as a text."""
    intake.choose(["text"])
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield number, {"text": line.rstrip("\r\n")}


def read_json(lines: Iterable[str], intake: Intake) -> Rows:
    """Yield the objects of JSON lines."""
    numbered = ((number, line) for number, line in enumerate(lines, start=1) if line.strip())
    head = [(number, _json_object(line)) for number, line in islice(numbered, HEAD)]
    objects = [record for _, record in head if isinstance(record, dict)]
    # Without an object there are no columns to choose from, but the bad lines are still reported in full.
    if objects:
        intake.choose(list(dict.fromkeys(chain.from_iterable(objects))))
    rest = ((number, _json_object(line)) for number, line in numbered)
    for number, record in chain(head, rest):
        if isinstance(record, str):
            intake.bad(number, record)
        elif objects:
            yield number, record


def _json_object(line: str) -> dict[str, Any] | str:
    """Return the object of a line, or what is wrong with it."""
    if len(line) > MAX_NODES and sum(map(line.count, ",[{")) > MAX_NODES:
        return f"more than {MAX_NODES:,} values: each line must be the JSON object of one text"
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:  # ValueError: also a number with too many digits
        return f"not valid JSON ({error}): each line must be one whole JSON object"
    return record if isinstance(record, dict) else f'{short(record)} is not a JSON object: write {{"text": ...}}'


def read_excel(path: Path, intake: Intake) -> Rows:
    """Yield the rows of a sheet; every value is read as the text that it would be in a csv file."""
    openpyxl = need("openpyxl", purpose=f"reading {path}")
    try:
        with zipfile.ZipFile(path) as packed:
            size = sum(part.file_size for part in packed.infolist())
        if size > max(MAX_UNPACKED, MAX_RATIO * path.stat().st_size):
            raise DataError(f"{path}: unpacks to {size:,} bytes: save the sheet as .csv")
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        try:
            sheet = _sheet(book, path, intake)
            sheet.reset_dimensions()  # what a file says of its own size is often wrong
            yield from _sheet_rows(([_cell_text(value) for value in row] for row in sheet.values), intake)
        finally:
            book.close()
    except DataError:
        raise
    except (zipfile.BadZipFile, LookupError, ValueError, TypeError, SyntaxError, AttributeError) as error:
        raise DataError(f"{path}: damaged, or not an Excel workbook ({error}): save it again as .xlsx") from error


def _sheet(book: Any, path: Path, intake: Intake) -> Any:
    """The sheet that was asked for, or the first."""
    names, asked = [sheet.title for sheet in book.worksheets], intake.how.sheet
    if not names or (asked is not None and asked not in names):
        raise DataError(f"{path}: no sheet {asked!r}: --sheet can be {some([repr(name) for name in names], 20)}")
    if asked is None and len(names) > 1:
        intake.note(f"read the sheet {names[0]!r} of {len(names)}; --sheet names another")
    return book[asked or names[0]]


def _cell_text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else value.isoformat() if hasattr(value, "isoformat") else str(value)


def _sheet_rows(rows: Iterable[list[str]], intake: Intake) -> Rows:
    header: list[str] = []
    wanted: list[tuple[str, int]] = []
    n_empty = held = 0
    for number, cells in enumerate(rows, start=1):
        if not any(map(str.strip, cells)):
            held += 1
            continue
        n_empty, held = n_empty + held, 0
        if not header:
            while not cells[-1].strip():
                del cells[-1]
            header, n_empty = cells, 0
            wanted = [(column, header.index(column)) for column in intake.choose(header)]
            continue
        if any(map(str.strip, cells[len(header) :])):
            intake.bad(
                number, f"a value to the right of the {counted(len(header), 'column')} that have names: name them"
            )
            continue
        yield number, {column: cells[place] if place < len(cells) else "" for column, place in wanted}
    if n_empty:
        intake.note(f"{counted(n_empty, 'empty row')} left out")


def read_parquet(path: Path, intake: Intake) -> Rows:
    """Yield the rows of a Parquet file."""
    arrow, parquet = (need(module, purpose=f"reading {path}") for module in ("pyarrow", "pyarrow.parquet"))
    try:
        with parquet.ParquetFile(path) as file:
            wanted = intake.choose(file.schema_arrow.names)
            yield from _cells(file.iter_batches(batch_size=1024, columns=wanted), wanted)
    except arrow.ArrowException as error:
        raise DataError(f"{path}: damaged, or not a parquet file ({error}): download or write it again") from error


def _cells(batches: Iterable[Any], wanted: list[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    lists = ([batch.column(column).to_pylist() for column in wanted] for batch in batches)
    rows = chain.from_iterable(zip(*columns, strict=True) for columns in lists)
    return ((number, dict(zip(wanted, row, strict=True))) for number, row in enumerate(rows, start=1))


def read_folder(path: Path, intake: Intake) -> Rows:
    """Yield the .txt files of a folder with a sub-folder for each class."""
    folders = sorted(folder for folder in path.iterdir() if folder.is_dir() and not folder.name.startswith("."))
    files = {folder: sorted(file for file in folder.iterdir() if file.suffix.lower() == ".txt") for folder in folders}
    bare = [folder.name for folder in folders if not files[folder]]
    if bare or not folders:
        what = f"no .txt files in the sub-folders {some(bare)}" if bare else "the folder has no sub-folders"
        raise DataError(f"{path}: {what}: create one sub-folder per class, with .txt files in it")
    intake.choose(["text", "label"])
    intake.unit = ": file "
    codecs: dict[str, int] = {}
    for row, file in enumerate(chain.from_iterable(files.values()), start=1):
        try:
            check_regular(file, inside=path)
            with open_text(file, "", intake.how.encoding) as (codec, lines):
                codecs[codec] = codecs.get(codec, 0) + 1
                yield row, {"text": "".join(lines), "label": file.parent.name}
        except DataError as error:  # noqa: PERF203
            intake.bad(row, str(error))
    others = [f"{n:,} as {codec}" for codec, n in codecs.items() if codec != "utf-8-sig"]
    if others and intake.how.encoding is None:
        intake.note(f"some files are not UTF-8; read {', '.join(others)}; --encoding names another")


def read_hub(intake: Intake) -> Rows:
    """Yield the rows of a data set on the hub."""
    datasets = need("datasets", purpose=f"loading {intake.name}")
    parts, split = intake.name.removeprefix("hub:").split("/", maxsplit=2), intake.how.split or "train"
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
    # Of a list, the feature is that of its items.
    features = {column: getattr(feature, "feature", feature) for column, feature in features.items()}
    names = {c: dict(enumerate(f.names)) for c, f in features.items() if isinstance(f, datasets.ClassLabel)}
    for row, cells in _cells(data.select_columns(wanted).with_format("arrow").iter(batch_size=1024), wanted):
        # In a test split without labels every class is -1, which has no name: None, a missing label.
        yield row, {c: _named(cell, names[c]) if c in names else cell for c, cell in cells.items()}


def _named(cell: Any, names: dict[int, str]) -> Any:
    """The name of a class, or of each in a list."""
    return [names.get(part) for part in cell] if isinstance(cell, list) else names.get(cell)
