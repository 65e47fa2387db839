"""f(x) = a·φ(x) + s·ψ(x): the fitted parts, and nothing else. torch is imported only where ψ is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse

from rulenet.features.blocks import Features
from rulenet.model.phi import RuleColumn, Weights
from rulenet.rules.ruleset import RuleSet

if TYPE_CHECKING:
    from rulenet.model.onnx_engine import OnnxPsi
    from rulenet.model.psi import Psi

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Parts:
    """Addends of the logits of some texts, scales applied.

    Attributes
    ----------
    X
        Columns of each text, sparse, shape (n_texts, n_columns).
    phi, psi
        a·φ and s·ψ, shape (n_texts, n_classes); psi is zero where it was skipped.
    skipped
        Whether the answer is φ's alone, shape (n_texts,): ψ was not worth running, or the model has none.
    """

    X: scipy.sparse.csr_matrix
    phi: Array
    psi: Array
    skipped: Array

    @property
    def logits(self) -> Array:
        """Shape (n_texts, n_classes)."""
        return self.phi + self.psi


@dataclass(frozen=True)
class HeldOut:
    """What both parts say, before the two scalars, of texts that neither was trained on.

    Attributes
    ----------
    phi, psi
        Shape (n_texts, n_classes).
    y
        Class indices, shape (n_texts,); -1 where the label is not known.
    is_stale
        Rules have changed since.
    """

    phi: Array
    psi: Array
    y: Array
    is_stale: bool = False


@dataclass(frozen=True)
class Hybrid:
    """A fitted model.

    Attributes
    ----------
    features
        Texts → X.
    weights
        Solution of φ.
    psi
        The neural part, or None.
    phi_scale, psi_scale
        The scalars a and s, fitted on held-out texts. s = 0 is rules only.
    held_out
        Kept for calibration and cascade; None if there were too few texts.
    """

    features: Features
    weights: Weights
    psi: Psi | OnnxPsi | None = None
    phi_scale: float = 1.0
    psi_scale: float = 1.0
    held_out: HeldOut | None = None

    @property
    def is_neural(self) -> bool:
        """Whether ψ has a say."""
        return self.psi is not None and self.psi_scale > 0

    def parts(self, texts: Sequence[str], *, device: Any = "cpu", skip_above: float = math.inf) -> Parts:
        """Both addends for some texts as the user gave them.

        Parameters
        ----------
        skip_above
            ψ is not computed for texts where a·φ leads by more than this.
        """
        X = self.features.transform(texts)
        phi = self.weights.logits(X)
        psi = np.zeros_like(phi)
        skipped = np.ones(len(texts), dtype=bool)
        if self.psi is not None and self.is_neural:
            skipped = lead(self.phi_scale * phi) > skip_above
            rows = np.flatnonzero(~skipped)
            ids = self.psi.encoder.encode([texts[i] for i in rows.tolist()])
            psi[rows] = self.psi.predict(ids, phi[rows], device=device)
            if self.psi.bound is not None:
                # Rounding to 8 or 16 bits must not carry ψ beyond the bound that certifies an exit.
                np.clip(psi, -self.psi.bound, self.psi.bound, out=psi)
        return Parts(X, self.phi_scale * phi, self.psi_scale * psi, skipped)


def rule_columns(ruleset: RuleSet | None, classes: Sequence[str]) -> list[RuleColumn]:
    """How each rule's weight is learned, from what its author wrote.

    Examples
    --------
    >>> ruleset = RuleSet.from_yaml("{rulenet: 1, rules: [{id: a, label: x, word: b, weight: 2, pin: true}]}")
    >>> rule_columns(ruleset, ["w", "x"])
    [RuleColumn(label=1, prior=2.0, lower=2.0, upper=2.0)]
    """
    columns = []
    for rule in ruleset.rules if ruleset else ():
        low, high = {"for": (0.0, np.inf), "against": (-np.inf, 0.0), "free": (-np.inf, np.inf)}[rule.sign]
        if rule.pin:
            low = high = rule.prior
        columns.append(RuleColumn(list(classes).index(rule.label), rule.prior, low, high))
    return columns


def with_ruleset(hybrid: Hybrid, ruleset: RuleSet | None, classes: Sequence[str]) -> Hybrid:
    """The same model beside other rules, without retraining.

    A rule that is the same in label, starting weight, sign and pin keeps its learned weight; any other starts at its author's.
    """
    before = hybrid.features.ruleset
    old = {rule.id: (rule, hybrid.weights.coef[i]) for i, rule in enumerate(before.rules)} if before else {}
    coef = np.zeros((len(ruleset) if ruleset else 0, len(classes)))
    for i, rule in enumerate(ruleset.rules if ruleset else ()):
        was = old.get(rule.id)
        if was is not None and all(
            getattr(was[0], name) == getattr(rule, name) for name in ("label", "prior", "sign", "pin")
        ):
            coef[i] = was[1]
        else:
            # The author's weight is in logits of the model, so the scale of φ must not stretch it.
            coef[i, list(classes).index(rule.label)] = rule.prior / hybrid.phi_scale
    weights = Weights(np.vstack([coef, hybrid.weights.coef[hybrid.features.n_rules :]]), hybrid.weights.bias)
    held_out = hybrid.held_out and replace(hybrid.held_out, is_stale=hybrid.held_out.is_stale or ruleset != before)
    return replace(hybrid, features=hybrid.features.with_ruleset(ruleset), weights=weights, held_out=held_out)


def softmax(logits: Array) -> Array:
    """Probabilities of each row."""
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(e / e.sum(axis=1, keepdims=True))


def lead(logits: Array) -> Array:
    """Top logit minus the runner-up's, shape (n_texts,).

    Examples
    --------
    >>> lead(np.array([[1.0, 4.0, 3.0]]))
    array([1.])
    """
    top = np.partition(logits, -2, axis=1)
    return np.asarray(top[:, -1] - top[:, -2])
