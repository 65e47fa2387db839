"""Statistics of each rule on some texts. Imports rules, data and, for a model, the estimator."""

from __future__ import annotations

import datetime
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse

from rulenet.base.progress import Progress
from rulenet.base.types import Array
from rulenet.base.wording import counted
from rulenet.data.check import check_texts
from rulenet.data.label_sets import checked_sets, has_several, indicator
from rulenet.errors import InputError, LabelError
from rulenet.rules.agreement import check_rule_labels
from rulenet.rules.engine import tally
from rulenet.rules.file.schema import Rule
from rulenet.rules.ruleset import RuleSet
from rulenet.text.language import Language, declared_or_detected
from rulenet.workbench import audit
from rulenet.workbench.samples import Example, firings
from rulenet.workbench.worth import Worth, measure

if TYPE_CHECKING:
    from rulenet.estimator import RuleNetClassifier

CONFIDENCE = 0.95
NEIGHBOURS = 3  # other rules listed for each rule
LISTED_PAIRS = 200  # in to_dict, out of possibly millions


@dataclass(frozen=True)
class Neighbour:
    """Another rule that fires on the same texts."""

    rule: str  # its id
    texts: int  # number of texts on which both fire
    right: int | None = None  # number of these on which this rule is right; None without labels
    other_right: int | None = None  # and the other one


@dataclass(frozen=True)
class RuleStats:
    """Statistics of one rule on some texts; shares are from 0 to 1, and None if they would be 0/0 or need missing labels.

    Attributes
    ----------
    place
        File and line of the rule.
    speaks_for
        Its labels in words: ``"Sports"``, ``"not World"``.
    is_active
        Whether it can fire today: enabled, and within its dates.
    fired, coverage
        Number and share of the texts on which it fires.
    right, precision, interval
        Number and share of its firings that are right, and a 95 % confidence interval of the share.
    chance
        Share of all texts on which firing would be right: the precision of a rule that fires at random.
    recall
        Share of those texts on which it fires.
    lift
        Precision divided by chance: 1 is no better than guessing.
    overlap, conflict
        Share of its firings where another rule fires too, and where a rule fires that cannot be right at the same time.
    opponents, partners
        The rules that fire most often with it, and that cannot, or can, be right at the same time.
    worth
        What the rule is worth to a fitted model; None without a model.
    examples
        Some correct firings, then some wrong ones, spread over all texts.
    """

    id: str
    place: str
    speaks_for: str
    is_active: bool
    fired: int
    coverage: float
    right: int | None
    precision: float | None
    interval: tuple[float, float] | None
    chance: float | None
    recall: float | None
    lift: float | None
    overlap: float | None
    conflict: float | None
    opponents: list[Neighbour]
    partners: list[Neighbour]
    worth: Worth | None
    examples: list[Example]


