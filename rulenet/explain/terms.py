"""Makes explanations from the parts of predictions. Imports result, model and below; torch and captum only for `tokens=True`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rulenet.base.extras import need
from rulenet.base.types import Array
from rulenet.explain.label_sets import SetExplanation, TokenShares
from rulenet.explain.result import Explanation, Label, Term, Token, check_pair
from rulenet.model.hybrid import Hybrid, Parts
from rulenet.model.link import AnyOf


def explain(
    hybrid: Hybrid,
    texts: Sequence[str],
    parts: Parts,
    classes: Sequence[Label],
    proba: Array | None = None,
    *,
    tokens: bool = False,
    contrast: tuple[Label, Label] | None = None,
    device: Any = "cpu",
) -> list[Explanation]:
    """Explain the predictions of some texts.

    Parameters
    ----------
    parts
        The result of `hybrid.parts` for the same texts.
    classes
        The labels as the user gave them, in column order.
    proba
        Probability of each label, shape (n_texts, n_classes); None: those of the logits, not calibrated.
    tokens
        Whether to attribute ψ to the words; this takes a second for a few texts on a CPU.
    contrast
        The two labels that the tokens speak for and against; None: the predicted label and the runner-up. Where texts may have several
        labels, None: each label of the answer alone.

    Raises
    ------
    LabelError, MissingExtraError
        If `contrast` does not name two labels, or the extra ``explain`` is missing for `tokens`.
    """
    classes, logits = list(classes), parts.logits
    if contrast is not None:
        check_pair(*contrast, classes)
    top, second = hybrid.link.against(logits)
    bias = dict(zip(classes, (hybrid.phi_scale * hybrid.weights.bias).tolist(), strict=True))
    addends = (hybrid.link.proba(logits) if proba is None else proba).tolist(), logits.tolist(), parts.psi.tolist()
    terms, reader = _terms(hybrid, texts, parts, classes, top, second), _Reader(hybrid, parts, texts, device)
    found = [
        Explanation(
            text=text,
            label=classes[k],
            proba=dict(zip(classes, p, strict=True)),
            path="rules" if is_skipped else "hybrid",
            logits=dict(zip(classes, f, strict=True)),
            bias=dict(bias),
            terms=next(terms),
            neural=dict(zip(classes, psi, strict=True)),
        )
        for text, k, is_skipped, p, f, psi in zip(texts, top.tolist(), parts.skipped, *addends, strict=True)
    ]
    if isinstance(hybrid.link, AnyOf):
        sets = [SetExplanation.of(e, hybrid.link.thresholds) for e in found]
        if tokens and contrast is None:
            return _with_words(sets, classes, reader)
        found = [*sets]
    if contrast is not None:
        top, second = (np.full(len(found), classes.index(label)) for label in contrast)
    return _with_tokens(found, classes, reader, top, second) if tokens else found


def _terms(
    hybrid: Hybrid, texts: Sequence[str], parts: Parts, classes: Sequence[Label], top: Array, second: Array
) -> Iterator[list[Term]]:
    """Yield the active columns of each text, strongest first for class `top` of the text against class `second`."""
    X, features = parts.X, hybrid.features
    used = np.unique(X.indices)
    place = np.searchsorted(used, X.indices)
    W = hybrid.phi_scale * hybrid.weights.coef[used]  # (n_used, K)
    columns = list(map(features.column, used.tolist()))
    weights = [dict(zip(classes, row, strict=True)) for row in W.tolist()]
    origins = _Origins.of(hybrid, used)
    for i, text in enumerate(texts):
        row = slice(X.indptr[i], X.indptr[i + 1])
        values = X.data[row].astype(np.float64)
        C = W[place[row]] * values[:, None]  # (n_active, K)
        order = np.argsort(-np.abs(_lead(C, top[i], second[i])), kind="stable")
        spans = features.spans(text, X.indices[row][order].tolist())
        rows = zip(place[row][order].tolist(), values[order].tolist(), C[order].tolist(), spans, strict=True)
        terms = [
            Term(columns[u].kind, columns[u].name, value, weights[u], dict(zip(classes, shares, strict=True)), where)
            for u, value, shares, where in rows
        ]
        if origins is not None:
            terms = [
                origins.add(t, u, classes, top[i], second[i])
                for t, u in zip(terms, place[row][order].tolist(), strict=True)
            ]
        yield terms


@dataclass(frozen=True)
class _Origins:
    """What of the weights of some columns comes from terms like them."""

    hybrid: Hybrid
    shared: Array  # (n_used, K)
    like: Array  # (n_used, LIKE): numbers of terms

    @classmethod
    def of(cls, hybrid: Hybrid, used: Array) -> _Origins | None:
        """None if φ was learned without word vectors."""
        weights, features = hybrid.weights, hybrid.features
        if weights.shared is None or weights.like is None:
            return None
        terms = used - features.n_rules
        is_term = (terms >= 0) & (terms < features.n_terms)
        shared, like = np.zeros((len(used), weights.shared.shape[1])), np.full((len(used), weights.like.shape[1]), -1)
        shared[is_term], like[is_term] = hybrid.phi_scale * weights.shared[terms[is_term]], weights.like[terms[is_term]]
        return cls(hybrid, shared, like)

    def add(self, term: Term, u: int, classes: Sequence[Label], top: int, second: int) -> Term:
        """The term with what it shares, and the terms like it that pull it the same way."""
        shared = self.shared[u]
        if not shared.any():
            return term
        weights, features = self.hybrid.weights, self.hybrid.features
        like = self.like[u][self.like[u] >= 0]
        own = weights.coef[features.n_rules + like] - weights.shared[like]  # type: ignore[index]
        agrees = _lead(own, top, second) * _lead(shared[None], top, second) > 0
        names = [features.terms.names[j] for j in like[agrees].tolist()] if features.terms else []
        return replace(term, shared=dict(zip(classes, (shared * term.value).tolist(), strict=True)), like=names)


def _lead(C: Array, top: int, second: int) -> Array:
    """Of each row what speaks for one class against the other; against none, if that is -1."""
    return np.asarray(C[:, top] if second < 0 else C[:, top] - C[:, second])


@dataclass(frozen=True)
class _Reader:
    """Attributes ψ of some texts to their words."""

    hybrid: Hybrid
    parts: Parts
    texts: Sequence[str]
    device: Any

    def shares(self, rows: Sequence[int], first: Array, second: Array) -> list[TokenShares]:
        """Of each row, the words of ψ of class `first` minus that of class `second`, if that is not -1; none where ψ was not used."""
        read = [j for j, i in enumerate(rows) if not self.parts.skipped[i]]
        found = [TokenShares([], 0.0, 0.0) for _ in rows]
        hybrid, at = self.hybrid, np.asarray(rows, dtype=np.intp)[read]
        if hybrid.psi is None or not read:
            return found
        need("captum", purpose="tokens=True")
        from rulenet.explain.tokens import attribute

        first, second = first[read], second[read]
        sides = np.zeros((len(at), self.parts.psi.shape[1]))
        sides[np.arange(len(at)), first] = hybrid.psi_scale
        sides[second >= 0, second[second >= 0]] -= hybrid.psi_scale
        phi = self.parts.phi[at] / hybrid.phi_scale
        shares = attribute(hybrid.psi, [self.texts[i] for i in at], phi, sides, device=self.device)
        for j, i, a, b, share in zip(read, at.tolist(), first.tolist(), second.tolist(), shares, strict=True):
            text, psi = self.texts[i], self.parts.psi[i]
            words = share.words(text, hybrid.features.tokeniser)
            tokens = [Token(text[start:end], start, end, value) for start, end, value in words]
            total = float(psi[a] - psi[b] if b >= 0 else psi[a])
            found[j] = TokenShares(
                tokens, share.bias, abs(sum(token.attribution for token in tokens) + share.bias - total)
            )
        return found


def _with_tokens(
    found: list[Explanation], classes: list[Label], reader: _Reader, first: Array, second: Array
) -> list[Explanation]:
    """With the words of ψ of class `first` of each text minus that of class `second`."""
    shares = reader.shares(range(len(found)), first, second)
    pairs = [tuple(classes[k] for k in pair if k >= 0) for pair in zip(first.tolist(), second.tolist(), strict=True)]
    return [_told(e, pair, share) for e, pair, share in zip(found, pairs, shares, strict=True)]


def _with_words(found: list[SetExplanation], classes: list[Label], reader: _Reader) -> list[Explanation]:
    """With the words of ψ of each label that is shown, and of the clearest as the tokens."""
    jobs = [(i, label) for i, e in enumerate(found) for label in e.shown]
    first = np.array([classes.index(label) for _, label in jobs], dtype=np.intp)
    shares = reader.shares([i for i, _ in jobs], first, np.full(len(jobs), -1))
    words: list[dict[Label, TokenShares]] = [{} for _ in found]
    for (i, label), share in zip(jobs, shares, strict=True):
        words[i][label] = share
    return [_told(replace(e, words=of), (e.label,), of[e.label]) for e, of in zip(found, words, strict=True)]


def _told(e: Explanation, labels: tuple[Label, ...], share: TokenShares) -> Explanation:
    return replace(e, tokens=share.tokens, token_labels=labels, token_bias=share.bias, token_gap=share.gap)
