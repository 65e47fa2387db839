"""φ's problem is the same in training and in hot edits."""

from __future__ import annotations

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
    assert problem == PhiProblem([RuleColumn(0, prior=2.0, column=0)], C=3.0, rule_sigma=0.5, nb_terms=nb_terms)


def test_training_and_refit_put_the_same_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    put: list[PhiProblem] = []
    real = PhiProblem.solve
    monkeypatch.setattr(PhiProblem, "solve", lambda self, *a, **options: put.append(self) or real(self, *a, **options))
    clf = RuleNetClassifier(RULES, None).fit(TEXTS, LABELS, unlabeled=TEXTS)
    hotedit.refit_phi(clf, Dataset(TEXTS, LABELS, "f.csv", list(range(12))))
    assert len(put) >= 2
    assert put[0] == put[-1]
