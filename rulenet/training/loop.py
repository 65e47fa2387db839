"""Trains ψ, and in the joint epochs φ with it: three nested levels, each on one screen. Imports `rulenet.model` and its neighbours;
torch and Accelerate.

Random numbers depend on seed, epoch and step alone, so a run goes on from a checkpoint as if it had never stopped. Of several
processes (torchrun, accelerate launch), each takes its share of every batch and the gradients are summed once per step, not in the
midst of backward as `DistributedDataParallel` does: there, a process that runs out of memory would leave the others waiting.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from rulenet.base.progress import Progress
from rulenet.base.types import Array
from rulenet.decide.scales import cross_entropy, fit_scales
from rulenet.errors import TrainingError
from rulenet.model.batches import piece_budget, token_budget_batches
from rulenet.model.layers import MAX_BYTES, lower_states
from rulenet.model.phi_layer import PhiLayer, sparse_rows
from rulenet.model.psi import Psi, free_memory, is_out_of_memory
from rulenet.training.checkpoint import Checkpoint
from rulenet.training.objectives import joint_loss
from rulenet.training.recipe import Recipe
from rulenet.training.run import LOOK_EVERY, Examples, Outcome, Run, linear_schedule, new_batches, new_run


def train_psi(
    psi: Psi, train: Examples, held_out: Examples | None, recipe: Recipe, *, seed: int, device: str, progress: Progress,
    phi: PhiLayer | None = None, checkpoint: Checkpoint | None = None,
) -> Outcome:  # fmt: skip
    """Train ψ against out-of-fold φ; ψ, and `phi` with it, end with the weights of their best epoch on the held-out texts.

    Ctrl-C ends training cleanly with the best weights so far; of several processes, it ends all.

    Raises
    ------
    TrainingError
        If the loss is no number any more, a single text does not fit into memory, or the checkpoint is of another run.
    """
    run = new_run(psi, train, recipe, seed, device, progress, phi, checkpoint)
    at, interrupted = run.at, False
    try:
        while at.epoch < run.epochs:
            at.train_loss.append(train_epoch(run, train))
            at.epoch, at.step, at.losses = at.epoch + 1, 0, []
            if held_out is not None:
                at.held_out_loss.append(evaluate(run, held_out))
                if at.held_out_loss[-1] <= min(at.held_out_loss):
                    at.best_epoch = at.epoch
                    run.best = {name: p.detach().to("cpu", copy=True) for name, p in run.parameters.items()}
            run.keep(now=True)
    except KeyboardInterrupt:
        if run.accelerator.num_processes > 1:
            raise
        interrupted = True
        kept = f"the weights of epoch {at.best_epoch}" if run.best else "the weights reached so far"
        run.warn(f"training was interrupted in epoch {at.epoch + 1} of {run.epochs}; {kept} are kept")
    with torch.no_grad():
        for name, value in run.best.items():
            run.parameters[name].copy_(value)
    psi.eval()
    return Outcome(at.train_loss, at.held_out_loss, at.best_epoch or len(at.train_loss), interrupted)


def train_epoch(run: Run, train: Examples) -> float:
    """One pass over the training texts, or what is left of it; the mean loss."""
    run.psi.train()
    if run.phi is not None:
        run.phi.requires_grad_(run.joint_phi is not None)
    batches = new_batches(run.psi, train, run.recipe, run.random_of(run.at.epoch))
    label = f"{'ψ' if run.joint_phi is None else 'φ + ψ'} epoch {run.at.epoch + 1}/{run.epochs}"
    for batch in run.progress.track(batches[run.at.step :], label, done=run.at.step):
        run.seen.append(train_step(run, train.take(np.array(batch))))
        run.at.step += 1
        run.at.steps += 1
        if not run.on_gpu or len(run.seen) == LOOK_EVERY:
            run.look()
        run.keep()
    run.look()
    return float(np.mean(run.at.losses)) if run.at.losses else 0.0


def train_step(run: Run, batch: Examples) -> Tensor:
    """Forward, loss, backward, one optimizer step; the loss and the norm of the gradient."""
    loss = batch_gradient(run, batch)
    phi = run.joint_phi
    if phi is not None:
        phi.add_prior_gradient(run.moved(sparse_rows(batch.X)[0]), len(batch.rows))
    norm = nn.utils.clip_grad_norm_(run.parameters.values(), 1.0)
    for group in run.optimizer.param_groups:
        group["lr"] = group["initial_lr"] * linear_schedule(run.at.steps, run.total, run.recipe.warmup)
    if run.on_gpu:
        # Fused AdamW leaves the step out by itself; asking here would wait for the GPU.
        run.optimizer.found_inf = (~norm.isfinite()).float()  # type: ignore[attr-defined]
        run.optimizer.step()
    elif norm.isfinite():
        run.optimizer.step()
    if phi is not None:
        phi.project()
    return torch.stack([loss, norm.detach()])


def batch_gradient(run: Run, batch: Examples) -> Tensor:
    """Gradients of a whole batch, computed in parts and by all processes; its loss."""
    at, rank = run.at, run.accelerator.process_index
    # One more than the step: numpy's seeds make no difference between (seed, epoch) and (seed, epoch, 0).
    keep = run.random_of(at.epoch, at.step + 1).random((len(batch.rows), 1)) >= run.recipe.phi_dropout
    mine = np.arange(len(batch.rows))[rank :: run.accelerator.num_processes]
    while True:
        run.optimizer.zero_grad(set_to_none=True)
        torch.manual_seed(int(run.random_of(at.epoch, at.step + 1, rank).integers(2**63)))
        loss = summed(run, backward(run, batch, keep, mine))
        if loss is not None:
            return loss
        cut_further(run, batch)


def backward(run: Run, batch: Examples, keep: Array, mine: Array) -> Tensor | None:
    """This process's texts of a batch, part by part; their share of the loss, or None if memory ran out."""
    total = torch.zeros((), device=run.device)
    try:
        for part in np.array_split(mine, max(1, min(run.at.parts, len(mine)))):
            if len(part):
                loss = loss_of(run, batch.take(part), keep[part]) * (len(part) / len(batch.rows))
                run.accelerator.backward(loss)
                total += loss.detach()
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        return None
    return total


