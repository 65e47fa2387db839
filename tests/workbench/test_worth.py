"""What a model loses without a rule, against the same model with the rule truly deleted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rulenet import Recipe, RuleNetClassifier, RuleSet
from rulenet.model.phi import Weights
from rulenet.workbench.worth import measure

RULES = """rulenet: 1
language: en
rules:
  - {id: win, label: sport, word: [win, match], weight: 2}
  - {id: oil, label: money, word: [oil, market], weight: 1.5}
  - {id: not_money, label: money, sign: against, word: goal}
  - {id: two, labels: {sport: 0.8, art: -0.5}, word: team}
  - {id: film, label: art, word: film}
"""
TEXTS = [
    *(
        "the goal in the match",
        "a win for the team",
        "oil price",
        "the stock market lost",
        "a good film",
        "the film of the match",
    ),
    *("oil team", "market match", "bad film market", "the goal", "the team lost", "a good price"),
]
LABELS = ["sport", "sport", "money", "money", "art", "art", "money", "money", "art", "sport", "sport", "money"]


def without(clf: RuleNetClassifier, name: str) -> RuleNetClassifier:
    """The model with one rule gone from the file."""
    lines = [line for line in RULES.splitlines() if f"id: {name}," not in line]
    return clf.with_rules(RuleSet.from_yaml("\n".join(lines)))


def log_loss(clf: RuleNetClassifier, y: np.ndarray) -> float:
    return float(-np.log(clf.predict_proba(TEXTS)[np.arange(len(y)), y]).mean())


def assert_worth(clf: RuleNetClassifier) -> None:
    """Every rule's worth is what really happens without it."""
    y = np.array([clf.classes_.tolist().index(label) for label in LABELS])
    R, worths = measure(clf.predictor_, TEXTS, y)
    assert (clf.predictor_.hybrid.features.ruleset.match(TEXTS) != R).nnz == 0
    before = clf.predict(TEXTS)
    for name, worth in zip(clf.predictor_.hybrid.features.ruleset.ids, worths, strict=True):
        other = without(clf, name)
        after = other.predict(TEXTS)
        assert worth.decides == (before != after).sum()
        assert worth.saves == ((before == LABELS) & (after != LABELS)).sum()
        assert worth.spoils == ((before != LABELS) & (after == LABELS)).sum()
        assert worth.accuracy == pytest.approx(clf.score(TEXTS, LABELS) - other.score(TEXTS, LABELS))
        assert worth.log_loss == pytest.approx(log_loss(other, y) - log_loss(clf, y), abs=1e-5)


@pytest.fixture(scope="module")
def linear() -> RuleNetClassifier:
    return RuleNetClassifier(RuleSet.from_yaml(RULES), None, recipe=Recipe.of(tfidf=False)).fit(TEXTS, LABELS)


def test_of_a_linear_model(linear: RuleNetClassifier) -> None:
    assert_worth(linear)


def test_some_rule_is_worth_something(linear: RuleNetClassifier) -> None:
    worths = measure(linear.predictor_, TEXTS, np.array([linear.classes_.tolist().index(label) for label in LABELS]))[1]
    assert max(worth.saves or 0 for worth in worths) >= 1
    assert max(worth.log_loss or 0 for worth in worths) > 0.01


def test_a_rule_that_does_harm_is_worth_less_than_nothing() -> None:
    rules = "{rulenet: 1, rules: [{id: good, label: a, word: x}, {id: bad, label: b, word: x}]}"
    clf = RuleNetClassifier(RuleSet.from_yaml(rules), None, recipe=Recipe.of(tfidf=False)).fit(["x", "y"], ["a", "b"])
    clf.predictor_ = clf.predictor_.with_hybrid(
        replace(clf.predictor_.hybrid, weights=Weights(np.array([[1.0, 0.0], [0.0, 3.0]]), np.zeros(2)))
    )
    good, bad = measure(clf.predictor_, ["x", "x"], np.array([0, 0]))[1]
    assert (bad.decides, bad.saves, bad.spoils, bad.accuracy) == (2, 0, 2, -1.0)
    assert bad.log_loss is not None
    assert good.log_loss is not None
    assert bad.log_loss < 0 < good.log_loss


def test_of_several_labels() -> None:
    sets = [[label, "art"] if i % 3 == 0 and label != "art" else [label] for i, label in enumerate(LABELS)]
    clf = RuleNetClassifier(RuleSet.from_yaml(RULES), None, recipe=Recipe.of(tfidf=False)).fit(TEXTS * 4, sets * 4)
    Y, predictor = clf.predictor_.class_indices(sets, len(TEXTS)), clf.predictor_
    _, worths = measure(predictor, TEXTS, Y)
    right = (predictor.link.answer(predictor.parts(TEXTS).logits) == Y).all(axis=1)

    def loss(proba: np.ndarray) -> float:
        return float(-np.log(np.where(Y, proba, 1 - proba)).sum(axis=1).mean())

    for name, worth in zip(predictor.hybrid.features.ruleset.ids, worths, strict=True):
        other = without(clf, name).predictor_
        after = (other.link.answer(other.parts(TEXTS).logits) == Y).all(axis=1)
        changed = [a != b for a, b in zip(predictor.predict(TEXTS), other.predict(TEXTS), strict=True)]
        assert (worth.decides, worth.saves, worth.spoils) == (
            sum(changed),
            (right & ~after).sum(),
            (~right & after).sum(),
        )
        assert worth.log_loss == pytest.approx(
            loss(other.predict_proba(TEXTS)) - loss(predictor.predict_proba(TEXTS)), abs=1e-5
        )
    assert any(worth.decides for worth in worths)


def test_without_labels_only_what_it_decides(linear: RuleNetClassifier) -> None:
    worth = measure(linear.predictor_, TEXTS)[1][0]
    assert worth.decides > 0
    assert (worth.saves, worth.spoils, worth.accuracy, worth.log_loss) == (None,) * 4


@pytest.mark.slow
@pytest.mark.parametrize("bound", [1.5, None])
def test_of_a_model_whose_transformer_reads_phi(
    linear: RuleNetClassifier, tiny_encoder: str, bound: float | None
) -> None:
    torch = pytest.importorskip("torch")
    from rulenet.model.encoders.load import load_encoder
    from rulenet.model.psi import Psi

    torch.manual_seed(1)
    psi = Psi(load_encoder(tiny_encoder, texts=TEXTS, max_length=32, seed=0), 3, bound=bound, dropout=0.0)
    torch.nn.init.normal_(psi.from_phi.weight, std=0.7)
    torch.nn.init.normal_(psi.from_text.weight, std=0.7)
    clf = linear.with_rules(RuleSet.from_yaml(RULES))
    clf.predictor_ = clf.predictor_.with_hybrid(replace(clf.predictor_.hybrid, psi=psi, phi_scale=0.8, psi_scale=1.3))
    assert_worth(clf)
