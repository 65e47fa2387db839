"""Trains ψ: three nested levels, each on one screen. Imports `rulenet.model` and its neighbours; torch and Accelerate."""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from torch import nn

from rulenet.errors import TrainingError
from rulenet.model.batches import token_budget_batches
from rulenet.model.layers import MAX_BYTES, can_split, lower_states, stack_of
from rulenet.model.psi import Psi
from rulenet.training.objectives import joint_loss
from rulenet.training.progress import Progress
from rulenet.training.recipe import Recipe
from rulenet.training.scales import cross_entropy, fit_scales

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Examples:
    """What ψ learns from, or is judged by.

    Attributes
    ----------
    rows
        Word pieces of each text, or its hidden states after the first `layers` layers.
    phi
        Out-of-fold φ, shape (n_texts, n_classes).
    target
        Target distribution, shape (n_texts, n_classes).
    """

    rows: list[Any]
    phi: Array
    target: Array
    layers: int = 0

    def take(self, indices: Array) -> Examples:
        """Some of the texts."""
        return Examples([self.rows[i] for i in indices.tolist()], self.phi[indices], self.target[indices], self.layers)


@dataclass
class Outcome:
    """How training went: one loss per epoch on training and held-out texts, and which epoch was kept."""

    train_loss: list[float]
    held_out_loss: list[float]
    best_epoch: int
    interrupted: bool


def new_accelerator(device: str) -> Accelerator:
    """An Accelerator for "auto", "cpu" or "cuda"; bf16 on a GPU that has it."""
    cpu = device == "cpu"
    bf16 = not cpu and torch.cuda.is_available() and torch.cuda.is_bf16_supported()
    if device == "cuda" and not torch.cuda.is_available():
        raise TrainingError("device='cuda', but torch sees no GPU; use device='auto' or 'cpu'")
    # Accelerate keeps one state per process and refuses other settings later; two estimators may well differ.
    AcceleratorState._reset_state()
    return Accelerator(cpu=cpu, mixed_precision="bf16" if bf16 else "no")


def train_psi(
    psi: Psi, train: Examples, held_out: Examples | None, recipe: Recipe, *, seed: int, device: str, progress: Progress
) -> Outcome:
    """Train ψ against out-of-fold φ; ψ ends with the weights of its best epoch on the held-out texts.

    Ctrl-C ends training cleanly with the best weights so far.

    Raises
    ------
    TrainingError
        If the loss is no number any more.
    """
    accelerator = new_accelerator(device)
    rng = np.random.default_rng(seed)
    epochs = recipe.epochs or default_epochs(len(train.rows), psi.encoder.name, recipe)
    optimizer = new_optimizer(psi, recipe)
    model, optimizer = accelerator.prepare(psi.to(accelerator.device), optimizer)
    steps_per_epoch = len(new_batches(train, recipe, np.random.default_rng(seed)))
    total = max(1, epochs * steps_per_epoch)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer.optimizer, lambda step: linear_schedule(step, total, recipe.warmup)
    )
    outcome = Outcome([], [], 0, False)
    best: dict[str, Any] | None = None
    try:
        for epoch in range(epochs):
            outcome.train_loss.append(
                train_epoch(model, train, recipe, optimizer, schedule, accelerator, rng, progress, epoch, epochs)
            )
            if held_out is None:
                continue
            outcome.held_out_loss.append(evaluate(psi, held_out, recipe, accelerator.device))
            if outcome.held_out_loss[-1] <= min(outcome.held_out_loss):
                outcome.best_epoch = epoch + 1
                best = copy.deepcopy(psi.state_dict())
    except KeyboardInterrupt:
        outcome.interrupted = True
        kept = f"the weights of epoch {outcome.best_epoch}" if best else "the weights reached so far"
        warnings.warn(
            f"training was interrupted in epoch {len(outcome.train_loss) + 1} of {epochs}; {kept} are kept",
            stacklevel=2,
        )
    if best is not None:
        psi.load_state_dict(best)
    else:
        outcome.best_epoch = len(outcome.train_loss)
    psi.eval()
    return outcome


def train_epoch(
    model: nn.Module, train: Examples, recipe: Recipe, optimizer: Any, schedule: Any, accelerator: Accelerator,
    rng: np.random.Generator, progress: Progress, epoch: int, epochs: int,
) -> float:  # fmt: skip
    """One pass over the training texts; the mean loss."""
    model.train()
    batches = new_batches(train, recipe, rng)
    losses = []
    for batch in progress.track(batches, f"ψ epoch {epoch + 1}/{epochs}"):
        losses.append(train_step(model, train.take(np.array(batch)), recipe, optimizer, accelerator, rng))
        schedule.step()
        if not math.isfinite(losses[-1]):
            raise TrainingError(
                f"the loss became {losses[-1]} in epoch {epoch + 1}, step {len(losses)}; lower recipe.learning_rate "
                f"(now {recipe.learning_rate or 'the default'}) or recipe.head_learning_rate ({recipe.head_learning_rate})"
            )
    return float(np.mean(losses)) if losses else 0.0


