"""The convex start: exact, worth what it says, kept where epochs do not pay."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from rulenet.errors import ParameterError  # noqa: E402
from rulenet.features.blocks import Features  # noqa: E402
from rulenet.model.link import ONE_OF  # noqa: E402
from rulenet.rules.ruleset import RuleSet  # noqa: E402
from rulenet.training import loop  # noqa: E402
from rulenet.training.convex import View, solve_head, solve_start  # noqa: E402
from rulenet.training.corpus import Corpus, Origin  # noqa: E402
from rulenet.training.job import Job  # noqa: E402
from rulenet.training.objectives.objective import Judged  # noqa: E402
from rulenet.training.recipe import Recipe  # noqa: E402
from rulenet.training.stages import Task, fit_hybrid  # noqa: E402

RULES = RuleSet.from_yaml("{rulenet: 1, rules: [{id: goal, label: sport, word: goal, weight: 2, pin: true}]}")
TEXTS = [
    *("the goal", "win the match", "a goal a win", "the team lost", "good match"),
    *("oil price", "the bank", "stock market", "oil lost", "market price"),
] * 6  # fmt: skip
CLASSES, Y = ["money", "sport"], np.eye(2)[([1] * 5 + [0] * 5) * 6]


def corpus(n: int = 60, K: int = 3) -> tuple[np.ndarray, Corpus]:
    """h of random numbers around one point per class, and φ that knows a little."""
    rng = np.random.default_rng(0)
    y = np.arange(n) % K
    h = rng.normal(size=(n, 8)) + 1.5 * rng.normal(size=(K, 8))[y] + 5.0
    phi = np.eye(K)[y] + rng.normal(size=(n, K))
    return h, Corpus([""] * n, None, np.eye(K)[y], np.full(n, Origin.GIVEN), phi)


def fit(encoder: str, texts: list[str], Y: np.ndarray, rules: RuleSet | None = None, **fields: Any) -> Any:
    recipe = Recipe.of(**{"max_length": 32, "learning_rate": 1e-3, "contrast_steps": 0, **fields})
    return fit_hybrid(Task(texts, Y, CLASSES), Features(rules, language="en"), encoder, recipe, Job())


def test_the_head_is_the_minimum_of_its_loss() -> None:
    """Any step away from it, in any direction, makes the loss of the formula larger."""
    h, rows = corpus()
    centred = h - h.mean(axis=0)
    spread = np.sqrt((centred**2).sum(axis=1).mean())

    def loss(weight: np.ndarray, bias: np.ndarray) -> float:
        psi = h @ weight + bias
        data = ONE_OF.losses(rows.phi + psi, rows.Y).sum() + 0.3 * ONE_OF.losses(psi, rows.Y).sum()
        return float(data + ((spread * weight) ** 2).sum() / (2 * 3.0))

    head = solve_head(h, rows, ONE_OF, psi_loss=0.3, variance=3.0)
    least, rng = loss(head.weight, head.bias), np.random.default_rng(1)
    for _ in range(20):
        step = 0.05 * rng.normal(size=head.weight.shape) / spread, 0.05 * rng.normal(size=3)
        assert loss(head.weight + step[0], head.bias + step[1]) > least


def test_only_a_head_alone_counts_all_labels_alike() -> None:
    """h says nothing, and two of three texts have the first label: ψ beside φ learns that, ψ alone must not."""
    rows = corpus(60, 2)[1]
    rows = replace(rows, Y=np.eye(2)[[0, 0, 1] * 20], phi=np.zeros((60, 2)))
    h = np.random.default_rng(0).normal(size=(60, 8))
    leads = [np.diff(solve_head(h, rows, ONE_OF, psi_loss=loss, variance=0.01)(h)).mean() for loss in (None, 0.3)]
    assert leads == pytest.approx([0.0, -np.log(2)], abs=0.1)


def test_texts_are_judged_by_heads_that_did_not_see_them() -> None:
    """Labels are noise: a head in-sample gets most of them right, the judged ψ must not."""
    rng = np.random.default_rng(0)
    h, rows = rng.normal(size=(80, 60)), corpus(80, 2)[1]
    rows = replace(rows, Y=np.eye(2)[rng.integers(0, 2, 80)], phi=np.zeros((80, 2)))
    start = solve_start(h, rows, np.arange(0), ONE_OF, psi_loss=0.3, variance=30.0, seed=0)
    assert len(start.judged) == 80
    assert (start.head(h).argmax(1) == rows.Y.argmax(1)).mean() > 0.85
    assert (start.psi.argmax(1) == start.judged.Y.argmax(1)).mean() < 0.7


@pytest.mark.parametrize("bound", ["auto", 2.0, None])
def test_an_untrained_psi_is_the_convex_solution_up_to_its_bound(
    tiny_encoder: str, bound: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts = spied(monkeypatch)
    hybrid, report = fit(tiny_encoder, TEXTS, Y, RULES, epochs=0, bound=bound)
    psi, phi = hybrid.psi, hybrid.weights.logits(hybrid.features.transform(TEXTS))
    rows = psi.encoder.encode(TEXTS)
    linear = starts[0].head(psi.hidden(rows, device="cpu"))
    np.testing.assert_allclose(psi.predict(rows, phi, device="cpu"), psi.bounded(linear), atol=1e-3)
    assert bound == "auto" or psi.bound == bound
    assert report.settled["bound"] == psi.bound
    if bound == "auto":
        np.testing.assert_allclose(psi.bounded(linear), linear, rtol=0.1)
    assert report.settled["head_variance"] == starts[0].variance
    assert report.start["texts"] == report.held_out["texts"] == 60
    assert report.start["hybrid"] > 0.9
    assert (report.epochs, report.best_epoch) == (0, 0)
    assert hybrid.weights.coef[0].tolist() == [0, 2]  # the pinned rule


def spied(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The convex starts of the runs that follow."""
    starts: list[Any] = []

    def spy(*arguments: Any, **named: Any) -> Any:
        starts.append(solve_start(*arguments, **named))
        return starts[-1]

    monkeypatch.setattr("rulenet.training.neural.solve_start", spy)
    return starts


