"""A table of word pieces of which only some rows are trained. Imports torch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Prompted(nn.Module):
    """Takes the place of a table of word pieces while a soft prompt is trained, so that no gradient of the whole table is computed."""

    def __init__(self, table: nn.Embedding, pieces: Sequence[int]) -> None:
        super().__init__()
        self.table, self.pieces = table, list(pieces)
        self.prompt = nn.Parameter(table.weight.detach()[self.pieces].clone())  # (n, H)
        place = torch.full((len(table.weight),), -1, device=table.weight.device)
        place[self.pieces] = torch.arange(len(self.pieces), device=place.device)
        self.register_buffer("place", place, persistent=False)

    @property
    def weight(self) -> Tensor:
        """The table, for who ties another layer to it."""
        return self.table.weight

    def forward(self, ids: Tensor) -> Tensor:
        """Vectors of word pieces, those of the prompt as they are now."""
        place = self.place[ids]  # type: ignore[index]
        return torch.where((place >= 0).unsqueeze(-1), self.prompt[place.clamp(min=0)], self.table(ids))

    @torch.no_grad()
    def whole(self) -> nn.Embedding:
        """The table with what was learned."""
        self.table.weight[self.pieces] = self.prompt
        return self.table.requires_grad_(True)
