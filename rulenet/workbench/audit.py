"""Pairs of rules, and confidence intervals and tests for shares. Imports the tally, numpy and scipy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse
import scipy.stats

from rulenet.base.types import Array
from rulenet.rules.engine.tally import Right, fired_right, opposition


@dataclass(frozen=True)
class Pairs:
    """Pairs of rules that fire on the same texts, the most frequent first; all arrays have the shape (n_pairs,)."""

    a: Array  # columns of the two rules, a < b
    b: Array
    texts: Array  # number of texts on which both fire
    right: (
        Array | None
    )  # number of these on which rule `a`, and rule `b`, is right, shape (n_pairs, 2); None without labels
    opposed: Array  # whether the two rules can never both be right

    def strongest(self, n_rules: int, top: int, *, opposed: bool) -> list[list[tuple[int, int]]]:
        """Return for each rule its `top` pairs with the most texts that contradict each other or do not, as (pair, the other rule)."""
        chosen = np.flatnonzero(self.opposed == opposed)
        rule, other = (np.concatenate([one[chosen], two[chosen]]) for one, two in ((self.a, self.b), (self.b, self.a)))
        pair = np.tile(chosen, 2)
        order = np.lexsort((other, -self.texts[pair], rule))
        rule, other, pair = rule[order], other[order], pair[order]
        place = np.arange(len(rule)) - np.searchsorted(rule, rule)  # 0 for the first of each rule
        found: list[list[tuple[int, int]]] = [[] for _ in range(n_rules)]
        for i in np.flatnonzero(place < top).tolist():
            found[rule[i]].append((int(pair[i]), int(other[i])))
        return found


def pairs(R: scipy.sparse.csr_matrix, right: Right, y: Array | None = None) -> Pairs:
    """Find rules that fire together; parameters as in `rulenet.rules.engine.tally.count`.

    Examples
    --------
    >>> R = scipy.sparse.csr_matrix([[1, 1], [1, 1], [0, 1]])
    >>> found = pairs(R, np.eye(2, dtype=bool), np.array([1, 1, 0]))
    >>> found.texts.tolist(), found.right.tolist(), found.opposed.tolist()
    ([2], [[0, 2]], [True])
    """
    R = scipy.sparse.csr_matrix(R, dtype=np.int32)
    together = scipy.sparse.triu(R.T @ R, k=1, format="coo")
    order = np.lexsort((together.col, together.row, -together.data))
    a, b, texts = together.row[order], together.col[order], together.data[order]
    group, opposed = opposition(right)
    wins = None
    if y is not None:
        won = scipy.sparse.csr_matrix(fired_right(R, right, y).T @ R)  # (i, j): texts on which both fire and i is right
        wins = np.column_stack([np.asarray(won[i, j]).ravel() if len(i) else i for i, j in ((a, b), (b, a))])
    return Pairs(a, b, texts, wins, opposed[group[a], group[b]])


def interval(right: Array, fired: Array, confidence: float = 0.95) -> tuple[Array, Array]:
    """Compute the confidence interval of a share by the score test (Wilson 1927; recommended by Brown, Cai & DasGupta 2001).

    `scipy.stats.binomtest` computes the same, but only for one share at a time.

    Examples
    --------
    >>> low, high = interval(np.array([8]), np.array([10]))
    >>> round(float(low[0]), 2), round(float(high[0]), 2)
    (0.49, 0.94)
    """
    z = float(scipy.stats.norm.ppf(0.5 + confidence / 2))
    n = np.maximum(fired, 1).astype(np.float64)
    share = right / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    low, high = np.clip(middle - reach, 0, 1), np.clip(middle + reach, 0, 1)
    return np.where(fired > 0, low, 0.0), np.where(fired > 0, high, 1.0)


def same_share(k0: Array, n0: Array | int, k1: Array, n1: Array | int) -> tuple[Array, Array]:
    """Compare the shares k0 of n0 and k1 of n1 by Fisher's exact test (1922), for many pairs of shares at once.

    Returns the probabilities of at most k1, and of at least k1, if both shares are the same. Twice the smaller of the two, at
    most 1, is the two-sided p-value. `scipy.stats.fisher_exact` computes the same, but only for one table at a time.

    Examples
    --------
    >>> few, many = same_share(np.array([5]), np.array([10]), np.array([0]), np.array([10]))
    >>> round(float(few[0]), 4), float(many[0])
    (0.0163, 1.0)
    """
    few = scipy.stats.hypergeom.cdf(k1, n0 + n1, k0 + k1, n1)
    many = scipy.stats.hypergeom.sf(np.asarray(k1) - 1, n0 + n1, k0 + k1, n1)
    return np.asarray(np.minimum(few, 1.0)), np.asarray(np.minimum(many, 1.0))


def holm(p: Array) -> Array:
    """Adjust p-values for the number of tests (Holm 1979): at level α, the probability of any false alarm is at most α.

    This is true even if the tests depend on each other, as those of rules that fire on the same texts do.

    Examples
    --------
    >>> holm(np.array([0.04, 0.01, 0.03])).tolist()
    [0.06, 0.03, 0.06]
    """
    order = np.argsort(p, kind="stable")
    scaled = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(scaled, 1.0)
    return adjusted
