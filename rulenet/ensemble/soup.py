"""Soups: models of the same kind whose weights are averaged to one, which costs no more than one (Wortsman et al. 2022).

    a·φ = mean of a_m·φ_m,    s·ψ = B · tanh(W_h h(x) + W_1 φ(x) + b_1),    B, B·W_h, B·W_1, B·b_1 and the encoder: means

φ is linear, so its average is exact: the soup's φ is the mean of the members'. The average of ψ is a good one where the members began at
the same weights, as seeds of one pretrained encoder do. Imports the estimator and below; torch late.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from rulenet.base.types import Array
from rulenet.data.check import check_texts
from rulenet.errors import ParameterError
from rulenet.estimator import RuleNetClassifier
from rulenet.model.hybrid import Hybrid
from rulenet.model.phi import Weights
from rulenet.predictor import Predictor

if TYPE_CHECKING:
    from rulenet.model.psi import Psi

# What a soup has from its first member, as all were fitted to the same texts.
_SAME = (
    "n_texts",
    "n_unlabeled",
    "language",
    "n_rules",
    "n_terms",
    "encoder",
    "n_pieces",
    "cut_texts",
    "seconds_per_text",
)


def soup(
    models: Sequence[RuleNetClassifier], texts: Sequence[str] | None = None, labels: Sequence[Any] | None = None
) -> RuleNetClassifier:
    """One model whose weights are the average of those of several.

    Parameters
    ----------
    models
        Fitted with the same rules to the same texts, best with several values of ``random_state``; encoders must be of one architecture.
    texts, labels
        Not those of training. With them the soup is greedy: members are tried from the best on, and one that makes the soup worse is
        left out, so that it is never worse on these texts than its best member. By these texts it is calibrated, too. Without them
        all members are averaged, and the soup is not calibrated: see `RuleNetClassifier.calibrate`.

    Returns
    -------
    RuleNetClassifier
        Its ``report_["soup"]`` says which members are in it and, of a greedy one, the accuracy of each and of the soup.

    Raises
    ------
    ParameterError, InputError, NotFittedError
        If there are no models, one is not fitted, or two cannot be averaged.

    Examples
    --------
    >>> texts, labels = ["good", "fine", "bad", "poor"], ["pos", "pos", "neg", "neg"]
    >>> a, b = (RuleNetClassifier(None, None, random_state=seed).fit(texts, labels) for seed in (0, 1))
    >>> both = soup([a, b])
    >>> both.predict(["a good day"]).tolist(), both.report_["soup"]
    (['pos'], {'members': 2, 'kept': [0, 1]})
    """
    if isinstance(models, RuleNetClassifier) or not models:
        raise ParameterError("models should be a list of fitted models, such as [a, b, c]")
    if (texts is None) != (labels is None):
        raise ParameterError(
            "a greedy soup needs held-out texts and their labels; give both, or neither for a plain average"
        )
    predictors = _alike([model.predictor_ for model in models])
    hybrids, kept = [predictor.hybrid for predictor in predictors], list(range(len(models)))
    about: dict[str, Any] = {"members": len(models)}
    if texts is not None and labels is not None:
        texts = check_texts(texts, may_be_empty=False)
        y = predictors[0].class_indices(labels, len(texts))
        kept, about["accuracies"], about["accuracy"] = _greedy(predictors, texts, y)
        about["texts"] = len(texts)
    hybrid = replace(_average([hybrids[i] for i in kept]), held_out=None)
    made = copy.copy(models[0])
    made.report_ = {
        name: value for name, value in models[0].report_.items() if name in (*_SAME, "settled", "rule_tally")
    }
    made.report_ |= {
        "phi_scale": hybrid.phi_scale,
        "psi_scale": hybrid.psi_scale,
        "soup": about | {"kept": sorted(kept)},
    }
    made.predictor_ = predictors[0].with_hybrid(hybrid)
    return made if texts is None else made.calibrate(texts, labels)


def _alike(predictors: list[Predictor]) -> list[Predictor]:
    """The same, if they can be averaged."""
    for predictor in predictors:
        predictor.only_one("a soup")
    for number, predictor in enumerate(predictors[1:], start=2):
        if difference := next(_differences(predictors[0], predictor), ""):
            raise ParameterError(f"model {number} cannot be averaged with the first one: {difference}")
    return predictors


def _greedy(predictors: list[Predictor], texts: list[str], y: Array) -> tuple[list[int], list[float], float]:
    """Members of a greedy soup, the accuracies of all models, and that of the soup."""

    def judged(hybrid: Hybrid) -> tuple[float, float]:
        """Accuracy and, to decide between equal ones, minus the mean loss."""
        logits = predictors[0].with_hybrid(hybrid).parts(texts, may_skip=False).logits
        link = hybrid.link
        return float((link.answer(logits) == y).mean()), -float(
            link.losses(logits, link.targets(y, logits.shape[1])).mean()
        )

    hybrids = [replace(predictor.hybrid, held_out=None) for predictor in predictors]
    scores = [judged(hybrid) for hybrid in hybrids]
    first, *others = sorted(range(len(hybrids)), key=lambda i: scores[i], reverse=True)
    kept, best = [first], scores[first]
    for i in others:
        score = judged(_average([hybrids[j] for j in (*kept, i)]))
        if score >= best:
            kept, best = [*kept, i], score
    return kept, [accuracy for accuracy, _ in scores], best[0]


def _differences(one: Predictor, other: Predictor) -> Iterator[str]:
    """Why two models cannot be averaged."""
    a, b = one.hybrid, other.hybrid
    if one.labels.tolist() != other.labels.tolist():
        yield f"it has the labels {other.labels.tolist()}, not {one.labels.tolist()}"
    if a.features.ruleset != b.features.ruleset:
        yield "it has other rules; `with_rules` gives both the same"
    if (
        a.features.language != b.features.language
        or a.weights.coef.shape != b.weights.coef.shape
        or not _same_terms(a, b)
    ):
        again = "fit all to the same texts with one recipe"
        yield f"its φ has other columns; {again}, and word_vectors=None or a number for tau if they chose differently"
    if (a.psi is None) != (b.psi is None):
        yield "only one of them has an encoder"
    if a.psi is None or b.psi is None:
        return
    p, q = (_torch(psi) for psi in (a.psi, b.psi))
    if (p.bound is None) != (q.bound is None):
        yield "only one of them has a bound"
    shapes = [{name: value.shape for name, value in psi.state_dict().items()} for psi in (p, q)]
    if shapes[0] != shapes[1] or p.encoder.tokenizer.to_str() != q.encoder.tokenizer.to_str():
        yield f"its encoder, {q.encoder.name!r}, is built otherwise or reads other word pieces than {p.encoder.name!r}"
    read = ("max_length", "long_texts", "max_chunks")
    if any(getattr(p.encoder, name) != getattr(q.encoder, name) for name in read):
        yield f"it reads texts otherwise: their recipes differ in {', '.join(read)}"


def _same_terms(a: Hybrid, b: Hybrid) -> bool:
    """Whether X is the same for both: names and frequencies of terms are."""
    s, t = a.features.terms, b.features.terms
    if s is None or t is None:
        return s is t
    return s.names == t.names and np.array_equal(s.idf, t.idf)


def _average(hybrids: list[Hybrid]) -> Hybrid:
    """The soup of some models that can be averaged; of one, that itself."""
    first = hybrids[0]
    if len(hybrids) == 1:
        return first
    coef, bias = (_mean([h.phi_scale * getattr(h.weights, name) for h in hybrids]) for name in ("coef", "bias"))
    shared = [h.phi_scale * np.float64(h.weights.shared) for h in hybrids if h.weights.shared is not None]
    has_shared = len(shared) == len(hybrids)
    weights = Weights(
        coef, bias, _mean(shared) if has_shared else None, None, first.weights.like if has_shared else None
    )
    psi, scale = (first.psi, first.psi_scale) if first.psi is None else _average_psi(hybrids)
    return replace(first, weights=weights.finished(), psi=psi, phi_scale=1.0, psi_scale=scale)


def _average_psi(hybrids: list[Hybrid]) -> tuple[Psi, float]:
    """The average of ψ with scales applied, and what it still has to be multiplied by: 0 if all are silent, else 1."""
    import torch

    from rulenet.model.encoders.compact import round_weights

    members = [_torch(h.psi) for h in hybrids]
    bounds = [h.psi_scale * (psi.bound or 1.0) for h, psi in zip(hybrids, members, strict=True)]  # in logits of the sum
    made = copy.deepcopy(members[0])
    if not any(bounds):
        return made, 0.0
    made.bound = None if made.bound is None else float(np.mean(bounds))
    states = [psi.state_dict() for psi in members]
    found = {
        name: _mean([state[name] for state in states]) for name in states[0] if states[0][name].is_floating_point()
    }
    for name in members[0].head_state():
        by = [
            bound / (h.phi_scale if name.startswith("from_phi") else 1.0)
            for bound, h in zip(bounds, hybrids, strict=True)
        ]
        parts = [factor / (made.bound or 1.0) * state[name] for factor, state in zip(by, states, strict=True)]
        found[name] = _mean(parts)
    with torch.no_grad():
        made.load_state_dict(states[0] | found)
    if made.encoder.traits.sixteen_bits:
        round_weights(made.body)
    return made.eval(), 1.0


def _mean(parts: Sequence[Any]) -> Any:
    """The mean; where all are equal, as in frozen layers, exactly that."""
    return parts[0] + reduce(lambda total, part: total + (part - parts[0]), parts[1:], parts[0] - parts[0]) / len(parts)


def _torch(psi: Any) -> Psi:
    """ψ in PyTorch, also of an exported model."""
    found: Psi = getattr(psi, "original", psi)
    return found
