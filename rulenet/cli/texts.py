"""Texts from standard input. Imports how lines are read."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from rulenet.data.lines import Passing, codec_of, read_lines


def lines_of_stdin(encoding: str | None = None) -> Iterator[str]:
    """Yield texts from standard input, one per line, in UTF-8 or another encoding, as soon as they come."""
    for line in read_lines(Passing(sys.stdin.buffer), "standard input", codec_of(encoding or "utf-8")):
        yield line.rstrip("\r\n")
