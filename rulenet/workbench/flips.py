"""Predictions that differ between two models, or between the votes of two rule files, and why. Imports the predictor and below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.sparse

from rulenet.base.types import Array
from rulenet.data.check import check_texts
from rulenet.data.label_sets import as_tuples
from rulenet.data.load import Dataset
from rulenet.data.targets import class_indices, label_matrix
from rulenet.errors import DataError
from rulenet.explain.label_sets import SetExplanation
from rulenet.explain.result import Explanation, Label
from rulenet.features.blocks import Features
from rulenet.model import phi
from rulenet.predictor import Predictor
from rulenet.rules.conditions.condition import Span
from rulenet.rules.ruleset import RuleSet
from rulenet.text.language import Language, declared_or_detected

_NOTHING = 1e-9  # logits; sums in a different order differ by less


@dataclass(frozen=True)
class Reason:
    """One addend of the logits that has changed."""

    kind: str  # "rule", "tfidf", "pos", "neural" for what the transformer adds, "bias"
    name: str  # rule id, term or tags
    before: float  # how much it favours the new label over the old one, in logits; all new ones over all old ones of several
    after: float
    spans: list[Span] = field(default_factory=list)  # in the text; for a rule that no longer fires, where it did

    @property
    def change(self) -> float:
        """`after` minus `before`: together, the changes of all reasons are what changed the prediction."""
        return self.after - self.before


@dataclass(frozen=True)
class ChangedAnswer:
    """A text whose prediction changed."""

    index: int  # position of the text
    text: str
    before: Label | None  # the predictions, tuples of several; None: no rule fires, so the rules predict nothing
    after: Label | None
    reasons: list[Reason]  # what changed, strongest first
    label: Label | None = None  # the correct label, or a tuple of several, if known

    @property
    def verdict(self) -> str:
        """``"fixed"``, ``"broken"``, ``"still wrong"``, or an empty string if the correct label is not known."""
        if self.label is None:
            return ""
        return "fixed" if self.after == self.label else "broken" if self.before == self.label else "still wrong"


@dataclass(frozen=True)
class Firing:
    """A rule that fires on other texts than before."""

    rule: str
    before: int  # number of texts it fires on
    after: int
    gained: list[int]  # positions of the texts on which it fires only now
    lost: list[int]  # and only before


@dataclass(frozen=True)
class Flips:
    """The effect of a change of rules on some texts.

    Attributes
    ----------
    by
        ``"model"``, or ``"vote"``: the sum of the rules' starting weights.
    n_texts
        Number of texts.
    firings
        Rules that fire on other texts than before, in order of the rules.
    answers
        Texts whose prediction changed, in order.
    accuracy
        Accuracy before and after; None if the correct labels are not known. A text without a prediction counts as wrong.
    """

    by: str
    n_texts: int
    firings: list[Firing]
    answers: list[ChangedAnswer]
    accuracy: tuple[float, float] | None = None

    def count(self, verdict: str) -> int:
        """Count the changed predictions with this `ChangedAnswer.verdict`."""
        return sum(answer.verdict == verdict for answer in self.answers)


def model_flips(
    before: Predictor, after: Predictor, texts: Sequence[str], labels: Sequence[Label] | None = None
) -> Flips:
    """Compare a model with one made from it by `with_rules`, or by solving φ again.

    ψ reads only the texts whose φ changed; with `labels`, the correct ones for the accuracy, it reads all texts once.
    """
    texts, old, new = check_texts(texts), before.hybrid, after.hybrid
    X = old.features.transform(texts)
    R, Q = X[:, : old.features.n_rules], _firing(new.features, texts)
    Z = scipy.sparse.hstack([Q, X[:, old.features.n_rules :]], format="csr", dtype=X.dtype)
    moved = np.abs(old.phi_scale * old.weights.logits(X) - new.phi_scale * new.weights.logits(Z)).max(axis=1) > _NOTHING
    if before.policy.cascade.margin != after.policy.cascade.margin:
        moved[:] = True  # ψ is skipped for other texts than before
    asked = np.flatnonzero(moved)
    first = asked if labels is None else np.arange(len(texts))
    was = np.full(len(texts), None, dtype=object)
    was[first] = _answers(before, [texts[i] for i in first.tolist()]) if len(first) else []
    now = was.copy()
    now[asked] = _answers(after, [texts[i] for i in asked.tolist()]) if len(asked) else []
    rows = np.flatnonzero(was != now).tolist()
    changed = [texts[i] for i in rows]
    reasons = list(map(_reasons, before.explain(changed), after.explain(changed))) if rows else []
    ids = [side.features.ruleset.ids if side.features.ruleset else [] for side in (old, new)]
    return _flips("model", texts, _firings(R, Q, *ids), rows, was, now, reasons, labels)


def _answers(model: Predictor, texts: list[str]) -> Array:
    """The answer to each text, a tuple of several labels."""
    found = model.predict(texts)
    return as_tuples(found, model.labels) if found.ndim == 2 else found


def vote_flips(before: RuleSet, after: RuleSet, texts: Sequence[str], labels: Sequence[Label] | None = None) -> Flips:
    """Compare the predictions of the starting weights of two rule files; `labels` are the correct ones, for the accuracy."""
    texts = check_texts(texts)
    languages = [declared_or_detected(ruleset.language, texts) for ruleset in (before, after)]
    R, Q = before.match(texts, language=languages[0]), after.match(texts, language=languages[1])
    was, now = vote(before, R), vote(after, Q)
    rows = np.flatnonzero(was != now).tolist()
    sides = list(zip((before, after), languages, strict=True))
    reasons = [_vote_reasons(sides, texts[i], was[i], now[i]) for i in rows]
    return _flips("vote", texts, _firings(R, Q, before.ids, after.ids), rows, was, now, reasons, labels)


def vote(ruleset: RuleSet, R: Any) -> Array:
    """Return the label with the largest sum of starting weights for each text; in a tie the first, None if no rule fires.

    Examples
    --------
    >>> rules = RuleSet.from_yaml("{rulenet: 1, rules: [{id: a, label: x, word: b}, {id: c, label: y, word: d, weight: 2}]}")
    >>> vote(rules, rules.match(["b", "b d", "e"])).tolist()
    ['x', 'y', None]
    """
    labels = ruleset.labels
    best = np.array([*labels, None], dtype=object)
    chosen = (R @ starting_weights(ruleset)).argmax(axis=1) if len(labels) else np.zeros(R.shape[0], dtype=np.intp)
    return np.asarray(best[np.where(R.getnnz(axis=1) > 0, chosen, len(labels))])


def starting_weights(ruleset: RuleSet) -> Array:
    """The author's weights, shape (n_rules, n_labels)."""
    return phi.starting_weights(phi.rule_columns(ruleset, ruleset.labels), len(ruleset), len(ruleset.labels))


