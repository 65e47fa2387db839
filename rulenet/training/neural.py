"""ψ: from a corpus with out-of-fold φ to a trained ψ and two scalars, both judged on held-out texts. Imports torch, late."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rulenet.base.progress import Progress
from rulenet.decide.scales import choose_scales
from rulenet.model.hybrid import HeldOut
from rulenet.model.link import Link
from rulenet.model.phi import Weights
from rulenet.model.phi_problem import PhiProblem
from rulenet.training.corpus import Corpus
from rulenet.training.objectives.objective import Need, Setup, start_all
from rulenet.training.phi_stage import split
from rulenet.training.recipe import PARTS, Recipe
from rulenet.training.report import Report

if TYPE_CHECKING:
    from rulenet.model.psi import Psi
    from rulenet.training.checkpoint import Checkpoint


def fit_psi(
    corpus: Corpus, weights: Weights, problem: PhiProblem, encoder: str, recipe: Recipe, report: Report,
    *, seed: int, device: str, progress: Progress, work_dir: Path | None = None, resume: bool = False,
) -> tuple[Psi, Weights, HeldOut | None]:  # fmt: skip
    """ψ against out-of-fold φ, φ's weights after that, the two scalars, and the held-out texts' logits.

    What happened goes into the report.
    """
    import torch

    from rulenet.model.encoders.load import load_encoder
    from rulenet.model.psi import Psi
    from rulenet.training.checkpoint import WORD_PIECES
    from rulenet.training.loop import train_psi
    from rulenet.training.run import new_cut, own_gpu

    started, known = time.perf_counter(), corpus.with_target
    body = load_encoder(
        encoder, texts=[corpus.texts[i] for i in known.tolist()], max_length=recipe.reading.max_length, seed=seed,
        long_texts=recipe.reading.long_texts, max_chunks=recipe.reading.max_chunks,
    )  # fmt: skip
    with torch.random.fork_rng(devices=own_gpu(device)):
        torch.manual_seed(seed)
        psi = Psi(body, corpus.Y.shape[1], bound=recipe.head.bound, dropout=recipe.head.dropout)
        rows = body.encode(corpus.texts, cache=None if work_dir is None else Path(work_dir) / WORD_PIECES)
        corpus = replace(corpus, rows=rows)
        report.cut_texts = float((rows.lengths[known] >= body.longest_row).mean())
        progress.say(f"ψ: {encoder}, {len(rows):,} texts")
        held_out = known[split(corpus.Y[known], corpus.is_given[known], recipe.held_out, seed, problem.link)[1]]
        train = np.setdiff1d(np.arange(len(corpus)), held_out)
        recipe = recipe.resolved(
            int(corpus.is_given.sum()), len(corpus), body.traits, len(np.intersect1d(train, known))
        )
        report.settled |= {"epochs": recipe.steps.epochs, "learning_rate": recipe.steps.learning_rate}
        checkpoint = new_checkpoint(work_dir, resume, psi, corpus, weights, encoder, recipe, seed, device)
        setup = Setup(psi, corpus, train, weights, problem, new_cut(recipe, psi), progress.say)
        terms = start_all(recipe.objectives, setup)
        if not any(Need.PIECES in objective.needs for objective in recipe.objectives):
            corpus = recipe.tune.keep(body, corpus, device)
        judged = corpus.take(held_out) if len(held_out) else None
        outcome = train_psi(
            psi, corpus.take(train), judged, recipe, terms, seed=seed, device=device, progress=progress,
            checkpoint=checkpoint,
        )  # fmt: skip
    for term in terms:
        weights, judged = term.finish(weights, judged)
    report.epochs, report.best_epoch, report.interrupted = (
        len(outcome.train_loss),
        outcome.best_epoch,
        outcome.interrupted,
    )
    report.train_loss, report.held_out_loss = outcome.train_loss, outcome.held_out_loss
    report.seconds["psi"] = time.perf_counter() - started
    # Fitted parts do not change: with dropout off for good, several threads may ask ψ at the same time.
    psi.eval()
    return psi, weights, None if judged is None else judge(psi, judged, problem.link, recipe, report)


def judge(psi: Psi, held_out: Corpus, link: Link, recipe: Recipe, report: Report) -> HeldOut:
    """The two scalars, what they come to on the held-out texts, and the logits of these."""
    where = next(psi.parameters()).device
    started = time.perf_counter()
    neural = psi.predict(held_out.rows, held_out.phi, device=where, layers=held_out.layers)
    report.seconds_per_text["psi"] = (time.perf_counter() - started) / len(held_out)
    report.phi_scale, report.psi_scale, report.scales_moved = choose_scales(
        held_out.phi, neural, held_out.Y, prefer_exits=recipe.phi.exit_margin > 0, link=link
    )
    hybrid = report.phi_scale * held_out.phi + report.psi_scale * neural
    y = link.right(held_out.Y)
    accuracies = {
        name: float((link.answer(logits) == y).mean())
        for name, logits in (("phi", held_out.phi), ("psi", neural), ("hybrid", hybrid))
    }
    report.held_out = {"texts": len(y), **accuracies}
    # What φ guessed is not a label to calibrate by.
    return HeldOut(held_out.phi, neural, np.where(held_out.is_given, y, -1))


def new_checkpoint(
    work_dir: Path | None, resume: bool, psi: Psi, corpus: Corpus, weights: Weights, encoder: str, recipe: Recipe,
    seed: int, device: str,
) -> Checkpoint | None:  # fmt: skip
    """Where ψ's training is kept, and all that decides what it comes to; None without a folder."""
    if work_dir is None:
        return None
    from rulenet.training.checkpoint import Checkpoint, identity_of
    from rulenet.training.run import own_gpu

    settings: dict[str, Any] = {}
    for name, value in recipe.to_dict().items():
        settings |= {f"recipe.{leaf}": v for leaf, v in value.items()} if name in PARTS else {f"recipe.{name}": value}
    settings |= {"encoder": encoder, "seed": seed, "device": "cuda" if own_gpu(device) else "cpu"}
    arrays = {"targets": corpus.Y, "out-of-fold φ": corpus.phi, "weights of φ": weights.coef}
    return Checkpoint(Path(work_dir), identity_of(corpus.rows, arrays, psi.state_dict(), settings), resume)
