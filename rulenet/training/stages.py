"""From texts to a fitted model, stage by stage. Imports everything below; torch only where there is an encoder.

columns → φ out-of-fold → ψ against it → two scalars on held-out texts → φ on all texts
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split

from rulenet.errors import InputError
from rulenet.features.blocks import Features
from rulenet.model.hybrid import Hybrid, rule_columns, softmax
from rulenet.model.phi import RuleColumn, Weights, out_of_fold_logits, solve
from rulenet.training.progress import Progress
from rulenet.training.recipe import Recipe
from rulenet.training.scales import fit_scales

Array = np.ndarray[Any, np.dtype[Any]]
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
    cut_texts
        Share of the training texts of which ψ reads only the beginning.
    """

    n_texts: int = 0
    n_unlabeled: int = 0
    language: str = ""
    n_rules: int = 0
    n_terms: int = 0
    held_out: dict[str, float] = field(default_factory=dict)
    phi_scale: float = 1.0
    psi_scale: float = 1.0
    epochs: int = 0
    best_epoch: int = 0
    train_loss: list[float] = field(default_factory=list)
    held_out_loss: list[float] = field(default_factory=list)
    interrupted: bool = False
    cut_texts: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)


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


def fit_hybrid(
    task: Task, features: Features, encoder: str | None, recipe: Recipe, *, seed: int, device: str, progress: Progress
) -> tuple[Hybrid, Report]:
    """Fit φ and, if there is an encoder, ψ."""
    report = Report(n_texts=int((task.Y.sum(axis=1) > 0).sum()), language=features.language, n_rules=features.n_rules)
    report.n_unlabeled = len(task.texts) - report.n_texts
    rules = rule_columns(features.ruleset, task.classes)
    started = time.perf_counter()
    progress.say(f"columns of {len(task.texts):,} texts")
    X = features.fit_transform(task.texts)
    report.n_terms = features.n_terms
    report.seconds["columns"] = time.perf_counter() - started

    started = time.perf_counter()
    progress.say(f"φ: {X.shape[1]:,} columns")
    options: dict[str, Any] = {"rules": rules, "C": recipe.C, "rule_sigma": recipe.rule_sigma}
    Y, weights = fit_phi(X, task.Y, rules, recipe, options)
    report.seconds["phi"] = time.perf_counter() - started
    if encoder is None:
        return Hybrid(features, weights), report

    known = np.flatnonzero(Y.sum(axis=1) > 0)
    is_labelled = task.Y[known].sum(axis=1) > 0
    started = time.perf_counter()
    progress.say(f"φ out-of-fold, {recipe.folds} folds")
    y = Y[known].argmax(axis=1)
    phi = out_of_fold_logits(X[known], Y[known], y, n_folds=min(recipe.folds, len(known)), seed=seed, **options)
    report.seconds["phi_out_of_fold"] = time.perf_counter() - started
    texts = [task.texts[i] for i in known.tolist()]
    psi = fit_psi(
        texts, phi, Y[known], is_labelled, encoder, recipe, report, seed=seed, device=device, progress=progress
    )
    return Hybrid(features, weights, psi, report.phi_scale, report.psi_scale), report


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


def fit_phi_from_rules(
    X: Any, Y: Array, rules: list[RuleColumn], recipe: Recipe, options: dict[str, Any]
) -> tuple[Array, Weights]:
    """φ from rules alone: they keep their authors' weights, and the other columns learn to say what the rules say.

    The other columns learn without seeing the rule columns: beside them, they would have nothing left to explain. A second
    round learns from everything the first is sure of (self-training).
    """
    n_rules = len(rules)
    weights = Weights(np.zeros((X.shape[1], Y.shape[1])), np.zeros(Y.shape[1]))
    for i, rule in enumerate(rules):
        weights.coef[i, rule.label] = rule.prior
    fired = np.asarray(X[:, :n_rules].sum(axis=1)).ravel() > 0
    if not fired.any():
        raise InputError(f"no rule fires on any of the {len(fired)} texts, so labels=None has nothing to learn from")
    Y = softmax(weights.logits(X)) * fired[:, None]
    others = X[:, n_rules:]
    for _ in range(2 if others.shape[1] else 0):
        known = Y.sum(axis=1) > 0
        learned, _ = solve(others[known], Y[known], C=options["C"])
        weights = Weights(np.vstack([weights.coef[:n_rules], learned.coef]), learned.bias)
        Y = np.where(fired[:, None], Y, confident(weights.logits(X), recipe.pseudo_confidence))
    return Y, weights


def confident(phi: Array, threshold: float) -> Array:
    """One-hot rows where the best label has at least this probability, else zero rows."""
    proba = softmax(phi)
    return np.asarray(np.eye(phi.shape[1])[proba.argmax(axis=1)] * (proba.max(axis=1) >= threshold)[:, None])


def fit_psi(
    texts: Sequence[str], phi: Array, Y: Array, is_labelled: Array, encoder: str, recipe: Recipe, report: Report,
    *, seed: int, device: str, progress: Progress,
) -> Any:  # fmt: skip
    """ψ against out-of-fold φ, and the two scalars; what happened goes into the report."""
    import torch

    from rulenet.model.encoder import load_encoder
    from rulenet.model.psi import Psi
    from rulenet.training.loop import Examples, keep_lower_states, train_psi

    started = time.perf_counter()
    body = load_encoder(encoder, texts=texts, max_length=recipe.max_length, seed=seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        psi = Psi(body, Y.shape[1], bound=recipe.bound, dropout=recipe.dropout)
        examples = Examples(body.encode(texts), phi, Y)
        report.cut_texts = float(np.mean([len(row) >= body.max_length for row in examples.rows]))
        progress.say(f"ψ: {encoder}, {len(texts):,} texts")
        examples = keep_lower_states(psi, examples, recipe, device)
        train, held_out = split(Y, is_labelled, recipe.held_out, seed)
        judged = examples.take(held_out) if len(held_out) else None
        outcome = train_psi(psi, examples.take(train), judged, recipe, seed=seed, device=device, progress=progress)
    report.epochs, report.best_epoch, report.interrupted = (
        len(outcome.train_loss),
        outcome.best_epoch,
        outcome.interrupted,
    )
    report.train_loss, report.held_out_loss = outcome.train_loss, outcome.held_out_loss
    report.seconds["psi"] = time.perf_counter() - started
    if judged is not None:
        where = next(psi.parameters()).device
        neural = psi.predict(
            judged.rows, judged.phi, budget=2 * recipe.batch_tokens, device=where, layers=judged.layers
        )
        report.phi_scale, report.psi_scale = fit_scales(judged.phi, neural, judged.target)
        hybrid = report.phi_scale * judged.phi + report.psi_scale * neural
        y = judged.target.argmax(axis=1)
        report.held_out = {
            "texts": len(y),
            **{
                name: float((logits.argmax(axis=1) == y).mean())
                for name, logits in (("phi", judged.phi), ("psi", neural), ("hybrid", hybrid))
            },
        }
    return psi


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
