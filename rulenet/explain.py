"""Why a model decided as it did, as data: bias + Σ terms + neural = logit, for every label.

Imports render, which draws it, and model and below; `estimator.py` calls it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rulenet import render
from rulenet.model.hybrid import Hybrid, Parts, softmax

Label = str | int | bool | float


@dataclass(frozen=True)
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
        Learned weight for each label, in logits per unit of `value`.
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
    spans: list[tuple[int, int]]


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
        Attribution of ψ to tokens; None unless asked for.
    """

    text: str
    label: Label
    proba: dict[Label, float]
    path: str
    logits: dict[Label, float]
    bias: dict[Label, float]
    terms: list[Term]
    neural: dict[Label, float]
    tokens: list[tuple[str, float]] | None = field(default=None)

    @property
    def runner_up(self) -> Label:
        """The label with the second largest logit."""
        return max((label for label in self.logits if label != self.label), key=self.logits.__getitem__)

    @property
    def margin(self) -> float:
        """Top logit minus the runner-up's."""
        return self.logits[self.label] - self.logits[self.runner_up]

    def to_dict(self) -> dict[str, Any]:
        """Plain data, the same after a trip through JSON: labels are strings, as JSON's keys must be, and spans are lists."""
        data: dict[str, Any] = _plain(asdict(self))
        return {**data, "label": str(self.label)}

    def to_html(self) -> str:
        """A self-contained HTML fragment."""
        return render.to_html(self)

    def _repr_html_(self) -> str:
        return self.to_html()

    def __str__(self) -> str:
        return render.to_text(self)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(part) for key, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, (list, tuple)) else value


def explain(hybrid: Hybrid, texts: Sequence[str], parts: Parts, classes: Sequence[Label]) -> list[Explanation]:
    """Explanations of some texts.

    Parameters
    ----------
    hybrid
        The fitted model.
    parts
        What `hybrid.parts` gave for the same texts.
    classes
        The labels as the user gave them, in column order.
    """
    proba = softmax(parts.logits)
    return [_explain_one(hybrid, text, parts, i, list(classes), proba[i]) for i, text in enumerate(texts)]


def _explain_one(hybrid: Hybrid, text: str, parts: Parts, i: int, classes: list[Label], proba: Any) -> Explanation:
    def by_label(values: Any) -> dict[Label, float]:
        return dict(zip(classes, map(float, values), strict=True))

    start, stop = parts.X.indptr[i], parts.X.indptr[i + 1]
    columns, values = parts.X.indices[start:stop].tolist(), parts.X.data[start:stop].tolist()
    spans = hybrid.features.spans(text, columns)
    terms = []
    for j, value, where in zip(columns, values, spans, strict=True):
        weights = hybrid.phi_scale * hybrid.weights.coef[j]
        column = hybrid.features.column(j)
        terms.append(Term(column.kind, column.name, float(value), by_label(weights), by_label(weights * value), where))
    logits = parts.logits[i]
    order = (-logits).argsort(kind="stable")  # of equal ones the first, as argmax in predict
    top, second = classes[order[0]], classes[order[1]]
    terms.sort(key=lambda term: -abs(term.contributions[top] - term.contributions[second]))
    return Explanation(
        text=text,
        label=top,
        proba=by_label(proba),
        path="hybrid" if hybrid.is_neural else "rules",
        logits=by_label(logits),
        bias=by_label(hybrid.phi_scale * hybrid.weights.bias),
        terms=terms,
        neural=by_label(parts.psi[i]),
    )