@pytest.mark.parametrize("losses", [[0.2, 0.5, 0.9], [0.5, 0.9, 0.2]])
def test_the_start_is_an_epoch_to_choose_and_then_learned_from_all_texts(
    tiny_encoder: str, losses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Held-out losses are scripted: the start, then two epochs."""
    starts, script = spied(monkeypatch), iter(losses)
    monkeypatch.setattr(loop, "evaluate", lambda run, rows: Judged(np.full(len(rows), next(script))))
    hybrid, report = fit(tiny_encoder, TEXTS, Y, epochs=2)
    assert report.best_epoch == losses.index(0.2)
    assert report.held_out_loss == pytest.approx(losses[1:])
    is_start = np.allclose(hybrid.psi.from_text.weight.detach().numpy() * hybrid.psi.bound, starts[0].head.weight.T)
    assert is_start == (report.best_epoch == 0)
    assert report.held_out["texts"] == (60 if is_start else 9)


FEW = {  # texts, targets, and how many of them are judged
    "one text per label": (TEXTS[4:6], Y[4:6], 2),
    "fewer texts than folds": (TEXTS[3:7], Y[3:7], 4),
    "a label with one text": (TEXTS[:6], Y[:6], 6),
    "texts without labels": (TEXTS[:10] + ["goal market"] * 3, np.vstack([Y[:10], np.zeros((3, 2))]), 10),
}


@pytest.mark.parametrize("case", FEW)
def test_few_texts_need_no_epochs(tiny_encoder: str, case: str) -> None:
    texts, target, n = FEW[case]
    hybrid, report = fit(tiny_encoder, texts, target, RULES)
    assert (report.epochs, report.start["texts"], report.held_out) == (0, n, {})
    assert np.isfinite(hybrid.parts(texts).logits).all()


def test_few_texts_without_rules_spread_in_a_fixed_ratio_and_are_as_sure_as_they_are_right(
    tiny_encoder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts = spied(monkeypatch)
    hybrid, report = fit(tiny_encoder, TEXTS[:8], Y[:8], None)
    a, s, judged = hybrid.phi_scale, hybrid.psi_scale, starts[0].judged
    phi, psi = (np.diff(x, axis=1).std() for x in (a * judged.phi, s * hybrid.psi.bounded(starts[0].psi)))
    assert psi == pytest.approx(1.5 * phi)
    wrong, _ = fit(tiny_encoder, TEXTS[:8], Y[[0, 5, 1, 6, 2, 7, 3, 8]], None)  # labels by chance
    assert ONE_OF.lead(wrong.parts(TEXTS).logits).mean() < ONE_OF.lead(hybrid.parts(TEXTS).logits).mean()
    assert ONE_OF.lead(hybrid.parts([""]).logits) < 1
    assert (a, s) == (report.phi_scale, report.psi_scale)


def test_no_label_at_all_starts_from_what_rules_say(tiny_encoder: str) -> None:
    rules = "{rulenet: 1, rules: [{id: goal, label: sport, word: goal}, {id: oil, label: money, word: [oil, bank]}]}"
    hybrid, report = fit(tiny_encoder, TEXTS, np.zeros((60, 2)), RuleSet.from_yaml(rules))
    assert (report.epochs, report.start, report.held_out) == (0, {}, {})  # guesses say nothing about accuracy
    assert report.teaching["voted"] == 12 + 18
    assert hybrid.parts(["the goal", "oil price"]).logits.argmax(1).tolist() == [1, 0]


def test_an_encoder_that_has_read_nothing_needs_epochs() -> None:
    with pytest.raises(ParameterError, match=r"epochs=0 .* learned nothing yet; give at least 1"):
        fit("scratch", TEXTS, Y, epochs=0)


def test_a_head_on_a_moved_encoder_is_judged_by_the_first_one_made_as_large() -> None:
    h, rows = corpus()
    start = solve_start(h, rows, np.arange(0), ONE_OF, psi_loss=None, variance=1.0, seed=0)
    head = replace(start.head, weight=3 * start.head.weight)
    moved = start.moved(head, h)
    assert (moved.head, moved.is_moved, start.is_moved) == (head, True, False)
    np.testing.assert_array_equal(moved.psi.argmax(1), start.psi.argmax(1))
    psi = [x - x.mean(1, keepdims=True) for x in (moved.psi, head(h))]
    assert (psi[0] - psi[0].mean(0)).std() == pytest.approx((psi[1] - psi[1].mean(0)).std())


def test_views_judge_instead_of_an_encoder_that_knows_the_labels() -> None:
    h, rows = corpus()
    knows, halves = np.eye(3)[rows.Y.argmax(1)] * 9, (np.arange(0, 60, 2), np.arange(1, 60, 2))
    rng = np.random.default_rng(1)
    views = [View(train, test, rng.normal(size=h.shape)) for train, test in (halves, halves[::-1])]
    how: dict[str, Any] = {"psi_loss": 0.3, "variance": 1.0, "seed": 0}
    start = solve_start(knows, rows, np.arange(0), ONE_OF, views=views, **how)
    right = (start.psi.argmax(1) == start.judged.Y.argmax(1)).mean()
    assert len(start.judged) == 60
    assert right < 0.6
    assert (start.head(knows).argmax(1) == rows.Y.argmax(1)).all()


def test_beside_rules_encoders_that_saw_half_of_the_labels_judge_a_moved_one(
    tiny_encoder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Labels are noise: the encoder has learned them by heart, and must not look as if it were right."""
    starts, noise = spied(monkeypatch), np.eye(2)[np.random.default_rng(0).integers(0, 2, 60)]
    texts = [f"{text} {['win', 'lost', 'oil', 'bank', 'goal'][i % 5]}" for i, text in enumerate(TEXTS)]
    hybrid, report = fit(tiny_encoder, texts, noise, RULES, contrast_steps=10, contrast_learning_rate=1e-2)
    assert report.settled["contrast_steps"] == 10
    assert len(starts[0].judged) == 60
    assert report.start["psi"] < 0.75
    assert (hybrid.phi_scale, hybrid.psi_scale) == (report.phi_scale, report.psi_scale) != (1.0, 1.0)
