"""The two scalars of f = a·φ + s·ψ, fitted on held-out texts. Imports numpy and scipy."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.optimize

Array = np.ndarray[Any, np.dtype[Any]]


def cross_entropy(logits: Array, target: Array) -> float:
    """Sum over texts of the cross-entropy of their target distributions."""
    top = logits.max(axis=1)
    log_z = top + np.log(np.exp(logits - top[:, None]).sum(axis=1))
    return float((target.sum(axis=1) * log_z).sum() - (target * logits).sum())


def fit_scales(phi: Array, psi: Array, target: Array) -> tuple[float, float]:
    """The scalars a, s ≥ 0 that make a·φ + s·ψ most likely on held-out texts; s = 0 is φ alone, so never less likely than that.

    A weak pull towards a = s = 1 decides where few texts say little.

    Examples
    --------
    >>> phi = np.array([[2.0, 0.0], [0.0, 2.0]] * 20)
    >>> a, s = fit_scales(phi, -phi, np.eye(2)[[0, 1] * 20])
    >>> a > 1, s < 0.7
    (True, True)
    """

    def loss(scales: Array) -> float:
        pull = 0.5 * float(np.log(scales[0]) ** 2 + (scales[1] - 1) ** 2)
        return cross_entropy(scales[0] * phi + scales[1] * psi, target) + pull

    bounds = [(0.05, 20.0), (0.0, 10.0)]
    starts = [np.array([1.0, 1.0]), np.array([1.0, 0.0])]
    found = min(
        (scipy.optimize.minimize(loss, start, method="L-BFGS-B", bounds=bounds) for start in starts),
        key=lambda r: r.fun,
    )
    return float(found.x[0]), float(found.x[1])
