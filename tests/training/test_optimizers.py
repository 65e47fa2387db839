"""Optimizers, schedules, early stopping and the metric of the best epoch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from rulenet.training import loop  # noqa: E402
from rulenet.training import run as run_module  # noqa: E402
from rulenet.training.checkpoint import Checkpoint, identity_of  # noqa: E402
from rulenet.training.objectives.objective import Judged  # noqa: E402
from rulenet.training.optimizers import Lion, new_optimizer_of  # noqa: E402
from rulenet.training.recipe import Recipe  # noqa: E402
from tests.breaking import before_call, raising  # noqa: E402
from tests.training.runs import state, train_run  # noqa: E402

RECIPE = Recipe.of(epochs=3, learning_rate=1e-3, head_learning_rate=1e-3, max_length=32, batch_texts=8, joint_epochs=1)


def test_lion_moves_all_weights_equally_far_along_the_smoothed_gradient() -> None:
    weight = torch.nn.Parameter(torch.tensor([1.0, -1.0, 0.5]))
    lion = Lion([{"params": [weight], "lr": 0.1}], weight_decay=0.5)
    weight.grad = torch.tensor([3.0, -0.001, 0.0])
    lion.step()
    torch.testing.assert_close(weight.data, torch.tensor([0.95 - 0.1, -0.95 + 0.1, 0.475]))
    weight.grad = torch.tensor([-0.2, 0.0, 1.0])
    lion.step()  # 0.9 · 0.03 − 0.1 · 0.2 is still above 0
    torch.testing.assert_close(weight.data, torch.tensor([0.95 * 0.85 - 0.1, -0.95 * 0.85 + 0.1, 0.95 * 0.475 - 0.1]))


def test_parameters_without_weights_are_no_trouble() -> None:
    for name in ("adamw", "lion", "adafactor", "sgd"):
        none, some = torch.nn.Parameter(torch.zeros(0)), torch.nn.Parameter(torch.ones(2))
        made = new_optimizer_of([{"params": [none, some], "initial_lr": 1.0}], Recipe.of(optimizer=name), fused=False)
        none.grad, some.grad = torch.zeros(0), torch.ones(2)
        made.step()
        assert (some < 1).all()


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["lion", "adafactor", "sgd"])
def test_each_optimizer_learns_and_goes_on_from_a_checkpoint(
    make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, optimizer: str
) -> None:
    rate = {"lion": 1e-3, "adafactor": 1e-2, "sgd": 1e-1}[optimizer]
    recipe = RECIPE.with_changes(optimizer=optimizer, schedule="cosine", learning_rate=rate, head_learning_rate=rate)

    def train(*, resume: bool = False) -> tuple[dict[str, Any], Any]:
        run = make()
        kept = Checkpoint(tmp_path, identity_of([], {}, {}, recipe.to_dict()), resume)
        outcome = train_run(run, recipe, run["train"].take(np.arange(0, 40, 3)), kept)
        return state(run), outcome

    whole, outcome = train()
    assert outcome.train_loss[1] < outcome.train_loss[0]
    with monkeypatch.context() as patch:
        patch.setattr(loop, "train_step", before_call(8, loop.train_step, raising(OSError("broken off"))))
        patch.setattr(run_module, "SECONDS", 0.0)
        with pytest.raises(OSError, match="broken off"):
            train()
    resumed, again = train(resume=True)
    assert again == outcome
    assert all(torch.equal(value, whole[name]) for name, value in resumed.items())


SCRIPT = [(0.5, 0.7), (0.3, 0.6), (0.4, 0.8), (0.45, 0.8), (0.44, 0.8), (0.6, 0.7), (0.6, 0.7)]  # loss and accuracy


@pytest.mark.parametrize(
    ("fields", "n_epochs", "best"),
    [
        ({}, 7, 2),
        ({"metric": "accuracy"}, 7, 3),  # of three epochs with the best accuracy, that with the lowest loss
        ({"patience": 2}, 4, 2),
        ({"patience": 2, "metric": "accuracy"}, 5, 3),
        ({"patience": 2, "metric": "macro_f1"}, 4, 2),  # not known here, so the loss decides
        ({"patience": 2, "joint_epochs": 1}, 5, 2),  # the joint epoch is made in any case
    ],
)
def test_the_best_epoch_and_the_last(
    make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fields: dict[str, Any], n_epochs: int, best: int
) -> None:  # fmt: skip
    script = iter(SCRIPT)

    def scripted(*_: Any) -> Judged:
        loss, accuracy = next(script)
        return Judged(np.full(4, loss), accuracy)

    monkeypatch.setattr(loop, "evaluate", scripted)
    monkeypatch.setattr(loop, "train_epoch", lambda run, _: 1.0)
    recipe, run = RECIPE.with_changes(**{"epochs": 7, "joint_epochs": 0, **fields}), make()
    if not recipe.leaves()["joint_epochs"]:
        monkeypatch.setattr("rulenet.training.objectives.supervised.SupervisedTerm.joint_epochs", 0, raising=False)
        run["phi"] = None
    kept = Checkpoint(tmp_path, identity_of([], {}, {}, recipe.to_dict()))
    outcome = train_run(run, recipe, run["train"], kept)
    assert (len(outcome.train_loss), outcome.best_epoch) == (n_epochs, best)
    again = train_run(make() | ({"phi": None} if run["phi"] is None else {}), recipe, run["train"], Checkpoint(
        tmp_path, kept.identity, resume=True))  # fmt: skip
    assert again == outcome  # a finished run is not trained again, nor is one that ended early


def test_dropout_of_the_encoder(make: Callable[..., Any]) -> None:
    psi, rows = make()["psi"], [[2, 5, 6, 3]]
    psi.train()
    for share, same in ((None, False), (0.0, True), (0.5, False)):
        psi.encoder.drop(share)
        one, two = (psi.read(*psi.encoder.pad(rows)).h for _ in range(2))
        assert torch.equal(one, two) == same
