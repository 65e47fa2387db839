"""What an epoch has come to, for `report_["curves"]`: written down from what training computes anyway. Imports the run and Judged."""

from __future__ import annotations

from typing import Any

import numpy as np

from rulenet.training.objectives.objective import Judged
from rulenet.training.run import Run

Point = dict[str, Any]


def point(run: Run, train_loss: float, judged: Judged | None) -> Point:
    """The epoch that ends now.

    ``stage``: what was trained, with "+ φ" where φ learned too. ``terms``: mean loss of each objective, by its class, without its weight.
    ``held_out_loss``, ``accuracy`` and ``macro_f1`` are None where no held-out text tells. ``learning_rate`` is that of its last step.
    """
    at = run.at
    names = [term.name or type(term).__name__ for term in run.terms]
    means = np.mean(at.term_losses, axis=0).tolist() if at.term_losses else []
    return {
        "stage": run.stage if at.epoch < run.epochs - run.joint else f"{run.stage} + φ",
        "epoch": at.epoch + 1,
        "train_loss": train_loss,
        "held_out_loss": None if judged is None else float(judged.losses.mean()),
        "accuracy": None if judged is None else judged.accuracy,
        "macro_f1": None if judged is None else judged.macro_f1,
        "learning_rate": at.learning_rate,
        "terms": dict(zip(names, means, strict=False)),
    }
