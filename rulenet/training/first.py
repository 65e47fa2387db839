"""What comes before ψ's head is solved: objectives that train the encoder by themselves; and what is told of objectives without labels.

Imports objectives and neighbours; torch, late.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rulenet.base.types import Array
from rulenet.model.phi_problem import folds
from rulenet.training.convex import View
from rulenet.training.corpus import Corpus
from rulenet.training.job import Job
from rulenet.training.objectives.objective import Objective, Setup, Term, start_all
from rulenet.training.phi_stage import MIN_HELD_OUT
from rulenet.training.recipe import Recipe
from rulenet.training.report import Report

if TYPE_CHECKING:
    from rulenet.model.psi import Psi

JUDGES, MOST_JUDGES = 0.1, 200  # texts that objectives without labels are judged by: share of all, and most


@dataclass(frozen=True)
class Came:
    """What an encoder made of the texts before it had learned from their labels."""

    h: Array  # h(x), as it came
    views: Sequence[View] = ()  # h(x) where it has learned from some of the labels


def train_first(
    setup: Setup, held_out: Array, recipe: Recipe, report: Report, job: Job, *, judges: bool = True
) -> Came | None:
    """Train the encoder by the objectives that come before the head; h(x) before it learned from labels, or None if it did not.

    Without `judges`, nothing is to be judged by that h(x), and it is not computed.
    """
    from rulenet.training.run import new_accelerator

    psi, came = setup.psi, None
    for objective in recipe.objectives:
        changes = objective.alone() if objective.comes_first else None
        if changes is None:
            continue
        # Their rates are chosen for AdamW.
        alone = recipe.with_changes(
            **{"optimizer": "adamw", "schedule": "linear", "stages": (), "average": 0.0, **changes}
        )
        if not objective.is_supervised:
            learn_alone(objective, setup, held_out, alone, report, job)
            continue
        if not recipe.starts_convex(psi.encoder.traits):
            continue
        learned = setup.corpus.take(np.setdiff1d(setup.corpus.with_target, held_out if recipe.steps.epochs else []))
        (term,) = start_all([objective], setup)
        if not term.batches(learned, np.random.default_rng(job.seed)):
            report.settled["contrast_steps"] = 0
            continue
        if came is None and judges:
            came = Came(psi.hidden(setup.corpus.rows, device=new_accelerator(job.device).device))
            if setup.problem.rules and not recipe.steps.epochs and setup.corpus.is_given.sum() >= MIN_HELD_OUT:
                came = replace(came, views=views_of(objective, setup, alone, job))
        _train(objective, term, setup, learned, alone, report, job)
    return came


def views_of(objective: Objective, setup: Setup, recipe: Recipe, job: Job) -> list[View]:
    """h(x) of the texts by encoders that have each learned from half of the labels; none if half of them teach nothing."""
    from rulenet.training.run import new_accelerator

    psi, corpus, known, views = setup.psi, setup.corpus, setup.corpus.with_target, []
    came = {name: tensor.clone() for name, tensor in psi.body.state_dict().items()}
    for train, test in folds(setup.problem.link.strata(corpus.Y[known]), 2, job.seed):
        (term,) = start_all([objective], setup)
        learned, report = corpus.take(known[train]), Report()
        if not term.batches(learned, np.random.default_rng(job.seed)):
            return []
        _train(objective, term, setup, learned, recipe, report, job)
        h = psi.hidden(corpus.rows, device=new_accelerator(job.device).device)
        psi.body.load_state_dict(came)
        if report.interrupted:
            return []
        views.append(View(known[train], known[test], h))
    return views


def learn_alone(objective: Objective, setup: Setup, held_out: Array, recipe: Recipe, report: Report, job: Job) -> None:
    """Train the encoder by an objective without labels, on all texts except the held-out ones and some that it is judged by."""
    from rulenet.model.encoders.compact import round_weights

    n, psi = len(setup.corpus), setup.psi
    drawn = np.random.default_rng([job.seed, 1]).permutation(n)[: min(MOST_JUDGES, max(1, int(JUDGES * n)))]
    judges = np.union1d(held_out, drawn).astype(np.intp)
    learned, (term,) = setup.corpus.take(np.setdiff1d(np.arange(n), judges)), start_all([objective], setup)
    with judging([objective], [term], psi, setup.corpus.take(judges), len(learned), report):
        _train(objective, term, setup, learned, recipe, report, job)
    if psi.encoder.traits.sixteen_bits:
        round_weights(psi.body)
    psi.body.requires_grad_(True)  # what is trained next is for the tuning to say


@contextmanager
def judging(
    objectives: Sequence[Objective],
    terms: Sequence[Term],
    psi: Psi,
    judges: Corpus | None,
    n_texts: int,
    report: Report,
) -> Iterator[None]:
    """Report what objectives without labels have reached before and after, by texts that they do not learn from."""

    def found() -> list[dict[str, Any]]:
        watched = [term for term in terms if not term.is_supervised]
        return [term.measured(psi, judges) if judges is not None and len(judges) else {} for term in watched]

    before = found()
    yield
    watched = [objective for objective in objectives if not objective.is_supervised]
    for objective, was, now in zip(watched, before, found(), strict=True):
        what = {"objective": type(objective).__name__, "first": objective.comes_first, "texts": n_texts}
        examples = {"examples": now.pop("examples")} if "examples" in now else {}
        was.pop("examples", None)
        judged = 0 if judges is None else len(judges)
        report.unsupervised.append({**what, "judges": judged, "before": was, "after": now, **examples})


def _train(
    objective: Objective, term: Term, setup: Setup, learned: Corpus, recipe: Recipe, report: Report, job: Job
) -> None:
    from rulenet.training.loop import train_psi

    outcome = train_psi(setup.psi, learned, None, recipe, [term], job, stage=type(objective).__name__)
    report.curves += outcome.curve
    report.interrupted |= outcome.interrupted
