"""How often each rule fires, is right, and meets another: counts from R and the labels. Imports numpy and scipy only.

Every count is a sparse product or a bincount, so 2,000 rules on 120,000 texts take a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse

from rulenet.base.types import Array
from rulenet.rules.file.schema import Rule


@dataclass(frozen=True)
class Counts:
    """How many texts there are of each kind, for each rule; all of shape (n_rules,)."""

    fired: Array  # texts on which the rule fires
    right: Array | None  # those of them on which it is right; None without labels
    could: Array | None  # texts on which firing would be right; None without labels
    shared: Array  # texts on which it fires and another rule does too
    contested: Array  # texts on which it fires and a rule does that cannot be right at the same time
    reached: int  # number of texts on which any rule fires
    disputed: int  # number of texts on which two rules fire that cannot both be right


@dataclass(frozen=True)
class RightOnSets:
    """When rules are right where texts have several labels each, or none.

    A rule for labels is right on a text that has one of them, a rule that is only against labels on one that has none of them.
    """

    meant: Array  # labels that the rule is for, or those that it is against, shape (n_rules, n_classes), bool
    is_for: Array  # which of the two, shape (n_rules,), bool

    @classmethod
    def of(cls, rules: Sequence[Rule], classes: Sequence[str]) -> RightOnSets:
        """What some rules mean."""
        found = [[label in (rule.supports or rule.evidence) for label in classes] for rule in rules]
        meant = np.array(found, dtype=bool).reshape(len(rules), len(classes))
        return cls(meant, np.array([bool(rule.supports) for rule in rules], dtype=bool))


Right = Array | RightOnSets
"""When firing is right: on texts with some labels (see `right_labels`), or on sets of labels."""


def right_labels(rules: Sequence[Rule], classes: Sequence[str]) -> Array:
    """Whether firing is right on texts of each label, shape (n_rules, n_classes), bool."""
    found = [[rule.is_right(label) for label in classes] for rule in rules]
    return np.array(found, dtype=bool).reshape(len(rules), len(classes))


def count(R: scipy.sparse.csr_matrix, right: Right, y: Array | None = None) -> Counts:
    """Counts of each rule, for R of shape (n_texts, n_rules).

    y are class indices (n_texts,), or with `RightOnSets` 0 and 1 of shape (n_texts, n_classes); None: no labels.

    Examples
    --------
    >>> R = scipy.sparse.csr_matrix([[1, 1], [1, 0], [0, 1]])
    >>> found = count(R, np.eye(2, dtype=bool), np.array([0, 1, 1]))  # the first rule is for label 0, the second for 1
    >>> found.fired.tolist(), found.right.tolist(), found.contested.tolist()
    ([2, 2], [1, 1], [1, 1])
    """
    R = scipy.sparse.csr_matrix(R, dtype=np.int32)  # int8, as the matcher gives it, would overflow in sums
    n_rules = R.shape[1]
    fired = np.bincount(R.indices, minlength=n_rules)
    is_shared = np.diff(R.indptr) > 1
    shared = np.asarray(R.T @ is_shared.astype(np.int32))
    group, opposed = opposition(right)
    member = scipy.sparse.csr_matrix(
        (np.ones(n_rules, dtype=np.int32), (np.arange(n_rules), group)), (n_rules, len(opposed))
    )
    heard = ((R @ member).toarray() > 0).astype(np.float32)  # (n_texts, n_groups): whether a rule of the group fires
    against = (heard @ opposed.astype(np.float32) > 0).astype(np.int32)
    contested = np.asarray(R.T @ against)[np.arange(n_rules), group] if n_rules else fired
    totals = int((np.diff(R.indptr) > 0).sum()), int((heard * against).any(axis=1).sum())
    if y is None:
        return Counts(fired, None, None, shared, contested, *totals)
    won = np.asarray(fired_right(R, right, y).sum(axis=0)).ravel()
    return Counts(fired, won, _could(right, y, group), shared, contested, *totals)


def is_right(right: Right, rules: Any, y: Array) -> Array:
    """Whether it is right that a rule fires on a text, for each pair of a rule (or for one) and the label, or labels, of a text."""
    if isinstance(right, RightOnSets):
        return np.asarray(((y > 0) & right.meant[rules]).any(axis=1) == right.is_for[rules])
    return np.asarray(right[rules, y])


def fired_right(R: scipy.sparse.csr_matrix, right: Right, y: Array) -> scipy.sparse.csr_matrix:
    """R with the firings alone that are right."""
    text = np.repeat(np.arange(R.shape[0]), np.diff(R.indptr))
    y = y > 0 if isinstance(right, RightOnSets) else y  # a byte for each label of each firing
    return scipy.sparse.csr_matrix((is_right(right, R.indices, y[text]).astype(np.int32), R.indices, R.indptr), R.shape)


def _could(right: Right, y: Array, group: Array) -> Array:
    """Number of texts on which it would be right to fire, shape (n_rules,)."""
    if not isinstance(right, RightOnSets):
        return np.asarray(right @ np.bincount(y, minlength=right.shape[1]))
    _, first = np.unique(group, return_index=True)  # a rule of each group
    has_one = (y > 0).astype(np.float32) @ right.meant[first].T.astype(np.float32) > 0  # (n_texts, n_groups)
    return np.asarray((has_one == right.is_for[first]).sum(axis=0))[group]


def opposition(right: Right) -> tuple[Array, Array]:
    """Group of each rule, those right on the same texts, and whether rules of two groups cannot both be right.

    With one label per text that is so if they have no label in common; with several only of a rule for labels that are all among those
    that the other is against: labels do not exclude each other.
    """
    if isinstance(right, RightOnSets):
        groups, group = np.unique(np.column_stack([right.meant, right.is_for]), axis=0, return_inverse=True)
        labels, is_for = groups[:, :-1].astype(np.int32), groups[:, -1]
        denied = is_for[:, None] & ~is_for & (labels @ (1 - labels).T == 0)
        return group.reshape(-1), denied | denied.T
    groups, group = np.unique(right, axis=0, return_inverse=True)
    opposed = (groups.astype(np.int32) @ groups.T.astype(np.int32)) == 0
    np.fill_diagonal(opposed, False)  # two rules against the only label there is agree
    return group.reshape(-1), opposed


def tally(rules: Sequence[Rule], R: scipy.sparse.csr_matrix, classes: Sequence[str], y: Array | None) -> dict[str, Any]:
    """How often each rule fires and is right, as plain data to compare other texts with; `right` is None without labels.

    Examples
    --------
    >>> from rulenet.rules.file.schema import Rule
    >>> tally([Rule(id="a", word=["x"], label="A")], scipy.sparse.csr_matrix([[1], [1]]), ["A", "B"], np.array([0, 1]))
    {'texts': 2, 'rules': {'a': {'fired': 2, 'right': 1}}}
    """
    several = y is not None and y.ndim == 2
    found = count(R, RightOnSets.of(rules, classes) if several else right_labels(rules, classes), y)
    right = [None] * len(rules) if found.right is None else found.right.tolist()
    rows = zip(rules, found.fired.tolist(), right, strict=True)
    return {"texts": R.shape[0], "rules": {rule.id: {"fired": fired, "right": wins} for rule, fired, wins in rows}}
