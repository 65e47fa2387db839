"""A training run: what it works on, how far it has come, and how it begins or goes on. Imports `rulenet.model` and its neighbours;
torch and Accelerate.
"""

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

from rulenet.base.progress import Progress
from rulenet.base.types import Array
from rulenet.errors import TrainingError
from rulenet.model.batches import token_budget_batches
from rulenet.model.encoders.encoder import Traits
from rulenet.model.layers import stack_of
from rulenet.model.phi_layer import PhiLayer
from rulenet.model.psi import Psi
from rulenet.training.checkpoint import Checkpoint, Parameters, Position
from rulenet.training.recipe import Recipe

SECONDS = 60.0  # between checkpoints within an epoch
LOOK_EVERY = 20  # steps on a GPU after which losses are looked at: looking waits for the GPU
MAX_SKIPPED = 3  # steps in a row with gradients that are no numbers


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
    X
        φ's columns, sparse, shape (n_texts, n_columns); None where φ does not learn.
    """

    rows: Sequence[Any]
    phi: Array
    target: Array
    layers: int = 0
    X: Any = None

    def take(self, indices: Array) -> Examples:
        """Some of the texts."""
        rows = [self.rows[i] for i in indices.tolist()]
        X = None if self.X is None else self.X[indices]
        return Examples(rows, self.phi[indices], self.target[indices], self.layers, X)


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
    phi
        φ's change in the joint epochs; None: φ stays as it is.
    total
        Steps of all epochs, about; batches differ a little in number from epoch to epoch.
    forward
        ψ, compiled or not.
    parameters
        All that is trained, by name.
    at
        How far training has come.
    best
        Parameters of the best epoch so far; empty: none.
    seen
        (loss, norm of the gradient) of the latest steps, not yet looked at.
    """

    psi: Psi
    phi: PhiLayer | None
    recipe: Recipe
    seed: int
    epochs: int
    total: int
    device: torch.device
    accelerator: Accelerator
    optimizer: torch.optim.Optimizer
    forward: Callable[..., Tensor]
    parameters: Parameters
    progress: Progress
    checkpoint: Checkpoint | None
    at: Position
    best: dict[str, Tensor] = field(default_factory=dict)
    seen: list[Tensor] = field(default_factory=list)
    written: float = field(default_factory=time.monotonic)

    @property
    def joint_phi(self) -> PhiLayer | None:
        """φ, if it learns in the present epoch."""
        return self.phi if self.at.epoch >= self.epochs - self.recipe.joint_epochs else None

    @property
    def on_gpu(self) -> bool:
        """Whether steps run on while Python goes on."""
        return bool(self.device.type == "cuda")

    def random_of(self, *where: int) -> np.random.Generator:
        """Random numbers of an epoch or a step."""
        return np.random.default_rng([self.seed, *where])

    def moved(self, values: Tensor) -> Tensor:
        """A tensor on the device; on the way to a GPU, Python does not wait."""
        return (values.pin_memory() if self.on_gpu else values).to(self.device, non_blocking=self.on_gpu)

    def warn(self, message: str) -> None:
        """Warn once, not once per process."""
        if self.accelerator.is_main_process:
            warnings.warn(message, stacklevel=2)

    def look(self) -> None:
        """Take in the losses of the latest steps; TrainingError where they say that training cannot go on."""
        recent = torch.stack(self.seen).tolist() if self.seen else []
        self.seen.clear()
        rates = (
            f"recipe.learning_rate (now {self.recipe.learning_rate or 'the default'}) or "
            f"recipe.head_learning_rate ({self.recipe.head_learning_rate})"
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
                    f"{MAX_SKIPPED} gradients in a row were no numbers, the last {where}; lower {rates}"
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
    psi: Psi, train: Examples, recipe: Recipe, seed: int, device: str, progress: Progress, phi: PhiLayer | None,
    checkpoint: Checkpoint | None,
) -> Run:  # fmt: skip
    """A run at its beginning, or where its checkpoint has it."""
    accelerator = new_accelerator(device)
    # Of several processes on a CPU, Accelerate calls it cpu:0, and moving there makes a copy each time.
    where = torch.device("cpu") if accelerator.device.type == "cpu" else accelerator.device
    psi.to(where)
    if phi is not None:
        phi.to(where)
    optimizer = new_optimizer(psi, phi, recipe, fused=where.type == "cuda")
    modules = {"psi": psi} if phi is None else {"psi": psi, "phi": phi}
    parameters = {
        f"{prefix}.{name}": parameter
        for prefix, module in modules.items()
        for name, parameter in module.named_parameters()
        if parameter.requires_grad
    }
    if accelerator.num_processes > 1:
        for tensor in (*psi.state_dict().values(), *parameters.values()):
            torch.distributed.broadcast(tensor.detach(), src=0)
    epochs = recipe.epochs or default_epochs(len(train.rows), psi.encoder.traits, recipe)
    run = Run(
        psi, phi, recipe, seed, epochs, 0, where, accelerator, optimizer, psi, parameters, progress, checkpoint,
        Position(parts=recipe.accumulate),
    )  # fmt: skip
    run.total = max(1, epochs * len(new_batches(psi, train, recipe, run.random_of(0))))
    if recipe.compile and run.on_gpu:
        run.forward = torch.compile(psi, dynamic=True)
    if checkpoint is not None and checkpoint.resume:
        found = checkpoint.read(parameters, optimizer)
        if found is None:
            run.warn(f"there is no checkpoint in {checkpoint.folder} to go on from; training starts from the beginning")
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


