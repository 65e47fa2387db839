"""Train ψ and the modules of its objectives: three nested levels, each on one screen. Imports `rulenet.model` and its neighbours;
torch and Accelerate.

The loss is Σ weight · loss over the terms. Random numbers depend on seed, epoch and step alone, so a resumed run ends as if
it had never stopped. Of several processes (torchrun, accelerate launch), each computes its share of every batch and the gradients are
summed once per step, not during backward as in `DistributedDataParallel`: there, a process that runs out of memory would leave the others
waiting.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from rulenet.base.interrupts import StoppedAtOnceError, held_back
from rulenet.base.types import Array
from rulenet.base.wording import counted
from rulenet.errors import TrainingError
from rulenet.model.psi import Psi, free_memory, is_out_of_memory
from rulenet.training.average import add_to_average, consider_average
from rulenet.training.batch import Batch
from rulenet.training.checkpoint import Checkpoint
from rulenet.training.corpus import Corpus
from rulenet.training.curves import point
from rulenet.training.job import Job
from rulenet.training.objectives.objective import Judged, Term
from rulenet.training.optimizers import rate_factor
from rulenet.training.recipe import Recipe
from rulenet.training.run import LOOK_EVERY, Outcome, Run, new_run
from rulenet.training.tuning.tuning import trained_share

Batches = list[tuple[list[Term], Batch]]  # what is learned from in one step


def train_psi(
    psi: Psi, train: Corpus, held_out: Corpus | None, recipe: Recipe, terms: Sequence[Term], job: Job,
    checkpoint: Checkpoint | None = None, *, judge_start: bool = False, stage: str = "fine-tuning",
) -> Outcome:  # fmt: skip
    """Train ψ and the modules of the terms; they end with the weights of their best epoch on the held-out texts.

    With `judge_start`, the weights that training starts from may be the best: epoch 0. The terms' joint epochs go on from the best of those
    before them; see `is_best`. Curves call all this `stage`.

    Ctrl-C: with a working folder, a checkpoint is brought up to date if there is one, and the interrupt goes on to the caller, as it does
    in each of several processes. Otherwise training ends cleanly with the best weights so far.

    Raises
    ------
    TrainingError
        If the loss becomes NaN or infinite, a single text does not fit into memory, or the checkpoint is of another run.
    """
    run = new_run(psi, train, terms, recipe, job, checkpoint, stage)
    at, interrupted, averaged = run.at, False, False
    if judge_start and held_out is not None and not at.steps:
        judged = evaluate(run, held_out)
        if judged is not None:
            run.remember(judged)
    try:
        while at.epoch < run.epochs:
            if at.epoch == run.epochs - run.joint and not at.step:
                run.return_to_best()
            mean = train_epoch(run, train)
            judged = evaluate(run, held_out) if held_out is not None else None
            with held_back():
                end_epoch(run, mean, judged)
        averaged = consider_average(run, lambda: None if held_out is None else evaluate(run, held_out))
    except StoppedAtOnceError:
        raise
    except KeyboardInterrupt:
        run.keep(now=True)
        if job.work_dir is not None or run.accelerator.num_processes > 1:
            raise
        interrupted = True
        those = f"the weights of epoch {at.best_epoch}" if at.best_epoch else "the weights it began with"
        kept = those if run.best else "the weights reached so far"
        run.warn(f"training was interrupted in epoch {at.epoch + 1} of {run.epochs}; {kept} are kept")
    run.return_to_best()
    share = trained_share(psi.body)
    recipe.tune.finish(psi.encoder)
    psi.eval()
    best = at.best_epoch if run.best and not averaged else len(at.train_loss)
    is_joint = best > run.epochs - run.joint
    return Outcome(at.train_loss, at.held_out_loss, best, is_joint, interrupted, share, at.curve, averaged)


def end_epoch(run: Run, train_loss: float, judged: Judged | None) -> None:
    """Count an epoch, and remember its weights if they are the best so far; `judged` by the held-out texts."""
    at = run.at
    at.train_loss.append(train_loss)
    at.curve.append(point(run, train_loss, judged))
    at.epoch, at.step, at.losses, at.term_losses = at.epoch + 1, 0, [], []
    if judged is not None:
        at.held_out_loss.append(float(judged.losses.mean()))
        if is_best(run, judged):
            at.best_epoch = at.epoch
            run.remember(judged)
        if at.epoch - at.best_epoch == run.recipe.steps.patience and at.epoch < run.epochs - run.joint:
            at.epochs = run.epochs = at.epoch + run.joint
    run.keep(now=True)


def is_best(run: Run, judged: Judged) -> bool:
    """Whether the latest epoch is the best; the first joint one may be worse than where it went on from by a standard error of its loss.

    Out-of-fold φ of the training texts knows the labels of the held-out ones, so these mostly say that moving φ harms, where other
    texts do not.
    """
    at = run.at
    if not run.best:
        return True
    gap = judged.losses - np.array(at.best_losses)
    first_joint = 0 < at.best_epoch <= run.epochs - run.joint < at.epoch
    score = judged.score(run.recipe.steps.metric)
    if score is not None and at.best_score not in (None, score) and not first_joint:
        return score > at.best_score
    allowed = float(gap.std()) / math.sqrt(len(gap)) if first_joint else 0.0
    return bool(gap.mean() < 0 or (at.best_epoch and gap.mean() <= allowed))


def train_epoch(run: Run, train: Corpus) -> float:
    """One pass over the training texts, or what is left of it; the mean loss."""
    run.psi.train()
    for term in run.terms:
        term.before_epoch(run.at.epoch, run.epochs)
    groups = run.groups(train, run.at.epoch)
    todo = range(run.at.step, len(groups[0][1]))
    label = run.terms[0].doing or f"ψ epoch {run.at.epoch + 1}/{run.epochs}"
    for number in run.job.progress.track(todo, label, done=run.at.steps, total=run.total):
        batches: Batches = []
        for terms, cut in groups:
            rows = np.array(cut[number % len(cut)])
            how = run.recipe.augment, any(term.augments for term in terms)
            whole = Batch(train, rows, run.step, run.psi, run.read, np.arange(len(rows)), len(rows), *how)
            batches.append((terms, whole))
        with held_back():  # a checkpoint is of whole steps
            run.seen.append(train_step(run, batches))
            run.at.step += 1
            run.at.steps += 1
            add_to_average(run)
            if not run.on_gpu or len(run.seen) == LOOK_EVERY:
                run.look()
            run.keep()
    run.look()
    return float(np.mean(run.at.losses)) if run.at.losses else 0.0


def train_step(run: Run, batches: Batches) -> Tensor:
    """One optimizer step; returns the norm of the gradient, the loss, and the loss of each term."""
    losses = batch_gradient(run, batches)
    for terms, batch in batches:
        for term in terms:
            term.after_backward(batch, batch.step)
    norm = nn.utils.clip_grad_norm_(run.parameters.values(), 1.0)
    for group in run.optimizer.param_groups:
        group["lr"] = group["initial_lr"] * rate_factor(run.recipe, run.at.steps, run.total)
    run.at.learning_rate = run.optimizer.param_groups[0]["lr"]
    if run.on_gpu and isinstance(run.optimizer, torch.optim.AdamW):
        # Fused AdamW skips the step by itself; looking at the norm here would wait for the GPU.
        run.optimizer.found_inf = (~norm.isfinite()).float()  # type: ignore[attr-defined]
        run.optimizer.step()
    elif norm.isfinite():
        run.optimizer.step()
    for term in run.terms:
        term.after_step()
    return torch.cat([norm.detach().reshape(1), losses])


def batch_gradient(run: Run, batches: Batches) -> Tensor:
    """Compute the gradients of whole batches in parts and by all processes; returns the loss, and that of each term."""
    while True:
        run.optimizer.zero_grad(set_to_none=True)
        torch.manual_seed(int(run.step.random(run.accelerator.process_index).integers(2**63)))
        losses = summed(run, backward(run, batches))
        if losses is not None:
            return losses
        cut_further(run, max((batch for _, batch in batches), key=len))


def backward(run: Run, batches: Batches) -> Tensor | None:
    """Run backward for this process's texts of each batch, in parts; returns their share of the losses, or None if memory ran out."""
    total = torch.zeros(1 + len(run.terms), device=run.device)
    try:
        for terms, batch in batches:
            mine = np.arange(len(batch))[run.accelerator.process_index :: run.accelerator.num_processes]
            for places in np.array_split(mine, max(1, min(run.at.parts, len(mine)))):
                if len(places):
                    share, losses = len(places) / len(batch), losses_of(run, terms, batch.part(places))
                    loss = sum_of(run, terms, losses) * share
                    run.accelerator.backward(loss)
                    total[0] += loss.detach()
                    for term, of_term in zip(terms, losses, strict=True):
                        total[1 + run.terms.index(term)] += of_term.detach() * share
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        return None
    return total


