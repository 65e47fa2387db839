"""rulenet.explain.whatif: the smallest sets that change an answer, against trying every set."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rulenet import Recipe, RuleNetClassifier, RuleSet
from rulenet.errors import LabelError
from rulenet.explain.whatif import Flip, WhatIf, what_if
from rulenet.model.hybrid import Hybrid
from rulenet.model.phi import Weights

WORDS = list("abcdefg")
CLASSES = ["x", "y", "z"]
RULES = RuleSet.from_yaml(
    "{rulenet: 1, rules: ["
    + ", ".join(f"{{id: {w}, label: {CLASSES[i % 3]}, word: {w}}}" for i, w in enumerate(WORDS))
    + "]}"
)
TEXT = " ".join(WORDS)


def model(encoder: str | None = None, *, tfidf: bool = False) -> Hybrid:
    texts = [TEXT, "oil", "goal", "bank", "film", "team"]
    clf = RuleNetClassifier(RULES, encoder, recipe=Recipe.of(tfidf=tfidf, epochs=1)).fit(texts, CLASSES * 2)
    return clf.predictor_.hybrid


@pytest.fixture(scope="module")
def bare() -> Hybrid:
    """Rules alone."""
    return model()


@pytest.fixture(scope="module")
def neural(tiny_encoder: str) -> Hybrid:
    """With a ψ that listens to φ."""
    return model(tiny_encoder)


def weighed(hybrid: Hybrid, coef: Any, bias: Any = (0, 0, 0)) -> Hybrid:
    """The same with other weights."""
    return replace(hybrid, weights=Weights(np.asarray(coef, dtype=float), np.asarray(bias, dtype=float)))


def logits_without(hybrid: Hybrid, text: str, deleted: tuple[int, ...]) -> Any:
    """Logits of the model whose deleted columns weigh nothing: no use is made of the code under test."""
    coef = hybrid.weights.coef.copy()
    coef[list(deleted)] = 0
    return replace(hybrid, weights=Weights(coef, hybrid.weights.bias)).parts([text]).logits[0]


def smallest_size(hybrid: Hybrid, text: str, columns: list[int], target: int | None) -> int | None:
    """By trying every set."""
    answer = int(logits_without(hybrid, text, ()).argmax())
    for size in range(1, len(columns) + 1):
        for deleted in itertools.combinations(columns, size):
            found = int(logits_without(hybrid, text, deleted).argmax())
            if found != answer if target is None else found == target:
                return size
    return None


def confirm(hybrid: Hybrid, flip: Flip, target: int | None, answer: str) -> None:
    """Deleting what a flip names does what it says."""
    columns = {hybrid.features.column(j).name: j for j in range(hybrid.features.n_rules)}
    logits = logits_without(hybrid, TEXT, tuple(columns[term.name] for term in flip.terms))
    assert flip.label == CLASSES[int(logits.argmax())]
    assert flip.label != answer
    assert target is None or flip.label == CLASSES[target]
    assert list(flip.logits.values()) == pytest.approx(logits.tolist(), abs=1e-4)


def check_smallest(hybrid: Hybrid, target: int | None) -> WhatIf:
    """The set found is as small as the smallest of all sets that change the answer, and does so."""
    found = what_if(hybrid, TEXT, CLASSES, None if target is None else CLASSES[target])
    if found.label == found.target:
        assert found.rules is not None
        assert found.rules.terms == []
    else:
        expected = smallest_size(hybrid, TEXT, list(range(7)), target)
        assert (None if found.rules is None else len(found.rules.terms)) == expected
        if found.rules is not None:
            assert found.rules.is_smallest
            confirm(hybrid, found.rules, target, str(found.label))
    return found


@pytest.mark.parametrize("target", [None, 0, 1, 2])
def test_no_smaller_set_of_rules_changes_the_answer(bare: Hybrid, target: int | None) -> None:
    for seed in range(12):
        rng = np.random.default_rng(seed)
        found = check_smallest(weighed(bare, rng.normal(size=(7, 3)) * 2, rng.normal(size=3)), target)
        assert found.rules == found.terms


@pytest.mark.slow
def test_a_transformer_that_reads_phi_is_computed_again(neural: Hybrid) -> None:
    import torch

    assert neural.psi is not None
    for seed, target in itertools.product(range(6), (None, 1)):
        rng = np.random.default_rng(seed)
        with torch.no_grad():
            neural.psi.from_phi.weight.copy_(torch.as_tensor(rng.normal(size=(3, 3))))
        weights = rng.normal(size=(7, 3)), rng.normal(size=3)
        check_smallest(replace(weighed(neural, *weights), phi_scale=0.7, psi_scale=1.5), target)


def test_by_hand(bare: Hybrid) -> None:
    coef = np.zeros((7, 3))
    coef[:4, 0] = [3, 2, 1, 1]  # a b c d speak for x: 7
    coef[4, 1] = 2.5  # e speaks for y
    coef[5, 2] = 1  # f speaks for z
    found = what_if(weighed(bare, coef), TEXT, CLASSES)
    assert found.rules is not None
    assert ([term.name for term in found.rules.terms], found.rules.label) == (["a", "b"], "y")
    assert found.rules.logits == {"x": 2.0, "y": 2.5, "z": 1.0}
    to_z = what_if(weighed(bare, coef), TEXT, CLASSES, "z").rules
    assert to_z is not None
    # x must lose all but its last 0, and y its 2.5: z is left with 1 against 0.
    assert {term.name for term in to_z.terms} == {"a", "b", "c", "d", "e"}


def test_a_column_that_helps_nobody_is_not_named(bare: Hybrid) -> None:
    coef = np.zeros((7, 3))
    coef[0], coef[1] = [2, 0, 0], [0, 1, 0]
    found = what_if(weighed(bare, coef), TEXT, CLASSES).rules
    assert found is not None
    assert [term.name for term in found.terms] == ["a"]


def test_what_the_bias_decides_cannot_be_flipped(bare: Hybrid) -> None:
    found = what_if(weighed(bare, np.zeros((7, 3)), [0, 0, 1]), TEXT, CLASSES)
    assert (found.label, found.rules, found.terms) == ("z", None, None)
    assert str(found).splitlines() == [
        "z: what it would take to be another label",
        "switching off rules: cannot be flipped this way",
        "deleting any terms: cannot be flipped this way",
    ]


def test_rules_alone_may_not_be_enough() -> None:
    hybrid = model(tfidf=True)
    coef = hybrid.weights.coef * 0
    coef[0] = [1, 0, 0]
    oil = next(j for j in range(len(coef)) if hybrid.features.column(j).name == "oil")
    coef[oil] = [9, 0, 0]
    found = what_if(weighed(hybrid, coef, [0, 0.5, 0]), "a oil", CLASSES)
    assert found.rules is None
    assert found.terms is not None
    assert [(term.kind, term.name) for term in found.terms.terms] == [("tfidf", "oil"), ("rule", "a")]


def test_a_tie_is_no_other_answer(bare: Hybrid) -> None:
    coef = np.zeros((7, 3))
    coef[0] = [0, 2, 0]  # without it all labels are equal, and x would only be the first of them
    assert what_if(weighed(bare, coef), TEXT, CLASSES).rules is None


def test_a_text_without_terms_cannot_be_flipped(bare: Hybrid) -> None:
    found = what_if(weighed(bare, np.ones((7, 3)), [1, 0, 0]), "", CLASSES)
    assert (found.label, found.rules, found.terms) == ("x", None, None)


def test_what_could_not_be_tried_is_not_called_smallest(bare: Hybrid, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rulenet.explain.whatif.SEARCHED", 0)
    coef = np.zeros((7, 3))
    coef[0], coef[1], coef[2] = [2, 0, 0], [2, 0, 0], [0, 0, 1]
    flip = what_if(weighed(bare, coef), TEXT, CLASSES, "z").rules
    assert flip is not None
    assert (len(flip.terms), flip.is_smallest) == (2, False)


def test_an_unknown_target_is_refused(bare: Hybrid) -> None:
    with pytest.raises(LabelError, match=r"no label 'q'; it has 'x', 'y', 'z'$"):
        what_if(bare, TEXT, CLASSES, "q")


def test_it_shows_and_keeps(bare: Hybrid) -> None:
    coef = np.zeros((7, 3))
    coef[0], coef[1] = [2, 0, 0], [0, 1, 0]
    found: WhatIf = what_if(weighed(bare, coef), TEXT, CLASSES, "y")
    assert json.loads(json.dumps(found.to_dict())) == found.to_dict()
    assert found.to_dict()["rules"]["label"] == "y"
    assert str(found).splitlines()[:2] == ["x: what it would take to be y", "switching off rules: y without this one"]
    assert found._repr_html_().count("<table") == 2
