"""ψ(x) = B · tanh(W_h h(x) + W_1 φ(x) + b_1): what the transformer adds, never more than B either way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rulenet.model.batches import token_budget_batches
from rulenet.model.encoder import Encoder
from rulenet.model.layers import only_layers

Rows = Sequence[Sequence[int]] | Sequence[Tensor]


class Psi(nn.Module):
    """The neural part of f = φ + ψ.

    Parameters
    ----------
    encoder
        Gives h(x): the average of its last hidden states over the text.
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
        """ψ of a batch.

        Parameters
        ----------
        inputs
            Word pieces, shape (B, L); or hidden states after the first `layers` layers, shape (B, L, H).
        mask
            Attention mask, shape (B, L).
        phi
            φ of the same texts, shape (B, K).
        """
        if inputs.dim() == 2:
            hidden = self.body(input_ids=inputs, attention_mask=mask).last_hidden_state  # (B, L, H)
        else:
            with only_layers(self.body, layers, None) as body:
                hidden = body(inputs_embeds=inputs, attention_mask=mask).last_hidden_state  # (B, L, H)
        weight = mask.unsqueeze(-1).to(hidden.dtype)  # (B, L, 1)
        h = (hidden * weight).sum(1) / weight.sum(1).clamp(min=1)  # (B, H)
        score = self.from_text(self.dropout(h)) + self.from_phi(phi.to(h.dtype))  # (B, K)
        return score if self.bound is None else self.bound * torch.tanh(score)

    def head_state(self) -> dict[str, Tensor]:
        """Weights of the head alone."""
        return {name: value for name, value in self.state_dict().items() if not name.startswith("body.")}

    @torch.inference_mode()
    def predict(self, rows: Rows, phi: Any, *, budget: int, device: Any, layers: int = 0) -> Any:
        """ψ of many texts, shape (n_texts, n_classes), float64; batches of texts of like length.

        Parameters
        ----------
        rows
            Word pieces of each text, or its hidden states after the first `layers` layers.
        phi
            φ of each text, shape (n_texts, n_classes).
        budget
            Word pieces in a batch, padding included.
        """
        was_training = self.training
        self.eval().to(device)
        psi = np.zeros((len(rows), self.from_text.out_features))
        for batch in token_budget_batches([len(row) for row in rows], budget=budget):
            inputs, mask = self.encoder.pad([rows[i] for i in batch])
            part = torch.as_tensor(phi[batch], dtype=torch.float32, device=device)
            psi[batch] = self(inputs.to(device), mask.to(device), part, layers).double().cpu().numpy()
        self.train(was_training)
        return psi