def train_step(
    model: nn.Module,
    batch: Examples,
    recipe: Recipe,
    optimizer: Any,
    accelerator: Accelerator,
    rng: np.random.Generator,
) -> float:
    """Forward, loss, backward, one optimizer step; the loss."""
    encoder = accelerator.unwrap_model(model).encoder
    inputs, mask = encoder.pad(batch.rows)
    # For some texts ψ has to do without φ, so that it learns to stand alone.
    keep = rng.random((len(batch.rows), 1)) >= recipe.phi_dropout
    phi = torch.as_tensor(batch.phi * keep, dtype=torch.float32, device=accelerator.device)
    target = torch.as_tensor(batch.target, dtype=torch.float32, device=accelerator.device)
    with accelerator.autocast():
        psi = model(inputs.to(accelerator.device), mask.to(accelerator.device), phi, batch.layers)
    loss = joint_loss(phi, psi.float(), target, psi_loss=recipe.psi_loss)
    accelerator.backward(loss)
    accelerator.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return float(loss.detach())


def evaluate(psi: Psi, examples: Examples, recipe: Recipe, device: Any) -> float:
    """Mean cross-entropy of a·φ + s·ψ with the best scalars.

    The scalars are fitted at the end in any case. Judged without them, φ + ψ looks over-confident as soon as ψ has learned something,
    and the first epoch would win.
    """
    psi_values = psi.predict(
        examples.rows, examples.phi, budget=2 * recipe.batch_tokens, device=device, layers=examples.layers
    )
    a, s = fit_scales(examples.phi, psi_values, examples.target)
    return cross_entropy(a * examples.phi + s * psi_values, examples.target) / len(examples.rows)


def new_batches(train: Examples, recipe: Recipe, rng: np.random.Generator) -> list[list[int]]:
    """The batches of one epoch."""
    lengths = [len(row) for row in train.rows]
    return token_budget_batches(lengths, budget=recipe.batch_tokens, max_texts=recipe.batch_texts, rng=rng)


def new_optimizer(psi: Psi, recipe: Recipe) -> torch.optim.Optimizer:
    """AdamW with one learning rate for the body and one for the head; frozen layers left out."""
    scratch = psi.encoder.name == "scratch"
    if recipe.frozen_layers >= 0 and not scratch:
        freeze(psi.body, recipe.frozen_layers)
    rate = recipe.learning_rate or (1e-3 if scratch else 5e-5)
    body = [parameter for parameter in psi.body.parameters() if parameter.requires_grad]
    head = [*psi.from_text.parameters(), *psi.from_phi.parameters()]
    groups = [{"params": body, "lr": rate}, {"params": head, "lr": recipe.head_learning_rate}]
    return torch.optim.AdamW(groups, weight_decay=recipe.weight_decay)


def freeze(body: Any, layers: int) -> None:
    """Stop training the embeddings and the lower layers of a body."""
    frozen = [getattr(body, "embeddings", None)]
    frozen += list(getattr(stack_of(body), "layer", []))[:layers]
    for module in frozen:
        if module is not None:
            module.requires_grad_(False)


def keep_lower_states(psi: Psi, examples: Examples, recipe: Recipe, device: str) -> Examples:
    """The same examples with the output of the frozen layers in place of word pieces, where that saves time and fits."""
    layers = recipe.frozen_layers
    size = sum(map(len, examples.rows)) * psi.encoder.width * 4
    on_gpu = device != "cpu" and torch.cuda.is_available()
    if layers < 1 or psi.encoder.name == "scratch" or on_gpu or size > MAX_BYTES or not can_split(psi.body):
        return examples
    batches = token_budget_batches([len(row) for row in examples.rows], budget=2 * recipe.batch_tokens)
    return Examples(lower_states(psi.encoder, examples.rows, layers, batches), examples.phi, examples.target, layers)


def linear_schedule(step: int, total: int, warmup: float) -> float:
    """Factor of the learning rate: up over the first steps, then down to zero.

    Examples
    --------
    >>> [linear_schedule(step, 10, 0.2) for step in (0, 1, 2, 6, 10)]
    [0.5, 1.0, 1.0, 0.5, 0.0]
    """
    rise = max(1, int(warmup * total))
    if step < rise:
        return (step + 1) / rise
    return max(0.0, (total - step) / max(1, total - rise))


def default_epochs(n_texts: int, encoder: str, recipe: Recipe) -> int:
    """Three epochs from 1,000 texts on, more for fewer so that there are about 100 steps; ten for an encoder from scratch.

    Examples
    --------
    >>> default_epochs(2000, "minilm", Recipe()), default_epochs(320, "minilm", Recipe()), default_epochs(500, "scratch", Recipe())
    (3, 10, 10)
    """
    if encoder == "scratch":
        return 10
    steps = max(1, math.ceil(n_texts / recipe.batch_texts))
    return max(3, min(20, math.ceil(100 / steps))) if n_texts < 1000 else 3


def as_targets(y: Sequence[int] | Array, n_classes: int) -> Array:
    """One-hot rows of class indices, shape (n_texts, n_classes)."""
    return np.eye(n_classes)[np.asarray(y, dtype=np.intp)]
