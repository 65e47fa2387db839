"""rulenet.decide.per_label: thresholds by F1, probabilities, label sets and rejection where texts have several labels."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score

from rulenet.decide.per_label import PULL, LabelCalibration, choose_thresholds, fit_bend
from rulenet.errors import ParameterError
from rulenet.model.link import ANY_OF

RNG = np.random.default_rng(0)
OPEN = np.full(3, np.nan)


def drawn(n: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """True log-odds of three labels, the last one rare, and labels drawn by them."""
    rng = np.random.default_rng(seed)
    logits = rng.normal([0.0, -2.0, -5.0], [2.0, 2.0, 1.0], (n, 3))
    return logits, (rng.random((n, 3)) < ANY_OF.proba(logits)).astype(int)


def test_thresholds_have_the_best_f1_and_few_texts_say_little() -> None:
    logits, y = drawn(4000)
    found = choose_thresholds(logits, y, OPEN)
    for k in range(2):
        tried = [f1_score(y[:, k], logits[:, k] > at) for at in np.linspace(-4, 1, 26)]
        assert f1_score(y[:, k], logits[:, k] > found.values[k]) > max(tried) - 0.01
        assert found.values[k] < 0  # F1 asks for less than one half
    one = np.zeros((400, 3), dtype=int)
    one[:200, 0], one[0, 2] = 1, 1
    shown = np.where(one > 0, 3.0, -3.0)
    shown[0, 2] = 9.0
    found = choose_thresholds(shown, one, np.array([np.nan, 7.0, np.nan]))
    own = (9.0 - 3.0) / 2
    assert found.values[2] == pytest.approx((own + PULL * found.common) / (1 + PULL))
    assert found.values[1] == 7.0  # no held-out text has it
    assert choose_thresholds(shown[:19], one[:19], OPEN).n_texts == 0


def test_equal_logits_are_above_a_threshold_together_and_unknown_ones_do_not_count() -> None:
    logits = np.repeat([[2.0, -1.0, 0.0], [1.0, -1.0, 0.0]], 100, axis=0)
    y = np.repeat([[1, 1, 0], [0, 0, 1]], 100, axis=0)
    values = choose_thresholds(logits, y, OPEN).values
    assert 1.0 < values[0] < 2.0
    assert values[1] < -1.0
    hidden = np.where(np.arange(200)[:, None] % 2, y, -1)
    assert choose_thresholds(logits, hidden, OPEN).values[0] == pytest.approx(values[0], abs=0.2)


def test_probabilities_are_bent_to_what_held_out_texts_say() -> None:
    logits, y = drawn(6000)
    slopes, shifts = fit_bend(logits / 2 + [0.0, 1.0, 0.0], y)
    np.testing.assert_allclose(slopes, 2.0, atol=0.35)
    np.testing.assert_allclose(shifts[:2], [0.0, -2.0], atol=0.3)
    assert [part.tolist() for part in fit_bend(logits[:0], y[:0])] == [[1.0] * 3, [0.0] * 3]
    slopes, shifts = fit_bend(np.zeros((50, 3)), np.zeros((50, 3), dtype=int))
    assert np.isfinite(slopes).all()
    assert (shifts < -2).all()


def test_sets_and_rejection_keep_their_promises() -> None:
    logits, y = drawn(3000)
    at = np.zeros(3)
    found = LabelCalibration.of(logits, y, np.ones(3000, dtype=bool), at)
    new, truth = drawn(3000, seed=2)
    skipped = np.ones(3000, dtype=bool)
    proba = found.probabilities(new, skipped)
    sets = found.label_sets(proba, skipped, coverage=0.9)
    assert 0.88 < (sets >= truth).all(axis=1).mean() < 0.94
    each = found.label_sets(proba, skipped, coverage=0.9, per_class=True)
    assert all(0.87 < each[truth[:, k] > 0, k].mean() < 0.95 for k in range(2))
    answers = (new > at).astype(int)
    given = found.accepted(proba, answers, error=0.1)
    assert given.any()
    assert (answers[given] != truth[given]).any(axis=1).mean() < 0.13
    with pytest.raises(ParameterError, match="per_class=True needs one label per text"):
        found.accepted(proba, answers, error=0.1, per_class=True)
    summary = found.summary()
    assert summary["ece"] < 0.03
    assert [row["coverage"] for row in summary["coverage_curve"]][-1] == 1.0
