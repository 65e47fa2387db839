"""Only biases are trained (BitFit, Ben Zaken et al. 2022)."""

from __future__ import annotations

from typing import Any, ClassVar

from rulenet.errors import EncoderError
from rulenet.model.encoders.encoder import Encoder
from rulenet.training.parts import part
from rulenet.training.tuning.tuning import Tuning


@part
class BiasOnly(Tuning):
    """Train the biases of all layers, a thousandth of the encoder's weights, and leave the others as they came."""

    stage: ClassVar[str] = "bias"
    adapts: ClassVar[bool] = True
    default_rate: ClassVar[float | None] = 1e-3

    def begin(self, encoder: Encoder) -> None:
        """Refuse an encoder without biases."""
        if not any(name.endswith("bias") for name, _ in encoder.model.named_parameters()):
            raise EncoderError(
                f"encoder {encoder.name!r} has no biases, so tune=BiasOnly() cannot train it; use LoRA()"
            )

    def prepare(self, encoder: Encoder, learning_rate: float) -> list[dict[str, Any]]:
        """The biases."""
        for name, weight in encoder.model.named_parameters():
            weight.requires_grad_(name.endswith("bias"))
        return [{"params": [p for p in encoder.model.parameters() if p.requires_grad], "initial_lr": learning_rate}]
