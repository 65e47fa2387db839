"""C by the loss on held-out texts: what is tried, what is chosen, what is left alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rulenet import Recipe, RuleNetClassifier, RuleSet
from rulenet.model.phi_problem import PhiProblem
from rulenet.training.phi_choice import FEW_WITH_RULES, GRID, Trial
from rulenet.training.phi_stage import DEFAULT_C

RULES = RuleSet.from_yaml("{rulenet: 1, rules: [{id: a, label: y0, word: w1}, {id: b, label: y1, word: w2}]}")


def texts(n: int, n_labels: int, words: int, seed: int = 0) -> tuple[list[str], list[str]]:
    """Texts of twelve words, of which some hint at the label."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, n_labels, n)
    bags = np.where(
        rng.random((n, 12)) < 0.25,
        (y[:, None] * 7 + rng.integers(0, 7, (n, 12))) % words,
        rng.integers(0, words, (n, 12)),
    )
    return [" ".join(f"w{i}" for i in bag) for bag in bags.tolist()], [f"y{k}" for k in y.tolist()]


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, int, bool]]:
    """C, number of texts, and whether the solver starts from other weights."""
    found: list[tuple[float, int, bool]] = []
    real = PhiProblem.solve

    def solve(self: PhiProblem, X: Any, Y: Any, **options: Any) -> Any:
        found.append((self.C, len(Y), options.get("start") is not None))
        return real(self, X, Y, **options)

    monkeypatch.setattr(PhiProblem, "solve", solve)
    return found


def test_the_best_starts_the_solution_on_all_texts(tried: list[Any]) -> None:
    clf = RuleNetClassifier(RULES, None).fit(*texts(1000, 2, 300))
    settled = clf.report_["settled"]
    assert tried[0] == (3.0, 850, False)
    assert all(n == 850 and warm for _, n, warm in tried[1:-1])
    assert tried[-1] == (settled["C"], 1000, True)
    assert len(tried) <= 5
    assert settled["C"] == clf.recipe_.phi.C
    held_out = clf.predictor_.hybrid.held_out
    assert held_out is not None
    assert len(held_out.y) == 150


@pytest.mark.parametrize("case", ["given", "few", "none", "rules"])
def test_what_is_given_or_cannot_be_chosen_is_not_tried(tried: list[Any], case: str) -> None:
    some, y = texts(300 if case == "few" else 1000, 2, 100)
    recipe = {"given": Recipe.of(C=5), "rules": Recipe.of(tfidf=False)}.get(case)
    clf = RuleNetClassifier(RULES, None, recipe=recipe).fit(some, None if case == "none" else y)
    assert clf.report_["settled"]["C"] == (5.0 if case == "given" else DEFAULT_C)
    taught = {1.0} if case == "none" else set()  # the weights of rules that teach
    assert {C for C, *_ in tried} == {clf.report_["settled"]["C"]} | taught


@pytest.mark.parametrize("nb", [True, False])
def test_nb_is_obeyed_whatever_is_chosen(monkeypatch: pytest.MonkeyPatch, nb: bool) -> None:
    terms: set[bool] = set()
    real = PhiProblem.solve
    monkeypatch.setattr(
        PhiProblem, "solve", lambda self, *a, **options: terms.add(self.nb_terms > 0) or real(self, *a, **options)
    )
    clf = RuleNetClassifier(RULES, None, recipe=Recipe.of(nb=nb)).fit(*texts(1000, 2, 300))
    assert terms == {nb}
    assert clf.recipe_.phi.nb is nb


def test_many_labels_with_few_texts_each_gain_by_naive_bayes() -> None:
    """The ratio of Wang and Manning loses points here: by its smoothing, a class with few texts has too many of every rare term."""
    some, y = texts(3000, 50, 350)
    scores = [RuleNetClassifier(None, None, recipe=Recipe.of(nb=nb)).fit(some[:1500], y[:1500]) for nb in (True, False)]
    with_nb, without = (clf.score(some[1500:], y[1500:]) for clf in scores)
    assert with_nb > without + 0.01


def test_noise_wants_a_smaller_prior() -> None:
    some, y = texts(1000, 2, 40)
    noisy = np.where(np.random.default_rng(1).random(1000) < 0.4, np.random.default_rng(2).permutation(y), y)
    assert (
        RuleNetClassifier(None, None, recipe=Recipe.of(nb=False)).fit(some, noisy).report_["settled"]["C"] < DEFAULT_C
    )


def test_another_value_must_be_better_before_and_after_calibration() -> None:
    def trial(*losses: float, noise: float = 0.0) -> Trial:
        each = tuple(np.array([loss - noise, loss + noise]) for loss in losses)
        return Trial(1.0, 0.0, True, weights=None, logits=None, losses=each)  # type: ignore[arg-type]

    assert trial(0.4, 0.3).improves(trial(0.5, 0.4))
    assert not trial(0.4, 0.4).improves(trial(0.5, 0.4))
    assert not trial(0.5, 0.3).improves(trial(0.5, 0.4))
    assert trial(0.4, 0.3, noise=0.1).improves(trial(0.5, 0.4), by=1.0)  # by √2 standard errors
    assert not trial(0.4, 0.3, noise=0.2).improves(trial(0.5, 0.4), by=1.0)
    assert tuple(sorted(GRID)) == GRID


def test_a_few_texts_say_less_beside_rules(tiny_encoder: str) -> None:
    some, y = [f"the goal of {text}" for text in texts(60, 2, 100)[0]], texts(60, 2, 100)[1]
    chosen = []
    for rules, C in ((None, None), (RULES, None), (RULES, 5)):
        clf = RuleNetClassifier(rules, None, recipe=Recipe.of(word_vectors=tiny_encoder, C=C)).fit(some, y)
        chosen.append((clf.report_["settled"]["C"], clf.report_["settled"]["tau"]))
    assert chosen == [(DEFAULT_C, 3.0), (FEW_WITH_RULES, 3.0), (5, 3.0)]
