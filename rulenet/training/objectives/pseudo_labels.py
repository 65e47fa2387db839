"""Pseudo-labels: ψ learns from what φ + ψ is sure of about texts without a label (Lee 2013; Xie et al. 2016). Imports torch late.

    mean over sure texts of  CE(q, φ + ψ) + λ₁ CE(q, ψ)        q_k ∝ p_k² / Σ_n p_nk,  p = softmax(φ + ψ)

p is that of the epoch's beginning: of as many texts, drawn anew, as an epoch can learn from, not of all. The square makes q surer, and the
division keeps a frequent label from taking over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from rulenet.base.types import Array
from rulenet.model.link import Link
from rulenet.training.corpus import Corpus
from rulenet.training.objectives.objective import Need, Objective, Setup, Term
from rulenet.training.objectives.supervised import joint_loss
from rulenet.training.parts import NotNegative, Number, Positive, Whole, part
from rulenet.training.teaching import sharpened

if TYPE_CHECKING:
    from torch import Tensor

    from rulenet.model.psi import Psi
    from rulenet.training.batch import Batch, Step

LEAST, MORE = 256, 1.5  # texts that are answered for an epoch: at least so many, and so many times those with a target


@part
class PseudoLabels(Objective):
    """Learn from texts without a label what φ + ψ is sure of.

    Attributes
    ----------
    weight
        Factor of the loss.
    pseudo_rounds
        In how many rounds before any epoch φ and ψ's head label texts for each other, where rules do not teach: see
        `rulenet.training.self_teaching`. 0: φ learns from its own sure guesses alone.
    sure_from
        Least probability of an answer that is learned from.
    pseudo_psi_loss
        λ₁, weight of the loss of ψ alone.
    """

    needs: ClassVar[frozenset[Need]] = frozenset({Need.UNLABELLED, Need.OTHER_TEXTS})
    is_supervised: ClassVar[bool] = False
    weight: Positive = 1.0
    pseudo_rounds: Annotated[Whole, Field(ge=0, le=100)] = 3
    sure_from: Annotated[Number, Field(gt=0, le=1)] = 0.9
    pseudo_psi_loss: NotNegative = 0.3

    @property
    def needs_epochs(self) -> bool:
        """Not if there are rounds before them."""
        return not self.pseudo_rounds

    def start(self, setup: Setup) -> PseudoLabelsTerm:
        """The term of a run."""
        return PseudoLabelsTerm(self, setup)


class PseudoLabelsTerm(Term):
    """Pseudo-labels in one run."""

    def __init__(self, objective: PseudoLabels, setup: Setup) -> None:
        import torch

        self.objective, self.psi, self.cut, self.link = objective, setup.psi, setup.cut, setup.problem.link
        # No weights, but kept with them, so that a resumed run goes on with the pseudo-labels of its epoch.
        kept = {"target": torch.zeros(len(setup.train), setup.corpus.Y.shape[1]), "epoch": torch.tensor([-1.0])}
        self.kept = torch.nn.ParameterDict({name: torch.nn.Parameter(value) for name, value in kept.items()})
        self.modules = {"pseudo_labels": self.kept}
        self.epoch = 0

    def parameter_groups(self, learning_rate: float) -> list[dict[str, Any]]:
        """Nothing that a step may change."""
        return []

    def before_epoch(self, epoch: int, epochs: int) -> None:
        """New pseudo-labels are made when the batches are."""
        self.epoch = epoch

    def batches(self, corpus: Corpus, rng: np.random.Generator) -> list[list[int]]:
        """The texts that φ + ψ is sure of, among those drawn for this epoch."""
        others = np.flatnonzero(~corpus.is_given)
        n = min(len(others), max(LEAST, round(MORE * len(corpus.with_target))))
        drawn = np.sort(rng.choice(others, n, replace=False))
        if self.kept["epoch"].item() != self.epoch:
            target = np.zeros((len(corpus), corpus.Y.shape[1]))
            target[drawn] = self._targets(corpus.take(drawn))
            self._keep(target)
        sure = np.flatnonzero(self.kept["target"].detach().sum(1).cpu().numpy() > 0)
        return self.cut(corpus, sure, rng)

    def loss(self, psi: Psi, batch: Batch, step: Step) -> Tensor:
        """Mean over the texts."""
        import torch

        target = self.kept["target"].detach()[torch.as_tensor(batch.indices, device=self.kept["target"].device)]
        found = psi.head(batch.reading.h, batch.phi).float()
        return joint_loss(batch.phi, found, target, psi_loss=self.objective.pseudo_psi_loss, link=self.link)

    def measured(self, psi: Psi, texts: Corpus) -> dict[str, Any]:
        """On texts with a label: share that φ + ψ is sure of, and share of these that it gets right."""
        logits = texts.phi + psi.predict(texts.rows, texts.phi, device=psi.from_phi.weight.device, layers=texts.layers)
        sure = self.link.mass(self.link.confident(logits, self.objective.sure_from)) > 0
        right = self.link.answer(logits)[sure] == self.link.right(texts.Y[sure])
        return {"sure": float(sure.mean()), "right": float(right.mean()) if sure.any() else None}

    def _targets(self, texts: Corpus) -> Array:
        """Pseudo-labels; rows of zeros where φ + ψ is not sure."""
        was_training, device = self.psi.training, self.psi.from_phi.weight.device
        logits = texts.phi + self.psi.predict(texts.rows, texts.phi, device=device, layers=texts.layers)
        self.psi.train(was_training)
        return pseudo_labels(logits, self.objective.sure_from, self.link)

    def _keep(self, target: Array) -> None:
        import torch

        with torch.no_grad():
            self.kept["target"].copy_(torch.as_tensor(target))
            self.kept["epoch"].fill_(self.epoch)


def pseudo_labels(logits: Array, sure_from: float, link: Link) -> Array:
    """q of the module's docstring, (n_texts, n_classes); rows of zeros where no answer is sure.

    Examples
    --------
    >>> from rulenet.model.link import ONE_OF
    >>> pseudo_labels(np.log([[0.9, 0.1], [0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]), 0.75, ONE_OF).round(3)
    array([[0.978, 0.022],
           [0.978, 0.022],
           [0.033, 0.967],
           [0.   , 0.   ]])
    """
    proba, sure = link.proba(logits), link.mass(link.confident(logits, sure_from)) > 0
    return sharpened(proba) * sure[:, None]
