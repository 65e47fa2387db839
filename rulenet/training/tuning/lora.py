"""Low-rank changes of the encoder's matrices, W + (α / r)·B A (Hu et al. 2022), by peft. Imports torch and peft late.

They are added to the matrices when training ends, so that saving, export and explanations meet an ordinary encoder.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from rulenet.base.extras import folder_of
from rulenet.errors import EncoderError
from rulenet.model.encoders.encoder import Encoder
from rulenet.training.parts import Number, Positive, Whole, part
from rulenet.training.tuning.tuning import Tuning

# What BERT and its relatives call the projections to queries and values.
ATTENTION = ({"query", "value"}, {"query_proj", "value_proj"}, {"q_lin", "v_lin"}, {"q_proj", "v_proj"}, {"q", "v"})


@part
class LoRA(Tuning):
    """Train a low-rank change of some matrices in all layers; the matrices themselves stay until it is added to them in the end.

    Attributes
    ----------
    r
        Rank of the change.
    lora_alpha
        α; the change is scaled by α / r. None: 2 r.
    lora_dropout
        Share of the change's input dropped in training.
    lora_targets
        ``"all"``: every matrix of the layers; ``"attention"``: the projections to queries and values, a quarter of the weights.
        500 TREC rows, means of three samples of 1,000 other training rows: all at 1e-3 89.5, those two at 5e-4 88.1, `Full` 90.3.
    """

    stage: ClassVar[str] = "lora"
    adapts: ClassVar[bool] = True
    default_rate: ClassVar[float | None] = 1e-3
    r: Annotated[Whole, Field(ge=1, le=10_000)] = 8
    lora_alpha: Positive | None = None
    lora_dropout: Annotated[Number, Field(ge=0, lt=1)] = 0.0
    lora_targets: Literal["attention", "all"] = "all"

    def check(self) -> None:
        """Name the extra that is missing."""
        folder_of("peft", purpose="tune=LoRA()")

    def begin(self, encoder: Encoder) -> None:
        """Refuse an encoder whose matrices have names that are not known."""
        self._targets(encoder)

    def prepare(self, encoder: Encoder, learning_rate: float) -> list[dict[str, Any]]:
        """The low-rank matrices."""
        from peft import LoraConfig, inject_adapter_in_model

        config = LoraConfig(
            r=self.r, lora_alpha=self.lora_alpha or 2 * self.r, lora_dropout=self.lora_dropout,
            target_modules=self._targets(encoder),
        )  # fmt: skip
        inject_adapter_in_model(config, encoder.model)
        return [{"params": [p for p in encoder.model.parameters() if p.requires_grad], "initial_lr": learning_rate}]

    def finish(self, encoder: Encoder) -> None:
        """Add the changes to their matrices."""
        from peft.tuners.lora import LoraLayer

        model = encoder.model
        for name, module in list(model.named_modules()):
            if isinstance(module, LoraLayer):
                module.merge()
                parent, _, own = name.rpartition(".")
                setattr(model.get_submodule(parent), own, module.get_base_layer().requires_grad_(True))
        del model.peft_config

    def _targets(self, encoder: Encoder) -> list[str]:
        """Names of the matrices."""
        from torch import nn

        linear = [name for name, module in encoder.model.named_modules() if isinstance(module, nn.Linear)]
        last = {name.rpartition(".")[2] for name in linear}
        found = next((names for names in ATTENTION if names <= last), None)
        if found is None:
            raise EncoderError(
                f"encoder {encoder.name!r} is not built like BERT: it has no layers called query and value that tune=LoRA() could "
                "change; use tune=Full() or frozen_layers"
            )
        return linear if self.lora_targets == "all" else [name for name in linear if name.rpartition(".")[2] in found]
