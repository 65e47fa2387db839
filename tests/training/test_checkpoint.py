"""A run that is interrupted and resumed ends as if nothing had happened, and another run's checkpoint is refused."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from safetensors import safe_open  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

from rulenet.errors import TrainingError  # noqa: E402
from rulenet.features.blocks import Features  # noqa: E402
from rulenet.training import checkpoint, loop  # noqa: E402
from rulenet.training import run as run_module  # noqa: E402
from rulenet.training.checkpoint import FILE, Checkpoint, identity_of, remove  # noqa: E402
from rulenet.training.job import Job  # noqa: E402
from rulenet.training.recipe import Recipe  # noqa: E402
from rulenet.training.run import Outcome  # noqa: E402
from rulenet.training.stages import Task, fit_hybrid  # noqa: E402
from tests.breaking import before_call, raising  # noqa: E402
from tests.training.runs import state, train_run  # noqa: E402

# Five steps in an epoch; φ learns in the last. Dropout is on, and ψ goes without φ for some texts: both draw random numbers.
# A process that is killed is not told that there is neither bfloat16 nor a reason for word vectors.
RECIPE = Recipe.of(
    epochs=3, learning_rate=1e-3, frozen_layers=1, max_length=32, batch_texts=8, joint_epochs=1, phi_dropout=0.2,
    precision="float32", word_vectors=None,
)  # fmt: skip


class BrokenOffError(Exception):
    """Stands in for the end of the process."""


def train(run: dict[str, Any], folder: Path | None = None, *, resume: bool = False, **identity: Any) -> Outcome:
    kept = Checkpoint(folder, identity_of([], {}, {}, {"seed": 0, **identity}), resume) if folder is not None else None
    held_out = run["train"].take(np.arange(0, 40, 3))
    return train_run(run, RECIPE, held_out, kept)


def break_off(monkeypatch: pytest.MonkeyPatch, steps: int, run: dict[str, Any], folder: Path) -> None:
    """Train for some steps, with a checkpoint after each."""
    step = before_call(steps + 1, loop.train_step, raising(BrokenOffError("broken off")))
    with monkeypatch.context() as patch:
        patch.setattr(loop, "train_step", step)
        patch.setattr(run_module, "SECONDS", 0.0)
        with pytest.raises(BrokenOffError, match="broken off"):
            train(run, folder)


@pytest.mark.slow
@pytest.mark.parametrize("steps", [1, 5, 7, 12, 14, -7])
def test_a_run_goes_on_from_any_step_to_the_same_weights(
    make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, steps: int
) -> None:
    """After the first step, after an epoch, during one, and in the joint epoch (steps 11 to 15); below 0: in bfloat16."""
    precision, steps = "bfloat16" if steps < 0 else "float32", abs(steps)
    whole, broken, resumed = (make(precision=precision) for _ in range(3))
    outcome = train(whole)
    break_off(monkeypatch, steps, broken, tmp_path)
    assert train(resumed, tmp_path, resume=True) == outcome
    assert all(torch.equal(value, state(whole)[name]) for name, value in state(resumed).items())


def test_checkpoints_change_nothing_and_a_finished_run_is_not_trained_again(
    make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    without, often, again = make(), make(), make()
    outcome = train(without)
    monkeypatch.setattr(run_module, "SECONDS", 0.0)
    assert train(often, tmp_path) == outcome
    monkeypatch.setattr(loop, "train_step", None)
    assert train(again, tmp_path, resume=True) == outcome
    for run in (often, again):
        assert all(torch.equal(value, state(without)[name]) for name, value in state(run).items())


def test_what_is_frozen_is_not_written(make: Callable[..., Any], tmp_path: Path) -> None:
    train(make(), tmp_path)
    with safe_open(tmp_path / FILE, framework="pt") as file:
        names = set(file.keys())
    assert {"now.psi.from_text.weight", "best.psi.from_text.weight", "now.phi.other"} <= names
    assert "moment.exp_avg.psi.body.encoder.layer.1.output.dense.weight" in names
    assert not any("layer.0." in name or "embeddings" in name for name in names)


def test_a_missing_checkpoint_is_reported(make: Callable[..., Any], tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match=r"there is no checkpoint in .*new; training starts from the beginning"):
        train(make(), tmp_path / "new", resume=True)
    assert [file.name for file in (tmp_path / "new").iterdir()] == [FILE]


def test_without_resume_an_older_checkpoint_is_replaced(make: Callable[..., Any], tmp_path: Path) -> None:
    train(make(), tmp_path, seed=1)
    train(make(), tmp_path)  # another run, and no complaint
    with pytest.raises(TrainingError, match="seed"):
        train(make(), tmp_path, seed=1, resume=True)


def test_another_run_is_refused_by_name(make: Callable[..., Any], tmp_path: Path) -> None:
    train(make(), tmp_path, **{"recipe.epochs": 3, "seed": 0})
    with pytest.raises(
        TrainingError,
        match=r"is of another run: recipe\.epochs was 3, is 4; seed was 0, is 1\. To train .*, delete .*training\.safetensors\.",
    ):
        train(make(), tmp_path, resume=True, **{"recipe.epochs": 4, "seed": 1})


def test_an_identity_names_what_differs() -> None:
    def identity(rows: Any = ([1, 2], [3]), phi: float = 0.0, weight: float = 0.0, epochs: int = 3) -> Any:
        return identity_of(rows, {"out-of-fold φ": np.full(2, phi)}, {"w": torch.tensor([weight])}, {"epochs": epochs})

    same = identity()
    assert checkpoint._differences(same, identity()) == []
    assert checkpoint._differences(same, identity(rows=[[1], [2, 3]])) == ["the texts differ"]
    assert checkpoint._differences(same, identity(phi=1.0)) == ["the out-of-fold φ differ"]
    assert checkpoint._differences(same, identity(weight=1.0)) == ["the weights of the encoder differ"]
    assert checkpoint._differences(same, identity(epochs=4)) == ["epochs was 3, is 4"]


def rewrite(path: Path, change: Callable[[dict[str, Any], dict[str, str]], None]) -> None:
    with safe_open(path, framework="pt") as file:
        tensors, metadata = {name: file.get_tensor(name).clone() for name in file.keys()}, dict(file.metadata())  # noqa: SIM118
    change(tensors, metadata)
    save_file(tensors, path, metadata=metadata)


def sealed(tensors: dict[str, Any], metadata: dict[str, str]) -> None:
    metadata["sha256"] = checkpoint._checksum(metadata["rulenet"], tensors)


DAMAGE: dict[str, Callable[[Path], Any]] = {
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-100]),
    "no metadata": lambda path: rewrite(path, lambda tensors, metadata: metadata.clear()),
    "one number": lambda path: rewrite(path, lambda tensors, metadata: tensors["now.psi.from_text.bias"].add_(1)),
    "other JSON": lambda path: rewrite(path, lambda t, m: m.update(rulenet=m["rulenet"].replace('"epoch": 3', '"epoch": 2'))),
    "no JSON": lambda path: rewrite(path, lambda t, m: (m.update(rulenet="{"), sealed(t, m))),
    "newer": lambda path: rewrite(
        path, lambda t, m: (m.update(rulenet=json.dumps({**json.loads(m["rulenet"]), "protocol": 99})), sealed(t, m))
    ),
    "a tensor missing": lambda path: rewrite(path, lambda t, m: (t.pop("now.psi.from_text.bias"), sealed(t, m))),
    "a wrong shape": lambda path: rewrite(
        path, lambda t, m: (t.update({"now.psi.from_text.bias": torch.zeros(7)}), sealed(t, m))
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, make: Callable[..., Any]) -> bytes:
    folder = tmp_path_factory.mktemp("finished")
    train(make(), folder)
    return (folder / FILE).read_bytes()


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_an_error_that_says_what_to_do(
    make: Callable[..., Any], tmp_path: Path, finished: bytes, damage: str
) -> None:
    path = tmp_path / FILE
    path.write_bytes(finished)
    DAMAGE[damage](path)
    with pytest.raises(TrainingError, match=rf"{FILE} is damaged: .* delete {path}\."):
        train(make(), tmp_path, resume=True)


def test_a_full_disk_does_not_end_training(
    make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "save_file", full)
    with pytest.warns(UserWarning, match="cannot be written, training continues without it: .*No space left"):
        outcome = train(make(), tmp_path)
    assert len(outcome.train_loss) == 3


def test_remove_takes_the_file_and_leaves_what_is_not_its_own(make: Callable[..., Any], tmp_path: Path) -> None:
    train(make(), tmp_path / "run.work")
    remove(tmp_path / "run.work")
    assert not (tmp_path / "run.work").exists()
    remove(tmp_path / "run.work")  # nothing there: nothing to do
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").write_text("keep")
    remove(tmp_path / "mine")
    assert (tmp_path / "mine/notes.txt").exists()


TASK = Task(
    ["the goal", "win the match", "oil price", "the bank", "good match", "stock market"] * 10,
    np.eye(2)[[1, 1, 0, 0, 1, 0] * 10],
    ["money", "sport"],
)

CHILD = """
import os, signal, sys
from pathlib import Path
from rulenet.training import loop, run

