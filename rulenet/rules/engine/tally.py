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


def right_labels(rules: Sequence[Rule], classes: Sequence[str]) -> Array:
    """Whether firing is right on texts of each label, shape (n_rules, n_classes), bool."""
    found = [[rule.is_right(label) for label in classes] for rule in rules]
    return np.array(found, dtype=bool).reshape(len(rules), len(classes))


def count(R: scipy.sparse.csr_matrix, right: Array, y: Array | None = None) -> Counts:
    """Counts of each rule: R is (n_texts, n_rules), `right` comes from `right_labels`, y (n_texts,) are class indices (None: no labels).

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
    return Counts(fired, won, right @ np.bincount(y, minlength=right.shape[1]), shared, contested, *totals)


def fired_right(R: scipy.sparse.csr_matrix, right: Array, y: Array) -> scipy.sparse.csr_matrix:
    """R with the firings alone that are right."""
    text = np.repeat(np.arange(R.shape[0]), np.diff(R.indptr))
    return scipy.sparse.csr_matrix((right[R.indices, y[text]].astype(np.int32), R.indices, R.indptr), R.shape)


def opposition(right: Array) -> tuple[Array, Array]:
    """Group of each rule, those right on the same labels, and whether two groups have no label in common."""
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
    if y is not None and y.ndim == 2:
        fires, right = np.bincount(R.indices, minlength=R.shape[1]), right_of_sets(rules, R, classes, y).tolist()
    else:
        found = count(R, right_labels(rules, classes), y)
        fires, right = found.fired, [None] * len(rules) if found.right is None else found.right.tolist()
    rows = zip(rules, fires.tolist(), right, strict=True)
    return {"texts": R.shape[0], "rules": {rule.id: {"fired": fired, "right": wins} for rule, fired, wins in rows}}


def right_of_sets(rules: Sequence[Rule], R: scipy.sparse.csr_matrix, classes: Sequence[str], Y: Array) -> Array:
    """How often each rule is right where texts have several labels, Y (n_texts, n_classes) of 0 and 1, shape (n_rules,).

    A rule for labels is right on a text that has one of them, a rule that is only against labels on one that has none of them.

    Examples
    --------
    >>> rules = [Rule(id="a", word=["x"], label="A"), Rule(id="b", word=["x"], label="A", sign="against", weight=-1)]
    >>> R = scipy.sparse.csr_matrix(np.ones((3, 2), dtype=np.int8))
    >>> right_of_sets(rules, R, ["A", "B"], np.array([[1, 1], [0, 1], [0, 0]])).tolist()
    [1, 2]
    """
    is_for = np.array([bool(rule.supports) for rule in rules], dtype=bool)
    meant = np.array(
        [[label in (rule.supports or rule.evidence) for label in classes] for rule in rules], dtype=np.int64
    )
    has_one = (Y @ meant.reshape(len(rules), len(classes)).T) > 0  # (n_texts, n_rules)
    return np.asarray(R.astype(bool).multiply(has_one == is_for).sum(axis=0)).ravel()
