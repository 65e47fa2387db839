"""Soups: the average of the weights of several models, exact for φ, greedy by held-out texts."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rulenet import RuleNetClassifier, RuleSet, soup
from rulenet.ensemble.soup import _mean
from rulenet.errors import InputError, ParameterError
from rulenet.estimator import NotFittedError
from tests.ensemble.test_distil import PLAIN, RULES, data, other, several

TEXTS, LABELS = data(80, 0)
NEW = data(60, 1)[0]


def fitted(rules: Any, encoder: str | None, seed: int = 0, **changes: Any) -> RuleNetClassifier:
    recipe = PLAIN.with_changes(**changes) if encoder is None else PLAIN.with_changes(epochs=1, **changes)
    return RuleNetClassifier(rules, encoder, recipe=recipe, random_state=seed).fit(TEXTS, LABELS)


def with_head(clf: RuleNetClassifier, seed: int, psi_scale: float) -> RuleNetClassifier:
    """The same with another head."""
    import torch

    other, hybrid = copy.copy(clf), clf.predictor_.hybrid
    psi: Any = copy.deepcopy(hybrid.psi)
    torch.manual_seed(seed)
    with torch.no_grad():
        for parameter in (psi.from_text.weight, psi.from_text.bias, psi.from_phi.weight):
            parameter.copy_(torch.randn_like(parameter))
    other.predictor_ = clf.predictor_.with_hybrid(replace(hybrid, psi=psi, psi_scale=psi_scale))
    return other


@pytest.mark.slow
def test_phi_is_averaged_exactly_and_equal_members_give_themselves(tiny_encoder: str, tmp_path: Path) -> None:
    a, b = (fitted(RULES, tiny_encoder, seed) for seed in (0, 1))
    both = soup([a, b])
    phi = [model.predictor_.parts(NEW).phi for model in (a, b, both)]
    assert not np.allclose(phi[0], phi[1])
    np.testing.assert_allclose(phi[2], (phi[0] + phi[1]) / 2, atol=1e-9)
    logits = [model.decision_function(NEW) for model in (a, b, both)]
    assert np.abs(logits[2] - (logits[0] + logits[1]) / 2).max() < np.abs(logits[0] - logits[1]).max()
    np.testing.assert_allclose(soup([a, a, a]).decision_function(NEW), logits[0], atol=1e-5)
    e = both.explain(NEW[:1])[0]
    for label, logit in e.logits.items():
        assert (
            abs(e.bias[label] + sum(t.contributions.get(label, 0.0) for t in e.terms) + e.neural[label] - logit) < 1e-4
        )
    both.save(tmp_path / "model")
    twin = RuleNetClassifier.load(tmp_path / "model")
    np.testing.assert_array_equal(twin.predict_proba(NEW), both.predict_proba(NEW))
    assert twin.report_["soup"] == {"members": 2, "kept": [0, 1]}
    assert both.calibration_ is None
    edited = both.with_rules(RuleSet.from_yaml("{rulenet: 1, rules: [{id: x, label: Sports, word: zebra, weight: 9}]}"))
    assert edited.predict(["zebra"]).tolist() == ["Sports"]


@pytest.mark.slow
def test_a_linear_psi_is_averaged_exactly_too(tiny_encoder: str) -> None:
    clf = fitted(RULES, tiny_encoder, bound=None)
    a, b = with_head(clf, 1, 0.5), with_head(clf, 2, 2.0)
    psi = [model.predictor_.parts(NEW).psi for model in (a, b, soup([a, b]))]
    np.testing.assert_allclose(psi[2], (psi[0] + psi[1]) / 2, atol=1e-5)
    silent = soup([with_head(clf, 1, 0.0), with_head(clf, 2, 0.0)])
    assert not silent.predictor_.parts(NEW).psi.any()


def test_a_greedy_soup_is_never_worse_than_its_best_member() -> None:
    members = [fitted(RULES, None, folds=1) for _ in range(3)]
    rng = np.random.default_rng(0)
    for size, model in zip((0.1, 3.0, 0.2), members, strict=True):
        hybrid = model.predictor_.hybrid
        coef = hybrid.weights.coef + size * rng.normal(size=hybrid.weights.coef.shape)
        model.predictor_ = model.predictor_.with_hybrid(replace(hybrid, weights=replace(hybrid.weights, coef=coef)))
    texts, labels = data(300, 2, noise=0.1)
    found = soup(members, texts, labels)
    about = found.report_["soup"]
    assert about["accuracies"] == [model.score(texts, labels) for model in members]
    assert about["accuracy"] == found.score(texts, labels) >= max(about["accuracies"])
    assert 1 not in about["kept"]  # by far the worst
    assert found.report_["calibration"]["texts"] == 300
    alone = soup([members[1]], texts, labels)
    np.testing.assert_array_equal(alone.decision_function(NEW), members[1].decision_function(NEW))


def test_the_mean_of_equal_weights_is_exactly_these() -> None:
    x = np.float32([0.1, 1 / 3])
    assert (_mean([x, x, x]) == x).all()
    assert _mean([np.array([1.0]), np.array([2.0]), np.array([6.0])]).tolist() == [3.0]


COMPLAINTS: list[tuple[Any, dict[str, Any], Any, str]] = [
    (lambda clf, _: [], {}, ParameterError, "models should be a list of fitted models"),
    (lambda clf, _: clf, {}, ParameterError, "models should be a list of fitted models"),
    (lambda clf, _: [clf, RuleNetClassifier()], {}, NotFittedError, "not fitted yet"),
    (lambda clf, _: [clf, several()], {}, ParameterError, "a soup needs a model with one label per text"),
    (lambda clf, _: [clf], {"texts": NEW}, ParameterError, "needs held-out texts and their labels; give both"),
    (lambda clf, _: [clf], {"texts": NEW, "labels": ["Sports"]}, InputError, "60 texts but 1 label"),
    (lambda clf, _: [clf, fitted(None, None)], {}, ParameterError, "model 2 .*: it has other rules"),
    (lambda clf, _: [clf, fitted(RULES, None, min_df=3)], {}, ParameterError, "its φ has other columns; fit all to"),
    (lambda clf, tiny: [clf, fitted(RULES, tiny)], {}, ParameterError, "only one of them has an encoder"),
    (
        lambda clf, tiny: [fitted(RULES, tiny), fitted(RULES, tiny, bound=None)],
        {}, ParameterError, "only one of them has a bound",
    ),
    (
        lambda clf, tiny: [fitted(RULES, tiny), fitted(RULES, tiny, max_length=32)],
        {}, ParameterError, "it reads texts otherwise: their recipes differ in max_length",
    ),
    (lambda clf, _: [clf, other()], {}, ParameterError, r"it has the labels \['a', 'b'\], not"),
]  # fmt: skip


@pytest.mark.slow
def test_complaints(tiny_encoder: str) -> None:
    clf = fitted(RULES, None)
    for make, options, kind, message in COMPLAINTS:
        with pytest.raises(kind, match=message):
            soup(make(clf, tiny_encoder), **options)
