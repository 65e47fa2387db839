"""Where the trials of a search are kept: in memory, or in a SQLite file that a later search goes on with. Imports optuna late.

The file is Optuna's own, so its tools can read it. It remembers what the search was about, and no other search may go on with it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rulenet.base.extras import need
from rulenet.errors import ParameterError

if TYPE_CHECKING:
    from optuna import Study

PREFIX = "sqlite:///"
NAME = "rulenet search"
OTHERWISE = "name another file, or delete it to begin again"


@contextmanager
def opened(storage: str | os.PathLike[str] | None, about: Mapping[str, str]) -> Iterator[Study]:
    """The trials of a search, begun or to be gone on with.

    Parameters
    ----------
    storage
        A file, also as ``sqlite:///FILE``; None: memory.
    about
        Fingerprints of all that a search depends on, by what they are called in a message.

    Raises
    ------
    ParameterError
        If the file holds another search, or something else, or another process searches with it.
    MissingExtraError
        If Optuna is not installed.
    """
    optuna = need("optuna", purpose="a search")
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        pruner = optuna.pruners.MedianPruner(n_startup_trials=1, n_warmup_steps=0)
        how: dict[str, Any] = {"study_name": NAME, "direction": "maximize", "pruner": pruner}
        if storage is None:
            yield optuna.create_study(**how)
            return
        path = checked_path(storage)
        with _alone(path), _database(path) as database:
            study = optuna.create_study(storage=database, load_if_exists=True, **how)
            _check_same(path, study.user_attrs, about, is_new=not study.trials)
            for name, fingerprint in about.items():
                study.set_user_attr(name, fingerprint)
            for trial in study.get_trials(states=[optuna.trial.TrialState.RUNNING]):  # interrupted: it is run again
                study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
            yield study
    finally:
        optuna.logging.set_verbosity(level)


def checked_path(storage: str | os.PathLike[str]) -> Path:
    """The file of a storage, if there can be one or a search can be in it; it is not changed."""
    text = os.fspath(storage)
    if "://" in text and not text.startswith(PREFIX):
        raise ParameterError(f"storage={text!r} should be a file, also as {PREFIX}FILE")
    path = Path(text.removeprefix(PREFIX))
    if not path.parent.is_dir():
        raise ParameterError(f"storage: the folder {path.parent} does not exist")
    if path.is_dir():
        raise ParameterError(f"storage: {path} is a folder; name a file in it")
    if path.exists() and path.stat().st_size:
        try:
            with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
                is_search = database.execute("SELECT 1 FROM studies WHERE study_name = ?", [NAME]).fetchone()
        except sqlite3.Error:
            is_search = None
        if is_search is None:
            raise ParameterError(f"storage: {path} holds no search of rulenet; {OTHERWISE}")
    return path


def _check_same(path: Path, known: Mapping[str, str], about: Mapping[str, str], *, is_new: bool) -> None:
    """Refuse a file in which a search about something else is kept."""
    other = [name for name, fingerprint in about.items() if known.get(name) != fingerprint]
    if other and not (is_new and not known):
        raise ParameterError(f"storage: {path} holds a search with other {', other '.join(other)}; {OTHERWISE}")


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """No other process searches with this file at the same time."""
    from filelock import FileLock, Timeout

    lock = FileLock(path.with_name(f".{path.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise ParameterError(f"storage: another process is searching with {path}; wait for its end") from None
    try:
        yield
    finally:
        Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()


@contextmanager
def _database(path: Path) -> Iterator[Any]:
    """Optuna's storage in a file."""
    from optuna.exceptions import OptunaError
    from optuna.storages import RDBStorage
    from sqlalchemy.exc import SQLAlchemyError  # which Optuna needs

    def unusable(error: Exception) -> ParameterError:
        return ParameterError(f"storage: {path} cannot be used: {str(error).splitlines()[0]}")

    try:
        database = RDBStorage(f"{PREFIX}{path.resolve()}")
    except (SQLAlchemyError, RuntimeError) as error:  # a file that cannot be written, or of another version of Optuna
        raise unusable(error) from None
    try:
        yield database
    except (SQLAlchemyError, OptunaError) as error:  # a full disk, a damaged table
        raise unusable(error) from None
    finally:
        database.remove_session()
        database.engine.dispose()
