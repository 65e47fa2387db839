"""Tables with separators: csv and tsv as programs and spreadsheets write them. Imports the intake."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from itertools import chain, islice

from rulenet.base.wording import counted
from rulenet.data.intake import Intake, Rows
from rulenet.errors import DataError

MAX_FIELD = 64 * 1024 * 1024  # characters in one field; Python's own limit of 131,072 is too low for long documents
HEAD = 30  # lines from which the separator is found
JOINED = 20  # lines that one row may take, and how many times more than the others, before that is said
_NAMES = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " "}


def read_delimited(lines: Iterator[str], suffix: str, intake: Intake) -> Rows:
    """Yield the rows of a table, numbered by the line where they start.

    Tab-separated values have no quoting unless it is asked for; comma-separated ones have.
    """
    # The limit is global to the process. It is only ever raised, so that other readers keep what they set.
    csv.field_size_limit(max(csv.field_size_limit(), MAX_FIELD))
    head = list(islice(lines, HEAD))
    separator, n_before = _separator(head, suffix, intake)
    quotes = intake.how.quoting if intake.how.quoting is not None else separator != "\t"
    read: list[str] = []  # the lines of the present row
    counted_lines = _remember(chain(head[n_before:], lines), read)
    dialect = _Quoted() if quotes else _Bare()
    table = _Table(separator, quotes, n_before, intake)
    yield from table.rows(csv.reader(counted_lines, dialect, delimiter=separator), read)


class _Quoted(csv.excel):
    strict = True


class _Bare(csv.excel):
    quoting = csv.QUOTE_NONE


def _remember(lines: Iterable[str], read: list[str]) -> Iterator[str]:
    for line in lines:
        read.append(line)
        yield line


def _separator(head: list[str], suffix: str, intake: Intake) -> tuple[str, int]:
    """The separator, and the number of lines before the table: Excel may name it in one of its own, ``sep=;``."""
    first = head[0].rstrip("\r\n").strip('"') if head else ""
    named = first[4:] if first.lower().startswith("sep=") and len(first) <= 5 else None
    n_before = 0 if named is None else 1
    if intake.how.separator is not None:
        separator = _NAMES.get(intake.how.separator.lower(), intake.how.separator)
        if len(separator) != 1 or separator in '"\r\n\0' or separator.isalnum():
            raise DataError(f"--separator {separator!r}: give one character that is no letter or digit, or tab")
        return separator, n_before
    if named:
        return named, n_before
    if suffix == ".tsv":
        return "\t", n_before
    counts = {separator: _fields(head[n_before:], separator) for separator in ",;\t|"}
    fitting = [separator for separator, n in counts.items() if n and n > 1]
    plain = [line for line in head[n_before:] if line.strip()][:1]
    if not fitting and plain and "," not in plain[0]:  # rows with faults: the names of the columns tell
        fitting = [separator for separator in ";\t|" if separator in plain[0]]
    separator = fitting[0] if fitting else ","
    if separator != ",":
        name = "tabs" if separator == "\t" else repr(separator)
        intake.note(f"read as separated by {name}; --separator names another")
    return separator, n_before


def _fields(lines: list[str], separator: str) -> int | None:
    """How many fields the first rows have, if all have the same number."""
    reader = csv.reader(lines, _Bare() if separator == "\t" else csv.excel(), delimiter=separator)
    try:
        found = [len(fields) for fields in reader if fields]
    except csv.Error:
        return None
    # The last row may have been cut in the middle.
    return found[0] if found and set(found[: max(1, len(found) - 1)]) == {found[0]} else None


class _Table:
    """Turns the fields of a csv reader into rows."""

    def __init__(self, separator: str, quotes: bool, n_before: int, intake: Intake) -> None:
        self.separator, self.quotes, self.n_before, self.intake = separator, quotes, n_before, intake
        self.header: list[str] = []
        self.wanted: list[tuple[str, int]] = []
        self.label: int | None = None  # place of the label
        self.n_quoted = self.n_extra = 0
        self.labels: set[str] = set()  # of rows on one line
        self.swallowed: list[tuple[int, set[str]]] = []  # rows of several lines: where, and the labels inside them
        self.longest, self.n_lines, self.n_rows = (0, 0), 0, 0  # (lines, first line)

    def rows(self, reader: Iterator[list[str]], read: list[str]) -> Rows:
        empty: list[tuple[int, list[str]]] = []  # rows without any value, which are dropped at the end of the table
        line = 1 + self.n_before
        while True:
            line += len(read)
            read.clear()
            try:
                fields = next(reader)
            except StopIteration:
                break
            except csv.Error as error:  # the reader starts afresh on the next line
                remedy = "close every quote and double a quote inside a quoted field, or give --no-quoting"
                self.intake.bad(line, f"broken quoting ({error}): {remedy}")
                if not self.header:
                    self.intake.check()
                continue
            if not fields:
                continue
            if not self.header:
                self._start(fields)
                continue
            if len(self.header) > 1 and not any(map(str.strip, fields)):
                empty.append((line, fields))
                continue
            for row in (*empty, (line, fields)):
                if self._fits(*row):
                    yield row[0], {column: row[1][place] for column, place in self.wanted}
            empty.clear()
            self._watch(line, fields, read)
        self._end(len(empty))

    def _start(self, fields: list[str]) -> None:
        """Take the first row as the names of the columns; those without a name, as Excel leaves them, are dropped if they are empty."""
        while len(fields) > 1 and not fields[-1].strip():
            del fields[-1]
        self.header = fields
        self.wanted = [(column, fields.index(column)) for column in self.intake.choose(fields)]
        label = self.intake.columns.label if self.intake.columns else None
        self.label = None if label is None else fields.index(label)

    def _fits(self, line: int, fields: list[str]) -> bool:
        width = len(self.header)
        if len(fields) > width and not any(map(str.strip, fields[width:])):
            self.n_extra = max(self.n_extra, len(fields) - width)
        elif len(fields) != width:
            quote = "quote fields that contain the separator" + ("" if self.quotes else ", and give --quoting")
            hint = quote if len(fields) > width else "add the missing fields"
            self.intake.bad(line, f"{counted(len(fields), 'field')}, but the header has {width}: {hint}")
            return False
        return True

    def _watch(self, line: int, fields: list[str], read: list[str]) -> None:
        """Look for quotes that should not have been read as quotes, or should have."""
        self.n_rows += 1
        self.n_lines += len(read)
        if not self.quotes:
            self.n_quoted += any(len(field) > 1 and field[0] == field[-1] == '"' for field in fields)
            return
        place, width = self.label, len(self.header)
        if len(read) == 1:
            if place is not None and len(self.labels) < 10_000 and len(fields) == width:
                self.labels.add(fields[place])
            return
        self.longest = max(self.longest, (len(read), -line))
        if place is not None:
            cut = [row.rstrip("\r\n").split(self.separator) for row in read[:-1]]
            inside = [row[place] for row in cut if len(row) == width]
            if self.intake.how.quoting is None and 2 * len(inside) >= len(cut) and len(self.swallowed) < 1000:
                self.swallowed.append((line, set(inside)))

    def _end(self, n_empty: int) -> None:
        parts = [counted(n, name) for n, name in ((n_empty, "empty row"), (self.n_extra, "empty column")) if n]
        if parts:
            self.intake.note(f"{' and '.join(parts)} at the end of the table left out")
        wrong = [start for start, inside in self.swallowed if inside <= self.labels]
        for start in wrong:
            why = "a quoted field that contains whole rows, so a quote is missing or too many"
            remedy = "correct it, give --no-quoting if quotes are part of the texts, or --quoting if all is right"
            self.intake.bad(start, f"{why}: {remedy}")
        if not wrong and self.longest[0] > JOINED:
            n_lines, line = self.longest[0], -self.longest[1]
            if n_lines > JOINED * (self.n_lines - n_lines) / max(self.n_rows - 1, 1):
                why = f"one row takes {n_lines:,} lines, far more than the others"
                self.intake.note(f"{why}: a quote may be missing or too many (--no-quoting)", line)
        if self.n_quoted:
            what = f"{counted(self.n_quoted, 'row has a field', 'rows have fields')} in quotes, which are kept"
            self.intake.note(f"{what} as part of the text; give --quoting if they are not")
