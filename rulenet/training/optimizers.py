"""How weights are moved by their gradients, and how far at which step. Imports the recipe; torch.

500 rows of TREC, MiniLM, one seed: AdamW with a linear schedule 86.5, cosine 86.2; Lion at a fifth of its rate 83.4.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch.optim import SGD, Adafactor, AdamW, Optimizer

from rulenet.training.recipe import Recipe


def new_optimizer_of(groups: list[dict[str, Any]], recipe: Recipe, *, fused: bool) -> Optimizer:
    """The optimizer of a recipe; each group of parameters has its ``initial_lr``, and what it does not say is the recipe's."""
    decay, name = recipe.steps.weight_decay, recipe.steps.optimizer
    if name == "lion":
        return Lion(groups, weight_decay=decay)
    if name == "adafactor":
        # It divides by the number of weights, and φ has none for rules where there are no rules.
        groups = [{**group, "params": [weight for weight in group["params"] if weight.numel()]} for group in groups]
        return Adafactor(groups, weight_decay=decay)
    if name == "sgd":
        return SGD(groups, momentum=0.9, weight_decay=decay)
    return AdamW(groups, weight_decay=decay, fused=fused or None)


def rate_factor(recipe: Recipe, step: int, total: int) -> float:
    """Factor of the learning rate at a step.

    Examples
    --------
    >>> for schedule in ("linear", "cosine", "constant", "one_cycle"):
    ...     recipe = Recipe.of(schedule=schedule)
    ...     [round(rate_factor(recipe, step, 20), 2) for step in (0, 1, 2, 6, 11, 20)]
    [0.5, 1.0, 1.0, 0.78, 0.5, 0.0]
    [0.5, 1.0, 1.0, 0.88, 0.5, 0.0]
    [0.5, 1.0, 1.0, 1.0, 1.0, 1.0]
    [0.04, 0.1, 0.28, 1.0, 0.72, 0.0]
    """
    schedule = recipe.steps.schedule
    if schedule == "one_cycle":
        rise = max(1, int(ONE_CYCLE_RISE * total))
        if step < rise:
            return FIRST + (1 - FIRST) * (1 - _half_wave(step / rise))
        return _half_wave((step - rise) / max(1, total - rise))
    rise = max(1, int(recipe.steps.warmup * total))
    if step < rise:
        return (step + 1) / rise
    if schedule == "constant":
        return 1.0
    if schedule == "cosine":
        return _half_wave((step - rise) / max(1, total - rise))
    return max(0.0, (total - step) / max(1, total - rise))


ONE_CYCLE_RISE, FIRST = (
    0.3,
    0.04,
)  # share of the steps in which the rate rises, and what it begins with, as in torch's OneCycleLR


def _half_wave(share: float) -> float:
    """From 1 to 0 along a cosine."""
    return 0.5 * (1 + math.cos(math.pi * min(1.0, share)))


class Lion(Optimizer):
    """Each weight moves by the learning rate, in the direction of its smoothed gradient (Chen et al. 2023).

    torch has no Lion, and the packages that have one bring much else.
    """

    def __init__(self, groups: list[dict[str, Any]], *, weight_decay: float) -> None:
        super().__init__(groups, {"lr": 1e-4, "weight_decay": weight_decay, "betas": (0.9, 0.99)})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """One step."""
        for group in self.param_groups:
            rate, (now, kept) = group["lr"], group["betas"]
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                smoothed = self.state[weight].setdefault("exp_avg", torch.zeros_like(weight))
                weight.mul_(1 - rate * group["weight_decay"])
                weight.sub_(rate * torch.sign(now * smoothed + (1 - now) * weight.grad))
                smoothed.lerp_(weight.grad, 1 - kept)
