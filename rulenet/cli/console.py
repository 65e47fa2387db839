"""What the commands share: two consoles, JSON output, complaints, standard input, files. Imports errors, rich and typer."""

from __future__ import annotations

import codecs
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer
from rich.console import Console
from rich.text import Text

from rulenet.base.files import write_file
from rulenet.errors import DataError, ParameterError

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines instead of text.")]

TextColumn = Annotated[
    str | None,
    typer.Option(
        "--text",
        help="Column of the texts, or several as title,body for rules that read fields; default: found by its name.",
    ),
]
LabelColumn = Annotated[str | None, typer.Option("--label", help="Column of the labels; default: found by its name.")]
Split = Annotated[
    str | None, typer.Option(help="Rows of this split only (column 'split', or the split of a hub data set).")
]


def _refuse_zero(jobs: int | None) -> int | None:
    if jobs == 0:
        raise ParameterError("--jobs 0: give 1 or more, or -1 for all cores")
    return jobs


Jobs = Annotated[
    int | None, typer.Option("--jobs", help="Processes that match rules; -1 for all cores.", callback=_refuse_zero)
]

# What UTF-8 cannot hold, such as half of an emoji, is written as in JSON.
ON_ENCODING_ERRORS = "backslashreplace"


def print_json(data: Any) -> None:
    """One JSON document on standard output, untouched by colours and line width."""
    write_json(data, sys.stdout, indent=2)


def write_json(data: Any, handle: TextIO, *, indent: int | None = None) -> None:
    """One JSON document and a line break; readable where the stream is in UTF-8, escaped where it is not."""
    is_utf8 = codecs.lookup(handle.encoding or "utf-8").name == "utf-8"
    handle.write(json.dumps(data, ensure_ascii=not is_utf8, indent=indent) + "\n")


def complain(message: str) -> None:
    """Say what went wrong, on standard error; the text is never read as markup."""
    err.print(Text.assemble(("error: ", "bold red"), message), soft_wrap=True)


def warn(message: Warning | str, *_: Any, **__: Any) -> None:
    """Say what may be wrong, on standard error, without the line of Python that noticed."""
    err.print(Text.assemble(("warning: ", "bold yellow"), str(message)), soft_wrap=True)


def lines_of_stdin() -> Iterator[str]:
    """Texts from standard input, one a line, in UTF-8.

    Raises
    ------
    DataError
        At the first line that is no valid text.
    """
    for number, line in enumerate(sys.stdin.buffer, start=1):
        try:
            text = line.decode()
        except UnicodeDecodeError as error:
            place = f"standard input, line {number}: byte {error.start} of the line"
            raise DataError(f"{place} is not valid utf-8: convert it, for example with iconv") from None
        yield text.rstrip("\r\n")


def check_file(path: Path) -> None:
    """Refuse a place where no file can be written, before long work rather than after.

    Raises
    ------
    DataError
        If it is a folder, or its folder does not exist.
    """
    if path.is_dir():
        raise DataError(f"{path} cannot be written: it is a folder; name a file")
    if not path.absolute().parent.is_dir():
        raise DataError(f"{path} cannot be written: there is no folder {path.parent}; make it first")


def write_page(path: Path, page: str) -> None:
    """Write an HTML page.

    Raises
    ------
    DataError
        If it cannot be written.
    """
    try:
        write_file(path, page.encode("utf-8", ON_ENCODING_ERRORS))
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror}") from error
