"""Texts and labels as users pass them → lists the rest can rely on. Imports errors and numpy only."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from rulenet.errors import InputError, LabelError
from rulenet.rules.ruleset import RuleSet

SHOWN = 5


def check_texts(texts: Any, *, name: str = "texts", may_be_empty: bool = True) -> list[str]:
    """A list of strings, or an error that names every kind of thing that is none.

    Raises
    ------
    InputError
        For a bare string, a table, or elements that are not strings.

    Examples
    --------
    >>> check_texts("one text")
    Traceback (most recent call last):
    rulenet.errors.InputError: texts is one string; pass a list of strings: [text]
    """
    if isinstance(texts, (str, bytes)):
        raise InputError(f"{name} is one string; pass a list of strings: [text]")
    if not isinstance(texts, Iterable):
        raise InputError(f"{name} is a {type(texts).__name__}; pass a list of strings")
    if getattr(texts, "ndim", 1) != 1:
        shape = getattr(texts, "shape", "")
        raise InputError(f"{name} has shape {shape}; pass one column of strings, such as table['text']")
    found = list(texts)
    wrong = [(i, text) for i, text in enumerate(found) if not isinstance(text, str)]
    if wrong:
        shown = ", ".join(f"[{i}] is {text!r:.40} ({type(text).__name__})" for i, text in wrong[:SHOWN])
        more = f" and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        raise InputError(
            f"{len(wrong)} of {len(found)} {name} are not strings: {name}{shown.replace(', [', f', {name}[')}{more}. Drop or fill them"
        )
    if not may_be_empty:
        if not found:
            raise InputError(f"{name} is empty; there is nothing to learn from")
        if not any(text.strip() for text in found):
            raise InputError(f"all {len(found)} {name} are empty; there is nothing to learn from")
    return [str(text) for text in found]


def check_labels(labels: Any, n_texts: int) -> tuple[Any, Any]:
    """Classes as the user gave them, sorted, and the class index of each text.

    Raises
    ------
    InputError
        If the length differs or labels are missing.
    LabelError
        If there are fewer than two classes.
    """
    found = (
        [label.item() if isinstance(label, np.generic) else label for label in labels]
        if not isinstance(labels, str)
        else None
    )
    if found is None:
        raise InputError("labels is one string; pass a list with one label per text")
    if len(found) != n_texts:
        raise InputError(f"there are {n_texts} texts but {len(found)} labels; they must correspond one to one")
    missing = [i for i, label in enumerate(found) if label is None or label != label]
    if missing:
        raise InputError(
            f"{len(missing)} labels are missing (None or NaN), the first at position {missing[0]}; "
            "drop those rows, or pass their texts as unlabeled=[…]"
        )
    kinds = {type(label).__name__ for label in found}
    if len(kinds) > 1 or not kinds <= {"str", "int", "bool", "float"}:
        raise InputError(f"labels are of type {', '.join(sorted(kinds))}; use one of str, int or bool for all")
    if kinds == {"float"} and any(label != int(label) for label in found):
        raise InputError("labels are continuous numbers; rulenet classifies, so use one name or whole number per class")
    classes, y = np.unique(np.array(found), return_inverse=True)
    if len(classes) < 2:
        raise LabelError(f"all {n_texts} labels are {classes[0]!r}; at least two classes are needed to tell apart")
    names = [str(label) for label in classes.tolist()]
    if len(set(names)) < len(names):
        raise LabelError("two classes have the same name as text; rename one")
    return classes, y


def check_rule_labels(ruleset: RuleSet, classes: Sequence[str]) -> None:
    """Rules and data must speak of the same labels.

    Raises
    ------
    LabelError
        Naming the labels that only one side has.
    """
    used = list(dict.fromkeys(rule.label for rule in ruleset.rules))
    problems = []
    for label in dict.fromkeys([*used, *ruleset.labels]):
        if label not in classes:
            close = difflib.get_close_matches(label.lower(), [name.lower() for name in classes], n=1)
            hint = f" (did you mean {next(n for n in classes if n.lower() == close[0])!r}?)" if close else ""
            rules = [rule.id for rule in ruleset.rules if rule.label == label]
            where = (
                f"used by rule {rules[0]!r}" + (f" and {len(rules) - 1} more" if len(rules) > 1 else "")
                if rules
                else "declared under `labels`"
            )
            problems.append(f"label {label!r} of {ruleset.name} ({where}) is not in the data{hint}")
    declared = ruleset.file.labels
    if declared:
        problems += [
            f"label {name!r} of the data is not among `labels` of {ruleset.name}; add it there"
            for name in classes
            if name not in declared
        ]
    if problems:
        raise LabelError(
            f"rules and data disagree about labels: {'; '.join(problems)}. The data has: {', '.join(classes)}"
        )
