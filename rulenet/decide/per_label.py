"""Several labels per text: a threshold and a calibration for each label, from held-out texts. Imports calibration, model, numpy, scipy.

F1 of a label has its maximum at a threshold below one half wherever the label is hard to tell: at half the F1 that can be had (Lipton et
al. 2014). A rare label's own best threshold follows a few texts; it is drawn towards the threshold that is best for all labels together,
as if `PULL` more texts of the label spoke for that one. What probabilities add to the logits, a slope and a shift for each label (Platt
1999), is drawn to none at all, so that few texts change little. Answers depend on logits and thresholds alone, not on the path.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.optimize

from rulenet.base.types import Array
from rulenet.decide.calibration import (
    MIN_TEXTS,
    PATHS,
    acceptance_threshold,
    conformal_quantile,
    expected_calibration_error,
    reliability,
)
from rulenet.errors import ParameterError
from rulenet.model.hybrid import Hybrid
from rulenet.model.link import ANY_OF, UNSEEN, AnyOf

FEWEST = 20  # held-out texts that thresholds are chosen by; fewer say nothing about rare labels
PULL = 10.0  # texts of a label that the common threshold counts as
DRAWN = 1.0, 4.0  # how strongly the log-slope and the shift of a label are drawn to 0: variances


@dataclass(frozen=True)
class Thresholds:
    """Thresholds of the logits of all labels, and how they came about."""

    values: tuple[float, ...]
    common: float
    n_texts: int  # that they were chosen by; 0: none, all are `common`, a probability of one half


def with_thresholds(hybrid: Hybrid, otherwise: Array) -> tuple[Hybrid, Thresholds]:
    """The same model with thresholds from its held-out texts; `otherwise` as in `choose_thresholds`."""
    held_out, found = hybrid.held_out, Thresholds((0.0,) * len(otherwise), 0.0, 0)
    if held_out is not None:
        logits = hybrid.phi_scale * held_out.phi + hybrid.psi_scale * held_out.psi
        found = choose_thresholds(logits, held_out.y, otherwise)
    if not found.n_texts:
        found = replace(found, values=tuple(np.nan_to_num(otherwise).tolist()))
    as_matrix = isinstance(hybrid.link, AnyOf) and hybrid.link.as_matrix
    return replace(hybrid, link=AnyOf(found.values, as_matrix)), found


def choose_thresholds(logits: Array, y: Array, otherwise: Array) -> Thresholds:
    """The thresholds with the best F1 on held-out texts.

    Parameters
    ----------
    y
        1, 0, or -1 if it is not known, shape (n_texts, n_classes).
    otherwise
        Threshold of each label if no held-out text has it; NaN: the common one.

    Examples
    --------
    >>> logits = np.repeat([[2.0, -3.0], [-1.0, -1.0], [-2.0, -3.0]], 200, axis=0)
    >>> y = np.repeat([[1, 0], [1, 1], [0, 0]], 200, axis=0)
    >>> [round(value, 1) for value in choose_thresholds(logits, y, np.full(2, np.nan)).values]
    [-1.5, -2.0]
    """
    if len(y) < FEWEST:
        return Thresholds((0.0,) * logits.shape[1], 0.0, 0)
    has, known = y > 0, y >= 0
    counts = has.sum(axis=0)
    seen = np.flatnonzero(counts)
    grid = np.unique(np.quantile(logits[:, seen], np.linspace(0, 1, 401))) if len(seen) else np.zeros(1)
    score = np.zeros(len(grid))
    values = np.array(otherwise, dtype=np.float64)
    for k in seen.tolist():
        order = np.argsort(-logits[known[:, k], k], kind="stable")
        z, hits = logits[known[:, k], k][order], np.cumsum(has[known[:, k], k][order])
        f1 = 2 * hits / (np.arange(1, len(z) + 1) + counts[k])
        above = np.searchsorted(-z, -grid, side="left")  # texts above each value of the grid
        score += np.where(above, f1[above - 1], 0.0)
        f1[:-1][z[:-1] == z[1:]] = -1.0  # equal logits are above a threshold together
        best = int(f1.argmax())
        values[k] = (z[best] + z[best + 1]) / 2 if best + 1 < len(z) else z[best] - UNSEEN
    common = float(grid[score.argmax()])
    values[np.isnan(values)] = common
    values[seen] = (counts[seen] * values[seen] + PULL * common) / (counts[seen] + PULL)
    return Thresholds(tuple(values.tolist()), common, len(y))


def best_answers(logits: Array, y: Array) -> Array:
    """The answers of the thresholds that are best for these texts: with other thresholds two models cannot be compared."""
    return AnyOf(choose_thresholds(logits, y, np.full(logits.shape[1], np.nan)).values).answer(logits)


@dataclass(frozen=True)
class LabelCalibration:
    """Slope and shift of each label's logit on each path, and the held-out texts from which sets and rejection follow."""

    bend: dict[str, tuple[Array, Array]]  # of each path: slopes and shifts, each (n_classes,)
    proba: Array  # calibrated, (n_texts, n_classes)
    y: Array  # 1, 0, or -1 if it is not known, (n_texts, n_classes)
    skipped: Array  # whether ψ is skipped, (n_texts,)
    at: Any  # thresholds of the logits, (n_classes,)
    answers: Array  # (n_texts, n_classes)

    @classmethod
    def of(cls, logits: Array, y: Array, skipped: Array, at: Any) -> LabelCalibration:
        """Fit slopes and shifts for each path; a path with few texts takes those of all. Without texts there are none."""
        on_path = {path: skipped == (path == "rules") for path in PATHS}
        few = {path: rows.sum() < MIN_TEXTS for path, rows in on_path.items()}
        bend = {path: fit_bend(logits[rows | few[path]], y[rows | few[path]]) for path, rows in on_path.items()}
        proba = _bent(logits, skipped, bend)
        return cls(bend, proba, y, skipped, at, np.asarray(logits > at, dtype=np.intp))

    def probabilities(self, logits: Array, skipped: Array) -> Array:
        """Calibrated probabilities of new texts, shape (n_texts, n_classes)."""
        return _bent(logits, skipped, self.bend)

    def label_sets(self, proba: Array, skipped: Array, *, coverage: float, per_class: bool = False) -> Array:
        """Which labels are plausible, shape (n_texts, n_classes), bool.

        Split conformal prediction, on each path: all right labels of a text are in its set with probability at least `coverage`; if
        `per_class`, each label is in the sets of at least such a share of its texts.
        """
        sets = np.zeros(proba.shape, dtype=bool)
        misses = np.where(self.y > 0, 1.0 - self.proba, -1.0)  # (n, K); no right label is never missed
        for is_rules in (False, True):
            rows, same = skipped == is_rules, self.skipped == is_rules
            if same.sum() < MIN_TEXTS:
                same = np.ones_like(same)
            for k in range(proba.shape[1]):
                scores = misses[same & (self.y[:, k] > 0), k] if per_class else misses[same].max(axis=1)
                sets[rows, k] = 1.0 - proba[rows, k] <= conformal_quantile(scores, coverage)
        return sets

    def accepted(self, proba: Array, answers: Array, *, error: float, per_class: bool = False) -> Array:
        """Which answers to give so that the expected share of those with a wrong label stays within `error`, shape (n_texts,), bool."""
        if per_class:
            raise ParameterError("per_class=True needs one label per text; this model's answers are sets of labels")
        threshold = acceptance_threshold(_sureness(self.proba, self.answers), self._right, error)
        return np.asarray(_sureness(proba, answers) >= threshold)

    def summary(self) -> dict[str, Any]:
        """Error of the probabilities and reliability diagram of all labels together, and share of right sets by coverage."""
        known = (self.y >= 0).ravel()
        # Each label of each text is one yes or no.
        yes = self.proba.ravel()[known]
        pairs, truth = np.stack([1 - yes, yes], axis=1), self.y.ravel()[known]
        sure, right = _sureness(self.proba, self.answers), self._right
        order = np.argsort(-sure, kind="stable")
        curve = []
        for share in (tenth / 10 for tenth in range(1, 11)):
            given = order[: max(1, round(share * len(order)))]
            accuracy, threshold = float(right[given].mean()), float(sure[given[-1]])
            curve.append({"coverage": share, "accuracy": accuracy, "threshold": threshold})
        return {
            "texts": len(self.y),
            "paths": {path: int((self.skipped == (path == "rules")).sum()) for path in PATHS},
            "ece": expected_calibration_error(pairs, truth),
            "reliability": reliability(pairs, truth),
            "coverage_curve": curve,
        }

    @property
    def _right(self) -> Array:
        return np.asarray(((self.answers == self.y) | (self.y < 0)).all(axis=1))


