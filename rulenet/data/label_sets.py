"""Several labels per text: lists, sets, or an indicator matrix → classes and a matrix of 0 and 1. Imports check, classes, errors, numpy.

A matrix keeps the order of its columns, as what scikit-learn's users get back must fit what they gave; lists have sorted labels.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

import numpy as np

from rulenet.base.types import Array
from rulenet.base.wording import counted, some
from rulenet.data.check import label_list
from rulenet.data.classes import Classes
from rulenet.data.labels import match_labels
from rulenet.errors import InputError, LabelError


def has_several(y: Any) -> bool:
    """Whether labels are several per text: a matrix of at least two columns, or lists, tuples or sets.

    Examples
    --------
    >>> has_several([["a", "b"], []]), has_several(np.eye(2)), has_several(["a", "b"]), has_several(np.array([["a"], ["b"]]))
    (True, True, False, False)
    """
    if y is None or isinstance(y, (str, bytes, Mapping, Set)):
        return False
    shape = getattr(y, "shape", None)
    if isinstance(shape, tuple) and len(shape) == 2:
        return bool(shape[1] >= 2) or hasattr(y, "toarray")
    return isinstance(y, Iterable) and hasattr(y, "__len__") and any(map(_is_set, _plain(y)))


def find_label_sets(y: Any, n_texts: int, *, classes: Any = None, rule_labels: Sequence[str] | None = None) -> Classes:
    """The labels of a model whose texts have several: see `find_classes`.

    Examples
    --------
    >>> found = find_label_sets([["joy", "love"], [], ["joy"]], 3)
    >>> found.names, found.y.tolist(), found.form
    (['joy', 'love'], [[1, 1], [0, 0], [1, 0]], 'sets')
    >>> find_label_sets(np.array([[0, 1], [1, 1]]), 2, classes=["love", "joy"]).names
    ['love', 'joy']
    """
    listed = None if classes is None else label_list(classes, None, name="classes")
    if listed is not None and len(set(listed)) < len(listed):
        raise LabelError(f"classes={listed!r} lists a label twice")
    if is_matrix := _is_matrix(y):
        Y, names = _matrix(y, n_texts)
        values = _column_labels(names, Y.shape[1], listed, rule_labels)
    else:
        _refuse_nested(y)
        sets = checked_sets(y, n_texts)
        values = sorted(dict.fromkeys(label for labels in sets for label in labels)) if listed is None else listed
        if listed is None and rule_labels:
            values = _with_rules(values, rule_labels)
        Y = indicator(sets, values, "classes=[…]")
    if len(values) < 2:
        found = f"only the label {values[0]!r}" if values else "no label at all"
        raise LabelError(
            f"the label sets have {found}, but at least two labels are needed; for one, yes or no, give each text one label"
        )
    texts = [str(value) for value in values]
    if lacking := [label for label in rule_labels or () if label not in texts]:
        raise LabelError(
            f"the rules have labels that the data lacks: {some(list(map(repr, lacking)))}; it has {some(list(map(repr, texts)))}"
        )
    if not Y.any():
        raise LabelError("all label sets are empty: there is nothing to learn from")
    _warn(Y, texts, rule_labels or ())
    return Classes(np.array(values), texts, Y, form="matrix" if is_matrix else "sets")


def known_sets(y: Any, n_texts: int, labels: Sequence[Any]) -> Array:
    """Label sets or a matrix, as users pass them to a fitted model, as a matrix of 0 and 1; its columns are the labels of the model."""
    if not has_several(y) and not (len(y) == 0):
        raise InputError(
            "the model has several labels per text, but these are one per text: pass a list of lists or a matrix"
        )
    if not _is_matrix(y):
        return indicator(checked_sets(y, n_texts), list(labels), "the model")
    Y, names = _matrix(y, n_texts)
    if Y.shape[1] != len(labels):
        raise InputError(
            f"the matrix has {counted(Y.shape[1], 'column')}, but the model has {counted(len(labels), 'label')}"
        )
    if names is not None and list(map(str, names)) != list(map(str, labels)):
        raise LabelError(
            f"the columns of the matrix are {some(list(map(repr, names)))}; the model's are {some(list(map(repr, labels)))}"
        )
    return Y


def as_tuples(answers: Array, labels: Array) -> Array:
    """The labels of each text as a tuple, shape (n_texts,), from rows of 0 and 1.

    Examples
    --------
    >>> as_tuples(np.array([[1, 1], [0, 0]]), np.array(["joy", "love"])).tolist()
    [('joy', 'love'), ()]
    """
    found = np.empty(len(answers), dtype=object)
    for i, row in enumerate(answers.astype(bool)):
        found[i] = tuple(labels[row].tolist())
    return found


# ---------------------------------------------------------------------- matrices


def _is_matrix(y: Any) -> bool:
    return isinstance(getattr(y, "shape", None), tuple) and len(y.shape) == 2


def _refuse_nested(y: Any) -> None:
    """Refuse lists that look like rows of a matrix, which nobody can tell from sets of the labels 0 and 1."""
    rows = [list(row) if _is_set(row) else [row] for row in _plain(y)]
    width = len(rows[0]) if rows else 0
    if width >= 2 and all(
        len(row) == width and all(not isinstance(v, str) and v in (0, 1) for v in row) for row in rows
    ):
        raise InputError(
            "the label sets are lists of 0 and 1, all of one length: if they are the rows of an indicator matrix, pass np.array(y)"
        )


def _matrix(y: Any, n_texts: int) -> tuple[Array, list[Any] | None]:
    """A matrix of 0 and 1, and the names of its columns if it has any."""
    names = list(y.columns) if hasattr(y, "columns") and not hasattr(y, "toarray") else None
    values = y.toarray() if hasattr(y, "toarray") else np.asarray(y)
    if len(values) != n_texts:
        raise InputError(
            f"{counted(n_texts, 'text')} but {counted(len(values), 'row')} of labels: give each text one row"
        )
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError("the label matrix has values that are not numbers: it takes 0 and 1 alone") from None
    if odd := np.argwhere(~np.isin(numbers, (0.0, 1.0))).tolist():
        row, column = odd[0]
        what = "missing (NaN)" if np.isnan(numbers[row, column]) else repr(values[row, column].item())
        where = f"row {row}, column {names[column] if names else column!r}"
        raise InputError(
            f"the label matrix takes 0 and 1 alone, but {len(odd):,} values are not; the first, in {where}, is {what}"
        )
    return np.asarray(numbers, dtype=np.intp), names


def _column_labels(
    names: list[Any] | None, n: int, listed: list[Any] | None, rule_labels: Sequence[str] | None
) -> list[Any]:
    """What the columns of a matrix are called."""
    if listed is not None and len(listed) != n:
        raise LabelError(
            f"classes= names {counted(len(listed), 'label')}, but the matrix has {counted(n, 'column')}: name each column"
        )
    if names is not None and all(isinstance(name, (str, int, np.integer)) and str(name).strip() for name in names):
        named = label_list(names, None, name="the columns of the matrix")
        if listed is not None and list(map(str, named)) != list(map(str, listed)):
            raise LabelError(
                f"the columns of the matrix are {named}, but classes={listed}: leave classes out or give it in this order"
            )
        if len(set(named)) < len(named):
            raise LabelError(
                f"two columns of the matrix have one name: {some(sorted({str(x) for x in named if named.count(x) > 1}))}"
            )
        return listed or named
    if names is not None and listed is None:
        bad = next(
            i for i, name in enumerate(names) if not (isinstance(name, (str, int, np.integer)) and str(name).strip())
        )
        raise LabelError(f"column {bad} of the label matrix has no name ({names[bad]!r}): name it, or pass classes=[…]")
    if listed is None and rule_labels:
        raise LabelError(
            "the columns of the label matrix have no names, but the rules have labels: pass classes=[…], one for each column"
        )
    return list(range(n)) if listed is None else listed


# ---------------------------------------------------------------------- sets


def _is_set(value: Any) -> bool:
    return isinstance(value, (list, tuple, set, frozenset)) or (isinstance(value, np.ndarray) and value.ndim == 1)


def _plain(y: Any) -> list[Any]:
    return list(y.to_pylist() if hasattr(y, "to_pylist") else y)


def checked_sets(y: Any, n_texts: int) -> list[list[Any]]:
    """The labels of each text, each once."""
    rows = _plain(y)
    if len(rows) != n_texts:
        raise InputError(
            f"{counted(n_texts, 'text')} but {counted(len(rows), 'label set')}: give each text a list of labels, maybe an empty one"
        )
    if odd := [i for i, row in enumerate(rows) if not _is_set(row)]:
        i = odd[0]
        raise InputError(
            f"{counted(len(odd), 'text has', 'texts have')} no list of labels but one value, the first at position {i}: {rows[i]!r:.40}; "
            "give every text a list: [label] for one, [] for none"
        )
    flat = label_list([label for row in rows for label in row], None) if any(len(row) for row in rows) else []
    labels = iter(flat)
    return [list(dict.fromkeys(next(labels) for _ in row)) for row in rows]


def _with_rules(values: list[Any], rule_labels: Sequence[str]) -> list[Any]:
    """The labels of the data and of the rules, sorted."""
    more = [label for label in rule_labels if label not in map(str, values)]
    if more and values and not isinstance(values[0], str):
        raise LabelError(
            f"the labels are numbers, but the rules have {some(list(map(repr, more)))}: pass the labels' names"
        )
    return sorted([*values, *more])


def indicator(sets: list[list[Any]], values: Sequence[Any], of: str) -> Array:
    """A matrix of 0 and 1 from sets of labels."""
    place = match_labels(list(dict.fromkeys(label for labels in sets for label in labels)), values)
    if unknown := [repr(label) for labels in sets for label in labels if label not in place]:
        raise LabelError(
            f"{of} does not have these labels: {some(list(dict.fromkeys(unknown)))}; it has {some(list(map(repr, values)), 30)}"
        )
    Y = np.zeros((len(sets), len(values)), dtype=np.intp)
    for i, labels in enumerate(sets):
        Y[i, [place[label] for label in labels]] = 1
    return Y


def _warn(Y: Array, names: list[str], rule_labels: Sequence[str]) -> None:
    """Say which labels no text or every text has."""
    counts = Y.sum(axis=0)
    if never := [repr(name) for name, n in zip(names, counts.tolist(), strict=True) if not n]:
        why = "so only rules can speak for " + ("it" if len(never) == 1 else "them")
        warnings.warn(f"no text has the {'label' if len(never) == 1 else 'labels'} {some(never)}, {why}", stacklevel=5)
    if always := [repr(name) for name, n in zip(names, counts.tolist(), strict=True) if n == len(Y)]:
        warnings.warn(
            f"every text has the {'label' if len(always) == 1 else 'labels'} {some(always)}, so there is nothing to tell apart",
            stacklevel=5,
        )
