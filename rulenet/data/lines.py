"""Text files, also packed, as lines: of regular files only, decoded, and bounded before anything large is read.

Imports errors and how encodings are found.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import os
import stat
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any

from rulenet.data.encoding import detect
from rulenet.errors import DataError

MAX_LINE = 16 * 1024 * 1024  # characters
MAX_UNPACKED = 64 * 1024 * 1024  # bytes; what unpacks to more must not be
MAX_RATIO = 50  # times larger than its file
OPENERS: dict[str, Callable[..., Any]] = {"": open, ".gz": gzip.open, ".xz": lzma.open, ".bz2": bz2.open}


def check_regular(path: Path, *, inside: Path | None = None) -> None:
    """Refuse devices, pipes and sockets, whose reading may never end, and links that lead out of a folder."""
    if inside is not None and not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(inside)):
        raise DataError(f"{path}: a link that leads out of {inside}: copy the file into the folder")
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise DataError(f"{path}: not a regular file but a device, pipe or socket: copy its content to a file")


def find_encoding(path: Path, packing: str, asked: str | None) -> str:
    """The codec to read a file with: the one asked for, or what its bytes look like."""
    if asked is None:
        with OPENERS[packing](path, "rb") as raw:
            return detect(raw)
    try:
        "a".encode(asked)  # unlike codecs.lookup, this refuses codecs that are not text encodings ("hex")
    except LookupError as error:
        raise DataError(f"--encoding {asked}: {error}; try utf-8, utf-16, cp1252 or gb18030") from None
    # A byte order mark, as Excel writes it, would otherwise become part of the first column name.
    return "utf-8-sig" if codecs.lookup(asked).name == "utf-8" else asked


def read_lines(path: Path, packing: str, codec: str) -> Iterator[str]:
    """Yield the lines with their ends; report a byte that cannot be decoded with its position."""
    most = max(MAX_UNPACKED, MAX_RATIO * path.stat().st_size) if packing else None
    line, size = 1, 0
    with OPENERS[packing](path, "rb") as raw, io.TextIOWrapper(raw, encoding=codec, newline="") as file:
        try:
            for content in iter(partial(file.readline, MAX_LINE + 1), ""):
                size += len(content)
                if len(content) > MAX_LINE:
                    raise DataError(f"{path}:{line}: a line of more than {MAX_LINE:,} characters: break it up")
                if most is not None and size > most:
                    why = f"unpacks to more than {most:,} characters, {MAX_RATIO} times its size"
                    raise DataError(f"{path}:{line}: {why}: unpack it first if that is meant")
                yield content if line > 1 else content.lstrip("\ufeff")
                line += 1
        except UnicodeDecodeError as error:
            raise DataError(_undecodable(path, line, raw, error)) from None


def _undecodable(path: Path, line: int, raw: IO[bytes], error: UnicodeDecodeError) -> str:
    before = error.object[: error.start]  # of the chunk just read, whose lines are not counted yet
    line += before.count(b"\n") or before.count(b"\r")
    place = f"{path}:{line}: byte {raw.tell() - len(error.object) + error.start} of the file"
    hint = "save the file as UTF-8, or name its encoding with --encoding, such as cp1252, gb18030 or utf-16"
    return f"{place} is not valid {error.encoding}: {hint}"
