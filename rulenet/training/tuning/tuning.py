"""Which weights of the encoder are trained: the base of every tuning. Imports no torch: recipes are read without it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from rulenet.model.device import Precision
from rulenet.model.encoders.encoder import Encoder
from rulenet.training.corpus import Corpus


class Tuning(ABC):
    """A way to tune an encoder: the base of frozen dataclasses."""

    stage: ClassVar[str]  # what it is called among the stages of a recipe
    adapts: ClassVar[bool] = False  # whether it needs an encoder that has read other texts before
    default_rate: ClassVar[float | None] = None  # default learning rate of the encoder; None: the encoder's own

    def check(self) -> None:  # noqa: B027
        """Refuse to train if a package is missing; called before any work."""

    def begin(self, encoder: Encoder) -> None:  # noqa: B027
        """Refuse an encoder that cannot be tuned so, or change what it reads; called when it is loaded, before it reads any text."""

    @abstractmethod
    def prepare(self, encoder: Encoder, learning_rate: float) -> list[dict[str, Any]]:
        """Prepare the encoder's model for training; returns parameter groups for the optimizer, each with its ``initial_lr``."""

    def finish(self, encoder: Encoder) -> None:  # noqa: B027
        """Undo what `prepare` did to the structure of the model, and keep what was learned in its own weights."""

    def keep(self, encoder: Encoder, corpus: Corpus, device: str, precision: Precision = "float32") -> Corpus:
        """The same rows, with outputs that need not be computed at every step; called before `prepare`."""
        return corpus


def trained_share(model: Any) -> dict[str, float]:
    """Share of the weights of a `transformers` model that are trained: of all, and of those outside its table of word pieces."""
    table = model.get_input_embeddings().weight
    own = [weight for weight in model.parameters() if weight is not table]
    n, n_trained = (sum(w.numel() for w in own if keep(w)) for keep in (lambda w: True, lambda w: w.requires_grad))
    in_table = table.numel() if table.requires_grad else 0
    return {"encoder": (n_trained + in_table) / (n + table.numel()), "without_embeddings": n_trained / max(1, n)}
