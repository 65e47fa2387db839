"""What the commands share: common options, output as text and JSON, messages, files. Imports base, errors, rich and typer.

Everything that a command prints goes through `out`, `err` or `data_stream`, so nothing foreign in it steers the terminal.
"""

from __future__ import annotations

import codecs
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, TextIO

from rich.table import Table
from rich.text import Text
from typer import Argument, Option

from rulenet.base.console import SafeConsole, printable
from rulenet.base.files import check_output, open_output
from rulenet.base.harmless import harmless
from rulenet.cli.words import in_words_of_the_command_line
from rulenet.errors import ParameterError, RuleNetError

out = SafeConsole()
err = SafeConsole(stderr=True)

# What UTF-8 cannot encode, such as half of an emoji, is escaped as in JSON.
ON_ENCODING_ERRORS = "backslashreplace"

SNIPPET = 120  # characters of a text

_LINE_COLOURS = {"+": "green", "-": "red", "~": "yellow", "@": "cyan"}

Model = Annotated[Path, Argument(help="Model folder.", metavar="MODEL")]
AsJson = Annotated[bool, Option("--json", help="Print JSON for programs instead of text.")]
Html = Annotated[Path | None, Option(help="Also write a self-contained HTML page to this file.")]
Seed = Annotated[int, Option(help="Random seed.", min=0, max=2**32 - 1)]


def _refuse_zero(jobs: int | None) -> int | None:
    if jobs == 0:
        raise ParameterError("--jobs 0: give 1 or more, or -1 for all cores")
    return jobs


Jobs = Annotated[int | None, Option(help="Number of processes that match rules; -1: all cores.", callback=_refuse_zero)]


def print_json(data: Any) -> None:
    """Print one JSON document on standard output, without colours or line wrapping."""
    write_json(data, sys.stdout, indent=2)


def write_json(data: Any, handle: TextIO, *, indent: int | None = None) -> None:
    """Write one JSON document and a line break; characters are escaped if they steer a terminal, or the stream is not in UTF-8."""
    is_utf8 = codecs.lookup(handle.encoding or "utf-8").name == "utf-8"
    document = json.dumps(data, ensure_ascii=not is_utf8, indent=indent)
    handle.write("\n".join(map(escaped, document.split("\n"))) + "\n")


def escaped(line: str) -> str:
    """A line of JSON in which characters that steer are escaped: they are only in strings, where both forms mean the same."""
    shown = harmless(line, one_line=True)
    if shown == line:
        return line
    return "".join(old if new in (old, " ") else json.dumps(old)[1:-1] for old, new in zip(line, shown, strict=True))


class _Screen:
    """A text stream to a terminal, on which data is made harmless."""

    def __init__(self, stream: TextIO) -> None:
        self.encoding = stream.encoding
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(harmless(text))


def data_stream() -> Any:
    """Standard output for data: exact in a file or pipe, harmless in a terminal."""
    return _Screen(sys.stdout) if sys.stdout.isatty() else sys.stdout


def say(*parts: str | tuple[str, str]) -> None:
    """Print one line made of texts and (text, style) pairs, without wrapping it; a line break in them is shown as ␊."""
    out.print(_line(*parts), soft_wrap=True)


def _line(*parts: str | tuple[str, str]) -> Text:
    return Text.assemble(*(printable(part) if isinstance(part, str) else printable(*part) for part in parts))


def say_result(is_good: bool, message: str) -> None:
    """Print the last line of a check, with a mark."""
    say(("✓", "green") if is_good else ("✗", "red"), f" {message}")


def say_lines(lines: Iterable[str]) -> None:
    """Print the lines of a report or diff, coloured by their first character."""
    for line in lines:
        say((line, _LINE_COLOURS.get(line[:1], "")))


class SafeTable(Table):
    """A table whose cells are texts on one line."""

    def add_row(self, *cells: Any, **options: Any) -> None:
        """Add a row of texts, or of things that rich can draw."""
        super().add_row(*(printable(cell) if isinstance(cell, str) else cell for cell in cells), **options)


def new_table(*columns: str, left: int = 1, title: str | None = None) -> Table:
    """Start a table without a frame; the first `left` columns are aligned to the left, the others to the right."""
    table = SafeTable(box=None, title=title, title_justify="left")
    for i, column in enumerate(columns):
        table.add_column(column, justify="left" if i < left else "right")
    return table


def complain(error: RuleNetError | str) -> None:
    """Print an error on standard error."""
    first, *more = map(in_words_of_the_command_line, [error] if isinstance(error, str) else error.lines)
    err.print(_line(("error: ", "bold red"), first), soft_wrap=True)
    for line in more:
        err.print(_line(line), soft_wrap=True)


def warn(message: Warning | str, *_: Any, **__: Any) -> None:
    """Print a warning on standard error, without the line of Python that it comes from."""
    err.print(_line(("warning: ", "bold yellow"), in_words_of_the_command_line(str(message))), soft_wrap=True)


def check_file(
    path: Path | None, inputs: Iterable[str | Path | None] = (), *, models: Iterable[Path | None] = ()
) -> None:
    """Refuse a path where no file can be written, or that is one of the inputs, so that this is found before long work."""
    if path is not None:
        check_output(path, inputs, models=models)


def write_page(path: Path, page: str) -> None:
    """Write an HTML page."""
    with open_output(path) as handle:
        handle.write(page.encode("utf-8", ON_ENCODING_ERRORS))


def snippet(text: Any) -> str:
    """The beginning of a text, or of a record, in one line.

    Examples
    --------
    >>> snippet({"title": "Refund", "body": "Where   is it?"})
    'Refund · Where is it?'
    """
    whole: str = text if isinstance(text, str) else " · ".join(text.values())
    line = " ".join(whole[: 4 * SNIPPET].split())
    return line if len(line) <= SNIPPET else line[: SNIPPET - 1] + "…"