def fit_bend(logits: Array, y: Array) -> tuple[Array, Array]:
    """Slope and shift of each label's logit that make its held-out texts likeliest, each shape (n_classes,)."""
    slopes, shifts = np.ones(logits.shape[1]), np.zeros(logits.shape[1])
    for k in range(logits.shape[1] if len(y) else 0):
        known = y[:, k] >= 0
        z, sign = logits[known, k], np.where(y[known, k] > 0, 1.0, -1.0)
        if not known.any():
            continue

        def loss(theta: Array, z: Array = z, sign: Array = sign) -> tuple[float, Array]:
            slope = np.exp(theta[0])
            bent = slope * z + theta[1]
            pull = -sign * ANY_OF.proba(-sign * bent)  # gradient by the bent logit
            total = np.logaddexp(0.0, -sign * bent).sum() + 0.5 * (theta**2 / DRAWN).sum()
            return float(total), np.array([(pull * slope * z).sum(), pull.sum()]) + theta / DRAWN

        found = scipy.optimize.minimize(loss, np.zeros(2), jac=True, method="L-BFGS-B", bounds=[(-3.0, 3.0), (-20, 20)])
        slopes[k], shifts[k] = np.exp(found.x[0]), found.x[1]
    return slopes, shifts


def bent_losses(logits: Array, y: Array, target: Array) -> Array:
    """Loss of each text after the calibration that predictions get."""
    slopes, shifts = fit_bend(logits, y)
    return ANY_OF.losses(slopes * logits + shifts, target)


def _bent(logits: Array, skipped: Array, bend: dict[str, tuple[Array, Array]]) -> Array:
    hybrid, rules = (slopes * logits + shifts for slopes, shifts in (bend[path] for path in PATHS))
    return ANY_OF.proba(np.where(skipped[:, None], rules, hybrid))


def _sureness(proba: Array, answers: Array) -> Array:
    """Probability that all labels of each answer are right, if they were independent."""
    return np.asarray(np.where(answers > 0, proba, 1.0 - proba).prod(axis=1))
