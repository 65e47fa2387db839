"""Run the lower layers of a transformer once, and the upper ones as often as training needs.

Layers that are not trained give the same output in every epoch. On a CPU, keeping that output is what makes fine-tuning the
upper layers several times cheaper than fine-tuning all. Imports torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from rulenet.model.device import Precision, autocast
from rulenet.model.encoders.encoder import Encoder

MAX_BYTES = 2_000_000_000


class _GivenStates(nn.Module):
    """Takes the place of the embeddings: passes hidden states through."""

    def forward(self, inputs_embeds: Tensor, **_: Any) -> Tensor:
        return inputs_embeds


def stack_of(body: Any) -> Any:
    """The module with the layers of a body, or None."""
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


def last_hidden(body: Any, inputs: Tensor, mask: Tensor, window: int) -> Tensor:
    """Last hidden states of a batch, shape (B, L, H); rows longer than a window are read one window at a time.

    An average over all the pieces of a row is then the average of its windows' averages, weighted by their lengths. `inputs` are word
    pieces (B, L) or hidden states (B, L, H), padded by `Encoder.pad`: if L exceeds a window, it is a multiple of it.
    """
    name = "input_ids" if inputs.dim() == 2 else "inputs_embeds"
    if mask.shape[1] <= window:
        whole: Tensor = body(**{name: inputs}, attention_mask=mask).last_hidden_state
        return whole
    windows = mask.reshape(-1, window)  # (B·C, W), C windows of each text
    used = windows.any(dim=1)  # (B·C,)
    pieces = inputs.reshape(*windows.shape, *inputs.shape[2:])[used]
    found: Tensor = body(**{name: pieces}, attention_mask=windows[used]).last_hidden_state
    hidden = found.new_zeros(*windows.shape, found.shape[-1])
    hidden[used] = found
    return hidden.reshape(*mask.shape, -1)


@torch.inference_mode()
def lower_states(
    encoder: Encoder, rows: Sequence[Sequence[int]], layers: int, batches: Sequence[list[int]], precision: Precision = "float32"
) -> list[Tensor]:  # fmt: skip
    """Hidden states of each text after the lower layers (0: the embeddings), each (length, H); `batches` are indices of texts.

    They are kept with as many bits as products are computed with: with bfloat16, half the memory.
    """
    states: list[Tensor] = [torch.empty(0)] * len(rows)
    encoder.model.eval()
    with only_layers(encoder.model, 0, layers) as body:
        for batch in batches:
            ids, mask = encoder.pad([rows[i] for i in batch])
            with autocast(precision, "cpu"):
                hidden = last_hidden(body, ids, mask, encoder.max_length)  # (B, L, H)
            hidden = hidden.to(getattr(torch, precision))
            for i, row in zip(batch, hidden, strict=True):
                states[i] = row[: len(rows[i])].clone()
    return states
