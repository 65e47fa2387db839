"""Few labels: texts of one label are drawn together and others apart, before ψ's head is solved (Khosla et al. 2020). Imports torch late.

    mean over i of  −Σ_j a_ij log p_ij / Σ_j a_ij        p_ij = exp(z_i·z_j / t) / Σ_{k≠i} exp(z_i·z_k / t)

z is h(x) at length 1, and a_ij the cosine of two targets: 1 for the same label, 0 for another. All pairs of a batch count, and a batch is
all that is in memory: an epoch is sampled, never all n² pairs.

8 labels a class, MiniLM, other training rows, φ + ψ without → with (three samples): AG News 78.8 → 81.2, TREC 57.2 → 77.2, YouTube comments
81.8 → 85.3, IMDB (one sample) 57.3 → 69.0, in 10 to 40 seconds on a busy core. SetFit's cosine loss over its pairs at 2e-5, with logistic
regression: TREC 78.6, YouTube 84.4, in four times the steps. All layers: with the lower half frozen TREC gets 70.8. 10 steps do nearly as
well, 40 no better. Not with e5: waimai_10k 84.5 → 79.0.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field

from rulenet.base.types import Array
from rulenet.model.link import Link
from rulenet.training.corpus import Corpus
from rulenet.training.objectives.objective import Objective, Setup, Term
from rulenet.training.parts import Positive, Whole, part
from rulenet.training.tuning.frozen import Frozen

if TYPE_CHECKING:
    from torch import Tensor

    from rulenet.model.psi import Psi
    from rulenet.training.batch import Batch, Step

BATCH = 32  # texts


@part
class Contrastive(Objective):
    """Texts of one label are drawn together and others apart, before ψ's head is solved.

    Attributes
    ----------
    weight
        Factor of the loss.
    contrast_steps
        Steps, each with one batch. None: the encoder's default, 20 for MiniLM and 0 for others, where fewer than 400 texts are labelled
        and no epochs follow; else 0.
    contrast_learning_rate
        Of the encoder in these steps. All its layers are trained, but not the embeddings.
    contrast_temperature
        t of the loss; a smaller one minds close neighbours more.
    """

    weight: Positive = 1.0
    contrast_steps: Annotated[Whole, Field(ge=0)] | None = None
    contrast_learning_rate: Positive = 1e-4
    contrast_temperature: Positive = 0.1

    @property
    def comes_first(self) -> bool:
        """Always."""
        return True

    def start(self, setup: Setup) -> ContrastiveTerm:
        """The term of a run."""
        return ContrastiveTerm(self, setup.problem.link)

    def alone(self) -> dict[str, Any] | None:
        """Its steps are one epoch."""
        if not self.contrast_steps:
            return None
        changes = {"epochs": 1, "learning_rate": self.contrast_learning_rate, "accumulate": 1, "compile": False}
        return {**changes, "objectives": (self,), "tune": Frozen(frozen_layers=0)}


class ContrastiveTerm(Term):
    """The contrastive loss in one run."""

    doing = "texts of one label drawn together"
    augments = True

    def __init__(self, objective: Contrastive, link: Link) -> None:
        self.objective, self.link = objective, link

    def batches(self, corpus: Corpus, rng: np.random.Generator) -> list[list[int]]:
        """As many batches as steps, each with as many texts of each label as there are, or of some labels if there are many."""
        known = np.flatnonzero(corpus.is_given)
        strata = self.link.strata(corpus.Y[known])
        groups = [known[strata == stratum] for stratum in np.unique(strata)]
        if len(groups) < 2 or max(map(len, groups)) < 2:
            return []
        each = max(2, BATCH // len(groups))
        texts = [_endless(group, rng) for group in groups]
        labels = _endless(np.arange(len(groups)), rng)
        found = []
        for _ in range(self.objective.contrast_steps or 0):
            chosen = [next(labels) for _ in range(min(len(groups), max(2, BATCH // each)))]
            found.append([next(texts[k]) for k in chosen for _ in range(min(each, len(groups[k])))])
        return found

    def loss(self, psi: Psi, batch: Batch, step: Step) -> Tensor:
        """Mean over the texts that have another of their label in the batch."""
        from torch.nn.functional import normalize

        target = normalize(batch.target, dim=1)
        return contrastive_loss(batch.reading.h.float(), target @ target.T, self.objective.contrast_temperature)


def contrastive_loss(h: Tensor, alike: Tensor, temperature: float) -> Tensor:
    """The loss of the module's docstring from h (B, H) and a (B, B), whose diagonal does not count.

    Examples
    --------
    >>> import torch
    >>> h, alike = torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0]]), torch.tensor([[1.0, 1, 0], [1, 1, 0], [0, 0, 1]])
    >>> round(float(contrastive_loss(h, alike, 1.0)), 4)  # ln(1 + 1 / e)
    0.3133
    """
    import torch
    from torch.nn.functional import normalize

    z, itself = normalize(h, dim=1), torch.eye(len(h), dtype=torch.bool, device=h.device)
    log_p = (z @ z.T / temperature).masked_fill(itself, -torch.inf).log_softmax(1).masked_fill(itself, 0.0)
    alike = alike.masked_fill(itself, 0.0)
    n = alike.sum(1)
    found: Tensor = -(alike * log_p).sum(1)[n > 0] / n[n > 0]
    return found.mean() if len(found) else h.sum() * 0.0


def _endless(items: Array, rng: np.random.Generator) -> Iterator[int]:
    """The items in random order, again and again."""
    while True:
        yield from rng.permutation(items).tolist()
