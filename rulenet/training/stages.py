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
from sklearn.model_selection import train_test_split

from rulenet.base.progress import Progress
from rulenet.base.types import Array
from rulenet.decide.scales import choose_scales
from rulenet.errors import InputError
from rulenet.features.blocks import Features
from rulenet.model.hybrid import HeldOut, Hybrid, rule_columns, softmax
from rulenet.model.phi import RuleColumn, Weights, log_count_ratio, out_of_fold_logits, rule_cells, solve
from rulenet.rules.engine.tally import tally
from rulenet.training.recipe import Recipe

FEW_TEXTS = 1000  # fewer say too little about single terms to shape their prior
MIN_HELD_OUT = 40  # below this a held-out split costs more than it tells


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
    rules = rule_columns(features.ruleset, task.classes)
    started = time.perf_counter()
    progress.say(f"columns of {len(task.texts):,} texts")
    X = features.fit_transform(task.texts)
    report.n_terms = features.n_terms
    report.rule_tally = rule_tally(features, X, task)
    report.seconds["columns"] = time.perf_counter() - started
    report.seconds_per_text["phi"] = report.seconds["columns"] / len(task.texts)

    started = time.perf_counter()
    progress.say(f"φ: {X.shape[1]:,} columns")
    use_nb = recipe.nb if recipe.nb is not None else len(task.texts) >= FEW_TEXTS
    nb_terms = features.n_terms if use_nb else 0
    options: dict[str, Any] = {"rules": rules, "C": recipe.C, "rule_sigma": recipe.rule_sigma, "nb_terms": nb_terms}
    Y, weights = fit_phi(X, task.Y, rules, recipe, options)
    report.seconds["phi"] = time.perf_counter() - started
    if encoder is None:
        held_out = hold_out_phi(X, task.Y, features, recipe, seed, options)
        return Hybrid(features, weights, held_out=held_out), report

    known = np.flatnonzero(Y.sum(axis=1) > 0)
    is_labelled = task.Y[known].sum(axis=1) > 0
    started = time.perf_counter()
    progress.say(f"φ out-of-fold, {recipe.folds} folds")
    phi, offset = outside_phi(X[known], Y[known], is_labelled, features, recipe, seed, options)
    if offset is not None:
        weights, _ = solve(X[known], Y[known], offset=offset, **options)
    report.seconds["phi_out_of_fold"] = time.perf_counter() - started
    texts = [task.texts[i] for i in known.tolist()]
    psi, weights, held_out = fit_psi(
        Known(texts, X[known], Y[known], phi, is_labelled), weights, options, encoder, recipe, report, seed=seed, device=device,
        progress=progress, work_dir=work_dir, resume=resume,
    )  # fmt: skip
    return Hybrid(features, weights, psi, report.phi_scale, report.psi_scale, held_out), report


def rule_tally(features: Features, X: Any, task: Task) -> dict[str, Any]:
    """What the rules did in training; empty without rules."""
    if features.ruleset is None:
        return {}
    R, known = X[:, : features.n_rules], np.flatnonzero(task.Y.sum(axis=1) > 0)
    R, y = (R[known], task.Y[known].argmax(axis=1)) if len(known) else (R, None)
    return {"fingerprint": features.ruleset.fingerprint, **tally(features.ruleset.rules, R, task.classes, y)}


def fit_phi(
    X: Any, Y: Array, rules: list[RuleColumn], recipe: Recipe, options: dict[str, Any]
) -> tuple[Array, Weights]:
    """φ, and the targets it was fitted to: those given, and what φ is sure of among texts without any."""
    known = Y.sum(axis=1) > 0
    if known.all():
        return Y, solve(X, Y, **options)[0]
    if not known.any():
        return fit_phi_from_rules(X, Y, rules, recipe, options)
    first, _ = solve(X[known], Y[known], **options)
    Y = np.where(known[:, None], Y, confident(first.logits(X), recipe.pseudo_confidence))
    return Y, solve(X[Y.sum(axis=1) > 0], Y[Y.sum(axis=1) > 0], **options)[0]


