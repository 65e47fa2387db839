"""Masked LM: guess words that are left out (Devlin et al. 2019), to learn how the user's texts are written. Imports torch late.

    mean over left-out pieces of  CE(piece, E · norm(gelu(W h_i + c)) + b)        E: the encoder's own table of pieces

Of the pieces chosen, 80 % become [MASK], 10 % another piece, and 10 % stay as they are.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field

from rulenet.base.types import Array
from rulenet.errors import ParameterError
from rulenet.training.corpus import Corpus
from rulenet.training.objectives.objective import Setup
from rulenet.training.objectives.unsupervised import HEAD_RATE, SPOILING, Unsupervised, UnsupervisedTerm, places_of
from rulenet.training.parts import Number, Positive, Whole, part

if TYPE_CHECKING:
    from torch import Tensor

    from rulenet.model.psi import Psi
    from rulenet.training.batch import Batch, Step


@part
class MaskedLM(Unsupervised):
    """Guess words that are left out.

    Attributes
    ----------
    weight
        Factor of the loss.
    mask_epochs
        Passes over all texts before supervision; 0: it stands beside supervision.
    mask_learning_rate
        Of the encoder in these epochs.
    mask_share
        Share of the pieces of a text that are guessed.
    """

    weight: Positive = 1.0
    mask_epochs: Annotated[Whole, Field(ge=0, le=10_000)] = 0
    mask_learning_rate: Positive = 5e-5
    mask_share: Annotated[Number, Field(gt=0, lt=1)] = 0.15

    @property
    def first(self) -> tuple[int, float]:
        """Its own epochs and learning rate."""
        return self.mask_epochs, self.mask_learning_rate

    def start(self, setup: Setup) -> MaskedLMTerm:
        """The term of a run; a ParameterError if the encoder has no piece for a word that is left out."""
        return MaskedLMTerm(self, setup)


class MaskedLMTerm(UnsupervisedTerm):
    """Masked LM in one run; the head is dropped at the end."""

    doing = "guessing words that are left out"

    def __init__(self, objective: MaskedLM, setup: Setup) -> None:
        from rulenet.model.lm_head import LMHead, mask_piece

        encoder = setup.psi.encoder
        mask = mask_piece(encoder)
        if mask is None:
            raise ParameterError(
                f"MaskedLM: encoder {encoder.name!r} has no piece for a word that is left out; use SimCSE"
            )
        super().__init__(objective, setup)
        self.objective, self.mask, self.n_pieces = objective, mask, encoder.tokenizer.get_vocab_size()
        counts = np.zeros(encoder.model.get_input_embeddings().num_embeddings)
        for row in setup.corpus.rows:
            np.add.at(counts, np.asarray(row), 1)
        self.head = LMHead(encoder, counts)
        self.modules = {"masked_lm": self.head}

    def parameter_groups(self, learning_rate: float) -> list[dict[str, Any]]:
        """A new head learns faster than one that came with the encoder."""
        rate = self.objective.mask_learning_rate if self.head.is_own else HEAD_RATE
        return [{"params": list(self.head.parameters()), "initial_lr": rate}]

    def loss(self, psi: Psi, batch: Batch, step: Step) -> Tensor:
        """Mean over the pieces to be guessed."""
        from torch.nn.functional import cross_entropy

        spoiled = [
            self.spoiled(row, step.random(SPOILING, place))
            for row, place in zip(batch.rows, batch.places.tolist(), strict=True)
        ]
        inputs, mask = map(step.moved, psi.encoder.pad([row for row, _ in spoiled]))
        hidden = batch.read(inputs, mask).hidden
        scores, wanted = self._scores(psi, hidden, batch.rows, [places for _, places in spoiled])
        return cross_entropy(scores, wanted) if len(wanted) else hidden.sum() * 0.0

    def spoiled(self, row: Any, rng: np.random.Generator) -> tuple[Array, Array]:
        """A text with pieces left out or exchanged, and the places of those to be guessed."""
        row = np.array(row)
        places = places_of(row, self.special, self.objective.mask_share, rng)
        fate = rng.random(len(places))
        row[places[fate < 0.8]] = self.mask
        row[places[fate >= 0.9]] = rng.integers(self.n_pieces, size=(fate >= 0.9).sum())
        return row, places

    def measured(self, psi: Psi, texts: Corpus) -> dict[str, Any]:
        """Perplexity: among how many pieces, all equally likely, a guess would be as hard."""
        import torch
        from torch.nn.functional import cross_entropy

        losses, was_training, device = [], psi.training, psi.from_phi.weight.device
        psi.eval()
        with torch.inference_mode():
            for batch in self.batches(texts, np.random.default_rng(0)):
                rows = [texts.rows[i] for i in batch]
                spoiled = [self.spoiled(row, np.random.default_rng([0, i])) for i, row in zip(batch, rows, strict=True)]
                inputs, mask = psi.encoder.pad([row for row, _ in spoiled])
                hidden = psi.read(inputs.to(device), mask.to(device)).hidden
                scores, wanted = self._scores(psi, hidden, rows, [places for _, places in spoiled])
                losses += cross_entropy(scores, wanted, reduction="none").tolist()
        psi.train(was_training)
        return {"perplexity": math.exp(min(50.0, float(np.mean(losses)))) if losses else None}

    def _scores(self, psi: Psi, hidden: Tensor, rows: Any, places: list[Array]) -> tuple[Tensor, Tensor]:
        """Scores (n, n_pieces) of the pieces at some places, and the pieces that are there (n,)."""
        import torch

        texts = np.repeat(np.arange(len(rows)), [len(own) for own in places])
        wanted = np.concatenate([np.asarray(row)[own] for row, own in zip(rows, places, strict=True)])
        chosen = hidden[torch.as_tensor(texts), torch.as_tensor(np.concatenate(places))].float()
        scores = self.head(chosen, psi.body.get_input_embeddings().weight)
        return scores, torch.as_tensor(wanted, dtype=torch.long).to(scores.device)
