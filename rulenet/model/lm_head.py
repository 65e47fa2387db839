"""The masked-LM head: hidden states → scores of all word pieces, decoded by the encoder's own table of pieces. Imports torch.

BERT, RoBERTa and DistilBERT models on the hub come with the weights of theirs, which `AutoModel` leaves out: they are read from the same
safetensors file. MiniLM and e5 have none, nor has a vocabulary that was made smaller: then a new head begins with how often pieces occur.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor, nn

from rulenet.model.encoders.encoder import Encoder
from rulenet.model.encoders.load import source_of

# What transformers calls the parts: of BERT, also as older files spell them, of RoBERTa, and of DistilBERT.
_NAMES = {
    "dense.weight": ("cls.predictions.transform.dense.weight", "lm_head.dense.weight", "vocab_transform.weight"),
    "dense.bias": ("cls.predictions.transform.dense.bias", "lm_head.dense.bias", "vocab_transform.bias"),
    "norm.weight": (
        "cls.predictions.transform.LayerNorm.weight",
        "cls.predictions.transform.LayerNorm.gamma",
        "lm_head.layer_norm.weight",
        "vocab_layer_norm.weight",
    ),
    "norm.bias": (
        "cls.predictions.transform.LayerNorm.bias",
        "cls.predictions.transform.LayerNorm.beta",
        "lm_head.layer_norm.bias",
        "vocab_layer_norm.bias",
    ),
    "bias": ("cls.predictions.bias", "lm_head.bias", "vocab_projector.bias"),
}
_MASKS = ("[MASK]", "<mask>")


class LMHead(nn.Module):
    """The head of one encoder.

    Attributes
    ----------
    is_own
        Whether the weights came with the encoder; otherwise they are new.
    """

    def __init__(self, encoder: Encoder, counts: Any = None) -> None:
        super().__init__()
        table, config = encoder.model.get_input_embeddings(), encoder.model.config
        self.dense = nn.Linear(encoder.width, table.embedding_dim)
        self.act = nn.GELU()
        self.norm = nn.LayerNorm(table.embedding_dim, eps=getattr(config, "layer_norm_eps", 1e-12))
        self.bias = nn.Parameter(torch.zeros(table.num_embeddings))
        nn.init.normal_(self.dense.weight, std=0.02)
        nn.init.zeros_(self.dense.bias)
        own = own_weights(encoder.name)
        self.is_own = own is not None and {n: p.shape for n, p in own.items()} == {
            n: p.shape for n, p in self.named_parameters()
        }
        if own is not None and self.is_own:
            self.load_state_dict(own)
        elif counts is not None:
            n = torch.as_tensor(counts, dtype=torch.float32) + 0.1
            self.bias.data.copy_((n / n.sum()).log())

    def forward(self, hidden: Tensor, table: Tensor) -> Tensor:
        """Scores of all pieces, (n, n_pieces), from hidden states (n, H) and the table of pieces (n_pieces, E)."""
        scores: Tensor = nn.functional.linear(self.norm(self.act(self.dense(hidden))), table, self.bias)
        return scores


def mask_piece(encoder: Encoder) -> int | None:
    """The piece that stands for a word that is left out."""
    found = (encoder.tokenizer.token_to_id(piece) for piece in _MASKS)
    return next((number for number in found if number is not None), None)


def own_weights(name: str) -> dict[str, Tensor] | None:
    """The weights of the head that an encoder came with, or None."""
    found: dict[str, Tensor] = {}
    for file in _files(name):
        with safe_open(file, framework="pt") as content:
            names = set(content.keys())
            for part, others in _NAMES.items():
                for name in names.intersection(others):
                    found[part] = content.get_tensor(name).float()
    return found if found.keys() == _NAMES.keys() else None


def _files(name: str) -> Iterator[Path]:
    """The safetensors files of an encoder: in its folder, or where the hub's are kept."""
    here = [file for file in source_of(name).files(name) if file.suffix == ".safetensors"]
    if not here and not Path(name).is_dir() and "/" in name:
        from huggingface_hub import try_to_load_from_cache

        kept = try_to_load_from_cache(name, "model.safetensors")
        here = [Path(kept)] if isinstance(kept, str) else []
    yield from here
