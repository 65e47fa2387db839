"""Every weight of the encoder is trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rulenet.model.encoders.encoder import Encoder
from rulenet.training.tuning.tuning import Tuning


@dataclass(frozen=True)
class Full(Tuning):
    """Train all layers and the embeddings."""

    def prepare(self, encoder: Encoder, learning_rate: float) -> list[dict[str, Any]]:
        """All parameters."""
        return [{"params": list(encoder.model.parameters()), "initial_lr": learning_rate}]
