"""The joint epochs: when φ moves, how far it may, and what comes out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from rulenet.features.blocks import Features  # noqa: E402
from rulenet.model.hybrid import Hybrid  # noqa: E402
from rulenet.model.link import ONE_OF  # noqa: E402
from rulenet.rules.ruleset import RuleSet  # noqa: E402
from rulenet.training import loop  # noqa: E402
from rulenet.training.job import Job  # noqa: E402
from rulenet.training.objectives import supervised  # noqa: E402
from rulenet.training.objectives.objective import Judged  # noqa: E402
from rulenet.training.recipe import Recipe  # noqa: E402
from rulenet.training.run import Run  # noqa: E402
from rulenet.training.stages import Report, Task, fit_hybrid  # noqa: E402
from rulenet.training.tuning.full import Full  # noqa: E402
from tests.training.runs import train_run  # noqa: E402

RECIPE = Recipe.of(epochs=3, learning_rate=1e-3, tune=Full(), max_length=32, batch_texts=8, phi_learning_rate=0.05)
RULES = RuleSet.from_yaml("""
rulenet: 1
rules:
  - {id: goal, label: sport, word: goal, weight: 2}
  - {id: lost, label: sport, word: lost, weight: 0.05}
  - {id: oil, label: money, word: oil, weight: 2, pin: true}
""")
SPORT = ["the goal", "win the match", "a goal a win", "the team", "good match"]
MONEY = ["oil price", "the bank", "stock market lost", "oil lost", "market price"]
TASK = Task((SPORT + MONEY) * 6, np.eye(2)[([1] * 5 + [0] * 5) * 6], ["money", "sport"])


def hybrid(encoder: str, recipe: Recipe, task: Task = TASK) -> tuple[Hybrid, Report]:
    return fit_hybrid(task, Features(RULES, language="en"), encoder, recipe, Job())


@pytest.mark.parametrize(("joint", "still"), [(0, [1, 2, 3]), (1, [1, 2]), (2, [1]), (9, [])])
def test_phi_moves_in_the_joint_epochs_only(
    make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, joint: int, still: list[int]
) -> None:
    run, unmoved = make(), []
    real = loop.train_epoch

    def spy(state: Run, *arguments: Any) -> float:
        loss = real(state, *arguments)
        if not any(parameter.any() for parameter in run["phi"].parameters()):
            unmoved.append(state.at.epoch + 1)
        return loss

    monkeypatch.setattr(loop, "train_epoch", spy)
    train_run(run, RECIPE.with_changes(joint_epochs=joint))
    assert unmoved == still


def test_signs_and_pins_hold_at_every_step(make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The first rule speaks for label 1 with a weight of 0.02, and all its texts say the opposite."""
    run, seen = make(), []
    run["train"].Y[:] = [1.0, 0.0]
    real = loop.train_step

    def spy(*arguments: Any) -> Any:
        result = real(*arguments)
        seen.append(run["phi"].weights().coef.copy())
        return result

    monkeypatch.setattr(loop, "train_step", spy)
    train_run(run, RECIPE.with_changes(joint_epochs=3))
    assert len(seen) == 15
    assert 0 <= min(coef[0, 1] for coef in seen) < 1e-6  # it wanted to go further
    assert {coef[1, 0] for coef in seen} == {2.0}
    assert all(coef[0, 0] == coef[1, 1] == 0 for coef in seen)
    assert seen[-1][2, 0] > 0.1  # a term is free


