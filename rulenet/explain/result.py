"""Why a model decided as it did, as data: bias + Σ terms + neural = logit, for every label.

Imports render, which draws it, and model and below; torch and captum only where word pieces are asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from rulenet.base.extras import need
from rulenet.base.types import Array
from rulenet.draw import render
from rulenet.errors import LabelError
from rulenet.model.hybrid import Hybrid, Parts, softmax

Label = str | int | bool | float
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Term:
    """One column's share of the logits.

    Attributes
    ----------
    kind
        ``"rule"``, ``"tfidf"`` or ``"pos"``.
    name
        Rule id, term or tags.
    value
        Value of the column: 1 for a rule, the TF-IDF weight of a term.
    weights
        Learned weight for each label, in logits per unit of `value`; shared by the terms of one call, not to be changed.
    contributions
        ``weights × value`` for each label, in logits.
    spans
        Where it stands in the text as given, as (start, end).
    """

    kind: str
    name: str
    value: float
    weights: dict[Label, float]
    contributions: dict[Label, float]
    spans: list[Span]


@dataclass(frozen=True, slots=True)
class Token:
    """One word's share of what the transformer adds.

    Attributes
    ----------
    text
        The word as it stands in the text as given.
    start, end
        Where, so that ``text == explanation.text[start:end]``.
    attribution
        Its share, in logits, for the label against the other one.
    """

    text: str
    start: int
    end: int
    attribution: float


@dataclass(frozen=True, slots=True)
class Difference:
    """One column's share of the distance between two labels.

    Attributes
    ----------
    kind, name, value, spans
        As in `Term`.
    difference
        Contribution to the label minus that to the other, in logits.
    """

    kind: str
    name: str
    value: float
    difference: float
    spans: list[Span]


@dataclass(frozen=True)
class Contrast(render.Shown):
    """Why one label rather than another: bias + Σ terms + neural = total.

    Attributes
    ----------
    text
        The text as given.
    label, other
        The two labels.
    terms
        Every active column, strongest first.
    bias, neural, total
        Logit of the label minus that of the other; what was there before, what the transformer adds, and the sum of all.
    tokens
        What `neural` is made of, if the explanation has it for these two labels.
    """

    text: str
    label: Label
    other: Label
    terms: list[Difference]
    bias: float
    neural: float
    total: float
    tokens: list[Token] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain data, the same after a trip through JSON."""
        return {**plain(asdict(self)), "label": str(self.label), "other": str(self.other)}

    def headline(self) -> str:
        """One line."""
        return f"{self.label} rather than {self.other}: {self.total:+.2f}"

    def sheets(self) -> list[render.Sheet]:
        """The addends, strongest first; weak ones in one row."""
        shown, rest = self.terms[: render.SHOWN_TERMS], self.terms[render.SHOWN_TERMS :]
        rows: list[tuple[render.Cell, ...]] = [("", "bias", "", render.Bar(self.bias))]
        rows += [(t.kind, t.name, render.words(self.text, t.spans), render.Bar(t.difference)) for t in shown]
        if rest:
            rows.append(("", f"{len(rest)} weaker terms", "", render.Bar(sum(t.difference for t in rest))))
        if self.neural:
            rows.append(("ψ", "transformer", "", render.Bar(self.neural)))
        rows.append(("=", "total", "", render.Bar(self.total)))
        sheets = [render.Sheet("", ("", "term", "words", "difference"), rows)]
        if self.tokens:
            strongest = sorted(self.tokens, key=lambda token: -abs(token.attribution))[: render.SHOWN_TERMS]
            words = [(token.text, render.Bar(token.attribution)) for token in strongest]
            sheets.append(render.Sheet("what the transformer reads", ("word", "share"), words))
        return sheets


