"""Building blocks of atomic writes. Imports only the standard library."""

from __future__ import annotations

import contextlib
import glob
import os
import time
import uuid
from pathlib import Path

_FORGOTTEN = 3600.0  # seconds after which nobody is still writing a temporary file


def sync(path: Path) -> None:
    """Return when a file, or the list of names in a folder, is on disk."""
    if os.name == "nt" and path.is_dir():
        return  # Windows cannot open a folder
    handle = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_file(path: Path, content: bytes, *, like: Path | None = None) -> None:
    """Replace the content of a file atomically: at any moment it has either the old or the new content. Links and permissions are kept.

    A new file gets the permissions of `like`, or those of the umask. If the process is killed, a temporary file may stay in the same
    folder. The next write of the same file deletes it if it is more than an hour old; a younger one may still be written.
    """
    target = Path(os.path.realpath(path))
    start = f".{target.name[:100]}."
    for left in target.parent.glob(glob.escape(start) + "[0-9a-f]" * 32):
        with contextlib.suppress(FileNotFoundError):  # another writer has just finished
            if time.time() - left.stat().st_mtime > _FORGOTTEN:
                left.unlink()
    work = target.with_name(start + uuid.uuid4().hex)
    like = target if target.exists() else like
    try:
        with open(work, "xb") as handle:
            handle.write(content)
            handle.flush()
            if like is not None:
                os.chmod(work, like.stat().st_mode & 0o7777)
            os.fsync(handle.fileno())
        os.replace(work, target)
    except BaseException:
        work.unlink(missing_ok=True)
        raise
    sync(target.parent)
