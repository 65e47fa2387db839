"""The two scalars: which ratio is taken when likelihood, accuracy and exits disagree."""

from __future__ import annotations

import numpy as np
import pytest

from rulenet.decide.scales import choose_scales, cross_entropy, fit_scales

RNG = np.random.default_rng(0)
Y = RNG.integers(0, 2, 400)
TARGET = np.eye(2)[Y]
SIGN = np.where(Y == 1, 1.0, -1.0)


def part(strength: float, noise: float, seed: int, bound: float | None = None) -> np.ndarray:
    """Logits of a part that leans towards the right label, (400, 2)."""
    score = strength * SIGN + noise * np.random.default_rng(seed).normal(size=400)
    score = score if bound is None else bound * np.tanh(score)
    return np.stack([-score / 2, score / 2], axis=1)


def right(logits: np.ndarray) -> float:
    return float((logits.argmax(axis=1) == Y).mean())


def test_a_part_that_only_disturbs_gets_next_to_no_say() -> None:
    phi, psi = part(1.5, 1.0, 1), part(0.0, 1.0, 2)
    a, s, _ = choose_scales(phi, psi, TARGET)
    assert s / a < 0.3
    assert right(a * phi + s * psi) >= right(phi) - 0.01


def test_a_part_that_is_against_the_labels_gets_none() -> None:
    a, s, _ = choose_scales(part(1.5, 1.0, 1), part(-1.0, 0.5, 2), TARGET)
    assert a > 0
    assert s == 0.0


@pytest.mark.parametrize("n", [15, 300])
def test_a_few_texts_do_not_overrule_what_is_usual_and_many_do(n: int) -> None:
    """ψ knows next to nothing: 300 texts say so, while to 15 of them other ratios are as likely, down to 0 for some."""
    phi, psi = part(1.5, 1.0, 1), part(0.2, 1.0, 2)
    for start in range(0, 400 - n, 20):
        rows = slice(start, start + n)
        a, s, _ = choose_scales(phi[rows], psi[rows], TARGET[rows])
        assert s / a < 0.6 if n == 300 else s / a > 0.45


def test_where_phi_says_nothing_psi_decides() -> None:
    phi, psi = 3.0 * part(0.0, 1.0, 1), part(2.0, 1.0, 2, bound=1.5)
    a, s, _ = choose_scales(phi, psi, TARGET)
    assert right(a * phi + s * psi) > right(psi) - 0.02
    assert right(phi) < 0.6


def test_psi_never_weighs_more_than_is_likeliest_and_the_sum_is_no_less_likely_than_phi_alone() -> None:
    for seed in range(10):
        phi, psi = part(1.0, 1.2, seed), part(0.8, 1.0, seed + 50, bound=1.5)
        a, s, _ = choose_scales(phi, psi, TARGET)
        fitted_a, fitted_s = fit_scales(phi, psi, TARGET)
        assert s / a <= 1.25 * fitted_s / fitted_a  # neighbours on the grid of ratios are a factor of 1.19 apart
        best_phi = min(cross_entropy(k * phi, TARGET) for k in np.geomspace(0.2, 5, 50))
        assert cross_entropy(a * phi + s * psi, TARGET) <= best_phi + 1e-6


def test_of_ratios_about_as_likely_the_one_nearest_to_training_is_taken() -> None:
    """A bounded part looks better the more it weighs; the ratio stays nearer to 1 than likelihood would have it, and no less accurate."""
    phi, psi = part(1.0, 1.5, 3), part(3.0, 2.5, 4, bound=1.0)
    a, s, _ = choose_scales(phi, psi, TARGET)
    fitted_a, fitted_s = fit_scales(phi, psi, TARGET)
    assert 1.0 <= s / a < 0.9 * fitted_s / fitted_a
    assert right(a * phi + s * psi) >= right(fitted_a * phi + fitted_s * psi) - 0.01


def test_scalars_of_separable_texts_stay_finite() -> None:
    a, s, _ = choose_scales(4 * TARGET, 3 * TARGET, TARGET)
    assert 0 < a <= 5
    assert 0 <= s <= 5


@pytest.mark.parametrize("swap", [False, True])
def test_label_order_does_not_matter(swap: bool) -> None:
    phi, psi = part(1.0, 1.2, 5), part(0.8, 1.0, 6)
    order = [1, 0] if swap else [0, 1]
    assert choose_scales(phi[:, order], psi[:, order], TARGET[:, order]) == pytest.approx(
        choose_scales(phi, psi, TARGET)
    )


def test_where_exits_are_preferred_accuracy_decides_in_the_place_of_likelihood() -> None:
    phi, psi = part(1.0, 1.5, 3), part(3.0, 2.5, 4, bound=1.0)
    a, s, _ = choose_scales(phi, psi, TARGET)
    few_a, few_s, _ = choose_scales(phi, psi, TARGET, prefer_exits=True)
    assert few_s / few_a <= s / a
    best = max(right(phi + ratio * psi) for ratio in (1.0, 2.0, 4.0, 8.0, 16.0))
    assert right(few_a * phi + few_s * psi) >= best - 0.02
