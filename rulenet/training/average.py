"""Stochastic weight averaging: the mean of the weights over the last steps of training, a candidate like an epoch (Izmailov et al. 2018).

Imports torch and its neighbours.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from rulenet.training.objectives.objective import Judged
from rulenet.training.run import Run


@torch.no_grad()
def add_to_average(run: Run) -> None:
    """Count the present weights in, if this is one of the last steps: the share `average` of the recipe."""
    share, at = run.recipe.steps.average, run.at
    if not share or at.steps <= round((1 - share) * run.total):
        return
    at.averaged += 1
    for name, parameter in run.parameters.items():
        if name in run.mean:
            run.mean[name] += (parameter - run.mean[name]) / at.averaged
        else:
            run.mean[name] = parameter.detach().clone()


@torch.no_grad()
def consider_average(run: Run, evaluate: Callable[[], Judged | None]) -> bool:
    """Take the average for the best weights if held-out texts prefer it to every epoch, or if there are none; whether it was."""
    if not run.mean:
        return False
    now = {name: parameter.detach().clone() for name, parameter in run.parameters.items()}
    for name, value in run.mean.items():
        run.parameters[name].copy_(value)
    judged = evaluate()
    if judged is None:
        return True
    if not run.best or _is_better(run, judged):
        run.remember(judged)
        return True
    for name, value in now.items():
        run.parameters[name].copy_(value)
    return False


def _is_better(run: Run, judged: Judged) -> bool:
    """Whether these weights are better than the best epoch, by the metric of the recipe and, of equal ones, by the loss."""
    score, best = judged.score(run.recipe.steps.metric), run.at.best_score
    if score is not None and best is not None and score != best:
        return score > best
    return float(judged.losses.mean()) < sum(run.at.best_losses) / len(run.at.best_losses)
