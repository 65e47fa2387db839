"""Kill a process before each system call by which it changes files, and read a model while others write it. POSIX: it forks.

Python reports to audit hooks what it is about to open, rename, delete, make or change the mode of. What it writes into a file it does
not report; so `rulenet.base.files` gets files that stop in the middle of a write.
"""

from __future__ import annotations

import io
import itertools
import json
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import filelock  # noqa: F401  imported late by the writer: the children would each do it
from typer.testing import CliRunner

from rulenet import Recipe, RuleNetClassifier, RuleSet
from rulenet.base import files
from rulenet.cli.main import app
from rulenet.errors import ModelFileError
from rulenet.model.onnx.export import with_onnx
from rulenet.store import history
from rulenet.store.manifest import read_config
from rulenet.store.write import redo, save_onnx, undo
from rulenet.workbench.hotedit import apply_rules
from tests.store.folders import present

NAMES = ("rename", "remove", "mkdir", "rmdir", "link", "symlink", "truncate", "chmod", "chown", "utime")
CHANGES = {f"os.{name}" for name in NAMES}
TO_WRITE = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

RULES = """rulenet: 1
language: en
labels: [x, y]
rules:
  - {id: a, label: x, word: up, weight: W, pin: true}
  - {id: b, label: y, word: down}
"""
TEXTS = ["up", "down", "up up", "down down"]


def rules(weight: float) -> RuleSet:
    """Rules whose first weight tells which they are: it is pinned, so φ must have the same."""
    return RuleSet.from_yaml(RULES.replace("W", str(weight)))


def fitted(encoder: str | None = None) -> RuleNetClassifier:
    """A small model; with an encoder, one in which ψ counts."""
    recipe = Recipe.of(tfidf=False, epochs=1 if encoder else None)
    clf = RuleNetClassifier(rules(1), encoder, recipe=recipe).fit(TEXTS * 3, ["x", "y"] * 6)
    if encoder:
        object.__setattr__(clf.predictor_.hybrid, "psi_scale", 1.0)
    return clf


def ends(work: Callable[[], Any], folder: Path, number: int) -> bool:
    """Do some work in a child process that is killed before its change `number` below a folder; whether it came to its end."""
    child = os.fork()
    if child == 0:
        try:
            signal.alarm(60)  # rather fail than wait forever
            if "torch" in sys.modules:
                sys.modules["torch"].set_num_threads(1)  # other threads did not come along
            _kill_at(folder, number)
            work()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code not in (0, -signal.SIGKILL):
        raise RuntimeError("the work failed; see above")
    return code == 0


