"""When two spellings are one label: whole numbers and yes-no values differ between csv, JSON, Parquet and pandas. Imports nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

_WHOLE = re.compile(r"([+-]?[0-9]{1,18})\.0+")


def as_label(value: Any) -> str | None:
    """The label that a cell means, as a string; None if it is missing, blank, NaN or a collection.

    A label column of whole numbers with gaps is one of floats in pandas, so 1.0 is the label 1 wherever it is read.

    Examples
    --------
    >>> [as_label(value) for value in (1, 1.0, "1.0", "1", "v1.0", True, float("nan"), " ")]
    ['1', '1', '1', '1', 'v1.0', 'True', None, None]
    """
    if isinstance(value, (list, dict, bytes)) or value is None or value != value:
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = str(value)
    if whole := _WHOLE.fullmatch(text):
        return str(int(whole[1]))
    return text if text.strip() else None


def match_labels(labels: Sequence[Any], known: Sequence[Any]) -> dict[Any, int]:
    """The place of each label among those of a model; what the model does not know is left out.

    Whoever spells a label as the model does gets that one. Else 1, 1.0 and "1" are one label, and so are true, True and TRUE.

    Examples
    --------
    >>> match_labels(["1.0", "TRUE", "cat"], ["1", "True"])
    {'1.0': 0, 'TRUE': 1}
    """
    exact = {str(label): i for i, label in enumerate(known)}
    loose: dict[str, int] = {}
    for label, i in exact.items():
        loose[_key(label)] = i if _key(label) not in loose else -1  # two labels of the model that differ only so
    places = {label: exact.get(str(label), loose.get(_key(label), -1)) for label in dict.fromkeys(labels)}
    return {label: place for label, place in places.items() if place >= 0}


def _key(label: Any) -> str:
    text = as_label(label) or str(label)
    return text.lower() if text.lower() in ("true", "false") else text
