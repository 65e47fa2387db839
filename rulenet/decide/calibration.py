"""Probabilities one can rely on: temperatures, conformal label sets, rejection by expected error. Imports link, numpy, scipy.

Everything here follows from the logits of held-out texts, which a model keeps. "Path" is how an answer came about: "hybrid", or
"rules" where ψ was skipped. Each path has its own temperature and its own quantiles, so neither borrows trust from the other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import scipy.optimize

from rulenet.base.types import Array
from rulenet.model.link import ONE_OF, Link

PATHS = ("hybrid", "rules")
MIN_TEXTS = 40  # a path with fewer held-out texts takes the temperature and quantiles of all
BINS = 15


@dataclass(frozen=True)
class Temperature:
    """What the logits of a text are divided by before the softmax: base · (1 + lead)^growth, their lead being top minus runner-up.

    One number (Guo et al. 2017) bends all confidences alike. Where some labels are noise, those of clear texts are too high and those
    of the others too low; growth corrects both. As it is less than one, a larger lead remains a larger confidence.
    """

    base: float = 1.0
    growth: float = 0.0

    def of(self, lead: Array) -> Array:
        """For each text, shape (n_texts,), from the lead of its logits."""
        return np.asarray(self.base * (1.0 + lead) ** self.growth)


@dataclass(frozen=True)
class Calibration:
    """Temperatures, and the held-out texts from which sets and rejection follow."""

    temperature: Mapping[str, Temperature]  # of each path
    # Shape (n_texts, n_classes), by the same temperatures as the probabilities of new texts: rules alone give many texts
    # the same logits, and equal logits must stay equal scores.
    proba: Array
    y: Array  # class indices, shape (n_texts,)
    skipped: Array  # whether ψ is skipped, shape (n_texts,)
    link: Link = ONE_OF

    def probabilities(self, logits: Array, skipped: Array) -> Array:
        """Calibrated probabilities of new texts, shape (n_texts, n_classes)."""
        lead = self.link.lead(logits)
        hybrid, rules = (self.temperature[path].of(lead) for path in PATHS)
        return self.link.proba(logits / np.where(skipped, rules, hybrid)[:, None])

    def label_sets(self, proba: Array, skipped: Array, *, coverage: float, per_class: bool = False) -> Array:
        """Which labels are plausible, shape (n_texts, n_classes), bool.

        Split conformal prediction with the score 1 − p(label) (Sadinle, Lei & Wasserman 2019): of texts like the held-out ones, the
        set contains the right label with probability at least `coverage`, on each path; for each label if `per_class`.
        """
        sets = np.zeros(proba.shape, dtype=bool)
        own = 1.0 - self.proba[np.arange(len(self.y)), self.y]  # scores of the right labels
        for is_rules in (False, True):
            rows = skipped == is_rules
            same = self.skipped == is_rules
            if same.sum() < MIN_TEXTS:
                same = np.ones_like(same)
            for k in range(proba.shape[1]):
                scores = own[same & (self.y == k)] if per_class else own[same]
                sets[rows, k] = 1.0 - proba[rows, k] <= conformal_quantile(scores, coverage)
        return sets

    def accepted(self, proba: Array, *, error: float, per_class: bool = False) -> Array:
        """Which answers to give so that the expected share of wrong ones among them stays within `error`, shape (n_texts,), bool.

        If `per_class`, it stays within `error` among the answers of each label.
        """
        confidence, right = self.proba.max(axis=1), self.proba.argmax(axis=1) == self.y
        if not per_class:
            return np.asarray(proba.max(axis=1) >= acceptance_threshold(confidence, right, error))
        answers, accepted = proba.argmax(axis=1), np.zeros(len(proba), dtype=bool)
        for k in range(proba.shape[1]):
            same = self.proba.argmax(axis=1) == k
            threshold = acceptance_threshold(confidence[same], right[same], error)
            accepted |= (answers == k) & (proba[:, k] >= threshold)
        return accepted

    def summary(self) -> dict[str, Any]:
        """Error of the probabilities, reliability diagram, and accuracy by coverage, as plain data."""
        confidence, right = self.proba.max(axis=1), self.proba.argmax(axis=1) == self.y
        order = np.argsort(-confidence, kind="stable")
        curve = []
        for share in (tenth / 10 for tenth in range(1, 11)):
            given = order[: max(1, round(share * len(order)))]
            accuracy, threshold = float(right[given].mean()), float(confidence[given[-1]])
            curve.append({"coverage": share, "accuracy": accuracy, "threshold": threshold})
        return {
            "texts": len(self.y),
            "paths": {path: int((self.skipped == (path == "rules")).sum()) for path in PATHS},
            "temperature": {path: asdict(self.temperature[path]) for path in PATHS},
            "ece": expected_calibration_error(self.proba, self.y),
            "reliability": reliability(self.proba, self.y),
            "coverage_curve": curve,
        }


def calibrate(logits: Array, y: Array, skipped: Array, link: Link = ONE_OF) -> Calibration:
    """Fit temperatures for each path to held-out texts; without any they are one. The logits are without ψ where it is skipped."""
    on_path = {path: skipped == (path == "rules") for path in PATHS}
    few = {path: rows.sum() < MIN_TEXTS for path, rows in on_path.items()}
    temperature = {
        path: fit_temperature(logits[rows | few[path]], y[rows | few[path]], link) for path, rows in on_path.items()
    }
    found = Calibration(temperature, np.zeros_like(logits), y, skipped, link)
    return replace(found, proba=found.probabilities(logits, skipped))


def fit_temperature(logits: Array, y: Array, link: Link = ONE_OF) -> Temperature:
    """The temperature that makes the right labels most likely; its base stays between 1/20 and 20.

    Weak pulls, to a base of one by about one text and to no growth by a few more, decide where there are few.

    Examples
    --------
    >>> logits = np.array([[4.0, 0.0]] * 4)  # as sure as 0.98 each time, right three times in four
    >>> found = fit_temperature(np.tile(logits, (50, 1)), np.array([0, 0, 0, 1] * 50))
    >>> 2.5 < float(found.of(np.array([4.0]))[0]) < 4
    True
    """
    if not len(y):
        return Temperature()
    target, lead = link.targets(y, logits.shape[1]), link.lead(logits)

    def loss(theta: Array) -> float:
        scaled = logits / Temperature(math.exp(theta[0]), theta[1]).of(lead)[:, None]
        pull = 0.5 * theta[0] ** 2 + 4.0 * theta[1] ** 2
        return float(link.losses(scaled, target).sum() + pull)

    bounds = [(-3.0, 3.0), (-0.9, 0.9)]
    base, growth = scipy.optimize.minimize(loss, [0.0, 0.0], method="L-BFGS-B", bounds=bounds).x
    return Temperature(float(math.exp(base)), float(growth))


def conformal_quantile(scores: Array, coverage: float) -> float:
    """The ⌈(n + 1) · coverage⌉-th smallest score; infinite where n is too small to promise that much.

    Examples
    --------
    >>> conformal_quantile(np.array([0.1, 0.2, 0.3, 0.4]), 0.8), conformal_quantile(np.array([0.1, 0.2]), 0.9)
    (0.4, inf)
    """
    rank = max(1, math.ceil((len(scores) + 1) * coverage - 1e-9))
    return float(np.sort(scores)[rank - 1]) if rank <= len(scores) else math.inf


def acceptance_threshold(confidence: Array, right: Array, error: float) -> float:
    """Least confidence at which answers can be given with at most this expected share of wrong ones; infinite if none.

    One wrong answer is added to those seen, as in conformal risk control (Angelopoulos et al. 2024), so that few texts promise little.

    Examples
    --------
    >>> acceptance_threshold(np.linspace(1.0, 0.5, 100), np.array([True] * 80 + [False] * 20), 0.05)
    0.5858...
    """
    order = np.argsort(-confidence, kind="stable")
    wrong = np.cumsum(~right[order])
    expected = (wrong + 1) / (np.arange(len(order)) + 2)
    # Equal confidences are accepted together or not at all.
    is_last = np.append(np.diff(confidence[order]) < 0, True)[: len(order)]
    allowed = np.flatnonzero((expected <= error) & is_last)
    return float(confidence[order[allowed[-1]]]) if len(allowed) else math.inf


def expected_calibration_error(proba: Array, y: Array) -> float:
    """Mean distance of confidence from accuracy over 15 bins of equal width, weighted by their texts (Naeini et al. 2015).

    Examples
    --------
    >>> round(expected_calibration_error(np.array([[0.8, 0.2]] * 4), np.array([0, 0, 0, 1])), 6)
    0.05
    """
    total = sum(row["texts"] * abs(row["accuracy"] - row["confidence"]) for row in reliability(proba, y))
    return float(total / len(y)) if len(y) else math.nan


def reliability(proba: Array, y: Array) -> list[dict[str, float]]:
    """Texts, mean confidence and accuracy of each bin of confidence, without empty ones."""
    confidence, right = proba.max(axis=1), proba.argmax(axis=1) == y
    bins = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    return [
        {"texts": int(rows.sum()), "confidence": float(confidence[rows].mean()), "accuracy": float(right[rows].mean())}
        for rows in (bins == b for b in range(BINS))
        if rows.any()
    ]
