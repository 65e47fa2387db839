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
from rulenet.errors import RuleNetError
from rulenet.features.blocks import Features
from rulenet.model.link import ONE_OF, AnyOf, Link
from rulenet.model.phi import Weights
from rulenet.rules.file.schema import Rule
from rulenet.rules.ruleset import RuleSet

Skips = Callable[[Array], Array]


@dataclass(frozen=True)
class Parts:
    """Addends of the logits of some texts, scales applied."""

    X: scipy.sparse.csr_matrix  # columns of each text, sparse, (n_texts, n_columns)
    phi: Array  # a·φ, (n_texts, n_classes)
    psi: Array  # s·ψ, (n_texts, n_classes); zero if skipped
    skipped: Array  # (n_texts,): whether the answer is φ's alone, as ψ was not worth running or the model has none

    @property
    def logits(self) -> Array:
        """Shape (n_texts, n_classes)."""
        return self.phi + self.psi


class Neural(Protocol):
    """What the formula needs of ψ; PyTorch and ONNX Runtime both provide it."""

    encoder: Any
    bound: float | None  # B, in logits

    def predict(self, rows: Any, phi: Array, *, device: Any) -> Any:
        """ψ, shape (n_texts, n_classes), from the word pieces and φ of each text."""


@dataclass(frozen=True)
class HeldOut:
    """φ and ψ, without the two scalars, of texts that neither was trained on."""

    phi: Array  # (n_texts, n_classes)
    psi: Array  # (n_texts, n_classes)
    y: Array  # right answers as the link has them: class indices, (n_texts,); -1 if the label is not known
    is_stale: bool = False  # whether the rules have changed since


@dataclass(frozen=True)
class Hybrid:
    """A fitted model."""

    features: Features  # texts → X
    weights: Weights  # solution of φ
    psi: Neural | None = None
    phi_scale: float = 1.0  # a, fitted on held-out texts
    psi_scale: float = 1.0  # s, likewise; 0 is rules only
    held_out: HeldOut | None = None  # for calibration and cascade; None if there were too few texts
    link: Link = ONE_OF  # the meaning of the logits

    @property
    def linear(self) -> Weights:
        """a·φ as scikit-learn has linear models: for two labels one column, the second minus the first; of several, above thresholds."""
        coef, bias = self.phi_scale * self.weights.coef, self.phi_scale * self.weights.bias
        if isinstance(self.link, AnyOf):
            return Weights(coef, bias - self.link.at)
        return Weights(coef[:, 1:] - coef[:, :1], bias[1:] - bias[:1]) if len(bias) == 2 else Weights(coef, bias)

    def times(self, factor: float) -> Hybrid:
        """The same with all logits so many times as large; without ψ that is in the weights, so that φ's scale stays 1."""
        if self.psi is not None:
            return replace(self, phi_scale=factor * self.phi_scale, psi_scale=factor * self.psi_scale)
        shared = None if self.weights.shared is None else factor * self.weights.shared
        weights = replace(self.weights, coef=factor * self.weights.coef, bias=factor * self.weights.bias, shared=shared)
        return replace(self, weights=weights)

    @property
    def is_neural(self) -> bool:
        """Whether answers use ψ."""
        return self.psi is not None and self.psi_scale > 0

    def parts(self, texts: Sequence[str], *, device: Any = "cpu", skips: Skips | None = None) -> Parts:
        """Both addends for some texts as the user gave them; `skips` tells from a·φ for which texts ψ is not computed."""
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
        if not (np.isfinite(phi).all() and np.isfinite(psi).all()):
            raise RuleNetError(
                "the logits of some texts are not finite: the weights of the model are damaged; train it again"
            )
        return Parts(X, self.phi_scale * phi, self.psi_scale * psi, skipped)


def with_ruleset(hybrid: Hybrid, ruleset: RuleSet | None, classes: Sequence[str]) -> Hybrid:
    """The same model with other rules, without retraining.

    A rule whose labels, starting weights, sign and pin are the same keeps its learned weights; any other starts at its author's weights.
    """
    before = hybrid.features.ruleset
    place = {rule.id: j for j, rule in enumerate(before.rules)} if before else {}
    coef = np.zeros((len(ruleset) if ruleset else 0, len(classes)))
    index = {label: k for k, label in enumerate(classes)}
    kept: dict[int, int] = {}
    for i, rule in enumerate(ruleset.rules if ruleset else ()):
        j = place.get(rule.id)
        if before is not None and j is not None and _learn_alike(before.rules[j], rule):
            kept[i] = j
        else:
            for label, prior in rule.evidence.items():
                # The author's weight is in logits of the model, so the scale of φ must not stretch it.
                coef[i, index[label]] = prior / hybrid.phi_scale
    coef[list(kept)] = hybrid.weights.coef[list(kept.values())]
    if ruleset is not None and before is not None:
        ruleset.compile_like(before)
    weights = replace(hybrid.weights, coef=np.vstack([coef, hybrid.weights.coef[hybrid.features.n_rules :]]))
    held_out = hybrid.held_out and replace(hybrid.held_out, is_stale=hybrid.held_out.is_stale or ruleset != before)
    return replace(hybrid, features=hybrid.features.with_ruleset(ruleset), weights=weights, held_out=held_out)


_written = attrgetter("label", "labels", "weight", "confidence", "sign", "pin")


def _learn_alike(a: Rule, b: Rule) -> bool:
    """Whether the weights of two rules are learned in the same way; most are written alike, which is quick to check."""
    return _written(a) == _written(b) or (a.evidence, a.sign, a.pin) == (b.evidence, b.sign, b.pin)
