"""rulenet.explain.overview: weights, use, decisive columns, shares of variance and accuracy, on models small enough to check by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy.sparse

from rulenet import Recipe, RuleNetClassifier, RuleSet
from rulenet.errors import LabelError
from rulenet.explain.overview import GlobalExplanation, decisive, explain_global
from rulenet.model.hybrid import Hybrid, Parts
from rulenet.model.phi import Weights

RULES = RuleSet.from_yaml(
    "{rulenet: 1, rules: [{id: a, label: x, word: a}, {id: b, label: y, word: b}, {id: c, label: z, word: c},"
    " {id: never, label: z, word: never}]}"
)
CLASSES = ["x", "y", "z"]
#               x     y     z
WEIGHTS = [[2.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 3.0], [0.0, 0.0, 5.0]]
TEXTS = ["a", "a b", "b c", "a b c", "nothing"]
# logits:  x: 2 0 0 | 2 1 0 | 0 1 3 | 2 1 3 | 0 0 0
# answers: x | x | z | z | x (the first of equals)


@pytest.fixture(scope="module")
def hybrid() -> Hybrid:
    """Rules with weights by hand, no bias, scale 1."""
    clf = RuleNetClassifier(RULES, None, recipe=Recipe.of(tfidf=False)).fit(TEXTS, ["x", "x", "z", "z", "y"])
    return replace(clf.predictor_.hybrid, weights=Weights(np.array(WEIGHTS), np.zeros(3)))


def on(hybrid: Hybrid, labels: Any = None, **options: Any) -> GlobalExplanation:
    return explain_global(hybrid, hybrid.parts(TEXTS), CLASSES, labels, **options)


def test_decisive_rules_by_hand(hybrid: Hybrid) -> None:
    # "a" alone: without a a tie, the first wins: still x. "a b": without a y. "b c": without c y. "a b c": without c x.
    counts, right = decisive(hybrid, hybrid.parts(TEXTS), np.array([0, 0, 2, 1, 0]))
    assert counts.tolist() == [1, 0, 2, 0]
    assert right.tolist() == [1, 0, 1, 0]


def test_use_of_rules_by_hand(hybrid: Hybrid) -> None:
    g = on(hybrid, ["x", "x", "z", "y", "x"])
    assert [(u.name, u.label, u.weight, u.fired, u.decides, u.right) for u in g.rules] == [
        ("a", "x", 2.0, 3 / 5, 1 / 5, 1.0),
        ("b", "y", 1.0, 3 / 5, 0.0, None),
        ("c", "z", 3.0, 2 / 5, 2 / 5, 1 / 2),
        ("never", "z", 5.0, 0.0, 0.0, None),
    ]
    assert [u.name for u in g.decisive] == ["c", "a"]
    assert {u.right for u in on(hybrid).rules} == {None}


def test_weights_of_each_label_by_hand(hybrid: Hybrid) -> None:
    g = on(hybrid)
    names = {label: [(w.name, w.weight, w.fired) for w in found] for label, found in g.weights.items()}
    assert names == {"x": [("a", 2.0, 0.6)], "y": [("b", 1.0, 0.6)], "z": [("never", 5.0, 0.0), ("c", 3.0, 0.4)]}
    assert [w.name for w in on(hybrid, top=1).weights["z"]] == ["never"]


def test_the_scale_of_phi_is_in_every_weight(hybrid: Hybrid) -> None:
    g = on(replace(hybrid, phi_scale=0.5))
    assert g.weights["x"][0].weight == 1.0
    assert g.rules[0].weight == 1.0
    assert g.decisive == on(hybrid).decisive[:0] + [replace(u, weight=u.weight / 2) for u in on(hybrid).decisive]


class Heard(Hybrid):
    """Says that it has a ψ."""

    is_neural = True  # type: ignore[assignment]


def with_psi(hybrid: Hybrid, psi: Any, skipped: Any = False) -> tuple[Hybrid, Parts]:
    """The same with a ψ that says these logits."""
    parts = hybrid.parts(TEXTS)
    heard = Heard(hybrid.features, hybrid.weights, None, hybrid.phi_scale, 1.0)
    return heard, replace(parts, psi=np.asarray(psi, dtype=float), skipped=np.broadcast_to(skipped, 5))


def test_shares_of_the_variance_by_hand(hybrid: Hybrid) -> None:
    parts = hybrid.parts(TEXTS)
    # ψ says three times the same: a quarter each to φ and three quarters to ψ, of every label.
    heard, parts = with_psi(hybrid, 3 * parts.phi)
    g = explain_global(heard, parts, CLASSES)
    assert g.variance == pytest.approx({"rule": 0.25, "neural": 0.75})
    assert all(shares == pytest.approx({"rule": 0.25, "neural": 0.75}) for shares in g.variance_by_label.values())
    # ψ takes back half of what φ says: it has a share below zero.
    heard, parts = with_psi(hybrid, -0.5 * parts.phi)
    assert explain_global(heard, parts, CLASSES).variance == pytest.approx({"rule": 2.0, "neural": -1.0})


def test_what_is_the_same_for_all_labels_or_all_texts_has_no_share(hybrid: Hybrid) -> None:
    constant = np.random.default_rng(0).normal(size=(5, 1)) + np.array([[5.0, -1.0, 2.0]])
    heard, parts = with_psi(hybrid, constant)
    g = explain_global(heard, parts, CLASSES)
    assert g.variance == pytest.approx({"rule": 1.0, "neural": 0.0})


def test_shares_add_up_to_one(tiny_encoder: str) -> None:
    texts = ["oil price up", "a good goal", "the bank", "team win", "film", "oil stock"]
    clf = RuleNetClassifier(RULES, tiny_encoder, recipe=Recipe.of(epochs=1)).fit(texts, ["x", "y", "z"] * 2)
    clf.predictor_ = clf.predictor_.with_hybrid(replace(clf.predictor_.hybrid, psi_scale=1.5))
    g = explain_global(clf.predictor_.hybrid, clf.predictor_.hybrid.parts([*texts, "a b c"]), clf.classes_.tolist())
    assert set(g.variance) == {"rule", "tfidf", "neural"}
    for shares in (g.variance, *g.variance_by_label.values()):
        assert sum(shares.values()) == pytest.approx(1)
    assert all(share != 0 for share in g.variance.values())


def test_texts_that_are_all_alike_have_no_variance_to_share(hybrid: Hybrid) -> None:
    g = explain_global(hybrid, hybrid.parts(["a", "a"]), CLASSES)
    assert g.variance == {"rule": 0.0}


def test_accuracy_of_the_parts_by_hand(hybrid: Hybrid) -> None:
    # φ answers x x z z x, ψ y y y y by 1.5, the sum x y z z x. ψ was skipped for the last text, where it counts for nothing.
    psi = np.tile([0, 1.5, 0], (5, 1))
    psi[4] = 0
    heard, parts = with_psi(hybrid, psi, skipped=[False] * 4 + [True])
    g = explain_global(heard, parts, CLASSES, ["x", "y", "z", "z", "x"])
    assert g.n_skipped == 1
    assert str(g).startswith("what the model rests on: 5 texts, 1 without ψ\n")
    assert g.accuracy == {"phi": 4 / 5, "psi": 1 / 4, "sum": 5 / 5}
    assert g.accuracy_by_label == {
        "x": {"phi": 1.0, "psi": 0.0, "sum": 1.0},
        "y": {"phi": 0.0, "psi": 1.0, "sum": 1.0},
        "z": {"phi": 1.0, "psi": 0.0, "sum": 1.0},
    }


def test_without_labels_or_without_a_transformer_nothing_is_made_up(hybrid: Hybrid) -> None:
    assert (on(hybrid).accuracy, on(hybrid).accuracy_by_label) == (None, None)
    g = on(hybrid, ["x"] * 5)
    assert g.accuracy == {"phi": 3 / 5, "psi": None, "sum": 3 / 5}
    assert g.accuracy_by_label is not None
    assert g.accuracy_by_label["z"] == {"phi": None, "psi": None, "sum": None}


@pytest.mark.parametrize(
    ("labels", "message"),
    [(["x"], r"^1 label for 5 texts"), (["x", "q", "x", "r", "x"], r"no label 'q', 'r'; it has 'x', 'y', 'z'$")],
)
def test_labels_that_do_not_fit_are_refused(hybrid: Hybrid, labels: list[str], message: str) -> None:
    with pytest.raises(LabelError, match=message):
        on(hybrid, labels)


def test_numpy_labels_are_labels(hybrid: Hybrid) -> None:
    assert on(hybrid, np.array(["x"] * 5)).accuracy == on(hybrid, ["x"] * 5).accuracy


def test_blocks_of_entries_change_nothing(hybrid: Hybrid, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rulenet.explain.overview._CHUNK", 2)
    counts, right = decisive(hybrid, hybrid.parts(TEXTS), np.array([0, 0, 2, 1, 0]))
    assert (counts.tolist(), right.tolist()) == ([1, 0, 2, 0], [1, 0, 1, 0])


def test_it_shows_and_keeps(hybrid: Hybrid) -> None:
    g = on(hybrid, ["x", "x", "z", "y", "x"])
    assert json.loads(json.dumps(g.to_dict())) == g.to_dict()
    shown = str(g)
    assert shown.startswith("what the model rests on: 5 texts\n")
    assert "of these right" in shown
    assert "speaks for z" in shown
    assert g._repr_html_().count("<table") == 7
    assert "never" in g.to_html()


def test_no_texts_are_no_trouble(hybrid: Hybrid) -> None:
    g = explain_global(hybrid, hybrid.parts([]), CLASSES, [])
    assert (g.n_texts, g.decisive, g.variance) == (0, [], {"rule": 0.0})
    assert str(g)


def test_decisive_columns_of_many_texts_match_a_plain_loop(hybrid: Hybrid) -> None:
    rng = np.random.default_rng(0)
    X = scipy.sparse.random_array((60, 4), density=0.5, rng=rng, format="csr")
    psi = rng.normal(size=(60, 3))
    parts = Parts(scipy.sparse.csr_matrix(X), X @ np.array(WEIGHTS), psi, np.zeros(60, dtype=bool))
    expected = np.zeros(4, dtype=int)
    for i, row in enumerate(X.toarray()):
        for j in np.flatnonzero(row):
            without = row.copy()
            without[j] = 0
            before, after = (values @ np.array(WEIGHTS) + psi[i] for values in (row, without))
            expected[j] += before.argmax() != after.argmax()
    assert decisive(hybrid, parts)[0].tolist() == expected.tolist()
    assert expected.min() >= 1