@dataclass(frozen=True)
class RulesetStats:
    """Statistics of the rules of a file on some texts.

    Attributes
    ----------
    name, fingerprint
        Name and fingerprint of the ruleset.
    n_texts, labels
        Number of texts, and of those with each label; None without labels.
    reached, disputed
        Number of texts on which at least one rule fires, and on which two rules fire that cannot both be right.
    rules
        Statistics of each rule, in the order of the file.
    pairs
        Pairs of rules that fire on the same texts.
    notes
        What is missing, and why.
    language
        Language of the texts.
    as_written
        The rules themselves.
    """

    name: str
    fingerprint: str
    n_texts: int
    labels: dict[str, int] | None
    reached: int
    disputed: int
    rules: list[RuleStats]
    pairs: audit.Pairs
    notes: list[str] = field(default_factory=list)
    language: str = "en"
    as_written: Sequence[Rule] = ()  # the rules themselves

    def conflicts(self, top: int | None = None) -> list[dict[str, Any]]:
        """Return the pairs of rules that fire on the same texts but cannot both be right, the most frequent first."""
        pairs, found = self.pairs, []
        for i in np.flatnonzero(pairs.opposed)[:top].tolist():
            ids = [self.rules[pairs.a[i]].id, self.rules[pairs.b[i]].id]
            wins = {} if pairs.right is None else {"right": pairs.right[i].tolist()}
            found.append({"rules": ids, "texts": int(pairs.texts[i]), **wins})
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON, with the number of conflicts and the 200 most frequent ones."""
        return {
            "rulenet_stats": 1,
            "name": self.name,
            "fingerprint": self.fingerprint,
            "texts": self.n_texts,
            "labels": self.labels,
            "reached": self.reached,
            "disputed": self.disputed,
            "notes": self.notes,
            "rules": [asdict(rule) for rule in self.rules],
            "conflicting_pairs": int(self.pairs.opposed.sum()),
            "conflicts": self.conflicts(LISTED_PAIRS),
        }


def rule_stats(
    rules: RuleSet | str | os.PathLike[str] | None,
    texts: Sequence[Any],
    labels: Sequence[Any] | None = None,
    *,
    model: RuleNetClassifier | str | os.PathLike[str] | None = None,
    n_jobs: int | None = None,
    examples: int = 3,
    progress: Progress | None = None,
) -> RulesetStats:
    """Compute statistics of each rule on some texts.

    Use texts that the rules were not written on and the model was not trained on; otherwise the results are too good.

    Parameters
    ----------
    rules
        A rule file or `RuleSet`; None: the rules of the model.
    texts
        The texts.
    labels
        The correct label of each text, or lists of several, which do not exclude each other: then only rules for and against the same
        contradict each other. None: only coverage, overlap and conflict are computed.
    model
        A fitted classifier or its folder, for learned weights and what the model loses without each rule. If `rules` are given
        too, the model is used with these rules (`with_rules`).
    n_jobs
        Number of processes that match rules, as in joblib; None: one.
    examples
        Number of correct and of wrong firings of each rule to keep.

    Raises
    ------
    InputError, LabelError
        If texts or labels cannot be used, or the rules do not know the labels.
    RuleFileError, ModelFileError
        If the rules or the model cannot be read.

    Examples
    --------
    >>> ruleset = RuleSet.from_yaml("{rulenet: 1, rules: [{id: win, label: Sports, word: win}, {id: oil, label: Money, word: oil}]}")
    >>> found = rule_stats(ruleset, ["They win", "Oil firms win", "Oil"], ["Sports", "Money", "Money"])
    >>> [(rule.id, rule.fired, rule.precision, rule.lift, rule.conflict) for rule in found.rules]
    [('win', 2, 0.5, 1.5, 0.5), ('oil', 2, 1.0, 1.5, 0.5)]
    """
    texts = check_texts(texts)
    if not texts:
        raise InputError("texts is empty: rule statistics need at least one text")
    ruleset, clf = _rules_and_model(rules, model)
    classes, y, notes = _indices(ruleset, clf, labels, len(texts))
    language, R, worths = _matched(ruleset, clf, texts, y, n_jobs, progress or Progress())
    right = _right(ruleset, clf, classes, y)
    shown = firings(ruleset, language, texts, R, right=right, classes=classes, y=y, n=examples)
    counts, pairs = tally.count(R, right, y), audit.pairs(R, right, y)
    return RulesetStats(
        ruleset.name, ruleset.fingerprint, len(texts), _per_label(y, classes), counts.reached, counts.disputed,
        _rows(ruleset, len(texts), counts, pairs, worths, shown), pairs, notes, language, ruleset.rules,
    )  # fmt: skip


def _rules_and_model(rules: Any, model: Any) -> tuple[RuleSet, RuleNetClassifier | None]:
    """Read the rules and the model, if there is one, with these rules."""
    ruleset, clf = RuleSet.load(rules) if isinstance(rules, (str, os.PathLike)) else rules, None
    if model is not None:
        from rulenet.estimator import RuleNetClassifier

        clf = RuleNetClassifier.load(model) if isinstance(model, (str, os.PathLike)) else model
        clf = clf if ruleset is None else clf.with_rules(ruleset)
        ruleset = clf.predictor_.hybrid.features.ruleset
    if ruleset is None or not len(ruleset):
        raise InputError("there are no rules: pass a rule file, or a model that was trained with rules")
    return ruleset, clf


def _right(ruleset: RuleSet, clf: RuleNetClassifier | None, classes: Sequence[str], y: Array | None) -> tally.Right:
    """When the rules are right."""
    several = y is not None and y.ndim == 2 if clf is None else clf.predictor_.link.several
    return tally.RightOnSets.of(ruleset.rules, classes) if several else tally.right_labels(ruleset.rules, classes)


def _matched(
    ruleset: RuleSet,
    clf: RuleNetClassifier | None,
    texts: list[str],
    y: Array | None,
    n_jobs: int | None,
    progress: Progress,
) -> tuple[Language, scipy.sparse.csr_matrix, Sequence[Worth] | None]:
    """Language of the texts, R (n_texts, n_rules), and what each rule is worth to the model, if there is one."""
    progress.say(f"{counted(len(ruleset), 'rule')}, {counted(len(texts), 'text')}")
    if clf is None:
        language = declared_or_detected(ruleset.language, texts)
        return language, ruleset.match(texts, language=language, n_jobs=n_jobs), None
    R, worths = measure(clf.predictor_, texts, y, progress=progress)
    return clf.predictor_.hybrid.features.language, R, worths


def _per_label(y: Array | None, classes: Sequence[str]) -> dict[str, int] | None:
    """How many texts have each label."""
    if y is None:
        return None
    counts = y.sum(axis=0) if y.ndim == 2 else np.bincount(y, minlength=len(classes))
    return dict(zip(classes, counts.tolist(), strict=True))


def _speaks_for(rule: Rule) -> str:
    return ", ".join(label if weight > 0 else f"not {label}" for label, weight in rule.evidence.items())


def _indices(
    ruleset: RuleSet, clf: RuleNetClassifier | None, labels: Sequence[Any] | None, n_texts: int
) -> tuple[list[str], Array | None, list[str]]:
    """Return the classes, the class index of each text, and notes on what is missing."""
    known = list(ruleset.labels) if clf is None else clf.predictor_.names
    if labels is None:
        note = "some or all labels are missing: precision, recall, lift and what the model loses cannot be computed"
        return known, None, [note]
    if has_several(labels) or (clf is not None and clf.predictor_.link.several):
        return _of_sets(ruleset, clf, labels, n_texts)
    missing = [i for i, label in enumerate(labels) if label is None or label != label]
    names = list(map(str, labels))
    if len(names) != n_texts:
        raise InputError(f"{counted(n_texts, 'text')} but {counted(len(names), 'label')}: give each text one label")
    if missing:
        lack = counted(len(missing), "label is", "labels are")
        raise InputError(f"{lack} missing, the first at position {missing[0]}: drop those texts")
    given = sorted(set(names))
    unknown = [name for name in given if name not in known]
    if unknown and clf is not None:
        raise LabelError(f"the model does not know these labels: {', '.join(unknown)}; it knows {', '.join(known)}")
    if unknown:
        check_rule_labels(ruleset, given)
        known += unknown  # labels that have no rule
    place = {name: k for k, name in enumerate(known)}
    return known, np.array([place[name] for name in names], dtype=np.intp), _absent(known, given)


def _of_sets(
    ruleset: RuleSet, clf: RuleNetClassifier | None, labels: Any, n_texts: int
) -> tuple[list[str], Array, list[str]]:
    """The same of label sets, with a matrix of 0 and 1 instead of indices."""
    if clf is not None:
        if not clf.predictor_.link.several:
            raise InputError("the texts have several labels each, but the model gives each one label")
        known, Y = clf.predictor_.names, clf.predictor_.class_indices(labels, n_texts)
    else:
        sets = [list(map(str, names)) for names in checked_sets(labels, n_texts)]
        given, known = sorted({name for names in sets for name in names}), list(ruleset.labels)
        if unknown := [name for name in given if name not in known]:
            check_rule_labels(ruleset, given)
            known += unknown  # labels that have no rule
        Y = indicator(sets, known, "the rules")
    return known, Y, _absent(known, [name for name, n in zip(known, Y.sum(axis=0), strict=True) if n])


def _absent(known: Sequence[str], given: Sequence[str]) -> list[str]:
    """Notes on labels that no text has."""
    lacking = [name for name in known if name not in given]
    return [f"no text has the label {name!r}, so rules for it are never right here" for name in lacking]


def _rows(
    ruleset: RuleSet,
    n_texts: int,
    counts: tally.Counts,
    pairs: audit.Pairs,
    worths: Sequence[Worth] | None,
    shown: list[list[Example]],
) -> list[RuleStats]:
    n_rules = len(ruleset)
    opponents, partners = (pairs.strongest(n_rules, NEIGHBOURS, opposed=opposed) for opposed in (True, False))

    def neighbours(j: int, found: list[tuple[int, int]]) -> list[Neighbour]:
        rows = []
        for pair, other in found:
            wins = () if pairs.right is None else pairs.right[pair].tolist()
            rows.append(Neighbour(ruleset.ids[other], int(pairs.texts[pair]), *(wins if j < other else wins[::-1])))
        return rows

    low, high = audit.interval(counts.fired if counts.right is None else counts.right, counts.fired, CONFIDENCE)
    rows = []
    today = datetime.date.today()
    for j, (rule, (file, line)) in enumerate(zip(ruleset.rules, ruleset.places, strict=True)):
        fired = int(counts.fired[j])
        right = precision = chance = recall = lift = None
        if counts.right is not None and counts.could is not None:
            right, could = int(counts.right[j]), int(counts.could[j])
            precision, recall, chance = _share(right, fired), _share(right, could), could / n_texts
            lift = None if precision is None or not could else precision / chance
        row = RuleStats(
            rule.id,
            f"{file}:{line}",
            _speaks_for(rule),
            rule.is_active(today),
            fired=fired,
            coverage=fired / n_texts,
            right=right,
            precision=precision,
            interval=None if precision is None else (float(low[j]), float(high[j])),
            chance=chance,
            recall=recall,
            lift=lift,
            overlap=_share(int(counts.shared[j]), fired),
            conflict=_share(int(counts.contested[j]), fired),
            opponents=neighbours(j, opponents[j]),
            partners=neighbours(j, partners[j]),
            worth=None if worths is None else worths[j],
            examples=shown[j],
        )
        rows.append(row)
    return rows


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
