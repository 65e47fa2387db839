"""Without rules: targets for texts without a label, in rounds, from labels or first guesses and from which texts are alike.

    first guesses → student → sharpened by class frequency (Xie et al. 2016) → student …

`self_teach`, for prompts: the first guesses may come from descriptions of labels or a prompt, and the student sees one view of the texts,
a dense array with a row for each, h(x) of an encoder if there is one. Measured with MiniLM on training rows kept aside, no label but a
description of each, first guesses → after four rounds: AG News 70 → 84, TREC 53 → 58, YouTube comments 66 → 67. Descriptions that vote as
rules do (`rulenet.training.teaching`) were worse: AG News 76.

`self_taught`, for pseudo-labels before any epoch: the student is φ beside a head over h(x), so that what one view knows, words or h(x), the
other learns. All guesses together weigh half of what the labels do. Frozen MiniLM, 200 labels, three students, 1,000 texts without labels,
which are judged, three samples: AG News φ 86.3 → 88.1, φ + head 87.2 → 88.3; TREC φ 69.0 → 75.5, 74.0 → 75.7. As heavy as the labels: 0.3
less. Only sure guesses (0.9): φ gains a quarter of that. The head is solved without φ: as good as beside φ out-of-fold, and quicker.

All students are convex, so a round takes seconds. Imports phi_problem, link, neighbours, numpy and scipy; torch only with `see`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rulenet.base.types import Array
from rulenet.base.wording import counted
from rulenet.model.link import Link
from rulenet.model.phi_problem import PhiProblem
from rulenet.training.convex import solve_head
from rulenet.training.corpus import Corpus, Origin
from rulenet.training.job import Job
from rulenet.training.phi_stage import split
from rulenet.training.recipe import Recipe
from rulenet.training.report import Report
from rulenet.training.teaching import FADING, FINAL_MASS, MASS, VARIANCE, Lesson, sharpened, student_logits

if TYPE_CHECKING:
    from rulenet.training.neural import Seen

SHARE = 0.5  # what all guesses for pseudo-labels together weigh, as a share of the labels


def self_teach(
    view: Array, Y: Array, said: Array | None, classes: Sequence[str], link: Link, *, rounds: int, trusted: float
) -> Lesson:
    """Targets for all texts, by a student that sees one view of them.

    Parameters
    ----------
    view
        What the student sees of the texts, (n_texts, d).
    Y
        Given targets, (n_texts, n_classes); zeros where nothing is known.
    said
        Logits of the first guesses, (n_texts, n_classes); None: those of a student that learns from the given targets alone.
    rounds
        Students that learn from guesses.
    trusted
        Share of the first guesses for each class that they learn from: the surest.

    Examples
    --------
    >>> from rulenet.model.link import ONE_OF
    >>> view, Y = np.array([[1.0], [-1.0], [0.9], [-0.8]]), np.array([[1.0, 0], [0, 1], [0, 0], [0, 0]])
    >>> self_teach(view, Y, None, ["a", "b"], ONE_OF, rounds=2, trusted=0.8).targets.argmax(axis=1).tolist()
    [0, 1, 0, 1]
    """
    free, found = link.mass(Y) == 0, Y.copy()
    proba, n_trusted = _in_rounds(
        lambda rows, targets: student_logits(view, rows, targets, link)[free], Y, said, link, rounds, MASS, trusted
    )
    guesses = sharpened(proba)
    mass = min(1.0, FINAL_MASS / (1 + int((~free).sum()) / FADING) / len(guesses))
    found[free] = mass * guesses
    doubt = 1 - guesses.max(axis=1)
    about = classes[int((guesses * doubt[:, None]).sum(axis=0).argmax())]
    advice = f"labels would help most, mainly about {about!r}; `rulenet suggest-labels` finds the texts"
    return Lesson(found, {"trusted": n_trusted, "mass": mass, "doubt": float(doubt.mean()), "advice": advice})


def self_taught(
    corpus: Corpus, problem: PhiProblem, encoder: str, recipe: Recipe, report: Report, job: Job
) -> tuple[Array, Seen]:
    """Targets of all texts, those without a label as φ and the head guess them, and what the encoder has made of the texts."""
    from rulenet.training.neural import see

    started, given, Y = time.perf_counter(), corpus.is_given, corpus.Y.copy()
    n_free = int((~given).sum())
    job.progress.stage("teaching", f"φ and ψ's head label {counted(n_free, 'text')}")
    seen = see(corpus, encoder, recipe, report, job)
    # Guesses that knew the labels of held-out texts would make φ and ψ look better on these than they are.
    rows, _ = split(Y, given, recipe.held_out, job.seed, problem.link)
    Y[rows], doubt = teach_each_other(problem, corpus.X[rows], seen.h[rows], Y[rows], recipe.guess_rounds)
    report.self_taught = {"texts": n_free, "rounds": recipe.guess_rounds, "doubt": doubt}
    report.seconds["teaching"] = time.perf_counter() - started
    return Y, seen


def teach_each_other(problem: PhiProblem, X: Any, h: Array, Y: Array, students: int) -> tuple[Array, float]:
    """Targets as given, and guesses of little weight for the other rows; and the mean share that these are expected to be wrong."""
    link, mass = problem.link, problem.link.mass(Y)
    free, found, all_mass, weights = mass == 0, Y.copy(), SHARE * float(mass[mass > 0].sum()), None

    def student(rows: Array, targets: Array) -> Array:
        nonlocal weights
        weights = problem.solve(X[rows], targets, start=weights)
        learned = Corpus((), None, targets, np.full(len(rows), Origin.GIVEN), np.zeros_like(targets))
        return weights.logits(X[free]) + solve_head(h[rows], learned, link, psi_loss=0.0, variance=VARIANCE)(h[free])

    proba, _ = _in_rounds(student, Y, None, link, students - 1, all_mass)
    found[free] = min(1.0, all_mass / len(proba)) * sharpened(proba)
    return found, float(1 - proba.max(axis=1).mean())


def _in_rounds(
    student: Callable[[Array, Array], Array], Y: Array, said: Array | None, link: Link, rounds: int, mass: float, trusted: float = 1.0
) -> tuple[Array, int]:  # fmt: skip
    """Probabilities for the texts without a target in the end, and how many of the first guesses were learned from.

    `student` makes logits of these texts from rows and their targets; all guesses together weigh at most `mass`.
    """
    given = link.mass(Y) > 0
    labelled, free = np.flatnonzero(given), np.flatnonzero(~given)
    proba = link.proba(student(labelled, Y[labelled]) if said is None else said[free])
    rows = _surest(sharpened(proba), trusted)
    n_trusted = len(rows)
    for _ in range(rounds):
        targets = np.vstack([Y[labelled], min(1.0, mass / len(rows)) * sharpened(proba)[rows]])
        proba = link.proba(student(np.concatenate([labelled, free[rows]]), targets))
        rows = np.arange(len(free))
    return proba, n_trusted


def _surest(guesses: Array, share: float) -> Array:
    """Of those for each class, the share that is surest."""
    y, sure, found = guesses.argmax(axis=1), guesses.max(axis=1), []
    for k in np.unique(y):
        own = np.flatnonzero(y == k)
        found.append(own[np.argsort(-sure[own], kind="stable")[: int(np.ceil(share * len(own)))]])
    return np.sort(np.concatenate(found))