def losses_of(run: Run, terms: Sequence[Term], part: Batch) -> list[Tensor]:
    """The loss of each of the terms that share a batch."""
    return [term.loss(run.psi, part, part.step) for term in terms]


def sum_of(run: Run, terms: Sequence[Term], losses: Sequence[Tensor]) -> Tensor:
    """Σ weight · loss, each side counted by α if the recipe has one."""
    weighed = [run.factor(term) * loss for term, loss in zip(terms, losses, strict=True)]
    return torch.stack(weighed).sum() if len(weighed) > 1 else weighed[0]


def summed(run: Run, losses: Tensor | None) -> Tensor | None:
    """Losses and gradients summed over all processes; None if memory ran out in any of them."""
    if run.accelerator.num_processes == 1:
        return losses
    learning = [p for p in run.parameters.values() if p.requires_grad]
    gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in learning]
    end = losses.new_tensor([0.0]) if losses is not None else torch.ones(1, device=run.device)
    values = torch.zeros(1 + len(run.terms), device=run.device) if losses is None else losses
    flat = torch.cat([*(gradient.reshape(-1) for gradient in gradients), values, end])
    flat = run.accelerator.reduce(flat, "sum")
    *parts, values, failures = flat.split([*(p.numel() for p in learning), len(values), 1])
    for parameter, part in zip(learning, parts, strict=True):
        parameter.grad = part.view_as(parameter)
    return None if failures.item() else values


