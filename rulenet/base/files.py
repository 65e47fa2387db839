"""Files that are written: whole or not at all, never over an input, and through links and devices. Imports only errors."""

from __future__ import annotations

import contextlib
import glob
import os
import stat
import sys
import time
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from rulenet.errors import DataError, RuleNetError

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
    with _replacing(path, like, None) as handle:
        handle.write(content)


@contextlib.contextmanager
def open_output(path: Path) -> Iterator[BinaryIO]:
    """Open an output of a command: a file is replaced when all is written; a device or pipe, and ``-``, is written to as it is.

    Whatever goes wrong, a file has its old content and nothing else is left.

    Raises
    ------
    DataError
        If it cannot be written.
    """
    number = _descriptor(path)
    try:
        if number == 1:
            sys.stdout.flush()
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        elif number is not None:
            with os.fdopen(os.dup(number), "wb") as handle:
                yield handle
        elif (target := Path(os.path.realpath(path))).exists() and not target.is_file():
            with os.fdopen(os.open(target, os.O_WRONLY), "wb") as handle:
                yield handle
        else:
            with _replacing(path, None, _open_nameless(path)) as handle:
                yield handle
    except RuleNetError:
        raise
    except OSError as error:
        if number == 1:
            raise  # whoever runs the command says what that means
        raise DataError(f"{path} cannot be written: {error.strerror or error}") from error


def check_output(
    path: Path | None, inputs: Iterable[str | Path | None] = (), *, models: Iterable[Path | None] = ()
) -> None:
    """Refuse an output that cannot be written or is an input, by whatever name, so that this is found before long work.

    Parameters
    ----------
    path
        The output; None: standard output.
    inputs
        Files, folders of which no file may be replaced, ``-`` for standard input; what does not exist is passed over.
    models
        Model folders, or files, that are inputs too; a folder with a file that is not its own is refused when it is loaded.

    Raises
    ------
    DataError
        With the reason.
    """
    path = path or Path("-")
    number = _descriptor(path)
    name = "standard output" if number == 1 else str(path)
    if number is None:
        _check_place(path)
    found = _identity(os.path.realpath(path) if number is None else number)  # what will be replaced
    folders = [model for model in models if model is not None]
    for source in (*(source for source in inputs if source is not None), *folders):
        same = _identity(0) if str(source) == "-" else _identity(source)
        if found is not None and found == same:
            raise DataError(f"{name} cannot be written: it is the same file as the input {source}. Name another file")
        if found is not None and number is None and _is_inside(path, Path(source)):
            raise DataError(f"{name} cannot be written: it is a file of the input {source}. Name another file")
    for model in folders:
        if number is None and _is_inside(path, Path(model)):
            raise DataError(
                f"{name} cannot be written: the folder of a model, {model}, has no other files. Name another place"
            )


def _check_place(path: Path) -> None:
    """Refuse a name under which no file can be written."""
    target = Path(os.path.realpath(path))
    folder = target.parent
    if target.is_dir():
        raise DataError(f"{path} cannot be written: it is a folder. Name a file")
    if target.is_symlink():
        raise DataError(f"{path} cannot be written: it is a link that leads back to itself. Name another file")
    if not folder.is_dir():
        raise DataError(
            f"{path} cannot be written: there is no folder {folder if path.is_symlink() else path.parent}. Create it first"
        )
    is_special = target.exists() and not target.is_file()  # written to, not replaced
    places = [target] if is_special else [target, folder] if target.exists() else [folder]
    if not all(os.access(place, os.W_OK) for place in places):
        raise DataError(f"{path} cannot be written: permission denied or read-only. Name another file")


def _identity(file: int | str | Path) -> tuple[int, int] | None:
    """What tells a regular file from all others, whatever its name; None for anything else."""
    try:
        found = os.stat(file)
    except (OSError, ValueError):
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISREG(found.st_mode) else None


def _is_inside(path: Path, folder: Path) -> bool:
    return folder.is_dir() and any(os.path.samefile(folder, above) for above in Path(os.path.realpath(path)).parents)


def _descriptor(path: Path) -> int | None:
    """The open file that a name such as ``-``, /dev/stdout or /dev/fd/3 stands for.

    It may be redirected to a regular file, and the rest of that file is not ours to replace.
    """
    if str(path) == "-":
        return 1
    for _ in range(40):  # as many links as the system follows
        folder = os.path.realpath(path.parent)
        if folder in (f"/proc/{os.getpid()}/fd", "/dev/fd") and path.name.isdecimal():
            return int(path.name)
        if not path.is_symlink():
            return None
        path = path.parent / os.readlink(path)
    return None


@contextlib.contextmanager
def _replacing(path: Path, like: Path | None, nameless: int | None) -> Iterator[BinaryIO]:
    """A new file that takes the place of the old one at the end of the block, or is dropped after an error."""
    target = Path(os.path.realpath(path))
    start = f".{target.name[:100]}."
    for left in target.parent.glob(glob.escape(start) + "[0-9a-f]" * 32):
        with contextlib.suppress(FileNotFoundError):  # another writer has just finished
            if time.time() - left.stat().st_mtime > _FORGOTTEN:
                left.unlink()
    work = target.with_name(start + uuid.uuid4().hex)
    like = target if target.exists() else like
    try:
        with open(work, "xb") if nameless is None else os.fdopen(nameless, "wb") as handle:
            yield handle
            handle.flush()
            if like is not None:
                os.chmod(work if nameless is None else nameless, like.stat().st_mode & 0o7777)
            os.fsync(handle.fileno())
            if nameless is not None:  # the number of any folder makes Python follow the link in /proc
                os.link(f"/proc/self/fd/{nameless}", work, src_dir_fd=nameless, follow_symlinks=True)
        os.replace(work, target)
    except BaseException:
        work.unlink(missing_ok=True)
        raise
    sync(target.parent)


def _open_nameless(path: Path) -> int | None:
    """Open a file without a name beside another, of which nothing is left if the process is killed; None if the system has none."""
    folder = os.path.dirname(os.path.realpath(path))
    if not hasattr(os, "O_TMPFILE") or not os.path.isdir("/proc/self/fd"):
        return None
    try:
        return os.open(folder, os.O_TMPFILE | os.O_WRONLY, 0o666)
    except OSError:  # not on every file system
        return None