def outside_phi(
    X: Any, Y: Array, is_labelled: Array, features: Features, recipe: Recipe, seed: int, options: dict[str, Any]
) -> tuple[Array, Array | None]:
    """φ of each text from weights that never saw it, and the offset that φ is to be solved with again, if it is to lead by more.

    φ is asked for `recipe.exit_margin` more where it is right out-of-fold, and only there: elsewhere ψ must be able to overrule it.
    """
    if recipe.folds == 1:
        # The held-out texts stay out even so, or they would praise φ for what it has memorised.
        train, _ = split(Y, is_labelled, recipe.held_out, seed)
        X = features.as_fitted_on(X, train)
        return solve(X[train], Y[train], **options)[0].logits(X), None
    y = Y.argmax(axis=1)
    more: dict[str, Any] = {
        "n_folds": min(recipe.folds, len(y)), "seed": seed, "n_jobs": features.n_jobs, "as_fitted_on": features.as_fitted_on, **options,
    }  # fmt: skip
    phi = out_of_fold_logits(X, Y, y, **more)
    if not recipe.exit_margin:
        return phi, None
    offset = -recipe.exit_margin * Y * (phi.argmax(axis=1) == y)[:, None]
    return out_of_fold_logits(X, Y, y, offset=offset, **more), offset


def hold_out_phi(
    X: Any, Y: Array, features: Features, recipe: Recipe, seed: int, options: dict[str, Any]
) -> HeldOut | None:
    """φ of some labelled texts, from weights that never saw them: what a model without ψ is calibrated by."""
    known = np.flatnonzero(Y.sum(axis=1) > 0)
    train, held_out = split(Y[known], np.ones(len(known), dtype=bool), recipe.held_out, seed)
    if not len(held_out):
        return None
    X, Y = features.as_fitted_on(X[known], train), Y[known]
    phi = solve(X[train], Y[train], **options)[0].logits(X[held_out])
    return HeldOut(phi, np.zeros_like(phi), Y[held_out].argmax(axis=1))


def fit_phi_from_rules(
    X: Any, Y: Array, rules: list[RuleColumn], recipe: Recipe, options: dict[str, Any]
) -> tuple[Array, Weights]:
    """φ from rules alone: they keep their authors' weights, and the other columns learn to say what the rules say.

    The other columns learn without seeing the rule columns: beside them, they would have nothing left to explain. A second
    round learns from everything the first is sure of (self-training).
    """
    *cells, n_rules = rule_cells(rules)
    weights = Weights(np.zeros((X.shape[1], Y.shape[1])), np.zeros(Y.shape[1]))
    weights.coef[tuple(cells)] = [rule.prior for rule in rules]
    fired = np.asarray(X[:, :n_rules].sum(axis=1)).ravel() > 0
    if not fired.any():
        raise InputError(f"no rule fires on any of the {len(fired)} texts, so labels=None has nothing to learn from")
    Y = softmax(weights.logits(X)) * fired[:, None]
    others = X[:, n_rules:]
    for _ in range(2 if others.shape[1] else 0):
        known = Y.sum(axis=1) > 0
        learned, _ = solve(others[known], Y[known], C=options["C"], nb_terms=options["nb_terms"])
        weights = Weights(np.vstack([weights.coef[:n_rules], learned.coef]), learned.bias)
        Y = np.where(fired[:, None], Y, confident(weights.logits(X), recipe.pseudo_confidence))
    return Y, weights


def confident(phi: Array, threshold: float) -> Array:
    """One-hot rows where the best label has at least this probability, else zero rows."""
    proba = softmax(phi)
    return np.asarray(np.eye(phi.shape[1])[proba.argmax(axis=1)] * (proba.max(axis=1) >= threshold)[:, None])


