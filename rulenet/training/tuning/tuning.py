"""Which weights of the encoder are trained: the base of every tuning. Imports no torch: recipes are read without it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from rulenet.model.device import Precision
from rulenet.model.encoders.encoder import Encoder
from rulenet.training.corpus import Corpus


class Tuning(ABC):
    """A way to tune an encoder: the base of frozen dataclasses."""

    @abstractmethod
    def prepare(self, encoder: Encoder, learning_rate: float) -> list[dict[str, Any]]:
        """Prepare the encoder's model for training; returns parameter groups for the optimizer, each with its ``initial_lr``."""

    def keep(self, encoder: Encoder, corpus: Corpus, device: str, precision: Precision = "float32") -> Corpus:
        """The same rows, with outputs that need not be computed at every step; called before `prepare`."""
        return corpus
