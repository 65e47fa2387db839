"""The lower layers of a transformer run once, the upper ones as often as training needs.

Layers that are not trained give the same output in every epoch. On a CPU, keeping that output is what makes fine-tuning the
upper layers several times cheaper than fine-tuning all. Imports torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from rulenet.model.encoder import Encoder

# Bodies of which it is known that the layers are a plain stack between embeddings and last_hidden_state.
_STACKS = {
    "bert": "encoder",
    "roberta": "encoder",
    "xlm-roberta": "encoder",
    "camembert": "encoder",
    "electra": "encoder",
}
MAX_BYTES = 2_000_000_000


class _GivenStates(nn.Module):
    """Stands in for the embeddings: passes hidden states through."""

    def forward(self, inputs_embeds: Tensor, **_: Any) -> Tensor:
        return inputs_embeds


def can_split(body: Any) -> bool:
    """Whether the layers of a body can be run apart."""
    return getattr(body.config, "model_type", "") in _STACKS


def stack_of(body: Any) -> Any:
    """The module that holds the layers of a body, or None."""
    return getattr(body, "encoder", None) or getattr(body, "transformer", None)


@contextmanager
def only_layers(body: Any, start: int, stop: int | None) -> Iterator[Any]:
    """The body with only some of its layers; from a `start` above 0 on it takes hidden states as ``inputs_embeds``."""
    stack = stack_of(body)
    layers, embeddings = stack.layer, body.embeddings
    stack.layer = layers[start:stop]
    if start > 0:
        body.embeddings = _GivenStates()
    try:
        yield body
    finally:
        stack.layer, body.embeddings = layers, embeddings


@torch.inference_mode()
def lower_states(
    encoder: Encoder, rows: Sequence[Sequence[int]], layers: int, batches: Sequence[list[int]]
) -> list[Tensor]:
    """Hidden states after the lower layers: one tensor (length, H) for each text.

    Parameters
    ----------
    rows
        Word pieces of each text.
    layers
        How many layers; 0 gives the embeddings.
    batches
        Indices of texts to run together.
    """
    states: list[Tensor] = [torch.empty(0)] * len(rows)
    encoder.model.eval()
    with only_layers(encoder.model, 0, layers) as body:
        for batch in batches:
            ids, mask = encoder.pad([rows[i] for i in batch])
            hidden = body(input_ids=ids, attention_mask=mask).last_hidden_state  # (B, L, H)
            for i, row in zip(batch, hidden, strict=True):
                states[i] = row[: len(rows[i])].clone()
    return states
