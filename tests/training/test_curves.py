"""What curves say of each epoch, without a change of training itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from rulenet.features.blocks import Features  # noqa: E402
from rulenet.model.psi import Psi  # noqa: E402
from rulenet.training import loop  # noqa: E402
from rulenet.training.checkpoint import Checkpoint  # noqa: E402
from rulenet.training.corpus import Origin  # noqa: E402
from rulenet.training.job import Job  # noqa: E402
from rulenet.training.objectives.contrast import Contrastive  # noqa: E402
from rulenet.training.objectives.supervised import SupervisedTerm  # noqa: E402
from rulenet.training.recipe import Recipe  # noqa: E402
from rulenet.training.stages import Task, fit_hybrid  # noqa: E402
from rulenet.training.tuning.full import Full  # noqa: E402
from tests.breaking import before_call, raising  # noqa: E402
from tests.training.runs import TARGET, TEXTS, train_run  # noqa: E402

RECIPE = Recipe.of(epochs=3, learning_rate=1e-3, tune=Full(), max_length=32, batch_texts=8, joint_epochs=1, warmup=0.0)


def test_each_epoch_says_what_training_knows(make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    run, passes = make(), []
    real = Psi.predict
    monkeypatch.setattr(Psi, "predict", lambda *given, **how: passes.append(1) or real(*given, **how))  # type: ignore[func-returns-value]
    outcome = train_run(run, RECIPE, held_out=run["train"])
    curve = outcome.curve
    assert len(passes) == 3  # one for each epoch, as ever
    assert [point["stage"] for point in curve] == ["fine-tuning", "fine-tuning", "fine-tuning + φ"]
    assert [point["epoch"] for point in curve] == [1, 2, 3]
    assert [point["train_loss"] for point in curve] == outcome.train_loss
    assert [point["held_out_loss"] for point in curve] == outcome.held_out_loss
    assert [point["terms"] for point in curve] == [{"SupervisedTerm": loss} for loss in outcome.train_loss]
    rates = [point["learning_rate"] for point in curve]
    assert rates == pytest.approx([1e-3 * left / 14 for left in (11, 6, 1)])  # after 4, 9 and 14 of 15 steps
    assert all(0.0 < point["accuracy"] < 1.0 for point in curve)


def test_scores_are_of_the_labels_that_the_user_gave(make: Callable[..., Any]) -> None:
    """The answers are wrong for two of five texts of label 1 and right for all of label 0: F1 6/8 and 10/12; guesses do not count."""
    run = make()
    term = SupervisedTerm(RECIPE.objectives[0], None)  # type: ignore[arg-type]
    held_out = run["train"].take(np.arange(12))
    held_out.origin[10:] = Origin.GUESSED
    held_out.phi[:] = 0.0
    psi = np.where(TARGET[:12, :1] > 0, [3.0, 0.0], [0.0, 3.0])
    psi[[0, 1, 10]] = [[3.0, 0.0], [3.0, 0.0], [3.0, 0.0]]
    judged = term.judged(held_out, lambda *_: psi)
    assert (judged.accuracy, judged.macro_f1) == (0.8, pytest.approx((6 / 8 + 10 / 12) / 2))
    assert judged.losses.tolist() == term.held_out_losses(held_out, lambda *_: psi).tolist()
    held_out.origin[:] = Origin.GUESSED
    assert term.judged(held_out, lambda *_: psi)[1:] == (None, None)


def test_a_resumed_run_has_the_same_curve(
    make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    whole = train_run(make(), RECIPE)
    with monkeypatch.context() as patch:
        patch.setattr("rulenet.training.run.SECONDS", 0.0)
        patch.setattr(loop, "evaluate", before_call(1, loop.evaluate, raising(InterruptedError("broken off"))))
        broken = make()
        with pytest.raises(InterruptedError, match="broken off"):  # after the last step of an epoch
            train_run(broken, RECIPE, broken["train"], Checkpoint(tmp_path, {"settings": {}}))
    resumed = train_run(make(), RECIPE, None, Checkpoint(tmp_path, {"settings": {}}, resume=True))
    assert resumed.curve == whole.curve


@pytest.mark.slow
def test_steps_that_come_first_are_a_stage_of_their_own(tiny_encoder: str) -> None:
    recipe = Recipe.of(contrast_steps=2, epochs=1, max_length=32, word_vectors=None)
    task = Task(TEXTS, TARGET, ["business", "sports"])
    _, report = fit_hybrid(task, Features(None, language="en"), tiny_encoder, recipe, Job())
    assert [point["stage"] for point in report.curves] == ["Contrastive", "fine-tuning + φ"]
    first, then = report.curves
    assert (list(first["terms"]), first["accuracy"]) == ([Contrastive.__name__], None)
    assert list(then["terms"]) == ["Supervised"]
    assert first["learning_rate"] == pytest.approx(1e-4, rel=0.6)
