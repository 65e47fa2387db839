"""Consistency: φ + ψ of a text with words left out is to be what it is of the whole text (UDA, Xie et al. 2020). Imports torch late.

    mean over texts of  [max p ≥ c] · (KL(q, φ + ψ̃) + λ₁ KL(q, ψ̃))        q ∝ p^(1/T),  p = softmax(φ + ψ)

ψ̃ reads what is left of the text, or what the augmentations of the recipe make of it. p is computed without dropout, and no gradient goes
through it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from rulenet.training.augment.augmentation import Chance, changed
from rulenet.training.augment.token_dropout import TokenDropout
from rulenet.training.corpus import Corpus
from rulenet.training.objectives.objective import Need, Objective, Setup, Term
from rulenet.training.objectives.supervised import joint_loss
from rulenet.training.parts import NotNegative, Number, Positive, Share, part

if TYPE_CHECKING:
    from torch import Tensor

    from rulenet.model.psi import Psi
    from rulenet.training.batch import Batch, Step


AGAIN = 4  # tells these augmentations from those of the same text as a labelled one


@part
class Consistency(Objective):
    """Answer alike for a text and for what is left of it.

    Attributes
    ----------
    weight
        Factor of the loss.
    minded_from
        Least probability of the answer to the whole text; less sure ones teach nothing.
    consistency_temperature
        T: a smaller one makes the answer to the whole text surer before it teaches.
    lost_words
        Chance of each word to be left out, where the recipe has no `augment` that changes words.
    consistency_psi_loss
        λ₁, weight of the loss of ψ alone.
    """

    needs: ClassVar[frozenset[Need]] = frozenset({Need.UNLABELLED, Need.PIECES, Need.OTHER_TEXTS})
    is_supervised: ClassVar[bool] = False
    weight: Positive = 1.0
    minded_from: Share = 0.8
    consistency_temperature: Annotated[Number, Field(gt=0, le=100)] = 0.4
    lost_words: Chance = 0.3
    consistency_psi_loss: NotNegative = 0.3

    def start(self, setup: Setup) -> ConsistencyTerm:
        """The term of a run."""
        return ConsistencyTerm(self, setup)


class ConsistencyTerm(Term):
    """Consistency in one run."""

    def __init__(self, objective: Consistency, setup: Setup) -> None:
        self.objective, self.cut, self.link = objective, setup.cut, setup.problem.link

    def batches(self, corpus: Corpus, rng: np.random.Generator) -> list[list[int]]:
        """The texts that the user gave no label for."""
        return self.cut(corpus, np.flatnonzero(~corpus.is_given), rng)

    def loss(self, psi: Psi, batch: Batch, step: Step) -> Tensor:
        """Mean over the texts, also those that teach nothing."""
        import torch

        phi, settings = batch.phi, self.objective
        psi.eval()
        with torch.no_grad():
            p = (phi + psi.head(psi.read(*batch.inputs).h, phi).float()).softmax(1)  # (B, K)
        psi.train()
        q = sharpened(p, settings.minded_from, settings.consistency_temperature)
        chosen = [one for one in batch.augment if one.changes_words] or [TokenDropout(settings.lost_words)]
        h = batch.read(*map(step.moved, psi.encoder.pad(batch.augmented(chosen, AGAIN)))).h
        found = psi.head(h, phi).float()
        known = (1 + settings.consistency_psi_loss) * torch.special.entr(q).sum() / len(batch)  # of q itself
        loss: Tensor = joint_loss(phi, found, q, psi_loss=settings.consistency_psi_loss, link=self.link) - known
        return loss

    def measured(self, psi: Psi, texts: Corpus) -> dict[str, Any]:
        """Share of the texts whose answer stays when words are left out."""
        lost, rng = (TokenDropout(self.objective.lost_words),), np.random.default_rng(0)
        left = psi.encoder.encode([changed(texts.words.of(text), lost, rng) for text in texts.texts])
        device = psi.from_phi.weight.device
        both: tuple[Any, Any] = (texts.rows, left)
        whole, less = (texts.phi + psi.predict(rows, texts.phi, device=device) for rows in both)
        return {"same": 1 - float(self.link.changed(whole, less).mean())}


def sharpened(p: Tensor, least: float, temperature: float) -> Tensor:
    """q of the module's docstring, (B, K); rows of zeros where no answer is sure.

    Examples
    --------
    >>> import torch
    >>> sharpened(torch.tensor([[0.8, 0.2], [0.5, 0.5]]), 0.8, 0.5)
    tensor([[0.9412, 0.0588],
            [0.0000, 0.0000]])
    """
    q = p ** (1 / temperature)
    return q / q.sum(1, keepdim=True) * (p.max(1, keepdim=True).values >= least)
