"""SimCSE: a text read twice, each time with other dropout, is told from the other texts of the batch (Gao et al. 2021). Imports torch late.

mean over i of  −log softmax_j(cos(h_i, h'_j) / t)_i        h and h': the two readings
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from rulenet.training.corpus import Corpus
from rulenet.training.objectives.objective import Need, Setup
from rulenet.training.objectives.unsupervised import Unsupervised, UnsupervisedTerm
from rulenet.training.parts import Positive, Whole, part

if TYPE_CHECKING:
    from torch import Tensor

    from rulenet.model.psi import Psi
    from rulenet.training.batch import Batch, Step


@part
class SimCSE(Unsupervised):
    """Tell a text, read twice with other dropout, from other texts.

    Attributes
    ----------
    weight
        Factor of the loss.
    simcse_epochs
        Passes over all texts before supervision; 0: it stands beside supervision.
    simcse_learning_rate
        Of the encoder in these epochs.
    simcse_temperature
        t of the loss; a smaller one minds close neighbours more.
    """

    needs: ClassVar[frozenset[Need]] = frozenset({Need.UNLABELLED})
    weight: Positive = 1.0
    simcse_epochs: Annotated[Whole, Field(ge=0, le=10_000)] = 0
    simcse_learning_rate: Positive = 3e-5
    simcse_temperature: Positive = 0.05

    @property
    def first(self) -> tuple[int, float]:
        """Its own epochs and learning rate."""
        return self.simcse_epochs, self.simcse_learning_rate

    def start(self, setup: Setup) -> SimCSETerm:
        """The term of a run."""
        return SimCSETerm(self, setup)


class SimCSETerm(UnsupervisedTerm):
    """SimCSE in one run."""

    doing = "telling texts apart"

    def __init__(self, objective: SimCSE, setup: Setup) -> None:
        super().__init__(objective, setup)
        self.objective = objective

    def batches(self, corpus: Corpus, rng: np.random.Generator) -> list[list[int]]:
        """All texts; one that is left alone in a batch has nothing to be told from."""
        return [batch for batch in super().batches(corpus, rng) if len(batch) > 1]

    def loss(self, psi: Psi, batch: Batch, step: Step) -> Tensor:
        """Mean over the texts."""
        again = batch.read(*batch.inputs, batch.corpus.layers)
        return info_nce(batch.reading.h.float(), again.h.float(), self.objective.simcse_temperature)[0]

    def measured(self, psi: Psi, texts: Corpus) -> dict[str, Any]:
        """Loss, and share of the texts whose second reading is the nearest one in the batch."""
        import torch

        losses, nearest, sizes = [], [], []
        was_training, device = psi.training, psi.from_phi.weight.device
        psi.train()
        with torch.inference_mode(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            for batch in self.batches(texts, np.random.default_rng(0)):
                inputs, mask = (part.to(device) for part in psi.encoder.pad([texts.rows[i] for i in batch]))
                h, again = (psi.read(inputs, mask, texts.layers).h.float() for _ in range(2))
                loss, share = info_nce(h, again, self.objective.simcse_temperature)
                losses.append(float(loss))
                nearest.append(float(share))
                sizes.append(len(batch))
        psi.train(was_training)
        if not sizes:
            return {}
        return {"loss": float(np.average(losses, weights=sizes)), "nearest": float(np.average(nearest, weights=sizes))}


def info_nce(h: Tensor, again: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """The loss of the module's docstring from two readings (B, H), and the share of texts that are nearest to themselves.

    Examples
    --------
    >>> import torch
    >>> loss, nearest = info_nce(torch.eye(2), torch.eye(2), 1.0)
    >>> round(float(loss), 4), float(nearest)  # ln(1 + 1 / e)
    (0.3133, 1.0)
    """
    import torch
    from torch.nn.functional import cross_entropy, normalize

    alike = normalize(h, dim=1) @ normalize(again, dim=1).T / temperature  # (B, B)
    itself = torch.arange(len(h), device=h.device)
    return cross_entropy(alike, itself), (alike.argmax(1) == itself).float().mean()
