"""A training run: what it works on, how far it has come, and how it begins or is resumed. Imports `rulenet.model` and its neighbours;
torch and Accelerate.
"""

from __future__ import annotations

import math
import os
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from torch import Tensor

from rulenet.base.progress import Progress
from rulenet.errors import TrainingError
from rulenet.model.psi import Psi, Reading
from rulenet.training.batch import Step
from rulenet.training.checkpoint import Checkpoint, Parameters, Position
from rulenet.training.corpus import Corpus, cut
from rulenet.training.objectives.objective import Cut, Term
from rulenet.training.recipe import Recipe

SECONDS = 60.0  # between checkpoints within an epoch
LOOK_EVERY = 20  # steps on a GPU after which losses are looked at: looking waits for the GPU
MAX_SKIPPED = 3  # steps in a row with gradients that are NaN or infinite


@dataclass(frozen=True)
class Group:
    """Terms that learn from the same batches of an epoch; each batch is a list of rows."""

    terms: list[Term]
    batches: list[list[int]]


@dataclass
class Outcome:
    """How training went: one loss per epoch on training and held-out texts, and which epoch was kept."""

    train_loss: list[float]
    held_out_loss: list[float]
    best_epoch: int
    interrupted: bool


@dataclass
class Run:
    """What every level of the loop works on.

    Attributes
    ----------
    terms
        What is made small.
    total
        Steps of all epochs, about; batches differ a little in number from epoch to epoch.
    read
        `Psi.read`, compiled or not.
    parameters
        All that is trained, by name.
    at
        How far training has come.
    best
        Parameters of the best epoch so far; empty: not known.
    seen
        (loss, norm of the gradient) of the latest steps, not yet looked at.
    """

    psi: Psi
    terms: Sequence[Term]
    recipe: Recipe
    seed: int
    epochs: int
    total: int
    device: torch.device
    accelerator: Accelerator
    optimizer: torch.optim.Optimizer
    read: Callable[..., Reading]
    parameters: Parameters
    progress: Progress
    checkpoint: Checkpoint | None
    at: Position
    best: dict[str, Tensor] = field(default_factory=dict)
    seen: list[Tensor] = field(default_factory=list)
    written: float = field(default_factory=time.monotonic)

    @property
    def step(self) -> Step:
        """Where the run is, for terms and batches."""
        return Step(self.seed, self.at.epoch, self.at.step, self.epochs, self.device)

    @property
    def on_gpu(self) -> bool:
        """Whether steps are still computed while Python continues."""
        return bool(self.device.type == "cuda")

    def groups(self, train: Corpus, epoch: int) -> list[Group]:
        """What an epoch is made of: the batches that terms share, then those that terms have of their own, the longest list first."""
        own = [
            (term, term.batches(train, np.random.default_rng([self.seed, epoch, 0, 0, number])))
            for number, term in enumerate(self.terms, start=1)
        ]
        groups = [Group([term], batches) for term, batches in own if batches]
        groups.sort(key=lambda group: -len(group.batches))
        if sharing := [term for term, batches in own if batches is None]:
            rng = np.random.default_rng([self.seed, epoch])
            groups.insert(0, Group(sharing, new_cut(self.recipe, self.psi)(train, train.with_target, rng)))
        if not groups:
            raise TrainingError(
                "no objective of the recipe finds texts to learn from; add unlabeled=… or another objective"
            )
        return groups

    def warn(self, message: str) -> None:
        """Warn once, not once per process."""
        if self.accelerator.is_main_process:
            warnings.warn(message, stacklevel=2)

    def look(self) -> None:
        """Take in the losses of the latest steps; TrainingError where they say that training cannot go on."""
        recent = torch.stack(self.seen).tolist() if self.seen else []
        self.seen.clear()
        rates = (
            f"recipe.learning_rate (now {self.recipe.steps.learning_rate}) or "
            f"recipe.head_learning_rate ({self.recipe.steps.head_learning_rate})"
        )
        for loss, norm in recent:
            self.at.losses.append(loss)
            where = f"in epoch {self.at.epoch + 1}, step {len(self.at.losses)}"
            if not math.isfinite(loss):
                raise TrainingError(f"the loss became {loss} {where}; lower {rates}")
            self.at.skipped = 0 if math.isfinite(norm) else self.at.skipped + 1
            if self.at.skipped:
                self.warn(f"the gradient's norm is {norm} {where}; the step is skipped")
            if self.at.skipped == MAX_SKIPPED:
                raise TrainingError(
                    f"{MAX_SKIPPED} gradients in a row were NaN or infinite, the last {where}; lower {rates}"
                )

    def keep(self, *, now: bool = False) -> None:
        """Write a checkpoint, if it is time."""
        if self.checkpoint is None or not self.accelerator.is_main_process:
            return
        if now or time.monotonic() - self.written >= SECONDS:
            self.look()
            self.checkpoint.write(self.parameters, self.optimizer, self.best, self.at)
            self.written = time.monotonic()