@dataclass(frozen=True)
class Explanation:
    """A prediction and everything that added up to it.

    Attributes
    ----------
    text
        The text as given.
    label
        The predicted label.
    proba
        Probability of each label.
    path
        ``"rules"`` when ψ had no say, else ``"hybrid"``.
    logits, bias, neural
        For each label, in logits. ``neural`` is the share of the transformer.
    terms
        Every active column, strongest for the predicted label against the runner-up first.
    tokens
        What ``neural[first] - neural[second]`` is made of, word by word; empty where ψ had no say, None unless asked for.
        What ψ does not read of a long text has no token.
    token_labels
        The first and the second label that the tokens speak for and against: label and runner-up unless others were asked for.
    token_bias
        What ψ says of the two labels before it has read a word, in logits (of a text of [MASK] pieces).
    token_gap
        How far Σ attributions + `token_bias` is from what the tokens share out, in logits: the error of a numerical integral.
    """

    text: str
    label: Label
    proba: dict[Label, float]
    path: str
    logits: dict[Label, float]
    bias: dict[Label, float]
    terms: list[Term]
    neural: dict[Label, float]
    tokens: list[Token] | None = field(default=None)
    token_labels: tuple[Label, Label] | None = field(default=None)
    token_bias: float | None = field(default=None)
    token_gap: float | None = field(default=None)

    @property
    def runner_up(self) -> Label:
        """The label with the second largest logit."""
        return max((label for label in self.logits if label != self.label), key=self.logits.__getitem__)

    @property
    def margin(self) -> float:
        """Top logit minus the runner-up's."""
        return self.logits[self.label] - self.logits[self.runner_up]

    def contrast(self, label: Label | None = None, other: Label | None = None) -> Contrast:
        """Why one label rather than another.

        Parameters
        ----------
        label, other
            The two labels; None for the predicted one and the strongest one beside it.

        Raises
        ------
        LabelError
            If one is not a label of the model, or both are the same.
        """
        label = self.label if label is None else label
        if other is None:
            other = self.runner_up if label == self.label else self.label
        check_pair(label, other, list(self.logits))

        def between(values: dict[Label, float]) -> float:
            return values[label] - values[other]

        terms = [Difference(t.kind, t.name, t.value, between(t.contributions), t.spans) for t in self.terms]
        terms.sort(key=lambda term: -abs(term.difference))
        sign = 1 if self.token_labels == (label, other) else -1 if self.token_labels == (other, label) else 0
        tokens = None
        if self.tokens is not None and sign:
            tokens = [replace(token, attribution=sign * token.attribution) for token in self.tokens]
        return Contrast(
            self.text, label, other, terms, between(self.bias), between(self.neural), between(self.logits), tokens
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data, the same after a trip through JSON: labels are strings, as JSON's keys must be, and spans are lists."""
        data: dict[str, Any] = plain(asdict(self))
        pair = None if self.token_labels is None else list(map(str, self.token_labels))
        return {**data, "label": str(self.label), "token_labels": pair}

    def to_html(self) -> str:
        """A self-contained HTML fragment."""
        return render.to_html(self)

    def _repr_html_(self) -> str:
        return self.to_html()

    def __str__(self) -> str:
        return render.to_text(self)


def plain(value: Any) -> Any:
    """The same with strings for keys and lists for tuples, as JSON has them."""
    if isinstance(value, dict):
        return {str(key): plain(part) for key, part in value.items()}
    return [plain(part) for part in value] if isinstance(value, (list, tuple)) else value


def check_known(labels: Sequence[Label], classes: Sequence[Label]) -> None:
    """Refuse labels that a model does not have.

    Raises
    ------
    LabelError
        Naming them, and those it has.
    """
    if unknown := [label for label in dict.fromkeys(labels) if label not in classes]:
        raise LabelError(
            f"the model has no label {', '.join(map(repr, unknown))}; it has {', '.join(map(repr, classes))}"
        )


def check_pair(label: Label, other: Label, classes: Sequence[Label]) -> None:
    """Refuse what are not two labels of a model.

    Raises
    ------
    LabelError
        If one is unknown, or both are the same.
    """
    check_known([label, other], classes)
    if label == other:
        raise LabelError(f"a contrast needs two labels, but both are {label!r}")


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
    """Explanations of some texts.

    Parameters
    ----------
    hybrid
        The fitted model.
    parts
        What `hybrid.parts` gave for the same texts.
    classes
        The labels as the user gave them, in column order.
    proba
        Probability of each label, shape (n_texts, n_classes); None: softmax of the logits.
    tokens
        Whether to share out ψ among the words; a few texts a second on a CPU.
    contrast
        Which two labels the tokens should speak for and against; None: the predicted one and the runner-up.

    Raises
    ------
    LabelError, MissingExtraError
        If `contrast` does not name two labels; if tokens are asked for without the extra ``explain``.
    """
    classes = list(classes)
    if contrast is not None:
        check_pair(*contrast, classes)
    logits = parts.logits
    order = np.argsort(-logits, axis=1, kind="stable")  # of equal ones the first, as argmax in predict
    top, second = order[:, 0], order[:, 1]
    proba = softmax(logits) if proba is None else proba
    bias = (hybrid.phi_scale * hybrid.weights.bias).tolist()
    addends = zip(proba.tolist(), logits.tolist(), parts.psi.tolist(), strict=True)
    terms = explained_terms(hybrid, texts, parts, classes, top, second)
    found = [
        Explanation(
            text=text,
            label=classes[top[i]],
            proba=dict(zip(classes, p, strict=True)),
            path="rules" if parts.skipped[i] else "hybrid",
            logits=dict(zip(classes, f, strict=True)),
            bias=dict(zip(classes, bias, strict=True)),
            terms=next(terms),
            neural=dict(zip(classes, psi, strict=True)),
        )
        for i, (text, (p, f, psi)) in enumerate(zip(texts, addends, strict=True))
    ]
    if not tokens:
        return found
    if contrast is not None:
        top, second = (np.full(len(found), classes.index(label)) for label in contrast)
    return _with_tokens(hybrid, found, parts, classes, top, second, device)


def explained_terms(
    hybrid: Hybrid, texts: Sequence[str], parts: Parts, classes: Sequence[Label], top: Array, second: Array
) -> Iterator[list[Term]]:
    """The active columns of each text, those first that weigh most for class `top` against class `second` of the text."""
    X, features = parts.X, hybrid.features
    used = np.unique(X.indices)
    place = np.searchsorted(used, X.indices)
    W = hybrid.phi_scale * hybrid.weights.coef[used]  # (n_used, K)
    columns = list(map(features.column, used.tolist()))
    weights = [dict(zip(classes, row, strict=True)) for row in W.tolist()]
    for i, text in enumerate(texts):
        row = slice(X.indptr[i], X.indptr[i + 1])
        values = X.data[row].astype(np.float64)
        C = W[place[row]] * values[:, None]  # (n_active, K)
        order = np.argsort(-np.abs(C[:, top[i]] - C[:, second[i]]), kind="stable")
        spans = features.spans(text, X.indices[row][order].tolist())
        rows = zip(place[row][order].tolist(), values[order].tolist(), C[order].tolist(), spans, strict=True)
        yield [
            Term(columns[u].kind, columns[u].name, value, weights[u], dict(zip(classes, shares, strict=True)), where)
            for u, value, shares, where in rows
        ]


def _with_tokens(
    hybrid: Hybrid,
    found: list[Explanation],
    parts: Parts,
    classes: list[Label],
    first: Array,
    second: Array,
    device: Any,
) -> list[Explanation]:
    told = [
        replace(e, tokens=[], token_labels=(classes[a], classes[b]), token_bias=0.0, token_gap=0.0)
        for e, a, b in zip(found, first, second, strict=True)
    ]
    heard = [i for i, e in enumerate(found) if e.path == "hybrid"]
    if hybrid.psi is None or not heard:
        return told
    need("captum", purpose="tokens=True")
    from rulenet.explain.tokens import attribute

    sides = np.zeros_like(parts.psi)
    np.put_along_axis(sides, first[:, None], hybrid.psi_scale, axis=1)
    np.put_along_axis(sides, second[:, None], -hybrid.psi_scale, axis=1)
    phi = parts.phi[heard] / hybrid.phi_scale
    shares = attribute(hybrid.psi, [found[i].text for i in heard], phi, sides[heard], device=device)
    for i, share in zip(heard, shares, strict=True):
        text = found[i].text
        words = share.words(text, hybrid.features.tokeniser)
        tokens = [Token(text[start:end], start, end, value) for start, end, value in words]
        total = float(parts.psi[i, first[i]] - parts.psi[i, second[i]])
        gap = abs(sum(token.attribution for token in tokens) + share.bias - total)
        told[i] = replace(told[i], tokens=tokens, token_bias=share.bias, token_gap=gap)
    return told
