"""CE(φ + ψ) + λ₁ CE(ψ) + λ₂ CE(φ): the loss of labelled texts for ψ, and in the joint epochs also for φ. Imports torch late.

While φ is fixed, the third part has no gradient and is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field

from rulenet.base.types import Array
from rulenet.decide.per_label import best_answers
from rulenet.decide.scales import fit_scales
from rulenet.model.link import ONE_OF, Link
from rulenet.model.phi import Weights
from rulenet.training.corpus import Corpus
from rulenet.training.objectives.objective import Judged, Objective, Setup, Term
from rulenet.training.parts import NotNegative, Number, Positive, Share, Whole, part

if TYPE_CHECKING:
    from torch import Tensor

    from rulenet.model.phi_layer import PhiLayer
    from rulenet.model.psi import Psi
    from rulenet.training.batch import Batch, Step


@part
class Supervised(Objective):
    """The joint loss over the rows that have a target.

    Attributes
    ----------
    weight
        Factor of the loss if there are several objectives.
    label_smoothing
        Share of each target that all labels get alike, so that no answer can become too sure.
    psi_loss
        λ₁, weight of the loss of ψ alone: it keeps ψ useful without φ.
    phi_dropout
        Share of the training texts for which ψ must do without φ.
    joint_epochs
        In this many last epochs φ's weights learn together with ψ, starting from the convex solution and from ψ's best epoch so far. Signs
        and pins of rules apply at every step. What they learn is kept unless the held-out loss is more than a standard error higher. No
        effect if no text has a label: rules then keep their authors' weights. `benchmarks/bench_joint.py` compares it with a fixed φ.
    phi_learning_rate, phi_loss
        φ's learning rate in the joint epochs, and λ₂, weight of the loss of φ alone, which keeps φ useful without ψ. No effect
        with ``joint_epochs=0``.
    """

    weight: Positive = 1.0
    label_smoothing: Annotated[Number, Field(ge=0, lt=1)] = 0.0
    psi_loss: NotNegative = 0.3
    phi_dropout: Share = 0.0
    joint_epochs: Annotated[Whole, Field(ge=0)] = 1
    phi_learning_rate: Positive = 2e-3
    phi_loss: NotNegative = 0.3

    def start(self, setup: Setup) -> SupervisedTerm:
        """The term of a run, with a layer for φ if there are joint epochs and something to learn φ from."""
        corpus, layer = setup.corpus, None
        if self.joint_epochs and corpus.is_given.any() and corpus.X.shape[1]:
            from rulenet.model.phi_layer import PhiLayer

            known, train = corpus.with_target, np.intersect1d(setup.train, corpus.with_target)
            scale = setup.problem.scale(corpus.X[known], corpus.Y[known])
            layer = PhiLayer(setup.weights, setup.problem, X=corpus.X[train], scale=scale)
        return SupervisedTerm(self, layer, setup.problem.link)


class SupervisedTerm(Term):
    """The joint loss in one run; `layer` is φ's change in the joint epochs, None if φ stays as it is."""

    augments = True

    def __init__(self, objective: Supervised, layer: PhiLayer | None, link: Link = ONE_OF) -> None:
        self.objective, self.layer, self.link = objective, layer, link
        self.modules = {} if layer is None else {"phi": layer}
        self.joint_epochs = 0 if layer is None else objective.joint_epochs
        self.is_joint = self.has_moved = False

    def parameter_groups(self, learning_rate: float) -> list[dict[str, Any]]:
        """φ has its own learning rate, and priors in the place of weight decay."""
        if self.layer is None:
            return []
        rate = self.objective.phi_learning_rate
        return [{"params": list(self.layer.parameters()), "initial_lr": rate, "weight_decay": 0.0}]

    def before_epoch(self, epoch: int, epochs: int) -> None:
        """φ learns in the last epochs only."""
        if self.layer is not None:
            self.is_joint = epoch >= epochs - self.joint_epochs
            self.layer.requires_grad_(self.is_joint)
            self.has_moved = any(
                bool(weight.detach().any()) for weight in self.layer.parameters()
            )  # in an earlier stage

    def loss(self, psi: Psi, batch: Batch, step: Step) -> Tensor:
        """The joint loss; for some texts ψ must do without φ, so that it stays useful without φ."""
        import torch

        from rulenet.model.phi_layer import sparse_rows

        phi, settings = batch.phi, self.objective
        if self.layer is not None and (self.is_joint or self.has_moved):
            columns, starts, values = map(step.moved, sparse_rows(batch.columns))
            phi = self.layer(phi, (columns, starts, values))
        keep = step.random().random((batch.size, 1))[batch.places] >= settings.phi_dropout
        phi = phi * step.moved(torch.as_tensor(keep, dtype=torch.float32))
        h, phi, target = batch.mixed(batch.reading.h, phi, batch.target)
        target = self.link.smoothed(target, settings.label_smoothing) if settings.label_smoothing else target
        found = psi.head(h, phi).float()
        phi_loss = settings.phi_loss if self.is_joint else 0.0
        return joint_loss(phi, found, target, psi_loss=settings.psi_loss, phi_loss=phi_loss, link=self.link)

    def after_backward(self, batch: Batch, step: Step) -> None:
        """Add the gradient of φ's priors."""
        if self.layer is not None and self.is_joint:
            from rulenet.model.phi_layer import sparse_rows

            self.layer.add_prior_gradient(step.moved(sparse_rows(batch.columns)[0]), len(batch))

    def after_step(self) -> None:
        """Apply signs and pins of rules at every step."""
        if self.layer is not None and self.is_joint:
            self.layer.project()

    def held_out_losses(self, held_out: Corpus, predict: Callable[[Corpus, Array], Array]) -> Array:
        """Of `judged`."""
        return self.judged(held_out, predict).losses

    def judged(self, held_out: Corpus, predict: Callable[[Corpus, Array], Array]) -> Judged:
        """Cross-entropy, accuracy and macro-F1 of a·φ + s·ψ with the best scalars.

        The scalars are fitted at the end anyway. Judged without them, φ + ψ looks over-confident as soon as ψ has learned something,
        and the first epoch would win.
        """
        phi = self._phi(held_out)
        psi = predict(held_out, phi)
        a, s = fit_scales(phi, psi, held_out.Y, self.link)
        logits, given = a * phi + s * psi, held_out.is_given
        losses = self.link.losses(logits, held_out.Y)
        if not given.any():
            return Judged(losses)
        from sklearn.metrics import accuracy_score, f1_score

        y = self.link.right(held_out.Y[given])
        answers = best_answers(logits[given], y) if self.link.several else self.link.answer(logits[given])
        f1 = f1_score(y, answers, average="macro", zero_division=0.0)
        return Judged(losses, float(accuracy_score(y, answers)), float(f1))

    def finish(self, weights: Weights, held_out: Corpus | None) -> tuple[Weights, Corpus | None]:
        """φ as it is after training."""
        if self.layer is None:
            return weights, held_out
        return self.layer.weights(), held_out and replace(held_out, phi=self._phi(held_out))

    def _phi(self, held_out: Corpus) -> Array:
        phi: Array = held_out.phi
        return phi if self.layer is None else phi + self.layer.shift(held_out.X)


def joint_loss(
    phi: Tensor, psi: Tensor, target: Tensor, *, psi_loss: float, phi_loss: float = 0.0, link: Link = ONE_OF
) -> Tensor:
    """CE(φ + ψ) + λ₁ CE(ψ) + λ₂ CE(φ), averaged over the batch, from tensors of shape (B, K); CE is the loss of the link.

    A row of the target that sums to w < 1 has weight w; λ₁ and λ₂ are `psi_loss` and `phi_loss`.

    Examples
    --------
    >>> import torch
    >>> phi, psi = torch.zeros(1, 2), torch.tensor([[0.0, 0.0]])
    >>> round(float(joint_loss(phi, psi, torch.tensor([[0.0, 1.0]]), psi_loss=1.0)), 4)  # 2 ln 2
    1.3863
    """
    loss: Tensor = link.tensor_loss(phi + psi, target)
    if psi_loss:
        loss = loss + psi_loss * link.tensor_loss(psi, target)
    if phi_loss:
        loss = loss + phi_loss * link.tensor_loss(phi, target)
    return loss
