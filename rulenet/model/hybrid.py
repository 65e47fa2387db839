"""f(x) = a·φ(x) + s·ψ(x): the fitted parts, and nothing else. torch is imported only where ψ is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse

from rulenet.features.blocks import Features
from rulenet.model.phi import RuleColumn, Weights
from rulenet.rules.ruleset import RuleSet

if TYPE_CHECKING:
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
        a·φ and s·ψ, shape (n_texts, n_classes); psi is zero where the model has no neural part.
    """

    X: scipy.sparse.csr_matrix
    phi: Array
    psi: Array

    @property
    def logits(self) -> Array:
        """Shape (n_texts, n_classes)."""
        return self.phi + self.psi


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
    """

    features: Features
    weights: Weights
    psi: Psi | None = None
    phi_scale: float = 1.0
    psi_scale: float = 1.0

    @property
    def is_neural(self) -> bool:
        """Whether ψ has a say."""
        return self.psi is not None and self.psi_scale > 0

    def parts(self, texts: Sequence[str], *, device: Any = "cpu", budget: int = 8192) -> Parts:
        """Both addends for some texts as the user gave them."""
        X = self.features.transform(texts)
        phi = self.weights.logits(X)
        psi = np.zeros_like(phi)
        if self.psi is not None and self.is_neural:
            psi = self.psi.predict(self.psi.encoder.encode(texts), phi, budget=budget, device=device)
        return Parts(X, self.phi_scale * phi, self.psi_scale * psi)


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
    return Hybrid(hybrid.features.with_ruleset(ruleset), weights, hybrid.psi, hybrid.phi_scale, hybrid.psi_scale)


def softmax(logits: Array) -> Array:
    """Probabilities of each row."""
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(e / e.sum(axis=1, keepdims=True))
