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
