"""What a model's predictions are based on: its strongest weights, the rules that fire and those that decide, and the share of φ and ψ.

Imports draw, result and model; numpy only, ψ is not run again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from rulenet.base.drawing import Amount, Bar, Block, Cell, Headline, Percent, Sheet
from rulenet.base.types import Array
from rulenet.base.wording import counted
from rulenet.draw.shown import Shown
from rulenet.errors import LabelError
from rulenet.explain.result import SHOWN_TERMS, Label, check_known, plain
from rulenet.model.hybrid import Hybrid, Parts

_CHUNK = 1 << 20  # entries of X in memory at a time, for each class


@dataclass(frozen=True)
class Weight:
    """A column that speaks for a label."""

    kind: str  # as in `Term`
    name: str
    weight: float  # in logits per unit of the column
    fired: float  # share of the texts in which it is active


@dataclass(frozen=True)
class Use:
    """The effect of a column on some texts."""

    kind: str  # as in `Term`
    name: str
    label: Label  # the label it speaks for or against most
    weight: float  # its weight for that label, in logits
    fired: float  # share of the texts in which it is active
    decides: float  # share of the texts whose answer would change without this one column, ψ unchanged
    right: float | None  # share of those whose answer is right; None without labels, or if it decides no text


@dataclass(frozen=True)
class GlobalExplanation(Shown):
    """What the predictions of a model are based on, on some texts.

    Attributes
    ----------
    n_texts, n_skipped
        Number of texts, and of those for which ψ was not used, where it counts as zero.
    weights
        For each label the rules, and the other columns, that speak most for it.
    rules
        Every rule, the most used first.
    decisive
        The columns of any kind that decide the most answers.
    variance
        Share of the variance of the logits, centred over the labels, that comes from ``"rule"``, ``"tfidf"``, ``"pos"`` and ``"neural"``:
        Cov(part, logit) / Var(logit), summed over the labels. The shares sum to 1; a part that works against the rest has a negative one.
    variance_by_label
        The same for the logit of each label.
    accuracy, accuracy_by_label
        Share of right answers of φ alone (``"phi"``), ψ alone (``"psi"``, on the texts where it was run) and of both (``"sum"``), on all
        texts and on those of each label; None without labels.
    """

    n_texts: int
    n_skipped: int
    weights: dict[Label, list[Weight]]
    rules: list[Use]
    decisive: list[Use]
    variance: dict[str, float]
    variance_by_label: dict[Label, dict[str, float]]
    accuracy: dict[str, float | None] | None = None
    accuracy_by_label: dict[Label, dict[str, float | None]] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain data that survives conversion to JSON and back."""
        data: dict[str, Any] = plain(asdict(self))
        for use in data["rules"] + data["decisive"]:
            use["label"] = str(use["label"])
        return data

    def blocks(self) -> list[Block]:
        """Return the shares of the parts, the most used rules, the decisive columns and the strongest weights."""
        skipped = f", {self.n_skipped:,} without ψ" if self.n_skipped and "neural" in self.variance else ""
        found: list[Block] = [Headline(f"what the model rests on: {counted(self.n_texts, 'text')}{skipped}")]
        parts = list(self.variance)
        shares = [("all", self.variance), *((str(k), v) for k, v in self.variance_by_label.items())]
        rows: list[tuple[Cell, ...]] = [(name, *(Percent(share[part]) for part in parts)) for name, share in shares]
        found.append(Sheet("share of the variance of the logits", ("label", *parts), rows))
        if self.accuracy is not None and self.accuracy_by_label is not None:
            of_label = [("all", self.accuracy), *((str(k), v) for k, v in self.accuracy_by_label.items())]
            body = [(name, *map(_percent, (a["phi"], a["psi"], a["sum"]))) for name, a in of_label]
            found.append(Sheet("accuracy", ("label", "φ alone", "ψ alone", "both"), body))
        columns = ("", "name", "label", "weight", "fires in", "decides", "of these right")
        if self.rules:
            found.append(Sheet("most used rules", columns, _use_rows(self.rules[:SHOWN_TERMS])))
        if self.decisive:
            title = "most decisive: without it alone, ψ held fixed, the answer would change"
            found.append(Sheet(title, columns, _use_rows(self.decisive[:SHOWN_TERMS])))
        for label, weights in self.weights.items():
            strongest = [(w.kind, w.name, Bar(w.weight), Percent(w.fired)) for w in weights]
            found.append(Sheet(f"speaks for {label}", ("", "name", "weight", "fires in"), strongest))
        return found


