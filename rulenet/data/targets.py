"""Labels of a data set → class indices of a fitted model. Imports errors, labels and numpy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rulenet.base.types import Array
from rulenet.base.wording import some
from rulenet.data.labels import match_labels
from rulenet.errors import LabelError


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


def label_matrix(sets: Sequence[Sequence[str]], classes: Sequence[Any], source: str) -> Array:
    """Return which of the classes of a model each text of a data set has, shape (n_texts, n_classes), 0 or 1.

    Examples
    --------
    >>> label_matrix([("joy", "love"), (), ("joy",)], ["anger", "joy", "love"], "moods.csv").tolist()
    [[0, 1, 1], [0, 0, 0], [0, 1, 0]]
    """
    Y = np.zeros((len(sets), len(classes)), dtype=np.intp)
    flat = class_indices([label for labels in sets for label in labels], classes, source)
    Y[np.repeat(np.arange(len(sets)), list(map(len, sets))), flat] = 1
    return Y
