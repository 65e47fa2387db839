"""Texts that commands read from standard input or files. Imports errors and `rulenet.data`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rulenet.errors import DataError

if TYPE_CHECKING:
    from rulenet.data.load import Dataset


def lines_of_stdin() -> Iterator[str]:
    """Yield texts from standard input, one per line, in UTF-8."""
    for number, line in enumerate(sys.stdin.buffer, start=1):
        try:
            text = line.decode()
        except UnicodeDecodeError as error:
            place = f"standard input, line {number}: byte {error.start} of the line"
            raise DataError(f"{place} is not valid UTF-8: convert the text first, for example with iconv") from None
        yield text.rstrip("\r\n")


def read_texts(source: str, text: str | None, label: str | None) -> Dataset:
    """Read the texts of a file, with labels if it has them; a .txt file has one text per line."""
    from rulenet.data.load import Dataset, load

    if not source.endswith(".txt"):
        return load(source, text=text, label=label, need_labels=False)
    try:
        lines = Path(source).read_bytes().decode("utf-8-sig").replace("\r\n", "\n").rstrip("\n").split("\n")
    except OSError as error:
        raise DataError(f"{source} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{source}: byte {error.start} is not valid UTF-8: save the file as UTF-8") from None
    found = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    return Dataset([line for _, line in found], None, source, [number for number, _ in found])