def new_batches(psi: Psi, train: Examples, recipe: Recipe, rng: np.random.Generator) -> list[list[int]]:
    """The batches of one epoch."""
    lengths = [len(row) for row in train.rows]
    return token_budget_batches(
        lengths, budget=recipe.batch_tokens, max_texts=recipe.batch_texts, rng=rng, window=psi.encoder.max_length
    )


def new_optimizer(psi: Psi, phi: PhiLayer | None, recipe: Recipe, *, fused: bool) -> torch.optim.Optimizer:
    """AdamW with learning rates of their own for the body, the head and φ; frozen layers left out."""
    traits = psi.encoder.traits
    if recipe.frozen_layers >= 0 and traits.pretrained:
        freeze(psi.body, recipe.frozen_layers)
    rate = recipe.learning_rate or traits.learning_rate
    body = [parameter for parameter in psi.body.parameters() if parameter.requires_grad]
    head = [*psi.from_text.parameters(), *psi.from_phi.parameters()]
    groups: list[dict[str, Any]] = [
        {"params": body, "initial_lr": rate},
        {"params": head, "initial_lr": recipe.head_learning_rate},
    ]
    if phi is not None:  # its priors are its weight decay
        groups.append({"params": list(phi.parameters()), "initial_lr": recipe.phi_learning_rate, "weight_decay": 0.0})
    return torch.optim.AdamW(groups, weight_decay=recipe.weight_decay, fused=fused or None)


def freeze(body: Any, layers: int) -> None:
    """Stop training the embeddings and the lower layers of a body."""
    frozen = [getattr(body, "embeddings", None)]
    frozen += list(getattr(stack_of(body), "layer", []))[:layers]
    for module in frozen:
        if module is not None:
            module.requires_grad_(False)


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


def default_epochs(n_texts: int, traits: Traits, recipe: Recipe) -> int:
    """The encoder's own, else three epochs from 1,000 texts on and more for fewer, so that there are about 100 steps.

    Examples
    --------
    >>> [default_epochs(n, Traits(), Recipe()) for n in (2000, 320)], default_epochs(500, Traits(epochs=10), Recipe())
    ([3, 10], 10)
    """
    if traits.epochs is not None:
        return traits.epochs
    steps = max(1, math.ceil(n_texts / recipe.batch_texts))
    return max(3, min(20, math.ceil(100 / steps))) if n_texts < 1000 else 3
