"""Every weight of the encoder is trained."""

from __future__ import annotations

from typing import Any, ClassVar

from rulenet.model.encoders.encoder import Encoder
from rulenet.training.parts import part
from rulenet.training.tuning.tuning import Tuning


@part
class Full(Tuning):
    """Train all layers and the embeddings."""

    stage: ClassVar[str] = "full"

    def prepare(self, encoder: Encoder, learning_rate: float) -> list[dict[str, Any]]:
        """All parameters."""
        return [{"params": list(encoder.model.parameters()), "initial_lr": learning_rate}]
