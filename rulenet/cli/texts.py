"""Texts from standard input. Imports errors and how much of a line is read."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial

from rulenet.errors import DataError


def lines_of_stdin(encoding: str | None = None) -> Iterator[str]:
    """Yield texts from standard input, one per line, in UTF-8 or another encoding in which a line break is one byte."""
    from rulenet.data.lines import MAX_LINE

    for number, line in enumerate(iter(partial(sys.stdin.buffer.readline, 4 * MAX_LINE), b""), start=1):
        if len(line) == 4 * MAX_LINE:
            raise DataError(f"standard input, line {number}: more than {MAX_LINE:,} characters: break it up")
        try:
            text = line.decode(encoding or "utf-8")
        except LookupError as error:
            raise DataError(f"--encoding {encoding}: {error}") from None
        except UnicodeDecodeError as error:
            place = f"standard input, line {number}: byte {error.start} of the line"
            hint = "name the encoding with --encoding" if encoding is None else "that is another encoding"
            raise DataError(f"{place} is not valid {error.encoding.upper()}: {hint}") from None
        yield (text.lstrip("\ufeff") if number == 1 else text).rstrip("\r\n")
