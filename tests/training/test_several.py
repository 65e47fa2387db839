"""Several labels per text with an encoder: ψ learns, the sum is explained, and certified exits change no label set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from rulenet import Recipe, RuleNetClassifier, RuleSet
from rulenet.errors import ParameterError
from rulenet.training.augment import Mixup
from rulenet.training.several import for_several
from tests.test_label_sets import drawn

RULES = RuleSet.from_yaml(
    "{rulenet: 1, rules: [{id: a, label: joy, word: happy}, {id: b, label: love, word: blue, sign: against}]}"
)
TEXTS, SETS = drawn(160, 0)
NEW, TRUE = drawn(60, 1)
RECIPE = Recipe.of(word_vectors=None, epochs=2, bound=0.5)


@pytest.fixture(scope="module")
def clf(tiny_encoder: str) -> RuleNetClassifier:
    return RuleNetClassifier(RULES, tiny_encoder, recipe=RECIPE, cascade="certified").fit(TEXTS, SETS)


def check(clf: RuleNetClassifier) -> None:
    """The sum of each label, and answers that exits do not change."""
    parts = clf.predictor_.with_policy("off").parts(NEW)
    assert not parts.skipped.any()
    for e in clf.explain(NEW):
        for label, logit in e.logits.items():
            total = e.bias[label] + sum(term.contributions[label] for term in e.terms) + e.neural[label]
            assert total == pytest.approx(logit, abs=1e-4)
    assert clf.predict(NEW).tolist() == clf.predictor_.with_policy("off").predict(NEW).tolist()


@pytest.mark.slow
def test_psi_learns_several_labels_and_exits_change_none(clf: RuleNetClassifier, tmp_path: Path) -> None:
    check(clf)
    skipped = clf.predictor_.parts(NEW).skipped
    assert skipped.any()
    parts = clf.predictor_.with_policy("off").parts(NEW)
    assert np.abs(parts.psi).max() > 0.01
    assert clf.score(NEW, TRUE) > 0.8
    assert clf.report_["held_out"]["texts"] == clf.report_["thresholds"]["texts"] == 24
    assert "Accuracy is the share of texts with exactly the right labels." in str(clf.training_report())
    clf.save(tmp_path / "model")
    twin = RuleNetClassifier.load(tmp_path / "model", device="cpu")
    np.testing.assert_allclose(twin.predict_proba(NEW), clf.predict_proba(NEW), atol=1e-6)
    again = RuleNetClassifier(RULES, clf.encoder, recipe=RECIPE, cascade="certified").fit(TEXTS, SETS)
    np.testing.assert_array_equal(again.predict_proba(NEW), clf.predict_proba(NEW))


@pytest.mark.slow
@pytest.mark.parametrize("fields", [{"epochs": 1, "exit_margin": 1.0}, {}])
def test_the_convex_start_of_several_labels(fields: dict[str, Any]) -> None:
    n = 160 if fields else 60
    recipe = Recipe.of(word_vectors=None, **fields)
    clf = RuleNetClassifier(None, "minilm", recipe=recipe, cascade="certified").fit(TEXTS[:n], SETS[:n])
    check(clf)
    assert clf.score(NEW, TRUE) > 0.6
    assert clf.recipe_.leaves()["contrast_steps"] == 0


def test_no_psi_within_its_bound_changes_a_label_set_that_was_certified() -> None:
    from rulenet.decide.cascade import choose
    from rulenet.model.link import AnyOf

    rng = np.random.default_rng(0)
    link, bound, s = AnyOf(tuple(rng.normal(size=5))), 1.5, 0.8
    phi = rng.normal(scale=4.0, size=(20_000, 5))
    psi = s * np.clip(rng.normal(scale=2.0, size=phi.shape), -bound, bound)
    found = choose("certified", 0.005, bound=bound, phi=phi, psi=psi, psi_scale=s, link=link)
    skipped = link.lead(phi) > found.margin
    assert 0.01 < skipped.mean() < 0.99
    assert not link.changed(phi[skipped], (phi + psi)[skipped]).any()
    assert found.changed == 0
    looser = link.lead(phi) > 0.8 * found.margin
    assert link.changed(phi[looser], (phi + psi)[looser]).any()  # and less would not do


def test_what_a_recipe_cannot_do_with_several_labels() -> None:
    faults: list[tuple[Recipe, str]] = [
        (Recipe.of(contrast_steps=5), "contrast_steps=5"),
        (Recipe.of(label_smoothing=0.1), "label_smoothing=0.1"),
        (Recipe.of(augment=[Mixup()]), "the augmentation Mixup"),
        (Recipe.of(contrast_steps=1, label_smoothing=0.2), "contrast_steps=1, label_smoothing=0.2"),
    ]
    for recipe, match in faults:
        with pytest.raises(ParameterError, match=f"{match}.*needs one label per text"):
            for_several(recipe)
