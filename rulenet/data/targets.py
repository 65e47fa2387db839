"""Labels as users give them → classes and targets, in training and against a fitted model. Imports errors, check and numpy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rulenet.base.types import Array
from rulenet.base.wording import some
from rulenet.data.check import check_labels
from rulenet.data.labels import match_labels
from rulenet.errors import InputError, LabelError


def class_targets(
    labels: Any, n_texts: int, *, n_unlabeled: int, rule_labels: Sequence[str] | None
) -> tuple[Any, Array]:
    """Return the classes, and the target distribution of every text; rows of zeros where there is no label.

    Parameters
    ----------
    labels
        One label for each of `n_texts`; None: the classes are those of the rules.
    n_unlabeled
        Number of further texts without labels, which come last.
    rule_labels
        Labels that the rules name; None if there are no rules.

    Examples
    --------
    >>> classes, Y = class_targets(["spam", "ham"], 2, n_unlabeled=1, rule_labels=None)
    >>> classes.tolist(), Y.tolist()
    (['ham', 'spam'], [[0.0, 1.0], [1.0, 0.0], [0.0, 0.0]])
    """
    if labels is not None:
        classes, y = check_labels(labels, n_texts)
        return classes, np.vstack([np.eye(len(classes))[y], np.zeros((n_unlabeled, len(classes)))])
    if rule_labels is None:
        raise InputError("labels=None learns from rules only, but there are no rules: pass rules=… or labels")
    if len(rule_labels) < 2:
        named = f"only the label {rule_labels[0]!r}" if rule_labels else "no label"
        raise LabelError(f"the rules name {named}, but at least two labels are needed")
    return np.array(sorted(rule_labels)), np.zeros((n_texts + n_unlabeled, len(rule_labels)))


def class_indices(labels: Sequence[str], classes: Sequence[Any], source: str) -> Array:
    """Return the index of each label of a data set among the classes of a model; spellings that mean the same are.

    Examples
    --------
    >>> class_indices(["2.0", "1"], [1, 2], "mail.csv").tolist()
    [1, 0]
    """
    index = match_labels(labels, classes)
    if unknown := sorted(set(labels) - index.keys()):
        shown, known = some([repr(name) for name in unknown]), some([repr(str(name)) for name in classes], 30)
        raise LabelError(f"{source} has labels that the model does not know: {shown}; the model knows {known}")
    return np.array([index[label] for label in labels], dtype=np.intp)
