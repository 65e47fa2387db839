"""Rounds in which φ and a head over h(x) label texts for each other: what guesses weigh, what they know, and who may teach."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse

from rulenet.model.phi_problem import PhiProblem
from rulenet.training.self_training import MASS, guesses


def test_each_view_learns_from_the_other_and_guesses_weigh_half_of_the_labels() -> None:
    rng = np.random.default_rng(0)
    y = np.arange(300) % 3
    words = scipy.sparse.csr_matrix(np.eye(90)[30 * y + rng.integers(30, size=300)])  # one of thirty words of its class
    h = 1.5 * np.eye(3)[y] + rng.normal(size=(300, 3))
    Y = np.eye(3)[y] * (np.arange(300) < 24)[:, None]
    problem = PhiProblem(C=10.0)
    before = problem.solve(words[:24], Y[:24]).logits(words[24:])
    targets, doubt = guesses(problem, words, h, Y, 3)
    np.testing.assert_array_equal(targets[:24], Y[:24])
    assert targets[24:].sum() == pytest.approx(MASS * 24)
    assert 0 < doubt < 0.5
    after = problem.solve(words, targets).logits(words[24:])
    right = [float((logits.argmax(1) == y[24:]).mean()) for logits in (before, after)]
    assert right[1] > right[0] + 0.15
    np.testing.assert_array_equal(guesses(problem, words, h, Y, 3)[0], targets)


@pytest.mark.slow
def test_they_come_before_pseudo_labels_and_labels_that_are_held_out_do_not_teach(
    tiny_encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rulenet import Recipe, RuleNetClassifier
    from rulenet.training import self_training
    from rulenet.training.objectives import PseudoLabels, Supervised

    met: list[Any] = []
    real = self_training.guesses
    monkeypatch.setattr(self_training, "guesses", lambda *given: met.append(given[3]) or real(*given))
    texts, labels = ["the goal", "win a match", "oil price", "the bank"] * 12, ["sport", "sport", "money", "money"] * 12
    more = ["the team", "a good goal", "the market", "stock price"] * 10
    recipe = Recipe.of(objectives=[Supervised(), PseudoLabels()], epochs=0, max_length=32, word_vectors=None)
    clf = RuleNetClassifier(None, tiny_encoder, recipe=recipe, random_state=0).fit(texts, labels, unlabeled=more)
    assert int(met[0].sum()) == len(texts) - clf.report_["held_out"]["texts"]
    assert len(met[0]) == len(texts) + len(more) - clf.report_["held_out"]["texts"]
    assert clf.report_["self_taught"]["texts"] == len(more)
    assert clf.score(texts, labels) > 0.9
    clf.save(tmp_path / "model")
    assert RuleNetClassifier.load(tmp_path / "model").report_["self_taught"] == clf.report_["self_taught"]
    # Without rounds, φ's own sure guesses are all that there is, as without the objective.
    recipe = recipe.with_changes(epochs=1, pseudo_rounds=0)
    clf = RuleNetClassifier(None, tiny_encoder, recipe=recipe, random_state=0).fit(texts, labels, unlabeled=more)
    assert (len(met), clf.report_["self_taught"]) == (1, {})