def known_labels(model: Predictor, data: Dataset) -> list[Label] | None:
    """Return the labels of a data set as classes of the model, in its order if a text has several; None if labels are missing.

    Raises
    ------
    LabelError
        If the model does not know a label.
    DataError
        If only the model or only the data have several labels per text.
    """
    if data.labels is None:
        return None
    classes = model.labels.tolist()
    if data.several != model.link.several:
        each = ("one label", "several labels") if data.several else ("several labels", "one label")
        raise DataError(f"{data.source}: the model gives each text {each[0]}, but these have {each[1]} each")
    if data.several:
        return list(as_tuples(label_matrix(data.labels, classes, data.source), model.labels))
    return [classes[i] for i in class_indices(data.labels, classes, data.source).tolist()]


def _flips(
    by: str,
    texts: list[str],
    firings: list[Firing],
    rows: list[int],
    was: Array,
    now: Array,
    reasons: list[list[Reason]],
    labels: Sequence[Label] | None,
) -> Flips:
    right = np.full(len(texts), None, dtype=object)
    for i, label in enumerate(labels or ()):
        right[i] = label  # numpy would make a matrix of tuples
    answers = [ChangedAnswer(i, texts[i], was[i], now[i], why, right[i]) for i, why in zip(rows, reasons, strict=True)]
    accuracy = (float((was == right).mean()), float((now == right).mean())) if labels is not None and texts else None
    return Flips(by, len(texts), firings, answers, accuracy)


