"""What a fitted model loses without each single rule, everything else unchanged. Imports the predictor and below.

Deleting a rule changes φ, and ψ reads φ: ψ = B tanh(s + W_1 φ). The transformer does not have to run again for each rule, because ψ
can be inverted: s = artanh(ψ/B) follows from the model's own prediction, and without rule j it is s − W_1 w_j. ψ runs on every text,
even if a cascade would skip it. Only texts on which a rule fires change, so all rules together cost about as much as one prediction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse

from rulenet.base.progress import Progress
from rulenet.base.types import Array
from rulenet.decide.policy import Policy
from rulenet.model.hybrid import Hybrid, Parts
from rulenet.predictor import BLOCK, Predictor

_CHUNK = 1 << 18  # firings in memory at a time, for each class
_TINY = 1e-12  # smallest probability in a log-loss


@dataclass(frozen=True)
class Worth:
    """What a model learned about a rule, and would lose without it, on some texts.

    Without labels, only the first two are known.
    """

    weights: dict[str, float]  # what a firing adds to the logit of each label of the rule
    decides: int  # number of texts whose prediction would change
    saves: int | None = None  # number of correct predictions that would become wrong
    spoils: int | None = None  # number of wrong predictions that would become correct
    accuracy: float | None = (
        None  # accuracy lost, (saves − spoils) / n_texts: negative if the model is better without the rule
    )
    log_loss: float | None = None  # increase of the mean −log p(correct label, or labels) over all texts


def measure(
    model: Predictor, texts: Sequence[str], y: Array | None = None, *, progress: Progress | None = None
) -> tuple[scipy.sparse.csr_matrix, list[Worth]]:
    """Compute R of the model's rules on some texts, and the worth of each rule.

    Parameters
    ----------
    y
        Index of the correct label of each text among the labels of the model, or of several 0 and 1 for each; None: not known.

    Returns
    -------
    tuple
        R of shape (n_texts, n_rules), int8, and one Worth per rule.
    """
    hybrid, n_rules = model.hybrid, model.hybrid.features.n_rules
    totals = np.zeros((n_rules, 4))  # decides, saves, spoils, log-loss
    blocks = [scipy.sparse.csr_matrix((0, n_rules), dtype=np.int8)]
    for at in (progress or Progress()).track(range(0, len(texts), BLOCK), "model"):
        parts = model.parts(texts[at : at + BLOCK], may_skip=False)
        R = parts.X[:, :n_rules]
        totals += _losses(hybrid, parts, R, model.policy, None if y is None else y[at : at + BLOCK])
        blocks.append(R.astype(np.int8))
    ruleset, n = hybrid.features.ruleset, max(len(texts), 1)
    W = hybrid.phi_scale * hybrid.weights.coef[:n_rules]
    found = []
    for rule, w, (decides, saves, spoils, loss) in zip(
        ruleset.rules if ruleset else (), W, totals.tolist(), strict=True
    ):
        weights = {label: float(w[model.names.index(label)]) for label in rule.evidence}
        judged = () if y is None else (int(saves), int(spoils), (saves - spoils) / n, loss / n)
        found.append(Worth(weights, int(decides), *judged))
    return scipy.sparse.csr_matrix(scipy.sparse.vstack(blocks, format="csr")), found


def _losses(hybrid: Hybrid, parts: Parts, R: scipy.sparse.csr_matrix, policy: Policy, y: Array | None) -> Array:
    """Return the sums over the texts behind the fields of `Worth`, shape (n_rules, 4)."""
    totals = np.zeros((R.shape[1], 4))
    logits, coef = parts.logits, hybrid.weights.coef[: R.shape[1]]
    answer = hybrid.link.answer(logits)
    loss = None if y is None else _log_loss(policy.probabilities(logits, parts.skipped), y)
    row_of = np.repeat(np.arange(R.shape[0]), np.diff(R.indptr))
    for first in range(0, R.nnz, _CHUNK):
        rows, rules = row_of[first : first + _CHUNK], R.indices[first : first + _CHUNK]
        phi = parts.phi[rows] - hybrid.phi_scale * coef[rules]  # (n_firings, K)
        without = phi + _psi_without(hybrid, parts.psi[rows], coef[rules])
        other = hybrid.link.answer(without)
        changed = ~_same(other, answer[rows])
        sums = [changed]
        if y is not None and loss is not None:
            rise = _log_loss(policy.probabilities(without, parts.skipped[rows]), y[rows]) - loss[rows]
            sums += [changed & _same(answer[rows], y[rows]), changed & _same(other, y[rows]), rise]
        for k, addends in enumerate(sums):
            totals[:, k] += np.bincount(rules, weights=addends, minlength=len(totals))
    return totals


def _same(a: Array, b: Array) -> Array:
    """Whether two answers are the same, of several labels in all of them, shape (n,)."""
    return np.asarray((a == b).reshape(len(a), -1).all(axis=1))


def _log_loss(proba: Array, y: Array) -> Array:
    if y.ndim == 2:  # one decision for each label
        return np.asarray(-np.log(np.maximum(np.where(y > 0, proba, 1 - proba), _TINY)).sum(axis=1))
    return np.asarray(-np.log(np.maximum(proba[np.arange(len(y)), y], _TINY)))


def _psi_without(hybrid: Hybrid, psi: Array, coef: Array) -> Array:
    """Return s·ψ without the weights `coef` in the φ that ψ reads; all arrays have the shape (n, n_classes)."""
    if hybrid.psi is None or not hybrid.is_neural:
        return psi
    from rulenet.model.onnx.engine import in_torch

    from_phi = in_torch(hybrid.psi).from_phi.weight.detach().cpu().double().numpy()  # W_1, (K, K)
    shift, bound = coef @ from_phi.T, hybrid.psi.bound
    if bound is None:
        return np.asarray(psi - hybrid.psi_scale * shift)
    with np.errstate(divide="ignore"):  # where ψ is at its bound, s is infinite and remains so
        score = np.arctanh(np.clip(psi / (hybrid.psi_scale * bound), -1.0, 1.0))
    return np.asarray(hybrid.psi_scale * bound * np.tanh(score - shift))
