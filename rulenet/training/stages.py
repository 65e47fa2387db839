"""From texts to a fitted model, stage by stage. Imports everything below; torch only where there is an encoder.

columns → φ out-of-fold → ψ against it → two scalars on held-out texts → φ on all texts
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from rulenet.base.progress import Progress
from rulenet.base.types import Array
from rulenet.decide.scales import choose_scales
from rulenet.features.blocks import Features
from rulenet.model.hybrid import HeldOut, Hybrid
from rulenet.model.link import Link
from rulenet.model.phi import Weights
from rulenet.model.phi_problem import PhiProblem
from rulenet.rules.engine.tally import tally
from rulenet.training.phi_stage import fit_phi, hold_out_phi, outside_phi, phi_problem, split
from rulenet.training.recipe import Recipe


@dataclass
class Report:
    """What happened in training.

    Attributes
    ----------
    held_out
        Accuracy on the held-out texts of φ, of ψ alone and of the hybrid, and their number; φ there is out-of-fold.
    seconds
        Wall time of each stage.
    scales_moved
        Whether the likeliest scalars gave worse answers on the held-out texts than φ or ψ alone, so that others were taken.
    cut_texts
        Share of the training texts of which ψ reads only a part.
    seconds_per_text
        Of φ's columns and of ψ, in prediction.
    calibration, cascade
        What held-out texts say of the probabilities, and of skipping ψ.
    rule_tally
        How often each rule fired on the labelled texts and was right; on all texts where none has a label. Drift is measured from it.
    """

    n_texts: int = 0
    n_unlabeled: int = 0
    language: str = ""
    n_rules: int = 0
    n_terms: int = 0
    held_out: dict[str, float] = field(default_factory=dict)
    phi_scale: float = 1.0
    psi_scale: float = 1.0
    scales_moved: bool = False
    epochs: int = 0
    best_epoch: int = 0
    train_loss: list[float] = field(default_factory=list)
    held_out_loss: list[float] = field(default_factory=list)
    interrupted: bool = False
    cut_texts: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)
    seconds_per_text: dict[str, float] = field(default_factory=dict)
    calibration: dict[str, Any] = field(default_factory=dict)
    cascade: dict[str, Any] = field(default_factory=dict)
    rule_tally: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Task:
    """What a model is to be fitted to.

    Attributes
    ----------
    texts
        Labelled texts first, then unlabelled ones.
    Y
        Target distribution of each text, shape (n_texts, n_classes); all zero where nothing is known.
    classes
        The labels as strings, in column order.
    """

    texts: Sequence[str]
    Y: Array
    classes: list[str]


@dataclass(frozen=True)
class Known:
    """The texts that have a target.

    Attributes
    ----------
    X
        φ's columns.
    Y
        Target distributions, shape (n_texts, n_classes).
    phi
        Out-of-fold φ, shape (n_texts, n_classes).
    is_labelled
        False where the target is only φ's own guess.
    """

    texts: Sequence[str]
    X: Any
    Y: Array
    phi: Array
    is_labelled: Array


def fit_hybrid(
    task: Task, features: Features, encoder: str | None, recipe: Recipe, *, seed: int, device: str, progress: Progress,
    work_dir: Path | None = None, resume: bool = False,
) -> tuple[Hybrid, Report]:  # fmt: skip
    """Fit φ and, if there is an encoder, ψ.

    Parameters
    ----------
    work_dir
        Folder for ψ's checkpoint and the texts' word pieces. What training needs of it is still there at the end: it can go when the
        model is saved, with `rulenet.training.checkpoint.remove`. None: nothing is kept.
    resume
        Whether to go on from the checkpoint in `work_dir`.
    """
    report = Report(n_texts=int((task.Y.sum(axis=1) > 0).sum()), language=features.language, n_rules=features.n_rules)
    report.n_unlabeled = len(task.texts) - report.n_texts
    started = time.perf_counter()
    progress.say(f"columns of {len(task.texts):,} texts")
    X = features.fit_transform(task.texts)
    report.n_terms = features.n_terms
    report.rule_tally = rule_tally(features, X, task)
    report.seconds["columns"] = time.perf_counter() - started
    report.seconds_per_text["phi"] = report.seconds["columns"] / len(task.texts)

    started = time.perf_counter()
    progress.say(f"φ: {X.shape[1]:,} columns")
    problem = phi_problem(features, task.classes, recipe, report.n_texts)
    weights, Y = fit_phi(problem, X, task.Y, recipe)
    report.seconds["phi"] = time.perf_counter() - started
    if encoder is None:
        held_out = hold_out_phi(problem, X, task.Y, features, recipe, seed)
        return Hybrid(features, weights, held_out=held_out, link=problem.link), report

    known = np.flatnonzero(problem.link.mass(Y) > 0)
    is_labelled = problem.link.mass(task.Y[known]) > 0
    started = time.perf_counter()
    progress.say(f"φ out-of-fold, {recipe.folds} folds")
    phi, offset = outside_phi(problem, X[known], Y[known], is_labelled, features, recipe, seed)
    if offset is not None:
        weights = problem.solve(X[known], Y[known], offset=offset)
    report.seconds["phi_out_of_fold"] = time.perf_counter() - started
    texts = [task.texts[i] for i in known.tolist()]
    psi, weights, held_out = fit_psi(
        Known(texts, X[known], Y[known], phi, is_labelled), weights, problem, encoder, recipe, report, seed=seed, device=device,
        progress=progress, work_dir=work_dir, resume=resume,
    )  # fmt: skip
    return Hybrid(features, weights, psi, report.phi_scale, report.psi_scale, held_out, problem.link), report


def rule_tally(features: Features, X: Any, task: Task) -> dict[str, Any]:
    """What the rules did in training; empty without rules."""
    if features.ruleset is None:
        return {}
    R, known = X[:, : features.n_rules], np.flatnonzero(task.Y.sum(axis=1) > 0)
    R, y = (R[known], task.Y[known].argmax(axis=1)) if len(known) else (R, None)
    return {"fingerprint": features.ruleset.fingerprint, **tally(features.ruleset.rules, R, task.classes, y)}


def fit_psi(
    known: Known, weights: Weights, problem: PhiProblem, encoder: str, recipe: Recipe, report: Report,
    *, seed: int, device: str, progress: Progress, work_dir: Path | None = None, resume: bool = False,
) -> tuple[Any, Weights, HeldOut | None]:  # fmt: skip
    """ψ against out-of-fold φ, φ's weights after the joint epochs, the two scalars, and the held-out texts' logits.

    What happened goes into the report.
    """
    import torch

    from rulenet.model.encoders.load import load_encoder
    from rulenet.model.psi import Psi
    from rulenet.training.checkpoint import WORD_PIECES
    from rulenet.training.loop import keep_lower_states, train_psi
    from rulenet.training.run import Examples, own_gpu

    started = time.perf_counter()
    body = load_encoder(
        encoder, texts=known.texts, max_length=recipe.max_length, seed=seed, long_texts=recipe.long_texts,
        max_chunks=recipe.max_chunks,
    )  # fmt: skip
    with torch.random.fork_rng(devices=own_gpu(device)):
        torch.manual_seed(seed)
        psi = Psi(body, known.Y.shape[1], bound=recipe.bound, dropout=recipe.dropout)
        rows = body.encode(known.texts, cache=None if work_dir is None else Path(work_dir) / WORD_PIECES)
        report.cut_texts = float((rows.lengths >= body.longest_row).mean())
        progress.say(f"ψ: {encoder}, {len(rows):,} texts")
        train, held_out = split(known.Y, known.is_labelled, recipe.held_out, seed, problem.link)
        checkpoint = new_checkpoint(work_dir, resume, psi, rows, known, weights, encoder, recipe, seed, device)
        layer = new_phi_layer(known, train, weights, problem, recipe, progress)
        examples = Examples(rows, known.phi, known.Y, X=known.X if layer is not None else None)
        examples = keep_lower_states(psi, examples, recipe, device)
        judged = examples.take(held_out) if len(held_out) else None
        outcome = train_psi(
            psi, examples.take(train), judged, recipe, seed=seed, device=device, progress=progress, phi=layer,
            checkpoint=checkpoint,
        )  # fmt: skip
    if layer is not None:
        weights = layer.weights()
        judged = replace(judged, phi=judged.phi + layer.shift(judged.X)) if judged is not None else None
    report.epochs, report.best_epoch, report.interrupted = (
        len(outcome.train_loss),
        outcome.best_epoch,
        outcome.interrupted,
    )
    report.train_loss, report.held_out_loss = outcome.train_loss, outcome.held_out_loss
    report.seconds["psi"] = time.perf_counter() - started
    # Fitted parts do not change: with dropout off for good, several threads may ask ψ at the same time.
    psi.eval()
    if judged is None:
        return psi, weights, None
    kept = judge(psi, judged, problem.link, recipe, report)
    # A guess of φ's is no label to calibrate by.
    return psi, weights, replace(kept, y=np.where(known.is_labelled[held_out], kept.y, -1))


def judge(psi: Any, held_out: Any, link: Link, recipe: Recipe, report: Report) -> HeldOut:
    """The two scalars, what they come to on the held-out texts, and the logits of these."""
    where = next(psi.parameters()).device
    started = time.perf_counter()
    neural = psi.predict(held_out.rows, held_out.phi, device=where, layers=held_out.layers)
    report.seconds_per_text["psi"] = (time.perf_counter() - started) / len(held_out.rows)
    report.phi_scale, report.psi_scale, report.scales_moved = choose_scales(
        held_out.phi, neural, held_out.target, prefer_exits=recipe.exit_margin > 0, link=link
    )
    hybrid = report.phi_scale * held_out.phi + report.psi_scale * neural
    y = link.right(held_out.target)
    accuracies = {
        name: float((link.answer(logits) == y).mean())
        for name, logits in (("phi", held_out.phi), ("psi", neural), ("hybrid", hybrid))
    }
    report.held_out = {"texts": len(y), **accuracies}
    return HeldOut(held_out.phi, neural, y)


def new_phi_layer(
    known: Known, train: Array, weights: Weights, problem: PhiProblem, recipe: Recipe, progress: Progress
) -> Any:
    """φ's change in the joint epochs; None where there are none."""
    if not recipe.joint_epochs:
        return None
    if not known.is_labelled.any() or known.X.shape[1] == 0:
        progress.say("φ has no labels or no columns to learn from, so there are no joint epochs")
        return None
    from rulenet.model.phi_layer import PhiLayer

    return PhiLayer(weights, problem, X=known.X[train], scale=problem.scale(known.X, known.Y))


def new_checkpoint(
    work_dir: Path | None, resume: bool, psi: Any, rows: Any, known: Known, weights: Weights, encoder: str,
    recipe: Recipe, seed: int, device: str,
) -> Any:  # fmt: skip
    """Where ψ's training is kept, and all that decides what it comes to; None without a folder."""
    if work_dir is None:
        return None
    from rulenet.training.checkpoint import Checkpoint, identity_of
    from rulenet.training.run import own_gpu

    settings = {f"recipe.{name}": value for name, value in asdict(recipe).items()}
    settings |= {"encoder": encoder, "seed": seed, "device": "cuda" if own_gpu(device) else "cpu"}
    arrays = {"targets": known.Y, "out-of-fold φ": known.phi, "weights of φ": weights.coef}
    return Checkpoint(Path(work_dir), identity_of(rows, arrays, psi.state_dict(), settings), resume)
