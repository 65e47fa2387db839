"""Tables that commands write: csv, tsv and JSON lines, one row after the other. Imports the console and errors."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from rulenet.base.harmless import harmless
from rulenet.cli.console import ON_ENCODING_ERRORS, escaped
from rulenet.errors import DataError, ParameterError

FORMATS = {".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl"}


def format_of(out: Path | None, as_json: bool) -> str:
    """The format that the name of an output asks for; csv where it has no such name and is no ordinary file."""
    named = None if out is None else FORMATS.get(out.suffix.lower())
    if as_json and named in ("csv", "tsv"):
        raise ParameterError(
            f"--json writes JSON lines, but {out} is named as {named}: leave out --json, or name it .jsonl"
        )
    if as_json:
        return "jsonl"
    if named is None and out is not None and out.suffix and (out.is_file() or not out.exists()):
        raise ParameterError(f"{out}: name the output {', '.join(FORMATS)}, or add --json")
    return named or "csv"


class TableWriter:
    """Writes rows; the columns are those of the first block, and JSON lines have for each row its own.

    What is written is exact in a file or pipe, and harmless in a terminal.
    """

    def __init__(self, handle: BinaryIO, form: str) -> None:
        self.handle, self.form, self.columns = handle, form, list[str]()
        self.is_screen = handle.isatty()

    def start(self, columns: Sequence[str]) -> None:
        """Write the names of the columns."""
        self.columns = list(columns)
        if self.form != "jsonl":
            self._line(self.columns, 0)

    def write(self, cells: Mapping[str, Any], number: int) -> None:
        """Write the row that was read as this number."""
        if self.form == "jsonl":
            given = {name: None if value != value else value for name, value in cells.items()}  # NaN is no JSON
            self._put(escaped(json.dumps(given, ensure_ascii=False, default=str)) + "\n")
            return
        if unknown := [name for name in cells if name not in self.columns]:
            why = f"row {number} has a field {unknown[0]!r} that the rows before it do not have"
            raise DataError(f"{why}: write a .jsonl file, whose rows may differ")
        self._line([_text(cells.get(name)) for name in self.columns], number)

    def _line(self, cells: Sequence[str], number: int) -> None:
        if self.form == "tsv":
            for name, cell in zip(self.columns, cells, strict=True):
                if any(c in cell for c in "\t\r\n"):
                    why = f"row {number} has a tab or line break in the column {name!r}, which a .tsv file cannot hold"
                    raise DataError(f"{why}: write a .csv or .jsonl file")
            self._put("\t".join(cells) + "\n")
        else:
            self._put(",".join(map(_quoted, cells)) + "\n")

    def _put(self, line: str) -> None:
        line = harmless(line) if self.is_screen else line
        self.handle.write(line.encode("utf-8", ON_ENCODING_ERRORS))


def _text(value: Any) -> str:
    if value is None or value != value:
        return ""
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return value if isinstance(value, str) else str(value)


def _quoted(cell: str) -> str:
    """A cell of a csv file; Python's own writer leaves a lone carriage return unquoted before version 3.13."""
    return '"' + cell.replace('"', '""') + '"' if any(c in cell for c in ',"\r\n') or cell != cell.strip() else cell