def new_run(
    psi: Psi, train: Corpus, terms: Sequence[Term], recipe: Recipe, seed: int, device: str, progress: Progress,
    checkpoint: Checkpoint | None,
) -> Run:  # fmt: skip
    """A run at its beginning, or where its checkpoint has it."""
    accelerator = new_accelerator(device)
    # Of several processes on a CPU, Accelerate calls it cpu:0, and moving there makes a copy each time.
    where = torch.device("cpu") if accelerator.device.type == "cpu" else accelerator.device
    modules = {"psi": psi} | {name: module for term in terms for name, module in term.modules.items()}
    for module in modules.values():
        module.to(where)
    optimizer = new_optimizer(psi, terms, recipe, fused=where.type == "cuda")
    parameters = {
        f"{prefix}.{name}": parameter
        for prefix, module in modules.items()
        for name, parameter in module.named_parameters()
        if parameter.requires_grad
    }
    if accelerator.num_processes > 1:
        for tensor in (*psi.state_dict().values(), *parameters.values()):
            torch.distributed.broadcast(tensor.detach(), src=0)
    read = torch.compile(psi.read, dynamic=True) if recipe.steps.compile and where.type == "cuda" else psi.read
    epochs = recipe.steps.epochs or 1  # settled by `Recipe.resolved`, as is the learning rate
    run = Run(
        psi, terms, recipe, seed, epochs, 0, where, accelerator, optimizer, read, parameters, progress, checkpoint,
        Position(parts=recipe.steps.accumulate),
    )  # fmt: skip
    run.total = max(1, epochs * len(run.groups(train, 0)[0].batches))
    if checkpoint is not None and checkpoint.resume:
        found = checkpoint.read(parameters, optimizer)
        if found is None:
            run.warn(
                f"there is no checkpoint in {checkpoint.folder} to resume from; training starts from the beginning"
            )
        else:
            run.at, run.best = found
            progress.say(f"going on in epoch {run.at.epoch + 1} after step {run.at.step}")
    accelerator.wait_for_everyone()
    return run


def new_accelerator(device: str) -> Accelerator:
    """An Accelerator for "auto", "cpu" or "cuda"; bf16 on a GPU that has it."""
    gpu = torch.cuda.is_available()
    if device == "cuda" and not gpu:
        raise TrainingError("device='cuda', but torch sees no GPU; use device='auto' or 'cpu'")
    # Without a GPU, Accelerate takes launched processes for one group only where it is told that they are to use the CPU.
    cpu = device == "cpu" or (not gpu and "LOCAL_RANK" in os.environ)
    bf16 = not cpu and gpu and torch.cuda.is_bf16_supported()
    # Accelerate keeps one state per process and refuses other settings later; two estimators may well differ. The state of
    # the process group is of all processes and stays.
    AcceleratorState._reset_state(reset_partial_state=not torch.distributed.is_initialized())
    return Accelerator(cpu=cpu, mixed_precision="bf16" if bf16 else "no")


def own_gpu(device: str) -> list[int]:
    """Number of the GPU that this process trains on, if any."""
    return [int(os.environ.get("LOCAL_RANK", "0"))] if device != "cpu" and torch.cuda.is_available() else []


def new_optimizer(psi: Psi, terms: Sequence[Term], recipe: Recipe, *, fused: bool) -> torch.optim.Optimizer:
    """AdamW with learning rates of their own for the body, the head and what the terms train."""
    groups = recipe.tune.prepare(psi.encoder, recipe.steps.learning_rate or psi.encoder.traits.learning_rate)
    head = [*psi.from_text.parameters(), *psi.from_phi.parameters()]
    groups.append({"params": head, "initial_lr": recipe.steps.head_learning_rate})
    for term in terms:
        groups += term.parameter_groups(recipe.steps.head_learning_rate)
    return torch.optim.AdamW(groups, weight_decay=recipe.steps.weight_decay, fused=fused or None)


def new_cut(recipe: Recipe, psi: Psi) -> Cut:
    """`cut` with the sizes of a recipe."""
    return partial(cut, tokens=recipe.steps.batch_tokens, texts=recipe.steps.batch_texts, window=psi.encoder.max_length)


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
