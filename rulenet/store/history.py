"""Steps of a model folder from state to state: its rules and φ replaced, undone, redone. Imports manifest and files.

A step builds the whole next folder beside the model, where files that stay are hard links (copies where a disk has none), checks it as
loading would, and lets the two folders change places. So at any moment there is one complete model under the name, the older or the newer
one (see `rulenet.base.files.swap` for disks that cannot do this at once). The states before and after are kept in the folder itself, under
history/undo and history/redo, the latest with the highest number.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rulenet.base.files import swap, sync
from rulenet.errors import ModelFileError
from rulenet.store.manifest import EDITED_FILES, check_files, read_config

KEPT = 10  # states that can be gone back to
Plan = dict[str, Path | bytes]
"""Every file of a folder: content to write, or a file to link."""


def model_folder(path: str | os.PathLike[str]) -> Path:
    """The folder of a model that may be changed; a link leads to its target.

    Raises
    ------
    ModelFileError
        If there is no model, or no right to write.
    """
    folder = Path(path).resolve()
    if not folder.exists() and (left := sorted(folder.parent.glob(f".{folder.name}.*/config.json"))):
        raise ModelFileError(
            f"{folder}: no such folder, but an interrupted step left {left[0].parent}; rename it to {folder.name}"
        )
    read_config(folder)
    for part in (folder, folder.parent):
        if not os.access(part, os.W_OK | os.X_OK):
            raise ModelFileError(f"{folder} cannot be changed: {part} is read-only for you; nothing was written")
    return folder


def push(folder: Path, files: dict[str, bytes], *, seen: bytes) -> None:
    """Make these the rules and φ of a model; the present ones can be gone back to.

    Parameters
    ----------
    files
        Content of each of `EDITED_FILES`; without rules.yaml the model has no rules.
    seen
        config.json of the model that `files` were made from.

    Raises
    ------
    ModelFileError
        If the model is no longer that one, or cannot be written. Nothing was written then.
    """

    def plan(now: Plan) -> Plan:
        if (folder / "config.json").read_bytes() != seen:
            raise ModelFileError(
                f"{folder} was changed by someone else meanwhile; nothing was written. Look at it and try again"
            )
        after: Plan = {name: content for name, content in now.items() if not name.startswith("history/redo/")}
        _move(after, "", _next(now, "undo"))
        for state in _states(after, "undo")[:-KEPT]:
            _drop(after, state)
        return {**after, **files}

    _step(folder, plan)


def undo(folder: Path) -> None:
    """Go back to the state before the latest edit, bit for bit; the present one can be gone forward to.

    Raises
    ------
    ModelFileError
        If there is none, it is damaged, or the folder cannot be written.
    """
    _step(folder, lambda now: _across(folder, now, "undo", "redo"))


def redo(folder: Path) -> None:
    """Take back the latest undo.

    Raises
    ------
    ModelFileError
        As in `undo`.
    """
    _step(folder, lambda now: _across(folder, now, "redo", "undo"))


def steps(folder: Path) -> tuple[int, int]:
    """How many steps back and forward there are."""
    files = _files(folder)
    return len(_states(files, "undo")), len(_states(files, "redo"))


def _across(folder: Path, now: Plan, source: str, target: str) -> Plan:
    """The latest state of one side becomes the present one, which goes to the other side."""
    states = _states(now, source)
    if not states:
        raise ModelFileError(f"{folder}: there is nothing to {source}")
    after = dict(now)
    _move(after, "", _next(now, target))
    _move(after, states[-1], "")
    return after


def _files(folder: Path) -> Plan:
    return {file.relative_to(folder).as_posix(): file for file in folder.rglob("*") if not file.is_dir()}


def _states(plan: Plan, side: str) -> list[str]:
    """Prefixes of the states on a side, the oldest first."""
    return sorted({name.rpartition("/")[0] + "/" for name in plan if name.startswith(f"history/{side}/")})


def _next(plan: Plan, side: str) -> str:
    """Prefix of the next state on a side."""
    states = _states(plan, side)
    number = int(states[-1].split("/")[2]) + 1 if states else 1
    return f"history/{side}/{number:06d}/"


def _move(plan: Plan, source: str, target: str) -> None:
    for name in EDITED_FILES:
        if source + name in plan:
            plan[target + name] = plan.pop(source + name)


def _drop(plan: Plan, state: str) -> None:
    for name in EDITED_FILES:
        plan.pop(state + name, None)


def _step(folder: Path, plan: Callable[[Plan], Plan]) -> None:
    """From the files of a folder to those that shall be there."""
    work = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}")
    try:
        with _alone(folder.parent):
            _build(work, plan(_files(folder)), folder)
            check_files(work, read_config(work))
            swap(work, folder)
            sync(folder.parent)
    except OSError as error:
        raise ModelFileError(f"{folder} cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _build(work: Path, plan: Plan, like: Path) -> None:
    """A folder with these files, all on disk."""
    work.mkdir()
    for name, content in sorted(plan.items()):
        file = work / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            file.write_bytes(content)
            shutil.copymode(like / "config.json", file)
            sync(file)
        else:
            try:
                os.link(content, file)
            except OSError:  # a disk without links, or a file of someone else
                shutil.copy2(content, file)
                sync(file)
    for part in (work, *(path for path in work.rglob("*") if path.is_dir())):
        shutil.copymode(like, part)
        sync(part)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One step at a time among the models of a folder; others wait. The lock goes with the process, however that ends."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network disks have no locks; the check of `seen` then stands alone
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
