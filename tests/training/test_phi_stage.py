"""φ's problem is the same in training and in hot edits."""

from __future__ import annotations

import numpy as np
import pytest

from rulenet import Recipe, RuleNetClassifier, RuleSet
from rulenet.data.load import Dataset
from rulenet.features.blocks import Features
from rulenet.model.phi import RuleColumn
from rulenet.model.phi_problem import PhiProblem
from rulenet.training import phi_stage
from rulenet.workbench import hotedit

RULES = RuleSet.from_yaml("{rulenet: 1, rules: [{id: a, label: x, word: alpha, weight: 2}]}")
TEXTS, LABELS = ["alpha one", "beta two", "alpha three", "beta four"] * 3, ["x", "y"] * 6


@pytest.mark.parametrize("nb", [True, False])
def test_the_problem_of_a_recipe(nb: bool) -> None:
    features = Features(RULES, language="en")
    features.fit_transform(TEXTS)
    problem = phi_stage.phi_problem(features, ["x", "y"], Recipe.of(C=3.0, rule_sigma=0.5, nb=nb))
    nb_terms = features.n_terms if nb else 0
    rules = [RuleColumn(0, prior=2.0, column=0)]
    assert problem == PhiProblem(rules, C=3.0, rule_sigma=0.5, nb_terms=nb_terms, bias_variance=1.0)


def test_training_and_refit_put_the_same_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    put: list[PhiProblem] = []
    real = PhiProblem.solve
    monkeypatch.setattr(PhiProblem, "solve", lambda self, *a, **options: put.append(self) or real(self, *a, **options))
    clf = RuleNetClassifier(RULES, None).fit(TEXTS, LABELS, unlabeled=TEXTS)
    hotedit.refit_phi(clf, Dataset(TEXTS, LABELS, "f.csv", list(range(12))))
    assert len(put) >= 2
    assert put[0] == put[-1]


def rare(n_rare: int, n: int = 400) -> tuple[list[str], list[str]]:
    """Texts of which only some, by a third of their words, are of another kind, as most words of a rare label are new."""
    rng = np.random.default_rng(n_rare + n)
    common, own = ([f"{kind}{i}" for i in range(250)] for kind in "ab")
    labels = ["rare"] * n_rare + ["common"] * n
    words = [[*rng.choice(common, 8), *rng.choice(own if label == "rare" else common, 4)] for label in labels]
    return [" ".join(line) for line in words], labels


def test_balanced_labels_are_found_in_texts_that_were_not_seen() -> None:
    texts, labels = rare(8)
    unseen, right = rare(200, 200)
    recall = {}
    for class_weight in (None, "balanced"):
        clf = RuleNetClassifier(None, None, class_weight=class_weight, recipe=Recipe.of(C=3.0)).fit(texts, labels)
        hits = clf.predict(unseen) == np.array(right)
        recall[class_weight] = hits[:200].mean(), hits[200:].mean()
    assert recall[None][0] < 0.05
    assert min(recall["balanced"]) > 0.5


def test_biases_are_moved_only_where_labels_have_texts_to_tell_it() -> None:
    texts, labels = rare(6)
    texts, labels = [*texts, "a single text", *texts[:3]], [*labels, "once", *labels[:3]]
    classes = ["common", "never", "once", "rare"]
    features = Features(None, language="en")
    X = features.fit_transform(texts)
    Y = np.eye(4)[[classes.index(label) for label in labels]] * np.array([1.0, 0, 400, 45])
    Y[-3:] = 0  # without labels
    problem = phi_stage.phi_problem(features, classes, Recipe.of(C=3.0))
    moved = phi_stage.shifted(problem, X, Y, features, 0)
    common, never, once, of_rare = np.asarray(moved.shift)
    assert (never, once) == (0, 0)
    assert of_rare == pytest.approx(-common)
    assert of_rare > 0.5
    known = Y.sum(axis=1) > 0
    for start in (None, problem.solve(X[known], Y[known])):
        before, after = (one.solve(X[known], Y[known], start=start).bias for one in (problem, moved))
        np.testing.assert_allclose(after - before, np.asarray(moved.shift), atol=0.01)
    alone = Y * np.array([1, 0, 1, 0])
    assert phi_stage.shifted(problem, X, alone, features, 0) is problem
