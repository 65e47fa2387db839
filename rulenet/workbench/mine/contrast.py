"""Statistics of how much columns say about labels, alone or in addition to present predictions. Imports numpy and scipy."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.stats

from rulenet.base.types import Array

PRIOR = 0.1  # weight of the Dirichlet prior, as a share of all occurrences; its terms are distributed as in all texts
MANY = 300  # beyond this number of texts, a sum of coin flips is treated as normal


def log_odds(D: Any, Y: Array) -> Array:
    """Compute the z-score of how much more a term belongs to a label than to the others, shape (n_terms, n_classes).

    This is the log-odds ratio with an informative Dirichlet prior (Monroe, Colaresi & Quinn 2008, "Fightin' Words"), over counts of texts:
    from the presence D of terms, shape (n_texts, n_terms), and one-hot labels Y, shape (n_texts, n_classes).

    Examples
    --------
    >>> D = np.array([[1, 1, 0]] * 9 + [[1, 0, 1]] * 9)
    >>> log_odds(D, np.eye(2)[[0] * 9 + [1] * 9]).round(1).tolist()
    [[0.0, 0.0], [2.7, -2.7], [-2.7, 2.7]]
    """
    counts = np.asarray(D.T @ Y, dtype=np.float64)  # (n_terms, K)
    total = counts.sum(axis=1, keepdims=True)
    prior = PRIOR * total
    own, others = counts + prior, total - counts + prior
    own_rest, others_rest = own.sum(axis=0) - own, others.sum(axis=0) - others
    with np.errstate(divide="ignore", invalid="ignore"):
        delta = np.log(own / own_rest) - np.log(others / others_rest)
        return np.asarray(np.nan_to_num(delta / np.sqrt(1 / own + 1 / others), posinf=0.0, neginf=0.0))


def expected_gain(hits: Array, variance: Array) -> Array:
    """Estimate the gain in log-likelihood from a new column: one Newton step from zero under a standard normal prior of its weight.

    With `hits` = Σ (y − p) and `variance` = Σ p (1 − p) over the texts of the column, the gain is hits² / 2 (variance + 1), with the sign
    of `hits`.

    Examples
    --------
    >>> float(expected_gain(np.array(8.0), np.array(1.0)))
    16.0
    """
    return np.asarray(np.sign(hits) * hits**2 / (2 * (variance + 1)))


def surprise(hit: Array, p: Array) -> float:
    """Compute the probability of at least as many hits as there are, if each text is a hit with its predicted probability.

    The number of hits is a sum of unequal coin flips (Poisson binomial); beyond a few hundred texts it is treated as normal.

    Examples
    --------
    >>> surprise(np.array([True, True]), np.array([0.5, 0.5])), surprise(np.array([False]), np.array([0.5]))
    (0.25, 1.0)
    """
    found = int(hit.sum())
    if not found:
        return 1.0
    if len(p) > MANY:
        z = (found - 0.5 - p.sum()) / max(float(np.sqrt((p * (1 - p)).sum())), 1e-12)
        return float(scipy.stats.norm.sf(z))
    return float(np.clip(scipy.stats.poisson_binom.sf(found - 1, p), 0.0, 1.0))


def discoveries(p: Array, rate: float = 0.1) -> Array:
    """Select findings such that at most this share of them is expected to be false (Benjamini & Hochberg 1995).

    Examples
    --------
    >>> discoveries(np.array([0.01, 0.04, 0.06, 0.5]), 0.1).tolist()
    [True, True, True, False]
    """
    return np.asarray(scipy.stats.false_discovery_control(p) <= rate) if len(p) else np.zeros(0, dtype=bool)
