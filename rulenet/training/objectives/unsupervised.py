"""What objectives that learn from texts alone have in common: they come first or stand beside, and spoil word pieces. Imports no torch.

Before supervision, such an objective learns from all texts, with or without a label, except those that it is judged by; all layers of the
encoder are trained, but not its embeddings. Beside it, it is the side 1 − α of the loss.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np

from rulenet.base.types import Array
from rulenet.errors import ParameterError
from rulenet.training.corpus import Corpus
from rulenet.training.objectives.objective import Need, Objective, Setup, Term
from rulenet.training.tuning.frozen import Frozen

SPOILING = 3  # what random numbers of a step are for; see `rulenet.training.batch`
HEAD_RATE = 1e-3  # learning rate of modules that begin with random weights


class Unsupervised(Objective):
    """An objective that learns from texts, whether or not they have a label."""

    needs: ClassVar[frozenset[Need]] = frozenset({Need.UNLABELLED, Need.PIECES})
    is_supervised: ClassVar[bool] = False

    @property
    @abstractmethod
    def first(self) -> tuple[int, float]:
        """Epochs by itself before supervision, 0 if it stands beside, and the encoder's learning rate in them."""

    @property
    def comes_first(self) -> bool:
        """Whether it has epochs of its own."""
        return self.first[0] > 0

    def alone(self) -> dict[str, Any] | None:
        """Its own epochs and learning rate."""
        epochs, rate = self.first
        changes: dict[str, Any] = {"epochs": epochs, "learning_rate": rate, "head_learning_rate": HEAD_RATE}
        return {**changes, "compile": False, "alpha": None, "objectives": (self,), "tune": Frozen(frozen_layers=0)}


class UnsupervisedTerm(Term):
    """Such an objective in one run of ψ."""

    def __init__(self, objective: Unsupervised, setup: Setup) -> None:
        self.name, self.cut, self.psi = type(objective).__name__, setup.cut, setup.psi
        self.special = special_pieces(setup.psi.encoder.tokenizer)

    def before_epoch(self, epoch: int, epochs: int) -> None:
        """Refuse to train nothing."""
        if not any(weight.requires_grad for weight in self.psi.body.parameters()):
            raise ParameterError(
                f"{self.name} trains the encoder, but all its layers are frozen: lower frozen_layers, or let it come first"
            )

    def batches(self, corpus: Corpus, rng: np.random.Generator) -> list[list[int]]:
        """All texts."""
        return self.cut(corpus, np.arange(len(corpus)), rng)


def special_pieces(tokenizer: Any) -> Array:
    """Numbers of the pieces that are no part of a text, such as [CLS]: nothing is done to them."""
    return np.array([number for number, piece in tokenizer.get_added_tokens_decoder().items() if piece.special])


def places_of(row: Any, special: Array, share: float, rng: np.random.Generator) -> Array:
    """The places of a share of the ordinary pieces of a text, at least one if it has any, in order.

    Examples
    --------
    >>> places_of([101, 7, 8, 9, 102], np.array([101, 102]), 0.9, np.random.default_rng(0)).tolist()
    [1, 2, 3]
    """
    ordinary = np.flatnonzero(~np.isin(row, special))
    n = min(len(ordinary), max(1, round(share * len(ordinary))))
    return np.sort(rng.choice(ordinary, n, replace=False))


def without_some(row: Any, special: Array, share: float, rng: np.random.Generator) -> Array:
    """A text without a share of its pieces; at least one is left.

    Examples
    --------
    >>> without_some([101, 7, 8, 9, 102], np.array([101, 102]), 1.0, np.random.default_rng(0)).tolist()
    [101, 9, 102]
    """
    return np.delete(np.asarray(row), places_of(row, special, share, rng)[: max(0, _ordinary(row, special) - 1)])


def _ordinary(row: Any, special: Array) -> int:
    return int((~np.isin(row, special)).sum())
