"""C and nb by their loss on held-out texts: what is tried, what is chosen, what is left alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rulenet import Recipe, RuleNetClassifier, RuleSet
from rulenet.model.phi_problem import PhiProblem
from rulenet.training import phi_choice
from rulenet.training.phi_choice import Trial
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
def tried(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, bool, int, bool]]:
    """C, whether there is a naive Bayes prior, number of texts, and whether the solver starts from other weights."""
    found: list[tuple[float, bool, int, bool]] = []
    real = PhiProblem.solve

    def solve(self: PhiProblem, X: Any, Y: Any, **options: Any) -> Any:
        found.append((self.C, self.nb_terms > 0, len(Y), options.get("start") is not None))
        return real(self, X, Y, **options)

    monkeypatch.setattr(PhiProblem, "solve", solve)
    return found


def test_the_best_pair_starts_the_solution_on_all_texts(tried: list[Any]) -> None:
    clf = RuleNetClassifier(RULES, None).fit(*texts(1000, 2, 300))
    settled = clf.report_["settled"]
    assert tried[:2] == [(3.0, True, 850, False), (10.0, False, 850, False)]
    assert all(n == 850 and warm for _, _, n, warm in tried[2:-1])
    assert tried[-1] == (settled["C"], settled["nb"], 1000, True)
    assert len(tried) <= 7
    assert (clf.recipe_.phi.C, clf.recipe_.phi.nb) == (settled["C"], settled["nb"])
    held_out = clf.predictor_.hybrid.held_out
    assert held_out is not None
    assert len(held_out.y) == 150


@pytest.mark.parametrize(
    ("fields", "pairs"),
    [({"C": 5}, {(5.0, True), (5.0, False)}), ({"nb": True}, None), ({"C": 5, "nb": False}, {(5.0, False)})],
)
def test_what_the_recipe_gives_is_kept(tried: list[Any], fields: dict[str, Any], pairs: set[Any] | None) -> None:
    clf = RuleNetClassifier(RULES, None, recipe=Recipe.of(**fields)).fit(*texts(1000, 2, 300))
    if pairs is not None:
        assert {(C, nb) for C, nb, *_ in tried} == pairs
    for name, value in fields.items():
        assert clf.report_["settled"][name] == value
        assert pairs is not None or all(nb for _, nb, *_ in tried)


@pytest.mark.parametrize("labels", ["few", "none", "rules"])
def test_without_enough_to_choose_by_the_defaults_hold(tried: list[Any], labels: str) -> None:
    some, y = texts(300 if labels == "few" else 1000, 2, 100)
    recipe = Recipe.of(tfidf=False) if labels == "rules" else None
    clf = RuleNetClassifier(RULES, None, recipe=recipe).fit(some, None if labels == "none" else y)
    assert clf.report_["settled"]["C"] == DEFAULT_C
    assert clf.report_["settled"]["nb"] == (labels == "rules")
    assert {C for C, *_ in tried} == {DEFAULT_C}


def test_many_labels_with_few_texts_each_do_without_naive_bayes() -> None:
    some, y = texts(1500, 50, 350)
    assert RuleNetClassifier(None, None).fit(some, y).report_["settled"]["nb"] is False


def test_noise_wants_a_smaller_prior() -> None:
    some, y = texts(1000, 2, 40)
    noisy = np.where(np.random.default_rng(1).random(1000) < 0.4, np.random.default_rng(2).permutation(y), y)
    assert (
        RuleNetClassifier(None, None, recipe=Recipe.of(nb=False)).fit(some, noisy).report_["settled"]["C"] < DEFAULT_C
    )


def test_another_nb_must_be_better_beyond_chance() -> None:
    def trial(losses: list[float]) -> Trial:
        return Trial(1.0, nb=True, weights=None, logits=None, loss=0.0, calibrated=np.array(losses))  # type: ignore[arg-type]

    assert trial([0.0, 0.1, 0.0, 0.1]).beats(trial([1.0, 1.0, 1.1, 1.0]))
    assert not trial([0.9, 0.0, 1.1, 1.0]).beats(trial([1.0, 1.0, 1.0, 1.0]))
    assert tuple(sorted(phi_choice.GRID)) == phi_choice.GRID
