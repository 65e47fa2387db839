"""What logits mean: how far they are from the right answer, how sure they are, and which answer they give. Imports numpy alone.

`OneOf` gives every text exactly one label. That is decided here and nowhere else: the solver of φ, the loss of ψ, calibration, cascade and
explanations ask the link, so that several labels per text are one more class. torch is not imported: `tensor_loss` calls methods of the
tensors it is given, which gives the same bits as torch's own cross-entropy (a test compares the two).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from rulenet.base.types import Array


class Link(Protocol):
    """From logits of shape (n_texts, n_classes) to losses, probabilities and answers; targets have the same shape."""

    def targets(self, y: Array, n_classes: int) -> Array:
        """Target of each text from its right answer."""

    def mass(self, target: Array) -> Array:
        """Weight of each text, shape (n_texts,): 0 where nothing is known about it."""

    def right(self, target: Array) -> Array:
        """Right answer of each text from its target."""

    def strata(self, target: Array) -> Array:
        """Group of each text, shape (n_texts,): each fold and split has all groups in equal shares."""

    def losses(self, logits: Array, target: Array) -> Array:
        """Loss of each text, shape (n_texts,)."""

    def loss_and_residual(self, logits: Array, target: Array, mass: Array) -> tuple[float, Array]:
        """Sum of the losses, and its gradient by the logits; `mass` is that of the target, computed once by a solver."""

    def tensor_loss(self, logits: Any, target: Any) -> Any:
        """Mean loss of a batch of torch tensors, differentiable."""

    def smoothed(self, target: Any, share: float) -> Any:
        """A target, array or tensor, of which a share says nothing."""

    def proba(self, logits: Array) -> Array:
        """Probability of each label."""

    def answer(self, logits: Array) -> Array:
        """The answer of each text."""

    def changed(self, before: Array, after: Array) -> Array:
        """Whether the answers to two arrays of logits differ, shape (n_texts,)."""

    def confident(self, logits: Array, threshold: float) -> Array:
        """The answers with at least this probability as targets; rows of zeros for the other texts."""

    def lead(self, logits: Array) -> Array:
        """How far the logits are from another answer, shape (n_texts,)."""

    def flip_margin(self, bound: float | None, psi_scale: float) -> float:
        """The lead of a·φ above which s·ψ, with |ψ| ≤ B, cannot change the answer; infinite for an unbounded ψ."""

    def against(self, logits: Array) -> tuple[Array, Array]:
        """For explanations: class index of each answer, and of the label that it is explained against."""


@dataclass(frozen=True)
class OneOf:
    """Exactly one label per text: softmax, and the largest logit answers. An answer is a class index.

    Examples
    --------
    >>> link, logits = OneOf(), np.array([[1.0, 4.0, 3.0]])
    >>> link.answer(logits), link.lead(logits), link.against(logits)
    (array([1]), array([1.]), (array([1]), array([2])))
    >>> link.proba(logits).round(2)
    array([[0.04, 0.71, 0.26]])
    >>> link.losses(logits, link.targets(np.array([1]), 3)).round(2)  # −log 0.71
    array([0.35])
    """

    def targets(self, y: Array, n_classes: int) -> Array:
        return np.asarray(np.eye(n_classes)[y])

    def mass(self, target: Array) -> Array:
        """Sum of each row: 1 for a known label, less for an uncertain guess."""
        return np.asarray(target.sum(axis=1))

    def right(self, target: Array) -> Array:
        return np.asarray(target.argmax(axis=1))

    def strata(self, target: Array) -> Array:
        return self.right(target)

    def losses(self, logits: Array, target: Array) -> Array:
        """Cross-entropy of each text."""
        return np.asarray(self.mass(target) * _log_sum_exp(logits) - (target * logits).sum(axis=1))

    def loss_and_residual(self, logits: Array, target: Array, mass: Array) -> tuple[float, Array]:
        """Sum of the cross-entropies, and its gradient: softmax, weighted by the text, minus target."""
        mass, log_z = mass[:, None], _log_sum_exp(logits)[:, None]
        residual = mass * np.exp(logits - log_z) - target  # (n, K)
        return float((mass * log_z).sum() - (target * logits).sum()), residual

    def tensor_loss(self, logits: Any, target: Any) -> Any:
        return -(logits.log_softmax(1) * target).sum() / len(logits)

    def smoothed(self, target: Any, share: float) -> Any:
        """The share is spread over all labels alike."""
        return (1 - share) * target + share * target.sum(1)[:, None] / target.shape[1]

    def proba(self, logits: Array) -> Array:
        """Softmax of each row."""
        e = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(e / e.sum(axis=1, keepdims=True))

    def answer(self, logits: Array) -> Array:
        """Class index of the largest logit, the first of equal ones, shape (n_texts,)."""
        return np.asarray(logits.argmax(axis=1))

    def changed(self, before: Array, after: Array) -> Array:
        return np.asarray(self.answer(before) != self.answer(after))

    def confident(self, logits: Array, threshold: float) -> Array:
        proba = self.proba(logits)
        is_sure = proba.max(axis=1, keepdims=True) >= threshold
        return np.asarray(self.targets(proba.argmax(axis=1), logits.shape[1]) * is_sure)

    def lead(self, logits: Array) -> Array:
        """Largest logit minus the second largest."""
        top = np.partition(logits, -2, axis=1)
        return np.asarray(top[:, -1] - top[:, -2])

    def flip_margin(self, bound: float | None, psi_scale: float) -> float:
        """2·s·B: ψ may lower the largest logit by s·B and raise the second largest by s·B."""
        return math.inf if bound is None else 2.0 * psi_scale * bound

    def against(self, logits: Array) -> tuple[Array, Array]:
        """The labels with the largest and the second largest logit."""
        order = np.argsort(-logits, axis=1, kind="stable")  # of equal ones the first, as in `answer`
        return order[:, 0], order[:, 1]


def _log_sum_exp(logits: Array) -> Array:
    top = logits.max(axis=1)
    return np.asarray(top + np.log(np.exp(logits - top[:, None]).sum(axis=1)))


ONE_OF = OneOf()
