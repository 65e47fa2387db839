"""rulenet.decide.calibration: temperatures, errors by hand, and promises kept on fresh draws from the same source."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import scipy.stats

from rulenet.decide.calibration import (
    MIN_TEXTS,
    Calibration,
    Temperature,
    acceptance_threshold,
    calibrate,
    conformal_quantile,
    expected_calibration_error,
    fit_temperature,
    reliability,
)
from rulenet.model.link import ONE_OF

Array = np.ndarray[Any, np.dtype[Any]]


def draw(rng: Any, n: int, n_classes: int = 3) -> tuple[Array, Array]:
    """Logits, and labels that are right exactly as often as the logits say. The first class is the most frequent."""
    logits = rng.normal(scale=2.0, size=(n, n_classes)) + np.linspace(1.5, 0.0, n_classes)
    y = (ONE_OF.proba(logits).cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    return logits, y


def draw_paths(rng: Any, n: int) -> tuple[Array, Array, Array]:
    """The same on two paths, each with a fault of its own: skipped texts four times too sure, the others half as sure as they may be."""
    logits, y = draw(rng, n)
    skipped = rng.random(n) < 0.4
    return logits * np.where(skipped, 4.0, 0.5)[:, None], y, skipped


# Temperature


@pytest.mark.parametrize("temperature", [0.25, 1.0, 4.0])
@pytest.mark.parametrize("n_classes", [2, 5])
def test_a_known_temperature_is_found(temperature: float, n_classes: int) -> None:
    logits, y = draw(np.random.default_rng(0), 5000, n_classes)
    found = fit_temperature(temperature * logits, y)
    assert found.of(ONE_OF.lead(temperature * logits)).mean() == pytest.approx(temperature, rel=0.07)
    assert found.growth == pytest.approx(0.0, abs=0.12)


@pytest.mark.parametrize(("base", "growth"), [(0.6, 0.4), (1.0, 0.3), (2.0, -0.2)])
def test_a_known_growth_is_found(base: float, growth: float) -> None:
    # True logits z are seen as z', such that z'/T(z') is z again: T depends on the lead as it is seen.
    true, y = draw(np.random.default_rng(0), 20_000)
    seen = ONE_OF.lead(true)
    for _ in range(200):
        seen = ONE_OF.lead(true) * base * (1 + seen) ** growth
    found = fit_temperature(true * (seen / ONE_OF.lead(true))[:, None], y)
    assert (found.base, found.growth) == (pytest.approx(base, rel=0.1), pytest.approx(growth, abs=0.05))


def test_temperature_by_hand() -> None:
    # A lead of 3: 2 · (1 + 3)^½ = 4.
    logits = np.array([[5.0, 2.0, 0.0], [1.0, 1.0, 0.0]])
    assert Temperature(2.0, 0.5).of(ONE_OF.lead(logits)).tolist() == [4.0, 2.0]
    assert Temperature().of(ONE_OF.lead(logits)).tolist() == [1.0, 1.0]


def test_a_larger_lead_remains_a_larger_confidence() -> None:
    leads = np.linspace(0, 50, 1001)
    for growth in (-0.9, 0.0, 0.9):
        logits = np.stack([leads, np.zeros(1001)], axis=1)
        assert (np.diff(leads / Temperature(0.7, growth).of(ONE_OF.lead(logits))) > 0).all()


def test_too_sure_is_cooled_down_and_too_shy_is_sharpened() -> None:
    sure, shy = np.tile([[6.0, 0.0]], (2000, 1)), np.tile([[0.2, 0.0]], (2000, 1))
    y = np.array([0, 0, 0, 0, 1] * 400)
    # Right four times in five: the margin should be log 4 = 1.39.
    assert fit_temperature(sure, y).of(ONE_OF.lead(sure))[0] == pytest.approx(6.0 / math.log(4), rel=0.02)
    assert fit_temperature(shy, y).of(ONE_OF.lead(shy))[0] == pytest.approx(0.2 / math.log(4), rel=0.04)


def test_temperature_stays_within_bounds_and_finite() -> None:
    right = np.tile([[1.0, 0.0]], (10_000, 1))
    cases = [
        (right, np.zeros(10_000, dtype=int)),
        (50 * right, np.arange(10_000) % 2),
        (1e4 * right[:1], np.array([1])),
    ]
    for logits, y in cases:
        found = fit_temperature(logits, y)
        assert 1 / 21 < found.base < 21
        assert abs(found.growth) <= 0.9
        assert np.isfinite(found.of(ONE_OF.lead(logits))).all()
    assert fit_temperature(*cases[0]).of(ONE_OF.lead(right))[0] < 0.2
    assert fit_temperature(*cases[1]).of(ONE_OF.lead(50 * right))[0] > 18
    assert fit_temperature(right[:0], np.zeros(0, dtype=int)) == Temperature(1.0, 0.0)


def test_each_path_gets_its_own_temperature() -> None:
    logits, y, skipped = draw_paths(np.random.default_rng(0), 8000)
    found = calibrate(logits, y, skipped)
    assert found.temperature["rules"].of(ONE_OF.lead(logits[skipped])).mean() == pytest.approx(4.0, rel=0.1)
    assert found.temperature["hybrid"].of(ONE_OF.lead(logits[~skipped])).mean() == pytest.approx(0.5, rel=0.1)
    proba = found.probabilities(np.array([[4.0, 0.0, 0.0]] * 2), np.array([True, False]))
    assert proba[0].tolist() == pytest.approx(ONE_OF.proba(np.array([[1.0, 0, 0]]))[0].tolist(), abs=0.05)
    assert proba[1].tolist() == pytest.approx(ONE_OF.proba(np.array([[8.0, 0, 0]]))[0].tolist(), abs=0.01)


def test_a_path_with_few_texts_shares_the_temperature_of_all() -> None:
    logits, y, _ = draw_paths(np.random.default_rng(0), 2000)
    for n_rules in (0, MIN_TEXTS - 1):
        found = calibrate(logits, y, np.arange(2000) < n_rules)
        assert found.temperature["rules"] == fit_temperature(logits, y)
    found = calibrate(logits, y, np.arange(2000) < MIN_TEXTS)
    assert found.temperature["rules"] == fit_temperature(logits[:MIN_TEXTS], y[:MIN_TEXTS])
    assert found.temperature["hybrid"] == fit_temperature(logits[MIN_TEXTS:], y[MIN_TEXTS:])


def test_held_out_texts_are_scaled_like_new_ones() -> None:
    # Models of rules alone give many texts the same logits: a set must not lose a label to the last bit of a score.
    logits, y, skipped = draw_paths(np.random.default_rng(0), 500)
    for path in (skipped, skipped & (np.arange(500) < 60)):
        found = calibrate(logits, y, path)
        assert np.array_equal(found.proba, found.probabilities(logits, path))
    tied = np.array([[0.0, 4.0]] * 200 + [[0.0, 0.5]] * 200)
    found = calibrate(tied, np.array([1] * 200 + [0, 1] * 100), np.ones(400, dtype=bool))
    proba = found.probabilities(tied[[0, -1]], np.ones(2, dtype=bool))
    assert found.label_sets(proba, np.ones(2, dtype=bool), coverage=0.95).tolist() == [[False, True], [True, True]]


def test_without_held_out_texts_probabilities_are_those_of_the_logits() -> None:
    logits, nothing = np.array([[1.0, 2.0], [0.0, 0.0]]), np.zeros(0, dtype=bool)
    found = calibrate(logits[:0], np.zeros(0, dtype=np.intp), nothing)
    assert np.array_equal(found.probabilities(logits, np.array([True, False])), ONE_OF.proba(logits))
    assert found.probabilities(logits[:0], nothing).shape == (0, 2)


# Error of calibration


PROBA = np.array([[0.8, 0.2], [0.8, 0.2], [0.1, 0.9], [0.45, 0.55]])


def test_reliability_by_hand() -> None:
    # Fifteen bins: 0.55 is in (8/15, 9/15], 0.8 in (11/15, 12/15], 0.9 in (13/15, 14/15].
    assert reliability(PROBA, np.array([0, 1, 1, 1])) == [
        {"texts": 1, "confidence": 0.55, "accuracy": 1.0},
        {"texts": 2, "confidence": 0.8, "accuracy": 0.5},
        {"texts": 1, "confidence": 0.9, "accuracy": 1.0},
    ]
    assert reliability(np.array([[1.0, 0.0]]), np.array([0])) == [{"texts": 1, "confidence": 1.0, "accuracy": 1.0}]
    assert [row["texts"] for row in reliability(np.array([[0.94, 0.06], [0.99, 0.01], [1.0, 0.0]]), np.zeros(3))] == [3]
    assert reliability(PROBA[:0], np.zeros(0, dtype=int)) == []


def test_error_of_calibration_by_hand() -> None:
    # (1 · 0.45 + 2 · 0.3 + 1 · 0.1) / 4
    assert expected_calibration_error(PROBA, np.array([0, 1, 1, 1])) == pytest.approx(0.2875)
    assert expected_calibration_error(np.array([[1.0, 0.0]] * 3), np.array([0, 0, 0])) == 0.0
    assert math.isnan(expected_calibration_error(PROBA[:0], np.zeros(0, dtype=int)))


def test_calibration_lowers_the_error_on_fresh_texts() -> None:
    rng = np.random.default_rng(0)
    found = calibrate(*draw_paths(rng, 3000))
    logits, y, skipped = draw_paths(rng, 20_000)
    assert expected_calibration_error(ONE_OF.proba(logits), y) > 0.1
    assert expected_calibration_error(found.probabilities(logits, skipped), y) < 0.02
    assert found.summary()["ece"] < 0.03


def test_a_wrong_order_of_labels_cannot_go_unnoticed() -> None:
    logits, y = draw(np.random.default_rng(0), 1000)
    skipped = np.zeros(1000, dtype=bool)
    right, wrong = (calibrate(columns, y, skipped).summary() for columns in (logits, logits[:, ::-1]))
    assert right["temperature"]["hybrid"]["base"] == pytest.approx(1.0, abs=0.3)
    assert wrong["temperature"]["hybrid"]["base"] > 5
    assert wrong["coverage_curve"][-1]["accuracy"] < 0.5 < right["coverage_curve"][-1]["accuracy"]


def test_summary_by_hand() -> None:
    temperature = {"hybrid": Temperature(1.5, 0.2), "rules": Temperature()}
    found = Calibration(temperature, PROBA, np.array([0, 1, 1, 1]), np.zeros(4, dtype=bool)).summary()
    assert (found["texts"], found["temperature"], found["ece"]) == (
        4,
        {"hybrid": {"base": 1.5, "growth": 0.2}, "rules": {"base": 1.0, "growth": 0.0}},
        pytest.approx(0.2875),
    )
    curve = found["coverage_curve"]
    assert [row["coverage"] for row in curve] == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    # The surest is right; of the first three, one is wrong; of all four, too.
    assert [curve[i]["accuracy"] for i in (0, 7, 9)] == pytest.approx([1, 2 / 3, 3 / 4])
    assert [curve[i]["threshold"] for i in (0, 7, 9)] == [0.9, 0.8, 0.55]


# Label sets


@pytest.mark.parametrize(
    ("n", "coverage", "rank"),
    [(9, 0.9, 9), (8, 0.9, None), (19, 0.95, 19), (18, 0.95, None), (99, 0.9, 90), (100, 0.9, 91), (10, 0.01, 1), (0, 0.5, None)],
)  # fmt: skip
def test_the_quantile_by_hand(n: int, coverage: float, rank: int | None) -> None:
    scores = np.random.default_rng(0).permutation(np.arange(1, n + 1)) / 1000
    assert conformal_quantile(scores, coverage) == (math.inf if rank is None else rank / 1000)
    assert conformal_quantile(scores, 1e-15) == (math.inf if n == 0 else 0.001)


def test_label_sets_by_hand() -> None:
    # Right labels got 0.9, 0.8, …, 0.1: for a coverage of 0.8 the eighth score counts, so labels from 0.2 on are plausible.
    own = np.arange(9, 0, -1) / 10
    found = Calibration({}, np.stack([own, 1 - own], axis=1), np.zeros(9, dtype=int), np.zeros(9, dtype=bool))
    proba, path = np.array([[0.95, 0.05], [0.5, 0.5], [0.199, 0.801]]), np.zeros(3, dtype=bool)
    assert found.label_sets(proba, path, coverage=0.8).tolist() == [[True, False], [True, True], [False, True]]
    assert found.label_sets(proba, path, coverage=0.95).all()
    # No held-out text has the second label: nothing says that it is implausible.
    assert found.label_sets(proba, path, coverage=0.8, per_class=True)[:, 1].all()


def covered(found: Calibration, fresh: tuple[Array, Array, Array], **options: Any) -> Array:
    """Whether the set of each fresh text holds its label."""
    logits, y, skipped = fresh
    sets = found.label_sets(found.probabilities(logits, skipped), skipped, **options)
    return np.asarray(sets[np.arange(len(y)), y])


@pytest.mark.slow
@pytest.mark.parametrize("coverage", [0.8, 0.9, 0.95])
def test_coverage_holds_on_fresh_texts_of_each_path(coverage: float) -> None:
    """Over draws of n held-out texts, coverage follows a Beta distribution with the mean rank / (n + 1)."""
    rng = np.random.default_rng(0)
    fresh = draw_paths(rng, 20_000)
    rates: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(100):
        held_out = draw_paths(rng, 500)
        hit = covered(calibrate(*held_out), fresh, coverage=coverage)
        for is_rules, path in rates.items():
            path.append(float(hit[fresh[2] == is_rules].mean()))
            n = int((held_out[2] == is_rules).sum())
            rank = math.ceil((n + 1) * coverage)
            low, high = scipy.stats.beta(rank, n + 1 - rank).ppf([1e-5, 1 - 1e-5])
            assert low - 0.01 <= path[-1] <= high + 0.01
    for path in rates.values():
        assert coverage - 0.01 <= np.mean(path) <= coverage + 0.015


@pytest.mark.slow
def test_coverage_holds_for_each_label() -> None:
    rng = np.random.default_rng(0)
    logits, y = draw(rng, 20_000)
    fresh = (logits, y, np.zeros(len(y), dtype=bool))
    together, apart = np.zeros((50, 3)), np.zeros((50, 3))
    for i in range(50):
        z, own = draw(rng, 600)
        found = calibrate(z, own, np.zeros(600, dtype=bool))
        for rows, options in ((together, {}), (apart, {"per_class": True})):
            hit = covered(found, fresh, coverage=0.9, **options)
            rows[i] = [hit[y == k].mean() for k in range(3)]
    assert together.mean(axis=0)[2] < 0.85 < 0.93 < together.mean(axis=0)[0]  # the frequent label pays for the rare one
    assert (np.abs(apart.mean(axis=0) - 0.9) < 0.015).all()


def test_two_labels_and_a_path_without_held_out_texts() -> None:
    rng = np.random.default_rng(0)
    logits, y = draw(rng, 3000, 2)
    found = calibrate(logits[:1000], y[:1000], np.ones(1000, dtype=bool))
    for path in (True, False):
        hit = covered(found, (logits[1000:], y[1000:], np.full(2000, path)), coverage=0.9)
        assert hit.mean() == pytest.approx(0.9, abs=0.03)
    nothing = np.zeros((0, 2)), np.zeros(0, dtype=bool)
    assert found.label_sets(*nothing, coverage=0.9).shape == (0, 2)
    assert found.accepted(nothing[0], error=0.1).shape == (0,)


# Rejection


def test_the_threshold_by_hand() -> None:
    confidence = np.array([0.6, 0.9, 0.7, 0.8])
    right = np.array([True, True, False, True])
    # In order 0.9 ✓, 0.8 ✓, 0.7 ✗, 0.6 ✓: (wrong + 1) / (answers + 1) is 1/2, 1/3, 2/4, 2/5.
    assert acceptance_threshold(confidence, right, 0.5) == 0.6
    assert acceptance_threshold(confidence, right, 0.35) == 0.8
    assert acceptance_threshold(confidence, right, 0.3) == math.inf
    assert acceptance_threshold(confidence[:0], right[:0], 0.3) == math.inf
    # Equal confidences stand or fall together: of 0.8, 0.8 and 0.8 one is wrong.
    assert acceptance_threshold(np.array([0.9, 0.8, 0.8, 0.8]), np.array([True, True, True, False]), 0.35) == math.inf


@pytest.mark.slow
@pytest.mark.parametrize("error", [0.02, 0.05, 0.1])
@pytest.mark.parametrize("n", [100, 1000])
def test_rejection_keeps_the_error_on_fresh_texts(error: float, n: int) -> None:
    rng = np.random.default_rng(0)
    logits, y = draw(rng, 50_000)
    proba = ONE_OF.proba(logits)
    right = proba.argmax(axis=1) == y
    errors, shares = [], []
    for _ in range(200):
        z, own = draw(rng, n)
        found = Calibration({}, ONE_OF.proba(z), own, np.zeros(n, dtype=bool))
        accepted = found.accepted(proba, error=error)
        shares.append(accepted.mean())
        errors.append(1 - right[accepted].mean() if accepted.any() else 0.0)
    assert 1 - right.mean() > 0.15
    assert np.mean(errors) <= error
    if n == 1000 and error >= 0.05:
        assert np.mean(errors) > 0.8 * error  # not by answering next to nothing
        assert np.mean(shares) > 0.3


def test_rejection_for_each_label() -> None:
    # Answers of label 0 are always right, those of label 1 never: together few are wrong, apart label 1 gets no answer.
    proba = np.array([[0.9, 0.1]] * 190 + [[0.1, 0.9]] * 10)
    found = Calibration({}, proba, np.zeros(200, dtype=int), np.zeros(200, dtype=bool))
    new = np.array([[0.95, 0.05], [0.05, 0.95], [0.55, 0.45]])
    assert found.accepted(new, error=0.1).tolist() == [True, True, False]
    assert found.accepted(new, error=0.1, per_class=True).tolist() == [True, False, False]
    assert found.accepted(new, error=0.001).tolist() == [False] * 3
