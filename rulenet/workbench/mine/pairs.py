"""Pairs of words that say more together than each alone: `all: [a, b]` and `a unless b`. Imports numpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rulenet.base.types import Array
from rulenet.workbench.mine.contrast import expected_gain

RARE = 0.4  # for an exception: largest share of the label with it, relative to that without it


@dataclass(frozen=True)
class Pair:
    """Two columns, and their gain in log-likelihood over the better of the two alone."""

    first: int
    second: int
    is_exception: bool  # the first unless the second
    gain: float


def pairs(D: Any, hit: Array, p: Array, *, n: int, min_texts: int, min_share: float) -> list[Pair]:
    """Find the pairs that gain most over their parts, best first; every pair is tried, so D should have a few hundred terms only.

    Parameters
    ----------
    D
        Presence, shape (n_texts, n_terms).
    hit, p
        Whether each text has the label, and the label's present probability, shape (n_texts,).
    min_texts, min_share
        Least number of texts of a pair, and least share of these that have the label.

    Examples
    --------
    >>> import scipy.sparse
    >>> D = scipy.sparse.csr_matrix([[1, 1], [1, 1], [1, 0], [0, 1]], dtype=float)
    >>> found = pairs(D, np.array([1, 1, 0, 0]), np.full(4, 0.5), n=1, min_texts=2, min_share=0.5)
    >>> found[0].first, found[0].second, found[0].is_exception
    (0, 1, False)
    """
    texts, right, expected, spread = (_together(D, row) for row in (np.ones(len(p)), hit, p, p * (1 - p)))
    own = [np.diag(M)[:, None] for M in (texts, right, expected, spread)]
    alone = np.maximum(expected_gain(own[1] - own[2], own[3]), 0)

    both = expected_gain(right - expected, spread) - np.maximum(alone, alone.T)
    both[(texts < min_texts) | (right < min_share * texts) | np.tri(len(texts), dtype=bool)] = 0

    texts_left, right_left, expected_left, spread_left = (
        a - M for a, M in zip(own, (texts, right, expected, spread), strict=True)
    )
    without = expected_gain(right_left - expected_left, spread_left) - alone
    too_few = (texts_left < min_texts) | (texts < min_texts)
    # With a real exception the label is rare; other words just happen to occur in texts that are already predicted well.
    still_right = right * texts_left > RARE * right_left * texts
    without[too_few | still_right | (right_left < min_share * texts_left) | np.eye(len(texts), dtype=bool)] = 0

    found = [Pair(i, j, False, float(both[i, j])) for i, j in _best(both, n)]
    found += [Pair(i, j, True, float(without[i, j])) for i, j in _best(without, n)]
    return sorted(found, key=lambda pair: (-pair.gain, pair.first, pair.second))[:n]


def _together(D: Any, weight: Array) -> Array:
    """Return the sum of the weights of the texts that contain both of two terms, shape (n_terms, n_terms)."""
    return np.asarray((D.T @ D.multiply(weight[:, None]).tocsr()).toarray())


def _best(gain: Array, n: int) -> list[tuple[int, int]]:
    order = np.argsort(-gain, axis=None, kind="stable")[:n]
    rows, columns = np.unravel_index(order, gain.shape)
    return [(int(i), int(j)) for i, j in zip(rows, columns, strict=True) if gain[i, j] > 0]