def cut_further(run: Run, batch: Batch) -> None:
    """Double the number of parts of a batch, as memory ran out."""
    free_memory()
    longest, where = max(map(len, batch.rows)), f"the memory of {run.device}"
    if run.at.parts >= math.ceil(len(batch) / run.accelerator.num_processes):
        advice = (
            f"lower max_length ({run.recipe.reading.max_length}) or freeze more layers; batches of one text were tried"
        )
        raise TrainingError(f"a single text of {longest} word pieces does not fit into {where}; {advice}")
    run.at.parts *= 2
    size, parts = f"a batch of {counted(len(batch), 'text')} of up to {longest} word pieces", run.at.parts
    run.warn(
        f"{size} did not fit into {where}; batches are computed in {parts} parts from now on, with the same result"
    )


def evaluate(run: Run, held_out: Corpus) -> Judged | None:
    """Σ weight · loss of each held-out text, over those terms that have one, and the scores of the first that has answers."""

    def predict(rows: Corpus, phi: Array) -> Array:
        """ψ; each process computes its share."""
        mine = np.arange(len(rows))[run.accelerator.process_index :: run.accelerator.num_processes]
        part, psi = rows.take(mine), np.zeros_like(phi)
        psi[mine] = run.psi.predict(part.rows, phi[mine], device=run.device, layers=part.layers)
        if run.accelerator.num_processes > 1:
            psi = run.accelerator.reduce(torch.as_tensor(psi).to(run.device), "sum").cpu().numpy()
        return psi

    found = [(term.weight, term.judged(held_out, predict)) for term in run.terms]
    known = [(weight, judged) for weight, judged in found if judged is not None]
    if not known:
        return None
    answering = next((judged for _, judged in known if judged.accuracy is not None), known[0][1])
    return answering._replace(losses=np.sum([weight * judged.losses for weight, judged in known], axis=0))
