"""Whether a model has learned its training texts by heart, read from its curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

SEVERAL = 3  # epochs


def overfitting(curve: Sequence[Mapping[str, Any]], best_epoch: int) -> str:
    """In plain words, from which epoch on the loss on held-out texts rose while that on training texts fell; empty if it did not.

    Parameters
    ----------
    curve
        From `rulenet.training.curves.point`; epochs in which φ learns too do not count, as theirs is another loss.
    best_epoch
        The one whose weights were kept, 0 for those before training.

    Examples
    --------
    >>> def curve(train, held_out):
    ...     pairs = enumerate(zip(train, held_out), start=1)
    ...     return [{"stage": "", "epoch": i, "train_loss": a, "held_out_loss": b} for i, (a, b) in pairs]
    >>> overfitting(curve([1.0, 0.6, 0.4, 0.3, 0.2], [0.9, 0.7, 0.72, 0.8, 0.9]), 2).partition(";")[0]
    'overfitting: after epoch 2 the loss on held-out texts rose (0.70 → 0.90), while that on training texts fell (0.60 → 0.20)'
    >>> overfitting(curve([1.0, 0.6, 0.4, 0.3, 0.2], [0.9, 0.7, 0.72, 0.71, 0.7]), 2)
    ''
    """
    points = [point for point in curve if point["held_out_loss"] is not None and not point["stage"].endswith("+ φ")]
    if not points:
        return ""
    lowest = min(range(len(points)), key=lambda i: points[i]["held_out_loss"])
    first, *later = points[lowest:]
    rises = all(one["held_out_loss"] < two["held_out_loss"] for one, two in pairwise([first, *later]))
    if len(later) < SEVERAL or not rises or later[-1]["train_loss"] >= first["train_loss"]:
        return ""
    held_out, train = (f"{first[name]:.2f} → {later[-1][name]:.2f}" for name in ("held_out_loss", "train_loss"))
    kept = f"the weights of epoch {best_epoch} are kept" if best_epoch else "the weights from before training are kept"
    return (
        f"overfitting: after epoch {first['epoch']} the loss on held-out texts rose ({held_out}), while that on training texts fell "
        f"({train}); {kept}. More labelled texts help most; else patience, a lower learning_rate or label_smoothing"
    )
