"""The lower layers of the encoder stay as they are, so that their output for each text is computed once. Imports torch late."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, ClassVar

from pydantic import Field

from rulenet.model.batches import piece_budget, token_budget_batches
from rulenet.model.device import Precision
from rulenet.model.encoders.encoder import Encoder
from rulenet.training.corpus import Corpus
from rulenet.training.parts import Whole, part
from rulenet.training.tuning.tuning import Tuning


@part
class Frozen(Tuning):
    """Train the upper layers only; an encoder that was not trained before is trained as a whole.

    Attributes
    ----------
    frozen_layers
        Layers, counted from below, that are not trained, nor are the embeddings. None: half of them, at least 3. Freezing three of
        MiniLM's six halves the time of training on a CPU and cost no accuracy on 2,000 AG News rows.
    """

    stage: ClassVar[str] = "frozen"
    frozen_layers: Annotated[Whole, Field(ge=0)] | None = None

    def prepare(self, encoder: Encoder, learning_rate: float) -> list[dict[str, Any]]:
        """The parameters that are not frozen."""
        from rulenet.model.layers import stack_of

        body = encoder.model
        layers = list(getattr(stack_of(body), "layer", []))
        frozen = [getattr(body, "embeddings", None), *layers[: self._count(encoder)]]
        for module in frozen if encoder.traits.pretrained else []:
            if module is not None:
                module.requires_grad_(False)
        return [{"params": [p for p in body.parameters() if p.requires_grad], "initial_lr": learning_rate}]

    def keep(self, encoder: Encoder, corpus: Corpus, device: str, precision: Precision = "float32") -> Corpus:
        """Replace word pieces by the output of the frozen layers, if that saves time and fits into memory."""
        import torch

        from rulenet.model.layers import MAX_BYTES, lower_states

        size = sum(map(len, corpus.rows)) * encoder.width * (2 if precision == "bfloat16" else 4)
        on_gpu = device != "cpu" and torch.cuda.is_available()
        traits = encoder.traits
        n_frozen = self._count(encoder)
        if n_frozen < 1 or not (traits.pretrained and traits.can_split) or on_gpu or size > MAX_BYTES:
            return corpus
        lengths, window = [len(row) for row in corpus.rows], encoder.max_length
        batches = token_budget_batches(lengths, budget=piece_budget("cpu"), window=window)
        rows = lower_states(encoder, corpus.rows, n_frozen, batches, precision)
        return replace(corpus, rows=rows, layers=n_frozen)

    def _count(self, encoder: Encoder) -> int:
        return encoder.traits.frozen_layers if self.frozen_layers is None else self.frozen_layers
