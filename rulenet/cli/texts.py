"""Texts from standard input, or the rows of any source. Imports how lines are read, and sources late."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from rulenet.data.columns import Reading
from rulenet.data.lines import Passing, codec_of, read_lines

if TYPE_CHECKING:
    from rulenet.data.intake import Row


def lines_of_stdin(encoding: str | None = None) -> Iterator[str]:
    """Yield texts from standard input, one per line, in UTF-8 or another encoding, as soon as they come."""
    for line in read_lines(Passing(sys.stdin.buffer), "standard input", codec_of(encoding or "utf-8")):
        yield line.rstrip("\r\n")


def rows_of(data: str, how: Reading) -> Iterator[Row]:
    """Yield the rows of a source with all their cells, whose labels are not read; - is standard input."""
    from rulenet.data.intake import Row
    from rulenet.data.load import stream

    if data != "-":
        yield from stream(data, replace(how, several=False), keeps_all=True)
        return
    for number, text in enumerate(lines_of_stdin(how.encoding), start=1):
        yield Row(number, text, None, {"text": text})
