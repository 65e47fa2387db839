"""ψ(x) = B · tanh(W_h h(x) + W_1 φ(x) + b_1): what the transformer adds, never more than B either way."""

from __future__ import annotations

import gc
import warnings
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from rulenet.errors import RuleNetError
from rulenet.model.batches import piece_budget, token_budget_batches
from rulenet.model.encoders.encoder import Encoder
from rulenet.model.layers import last_hidden, only_layers

Rows = Sequence[Sequence[int]] | Sequence[Tensor]


class Reading(NamedTuple):
    """What the encoder makes of some texts: last hidden states (B, L, H), attention mask (B, L), and h(x) of shape (B, H)."""

    hidden: Tensor
    mask: Tensor
    h: Tensor


class Psi(nn.Module):
    """The neural part of f = φ + ψ.

    Parameters
    ----------
    encoder
        Gives h(x): its last hidden states, pooled.
    n_classes
        Number of labels.
    bound
        B, in logits. None: no bound (a plain linear head).
    dropout
        Share of h(x) dropped in training.
    """

    def __init__(self, encoder: Encoder, n_classes: int, *, bound: float | None, dropout: float) -> None:
        super().__init__()
        self.encoder = encoder
        self.body = encoder.model
        self.bound = bound
        self.dropout = nn.Dropout(dropout)
        self.from_text = nn.Linear(encoder.width, n_classes)  # W_h, b_1
        self.from_phi = nn.Linear(n_classes, n_classes, bias=False)  # W_1
        nn.init.normal_(self.from_text.weight, std=0.02)
        nn.init.zeros_(self.from_text.bias)
        nn.init.zeros_(self.from_phi.weight)

    def forward(self, inputs: Tensor, mask: Tensor, phi: Tensor, layers: int = 0) -> Tensor:
        """ψ of a batch: `read`, then `head`."""
        return self.head(self.read(inputs, mask, layers).h, phi)

    def read(self, inputs: Tensor, mask: Tensor, layers: int = 0) -> Reading:
        """What the encoder makes of a batch.

        Parameters
        ----------
        inputs
            Word pieces, shape (B, L); or, of shape (B, L, H), their embeddings or hidden states after the first `layers` layers.
        mask
            Attention mask, shape (B, L).
        """
        with only_layers(self.body, layers, None) if layers else nullcontext(self.body) as body:
            hidden = last_hidden(body, inputs, mask, self.encoder.max_length)  # (B, L, H)
        if self.encoder.traits.pooling == "first":
            return Reading(hidden, mask, hidden[:, 0])
        weight = mask.unsqueeze(-1).to(hidden.dtype)  # (B, L, 1)
        return Reading(hidden, mask, (hidden * weight).sum(1) / weight.sum(1).clamp(min=1))

    def head(self, h: Tensor, phi: Tensor) -> Tensor:
        """B · tanh(W_h h + W_1 φ + b_1), shape (B, K), from h of shape (B, H) and φ of shape (B, K)."""
        score: Tensor = self.from_text(self.dropout(h)) + self.from_phi(phi.to(h.dtype))
        return score if self.bound is None else self.bound * torch.tanh(score)

    def head_state(self) -> dict[str, Tensor]:
        """Weights of the head alone."""
        return {name: value for name, value in self.state_dict().items() if not name.startswith("body.")}

    def predict(self, rows: Rows, phi: Any, *, device: Any, budget: int | None = None, layers: int = 0) -> Any:
        """ψ of many texts, shape (n_texts, n_classes), float64; batches of texts of like length.

        Parameters
        ----------
        rows
            Word pieces of each text, or its hidden states after the first `layers` layers.
        phi
            φ of each text, shape (n_texts, n_classes).
        budget
            Word pieces in a batch, padding included; None: what suits the device.
        """
        was_training = self.training
        self.eval().to(device)
        psi = np.zeros((len(rows), self.from_text.out_features))
        lengths, window = [len(row) for row in rows], self.encoder.max_length
        batches = deque(token_budget_batches(lengths, budget=budget or piece_budget(device), window=window))
        while batches:
            part = self._predict_batch([rows[i] for i in batches[0]], phi[batches[0]], device, layers)
            if part is None:
                batches = deque(_halved(batches, len(rows[batches[0][0]]), device))
            else:
                psi[batches.popleft()] = part
        self.train(was_training)
        return psi

    @torch.inference_mode()
    def _predict_batch(self, rows: Sequence[Any], phi: Any, device: Any, layers: int) -> Any:
        """ψ of one batch, or None if it does not fit into memory."""
        try:
            inputs, mask = self.encoder.pad(rows)
            part = torch.as_tensor(phi, dtype=torch.float32, device=device)
            return self(inputs.to(device), mask.to(device), part, layers).double().cpu().numpy()
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            return None


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out; on a CPU, torch has no type of its own for that.

    Examples
    --------
    >>> is_out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"))
    True
    """
    if isinstance(error, (MemoryError, torch.cuda.OutOfMemoryError)):
        return True
    signs = ("can't allocate memory", "not enough memory", "out of memory", "alloc_failed")
    return isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in signs)


def free_memory() -> None:
    """Give back what torch keeps for later, on a GPU; to be called where the error is forgotten, as it holds on to tensors."""
    gc.collect()
    torch.cuda.empty_cache()


def _halved(batches: Iterable[list[int]], length: int, device: Any) -> Iterator[list[int]]:
    """The same texts in batches half as large, with a warning; the first has just run out of memory."""
    free_memory()
    batches = list(batches)
    n = len(batches[0])
    if n == 1:
        raise RuleNetError(
            f"one text of {length} word pieces does not fit into the memory of {device}; free some, use another device, or train "
            "with a lower recipe.max_length"
        )
    warnings.warn(
        f"{n} texts of up to {length} word pieces did not fit into the memory of {device}; ψ continues with half as many at a time",
        stacklevel=4,
    )
    for batch in batches:
        middle = (len(batch) + 1) // 2
        yield from filter(None, (batch[:middle], batch[middle:]))
