"""Building blocks of atomic writes. Imports only the standard library."""

from __future__ import annotations

import contextlib
import ctypes
import os
import uuid
from pathlib import Path

_HERE, _EXCHANGE = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of Linux


def sync(path: Path) -> None:
    """Have a file, or the entries of a folder, on disk before going on."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_file(path: Path, content: bytes) -> None:
    """Replace the content of a file atomically: at any moment it has either the old or the new content. Links and permissions are kept.

    Raises
    ------
    OSError
        If it cannot be written; the old file stays.
    """
    target = Path(os.path.realpath(path))
    work = target.with_name(f".{target.name[:100]}.{uuid.uuid4().hex}")
    try:
        work.write_bytes(content)
        if target.exists():
            work.chmod(target.stat().st_mode & 0o7777)
        sync(work)
        os.replace(work, target)
        sync(target.parent)
    finally:
        work.unlink(missing_ok=True)


def swap(new: Path, old: Path) -> None:
    """Let two folders on one disk change places.

    On Linux at once (renameat2): whenever the machine stops, there is one of them under each name. Elsewhere, and on disks that cannot do
    it, by moves: if the machine stops between two of them, both folders are there, one of them under a hidden name beside.

    Raises
    ------
    OSError
        If that fails; both are where they were.
    """
    with contextlib.suppress(AttributeError):  # not Linux, or a C library from before 2018
        if ctypes.CDLL(None).renameat2(_HERE, os.fsencode(new), _HERE, os.fsencode(old), _EXCHANGE) == 0:
            return
    aside = old.with_name(f".{old.name}.{uuid.uuid4().hex}")
    os.replace(old, aside)
    try:
        os.replace(new, old)
    except BaseException:
        os.replace(aside, old)
        raise
    os.replace(aside, new)