def _kill_at(folder: Path, number: int) -> None:
    """From now on count changes below a folder; instead of this one, the process ends."""
    count = itertools.count()

    def is_last() -> bool:
        return next(count) == number

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in CHANGES and not (event == "open" and arguments[2] & TO_WRITE):
            return
        if os.fspath(arguments[0]).startswith(str(folder)) and is_last():
            os.kill(os.getpid(), signal.SIGKILL)

    class Torn(io.BufferedWriter):
        def write(self, content: Any) -> int:
            if is_last():
                super().write(content[: len(content) // 2])
                self.flush()
                os.kill(os.getpid(), signal.SIGKILL)
            return super().write(content)

    files.open = lambda path, mode: Torn(io.FileIO(path, mode))  # type: ignore[attr-defined]
    sys.addaudithook(hook)


@dataclass
class Outcome:
    """What was found after the kills of one operation."""

    kills: int = 0  # how many there were
    old: int = 0  # how many of them left all as it was; after the others it was, whole or in part, as it should become
    # at which of them something was neither as it was nor as it should become
    lost: list[int] = field(default_factory=list)
    # files that the next writer did not delete, or deleted although they belong there
    litter: list[str] = field(default_factory=list)


@dataclass
class Operation:
    """Something that writes files."""

    start: Path  # folder with the files as they are before
    work: Callable[[Path], Any]  # what is done to a copy of it, and killed
    look: Callable[[Path], dict[str, Any]]  # what can be read in such a folder, by name
    follow: Callable[[Path], Any]  # what the next writer does there
    belongs: Callable[[Path], set[str]]  # names of all files that may be there then

    def try_all(self) -> Outcome:
        """Kill it before its first change, its second, … until it comes to its end."""
        folder, outcome = self.start.with_name("copy").resolve(), Outcome()
        self._copy_to(folder)
        old = self.look(folder)
        self.work(folder)
        new = self.look(folder)
        for number in itertools.count():
            self._copy_to(folder)
            is_done = ends(partial(self.work, folder), folder, number)
            found = self.look(folder)
            if is_done and found != new:
                raise RuntimeError("the work comes to another end than before")
            outcome.kills += not is_done
            outcome.old += not is_done and found == old
            if any(found[name] not in (old[name], new[name]) for name in {**old, **new, **found}):
                outcome.lost.append(number)
            self.follow(folder)
            names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
            outcome.litter += sorted(names ^ self.belongs(folder))
            if is_done:
                return outcome
        raise AssertionError

    def _copy_to(self, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        if self.start.exists():
            shutil.copytree(self.start, folder, symlinks=True)


# ---------------------------------------------------------------------- models


def look_at_model(folder: Path) -> dict[str, Any]:
    """A model bit for bit, with what it answers and how far it can go back and forward; None if there is none."""
    try:
        config = read_config(folder)
    except ModelFileError:
        return {"model": None}
    clf, state = RuleNetClassifier.load(folder, device="cpu"), present(folder)
    without_time = config.state.model_copy(update={"report": {}, "saved": ""})  # these have a time
    state["config.json"] = without_time.model_dump_json().encode()
    return {"model": (state, clf.decision_function(TEXTS).tobytes(), len(config.undo), len(config.redo))}


def files_of_model(folder: Path) -> set[str]:
    """All that may be in a model folder while nobody writes."""
    return {"config.json", ".lock", *read_config(folder).files}


def model_operations(folder: Path, encoder: str) -> Iterator[tuple[str, Operation]]:
    """Every way to write a model folder, with and without this encoder."""
    phi = fitted()

    def saved(name: str, *weights: float, back: int = 0) -> Path:
        for weight in weights:
            phi.with_rules(rules(weight)).save(folder / name)
        for _ in range(back):
            undo(folder / name)
        return folder / name

    many = [8.0 + k for k in range(history.KEPT + 1)]
    follow = phi.with_rules(rules(19)).save
    model = partial(Operation, look=look_at_model, follow=follow, belongs=files_of_model)
    save, apply = phi.with_rules(rules(7)).save, partial(apply_rules, rules=rules(7))
    yield "first save", model(folder / "new", save)
    yield "save", model(saved("one", 1), save)
    yield "apply", model(saved("two", 1, 2), apply)
    yield "save with a full history", model(saved("full", *many), save)
    yield "save after kills", model(_littered(saved("littered", 1, 2)), save)
    yield "apply with a full history", model(saved("filled", *many), apply)
    yield "apply after undo", model(saved("back", 1, 2, 3, back=2), apply)
    yield "undo", model(saved("undo", 1, 2), undo)
    yield "redo", model(saved("redo", 1, 2, back=1), redo)
    hybrid = fitted(encoder)
    psi = with_onnx(hybrid.predictor_.hybrid)[0].psi
    hybrid.save(folder / "hybrid")
    yield "save with an encoder", model(saved("under", 1), hybrid.save)
    yield "export", model(folder / "hybrid", lambda path: save_onnx(path, psi, seen=read_config(path)))


def _littered(folder: Path) -> Path:
    """The model, and what killed writers may have left in its folder."""
    for name in (
        f".config.json.{'0' * 32}",
        f"parts/.phi-{'1' * 16}.safetensors.{'1' * 32}",
        f"parts/rules-{'2' * 16}.yaml",
    ):
        (folder / name).write_bytes(b"half")
    return folder


# ---------------------------------------------------------------------- single files


def format_operation(folder: Path) -> tuple[str, Operation]:
    """`rulenet rules format` of two files and of a link to a third."""
    start, text = folder / "rule_files", 'rulenet: 1\nrules:\n- {label: x,   id: a, word: ["b"]}\n'
    names = {"a.yaml", "b.yaml", "c.yaml"}
    start.mkdir()
    for name in names:
        (start / name).write_text(text)
    (start / "link.yaml").symlink_to("c.yaml")

    def work(path: Path) -> None:
        result = CliRunner().invoke(
            app, ["rules", "format", *(str(path / f"{name}.yaml") for name in ("a", "b", "link"))]
        )
        if result.exit_code:
            raise RuntimeError(result.output)

    def follow(path: Path) -> None:
        for file in path.glob(".*"):
            os.utime(file, (0, 0))  # as if the killed process had been at work long ago
        for name in names:
            files.write_file(path / name, b"")

    def look(path: Path) -> dict[str, Any]:
        return {name: (path / name).read_bytes() for name in names}

    return "format", Operation(start, work, look, follow, lambda path: {*names, "link.yaml"})


# ---------------------------------------------------------------------- a reader


@dataclass
class Reading:
    """What a process found that loaded a model again and again."""

    loads: int
    states: int
    failures: list[str]


def read_during(folder: Path, work: Callable[[], Any]) -> Reading:
    """Load a model in a loop, in another process, while some work is done on it; a model whose rules and φ differ is a failure."""
    stop, told = folder.with_name("stop"), folder.with_name("told")
    child = os.fork()
    if child == 0:
        try:
            loads, seen, failures = 0, set(), []
            while not stop.exists():
                loads += 1
                try:
                    clf = RuleNetClassifier.load(folder)
                    weight = clf.rules.rules[0].evidence["x"]  # type: ignore[union-attr]
                    seen.add(weight)
                    if (found := clf.predictor_.hybrid.weights.coef[0].max()) != weight:
                        failures.append(f"rules with weight {weight}, φ with {found}")
                except Exception as error:
                    failures.append(f"{type(error).__name__}: {error}")
            told.write_text(json.dumps([loads, len(seen), failures]))
        finally:
            os._exit(0)
    try:
        work()
    finally:
        stop.touch()
        os.waitpid(child, 0)
    stop.unlink()
    return Reading(*json.loads(told.read_text()))


def save_often(folder: Path, n_saves: int) -> None:
    """Save models over each other, with some steps back and forward between."""
    phi = fitted()
    for number in range(n_saves):
        phi.with_rules(rules(0.25 + number / 16)).save(folder)
        if number % 10 == 9:
            undo(folder)
        if number % 20 == 19:
            redo(folder)
