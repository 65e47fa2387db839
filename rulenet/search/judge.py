"""How good answers are, and whether those of one recipe are better than those of another on the same held-out texts. Imports numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm
from sklearn.model_selection import KFold, StratifiedKFold

from rulenet.base.types import Array
from rulenet.base.wording import close_to
from rulenet.errors import InputError, ParameterError
from rulenet.model.link import ONE_OF, AnyOf
from rulenet.training.phi_stage import MIN_HELD_OUT, split

SCORINGS = ("accuracy", "f1_macro", "f1_micro")
DRAWS = 500  # bootstrap samples of the held-out texts


@dataclass(frozen=True)
class Judge:
    """Folds, the labels of their held-out texts, and a score.

    Attributes
    ----------
    scoring
        ``"accuracy"`` (with several labels per text: of whole label sets), ``"f1_macro"`` or ``"f1_micro"``.
    folds
        Rows to train on and rows that are held out, of each fold.
    right
        Whether a text has a label, (n_texts, n_classes).
    """

    scoring: str
    folds: Sequence[tuple[Array, Array]]
    right: Array

    @classmethod
    def of(cls, right: Array, cv: int | float, scoring: str | None, seed: int, *, several: bool) -> Judge:
        """Folds of texts with these labels: so many, or one with this share of the texts held out.

        Raises
        ------
        InputError, ParameterError
            If the texts are too few, or no score has this name.
        """
        scoring = ("f1_macro" if several else "accuracy") if scoring is None else scoring
        if scoring not in SCORINGS:
            near = close_to(str(scoring), SCORINGS)
            raise ParameterError(f"scoring={scoring!r} is no score{near}; there are {', '.join(SCORINGS)}")
        n = len(right)
        if n < MIN_HELD_OUT:
            raise InputError(f"{n} labelled texts are too few to compare recipes by: give at least {MIN_HELD_OUT}")
        link = AnyOf() if several else ONE_OF
        if isinstance(cv, float):
            return cls(scoring, [split(right.astype(float), np.ones(n, dtype=bool), cv, seed, link)], right)
        strata = link.strata(right.astype(float))
        kind = StratifiedKFold if np.bincount(strata).max() >= cv else KFold
        return cls(scoring, list(kind(cv, shuffle=True, random_state=seed).split(strata, strata)), right)

    def score(self, fold: int, answers: Array) -> float:
        """The score of answers to the held-out texts of a fold, (n, n_classes)."""
        truth = self.right[self.folds[fold][1]]
        return float(scores(self.scoring, truth, answers, np.ones((1, len(truth))))[0])

    def compared(self, answers: Sequence[Array], others: Sequence[Array]) -> tuple[float, float]:
        """By how much answers score better than others to the same texts, mean over the first folds, and the standard error of that."""
        gains, errors = [], []
        rng = np.random.default_rng(0)
        for (_, rows), ours, theirs in zip(self.folds, answers, others, strict=False):
            truth, n = self.right[rows], len(rows)
            drawn = rng.multinomial(n, np.full(n, 1 / n), size=DRAWS)
            both = np.vstack([np.ones(n), drawn])
            gain = scores(self.scoring, truth, ours, both) - scores(self.scoring, truth, theirs, both)
            gains.append(gain[0])
            errors.append(gain[1:].std())
        return float(np.mean(gains)), float(np.linalg.norm(errors)) / len(gains)


def scores(scoring: str, truth: Array, answers: Array, weights: Array) -> Array:
    """Scores of answers, (n_texts, n_classes), for several weights of the texts, (n_weights, n_texts).

    Examples
    --------
    >>> truth, answers = np.eye(2, dtype=bool)[[0, 0, 1]], np.eye(2, dtype=bool)[[0, 1, 1]]
    >>> [scores(name, truth, answers, np.ones((1, 3))).round(3).tolist() for name in SCORINGS]
    [[0.667], [0.667], [0.667]]
    """
    if scoring == "accuracy":
        found = weights @ (truth == answers).all(axis=1) / weights.sum(axis=1)
        return np.asarray(found)
    hits = weights @ (truth & answers)  # (n_weights, n_classes)
    given = weights @ truth + weights @ answers.astype(float)
    if scoring == "f1_micro":
        hits, given = hits.sum(axis=1, keepdims=True), given.sum(axis=1, keepdims=True)
    there = truth.any(axis=0) if scoring == "f1_macro" else slice(None)
    return np.asarray((2 * hits / np.maximum(given, 1e-12))[:, there].mean(axis=1))


def enough(n_rivals: int) -> float:
    """How many standard errors the best of so many recipes must be better than the default.

    One, if there is one rival. Of more, the luckiest is further above by chance; this is what it exceeds in one search out of six if all
    are as good as the default.

    Examples
    --------
    >>> [round(enough(n), 1) for n in (1, 5, 20)]
    [1.0, 1.9, 2.4]
    """
    return float(norm.isf(norm.sf(1.0) / max(1, n_rivals)))
