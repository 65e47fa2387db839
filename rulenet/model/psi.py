"""ψ(x) = B · tanh(W_h h(x) + W_1 φ(x) + b_1): what the transformer adds, never more than B either way."""

from __future__ import annotations

import gc
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from rulenet.errors import RuleNetError
from rulenet.model.batches import piece_budget, token_budget_batches
from rulenet.model.device import Precision, autocast, limit_threads, predicting
from rulenet.model.encoders.encoder import Encoder
from rulenet.model.layers import last_hidden, only_layers

LENGTH = 4.0  # of h(x) where all have the same: about what MiniLM's have, so that learning rates fit
Rows = Sequence[Sequence[int]] | Sequence[Tensor]
Compute = Callable[[Tensor, Tensor, list[int]], Tensor]  # from word pieces, mask and the indices of a batch
# In bfloat16, what a CPU computes of a text depends on the length that it is padded to: beside other texts, ψ moved by up to 0.03.
# Padded to a multiple of 16, and only beside texts of the same length, h(x) is the same to the last bit; that takes a tenth of the speed.
STEP = 16


class Reading(NamedTuple):
    """The encoder's output for some texts: last hidden states (B, L, H), attention mask (B, L), and h(x) of shape (B, H)."""

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
    precision
        What the encoder computes its products in; weights and head are in float32. bfloat16 moves ψ by 0.01 (root mean square; MiniLM,
        AG News), so that a CPU without it answers close calls differently. On a GPU, predictions are in float32.
    """

    def __init__(
        self, encoder: Encoder, n_classes: int, *, bound: float | None, dropout: float, precision: Precision = "float32"
    ) -> None:
        super().__init__()
        limit_threads()
        self.precision: Precision = precision
        self.encoder = encoder
        self.body = encoder.model
        self.bound = bound
        self.n_classes = n_classes
        self.dropout = nn.Dropout(dropout)
        self.from_text = nn.Linear(encoder.width, n_classes)  # W_h, b_1
        self.from_phi = nn.Linear(n_classes, n_classes, bias=False)  # W_1
        nn.init.normal_(self.from_text.weight, std=0.02)
        nn.init.zeros_(self.from_text.bias)
        nn.init.zeros_(self.from_phi.weight)

    def forward(self, inputs: Tensor, mask: Tensor, phi: Tensor, layers: int = 0) -> Tensor:
        """ψ of a batch: `read`, then `head`."""
        return self.head(self.read(inputs, mask, layers).h, phi)

    def read(self, inputs: Tensor, mask: Tensor, layers: int = 0, *, exact: bool = False) -> Reading:
        """Run the encoder on a batch of word pieces (B, L), or of embeddings or hidden states after `layers` layers (B, L, H).

        `exact`: in float32, whatever the precision.
        """
        inputs = inputs.float() if inputs.is_floating_point() else inputs  # states may be kept in 16 bits
        products = "float32" if exact else self.products(inputs.device)
        whole = only_layers(self.body, layers, None) if layers else nullcontext(self.body)
        with whole as body, autocast(products, inputs.device):
            hidden = last_hidden(body, inputs, mask, self.encoder.max_length)  # (B, L, H)
        if self.encoder.traits.pooling == "first":
            return Reading(hidden, mask, hidden[:, 0])
        weight = mask.unsqueeze(-1).to(hidden.dtype)  # (B, L, 1)
        mean = (hidden * weight).sum(1) / weight.sum(1).clamp(min=1)  # (B, H)
        return Reading(hidden, mask, LENGTH * normalize(mean, dim=1) if self.encoder.traits.pooling == "unit" else mean)

    def head(self, h: Tensor, phi: Tensor) -> Tensor:
        """B · tanh(W_h h + W_1 φ + b_1), shape (B, K), from h of shape (B, H) and φ of shape (B, K)."""
        score: Tensor = self.from_text(self.dropout(h)) + self.from_phi(phi.to(h.dtype))
        return score if self.bound is None else self.bound * torch.tanh(score)

    def bounded(self, score: Any) -> Any:
        """What the bound leaves of a linear head's logits, as an array."""
        return score if self.bound is None else self.bound * np.tanh(score / self.bound)

    def head_state(self) -> dict[str, Tensor]:
        """Weights of the head alone."""
        return {name: value for name, value in self.state_dict().items() if not name.startswith("body.")}

    @torch.no_grad()
    def begin(self, weight: Any, bias: Any, bound: float | None) -> None:
        """Begin with a linear head over h(x), weight (H, K) and bias (K,), kept within a bound: ψ = B · tanh((h · weight + bias) / B)."""
        self.bound, by = bound, bound or 1.0
        self.from_text.weight.copy_(torch.as_tensor(weight.T / by))
        self.from_text.bias.copy_(torch.as_tensor(bias / by))

    def products(self, device: Any) -> Precision:
        """What products are computed in now."""
        return self.precision if self.training else predicting(self.precision, device)

    def step(self, device: Any) -> int:
        """What lengths are rounded up to; see `STEP`."""
        return STEP if not self.training and self.products(device) == "bfloat16" else 1

    def predict(self, rows: Rows, phi: Any, *, device: Any, layers: int = 0, exact: bool = False) -> Any:
        """ψ of many texts from their φ, both (n_texts, n_classes), in batches of texts of similar length.

        `rows` are word pieces of each text, or its hidden states after the first `layers` layers; `exact` as in `read`.
        """

        def compute(inputs: Tensor, mask: Tensor, batch: list[int]) -> Tensor:
            part = torch.as_tensor(phi[batch], dtype=torch.float32, device=device)
            return self.head(self.read(inputs, mask, layers, exact=exact).h, part).double()

        found = np.zeros((len(rows), self.n_classes))
        return self._in_batches(rows, compute, found, device, exact=exact)

    def hidden(self, rows: Rows, *, device: Any, layers: int = 0) -> Any:
        """h(x) of many texts, (n_texts, H), float32; see `predict`."""
        found = np.zeros((len(rows), self.encoder.width), dtype=np.float32)
        return self._in_batches(rows, lambda inputs, mask, _: self.read(inputs, mask, layers).h.float(), found, device)

    def _in_batches(self, rows: Rows, compute: Compute, found: Any, device: Any, *, exact: bool = False) -> Any:
        """Fill an array with what is computed of each text."""
        was_training = self.training
        self.eval().to(device)
        lengths, window = [len(row) for row in rows], self.encoder.max_length
        step = 1 if exact else self.step(device)
        batches = deque(token_budget_batches(lengths, budget=piece_budget(device), window=window, step=step))
        while batches:
            part = self._of_batch([rows[i] for i in batches[0]], batches[0], compute, device, step)
            if part is None:
                batches = deque(_halved(batches, len(rows[batches[0][0]]), device))
            else:
                found[batches.popleft()] = part
        self.train(was_training)
        return found

    @torch.inference_mode()
    def _of_batch(self, rows: Sequence[Any], batch: list[int], compute: Compute, device: Any, step: int) -> Any:
        """What is computed of one batch, or None if memory runs out."""
        try:
            inputs, mask = self.encoder.pad(rows, step)
            return compute(inputs.to(device), mask.to(device), batch).cpu().numpy()
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            return None


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out; on a CPU, torch has no separate type for that.

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
    """Release GPU memory that torch keeps for later; call it when the error is no longer referenced, as that keeps tensors alive."""
    gc.collect()
    torch.cuda.empty_cache()


def _halved(batches: Iterable[list[int]], length: int, device: Any) -> Iterator[list[int]]:
    """The same texts in batches of half the size, with a warning, as the first did not fit into memory."""
    free_memory()
    batches = list(batches)
    n = len(batches[0])
    if n == 1:
        advice = "free some memory, use another device, or train with a lower max_length"
        raise RuleNetError(f"one text of {length} word pieces does not fit into the memory of {device}; {advice}")
    size = f"{n} texts of up to {length} word pieces"
    message = f"{size} did not fit into the memory of {device}; ψ continues with half as many at a time"
    warnings.warn(message, stacklevel=4)
    for batch in batches:
        middle = (len(batch) + 1) // 2
        yield from filter(None, (batch[:middle], batch[middle:]))
