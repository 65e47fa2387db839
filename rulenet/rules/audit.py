"""What R and the labels say of each rule: plain counts, intervals, pairs of rules. Imports numpy and scipy only.

Every count is a sparse product or a bincount, so 2,000 rules on 120,000 texts take a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse
import scipy.stats

if TYPE_CHECKING:
    from rulenet.rules.schema import Rule

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Counts:
    """How many texts there are of each kind, for each rule; all of shape (n_rules,).

    Attributes
    ----------
    fired
        Texts on which the rule fires.
    right
        Those of them on which it is right; None without labels.
    could
        Texts on which firing would be right; None without labels.
    shared
        Texts on which it fires and another rule does too.
    contested
        Texts on which it fires and a rule does that cannot be right at the same time.
    reached, disputed
        Numbers of texts on which any rule fires, and on which two do that cannot both be right.
    """

    fired: Array
    right: Array | None
    could: Array | None
    shared: Array
    contested: Array
    reached: int
    disputed: int


@dataclass(frozen=True)
class Pairs:
    """Rules that fire on the same texts, each pair once, the most frequent first; all of shape (n_pairs,).

    Attributes
    ----------
    a, b
        Columns of the two rules, a < b.
    texts
        Texts on which both fire.
    a_right, b_right
        Those of them on which the one or the other is right; None without labels.
    opposed
        Whether no label could make both right.
    """

    a: Array
    b: Array
    texts: Array
    a_right: Array | None
    b_right: Array | None
    opposed: Array

    def __len__(self) -> int:
        return len(self.a)

    def strongest(self, n_rules: int, top: int, *, opposed: bool) -> list[list[tuple[int, int]]]:
        """For each rule the pairs with the most texts, as (index of the pair, the other rule).

        Parameters
        ----------
        top
            At most so many for a rule.
        opposed
            Pairs that contradict each other, or pairs that do not.
        """
        chosen = np.flatnonzero(self.opposed == opposed)
        rule = np.concatenate([self.a[chosen], self.b[chosen]])
        other = np.concatenate([self.b[chosen], self.a[chosen]])
        pair = np.concatenate([chosen, chosen])
        order = np.lexsort((other, -self.texts[pair], rule))
        rule, other, pair = rule[order], other[order], pair[order]
        place = np.arange(len(rule)) - np.searchsorted(rule, rule)  # 0 for the first of each rule
        found: list[list[tuple[int, int]]] = [[] for _ in range(n_rules)]
        for i in np.flatnonzero(place < top).tolist():
            found[rule[i]].append((int(pair[i]), int(other[i])))
        return found


def right_labels(rules: Sequence[Rule], classes: Sequence[str]) -> Array:
    """Whether firing is right on texts of each label, shape (n_rules, n_classes), bool.

    Examples
    --------
    >>> from rulenet.rules.schema import Rule
    >>> rules = [Rule(id="a", word=["x"], label="A"), Rule(id="b", word=["y"], label="A", sign="against")]
    >>> right_labels(rules, ["A", "B", "C"]).tolist()
    [[True, False, False], [False, True, True]]
    """
    found = [[rule.is_right(label) for label in classes] for rule in rules]
    return np.array(found, dtype=bool).reshape(len(rules), len(classes))


def count(R: scipy.sparse.csr_matrix, right: Array, y: Array | None = None) -> Counts:
    """Counts of each rule.

    Parameters
    ----------
    R
        Rules that fire, shape (n_texts, n_rules), of 0 and 1.
    right
        From `right_labels`, shape (n_rules, n_classes).
    y
        Class index of each text, shape (n_texts,); None without labels.

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
    group, opposed = _opposition(right)
    member = scipy.sparse.csr_matrix(
        (np.ones(n_rules, dtype=np.int32), (np.arange(n_rules), group)), (n_rules, len(opposed))
    )
    heard = ((R @ member).toarray() > 0).astype(np.float32)  # (n_texts, n_groups): whether a rule of the group fires
    against = (heard @ opposed.astype(np.float32) > 0).astype(np.int32)
    contested = np.asarray(R.T @ against)[np.arange(n_rules), group] if n_rules else fired
    totals = int((np.diff(R.indptr) > 0).sum()), int((heard * against).any(axis=1).sum())
    if y is None:
        return Counts(fired, None, None, shared, contested, *totals)
    won = np.asarray(_fired_right(R, right, y).sum(axis=0)).ravel()
    return Counts(fired, won, right @ np.bincount(y, minlength=right.shape[1]), shared, contested, *totals)


