"""Steps of a model folder: whole or not at all, and back bit for bit."""

from __future__ import annotations

import errno
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rulenet import Recipe, RuleNetClassifier, RuleSet
from rulenet.base import files
from rulenet.errors import ModelFileError
from rulenet.store import history
from rulenet.workbench.hotedit import apply_rules

RULES = "{rulenet: 1, language: en, rules: [{id: a, label: x, word: up}, {id: b, label: y, word: down, weight: W}]}"


def rules(weight: float) -> RuleSet:
    return RuleSet.from_yaml(RULES.replace("W", str(weight)))


def content(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def present(folder: Path) -> dict[str, bytes]:
    """What a model is, without what it was."""
    return {name: data for name, data in content(folder).items() if not name.startswith("history/")}


def weight_of(folder: Path) -> float:
    loaded = RuleNetClassifier.load(folder).rules
    assert isinstance(loaded, RuleSet)
    return loaded.rules[1].evidence["y"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    clf = RuleNetClassifier(rules(1), None, recipe=Recipe.of(tfidf=False))
    clf.fit(["up", "down", "up up", "down down"], ["x", "y"] * 2).save(tmp_path / "model")
    return tmp_path / "model"


def test_back_and_forward_bit_for_bit(folder: Path) -> None:
    states = [present(folder)]
    for weight in (2, 3, 4):
        apply_rules(folder, rules(weight))
        states.append(present(folder))
    assert len({state["config.json"] for state in states}) == 4
    for k in (2, 1, 0):
        history.undo(folder)
        assert present(folder) == states[k]
        RuleNetClassifier.load(folder)
    assert history.steps(folder) == (0, 3)
    for k in (1, 2, 3):
        history.redo(folder)
        assert present(folder) == states[k]
    assert history.steps(folder) == (3, 0)
    assert os.listdir(folder.parent) == ["model"]


def test_there_is_an_end_to_both_sides(folder: Path) -> None:
    before = content(folder)
    with pytest.raises(ModelFileError, match=r"model: there is nothing to undo$"):
        history.undo(folder)
    with pytest.raises(ModelFileError, match=r"model: there is nothing to redo$"):
        history.redo(folder)
    assert content(folder) == before


def test_a_new_edit_ends_what_could_be_redone(folder: Path) -> None:
    apply_rules(folder, rules(2))
    history.undo(folder)
    apply_rules(folder, rules(3))
    assert history.steps(folder) == (1, 0)
    history.undo(folder)
    assert weight_of(folder) == 1


def test_the_history_is_bounded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "KEPT", 2)
    for weight in range(2, 7):
        apply_rules(folder, rules(weight))
    assert history.steps(folder) == (2, 0)
    for _ in range(2):
        history.undo(folder)
    assert weight_of(folder) == 4  # 1, 2 and 3 are forgotten


def test_saving_starts_a_new_history(folder: Path) -> None:
    apply_rules(folder, rules(2))
    RuleNetClassifier.load(folder).save(folder)
    assert history.steps(folder) == (0, 0)
    assert weight_of(folder) == 2


def test_a_damaged_state_is_not_gone_back_to(folder: Path) -> None:
    apply_rules(folder, rules(2))
    kept = folder / "history/undo/000001/phi.safetensors"
    data = bytearray(kept.read_bytes())
    data[-1] ^= 1
    kept.write_bytes(data)
    before = content(folder)
    RuleNetClassifier.load(folder)  # does not look there
    with pytest.raises(ModelFileError, match=r"phi\.safetensors is not the file that was saved"):
        history.undo(folder)
    assert content(folder) == before
    assert os.listdir(folder.parent) == ["model"]


@pytest.mark.parametrize(
    "name", ["history/run.py", "history/undo/000001/run.py", "history/undo/1/config.json", "history/config.json"]
)
def test_only_what_belongs_to_a_history_may_be_there(folder: Path, name: str) -> None:
    apply_rules(folder, rules(2))
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("{}")
    with pytest.raises(ModelFileError, match=rf"{name} does not belong to the model"):
        RuleNetClassifier.load(folder)


def test_a_link_in_a_history_is_refused(folder: Path, tmp_path: Path) -> None:
    apply_rules(folder, rules(2))
    kept = folder / "history/undo/000001/rules.yaml"
    kept.rename(tmp_path / "elsewhere.yaml")
    kept.symlink_to(tmp_path / "elsewhere.yaml")
    with pytest.raises(ModelFileError, match=r"000001/rules\.yaml does not belong"):
        RuleNetClassifier.load(folder)


def test_files_that_stay_are_not_copied(folder: Path) -> None:
    before = (folder / "vocabulary.json").stat()
    apply_rules(folder, rules(2))
    after = (folder / "vocabulary.json").stat()
    assert (after.st_ino, after.st_nlink) == (before.st_ino, 1)  # the same file, and of nothing else


def test_rights_stay(folder: Path) -> None:
    folder.chmod(0o750)
    for file in folder.iterdir():
        file.chmod(0o640)
    apply_rules(folder, rules(2))
    assert {file.stat().st_mode & 0o777 for file in folder.rglob("*") if file.is_file()} == {0o640}
    assert folder.stat().st_mode & 0o777 == 0o750


def test_a_link_to_a_model_goes_on_pointing_at_it(folder: Path) -> None:
    link = folder.parent / "current"
    link.symlink_to(folder)
    apply_rules(link, rules(2))
    assert link.is_symlink()
    assert weight_of(folder) == 2


# What goes wrong


def failing(real: Callable[..., Any], error: BaseException, works: int) -> Callable[..., Any]:
    calls = iter([True] * works + [False])

    def call(*args: Any, **kwargs: Any) -> Any:
        if not next(calls, True):
            raise error
        return real(*args, **kwargs)

    return call


FULL = OSError(errno.ENOSPC, "No space left on device")
CRASHES: dict[str, tuple[Any, str, int, BaseException]] = {
    "making the folder": (Path, "mkdir", 0, FULL),
    "writing": (Path, "write_bytes", 1, FULL),
    "syncing": (history, "sync", 1, FULL),
    "swapping": (history, "swap", 0, FULL),
    "ctrl-c": (Path, "write_bytes", 1, KeyboardInterrupt("stop")),
}


@pytest.mark.parametrize("name", CRASHES)
def test_an_error_leaves_everything_as_it_was(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    apply_rules(folder, rules(2))
    before = content(folder)
    owner, attribute, works, error = CRASHES[name]
    with monkeypatch.context() as patch:
        patch.setattr(owner, attribute, failing(getattr(owner, attribute), error, works))
        with pytest.raises(
            type(error) if name == "ctrl-c" else ModelFileError, match=r"model cannot be written: No space left|stop"
        ):
            apply_rules(folder, rules(3))
    assert content(folder) == before
    assert os.listdir(folder.parent) == ["model"]


@pytest.mark.slow
@pytest.mark.parametrize("swaps", [True, False])
def test_a_killed_process_leaves_a_whole_model(folder: Path, monkeypatch: pytest.MonkeyPatch, swaps: bool) -> None:
    """The process ends before its first, second, … step on the disk; with renameat2 the model is under its name at every one."""
    if not swaps:
        monkeypatch.setattr(files.ctypes, "CDLL", lambda _: object())
    new, clf = rules(2), RuleNetClassifier.load(folder)
    old, seen = present(folder), (folder / "config.json").read_bytes()
    ends = []
    for step in range(1, 60):
        child = os.fork()
        if child == 0:
            count = iter(range(1, step))
            for owner, name in (
                (os, "fsync"),
                (os, "link"),
                (os, "replace"),
                (os, "mkdir"),
                (os, "rmdir"),
                (os, "unlink"),
            ):
                real = getattr(owner, name)

                def call(*args: Any, real: Any = real, count: Any = count, **kwargs: Any) -> Any:
                    if next(count, None) is None:
                        os._exit(9)
                    return real(*args, **kwargs)

                setattr(owner, name, call)
            from rulenet.workbench.hotedit import _files

            history.push(folder, _files(folder, clf.with_rules(new), new), seen=seen)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if not folder.exists():  # between two moves: both are there under other names
            assert not swaps
            with pytest.raises(ModelFileError, match=r"an interrupted step left .*\.model\..*; rename it to model"):
                history.model_folder(folder)
            aside = [path for path in folder.parent.iterdir() if (path / "config.json").exists()]
            assert len(aside) == 2
            for path in aside:
                assert weight_of(path) in (1, 2)
            ends.append("aside")
            next(path for path in aside if present(path) == old).rename(folder)
        else:
            ends.append("old" if present(folder) == old else "new")
            assert weight_of(folder) == (1 if ends[-1] == "old" else 2)
            if ends[-1] == "new":
                history.undo(folder)
        for path in folder.parent.glob(".model.*"):
            shutil.rmtree(path)
        if os.waitstatus_to_exitcode(status) == 0:
            break
    assert ends[0] == "old"
    assert ends[-1] == "new"
    assert ("aside" in ends) == (not swaps)


def test_folders_change_places_where_the_system_cannot_do_it_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files.ctypes, "CDLL", lambda _: object())
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    files.swap(tmp_path / "a", tmp_path / "b")
    assert {path.name: os.listdir(path) for path in tmp_path.iterdir()} == {"a": ["b"], "b": ["a"]}
    monkeypatch.setattr(os, "replace", failing(os.replace, FULL, 1))
    with pytest.raises(OSError, match="No space left"):
        files.swap(tmp_path / "a", tmp_path / "b")
    assert {path.name: os.listdir(path) for path in tmp_path.iterdir()} == {"a": ["b"], "b": ["a"]}


def test_a_disk_without_links_gets_copies(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = present(folder)

    def link(*args: Any) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    apply_rules(folder, rules(2))
    history.undo(folder)
    assert present(folder) == before


def test_of_many_at_once_one_is_written(folder: Path) -> None:
    seen = (folder / "config.json").read_bytes()
    contents = {name: (folder / name).read_bytes() for name in ("config.json", "rules.yaml", "phi.safetensors")}
    config = contents["config.json"]
    told: list[str] = []

    def edit(i: int) -> None:
        changed = config.replace(b'"report": {', b'"report": {"editor": %d,' % i)
        try:
            history.push(folder, {**contents, "config.json": changed}, seen=seen)
            told.append("written")
        except ModelFileError as error:
            told.append(str(error))

    threads = [threading.Thread(target=edit, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told, key=len)[0] == "written"
    assert told.count("written") == 1
    assert all(
        "was changed by someone else meanwhile; nothing was written" in text for text in told if text != "written"
    )
    assert history.steps(folder) == (1, 0)
    RuleNetClassifier.load(folder)


@pytest.mark.parametrize("part", ["model", "its folder"])
def test_a_read_only_folder_is_left_alone(folder: Path, monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    locked = folder if part == "model" else folder.parent
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != locked)
    before = content(folder)
    with pytest.raises(
        ModelFileError, match=rf"^{folder} cannot be changed: {locked} is read-only for you; nothing was written$"
    ):
        apply_rules(folder, rules(2))
    assert content(folder) == before


def test_no_model_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"none: no such folder; a model is the folder that save\(\) wrote"):
        history.model_folder(tmp_path / "none")


def test_a_model_replaced_while_it_is_read_is_read_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new rules come between the check of the files and the reading of the weights."""
    real = RuleSet.load
    edits = iter([7.0])

    def load(path: Any) -> RuleSet:
        found = real(path)
        if (weight := next(edits, None)) is not None:
            apply_rules(folder, rules(weight))
        return found

    monkeypatch.setattr(RuleSet, "load", load)
    clf = RuleNetClassifier.load(folder)
    assert isinstance(clf.rules, RuleSet)
    assert clf.rules.rules[1].evidence == {"y": 7.0}
    assert clf.predictor_.hybrid.weights.coef[1].max() == 7.0
