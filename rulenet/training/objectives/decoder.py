"""The decoder of the denoising autoencoder: one transformer layer that continues a text, given h(x). Imports torch."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rulenet.model.encoders.encoder import Encoder


class Decoder(nn.Module):
    """Guesses the next piece from h(x) and the pieces before; reads and writes by the encoder's own table of pieces."""

    def __init__(self, encoder: Encoder, longest: int) -> None:
        super().__init__()
        table, width = encoder.model.get_input_embeddings(), encoder.width
        heads = next(n for n in (encoder.model.config.num_attention_heads, 1) if width % n == 0)
        self.longest = longest
        self.from_h = nn.Linear(width, width)
        self.from_piece = nn.Linear(table.embedding_dim, width)
        self.place = nn.Parameter(0.02 * torch.randn(longest, width))
        self.layer = nn.TransformerEncoderLayer(width, heads, 2 * width, 0.1, "gelu", batch_first=True)
        self.to_piece = nn.Linear(width, table.embedding_dim)
        self.bias = nn.Parameter(torch.zeros(table.num_embeddings))

    def forward(self, h: Tensor, pieces: Tensor, at: tuple[Tensor, Tensor], table: Tensor) -> Tensor:
        """Scores (n, n_pieces) of what follows in n texts after n places, from h (B, H) and pieces (B, L)."""
        length = pieces.shape[1]
        hidden = self.from_piece(table[pieces]) + self.place[:length] + self.from_h(h)[:, None]  # (B, L, H)
        later = torch.ones(length, length, dtype=torch.bool, device=h.device).triu(1)
        hidden = self.layer(hidden, src_mask=later)
        scores: Tensor = nn.functional.linear(self.to_piece(hidden[at]), table, self.bias)
        return scores
