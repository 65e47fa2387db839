"""The dense columns of φ's problem: word vectors of the terms, hidden states of an encoder. Imports phi and numpy. See phi_problem.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from rulenet.base.types import Array
from rulenet.model.phi import Weights

CURVATURE = 0.1  # of the loss of a text by a logit: p (1 − p), roughly


def shared_by(vectors: Array, of_vectors: Array) -> Array:
    """What terms share, (n_terms, n_classes); many vectors are not copied to another type."""
    return np.asarray(vectors @ of_vectors.astype(vectors.dtype, copy=False), dtype=np.float64)


class Dense:
    """The dense columns D = [τ·T·V | H]: centred, which only moves the bias, rotated to their axes, and scaled by their curvature.

    In these coordinates the loss is about as steep in every direction, so that the solver needs no more steps than without them.
    """

    def __init__(
        self, T: Any, vectors: Array | None, tau: float, H: Array, variances: tuple[float, float], mass: Array
    ) -> None:
        self.vectors, self.tau = vectors, tau
        blocks = [H.astype(np.float32, copy=False)]
        if vectors is not None:
            blocks.insert(0, tau * np.asarray(T @ vectors, dtype=np.float32))
        self.d = blocks[0].shape[1] if vectors is not None else 0
        D = np.hstack(blocks)
        self.mean = (mass / max(mass.sum(), 1e-12)).astype(np.float32) @ D
        D = D - self.mean
        prior = np.repeat(variances, [self.d, H.shape[1]])
        root = np.sqrt(prior)
        gram = root[:, None] * ((D * mass[:, None].astype(np.float32)).T @ D).astype(np.float64) * root
        curvature, axes = np.linalg.eigh(gram)
        step = 1 / np.sqrt(1 + CURVATURE * np.maximum(curvature, 0.0))
        self.back = root[:, None] * axes * step  # weights of D = back · weights of `columns`
        self.forth = (axes / step).T / root
        self.columns = D @ self.back.astype(np.float32)
        self.precision = step**2
        self.width = D.shape[1]

    def start(self, others: Array, given: Weights, head: Array | None) -> tuple[Array, Array, Array]:
        """Own weights of the other columns, dense weights, and what the bias has to make up for."""
        G = np.zeros((self.width, others.shape[1]))
        if self.vectors is not None and self.tau and given.of_vectors is not None and given.shared is not None:
            G[: self.d] = given.of_vectors / self.tau
            others[: len(given.shared)] -= given.shared
        if head is not None:
            G[self.d :] = head
        return others, self.forth @ G, self.mean @ G

    def solution(self, own: Weights, dense: Array, n_rules: int) -> tuple[Weights, Array]:
        """φ's weights with what terms share, and those of the head."""
        G = self.back @ dense
        bias, head = own.bias - self.mean @ G, G[self.d :]
        if self.vectors is None:
            return Weights(own.coef, bias), head
        of_vectors = self.tau * G[: self.d]
        shared = shared_by(self.vectors, of_vectors)
        own.coef[n_rules : n_rules + len(shared)] += shared
        return Weights(own.coef, bias, shared, of_vectors), head
