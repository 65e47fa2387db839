"""Which labels a model has, and what the labels of a data set mean. Imports check, errors, wording and numpy.

Three things may know labels: the data, the rules, and the user, who may list them. Meta-estimators of scikit-learn number the labels before
they pass them on; only the list can say which label a number means.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from rulenet.base.types import Array
from rulenet.base.wording import some
from rulenet.data.check import check_labels, label_list, one_class
from rulenet.data.labels import match_labels
from rulenet.errors import InputError, LabelError, ParameterError


@dataclass(frozen=True)
class Classes:
    """The labels of a model in column order.

    Attributes
    ----------
    labels
        As `predict` gives them: of the type that the data has, sorted.
    names
        As rules have them.
    y
        Class index of each text; None if there are no labels. Of several labels per text a matrix of 0 and 1.
    is_one_against_rest
        Whether 0 and 1 stand for one label against others, as `OneVsRestClassifier` gives them: no rule can know which.
    form
        What users gave: one label per text, sets of labels, or an indicator matrix.
    """

    labels: Array
    names: list[str]
    y: Array | None
    is_one_against_rest: bool = False
    form: Literal["one", "sets", "matrix"] = "one"

    def targets(self, weight: Array | None, n_unlabeled: int) -> Array:
        """The target distribution of each text times its weight, zeros where there is no label; unlabelled texts come last."""
        K = len(self.names)
        if self.y is None:
            raise InputError("there are no labels")
        Y = np.eye(K)[self.y] if weight is None else np.eye(K)[self.y] * weight[:, None]
        return np.vstack([Y, np.zeros((n_unlabeled, K))])


def find_classes(y: Any, n_texts: int, *, classes: Any = None, rule_labels: Sequence[str] | None = None) -> Classes:
    """The labels of a model, from its data, its rules and the list that the user may give.

    Parameters
    ----------
    y
        One label for each of `n_texts`; None: there are none.
    classes
        All labels. If they are no numbers, whole numbers in `y` count them from 0.
    rule_labels
        Labels that the rules name; None if there are no rules.

    Examples
    --------
    >>> find_classes([1, 0], 2, classes=["spam", "ham"])
    Classes(labels=array([0, 1]), names=['spam', 'ham'], y=array([1, 0]), is_one_against_rest=False, form='one')
    >>> find_classes(["ham", "spam"], 2, rule_labels=["offer"]).names
    ['ham', 'offer', 'spam']
    """
    if classes is not None:
        return _listed(y, n_texts, _checked_list(classes), rule_labels or ())
    if y is None and rule_labels is None:
        raise InputError("labels=None learns from rules only, but there are no rules: pass rules=… or labels")
    if y is None:
        found = sorted(rule_labels or ())
        if len(found) < 2:
            named = f"only the label {found[0]!r}" if len(found) else "no label"
            raise LabelError(f"the rules name {named}, but at least two labels are needed")
        return Classes(np.array(found), found, None)
    known, indices = check_labels(y, n_texts, at_least=1 if rule_labels else 2)
    names = list(map(str, known.tolist()))
    more = [label for label in rule_labels or () if label not in names]
    is_name = isinstance(known[0], str)
    if more and not is_name and not (known.dtype.kind == "i" and all(map(str.isdecimal, more))):
        raise LabelError(_numbered(known, sorted(more)))
    labels = np.array(sorted({*known.tolist(), *(more if is_name else map(int, more))}))
    if len(labels) < 2:
        raise one_class(names[0])
    return Classes(labels, list(map(str, labels.tolist())), np.searchsorted(labels, known)[indices])


def class_weights(class_weight: Any, classes: Classes) -> Array | None:
    """What each text counts by its label, shape (n_texts,); None: all the same.

    Parameters
    ----------
    class_weight
        ``"balanced"``: all labels that have examples count the same together, and texts 1 on average. A mapping from labels to weights;
        a label that it lacks has 1.

    Examples
    --------
    >>> class_weights("balanced", find_classes(["a", "a", "a", "b"], 4)).round(2).tolist()
    [0.67, 0.67, 0.67, 2.0]
    """
    if class_weight is None or classes.y is None:
        return None
    if isinstance(class_weight, str) and class_weight == "balanced":
        n = np.bincount(classes.y, minlength=len(classes.names))
        return np.asarray((len(classes.y) / ((n > 0).sum() * np.maximum(n, 1)))[classes.y])
    if not isinstance(class_weight, Mapping):
        raise ParameterError(
            f"class_weight={class_weight!r} is not 'balanced', a mapping from labels to weights, or None"
        )
    place = {name: k for k, name in enumerate(classes.names)} | {
        label: k for k, label in enumerate(classes.labels.tolist())
    }
    weights = np.ones(len(classes.names))
    for label, weight in class_weight.items():
        is_fine = isinstance(weight, (int, float, np.number)) and np.isfinite(weight) and weight > 0
        if label not in place or not is_fine:
            what = f"weight {weight!r} is not a number above 0" if label in place else "no such label"
            raise ParameterError(
                f"class_weight: {label!r}: {what}; the labels are {some(list(map(repr, classes.names)))}"
            )
        weights[place[label]] = weight
    return np.asarray(weights[classes.y])


def known_indices(y: Any, n_texts: int, labels: list[Any]) -> Array:
    """The class index of each label among those of a model; others are refused."""
    known, indices = check_labels(y, n_texts, at_least=1)
    places = match_labels(known.tolist(), labels)
    if unknown := [label for label in known.tolist() if label not in places]:
        raise LabelError(f"the model does not know these labels: {unknown}; it knows {labels}")
    if len(known) < 2:
        raise one_class(known.tolist()[0])
    return np.asarray(np.array([places[label] for label in known.tolist()], dtype=np.intp)[indices])


def _checked_list(classes: Any) -> list[Any]:
    """The labels that the user lists, each once."""
    found = label_list(classes, None, name="classes")
    if len(found) < 2 or len(set(found)) < len(found):
        what = "lists a label twice" if len(found) > 1 else "needs at least two labels"
        raise ParameterError(f"classes={found!r} {what}")
    return found


def _listed(y: Any, n_texts: int, classes: list[Any], rule_labels: Sequence[str]) -> Classes:
    """What labels mean if the user lists all."""
    names = list(map(str, classes))
    if unknown := [label for label in rule_labels if label not in names]:
        raise LabelError(f"classes={classes!r} lacks labels of the rules: {some(list(map(repr, unknown)))}; add them")
    order = sorted(range(len(classes)), key=classes.__getitem__)
    labels, sorted_names = np.array([classes[k] for k in order]), [names[k] for k in order]
    if y is None:
        return Classes(labels, sorted_names, None)
    known, indices = check_labels(y, n_texts, at_least=1)
    values = known.tolist()
    if set(values) <= set(classes) and isinstance(values[0], type(classes[0])):
        return Classes(labels, sorted_names, np.searchsorted(labels, known)[indices])
    are_places = all(type(v) is int and v in range(len(classes)) for v in values)
    if are_places and isinstance(classes[0], str):
        if len(classes) > 2 and values == [0, 1]:
            return Classes(np.array(values), ["0", "1"], indices, is_one_against_rest=True)
        return Classes(np.arange(len(classes)), names, known[indices])
    unknown = [repr(value) for value in values if value not in classes]
    raise LabelError(
        f"y has labels that are not among classes={classes!r}: {some(unknown or list(map(repr, values)))}; add them"
    )


def _numbered(known: Any, rule_labels: list[str]) -> str:
    """The message for numbers that meet rules with names."""
    what = f"the labels are numbers ({some(list(map(repr, known.tolist())))}), but the rules have {some(list(map(repr, rule_labels)))}"
    why = "scikit-learn's meta-estimators number the labels, in sorted order, before they pass them on"
    return f"{what}. {why}; say which label each number means: RuleNetClassifier(…, classes=[…]), all labels sorted"
