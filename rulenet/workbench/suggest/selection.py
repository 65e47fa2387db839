"""Greedy selection of new columns, with weights from some rows and gains from others. Imports numpy and mining.

Adding w to the logit of label k changes the log-likelihood of a text by w·[y = k] − log(1 + p_k (eʷ − 1)): of the present prediction
only p_k matters. So a column needs only a few numbers for each text it fires on, and hundreds can be tried in a second.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rulenet.base.types import Array

HALVINGS = 20
MAX_WEIGHT = 6.0


@dataclass(frozen=True)
class Rows:
    """Some labelled texts and their present predictions."""

    y: Array  # class indices, shape (n_texts,)
    P: Array  # probabilities of the labels, shape (n_texts, n_classes)
    R: Any  # which candidate fires on which text, CSC, shape (n_texts, n_candidates)

    def marked(self, j: int) -> Array:
        """Return the texts that candidate `j` fires on."""
        return np.asarray(self.R.indices[self.R.indptr[j] : self.R.indptr[j + 1]])

    def seen_by(self, j: int, label: int) -> tuple[Array, Array]:
        """Return whether each text that candidate `j` fires on has the label, and the label's probability on it."""
        rows = self.marked(j)
        return self.y[rows] == label, self.P[rows, label]

    def with_column(self, j: int, label: int, w: float) -> Rows:
        """Return the rows with the predictions after candidate `j` is added for a label with weight `w`."""
        return replace(self, P=lift(self.P, self.marked(j), label, w))


def best_weight(hit: Array, p: Array) -> float:
    """Find the weight ≥ 0 that makes the labels of a column's texts most likely, under a standard normal prior.

    `hit` says whether each text on which the column fires has the label, `p` is the label's probability without the column.

    Examples
    --------
    >>> bool(best_weight(np.array([True] * 9 + [False]), np.full(10, 0.25)) > 1.9), best_weight(np.array([False]), np.array([0.5]))
    (True, 0.0)
    """
    if float(hit.sum() - p.sum()) <= 0:
        return 0.0
    low, high = 0.0, MAX_WEIGHT
    # The slope is decreasing, so bisection finds its zero; Newton's steps would oscillate if p is small.
    for _ in range(HALVINGS):
        w = (low + high) / 2
        lifted = p * np.exp(w)
        slope = float(hit.sum() - (lifted / (1 - p + lifted)).sum()) - w
        low, high = (w, high) if slope > 0 else (low, w)
    return (low + high) / 2


def likelihood_change(hit: Array, p: Array, w: float) -> Array:
    """Compute the gain in log-likelihood of each text on which a column fires if the column is added with weight `w`.

    Examples
    --------
    >>> likelihood_change(np.array([True, False]), np.array([0.5, 0.5]), np.log(3)).round(3).tolist()  # p: 1/2 → 3/4
    [0.405, -0.693]
    """
    return np.asarray(w * hit - np.log1p(p * np.expm1(w)))


def lift(P: Array, rows: Array, label: int, w: float) -> Array:
    """Return the probabilities after adding `w` to the logit of a label on some rows, as a new array."""
    P = P.copy()
    P[rows, label] *= np.exp(w)
    P[rows] /= P[rows].sum(axis=1, keepdims=True)
    return P


def greedy(
    mined: Rows,
    judging: Rows,
    label: Sequence[int],
    eligible: Sequence[int],
    *,
    n: int,
    min_gain: float,
    is_new: Callable[[int, list[int]], bool],
) -> list[int]:
    """Select candidates one by one: always the one that adds most to the log-likelihood of texts that its weight was not learned on.

    A candidate's gain only shrinks as others are selected. So the candidate with the largest earlier gain is computed again first, and
    selected if it is still the largest (Minoux 1978).

    Parameters
    ----------
    mined, judging
        Rows that weights are learned on, and rows that gains are measured on.
    label, eligible
        Class index of each candidate, and the candidates that may be selected.
    n, min_gain
        Stop after `n` candidates, or if the gain is below `min_gain`.
    is_new
        Whether a candidate differs enough from those already selected.
    """
    taken: list[int] = []

    def gain(j: int) -> tuple[float, float]:
        w = best_weight(*mined.seen_by(j, label[j]))
        return float(likelihood_change(*judging.seen_by(j, label[j]), w).sum()), w

    heap = [(-gain(j)[0], j) for j in eligible]
    heapq.heapify(heap)
    while heap and len(taken) < n:
        _, j = heapq.heappop(heap)
        if not is_new(j, taken):
            continue
        now, w = gain(j)
        if heap and -now > heap[0][0]:
            if now >= min_gain:
                heapq.heappush(heap, (-now, j))
        elif now >= min_gain:
            taken.append(j)
            mined, judging = (rows.with_column(j, label[j], w) for rows in (mined, judging))
    return taken
