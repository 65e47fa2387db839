"""The training data: one row for each text, labelled or not. Imports the words of augmentations, and numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any

import numpy as np

from rulenet.base.types import Array
from rulenet.training.augment.words import WordFinder


class Origin(IntEnum):
    """Where the target of a row comes from."""

    NONE = 0
    GUESSED = 1  # by φ, where it is confident or nothing else is known
    GIVEN = 2


@dataclass(frozen=True)
class Corpus:
    """The rows of a training run.

    Examples
    --------
    >>> corpus = Corpus(["a", "b"], None, np.array([[1.0, 0.0], [0.0, 0.0]]), np.array([Origin.GIVEN, Origin.NONE]))
    >>> corpus.with_target.tolist(), len(corpus.take(corpus.with_target))
    ([0], 1)
    """

    texts: Sequence[str]
    X: Any  # φ's columns, sparse, (n_texts, n_columns)
    Y: Array  # target distributions, (n_texts, n_classes); zeros without a target
    origin: Array  # `Origin` of each target, (n_texts,)
    phi: Any = None  # φ from weights that never saw the text, (n_texts, n_classes)
    rows: Sequence[Any] = ()  # word pieces of each text, or its hidden states after the first `layers` layers
    layers: int = 0
    words: WordFinder = field(default_factory=WordFinder)  # what augmentations may change of a text

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

    def without_guesses(self) -> Corpus:
        """The same rows with targets only where the user gave them."""
        origin = np.where(self.is_given, self.origin, Origin.NONE)
        return replace(self, Y=np.where(self.is_given[:, None], self.Y, 0.0), origin=origin)

    def take(self, indices: Array) -> Corpus:
        """Some of the rows."""
        arrays: dict[str, Any] = {name: getattr(self, name) for name in ("X", "Y", "origin", "phi")}
        arrays = {name: None if array is None else array[indices] for name, array in arrays.items()}
        texts, rows = ([of[i] for i in indices.tolist()] if len(of) else () for of in (self.texts, self.rows))
        return replace(self, texts=texts, rows=rows, **arrays)
