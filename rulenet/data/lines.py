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
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

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


class Passing(io.BufferedIOBase):
    """Bytes that pass only once, from a pipe or out of a packed file, are counted; what `read` has looked at passes again."""

    def __init__(self, source: Any) -> None:
        self._source, self._kept, self._at = source, io.BytesIO(), 0

    def readable(self) -> bool:
        """They can be read."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """Look at the next bytes; not after `read1`."""
        part: bytes = self._source.read(size)
        self._kept.write(part)
        return part

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go back to the beginning; not after `read1`."""
        return self._kept.seek(offset, whence)

    def read1(self, size: int = -1, /) -> bytes:
        """Read what can be had at once."""
        part: bytes = self._kept.read(size) or self._source.read1(size)
        self._at += len(part)
        return part

    def tell(self) -> int:
        """How many have been read."""
        return self._at


@contextmanager
def open_text(path: Path, packing: str, asked: str | None) -> Iterator[tuple[str, Iterator[str]]]:
    """Open a text file: its encoding, which is the one asked for or what its bytes look like, and its lines."""
    most = max(MAX_UNPACKED, MAX_RATIO * path.stat().st_size) if packing else None
    with OPENERS[packing](path, "rb") as raw:
        source = Passing(raw) if packing else raw  # nothing is unpacked twice
        codec = detect(source) if asked is None else codec_of(asked)
        source.seek(0)
        with closing(read_lines(source, str(path), codec, most)) as lines:
            yield codec, lines


def codec_of(asked: str) -> str:
    """The codec of an encoding that somebody has named."""
    try:
        "a".encode(asked)  # unlike codecs.lookup, this refuses codecs that are not text encodings ("hex")
    except (LookupError, UnicodeError):
        raise DataError(
            f"--encoding {asked} is not a known text encoding: try utf-8, utf-16, cp1252 or gb18030"
        ) from None
    # A byte order mark, as Excel writes it, would otherwise become part of the first column name.
    return "utf-8-sig" if codecs.lookup(asked).name == "utf-8" else asked


def read_lines(source: Any, name: str, codec: str, most: int | None = None) -> Generator[str, None, None]:
    """Yield the lines of an open file with their ends; report a byte that cannot be decoded with its position."""
    line, size = 1, 0
    file = io.TextIOWrapper(source, encoding=codec, newline="")
    try:
        for content in iter(partial(file.readline, MAX_LINE + 1), ""):
            size += len(content)
            if len(content) > MAX_LINE:
                raise DataError(f"{name}:{line}: a line of more than {MAX_LINE:,} characters: break it up")
            if most is not None and size > most:
                why = f"unpacks to more than {most:,} characters, {MAX_RATIO} times its size"
                raise DataError(f"{name}:{line}: {why}: unpack it first if that is meant")
            yield content if line > 1 else content.lstrip("\ufeff")
            line += 1
    except UnicodeError as error:
        raise DataError(_undecodable(name, line, source, codec, error)) from None
    finally:
        file.detach()  # whoever has opened it closes it


def _undecodable(name: str, line: int, source: Any, codec: str, error: UnicodeError) -> str:
    hint = "convert it to UTF-8, or name its encoding with --encoding, such as cp1252, gb18030 or utf-16"
    if not isinstance(error, UnicodeDecodeError):  # such as UTF-16 without a byte order mark
        return f"{name}:{line}: not valid {codec} ({error}): {hint}"
    before = error.object[: error.start]  # of the chunk just read, whose lines are not counted yet
    line += before.count(b"\n") or before.count(b"\r")
    at = source.tell() - len(error.object) + error.start
    return f"{name}:{line}: byte {at} of the file is not valid {error.encoding}: {hint}"
