"""Texts and labels as users pass them → checked lists. Imports errors, wording, labels, clean, records and numpy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from enum import Enum
from typing import Any

import numpy as np

from rulenet.base.wording import counted, some
from rulenet.data.labels import as_label
from rulenet.errors import DataError, InputError, LabelError
from rulenet.text.clean import clean
from rulenet.text.record import Record

# numpy drops NUL at the end of a string, and files cannot store lone surrogates.
_NO_NAME = re.compile("[\0\ud800-\udfff]")
_INT64 = 2**63


def check_texts(texts: Any, *, name: str = "texts", may_be_empty: bool = True) -> list[str]:
    """Return a list of strings; mappings of named fields become records.

    Raises
    ------
    InputError
        For a single string, a table, or elements that are not strings.

    Examples
    --------
    >>> check_texts("one text")
    Traceback (most recent call last):
    rulenet.errors.InputError: texts is one string: pass a list of strings, such as [text]
    """
    column = _column(texts, name, "strings, such as table['text']", one="pass a list of strings, such as [text]")
    found = [_record(text) if isinstance(text, Mapping) else text for text in column]
    wrong = [(i, text) for i, text in enumerate(found) if not isinstance(text, str)]
    if wrong:
        shown = some([f"{name}[{i}] is {text!r:.40} ({type(text).__name__})" for i, text in wrong])
        raise InputError(f"{len(wrong)} of {len(found)} {name} are not strings: {shown}. Drop or replace them")
    if not may_be_empty and not any(clean(text).strip() for text in found):
        what = f"all {len(found)} {name} are empty" if found else f"{name} is empty"
        raise InputError(f"{what}: there is nothing to learn from")
    return [text if isinstance(text, Record) else str(text) for text in found]


def _record(parts: Mapping[Any, Any]) -> Any:
    """Convert a mapping of named fields to a record; return anything else unchanged, for the caller to refuse."""
    is_record = bool(parts) and all(isinstance(part, str) for pair in parts.items() for part in pair)
    return Record.of(parts) if is_record else parts


def check_labels(labels: Any, n_texts: int, *, at_least: int = 2) -> tuple[Any, Any]:
    """Return the classes as the user gave them, sorted, and the class index of each text.

    Raises
    ------
    InputError
        If the length differs, labels are missing, or labels are of a type that cannot name a class.
    LabelError
        If there are fewer than `at_least` classes.

    Examples
    --------
    >>> classes, y = check_labels(["spam", "ham", "spam"], 3)
    >>> classes.tolist(), y.tolist()
    (['ham', 'spam'], [1, 0, 1])
    """
    found = label_list(labels, n_texts)
    classes, y = np.unique(np.array(found), return_inverse=True)
    if len(classes) < at_least:
        raise one_class(found[0])
    return classes, y


def one_class(label: Any) -> LabelError:
    """The error for labels that are all the same."""
    return LabelError(f"all labels are {label!r}, one class, but at least two classes are needed")


def label_list(labels: Any, n_texts: int | None, *, name: str = "labels") -> list[Any]:
    """Return the labels as Python's own strings and numbers; those of an enumeration as their values. See `check_labels`.

    Examples
    --------
    >>> label_list(np.array([["spam"], ["ham"]]), 2)
    ['spam', 'ham']
    """
    column = _column(labels, name, "labels, such as table['label']", one="pass a list with one label per text")
    found = _whole([_python(label) for label in column])
    if n_texts is not None and len(found) != n_texts:
        raise InputError(f"{counted(n_texts, 'text')} but {counted(len(found), 'label')}: give each text one label")
    missing = [i for i, label in enumerate(found) if is_missing(label)]
    if missing:
        what = f"{counted(len(missing), 'label is', 'labels are')} missing (None or NaN), the first at position {missing[0]}"
        raise InputError(f"{what}: drop those rows, or pass their texts as unlabeled=[…]")
    kinds = {type(label).__name__ for label in found}
    if len(kinds) > 1 or not kinds <= {"str", "int", "bool", "float"}:
        raise InputError(f"{name} are of type {', '.join(sorted(kinds))}: use only str, only int or only bool")
    if kinds == {"float"} and not all(label.is_integer() for label in found):
        raise InputError("labels are continuous numbers, but rulenet needs classes: one name or whole number per class")
    if odd := [label for label in set(found) if not _can_be_stored(label)]:
        hint = "use numbers of at most 64 bits, and text without NUL and lone surrogates"
        raise InputError(f"label {odd[0]!r:.80} cannot be stored: {hint}")
    return found


def check_weights(sample_weight: Any, n_texts: int) -> Any:
    """Return the weight of each text, shape (n_texts,), or None.

    Examples
    --------
    >>> check_weights([1, 0.5], 2).tolist()
    [1.0, 0.5]
    """
    if sample_weight is None:
        return None
    column = _column(sample_weight, "sample_weight", "numbers", one="pass a list of numbers")
    try:
        weight = np.array(column, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError("sample_weight has values that are not numbers: pass one number per text") from None
    if weight.shape != (n_texts,):
        raise InputError(f"{counted(n_texts, 'text')} but {counted(len(column), 'weight')}: give each text one number")
    if wrong := np.flatnonzero(~(np.isfinite(weight) & (weight >= 0))).tolist():
        i = wrong[0]
        raise InputError(
            f"sample_weight[{i}] is {column[i]!r}: weights are finite and at least 0 ({len(wrong)} are not)"
        )
    if not weight.any():
        raise InputError("sample_weight is zero for every text: there is nothing to learn from")
    return weight


def check_answers(texts: Sequence[str], labels: Sequence[Any], source: str = "") -> None:
    """Refuse texts that carry the answer: those that are the label, or have a field that is the label, in every row.

    Examples
    --------
    >>> check_answers([Record.of({"body": "late", "queue": "delivery"}), Record.of({"body": "bill", "queue": "billing"})],
    ...               ["delivery", "billing"])
    Traceback (most recent call last):
    rulenet.errors.InputError: the field 'queue' of the texts is the label in every row, so they carry the answer: leave it out
    """
    if len(texts) < 2 or len(texts) != len(labels):
        return
    at = f"{source}: " if source else ""
    error, hint = (DataError, " of --text") if source else (InputError, "")
    if all(_plain(text) == _plain(str(label)) for text, label in zip(texts, labels, strict=True)):
        raise error(f"{at}each text is its own label: the column of the labels was given as the texts")
    if not isinstance(texts[0], Record):
        return
    for field in texts[0].fields:
        if all(_field(text, field) == _plain(str(label)) for text, label in zip(texts, labels, strict=True)):
            why = f"the field {field!r} of the texts is the label in every row, so they carry the answer"
            raise error(f"{at}{why}: leave it out{hint}")


def _field(text: str, name: str) -> str | None:
    if not isinstance(text, Record) or name not in text.fields:
        return None
    return _plain(text[slice(*text.fields[name])])


def _plain(text: str) -> str:
    return (as_label(text) or "").strip().casefold()


def _whole(labels: list[Any]) -> list[Any]:
    """Labels whose floats are whole numbers, as pandas makes them of whole numbers with gaps, as whole numbers."""
    are_whole = all(label.is_integer() if isinstance(label, float) else type(label) is int for label in labels)
    return [int(label) for label in labels] if are_whole else labels


def _column(values: Any, name: str, of_what: str, *, one: str) -> list[Any]:
    """Return the elements of any ordered sequence, of an array of shape (n, 1), or of a table of one column.

    The packages that tables and columns come from are never imported; columns of pandas, polars and pyarrow are told by their methods.
    """
    if isinstance(values, (str, bytes)):
        raise InputError(f"{name} is one string: {one}")
    if isinstance(values, tuple) and len(values) == 2 and all(map(_is_column, values)):
        raise InputError(f"{name} is a pair, perhaps of texts and labels: pass each by itself")
    if hasattr(values, "texts") and hasattr(values, "labels"):
        raise InputError(f"{name} is a whole data set: pass its .texts, and its .labels as the labels")
    if hasattr(values, "__array__") and not isinstance(values, Iterable):
        values = np.asarray(values)
    shape = getattr(values, "shape", None)
    if isinstance(shape, tuple) and len(shape) == 2 and shape[1] == 1:
        values = _first_column(values)
    elif isinstance(shape, tuple) and len(shape) != 1:
        raise InputError(f"{name} has shape {shape}: pass one column of {of_what}")
    elif not isinstance(values, Iterable) or isinstance(values, (Mapping, Set)):
        one = f", such as {name}['text']" if isinstance(values, Mapping) else ""
        raise InputError(f"{name} is a {type(values).__name__}: pass a list{one}")
    return list(values.to_pylist() if hasattr(values, "to_pylist") else values)


def _first_column(table: Any) -> Any:
    """The only column of a table or an array."""
    if isinstance(table, np.ndarray):
        return table[:, 0]
    first = table.columns[0]  # pyarrow's columns are the columns themselves, those of pandas and polars are names
    return first if hasattr(first, "to_pylist") else table[first]


def _python(label: Any) -> Any:
    """Convert a label of numpy or of an enumeration to Python's own."""
    value = label.value if isinstance(label, Enum) else label
    value = value.item() if isinstance(value, np.generic) else value
    return str(value) if isinstance(value, str) else value


def _is_column(value: Any) -> bool:
    return isinstance(value, Iterable) and hasattr(value, "__len__") and not isinstance(value, (str, bytes, Mapping))


def _can_be_stored(label: str | float) -> bool:
    """Whether numpy and a file can store this label unchanged."""
    return not _NO_NAME.search(label) if isinstance(label, str) else -_INT64 <= label < _INT64


def is_missing(label: Any) -> bool:
    """Whether a label is None, NaN, or pandas' NA or NaT."""
    is_nan = isinstance(label, float) and label != label
    return label is None or is_nan or type(label).__name__ in ("NAType", "NaTType")


def is_share(value: Any) -> bool:
    """Whether a value is a number strictly between 0 and 1."""
    return isinstance(value, (float, np.floating)) and bool(0 < value < 1)
