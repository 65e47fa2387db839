"""C and nb, the prior of φ's terms, chosen by their loss on held-out texts. Imports decide, features, model and recipe; no torch.

The naive Bayes prior is worth a point on AG News and IMDB, and costs seven on 77 labels with a hundred texts each, of which too few say
anything about a term. So a few pairs are tried on the texts that calibration holds out anyway. Each solution starts from the one
before, and that on all texts from the best, so all of it takes less than twice the time of one pair.

First nb: with and without, each at the C that mostly suits it, by the loss after calibration, as one of them may only be less sure than
the other. Another nb than the default must be better beyond chance, by two standard errors of the mean difference. Then C, upwards as long
as the loss falls, else downwards. Before calibration a large C looks too good, as it makes φ surer, and after it a very large one may,
as calibration has seen these texts: both losses must fall.
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
from rulenet.training.recipe import MANY_TEXTS, Recipe

GRID = (1.0, 3.0, 10.0, 30.0, 100.0)
FIRST = {False: DEFAULT_C, True: 3.0}  # the C that mostly suits a prior of equal deviations, and a naive Bayes prior
MIN_TEXTS = 100  # fewer held-out ones say too little


@dataclass(frozen=True)
class Trial:
    """One pair and how it did on the held-out texts."""

    C: float
    nb: bool
    weights: Weights
    logits: Array  # φ of the held-out texts
    loss: float  # mean of their losses
    calibrated: Array  # loss of each of them after calibration

    def improves(self, other: Trial) -> bool:
        """Whether both its losses are less."""
        return bool(self.loss < other.loss and self.calibrated.mean() < other.calibrated.mean())

    def beats(self, other: Trial) -> bool:
        """Whether it is better after calibration, beyond chance."""
        gain = other.calibrated - self.calibrated
        return bool(gain.mean() > 2 * gain.std() / np.sqrt(len(gain)))


@dataclass(frozen=True)
class Choice:
    """The pair that was chosen; the weights that it gave, to start from; and its held-out texts, if any were needed."""

    C: float
    nb: bool
    start: Weights | None = None
    held_out: HeldOut | None = None


def choose_phi(features: Features, X: Any, Y: Array, classes: Sequence[str], recipe: Recipe, seed: int) -> Choice:
    """C and nb of a recipe; those that it gives are kept.

    Without labels nothing can be tried, and terms get equal priors: on 1,500 and 4,000 AG News texts and 1,500 IMDB reviews labelled by
    rules alone, the accuracy is the same within 0.5 points.
    """
    given, link = recipe.phi, ONE_OF
    known = np.flatnonzero(link.mass(Y) > 0)
    nb = len(known) >= MANY_TEXTS if given.nb is None else given.nb
    is_open = X.shape[1] > features.n_rules and None in (given.C, given.nb)
    train, held_out = split(Y[known], np.ones(len(known), dtype=bool), recipe.held_out, seed, link)
    if not is_open or len(held_out) < MIN_TEXTS:
        return Choice(given.C or DEFAULT_C, nb)
    X, Y = features.as_fitted_on(X[known], train), Y[known]

    def tried(C: float, nb: bool, start: Weights | None = None) -> Trial:
        problem = phi_problem(features, classes, recipe.with_changes(C=C, nb=nb))
        weights = problem.solve(X[train], Y[train], start=start)
        logits, target = weights.logits(X[held_out]), Y[held_out]
        loss = float(link.losses(logits, target).mean())
        return Trial(C, nb, weights, logits, loss, calibrated_losses(logits, target, link))

    best = tried(given.C or FIRST[nb], nb)
    if given.nb is None and features.n_terms:
        other = tried(given.C or FIRST[not nb], not nb)
        best = other if other.beats(best) else best
    first = best
    above, below = [C for C in GRID if C > first.C], [C for C in reversed(GRID) if C < first.C]
    for path in (above, below) if given.C is None else ():
        for C in path if path is above or best is first else ():
            trial = tried(C, best.nb, best.weights)
            if not trial.improves(best):
                break
            best = trial
    outside = HeldOut(best.logits, np.zeros_like(best.logits), link.right(Y[held_out]))
    return Choice(best.C, best.nb, best.weights, outside)
