"""Which weights of the encoder are trained: what a file of tuning gives. Imports no torch: recipes are read without it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from rulenet.model.encoders.encoder import Encoder
from rulenet.training.corpus import Corpus


class Tuning(ABC):
    """A way to tune an encoder: the base of frozen dataclasses."""

    @abstractmethod
    def prepare(self, encoder: Encoder, learning_rate: float) -> list[dict[str, Any]]:
        """Make the encoder's model ready to be trained; its parameter groups for the optimizer, with their ``initial_lr``."""

    def keep(self, encoder: Encoder, corpus: Corpus, device: str) -> Corpus:
        """The same rows with what need not be computed again at every step; called before `prepare`."""
        return corpus