encoder, folder, kill_at, test = sys.argv[1:]
sys.path.insert(0, str(Path(test).parent))
from test_checkpoint import fit

run.SECONDS = 0.0
real, steps = loop.train_step, 0
def step(*arguments):
    global steps
    if steps == int(kill_at):
        os.kill(os.getpid(), signal.SIGKILL)
    steps += 1
    return real(*arguments)
loop.train_step = step
fit(encoder, Path(folder), resume=False)
"""


def fit(encoder: str, folder: Path | None, *, resume: bool) -> Any:
    return fit_hybrid(TASK, Features(None, language="en"), encoder, RECIPE, Job(work_dir=folder, resume=resume))


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX")
@pytest.mark.parametrize("kill_at", [9, 18])
def test_kill_9_and_resume_give_the_model_of_an_undisturbed_run(
    tiny_encoder: str, tmp_path: Path, kill_at: int
) -> None:
    """In the midst of the second epoch, and of the joint one; from texts to model, in a process that is really killed."""
    command = [sys.executable, "-c", CHILD, tiny_encoder, str(tmp_path), str(kill_at), __file__]
    environment = {**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())}
    child = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert child.returncode == -signal.SIGKILL, child.stderr
    position = json.loads(checkpoint_text(tmp_path))["position"]
    assert (position["epoch"], position["step"]) == divmod(kill_at, 7)
    undisturbed, expected = fit(tiny_encoder, None, resume=False)
    model, report = fit(tiny_encoder, tmp_path, resume=True)
    remove(tmp_path)
    assert not tmp_path.exists()
    for name, value in undisturbed.psi.state_dict().items():
        assert torch.equal(model.psi.state_dict()[name], value), name
    np.testing.assert_array_equal(model.weights.coef, undisturbed.weights.coef)
    np.testing.assert_array_equal(model.weights.bias, undisturbed.weights.bias)
    assert (report.train_loss, report.held_out_loss) == (expected.train_loss, expected.held_out_loss)
    assert report.curves == expected.curves
    assert (model.phi_scale, model.psi_scale) == (undisturbed.phi_scale, undisturbed.psi_scale)


def checkpoint_text(folder: Path) -> str:
    with safe_open(folder / FILE, framework="pt") as file:
        return str(file.metadata()["rulenet"])


@pytest.mark.slow
def test_other_texts_labels_or_settings_are_another_run(tiny_encoder: str, tmp_path: Path) -> None:
    fit(tiny_encoder, tmp_path, resume=False)
    features = Features(None, language="en")
    other = Task(["the film", *TASK.texts[1:]], TASK.Y, TASK.classes)
    with pytest.raises(TrainingError, match=r"another run: the texts differ; seed was 0, is 1"):
        fit_hybrid(other, features, tiny_encoder, RECIPE, Job(1, work_dir=tmp_path, resume=True))
    changed = RECIPE.with_changes(bound=3.0)
    with pytest.raises(TrainingError, match=r"another run: bound was 'auto', is 3\.0\. To train"):
        fit_hybrid(TASK, features, tiny_encoder, changed, Job(work_dir=tmp_path, resume=True))
