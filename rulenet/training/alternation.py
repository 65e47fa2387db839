"""Several tunings one after another, each from the best weights so far: prompt → LoRA → prompt … Imports neighbours; torch, late.

A stage counts only if it raises the held-out score; one that did not is not tried again until another has. So training ends when nothing
helps any more, and is never worse on the held-out texts than its best stage alone.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rulenet.base.progress import is_main_process
from rulenet.base.wording import counted
from rulenet.errors import ParameterError
from rulenet.training.corpus import Corpus
from rulenet.training.job import STAGE, Job
from rulenet.training.objectives.objective import Term
from rulenet.training.phi_stage import MIN_HELD_OUT
from rulenet.training.recipe import Recipe
from rulenet.training.report import Report
from rulenet.training.tuning.tuning import Tuning

if TYPE_CHECKING:
    from rulenet.model.psi import Psi
    from rulenet.training.checkpoint import Checkpoint
    from rulenet.training.run import Outcome


def check_stages(recipe: Recipe, n_labelled: int) -> None:
    """Refuse stages that no held-out texts could judge; called before any work."""
    if recipe.stages and n_labelled < MIN_HELD_OUT:
        texts = counted(n_labelled, "labelled text")
        raise ParameterError(
            f"stages are compared on held-out texts, and of {texts} none are held out ({MIN_HELD_OUT} are needed); use tune instead"
        )


def train_stages(
    psi: Psi, train: Corpus, held_out: Corpus | None, recipe: Recipe, terms: Sequence[Term], job: Job,
    checkpoint: Checkpoint | None, report: Report, *, judge_start: bool,
) -> Outcome:  # fmt: skip
    """Train ψ by a recipe's tuning or, if it has stages, by one after another; see `rulenet.training.loop.train_psi`."""
    import torch

    from rulenet.training.loop import train_psi
    from rulenet.training.run import Outcome

    if not recipe.stages:
        return train_psi(psi, train, held_out, recipe, terms, job, checkpoint, judge_start=judge_start)
    if checkpoint is not None and not checkpoint.resume and is_main_process():
        for old in checkpoint.folder.glob(f"{STAGE}*"):
            shutil.rmtree(old, ignore_errors=True)
    whole, failed = Outcome([], [], 0), list[Tuning]()
    for number, tuning in enumerate(recipe.stages, start=1):
        if tuning in failed:
            continue
        for module in (psi.body, *(module for term in terms for module in term.modules.values())):
            module.requires_grad_(True)
        torch.manual_seed(
            job.seed + number
        )  # what a stage begins with must not depend on whether the one before was trained or resumed
        one = recipe.with_changes(stages=(), tune=tuning).resolved(len(train), psi.encoder.traits)
        kept, name = checkpoint and checkpoint.of_stage(number), f"{number}. {tuning.stage}"
        begun = judge_start or bool(whole.best_epoch)
        outcome = train_psi(psi, train, held_out, one, terms, job, kept, judge_start=begun, stage=name)
        helped = outcome.best_epoch > 0
        failed = [] if helped else [*failed, tuning]
        line = stage_line(tuning.stage, outcome)
        report.stages.append(line)
        job.progress.say(told(number, line))
        whole = joined(whole, outcome)
        if outcome.interrupted:
            break
    return whole


def joined(before: Outcome, stage: Outcome) -> Outcome:
    """What came of two stages; epochs are counted on."""
    helped, n = stage.best_epoch > 0, len(before.train_loss)
    share = max(before.trained_share, stage.trained_share, key=lambda share: share.get("encoder", 0.0))
    return replace(
        before if not helped else stage,
        train_loss=before.train_loss + stage.train_loss, held_out_loss=before.held_out_loss + stage.held_out_loss,
        best_epoch=n + stage.best_epoch if helped else before.best_epoch, joint=before.joint or stage.joint,
        interrupted=stage.interrupted, trained_share=share, curve=before.curve + stage.curve,
    )  # fmt: skip


def stage_line(name: str, outcome: Outcome) -> dict[str, Any]:
    """A stage in the report: its epochs, and what held-out texts say of the best of them."""
    judged = [point for point in outcome.curve if point["held_out_loss"] is not None]
    best = outcome.curve[outcome.best_epoch - 1] if outcome.best_epoch else None
    best = best or min(judged, key=lambda point: point["held_out_loss"], default={})
    scores = {score: best.get(score) for score in ("held_out_loss", "accuracy", "macro_f1")}
    share = outcome.trained_share.get("encoder", 0.0)
    return {"name": name, "epochs": len(outcome.curve), **scores, "trained": share, "kept": outcome.best_epoch > 0}


def told(number: int, line: dict[str, Any]) -> str:
    """The same for people.

    Examples
    --------
    >>> told(2, {"name": "lora", "epochs": 3, "held_out_loss": 0.5, "accuracy": 0.8, "trained": 0.003, "kept": True})
    'stage 2, lora: 3 epochs, held-out loss 0.500, accuracy 80.0%, 0.30% of the encoder trained, kept'
    """
    loss = "" if line["held_out_loss"] is None else f", held-out loss {line['held_out_loss']:.3f}"
    right = "" if line["accuracy"] is None else f", accuracy {line['accuracy']:.1%}"
    end = "kept" if line["kept"] else "no better than before, so not kept"
    done = f"{counted(line['epochs'], 'epoch')}{loss}{right}, {line['trained']:.2%} of the encoder trained"
    return f"stage {number}, {line['name']}: {done}, {end}"
