"""φ(x) = b + Σ_i w_i r_i(x): the linear part, its weights and the bounds that rules put on them.

How the weights are found is in phi_problem.py. Imports rules and numpy; no torch, no scikit-learn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rulenet.base.types import Array
from rulenet.rules.ruleset import RuleSet


@dataclass(frozen=True)
class RuleColumn:
    """How one weight of a rule column is learned."""

    label: int  # class index that the weight belongs to
    prior: float = 1.0  # prior mean, in log-odds
    lower: float = 0.0  # bounds of the weight; equal for a pinned rule
    upper: float = np.inf
    column: int | None = None  # None: its position in the list, which is right if every rule has one label


def rule_cells(rules: Sequence[RuleColumn]) -> tuple[Array, Array, int]:
    """Column and class index of each rule weight, and the number of columns.

    Examples
    --------
    >>> rule_cells([RuleColumn(1, column=0), RuleColumn(0, column=0), RuleColumn(1, column=1)])
    (array([0, 0, 1]), array([1, 0, 1]), 2)
    """
    columns = np.array([i if rule.column is None else rule.column for i, rule in enumerate(rules)], dtype=np.intp)
    labels = np.array([rule.label for rule in rules], dtype=np.intp)
    return columns, labels, int(columns.max()) + 1 if len(rules) else 0


def rule_columns(ruleset: RuleSet | None, classes: Sequence[str]) -> list[RuleColumn]:
    """How the weights of each rule are learned, from what its author wrote.

    Examples
    --------
    >>> ruleset = RuleSet.from_yaml("{rulenet: 1, rules: [{id: a, label: x, word: b, weight: 2, pin: true}]}")
    >>> rule_columns(ruleset, ["w", "x"])
    [RuleColumn(label=1, prior=2.0, lower=2.0, upper=2.0, column=0)]
    """
    columns = []
    index = {label: k for k, label in enumerate(classes)}
    for i, rule in enumerate(ruleset.rules if ruleset else ()):
        for label, prior in rule.evidence.items():
            low, high = -np.inf, np.inf
            if rule.pin:
                low = high = prior
            elif rule.sign == "against" or (rule.sign == "for" and prior < 0):
                high = 0.0
            elif rule.sign == "for":
                low = 0.0
            columns.append(RuleColumn(index[label], prior, low, high, i))
    return columns


def starting_weights(rules: Sequence[RuleColumn], n_rules: int, n_classes: int) -> Array:
    """The weights that authors gave their rules, (n_rules, n_classes).

    Examples
    --------
    >>> starting_weights([RuleColumn(1, prior=2.0, column=0), RuleColumn(0, column=1)], 2, 2).tolist()
    [[0.0, 2.0], [1.0, 0.0]]
    """
    columns, labels, _ = rule_cells(rules)
    weights = np.zeros((n_rules, n_classes))
    weights[columns, labels] = [rule.prior for rule in rules]
    return weights


@dataclass(frozen=True)
class Weights:
    """Solution of φ.

    Attributes
    ----------
    coef, bias
        Weight of each column for each class, (n_columns, n_classes); a rule's are 0 except for its own labels. Bias, (n_classes,).
    shared
        What the terms share in `coef`, (n_terms, n_classes): their vectors · `of_vectors`.
    of_vectors
        What a word vector weighs, (d, n_classes); known only while fitting.
    like
        For each term, numbers of terms that it shares most with, nearest first, then −1: (n_terms, LIKE).
    """

    coef: Array
    bias: Array
    shared: Array | None = None
    of_vectors: Array | None = None
    like: Array | None = None

    def finished(self) -> Weights:
        """What is kept of them: `shared` only explains, and is precise enough in 16 bits."""
        shared = None if self.shared is None else self.shared.astype(np.float16)
        return Weights(self.coef, self.bias, shared, None, self.like)

    def part(self, columns: Array, classes: Array, terms: Array) -> Weights:
        """The weights of some columns, classes and terms; the last two are given by masks."""
        shared = None if self.shared is None else self.shared[np.ix_(terms, classes)]
        of_vectors = None if self.of_vectors is None else self.of_vectors[:, classes]
        return Weights(self.coef[np.ix_(columns, classes)], self.bias[classes], shared, of_vectors)

    def logits(self, X: Any) -> Array:
        """φ of shape (n_texts, n_classes)."""
        return np.asarray(X @ self.coef + self.bias)