def _percent(share: float | None) -> Cell:
    return Amount("", None) if share is None else Percent(share)


def _use_rows(uses: Sequence[Use]) -> list[tuple[Cell, ...]]:
    return [
        (u.kind, u.name, str(u.label), u.weight, Percent(u.fired), Percent(u.decides), _percent(u.right)) for u in uses
    ]


def explain_global(
    hybrid: Hybrid, parts: Parts, classes: Sequence[Label], labels: Sequence[Label] | None = None, *, top: int = 10
) -> GlobalExplanation:
    """Summarise what the predictions of a model are based on, on some texts.

    Parameters
    ----------
    parts
        The result of `hybrid.parts` for the texts.
    classes
        The labels as the user gave them, in column order.
    labels
        The correct label of each text; None: accuracy is left out.
    top
        How many weights of each label, and how many decisive columns, to list; all rules are listed.

    Raises
    ------
    LabelError
        If there is not one label for each text, or the model does not have a label.
    """
    classes = list(classes)
    y = None if labels is None else _indices(labels, classes, parts.X.shape[0])
    n = max(parts.X.shape[0], 1)
    fired = np.bincount(parts.X.indices, minlength=parts.X.shape[1]) / n
    decides, right = decisive(hybrid, parts, y)
    W = hybrid.phi_scale * hybrid.weights.coef  # (n_columns, K)

    def use(j: int) -> Use:
        column, k = hybrid.features.column(j), int(np.abs(W[j]).argmax())
        hit = float(right[j] / decides[j]) if y is not None and decides[j] else None
        return Use(column.kind, column.name, classes[k], float(W[j, k]), float(fired[j]), float(decides[j] / n), hit)

    n_rules = hybrid.features.n_rules
    by_use = np.lexsort((np.arange(n_rules), -decides[:n_rules], -fired[:n_rules]))
    strongest = [j for j in np.argsort(-decides, kind="stable")[:top].tolist() if decides[j]]
    variance, by_label = _variance(hybrid, parts, classes)
    return GlobalExplanation(
        n_texts=parts.X.shape[0],
        n_skipped=int(parts.skipped.sum()),
        weights={label: _strongest(hybrid, W[:, k], fired, top) for k, label in enumerate(classes)},
        rules=[use(j) for j in by_use.tolist()],
        decisive=[use(j) for j in strongest],
        variance=variance,
        variance_by_label=by_label,
        accuracy=None if y is None else _accuracy(parts, y, np.ones(len(y), dtype=bool)),
        accuracy_by_label=None if y is None else {c: _accuracy(parts, y, y == k) for k, c in enumerate(classes)},
    )


def decisive(hybrid: Hybrid, parts: Parts, y: Array | None = None) -> tuple[Array, Array]:
    """Count the texts that each column decides, and those of them whose answer is right, shape (n_columns,).

    A column decides a text if its answer would change without this one column, ψ unchanged. `y` has the class index of each text; if it
    is None, no answer counts as right.
    """
    X, logits = parts.X, parts.logits
    W = hybrid.phi_scale * hybrid.weights.coef
    link, answer = hybrid.link, hybrid.link.answer(logits)
    row_of = np.repeat(np.arange(X.shape[0]), np.diff(X.indptr))
    counts, right = np.zeros(X.shape[1], dtype=np.int64), np.zeros(X.shape[1], dtype=np.int64)
    for at in range(0, X.nnz, _CHUNK):
        rows, columns = row_of[at : at + _CHUNK], X.indices[at : at + _CHUNK]
        without = logits[rows] - W[columns] * X.data[at : at + _CHUNK, None]  # (n_entries, K)
        changed = link.changed(without, logits[rows])
        counts += np.bincount(columns[changed], minlength=X.shape[1])
        if y is not None:
            changed &= answer[rows] == y[rows]
            right += np.bincount(columns[changed], minlength=X.shape[1])
    return counts, right


