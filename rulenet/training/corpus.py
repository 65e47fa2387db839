"""What training learns from: one row for each text, labelled or not. Imports batches; numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np

from rulenet.base.types import Array
from rulenet.model.batches import token_budget_batches


class Origin(IntEnum):
    """Where the target of a row comes from."""

    NONE = 0
    GUESSED = 1  # by φ, where it is sure or nothing else is known
    GIVEN = 2


@dataclass(frozen=True)
class Corpus:
    """The rows of a training run.

    Attributes
    ----------
    texts
        The texts as given.
    X
        φ's columns, sparse, shape (n_texts, n_columns).
    Y
        Target distributions, shape (n_texts, n_classes); all zero where there is no target.
    origin
        `Origin` of each target, shape (n_texts,).
    phi
        φ from weights that never saw the text, shape (n_texts, n_classes).
    rows
        Word pieces of each text, or its hidden states after the first `layers` layers.

    Examples
    --------
    >>> corpus = Corpus(["a", "b"], None, np.array([[1.0, 0.0], [0.0, 0.0]]), np.array([Origin.GIVEN, Origin.NONE]))
    >>> corpus.with_target.tolist(), len(corpus.take(corpus.with_target))
    ([0], 1)
    """

    texts: Sequence[str]
    X: Any
    Y: Array
    origin: Array
    phi: Any = None
    rows: Sequence[Any] = ()
    layers: int = 0

    def __len__(self) -> int:
        return len(self.origin)

    @property
    def is_given(self) -> Array:
        """Whether each target was given by the user, shape (n_texts,)."""
        return np.asarray(self.origin == Origin.GIVEN)

    @property
    def with_target(self) -> Array:
        """Indices of the rows that have a target."""
        return np.flatnonzero(self.origin != Origin.NONE)

    def take(self, indices: Array) -> Corpus:
        """Some of the rows."""
        chosen = indices.tolist()
        return Corpus(
            [self.texts[i] for i in chosen], None if self.X is None else self.X[indices], self.Y[indices],
            self.origin[indices], None if self.phi is None else self.phi[indices],
            [self.rows[i] for i in chosen] if len(self.rows) else (), self.layers,
        )  # fmt: skip


def cut(
    corpus: Corpus, indices: Array, rng: np.random.Generator, *, tokens: int, texts: int, window: int
) -> list[list[int]]:
    """Shuffled batches of some rows; see `token_budget_batches`."""
    lengths = [len(corpus.rows[i]) for i in indices.tolist()]
    batches = token_budget_batches(lengths, budget=tokens, max_texts=texts, rng=rng, window=window)
    return [indices[batch].tolist() for batch in batches]
