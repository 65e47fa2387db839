"""A training run: its data, its position, and how it begins or is resumed. Imports model and neighbours; torch and Accelerate."""

from __future__ import annotations

import math
import os
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from torch import Tensor

from rulenet.base.types import Array
from rulenet.errors import TrainingError
from rulenet.model.batches import token_budget_batches
from rulenet.model.psi import Psi, Reading
from rulenet.training.batch import Step
from rulenet.training.checkpoint import Checkpoint, Parameters, Position
from rulenet.training.corpus import Corpus
from rulenet.training.job import Job
from rulenet.training.objectives.objective import Cut, Judged, Term, side
from rulenet.training.optimizers import new_optimizer_of
from rulenet.training.recipe import Recipe

SECONDS = 60.0  # between checkpoints within an epoch
LOOK_EVERY = 20  # steps on a GPU after which losses are looked at: looking waits for the GPU
MAX_SKIPPED = 3  # steps in a row with gradients that are NaN or infinite


# Terms that learn from the same batches of an epoch; a batch is a list of rows.
Group = tuple[list[Term], list[list[int]]]


@dataclass
class Outcome:
    """The result of training: one loss per epoch on training and held-out texts, and the epoch whose weights were kept."""

    train_loss: list[float]
    held_out_loss: list[float]
    best_epoch: int
    joint: bool = False  # whether that is one of the joint epochs
    interrupted: bool = False
    trained_share: dict[str, float] = field(default_factory=dict)  # see `tuning.trained_share`
    curve: list[dict[str, Any]] = field(default_factory=list)  # one `rulenet.training.curves.point` per epoch
    averaged: bool = False  # whether the average of the last steps' weights was better than any epoch


@dataclass
class Run:
    """What every level of the loop works on."""

    psi: Psi
    terms: Sequence[Term]
    recipe: Recipe
    job: Job
    epochs: int
    total: int  # about the steps of all epochs; the number of batches differs a little from epoch to epoch
    device: torch.device
    accelerator: Accelerator
    optimizer: torch.optim.Optimizer
    read: Callable[..., Reading]  # `Psi.read`, compiled or not
    parameters: Parameters  # all trained parameters, by name
    checkpoint: Checkpoint | None
    at: Position
    joint: int  # joint epochs, the last ones
    stage: str  # what curves call it
    best: dict[str, Tensor] = field(default_factory=dict)  # parameters of the best epoch so far; empty: not known
    mean: dict[str, Tensor] = field(default_factory=dict)  # of the last steps' weights, see `rulenet.training.average`
    seen: list[Tensor] = field(
        default_factory=list
    )  # (norm of the gradient, loss, loss of each term) of the latest steps, not yet looked at
    written: float = field(default_factory=time.monotonic)

    @property
    def step(self) -> Step:
        """Where the run is, for terms and batches."""
        return Step(self.job.seed, self.at.epoch, self.at.step, self.epochs, self.device)

    @property
    def on_gpu(self) -> bool:
        """Whether steps are still computed while Python continues."""
        return bool(self.device.type == "cuda")

    def factor(self, term: Term) -> float:
        """What the loss of a term counts in this step."""
        progress = min(1.0, self.at.steps / max(1, self.total - 1))
        return term.weight * side(self.recipe.alpha, is_supervised=term.is_supervised, progress=progress)

    def groups(self, train: Corpus, epoch: int) -> list[Group]:
        """The batches of an epoch: first those that terms share, then the terms' own, the longest list first."""
        seed = [self.job.seed, epoch]
        rngs = [np.random.default_rng([*seed, 0, 0, number]) for number in range(1, len(self.terms) + 1)]
        own = [(term, term.batches(train, rng)) for term, rng in zip(self.terms, rngs, strict=True)]
        groups: list[Group] = [([term], batches) for term, batches in own if batches]
        groups.sort(key=lambda group: -len(group[1]))
        if sharing := [term for term, batches in own if batches is None]:
            batches = new_cut(self.recipe, self.psi)(train, train.with_target, np.random.default_rng(seed))
            groups.insert(0, (sharing, batches))
        if not groups:
            raise TrainingError(
                "no objective finds texts to learn from; add texts without labels, or another objective"
            )
        return groups

    def warn(self, message: str) -> None:
        """Warn once, not once per process."""
        if self.accelerator.is_main_process:
            warnings.warn(message, stacklevel=2)

    def look(self) -> None:
        """Record the losses of the latest steps; a TrainingError if training cannot continue with them."""
        recent = torch.stack(self.seen).tolist() if self.seen else []
        self.seen.clear()
        steps = self.recipe.steps
        rates = f"learning_rate (now {steps.learning_rate}) or head_learning_rate ({steps.head_learning_rate}) of the recipe"
        for norm, loss, *of_terms in recent:
            self.at.losses.append(loss)
            self.at.term_losses.append(of_terms)
            where = f"in epoch {self.at.epoch + 1}, step {len(self.at.losses)}"
            if not math.isfinite(loss):
                raise TrainingError(f"the loss became {loss} {where}; lower {rates}")
            self.at.skipped = 0 if math.isfinite(norm) else self.at.skipped + 1
            if self.at.skipped:
                self.warn(f"the gradient's norm is {norm} {where}; the step is skipped")
            if self.at.skipped == MAX_SKIPPED:
                raise TrainingError(f"{MAX_SKIPPED} gradients in a row were NaN or infinite {where}; lower {rates}")

    def remember(self, judged: Judged) -> None:
        """Take the present weights, of which the held-out texts say this, for the best so far."""
        self.best = {name: p.detach().to("cpu", copy=True) for name, p in self.parameters.items()}
        self.at.best_losses, self.at.best_score = judged.losses.tolist(), judged.score(self.recipe.steps.metric)

    @torch.no_grad()
    def return_to_best(self) -> None:
        """Take the best weights so far, if they are known."""
        for name, value in self.best.items():
            self.parameters[name].copy_(value)

    def keep(self, *, now: bool = False) -> None:
        """Write a checkpoint, if it is time."""
        if self.checkpoint is None or not self.accelerator.is_main_process:
            return
        if now or time.monotonic() - self.written >= SECONDS:
            self.look()
            self.checkpoint.write(self.parameters, self.optimizer, self.best, self.mean, self.at)
            self.written = time.monotonic()