def fit_psi(
    known: Known, weights: Weights, options: dict[str, Any], encoder: str, recipe: Recipe, report: Report,
    *, seed: int, device: str, progress: Progress, work_dir: Path | None = None, resume: bool = False,
) -> tuple[Any, Weights, HeldOut | None]:  # fmt: skip
    """ψ against out-of-fold φ, φ's weights after the joint epochs, the two scalars, and the held-out texts' logits.

    What happened goes into the report.
    """
    import torch

    from rulenet.model.encoders.encoder import load_encoder
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
        train, held_out = split(known.Y, known.is_labelled, recipe.held_out, seed)
        checkpoint = new_checkpoint(work_dir, resume, psi, rows, known, weights, encoder, recipe, seed, device)
        layer = new_phi_layer(known, train, weights, options, recipe, progress)
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
    if judged is None:
        return psi, weights, None
    kept = judge(psi, judged, recipe, report)
    # A guess of φ's is no label to calibrate by.
    return psi, weights, replace(kept, y=np.where(known.is_labelled[held_out], kept.y, -1))


def judge(psi: Any, held_out: Any, recipe: Recipe, report: Report) -> HeldOut:
    """The two scalars, what they come to on the held-out texts, and the logits of these."""
    where = next(psi.parameters()).device
    started = time.perf_counter()
    neural = psi.predict(held_out.rows, held_out.phi, device=where, layers=held_out.layers)
    report.seconds_per_text["psi"] = (time.perf_counter() - started) / len(held_out.rows)
    report.phi_scale, report.psi_scale, report.scales_moved = choose_scales(
        held_out.phi, neural, held_out.target, prefer_exits=recipe.exit_margin > 0
    )
    hybrid = report.phi_scale * held_out.phi + report.psi_scale * neural
    y = held_out.target.argmax(axis=1)
    accuracies = {
        name: float((logits.argmax(axis=1) == y).mean())
        for name, logits in (("phi", held_out.phi), ("psi", neural), ("hybrid", hybrid))
    }
    report.held_out = {"texts": len(y), **accuracies}
    return HeldOut(held_out.phi, neural, y)


def new_phi_layer(
    known: Known, train: Array, weights: Weights, options: dict[str, Any], recipe: Recipe, progress: Progress
) -> Any:
    """φ's change in the joint epochs; None where there are none."""
    if not recipe.joint_epochs:
        return None
    if not known.is_labelled.any() or known.X.shape[1] == 0:
        progress.say("φ has no labels or no columns to learn from, so there are no joint epochs")
        return None
    from rulenet.model.phi_layer import PhiLayer

    rules, n_terms = options["rules"], options["nb_terms"]
    n_rules = rule_cells(rules)[2]
    scale = np.ones_like(weights.coef[n_rules:])
    if n_terms:
        scale[:n_terms] = log_count_ratio(known.X[:, n_rules : n_rules + n_terms], known.Y)
    return PhiLayer(weights, rules, C=recipe.C, rule_sigma=recipe.rule_sigma, X=known.X[train], scale=scale)


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


def split(Y: Array, is_labelled: Array, share: float, seed: int) -> tuple[Array, Array]:
    """Indices to train ψ on, and held-out ones; only texts with real labels are held out if there are any."""
    candidates = np.flatnonzero(is_labelled) if is_labelled.any() else np.arange(len(Y))
    if len(candidates) < MIN_HELD_OUT:
        return np.arange(len(Y)), np.empty(0, dtype=np.intp)
    y = Y[candidates].argmax(axis=1)
    n_held_out = max(round(share * len(candidates)), len(np.unique(y)))
    stratify = y if np.bincount(y)[np.unique(y)].min() >= 2 else None
    _, held_out = train_test_split(candidates, test_size=n_held_out, random_state=seed, stratify=stratify)
    return np.setdiff1d(np.arange(len(Y)), held_out), np.sort(held_out)
