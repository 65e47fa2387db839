"""Denoising: a small decoder writes the text again from h(x) of the text with words left out (TSDAE, Wang et al. 2021). Imports torch late.

    mean over pieces of  CE(piece_i, E · W g(h(x̃), piece_1 … piece_{i−1}) + b)        x̃: the text with pieces left out

The decoder g is one transformer layer that sees of the text only h(x̃) and the pieces before. So h must hold what the text says. A loss
over all pieces and a vocabulary of 30,000 would cost more than the encoder: some pieces of each text are drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field

from rulenet.base.types import Array
from rulenet.training.corpus import Corpus
from rulenet.training.objectives.objective import Setup
from rulenet.training.objectives.unsupervised import HEAD_RATE, SPOILING, Unsupervised, UnsupervisedTerm, without_some
from rulenet.training.parts import Number, Positive, Whole, part

if TYPE_CHECKING:
    from torch import Tensor

    from rulenet.model.psi import Psi
    from rulenet.training.batch import Batch, Step

LONGEST = 64  # pieces of a text that are written again
DRAWN = 16  # of these, in a loss
SHOWN, SHORT = 3, 200  # texts in the report beside what was guessed, and their characters


@part
class Denoising(Unsupervised):
    """Write texts again from h(x) of what is left of them.

    Attributes
    ----------
    weight
        Factor of the loss.
    denoise_epochs
        Passes over all texts before supervision; 0: it stands beside supervision.
    denoise_learning_rate
        Of the encoder in these epochs.
    left_out
        Share of the pieces of a text that the encoder does not read.
    """

    weight: Positive = 1.0
    denoise_epochs: Annotated[Whole, Field(ge=0, le=10_000)] = 0
    denoise_learning_rate: Positive = 3e-5
    left_out: Annotated[Number, Field(gt=0, lt=1)] = 0.6

    @property
    def first(self) -> tuple[int, float]:
        """Its own epochs and learning rate."""
        return self.denoise_epochs, self.denoise_learning_rate

    def start(self, setup: Setup) -> DenoisingTerm:
        """The term of a run."""
        return DenoisingTerm(self, setup)


class DenoisingTerm(UnsupervisedTerm):
    """Denoising in one run; the decoder is dropped at the end."""

    doing = "writing texts again"

    def __init__(self, objective: Denoising, setup: Setup) -> None:
        from rulenet.training.objectives.decoder import Decoder

        encoder = setup.psi.encoder
        super().__init__(objective, setup)
        self.objective = objective
        self.longest = min(LONGEST, encoder.max_length)
        self.decoder = Decoder(encoder, self.longest)
        self.modules = {"decoder": self.decoder}

    def parameter_groups(self, learning_rate: float) -> list[dict[str, Any]]:
        """The decoder begins with random weights."""
        return [{"params": list(self.decoder.parameters()), "initial_lr": HEAD_RATE}]

    def loss(self, psi: Psi, batch: Batch, step: Step) -> Tensor:
        """Mean over the pieces drawn."""
        from torch.nn.functional import cross_entropy

        rngs = [step.random(SPOILING, place) for place in batch.places.tolist()]
        left = [
            without_some(row, self.special, self.objective.left_out, rng)
            for row, rng in zip(batch.rows, rngs, strict=True)
        ]
        h = batch.read(*map(step.moved, psi.encoder.pad(left))).h.float()
        drawn = [
            rng.choice(n, min(n, DRAWN), replace=False)
            for rng, n in zip(rngs, (min(len(row), self.longest) - 1 for row in batch.rows), strict=True)
        ]
        return cross_entropy(*self._scores(psi, h, batch.rows, drawn))

    def measured(self, psi: Psi, texts: Corpus) -> dict[str, Any]:
        """Loss and share of right guesses, each piece guessed from h(x̃) and the right ones before it; and some texts beside the guesses."""
        import torch
        from torch.nn.functional import cross_entropy

        losses, right, was_training = [], [], psi.training
        psi.eval()
        self.decoder.eval()
        with torch.inference_mode():
            for batch in self.batches(texts, np.random.default_rng(0)):
                scores, wanted = self._guesses(psi, texts, batch)
                losses += cross_entropy(scores, wanted, reduction="none").tolist()
                right += (scores.argmax(1) == wanted).tolist()
            pairs = [self._example(psi, texts, i) for i in range(min(SHOWN, len(texts)))]
        self.decoder.train()
        psi.train(was_training)
        return {"loss": float(np.mean(losses)), "right": float(np.mean(right)), "examples": pairs} if losses else {}

    def _example(self, psi: Psi, texts: Corpus, i: int) -> list[str]:
        """A text and what was guessed in its place."""
        scores, wanted = self._guesses(psi, texts, [i])
        decode = psi.encoder.tokenizer.decode
        return [decode(pieces.tolist())[:SHORT] for pieces in (wanted, scores.argmax(1))]

    def _guesses(self, psi: Psi, texts: Corpus, batch: list[int]) -> tuple[Tensor, Tensor]:
        """Scores of all pieces but the first, and these, with the same pieces left out each time."""
        rows, share = [texts.rows[i] for i in batch], self.objective.left_out
        rngs = [np.random.default_rng([0, i]) for i in batch]
        left = [without_some(row, self.special, share, rng) for row, rng in zip(rows, rngs, strict=True)]
        device = psi.from_phi.weight.device
        inputs, mask = (part.to(device) for part in psi.encoder.pad(left))
        h = psi.read(inputs, mask).h.float()
        places = [np.arange(min(len(row), self.longest) - 1) for row in rows]
        return self._scores(psi, h, rows, places)

    def _scores(self, psi: Psi, h: Tensor, rows: Any, places: list[Array]) -> tuple[Tensor, Tensor]:
        """Scores of the pieces after some places (n, n_pieces), and these pieces (n,)."""
        import torch

        pieces, _ = psi.encoder.pad([row[: self.longest] for row in rows])
        texts = torch.as_tensor(np.repeat(np.arange(len(rows)), [len(own) for own in places]))
        at = torch.as_tensor(np.concatenate(places))
        scores = self.decoder(h, pieces.to(h.device), (texts, at), psi.body.get_input_embeddings().weight)
        return scores, pieces[texts, at + 1].to(h.device)