def _strongest(hybrid: Hybrid, weights: Array, fired: Array, top: int) -> list[Weight]:
    """Return the rules, then the other columns, with the largest positive weights."""
    n_rules = hybrid.features.n_rules
    found = []
    for first, part in ((0, weights[:n_rules]), (n_rules, weights[n_rules:])):
        for j in (first + np.argsort(-part, kind="stable")[:top]).tolist():
            if weights[j] > 0:
                column = hybrid.features.column(j)
                found.append(Weight(column.kind, column.name, float(weights[j]), float(fired[j])))
    return found


def _variance(
    hybrid: Hybrid, parts: Parts, classes: Sequence[Label]
) -> tuple[dict[str, float], dict[Label, dict[str, float]]]:
    """Return the shares of the parts in the variance of the logits, of all labels together and of each."""
    features, X = hybrid.features, parts.X
    borders = [0, features.n_rules, features.n_rules + features.n_terms, X.shape[1]]
    addends: dict[str, Array] = {}
    for kind, first, last in zip(("rule", "tfidf", "pos"), borders[:-1], borders[1:], strict=True):
        if last > first:
            addends[kind] = hybrid.phi_scale * (X[:, first:last] @ hybrid.weights.coef[first:last])
    if hybrid.is_neural:
        addends["neural"] = parts.psi
    centred = _about_mean if hybrid.link.several else _centred
    total = centred(parts.logits)
    # One covariance of each label; their sum over the parts is the variance of the label's logit.
    found = {name: (centred(part) * total).sum(axis=0) for name, part in addends.items()}  # (K,)
    of_label = (total**2).sum(axis=0)
    everything = float(of_label.sum())
    shares = {name: float(part.sum()) / everything if everything else 0.0 for name, part in found.items()}
    by_label = {
        label: {name: float(part[k] / of_label[k]) if of_label[k] else 0.0 for name, part in found.items()}
        for k, label in enumerate(classes)
    }
    return shares, by_label


def _centred(logits: Array) -> Array:
    """Subtract the mean over the labels, on which no answer depends, and then the mean over the texts."""
    relative = logits - logits.mean(axis=1, keepdims=True)
    return _about_mean(relative)


def _about_mean(logits: Array) -> Array:
    """Subtract the mean over the texts."""
    return np.asarray(logits - logits.mean(axis=0) if len(logits) else logits)


def _accuracy(parts: Parts, y: Array, chosen: Array) -> dict[str, float | None]:
    """Return the accuracy of each part on the chosen texts, that of ψ only on those where it was run."""
    hits = {
        "phi": (parts.phi.argmax(axis=1) == y)[chosen],
        "psi": (parts.psi.argmax(axis=1) == y)[chosen & ~parts.skipped],
        "sum": (parts.logits.argmax(axis=1) == y)[chosen],
    }
    return {name: float(hit.mean()) if len(hit) else None for name, hit in hits.items()}


def _indices(labels: Sequence[Label], classes: list[Label], n_texts: int) -> Array:
    given = list(labels)  # a pandas Series would be indexed by its own labels
    if len(given) != n_texts:
        raise LabelError(f"{counted(len(given), 'label')} for {counted(n_texts, 'text')}; pass one label for each text")
    known = [label.item() if isinstance(label, np.generic) else label for label in given]
    check_known(known, classes)
    index = {label: k for k, label in enumerate(classes)}
    return np.array([index[label] for label in known], dtype=np.intp)
