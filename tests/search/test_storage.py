"""A file keeps the trials of one search; any other file is left as it is."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from rulenet.errors import ParameterError
from rulenet.search.storage import checked_path, opened

pytest.importorskip("optuna")


def test_complaints_leave_the_file_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("text,label\na,b\n")
    with closing(sqlite3.connect(tmp_path / "other.db")) as database:
        database.execute("CREATE TABLE mine (x)")
        database.commit()
    for storage, message in {
        "postgresql://host/base": r"^storage='postgresql://host/base' should be a file, also as sqlite:///FILE$",
        str(tmp_path / "no" / "a.db"): r"^storage: the folder .*no does not exist$",
        str(tmp_path): r"^storage: .* is a folder; name a file in it$",
        str(tmp_path / "data.csv"): r"^storage: .*data.csv holds no search of rulenet; name another file, or delete it",
        f"sqlite:///{tmp_path / 'other.db'}": r"^storage: .*other.db holds no search of rulenet; name another file",
    }.items():
        with pytest.raises(ParameterError, match=message), opened(storage, {}):
            pass
    with closing(sqlite3.connect(tmp_path / "other.db")) as database:
        assert database.execute("SELECT name FROM sqlite_master").fetchall() == [("mine",)]


@pytest.mark.slow
def test_a_file_goes_on_with_the_same_search_only_and_with_one_process(tmp_path: Path) -> None:
    file = tmp_path / "trials.db"
    with opened(file, {"texts": "1", "folds": "3"}) as study:
        study.enqueue_trial({"C": None})
        study.ask()  # and the process ends
        message = r"^storage: another process is searching with .*trials.db; wait for its end$"
        with pytest.raises(ParameterError, match=message), opened(file, {}):
            pass
    with opened(f"sqlite:///{file}", {"texts": "1", "folds": "3"}) as study:
        assert [trial.state.name for trial in study.trials] == ["FAIL"]
    message = r"^storage: .*trials.db holds a search with other texts, other folds; name another file, or delete it"
    with pytest.raises(ParameterError, match=message), opened(file, {"texts": "2", "folds": "4"}):
        pass
    assert checked_path(file) == file
    assert [path.name for path in tmp_path.iterdir()] == ["trials.db"]
