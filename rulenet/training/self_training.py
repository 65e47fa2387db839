"""Texts without a label are labelled by φ and a head over h(x), which then learn from them, in rounds: pseudo-labels before any epoch.

    φ and head from labels → guesses of both together, sharpened by class frequency → φ and head from labels and guesses → …

Both are convex, so a round takes seconds, and what one view of the texts knows, words or h(x), the other learns. All guesses together
weigh half of what the labels do. Frozen MiniLM, 200 labels, three rounds, 1,000 texts without labels, which are judged, three samples:
AG News φ 86.3 → 88.1, φ + head 87.2 → 88.3; TREC φ 69.0 → 75.5, 74.0 → 75.7. As heavy as the labels: 0.3 less. Only sure guesses (0.9):
φ gains a quarter of that. The head is solved without φ: as good as beside φ out-of-fold, and quicker.

Imports phi_problem, convex and neighbours; torch only with `see`.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from rulenet.base.types import Array
from rulenet.base.wording import counted
from rulenet.model.link import Link
from rulenet.model.phi_problem import PhiProblem
from rulenet.training.augment.words import WordFinder
from rulenet.training.convex import solve_head
from rulenet.training.corpus import Corpus, Origin
from rulenet.training.job import Job
from rulenet.training.objectives.pseudo_labels import pseudo_labels
from rulenet.training.phi_stage import split
from rulenet.training.recipe import Recipe
from rulenet.training.report import Report

if TYPE_CHECKING:
    from rulenet.training.neural import Seen

MASS = 0.5  # what all guesses together weigh, as a share of the labels
VARIANCE = 3.0  # prior variance of the head's weights, as where rules teach


def self_taught(
    texts: Any,
    words: WordFinder,
    X: Any,
    Y: Array,
    problem: PhiProblem,
    encoder: str,
    recipe: Recipe,
    report: Report,
    job: Job,
) -> tuple[Array, Seen]:
    """Targets of all texts, those without a label as φ and the head guess them, and what the encoder has made of the texts."""
    from rulenet.training.neural import see

    started, given = time.perf_counter(), problem.link.mass(Y) > 0
    job.progress.stage("teaching", f"φ and ψ's head label {counted(int((~given).sum()), 'text')}")
    corpus = Corpus(texts, X, Y, np.where(given, Origin.GIVEN, Origin.NONE), np.zeros_like(Y), words=words)
    seen = see(corpus, encoder, recipe, report, job)
    # Guesses that knew the labels of held-out texts would make φ and ψ look better on these than they are.
    rows, _ = split(Y, given, recipe.held_out, job.seed, problem.link)
    targets, doubt = guesses(problem, X[rows], seen.h[rows], Y[rows], recipe.guess_rounds)
    report.self_taught = {"texts": int((~given).sum()), "rounds": recipe.guess_rounds, "doubt": doubt}
    report.seconds["teaching"] = time.perf_counter() - started
    Y = Y.copy()
    Y[rows] = targets
    return Y, seen


def guesses(problem: PhiProblem, X: Any, h: Array, Y: Array, rounds: int) -> tuple[Array, float]:
    """Targets as given, and guesses of little weight for the other rows; and the mean share that these are expected to be wrong."""
    link, given = problem.link, problem.link.mass(Y) > 0
    known, free, targets, weights = np.flatnonzero(given), np.flatnonzero(~given), Y, None
    mass = min(1.0, MASS * float(link.mass(Y[known]).sum()) / max(1, len(free)))
    doubt = 0.0
    for _ in range(rounds):
        weights = problem.solve(X[known], targets[known], start=weights)
        head = solve_head(h[known], _targets(targets[known], link), link, psi_loss=0.0, variance=VARIANCE)
        logits = weights.logits(X[free]) + head(h[free])
        doubt = float(1 - link.proba(logits).max(axis=1).mean()) if len(free) else 0.0
        targets = Y.copy()
        targets[free] = mass * pseudo_labels(logits, 0.0, link)
        known = np.arange(len(Y))
    return targets, doubt


def _targets(Y: Array, link: Link) -> Corpus:
    return Corpus([""] * len(Y), None, Y, np.full(len(Y), Origin.GIVEN), np.zeros_like(Y))