def new_run(
    psi: Psi, train: Corpus, terms: Sequence[Term], recipe: Recipe, job: Job, checkpoint: Checkpoint | None, stage: str
) -> Run:
    """A run at its beginning, or at the position of its checkpoint."""
    accelerator = new_accelerator(job.device)
    # Of several processes on a CPU, Accelerate calls it cpu:0, and moving there makes a copy each time.
    where = torch.device("cpu") if accelerator.device.type == "cpu" else accelerator.device
    modules = {"psi": psi} | {name: module for term in terms for name, module in term.modules.items()}
    for module in modules.values():
        module.to(where)
    optimizer = new_optimizer(psi, terms, recipe, fused=where.type == "cuda")
    named = [pair for prefix, module in modules.items() for pair in module.named_parameters(prefix)]
    parameters = {name: parameter for name, parameter in named if parameter.requires_grad}
    if accelerator.num_processes > 1:
        for tensor in (*psi.state_dict().values(), *parameters.values()):
            torch.distributed.broadcast(tensor.detach(), src=0)
    read = torch.compile(psi.read, dynamic=True) if recipe.steps.compile and where.type == "cuda" else psi.read
    epochs = recipe.steps.epochs or 1  # settled by `Recipe.resolved`, as is the learning rate
    at = Position(parts=recipe.steps.accumulate)
    joint = min(epochs, max((term.joint_epochs for term in terms), default=0))
    run = Run(
        psi,
        terms,
        recipe,
        job,
        epochs,
        0,
        where,
        accelerator,
        optimizer,
        read,
        parameters,
        checkpoint,
        at,
        joint,
        stage,
    )
    run.total = max(1, epochs * len(run.groups(train, 0)[0][1]))
    if checkpoint is not None and checkpoint.resume:
        found = checkpoint.read(parameters, optimizer)
        if found is None:
            run.warn(f"there is no checkpoint in {checkpoint.folder}; training starts from the beginning")
        else:
            run.at, run.best, mean = found
            run.mean = {name: value.to(where) for name, value in mean.items()}
            run.epochs = run.at.epochs or run.epochs
            job.progress.say(f"resuming in epoch {run.at.epoch + 1} after step {run.at.step}")
    accelerator.wait_for_everyone()
    return run


def new_accelerator(device: str) -> Accelerator:
    """An Accelerator for "auto", "cpu" or "cuda"; precision is the business of `Psi.read`."""
    gpu = torch.cuda.is_available()
    if device == "cuda" and not gpu:
        raise TrainingError("device='cuda', but torch sees no GPU; use device='auto' or 'cpu'")
    # Without a GPU, Accelerate treats launched processes as one group only if it is told that they are to use the CPU.
    cpu = device == "cpu" or (not gpu and "LOCAL_RANK" in os.environ)
    # Accelerate keeps one state per process and refuses other settings later, but two estimators may differ. The state of the
    # process group belongs to all processes and stays.
    AcceleratorState._reset_state(reset_partial_state=not torch.distributed.is_initialized())
    return Accelerator(cpu=cpu, mixed_precision="no")


def own_gpu(device: str) -> list[int]:
    """Number of the GPU that this process trains on, if any."""
    return [int(os.environ.get("LOCAL_RANK", "0"))] if device != "cpu" and torch.cuda.is_available() else []


def new_optimizer(psi: Psi, terms: Sequence[Term], recipe: Recipe, *, fused: bool) -> torch.optim.Optimizer:
    """The optimizer, with separate learning rates for the body, the head and the modules of the terms."""
    groups = recipe.tune.prepare(psi.encoder, recipe.steps.learning_rate or psi.encoder.traits.learning_rate)
    head, head_rate = [*psi.from_text.parameters(), *psi.from_phi.parameters()], recipe.steps.head_learning_rate or 1e-3
    groups.append({"params": head, "initial_lr": head_rate})
    for term in terms:
        groups += term.parameter_groups(head_rate)
    return new_optimizer_of(groups, recipe, fused=fused)


def new_cut(recipe: Recipe, psi: Psi) -> Cut:
    """A function that cuts rows of a corpus into shuffled batches of the recipe's size."""
    size = {
        "budget": recipe.steps.batch_tokens,
        "max_texts": recipe.steps.batch_texts,
        "window": psi.encoder.max_length,
    }

    def cut(corpus: Corpus, indices: Array, rng: np.random.Generator) -> list[list[int]]:
        batches = token_budget_batches([len(corpus.rows[i]) for i in indices.tolist()], rng=rng, **size)
        return [indices[batch].tolist() for batch in batches]

    return cut
