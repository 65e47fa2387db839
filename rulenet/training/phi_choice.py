"""C, the prior variance of φ's terms, and τ, what they share, chosen by the loss on held-out texts.

Imports decide, features, model, recipe and word_vectors; no torch.

A few values are tried on the texts that calibration holds out anyway, upwards as long as the loss falls, else downwards. Each solution
starts from the one before, and that on all texts from the best, so all of it takes less than twice the time of one value, and with word
vectors three to four times as long (3,000 texts, vectors kept from before). If fewer than a hundred texts are held out, C is 10. Whether φ
uses word vectors is harder to tell: below 450 held-out texts it is chosen by folds.

First φ without sharing, on a vocabulary without the encoder's words; then with it, first τ, and for few texts whether the prior is naive
Bayes', and C; the better of both is kept. C matters little beside τ: on AG News, 40 to 1,000 labels, 3, 10 and 30 are within half a point.
Naive Bayes does where labels are few: 40 labels, τ = 1, 62 with and 68 without.

Beside rules, terms of a few texts say less than the rules do, and with C = 10 they spoke louder: our IMDB pack alone 89.6, with 10 labels
81.7, with 20 81.5; AG News pack 87.7, 20 labels 86.1, 40 84.8. So C is 0.3 then: 89.3, 89.5; 86.8, 87.8. Poor rules too: TREC, 30 and 60
labels, 54.8 → 57.3, 56.1 → 60.6; YouTube comments, 10 labels, 88.7 → 92.8. Above, folds choose it, from 1 on. Without word vectors it
matters little.

Of fewer than `FEW_TEXTS` texts folds say less than what is usual, τ = 3 and no naive Bayes: of 40, they chose τ = 0 for IMDB (57.6 on
average of three samples; with τ = 2 66.2, with 4 68.2; AG News 72.5, 72.7, 72.7; THUCNews titles with 2 and 4 37.6, 37.4).

Before calibration a large C looks too good, as it makes φ surer, and after it a very large one may, as calibration has seen these texts:
both losses must fall.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rulenet.base.types import Array
from rulenet.decide.scales import calibrated_losses
from rulenet.model.hybrid import HeldOut
from rulenet.model.link import ONE_OF, Link
from rulenet.model.phi import Weights
from rulenet.model.phi_problem import PhiProblem, folds
from rulenet.training.phi_stage import DEFAULT_C, phi_problem, split
from rulenet.training.recipe import FEW_TEXTS, Recipe
from rulenet.training.word_vectors import Columns

GRID = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
FEW_WITH_RULES, WITH_RULES = (
    0.3,
    1.0,
)  # C for fewer than `FEW_TEXTS` labels beside rules, and the first that is tried for more
FIRST = 3.0
TAUS = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0)
FIRST_TAU = (
    (FEW_TEXTS - 1, 3.0),
    (500, 1.0),
    (3_000, 0.5),
    (10**12, 0.25),
)  # by the number of labelled texts: the more, the less is shared
MIN_TEXTS = 100  # fewer held-out ones say too little
MIN_TEXTS_WITH_WORDS = 450  # 150 misjudged τ for IMDB by 1.3 points, even by more than a standard error
FEW = 500  # texts, of which folds are small and leave time for more values
FOLDS, FOLDS_OF_MORE = 5, 3
WORTH = 1.0  # standard errors by which sharing must lower the loss


@dataclass(frozen=True)
class Trial:
    """Values of C, τ and nb, and how they did on the held-out texts."""

    C: float
    tau: float
    nb: bool
    weights: list[Weights]  # of each fold
    logits: Array  # φ of the held-out texts
    losses: tuple[Array, Array]  # of each of them, before and after calibration

    def improves(self, other: Trial, *, by: float = 0.0) -> bool:
        """Whether both its mean losses are less, by more than so many standard errors."""
        gains = [others - own for own, others in zip(self.losses, other.losses, strict=True)]
        return all(gain.mean() > by * gain.std() / np.sqrt(len(gain)) for gain in gains)


@dataclass(frozen=True)
class Choice:
    """The C, τ and nb that were chosen; the weights that they gave, to start from; and the held-out texts, if any were needed."""

    C: float
    tau: float = 0.0
    nb: bool = True
    start: Weights | None = None
    held_out: HeldOut | None = None


def choose_phi(
    plain: Columns, words: Columns | None, Y: Array, classes: Sequence[str], recipe: Recipe, seed: int,
    temperature: float = 1.0, link: Link = ONE_OF, beside_rules: bool = False,
) -> Choice:  # fmt: skip
    """C, τ and nb of a recipe, from columns without and, if there are any, with word vectors; what the recipe gives is kept.

    `beside_rules`: terms are learned beside rules, and from labels alone.
    """
    phi, known = recipe.phi, np.flatnonzero(link.mass(Y) > 0)
    usual = DEFAULT_C
    if beside_rules and words is not None and len(known) <= FEW:
        usual = FEW_WITH_RULES if len(known) < FEW_TEXTS else WITH_RULES
    given = Choice(phi.C or usual, (phi.tau or 0.0) if words is not None else 0.0, phi.nb is not False)
    if words is not None and 0 < len(known) < FEW_TEXTS:
        return replace(given, tau=_first_tau(len(known)) if phi.tau is None else phi.tau, nb=bool(phi.nb))
    train, held_out = split(Y[known], np.ones(len(known), dtype=bool), recipe.held_out, seed, link)
    is_split, Y = len(held_out) >= (MIN_TEXTS if words is None else MIN_TEXTS_WITH_WORDS), Y[known]
    parts = [(train, held_out)] if is_split else []
    if words is not None and not is_split and len(known):
        parts = folds(link.strata(Y), FOLDS if len(known) <= FEW else FOLDS_OF_MORE, seed)
    has_terms = plain.X.shape[1] > plain.features.n_rules
    if not parts or (not (phi.C is None and has_terms) and (words is None or None not in (phi.tau, phi.nb))):
        return given

    def tries(columns: Columns) -> Callable[..., Trial]:
        made = [columns.features.as_fitted_on(columns.X[known], rows) for rows, _ in parts]

        def tried(start: Trial | None, *, C: float = given.C, tau: float = 0.0, nb: bool = given.nb) -> Trial:
            changed = recipe.with_changes(C=C, tau=tau, nb=nb)
            how: dict[str, Any] = {"temperature": temperature, "link": link}
            problem = phi_problem(columns.features, classes, changed, columns.vectors, **how)
            return _tried(problem, made, parts, Y, start)

        return tried

    best = None
    if words is None or not phi.tau:
        tried = tries(plain)
        grid, first = (GRID, FIRST if is_split else given.C) if phi.C is None else ((), given.C)
        best = _best(lambda C, start: tried(start, C=C), grid, first)
    if words is not None:
        start = best and replace(best, weights=[words.from_plain(part) for part in best.weights])
        found = _with_words(tries(words), recipe, given, start, len(Y))
        best = found if best is None or found.improves(best, by=WORTH) else best
    if best is None:
        return given
    if not is_split:
        return Choice(best.C, best.tau, best.nb)
    outside = HeldOut(best.logits, np.zeros_like(best.logits), link.right(Y[held_out]))
    return Choice(best.C, best.tau, best.nb, best.weights[0], outside)


def _with_words(tried: Callable[..., Trial], recipe: Recipe, given: Choice, start: Trial | None, n: int) -> Trial:
    """The best τ and, for few texts, the best nb and then C with it."""
    phi = recipe.phi
    first = _first_tau(n) if phi.tau is None else phi.tau
    known = tried(start, tau=first)
    best = _best(lambda tau, start: tried(start, tau=tau), TAUS if phi.tau is None else (), first, known)
    if n > FEW:
        return best
    if phi.nb is None and (other := tried(best, tau=best.tau, nb=False)).improves(best):
        best = other
    tau, nb = best.tau, best.nb
    return best if phi.C is not None else _best(lambda C, start: tried(start, C=C, tau=tau, nb=nb), GRID, given.C, best)


def _first_tau(n: int) -> float:
    """The usual τ for a number of labelled texts."""
    return next(tau for most, tau in FIRST_TAU if n <= most)


def _tried(problem: PhiProblem, X: list[Any], parts: list[tuple[Array, Array]], Y: Array, start: Trial | None) -> Trial:
    """How a problem does on the held-out texts of some folds; X is as fitted on the texts that are not held out."""
    link, logits, weights = problem.link, np.zeros(Y.shape), []
    for i, (train, held_out) in enumerate(parts):
        weights.append(problem.solve(X[i][train], Y[train], start=None if start is None else start.weights[i]))
        logits[held_out] = weights[-1].logits(X[i][held_out])
    rows = np.concatenate([held_out for _, held_out in parts])
    logits, target = logits[rows], Y[rows]
    losses = link.losses(logits, target), calibrated_losses(logits, target, link)
    tau = 0.0 if problem.vectors is None else problem.tau
    return Trial(problem.C, tau, problem.nb_terms > 0, weights, logits, losses)


def _best(
    tried: Callable[[float, Trial | None], Trial], grid: Sequence[float], first: float, known: Trial | None = None
) -> Trial:
    """The best of some values, from the first one upwards as long as it improves, else downwards; `known` is the first one's trial."""
    best = start = tried(first, None) if known is None else known
    above, below = [value for value in grid if value > first], [value for value in reversed(grid) if value < first]
    for path in (above, below):
        for value in path if path is above or best is start else ():
            trial = tried(value, best)
            if not trial.improves(best):
                break
            best = trial
    return best