def loss_of(run: Run, part: Examples, keep: Array) -> Tensor:
    """Forward and loss; where `keep` is false, ψ has to do without φ, so that it learns to stand alone."""
    recipe, layer = run.recipe, run.joint_phi
    inputs, mask = run.psi.encoder.pad(part.rows)
    phi = run.moved(torch.as_tensor(part.phi, dtype=torch.float32))
    if layer is not None:
        columns, starts, values = sparse_rows(part.X)
        phi = layer(phi, (run.moved(columns), run.moved(starts), run.moved(values)))
    phi = phi * run.moved(torch.as_tensor(keep, dtype=torch.float32))
    target = run.moved(torch.as_tensor(part.target, dtype=torch.float32))
    with run.accelerator.autocast():
        psi = run.forward(run.moved(inputs), run.moved(mask), phi, part.layers)
    phi_loss = recipe.phi_loss if layer is not None else 0.0
    return joint_loss(phi, psi.float(), target, psi_loss=recipe.psi_loss, phi_loss=phi_loss)


def summed(run: Run, loss: Tensor | None) -> Tensor | None:
    """Loss and gradients summed over all processes; None if memory ran out in any of them."""
    if run.accelerator.num_processes == 1:
        return loss
    learning = [p for p in run.parameters.values() if p.requires_grad]
    gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in learning]
    end = loss.new_tensor([0.0]) if loss is not None else torch.ones(1, device=run.device)
    value = torch.zeros_like(end) if loss is None else loss.reshape(1)
    flat = torch.cat([*(gradient.reshape(-1) for gradient in gradients), value, end])
    flat = run.accelerator.reduce(flat, "sum")
    *parts, value, failures = flat.split([*(p.numel() for p in learning), 1, 1])
    for parameter, part in zip(learning, parts, strict=True):
        parameter.grad = part.view_as(parameter)
    return None if failures.item() else value[0]


def cut_further(run: Run, batch: Examples) -> None:
    """Twice as many parts from here on, as memory ran out."""
    free_memory()
    longest, device = max(map(len, batch.rows)), run.device
    if run.at.parts >= math.ceil(len(batch.rows) / run.accelerator.num_processes):
        raise TrainingError(
            f"a single text of {longest} word pieces does not fit into the memory of {device}; lower recipe.max_length "
            f"({run.recipe.max_length}) or freeze more layers (recipe.batch_texts would not help: parts of one text were tried)"
        )
    run.at.parts *= 2
    run.warn(
        f"a batch of {len(batch.rows)} texts of up to {longest} word pieces did not fit into the memory of {device}; "
        f"batches are computed in {run.at.parts} parts from here on, with the same result"
    )


def evaluate(run: Run, held_out: Examples) -> float:
    """Mean cross-entropy of a·φ + s·ψ with the best scalars.

    The scalars are fitted at the end in any case. Judged without them, φ + ψ looks over-confident as soon as ψ has learned something,
    and the first epoch would win.
    """
    phi = held_out.phi if run.phi is None else held_out.phi + run.phi.shift(held_out.X)
    mine = np.arange(len(phi))[run.accelerator.process_index :: run.accelerator.num_processes]
    part, psi = held_out.take(mine), np.zeros_like(phi)
    psi[mine] = run.psi.predict(part.rows, phi[mine], device=run.device, layers=part.layers)
    if run.accelerator.num_processes > 1:
        psi = run.accelerator.reduce(run.moved(torch.as_tensor(psi)), "sum").cpu().numpy()
    a, s = fit_scales(phi, psi, held_out.target)
    return cross_entropy(a * phi + s * psi, held_out.target) / len(phi)


def keep_lower_states(psi: Psi, examples: Examples, recipe: Recipe, device: str) -> Examples:
    """The same examples with the output of the frozen layers in place of word pieces, where that saves time and fits."""
    layers = recipe.frozen_layers
    size = sum(map(len, examples.rows)) * psi.encoder.width * 4
    on_gpu = device != "cpu" and torch.cuda.is_available()
    traits = psi.encoder.traits
    if layers < 1 or not (traits.pretrained and traits.can_split) or on_gpu or size > MAX_BYTES:
        return examples
    lengths, window = [len(row) for row in examples.rows], psi.encoder.max_length
    batches = token_budget_batches(lengths, budget=piece_budget("cpu"), window=window)
    return replace(examples, rows=lower_states(psi.encoder, examples.rows, layers, batches), layers=layers)
