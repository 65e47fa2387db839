"""C, the prior variance of φ's terms, chosen by the loss on held-out texts. Imports decide, features, model and recipe; no torch.

A few values are tried on the texts that calibration holds out anyway, upwards as long as the loss falls, else downwards. Each solution
starts from the one before, and that on all texts from the best, so all of it takes less than twice the time of one value.

Before calibration a large C looks too good, as it makes φ surer, and after it a very large one may, as calibration has seen these texts:
both losses must fall.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rulenet.base.types import Array
from rulenet.decide.scales import calibrated_losses
from rulenet.features.blocks import Features
from rulenet.model.hybrid import HeldOut
from rulenet.model.link import ONE_OF
from rulenet.model.phi import Weights
from rulenet.training.phi_stage import DEFAULT_C, phi_problem, split
from rulenet.training.recipe import Recipe

GRID = (1.0, 3.0, 10.0, 30.0, 100.0)
FIRST = 3.0
MIN_TEXTS = 100  # fewer held-out ones say too little


@dataclass(frozen=True)
class Trial:
    """One C and how it did on the held-out texts."""

    C: float
    weights: Weights
    logits: Array  # φ of the held-out texts
    losses: tuple[float, float]  # their mean, before and after calibration

    def improves(self, other: Trial) -> bool:
        """Whether both its losses are less."""
        return all(own < others for own, others in zip(self.losses, other.losses, strict=True))


@dataclass(frozen=True)
class Choice:
    """The C that was chosen; the weights that it gave, to start from; and its held-out texts, if any were needed."""

    C: float
    start: Weights | None = None
    held_out: HeldOut | None = None


def choose_phi(features: Features, X: Any, Y: Array, classes: Sequence[str], recipe: Recipe, seed: int) -> Choice:
    """C of a recipe; one that it gives is kept."""
    link, known = ONE_OF, np.flatnonzero(ONE_OF.mass(Y) > 0)
    train, held_out = split(Y[known], np.ones(len(known), dtype=bool), recipe.held_out, seed, link)
    if recipe.phi.C is not None or X.shape[1] == features.n_rules or len(held_out) < MIN_TEXTS:
        return Choice(recipe.phi.C or DEFAULT_C)
    X, Y = features.as_fitted_on(X[known], train), Y[known]

    def tried(C: float, start: Weights | None = None) -> Trial:
        weights = phi_problem(features, classes, recipe.with_changes(C=C)).solve(X[train], Y[train], start=start)
        logits, target = weights.logits(X[held_out]), Y[held_out]
        losses = link.losses(logits, target), calibrated_losses(logits, target, link)
        return Trial(C, weights, logits, (float(losses[0].mean()), float(losses[1].mean())))

    best = first = tried(FIRST)
    above, below = [C for C in GRID if C > FIRST], [C for C in reversed(GRID) if C < FIRST]
    for path in (above, below):
        for C in path if path is above or best is first else ():
            trial = tried(C, best.weights)
            if not trial.improves(best):
                break
            best = trial
    outside = HeldOut(best.logits, np.zeros_like(best.logits), link.right(Y[held_out]))
    return Choice(best.C, best.weights, outside)