def pairs(R: scipy.sparse.csr_matrix, right: Array, y: Array | None = None) -> Pairs:
    """Rules that fire together; parameters as in `count`.

    Examples
    --------
    >>> R = scipy.sparse.csr_matrix([[1, 1], [1, 1], [0, 1]])
    >>> found = pairs(R, np.eye(2, dtype=bool), np.array([1, 1, 0]))
    >>> found.texts.tolist(), found.a_right.tolist(), found.b_right.tolist(), found.opposed.tolist()
    ([2], [0], [2], [True])
    """
    R = scipy.sparse.csr_matrix(R, dtype=np.int32)
    together = scipy.sparse.triu(R.T @ R, k=1, format="coo")
    order = np.lexsort((together.col, together.row, -together.data))
    a, b, texts = together.row[order], together.col[order], together.data[order]
    group, opposed = _opposition(right)
    a_right = b_right = None
    if y is not None:
        won = scipy.sparse.csr_matrix(_fired_right(R, right, y).T @ R)  # (i, j): both fire and i is right
        a_right, b_right = (np.asarray(won[i, j]).ravel() if len(i) else i for i, j in ((a, b), (b, a)))
    return Pairs(a, b, texts, a_right, b_right, opposed[group[a], group[b]])


def _fired_right(R: scipy.sparse.csr_matrix, right: Array, y: Array) -> scipy.sparse.csr_matrix:
    """R with the firings alone that are right."""
    text = np.repeat(np.arange(R.shape[0]), np.diff(R.indptr))
    return scipy.sparse.csr_matrix((right[R.indices, y[text]].astype(np.int32), R.indices, R.indptr), R.shape)


def _opposition(right: Array) -> tuple[Array, Array]:
    """Group of each rule, those right on the same labels, and whether two groups have no label in common."""
    groups, group = np.unique(right, axis=0, return_inverse=True)
    opposed = (groups.astype(np.int32) @ groups.T.astype(np.int32)) == 0
    np.fill_diagonal(opposed, False)  # two rules against the only label there is agree
    return group.reshape(-1), opposed


def interval(right: Array, fired: Array, confidence: float = 0.95) -> tuple[Array, Array]:
    """Confidence interval of a share, by the score test (Wilson 1927; Brown, Cai & DasGupta 2001 recommend it).

    Examples
    --------
    >>> low, high = interval(np.array([8]), np.array([10]))
    >>> round(float(low[0]), 2), round(float(high[0]), 2)
    (0.49, 0.94)
    """
    z = float(scipy.stats.norm.ppf(0.5 + confidence / 2))
    n = np.maximum(fired, 1).astype(np.float64)
    share = right / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    low, high = np.clip(middle - reach, 0, 1), np.clip(middle + reach, 0, 1)
    return np.where(fired > 0, low, 0.0), np.where(fired > 0, high, 1.0)


def same_share(k0: Array, n0: Array | int, k1: Array, n1: Array | int) -> tuple[Array, Array]:
    """Probabilities, if both shares were the same, of as few as k1 of n1 and of as many, given k0 of n0: Fisher's exact test (1922).

    Twice the smaller of the two, at most 1, is the two-sided probability.

    Examples
    --------
    >>> few, many = same_share(np.array([5]), np.array([10]), np.array([0]), np.array([10]))
    >>> round(float(few[0]), 4), float(many[0])
    (0.0163, 1.0)
    """
    few = scipy.stats.hypergeom.cdf(k1, n0 + n1, k0 + k1, n1)
    many = scipy.stats.hypergeom.sf(np.asarray(k1) - 1, n0 + n1, k0 + k1, n1)
    return np.asarray(np.minimum(few, 1.0)), np.asarray(np.minimum(many, 1.0))


def holm(p: Array) -> Array:
    """p-values adjusted for their number by Holm (1979): those at most α are together wrong with probability at most α.

    Holds however the tests depend on each other, as those of rules that fire on the same texts do.

    Examples
    --------
    >>> holm(np.array([0.04, 0.01, 0.03])).tolist()
    [0.06, 0.03, 0.06]
    """
    order = np.argsort(p, kind="stable")
    scaled = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(scaled, 1.0)
    return adjusted


def tally(rules: Sequence[Rule], R: scipy.sparse.csr_matrix, classes: Sequence[str], y: Array | None) -> dict[str, Any]:
    """How often each rule fires and is right, as plain data to compare other texts with; `right` is None without labels.

    Examples
    --------
    >>> from rulenet.rules.schema import Rule
    >>> tally([Rule(id="a", word=["x"], label="A")], scipy.sparse.csr_matrix([[1], [1]]), ["A", "B"], np.array([0, 1]))
    {'texts': 2, 'rules': {'a': {'fired': 2, 'right': 1}}}
    """
    found = count(R, right_labels(rules, classes), y)
    right = [None] * len(rules) if found.right is None else found.right.tolist()
    rows = zip(rules, found.fired.tolist(), right, strict=True)
    return {"texts": R.shape[0], "rules": {rule.id: {"fired": fired, "right": wins} for rule, fired, wins in rows}}
