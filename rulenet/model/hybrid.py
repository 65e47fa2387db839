"""f(x) = a·φ(x) + s·ψ(x): the fitted parts, and nothing else. Imports phi, link and features; torch only where ψ is.

The link is a field of `Hybrid`, not of `Predictor`: φ and ψ were trained for it, and everything that reads a fitted model needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any, Protocol

import numpy as np
import scipy.sparse

from rulenet.base.types import Array
from rulenet.features.blocks import Features
from rulenet.model.link import ONE_OF, Link
from rulenet.model.phi import Weights
from rulenet.rules.file.schema import Rule
from rulenet.rules.ruleset import RuleSet


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


class Neural(Protocol):
    """What the formula asks of ψ: PyTorch and ONNX Runtime both can give it.

    Attributes
    ----------
    encoder
        Texts → word pieces.
    bound
        B, in logits, or None.
    """

    encoder: Any
    bound: float | None

    def predict(self, rows: Any, phi: Array, *, device: Any) -> Any:
        """ψ of some texts, shape (n_texts, n_classes), from their word pieces and φ."""


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
    link
        What the logits mean.
    """

    features: Features
    weights: Weights
    psi: Neural | None = None
    phi_scale: float = 1.0
    psi_scale: float = 1.0
    held_out: HeldOut | None = None
    link: Link = ONE_OF

    @property
    def is_neural(self) -> bool:
        """Whether answers use ψ."""
        return self.psi is not None and self.psi_scale > 0

    def parts(
        self, texts: Sequence[str], *, device: Any = "cpu", skips: Callable[[Array], Array] | None = None
    ) -> Parts:
        """Both addends for some texts as the user gave them.

        Parameters
        ----------
        skips
            From a·φ, whether ψ is not to be computed for a text; None: it is computed for all.
        """
        X = self.features.transform(texts)
        phi = self.weights.logits(X)
        psi = np.zeros_like(phi)
        skipped = np.ones(len(texts), dtype=bool)
        if self.psi is not None and self.is_neural:
            skipped = np.zeros(len(texts), dtype=bool) if skips is None else skips(self.phi_scale * phi)
            rows = np.flatnonzero(~skipped)
            ids = self.psi.encoder.encode([texts[i] for i in rows.tolist()])
            psi[rows] = self.psi.predict(ids, phi[rows], device=device)
            if self.psi.bound is not None:
                # Rounding to 8 or 16 bits must not carry ψ beyond the bound that certifies an exit.
                np.clip(psi, -self.psi.bound, self.psi.bound, out=psi)
        return Parts(X, self.phi_scale * phi, self.psi_scale * psi, skipped)


def with_ruleset(hybrid: Hybrid, ruleset: RuleSet | None, classes: Sequence[str]) -> Hybrid:
    """The same model with other rules, without retraining.

    A rule that is the same in labels, starting weights, sign and pin keeps its learned weights; any other starts at its author's.
    """
    before = hybrid.features.ruleset
    place = {rule.id: j for j, rule in enumerate(before.rules)} if before else {}
    coef = np.zeros((len(ruleset) if ruleset else 0, len(classes)))
    index = {label: k for k, label in enumerate(classes)}
    new: list[int] = []
    old: list[int] = []
    for i, rule in enumerate(ruleset.rules if ruleset else ()):
        j = place.get(rule.id)
        if before is not None and j is not None and _learn_alike(before.rules[j], rule):
            new.append(i)
            old.append(j)
        else:
            for label, prior in rule.evidence.items():
                # The author's weight is in logits of the model, so the scale of φ must not stretch it.
                coef[i, index[label]] = prior / hybrid.phi_scale
    coef[new] = hybrid.weights.coef[old]
    if ruleset is not None and before is not None:
        ruleset.compile_like(before)
    weights = Weights(np.vstack([coef, hybrid.weights.coef[hybrid.features.n_rules :]]), hybrid.weights.bias)
    held_out = hybrid.held_out and replace(hybrid.held_out, is_stale=hybrid.held_out.is_stale or ruleset != before)
    return replace(hybrid, features=hybrid.features.with_ruleset(ruleset), weights=weights, held_out=held_out)


_written = attrgetter("label", "labels", "weight", "confidence", "sign", "pin")


def _learn_alike(a: Rule, b: Rule) -> bool:
    """Whether the weights of two rules are learned in the same way; most are written alike, and that is quick to see."""
    return _written(a) == _written(b) or (a.evidence, a.sign, a.pin) == (b.evidence, b.sign, b.pin)
