"""Texts without a label are labelled in rounds, from labels, descriptions or other first guesses and from what is alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse

from rulenet import Recipe, RuleNetClassifier
from rulenet.errors import ParameterError
from rulenet.model.link import ONE_OF
from rulenet.model.phi_problem import PhiProblem
from rulenet.training import self_teaching
from rulenet.training.objectives import PseudoLabels, Supervised
from rulenet.training.self_teaching import SHARE, self_teach, teach_each_other
from rulenet.training.teaching import Lesson
from rulenet.workbench.label_words import suggest_label_words

MEANT = {"sport": "goal match", "money": "oil market"}
TEXTS = ["the goal", "win the match", "a goal a win", "oil price", "the bank", "stock market"] * 5


def two_clouds(n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Points in ten dimensions, each of which says a little about the class, and the classes."""
    rng, y = np.random.default_rng(0), np.repeat([0, 1], n)
    return rng.normal(size=(2 * n, 10)) + 0.6 * (2 * y - 1)[:, None], y


def taught(view: np.ndarray, Y: np.ndarray, said: np.ndarray | None, rounds: int, trusted: float = 0.5) -> Lesson:
    return self_teach(view, Y, said, ["a", "b"], ONE_OF, rounds=rounds, trusted=trusted)


def test_rounds_find_what_the_first_guesses_miss() -> None:
    """The first guesses err at random, or know two labelled texts; what is alike shows the rest."""
    view, y = two_clouds()
    answers = np.random.default_rng(1).normal(size=len(y)) + 0.8 * (2 * y - 1)
    said, nothing = np.c_[-answers, answers], np.zeros((len(view), 2))
    first, then = ((taught(view, nothing, said, rounds).targets.argmax(axis=1) == y).mean() for rounds in (0, 4))
    assert first < 0.85
    assert then > 0.95
    labelled = [3, -5]
    Y = nothing.copy()
    Y[labelled] = 4 * np.eye(2)
    first, then = ((taught(view, Y, None, rounds).targets.argmax(axis=1) == y).mean() for rounds in (0, 4))
    assert first + 0.05 < then
    assert then > 0.9


def test_labels_stay_and_guesses_weigh_less_beside_them() -> None:
    view, y = two_clouds(3000)
    Y = np.zeros((len(view), 2))
    Y[::60] = 4 * np.eye(2)[y[::60]]
    lesson = taught(view, Y, None, 1)
    np.testing.assert_array_equal(lesson.targets[::60], Y[::60])
    free = np.setdiff1d(np.arange(len(view)), np.arange(len(view))[::60])
    np.testing.assert_allclose(lesson.targets[free].sum(axis=1), 3000 / (1 + 100 / 30) / 5900)
    assert lesson.report["mass"] == pytest.approx(3000 / (1 + 100 / 30) / 5900)
    assert lesson.report["trusted"] == pytest.approx(2950, abs=2)


def test_no_label_is_lost_because_another_is_likelier_everywhere() -> None:
    """First guesses are corrected by how often they give a label."""
    view, y = two_clouds()
    answers = 0.3 * (2 * y - 1)
    said = np.c_[-answers, answers] + [1.0, 0.0]
    assert (said.argmax(axis=1) == 0).all()
    assert ((taught(view, np.zeros((len(view), 2)), said, 1).targets.argmax(axis=1) == 1) == y).mean() > 0.8


@pytest.mark.slow
def test_descriptions_alone_make_a_model(tiny_encoder: str, tmp_path: Path) -> None:
    recipe = Recipe.of(prompt="descriptions", max_length=32, word_vectors=None)
    clf = RuleNetClassifier(None, tiny_encoder, descriptions=MEANT, recipe=recipe, random_state=0).fit(TEXTS)
    assert set(clf.report_["teaching"]) == {"trusted", "mass", "doubt", "advice"}
    assert "labels would help most, mainly about" in clf.report_["teaching"]["advice"]
    assert clf.predict(["a goal", "oil market"]).tolist() == ["sport", "money"]
    clf.save(tmp_path / "model")
    loaded = RuleNetClassifier.load(tmp_path / "model")
    assert (loaded.report_["teaching"], loaded.recipe_) == (clf.report_["teaching"], clf.recipe_)
    words = suggest_label_words(clf.predictor_, 2)
    assert "goal" in words["sport"]
    assert "oil" in words["money"]
    plain = RuleNetClassifier(None, None, descriptions=MEANT, recipe=Recipe.of(word_vectors=None)).fit(TEXTS)
    assert plain.report_["teaching"] == {}  # φ alone, and no rounds: as it was
    with pytest.raises(ParameterError, match=r"^prompt='descriptions' needs descriptions=…"):
        RuleNetClassifier(None, tiny_encoder, recipe=recipe).fit(TEXTS)
    with pytest.raises(ParameterError, match=r"^prompt: it labels texts without a label, and there are none"):
        RuleNetClassifier(None, tiny_encoder, descriptions=MEANT, recipe=recipe).fit(TEXTS, ["sport", "money"] * 15)


def test_each_of_two_views_learns_from_the_other_and_guesses_weigh_half_of_the_labels() -> None:
    rng = np.random.default_rng(0)
    y = np.arange(300) % 3
    words = scipy.sparse.csr_matrix(np.eye(90)[30 * y + rng.integers(30, size=300)])  # one of thirty words of its class
    h = 1.5 * np.eye(3)[y] + rng.normal(size=(300, 3))
    Y = np.eye(3)[y] * (np.arange(300) < 24)[:, None]
    problem = PhiProblem(C=10.0)
    before = problem.solve(words[:24], Y[:24]).logits(words[24:])
    targets, doubt = teach_each_other(problem, words, h, Y, 3)
    np.testing.assert_array_equal(targets[:24], Y[:24])
    assert targets[24:].sum() == pytest.approx(SHARE * 24)
    assert 0 < doubt < 0.5
    after = problem.solve(words, targets).logits(words[24:])
    right = [float((logits.argmax(1) == y[24:]).mean()) for logits in (before, after)]
    assert right[1] > right[0] + 0.15
    np.testing.assert_array_equal(teach_each_other(problem, words, h, Y, 3)[0], targets)


@pytest.mark.slow
def test_they_come_before_pseudo_labels_and_labels_that_are_held_out_do_not_teach(
    tiny_encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    met: list[Any] = []
    real = self_teaching.teach_each_other
    monkeypatch.setattr(self_teaching, "teach_each_other", lambda *given: met.append(given[3]) or real(*given))
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
