"""Labelled texts split into three parts, and their predictions before anything is suggested. Imports the model and below."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse

from rulenet.base.types import Array
from rulenet.base.wording import counted
from rulenet.errors import InputError
from rulenet.model.link import ONE_OF
from rulenet.model.phi import rule_columns
from rulenet.model.phi_problem import PhiProblem
from rulenet.rules.ruleset import RuleSet
from rulenet.text.clean import clean
from rulenet.text.fold import fold

MIN_TEXTS = 60
MINED = 0.6  # share of the texts not held out that rules are mined on; they are selected on the rest
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True)
class Parts:
    """Row numbers of the texts that rules are mined on, selected on, and evaluated on."""

    mined: Array
    chosen: Array
    held_out: Array

    @property
    def learned(self) -> Array:
        """Rows that rules are mined or selected on."""
        return np.sort(np.concatenate([self.mined, self.chosen]))


def kind_of(text: str) -> str:
    """What texts share that differ only in case, punctuation or numbers.

    Examples
    --------
    >>> kind_of("Oil at 40 dollars!") == kind_of("oil at 9 dollars")
    True
    """
    return _DIGITS.sub("0", fold(clean(text)))


def part(texts: Sequence[str], held_out: float, seed: int) -> Parts:
    """Split the rows at random; texts that differ only in case, punctuation or numbers stay together.

    Raises
    ------
    InputError
        If there are too few different texts.

    Examples
    --------
    >>> different = [first + second for first in "abcdefgh" for second in "abcdefgh"]
    >>> parts = part(different + [f"Oil at {i} dollars" for i in range(16)], 0.5, 0)
    >>> len(parts.held_out), len(set(range(64, 80)) & set(parts.held_out.tolist())) in (0, 16)
    (40, True)
    """
    kinds: dict[str, int] = {}
    kind = np.array([kinds.setdefault(kind_of(text), len(kinds)) for text in texts])
    if len(kinds) < MIN_TEXTS:
        raise InputError(
            f"{counted(len(texts), 'text')}, {len(kinds):,} of them different, are too few to find rules and to evaluate them on "
            f"other texts: give at least {MIN_TEXTS} different texts"
        )
    sizes = np.bincount(kind)
    order = np.random.default_rng(seed).permutation(len(kinds))
    until = np.cumsum(sizes[order]) / len(texts)
    part_of = np.empty(len(kinds), dtype=np.int64)
    part_of[order] = np.searchsorted([held_out, held_out + (1 - held_out) * (1 - MINED)], until - 1e-9, side="right")
    rows = [np.flatnonzero(part_of[kind] == k) for k in range(3)]
    return Parts(mined=rows[2], chosen=rows[1], held_out=rows[0])


@dataclass(frozen=True)
class Base:
    """The present rules or model, and their predictions."""

    ruleset: RuleSet
    R: Any  # firings of the present rules, shape (n_texts, n_rules)
    Y: Array  # one-hot labels, shape (n_texts, n_classes)
    names: list[str]  # the classes as strings
    model: Array | None = (
        None  # logits of the model, shape (n_texts, n_classes); None: predict with learned weights of the rules
    )

    @property
    def y(self) -> Array:
        """Class index of each text."""
        return ONE_OF.right(self.Y)

    def logits(self, fit: Array, more: Any = None, columns: RuleSet | None = None) -> Array:
        """Compute the logits of all rows with weights learned on the rows `fit`; `columns` are additional rules, with firings `more`."""
        if columns is None:
            return self.weights(fit)[1] if self.model is None else self.model
        if self.model is not None:
            problem = PhiProblem(rules=rule_columns(columns, self.names))
            weights = problem.solve(more[fit].astype(np.float64), self.Y[fit], offset=self.model[fit])
            return self.model + weights.logits(more)
        X = scipy.sparse.csr_matrix(scipy.sparse.hstack([self.R, more], format="csr"), dtype=np.float64)
        own, n = rule_columns(self.ruleset, self.names), len(self.ruleset)
        added = [replace(cell, column=n + (cell.column or 0)) for cell in rule_columns(columns, self.names)]
        return PhiProblem(rules=[*own, *added]).solve(X[fit], self.Y[fit]).logits(X)

    def weights(self, fit: Array) -> tuple[Array, Array]:
        """Learn the weights of the rules alone on some rows, shape (n_rules, n_classes), and return them with the logits of all rows."""
        R = scipy.sparse.csr_matrix(self.R, dtype=np.float64)
        weights = PhiProblem(rules=rule_columns(self.ruleset, self.names)).solve(R[fit], self.Y[fit])
        return weights.coef, weights.logits(R)

    def proba(self, fit: Array) -> Array:
        """Compute the probabilities of all rows, with weights learned on some rows."""
        return ONE_OF.proba(self.logits(fit))
