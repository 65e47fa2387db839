"""Ctrl-C while training: nothing of the user's is lost, the way on is said, and it works."""

from __future__ import annotations

import re
import shlex
import signal
from pathlib import Path
from typing import Any

import pytest

from rulenet.store import write
from rulenet.training import checkpoint
from rulenet.training.job import CHECKPOINT
from tests.breaking import before_call
from tests.cli.conftest import run, write_csv

pytest.importorskip("torch")

from rulenet import predictor
from rulenet.model import psi
from rulenet.model.encoders.encoder import Encoder
from rulenet.model.phi_problem import PhiProblem
from rulenet.training import loop

ROWS = [("the team won the match", "sports"), ("oil price falls", "business"), ("a late goal", "sports")] * 20


@pytest.fixture(autouse=True)
def ctrl_c(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A run in the background ignores Ctrl-C; here it is as in a terminal."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "news.csv", ROWS)


def options(data: Path, encoder: str, model: Path) -> list[object]:
    return ["train", data, "--encoder", encoder, "--epochs", 2, "--set", "batch_texts=16", "--out", model]


# Where Ctrl-C comes, at which call of it, and whether there is something to resume.
STAGES: dict[str, tuple[Any, str, int, bool]] = {
    "reading": (__import__("rulenet.data.load").data.load, "load", 1, False),
    "φ": (PhiProblem, "solve", 1, False),
    "φ out-of-fold": (PhiProblem, "out_of_fold", 1, False),
    "word pieces": (Encoder, "encode", 1, False),
    "a step": (loop, "train_step", 2, True),
    "the second epoch": (loop, "train_step", 6, True),
    "held-out texts": (loop, "evaluate", 2, True),
    "a checkpoint": (checkpoint, "save_file", 1, True),
    "after the last epoch": (psi.Psi, "predict", 4, True),
    "calibration": (predictor, "new_policy", 1, True),
    "saving": (write, "write_file", 2, True),
}


def interrupt(patch: pytest.MonkeyPatch, stage: str, *, times: int = 1) -> None:
    """Press Ctrl-C in this stage."""
    owner, name, number, _ = STAGES[stage]

    def press() -> None:
        for _ in range(times):
            signal.raise_signal(signal.SIGINT)

    patch.setattr(owner, name, before_call(number, getattr(owner, name), press))


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def parts(folder: Path) -> set[str]:
    """The parts of the present state, each named by its content; the report has times in it."""
    return {path.name for path in (folder / "parts").iterdir()}


@pytest.mark.slow
def test_ctrl_c_at_any_stage_leaves_the_model_and_says_the_way_on(
    data: Path, tiny_encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(*options(data, tiny_encoder, tmp_path / "whole"))
    for stage, (*_, resumable) in STAGES.items():
        model = tmp_path / re.sub(r"\W+", "_", stage)
        run("train", data, "--encoder", "none", "--out", model)
        (model / ".lock").unlink(missing_ok=True)
        before = content(model)
        with monkeypatch.context() as patch:
            interrupt(patch, stage)
            said = run(*options(data, tiny_encoder, model), "--force", status=130).stderr
        assert f"interrupted: {model} is as it was" in said, stage
        (model / ".lock").unlink(missing_ok=True)
        assert content(model) == before, stage
        assert ("To go on: " in said) == resumable == Path(f"{model}.work").exists(), stage
        again = shlex.split(said.partition("To go on: ")[2])
        if resumable:
            assert again[-2:] == ["--force", "--resume"]
            run(*again[again.index("train") :])
            assert parts(tmp_path / "whole") <= parts(model), stage  # the same weights, bit for bit
            assert not Path(f"{model}.work").exists()


@pytest.mark.slow
def test_a_second_ctrl_c_stops_at_once_and_leaves_no_half_step(
    data: Path, tiny_encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        interrupt(patch, "a step", times=2)
        said = run(*options(data, tiny_encoder, tmp_path / "m"), status=130).stderr
    assert "no model was written. It was too early to keep anything" in " ".join(said.split())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["news.csv"]


def test_ctrl_c_after_the_commit_says_that_the_model_is_complete(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt(monkeypatch, "saving")  # the second file is one of the parts
    real = write.commit

    def commit(*arguments: Any) -> None:
        monkeypatch.undo()
        real(*arguments)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(write, "commit", commit)
    said = run("train", data, "--encoder", "none", "--out", tmp_path / "m", status=130).stderr
    assert "is complete" in said
    run("predict", tmp_path / "m", data)


@pytest.mark.slow
def test_resume_never_promises_what_it_cannot_do(
    data: Path, tiny_encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kept run is neither replaced unasked nor continued as another one; what differs is said."""
    model = tmp_path / "m"
    command = options(data, tiny_encoder, model)
    (tmp_path / "rules.yaml").write_text("rulenet: 1\nrules: [{id: a, label: sports, word: goal}]\n")
    (tmp_path / "other.yaml").write_text("rulenet: 1\nrules: [{id: a, label: sports, word: match}]\n")
    with monkeypatch.context() as patch:
        interrupt(patch, "the second epoch")
        run(*command, "--rules", tmp_path / "rules.yaml", status=130)
    kept = content(Path(f"{model}.work"))

    said = run(*command, status=2).stderr
    assert "m.work keeps an unfinished run: --resume goes on with it, --force deletes it and begins again" in said
    same = ("--rules", tmp_path / "rules.yaml", "--resume")
    write_csv(tmp_path / "other.csv", [*ROWS[1:], ("a new text", "sports")])
    write_csv(tmp_path / "labels.csv", [(text, {"sports": "business"}.get(label, "sports")) for text, label in ROWS])
    for change, named in {
        (*same, "--epochs", "3"): r"another run: epochs was 2, is 3\.",
        (*same, "--seed", "1"): r"another run: seed was 0, is 1\.",
        (*same, "--set", "bound=2"): r"another run: bound was 'auto', is 2\.0\.",
        ("--rules", tmp_path / "other.yaml", "--resume"): r"another run: the rules differ\.",
    }.items():
        assert re.search(named, run(*command, *change, status=2).stderr), change
    for name, named in {"other.csv": r"the texts differ\.", "labels.csv": r"the labels differ\."}.items():
        command[1] = tmp_path / name
        assert re.search(f"another run: {named}", run(*command, *same, status=2).stderr), name
    assert content(Path(f"{model}.work"))[CHECKPOINT] == kept[CHECKPOINT]
    with monkeypatch.context() as patch:
        interrupt(patch, "φ")
        said = run(*command, *same[:2], "--force", status=130).stderr
    assert "too early to keep anything" in said
    assert not Path(f"{model}.work").exists()


def test_a_finished_model_is_replaced_only_when_asked(folder: Path, tmp_path: Path) -> None:
    arguments = ("train", folder / "mail.csv", "--encoder", "none", "--out", tmp_path / "m")
    run(*arguments)
    before = content(tmp_path / "m")
    said = run(*arguments, status=2).stderr
    assert re.search(
        r"m is a finished model; with --force it is replaced and kept in its history: `rulenet history ", said
    )
    assert content(tmp_path / "m") == before
    shown = run(*arguments, "--limit", "7", "--force").stdout
    assert f"the state before is kept (1 earlier state): `rulenet history {tmp_path}/m --undo` goes back to it" in shown
    run("history", tmp_path / "m", "--undo")
    after = content(tmp_path / "m")
    assert all(after[name] == value for name, value in before.items() if name != "config.json")


@pytest.mark.slow
def test_demo_ends_with_the_first_model(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing goes on, and no report is written."""
    interrupt(monkeypatch, "a step")
    run("demo", status=130)
    assert list(here.iterdir()) == []