def _firing(features: Features, texts: list[str]) -> Any:
    """Return R for a model's rules."""
    if features.ruleset is None:
        return scipy.sparse.csr_matrix((len(texts), 0), dtype=np.int8)
    return features.ruleset.match(texts, language=features.language, n_jobs=features.n_jobs)


def _firings(R: Any, Q: Any, before: Sequence[str], after: Sequence[str]) -> list[Firing]:
    """Return the rules whose columns differ; removed rules come last."""
    columns = [
        {name: matrix.indices[matrix.indptr[j] : matrix.indptr[j + 1]] for j, name in enumerate(names)}
        for matrix, names in ((R.tocsc(), before), (Q.tocsc(), after))
    ]
    nowhere = np.empty(0, dtype=np.int32)
    found = []
    for name in dict.fromkeys([*after, *before]):
        was, now = (side.get(name, nowhere) for side in columns)
        gained, lost = np.setdiff1d(now, was).tolist(), np.setdiff1d(was, now).tolist()
        if gained or lost:
            found.append(Firing(name, len(was), len(now), gained, lost))
    return found


def _reasons(was: Explanation, now: Explanation) -> list[Reason]:
    """Return every addend that differs between two explanations of a text, for the new label against the old one."""
    old, new = (e.labels if isinstance(e, SetExplanation) else (e.label,) for e in (was, now))
    gained, lost = [label for label in new if label not in old], [label for label in old if label not in new]

    def lead(values: dict[Label, float]) -> float:
        return sum(values[label] for label in gained) - sum(values[label] for label in lost)

    addends: list[dict[tuple[str, str], float]] = []
    spans: dict[tuple[str, str], list[Span]] = {}
    for e in (was, now):
        terms = {(t.kind, t.name): lead(t.contributions) for t in e.terms}
        terms = dict(sorted(terms.items(), key=lambda item: -abs(item[1])))
        addends.append({("bias", ""): lead(e.bias), ("neural", ""): lead(e.neural), **terms})
        spans |= {(t.kind, t.name): t.spans for t in e.terms if t.spans}
    return _strongest(addends, spans)


def _vote_reasons(sides: list[tuple[RuleSet, Language]], text: str, was: Any, now: Any) -> list[Reason]:
    """Return every starting weight that differs, for the new label against the old one."""
    addends: list[dict[tuple[str, str], float]] = []
    spans: dict[tuple[str, str], list[Span]] = {}
    for ruleset, language in sides:
        hits = ruleset.spans(text, language=language)
        given = {("rule", rule.id): rule.evidence for rule in ruleset.rules if rule.id in hits}
        addends.append({key: weights.get(now, 0.0) - weights.get(was, 0.0) for key, weights in given.items()})
        spans |= {("rule", name): found for name, found in hits.items() if found}
    return _strongest(addends, spans)


def _strongest(addends: list[dict[tuple[str, str], float]], spans: dict[tuple[str, str], list[Span]]) -> list[Reason]:
    """Return a reason for each addend, by kind and name, that is not the same before and after."""
    before, after = addends
    keys = dict.fromkeys([*after, *before])
    reasons = [Reason(*key, before.get(key, 0.0), after.get(key, 0.0), spans.get(key, [])) for key in keys]
    return sorted((r for r in reasons if abs(r.change) > _NOTHING), key=lambda r: -abs(r.change))
