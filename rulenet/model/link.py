"""What logits mean: how far they are from the right answer, how sure they are, and which answer they give. Imports numpy alone.

`OneOf` gives every text exactly one label, `AnyOf` any number of them. That is decided here and nowhere else: the solver of φ, the loss of
ψ, calibration, cascade and explanations ask the link. torch is not imported: `tensor_loss` calls methods of the tensors it is given, which
gives the same bits as torch's own cross-entropy (a test compares the two).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from rulenet.base.types import Array

UNSEEN = 0.1  # how far, in logits, a label without examples is from being an answer where nothing speaks for it
RARELY = -4.0  # log-odds of a label that no text has, where texts may have several
RARE = 10  # labels of fewer texts are one stratum: too few for a share in each fold


class Link(Protocol):
    """From logits of shape (n_texts, n_classes) to losses, probabilities and answers; targets have the same shape."""

    @property
    def several(self) -> bool:
        """Whether a text may have several labels, or none."""

    def targets(self, y: Array, n_classes: int) -> Array:
        """Target of each text from its right answer."""

    def mass(self, target: Array) -> Array:
        """Weight of each text, shape (n_texts,): 0 where nothing is known about it."""

    def positive(self, target: Array) -> Array:
        """How much each text speaks for each label, at least 0, shape (n_texts, n_classes)."""

    def balanced(self, target: Array) -> Array:
        """Targets that let all labels count alike, however frequent they are."""

    def right(self, target: Array) -> Array:
        """Right answer of each text from its target; -1 where it is not known."""

    def bias(self, target: Array) -> Array | float:
        """Prior mean of the biases."""

    def settled(self, bias: Array) -> Array:
        """Biases as they are kept, of those that the solver found."""

    @property
    def unseen(self) -> float:
        """Bias of a label without examples."""

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
        """For explanations: class index of each answer, and of the label that it is explained against; -1: against its threshold."""


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

    several = False
    unseen = -UNSEEN  # just below the mean of the others

    def targets(self, y: Array, n_classes: int) -> Array:
        return np.asarray(np.eye(n_classes)[y])

    def mass(self, target: Array) -> Array:
        """Sum of each row: 1 for a known label, less for an uncertain guess."""
        return np.asarray(target.sum(axis=1))

    def positive(self, target: Array) -> Array:
        return target

    def balanced(self, target: Array) -> Array:
        n = target.sum(axis=0)
        return np.asarray(target * np.divide(n.sum() / (n > 0).sum(), n, out=np.zeros_like(n), where=n > 0))

    def bias(self, target: Array) -> Array | float:
        return 0.0

    def settled(self, bias: Array) -> Array:
        """Their mean is 0: no answer depends on it."""
        return np.asarray(bias - bias.mean())

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


@dataclass(frozen=True)
class AnyOf:
    """Any number of labels per text: a sigmoid each, and all logits above their thresholds answer.

    The target of a text has, for each label, its weight if it has the label and minus that if not; 0 is not known. An answer is a row of
    0 and 1 (-1 in held-out ones: not known).

    Attributes
    ----------
    thresholds
        Of the logit of each label; empty: all are 0, which is a probability of one half.
    as_matrix
        Whether users get answers as such rows, as they gave them, rather than as tuples of labels.

    Examples
    --------
    >>> link, logits = AnyOf((0.0, -1.0, 2.0)), np.array([[1.5, -0.7, 1.0]])
    >>> link.answer(logits), link.lead(logits).round(2), link.flip_margin(2.0, 0.5)
    (array([[1, 1, 0]]), array([0.3]), 1.0)
    >>> link.proba(logits).round(2), link.targets(np.array([[1, 0, -1]]), 3)
    (array([[0.82, 0.33, 0.73]]), array([[ 1., -1.,  0.]]))
    """

    thresholds: tuple[float, ...] = ()
    as_matrix: bool = False

    several = True
    unseen = RARELY

    @cached_property
    def at(self) -> Any:
        """The thresholds as an array, or 0."""
        return np.array(self.thresholds) if self.thresholds else 0.0

    def targets(self, y: Array, n_classes: int) -> Array:
        return np.where(y < 0, 0.0, np.where(y > 0, 1.0, -1.0))

    def mass(self, target: Array) -> Array:
        """Largest weight of each row."""
        return np.asarray(np.abs(target).max(axis=1, initial=0.0))

    def positive(self, target: Array) -> Array:
        return np.maximum(target, 0.0)

    def balanced(self, target: Array) -> Array:
        """For each label, yes and no weigh half of all each."""
        yes, no = (np.maximum(sign * target, 0.0).sum(axis=0) for sign in (1, -1))
        weight = np.where(
            target > 0, 0.5 * len(target) / np.maximum(yes, 1e-9), 0.5 * len(target) / np.maximum(no, 1e-9)
        )
        return np.where(yes * no > 0, weight, 1.0) * target

    def right(self, target: Array) -> Array:
        return np.where(target == 0, -1, target > 0).astype(np.intp)

    def bias(self, target: Array) -> Array | float:
        """The log-odds of each label, with half a text more on both sides."""
        yes, no = (np.maximum(sign * target, 0.0).sum(axis=0) + 0.5 for sign in (1, -1))
        return np.asarray(np.log(yes / no))

    def settled(self, bias: Array) -> Array:
        return bias

    def strata(self, target: Array) -> Array:
        """The rarest label of each text, or none; rare ones are put together."""
        has = target > 0
        counts = has.sum(axis=0)
        rarity = np.where(has, counts, len(target) + 1)  # (n, K)
        found = np.where(has.any(axis=1), rarity.argmin(axis=1), target.shape[1])
        return np.asarray(np.where(np.bincount(found, minlength=1)[found] < RARE, target.shape[1], found))

    def losses(self, logits: Array, target: Array) -> Array:
        """Sum over the labels of the logistic losses of each text."""
        return np.asarray((np.abs(target) * np.logaddexp(0.0, -np.sign(target) * logits)).sum(axis=1))

    def loss_and_residual(self, logits: Array, target: Array, mass: Array) -> tuple[float, Array]:
        """Sum of the logistic losses, and its gradient by the logits."""
        sign, weight = np.sign(target), np.abs(target)
        return float((weight * np.logaddexp(0.0, -sign * logits)).sum()), -target * _sigmoid(-sign * logits)

    def tensor_loss(self, logits: Any, target: Any) -> Any:
        against = -target.sign() * logits
        return (target.abs() * (against.clamp(min=0) + (-against.abs()).exp().log1p())).sum() / len(logits)

    def smoothed(self, target: Any, share: float) -> Any:
        """The share is left out: a sign and a weight cannot say that a label is likely."""
        return (1 - share) * target

    def proba(self, logits: Array) -> Array:
        """Sigmoid of each logit."""
        return _sigmoid(logits)

    def answer(self, logits: Array) -> Array:
        """Which labels each text has, shape (n_texts, n_classes), 0 or 1."""
        return np.asarray(logits > self.at, dtype=np.intp)

    def changed(self, before: Array, after: Array) -> Array:
        return np.asarray((self.answer(before) != self.answer(after)).any(axis=1))

    def confident(self, logits: Array, threshold: float) -> Array:
        proba = self.proba(logits)
        return np.where(np.maximum(proba, 1 - proba) >= threshold, np.where(proba > 0.5, 1.0, -1.0), 0.0)

    def lead(self, logits: Array) -> Array:
        """Distance of the logit that is nearest to its threshold."""
        return np.asarray(np.abs(logits - self.at).min(axis=1))

    def flip_margin(self, bound: float | None, psi_scale: float) -> float:
        """s·B: ψ moves no logit further than that, and no threshold at all."""
        return math.inf if bound is None else psi_scale * bound

    def against(self, logits: Array) -> tuple[Array, Array]:
        """The label furthest above its threshold, against that threshold."""
        top = np.asarray((logits - self.at).argmax(axis=1))
        return top, np.full_like(top, -1)


def _sigmoid(logits: Array) -> Array:
    e = np.exp(-np.abs(logits))
    return np.asarray(np.where(logits >= 0, 1.0, e) / (1.0 + e))


def _log_sum_exp(logits: Array) -> Array:
    top = logits.max(axis=1)
    return np.asarray(top + np.log(np.exp(logits - top[:, None]).sum(axis=1)))


ONE_OF = OneOf()
ANY_OF = AnyOf()