def test_the_joint_epoch_goes_on_from_the_best_and_is_kept_unless_it_is_clearly_worse(
    make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Losses of three epochs on 40 texts are scripted; a standard error of the third is about 0.016."""
    spread = np.tile([-0.1, 0.1], 20)
    for third, best in ((0.3, 3), (0.41, 3), (0.42, 1)):
        run, begun, ended = make(), [], []
        losses = iter([np.full(40, 0.4), np.full(40, 0.5), third + spread])
        real = loop.train_epoch

        def spy(state: Run, *arguments: Any, real: Any = real, begun: Any = begun, ended: Any = ended) -> float:
            begun.append({name: p.detach().clone() for name, p in state.parameters.items()})
            loss: float = real(state, *arguments)
            ended.append({name: p.detach().clone() for name, p in state.parameters.items()})
            return loss

        with monkeypatch.context() as patch:
            patch.setattr(loop, "evaluate", lambda *_, losses=losses: Judged(next(losses)))
            patch.setattr(loop, "train_epoch", spy)
            outcome = train_run(run, RECIPE.with_changes(joint_epochs=1), held_out=run["train"])
        assert outcome.best_epoch == best
        torch.testing.assert_close(begun[2], ended[0], rtol=0, atol=0)
        torch.testing.assert_close(run["psi"].from_text.weight.detach(), ended[best - 1]["psi.from_text.weight"])
        assert run["phi"].shift(run["train"].X).any() == (best == 3)
        assert (run["phi"].weights().coef != run["phi"].solved.coef).any() == (best == 3)


def test_held_out_texts_are_judged_with_the_moved_phi(
    make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, judged = make(), []
    real = supervised.fit_scales

    def spy(phi: Any, *arguments: Any) -> Any:
        judged.append(phi)
        return real(phi, *arguments)

    monkeypatch.setattr(supervised, "fit_scales", spy)
    held_out = run["train"].take(np.arange(10))
    train_run(run, RECIPE.with_changes(joint_epochs=1, epochs=1), held_out=held_out)
    np.testing.assert_allclose(judged[0], held_out.phi + run["phi"].shift(held_out.X))
    assert not np.allclose(judged[0], held_out.phi)


@pytest.mark.slow
def test_the_model_gets_solved_weights_plus_change(tiny_encoder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # The last epoch is the best.
    monkeypatch.setattr(loop, "evaluate", lambda run, rows: Judged(np.full(len(rows), -run.at.epoch)))
    alone, _ = hybrid(tiny_encoder, RECIPE)
    joint, report = hybrid(tiny_encoder, RECIPE.with_changes(joint_epochs=2))
    again, _ = hybrid(tiny_encoder, RECIPE.with_changes(joint_epochs=2))
    assert report.best_epoch == 3
    assert np.abs(joint.weights.coef - alone.weights.coef).max() > 0.01
    np.testing.assert_array_equal(joint.weights.coef, again.weights.coef)
    assert joint.weights.coef[2].tolist() == [2.0, 0.0]  # pinned
    assert joint.weights.coef[:2, 1].min() >= 0
    assert not joint.weights.coef[:2, 0].any()  # a rule has no weight for another label
    # What the model is calibrated by is φ as it ended, out-of-fold: not as it began, and not in-sample.
    assert joint.held_out is not None
    assert alone.held_out is not None
    assert not np.allclose(joint.held_out.phi, alone.held_out.phi)


@pytest.mark.slow
def test_without_labels_pins_hold_and_no_epoch_is_joint(tiny_encoder: str) -> None:
    task = Task(TASK.texts, np.zeros_like(TASK.Y), TASK.classes)
    model, report = hybrid(tiny_encoder, RECIPE.with_changes(joint_epochs=3), task)
    assert model.weights.coef[2].tolist() == [2, 0]
    assert not report.joint


def test_a_smoothed_target_says_less_and_weighs_the_same(make: Callable[..., Any]) -> None:
    target = torch.tensor([[1.0, 0.0], [0.25, 0.25], [0.0, 0.0]])
    expected = torch.tensor([[0.9, 0.1], [0.25, 0.25], [0.0, 0.0]])
    torch.testing.assert_close(ONE_OF.smoothed(target, 0.2), expected)
    run = make(dropout=0.0)
    phi, psi = (torch.as_tensor(values).float() for values in (
        run["train"].phi, run["psi"].predict(run["train"].rows, run["train"].phi, device="cpu")))  # fmt: skip
    whole = RECIPE.with_changes(epochs=1, joint_epochs=0, batch_texts=40, batch_tokens=4096, label_smoothing=0.2)
    loss = train_run(run, whole).train_loss[0]
    target = ONE_OF.smoothed(torch.as_tensor(run["train"].Y).float(), 0.2)
    assert loss == pytest.approx(float(supervised.joint_loss(phi, psi, target, psi_loss=0.3)), abs=1e-5)
