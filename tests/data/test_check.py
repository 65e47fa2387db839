"""rulenet.data.check: what users pass as texts and labels, and what each message says about what cannot be used."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum, IntEnum
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from rulenet.data.check import check_labels, check_texts, check_weights, is_share
from rulenet.data.load import Dataset
from rulenet.errors import InputError, LabelError

WORDS = ["a", "b", ""]


class Polars:
    """What a column of polars is like, which is not installed here: iterable, with a shape and no `ndim`."""

    def __init__(self, values: list[str]) -> None:
        self.values, self.shape = values, (len(values),)

    def __iter__(self) -> Iterator[str]:
        return iter(self.values)


class PolarsTable:
    """What a table of polars with one column is like: iterating gives columns."""

    columns = ("text",)

    def __init__(self, values: list[str]) -> None:
        self.values, self.shape = values, (len(values), 1)

    def __getitem__(self, name: str) -> Polars:
        return {"text": Polars(self.values)}[name]


class Name(str, Enum):  # StrEnum is younger than Python 3.10
    """Labels as an enumeration."""

    HAM = "ham"
    SPAM = "spam"


@pytest.mark.parametrize(
    "texts",
    [
        WORDS,
        tuple(WORDS),
        np.array(WORDS),
        np.array(WORDS, dtype=object),
        pd.Series(WORDS, index=[7, 7, 9]),
        pd.Series(WORDS, dtype="category"),
        pd.Index(WORDS),
        (word for word in WORDS),
        dict(enumerate(WORDS)).values(),
        pd.DataFrame({"text": WORDS}, index=[7, 7, 9]),
        np.array(WORDS)[:, None],
        pa.array(WORDS),
        pa.chunked_array([WORDS[:1], WORDS[1:]]),
        pa.table({"text": WORDS}),
        Polars(WORDS),
        PolarsTable(WORDS),
    ],
    ids=lambda texts: type(texts).__name__,
)
def test_any_ordered_column_of_strings_becomes_a_list(texts: Any) -> None:
    found = check_texts(texts)
    assert found == WORDS
    assert {type(text) for text in found} == {str}


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ("one text", r"^texts is one string: pass a list of strings, such as \[text\]$"),
        (b"one text", r"texts is one string: pass a list"),
        (3, r"texts is a int: pass a list"),
        (None, r"texts is a NoneType: pass a list"),
        ({"a", "b"}, r"texts is a set: pass a list"),
        ({"text": ["a"]}, r"texts is a dict: pass a list, such as texts\['text'\]"),
        ((["a", "b"], ["x", "y"]), r"^texts is a pair, perhaps of texts and labels: pass each by itself"),
        (Dataset(["a"], ["x"], "", [1]), r"^texts is a whole data set: pass its \.texts"),
        (pd.DataFrame({"text": WORDS, "n": [1, 2, 3]}), r"shape \(3, 2\): pass one column of strings, such as table\["),
        (np.array([["a", "b"]]), r"texts has shape \(1, 2\): pass one column of strings"),
        (np.array("a"), r"texts has shape \(\): pass one column"),
        (["a", None], r"^1 of 2 texts are not strings: texts\[1\] is None \(NoneType\)\. Drop or replace them$"),
        (["a", float("nan"), 3, b"x"], r"^3 of 4 .*texts\[1\] is nan \(float\), texts\[2\] is 3 \(int\), texts\[3\] is b'x'"),
        (pd.Series(["a", None, "c"]), r"^1 of 3 texts are not strings: texts\[1\] is"),
        (["a", [1, [2]]], r"texts\[1\] is \[1, \[2\]\] \(list\)"),
        ([None] * 7, r"^7 of 7 .*texts\[4\] is None \(NoneType\) and 2 more\. Drop"),
        (["a", list(range(99))], r"texts\[1\] is \[0, 1, 2.{0,40} \(list\)\. Drop"),
    ],
)  # fmt: skip
def test_what_is_not_a_column_of_strings_is_refused(texts: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_texts(texts)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ([], r"^texts is empty: there is nothing to learn from$"),
        (["", "  \n", "\u3000\u200b", "\0"], r"^all 4 texts are empty: there is nothing to learn from$"),
    ],
)
def test_empty_texts_are_refused_only_for_training(texts: list[str], message: str) -> None:
    assert check_texts(texts) == texts
    with pytest.raises(InputError, match=message):
        check_texts(texts, may_be_empty=False)


def test_message_names_the_argument() -> None:
    with pytest.raises(InputError, match=r"^unlabeled is one string"):
        check_texts("a", name="unlabeled")


# Labels. Classes come back sorted, as the type given.


@pytest.mark.parametrize(
    ("labels", "classes", "y"),
    [
        (["spam", "ham", "ham"], ["ham", "spam"], [1, 0, 0]),
        ([7, -3, -3], [-3, 7], [1, 0, 0]),
        ([True, False, False], [False, True], [1, 0, 0]),
        ([2.0, 0.0, 2.0], [0, 2], [1, 0, 1]),
        ([1, 2.0, 1], [1, 2], [0, 1, 0]),
        (("b", "a", "b"), ["a", "b"], [1, 0, 1]),
        (np.array([5, 1, 5], dtype=np.uint8), [1, 5], [1, 0, 1]),
        (np.array([True, False, True]), [False, True], [1, 0, 1]),
        (pd.Series(["b", "a", "b"], index=[9, 9, 1]), ["a", "b"], [1, 0, 1]),
        (pd.Series(["b", "a", "b"], dtype="category"), ["a", "b"], [1, 0, 1]),
        ([Name.SPAM, Name.HAM, Name.SPAM], ["ham", "spam"], [1, 0, 1]),
        ([IntEnum("N", "ONE TWO")(i) for i in (2, 1, 2)], [1, 2], [1, 0, 1]),
        ([Enum("E", {"P": "pos", "N": "neg"})(v) for v in ("pos", "neg", "pos")], ["neg", "pos"], [1, 0, 1]),
        ([np.str_("b"), "a", np.str_("b")], ["a", "b"], [1, 0, 1]),
        (np.array([["b"], ["a"], ["b"]]), ["a", "b"], [1, 0, 1]),
        (pd.DataFrame({"label": [3, 1, 3]}), [1, 3], [1, 0, 1]),
        (pa.array(["b", "a", "b"]).dictionary_encode(), ["a", "b"], [1, 0, 1]),
        (["", "a", ""], ["", "a"], [0, 1, 0]),
        (["体育", "财经", "体育"], ["体育", "财经"], [0, 1, 0]),
        ([2**63 - 1, -(2**63), 0], [-(2**63), 0, 2**63 - 1], [2, 0, 1]),
    ],
)
def test_classes_are_sorted_and_keep_their_type(labels: Any, classes: list[Any], y: list[int]) -> None:
    found, indices = check_labels(labels, 3)
    assert found.tolist() == classes
    assert [type(name) for name in found.tolist()] == [type(name) for name in classes]
    assert found.dtype != object  # scikit-learn's metrics know no other type for labels
    assert indices.tolist() == y


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ("abc", r"^labels is one string: pass a list with one label per text$"),
        (3, r"^labels is a int: pass a list"),
        ({"a": 1, "b": 2, "c": 3}, r"^labels is a dict"),
        (pd.DataFrame({"a": [1], "b": [2], "c": [3]}), r"^labels has shape \(1, 3\): pass one column of labels, such as"),
        (np.eye(3), r"^labels has shape \(3, 3\)"),
        (["a", "b"], r"^3 texts but 2 labels: give each text one label$"),
        ([], r"3 texts but 0 labels"),
        (["a", None, "b"], r"^1 label is missing .*first at position 1: drop those rows, or pass .* unlabeled="),
        (["a", float("nan"), None], r"^2 labels are missing"),
        ([1.0, 2.0, float("nan")], r"^1 label is missing .* position 2"),
        (pd.Series([1, 2, pd.NA], dtype="Int64"), r"^1 label is missing .* position 2"),
        (pd.Series(["a", pd.NaT, "b"], dtype=object), r"^1 label is missing .* position 1"),
        (["a", 1, "b"], r"^labels are of type int, str: use only str, only int or only bool$"),
        ([True, 0, 1], r"^labels are of type bool, int:"),
        ([1, 2.5, 3], r"^labels are of type float, int:"),
        ([["a"], ["b"], ["c"]], r"^labels are of type list:"),
        ([b"a", b"b", b"a"], r"^labels are of type bytes:"),
        (np.array(["2020-01-01"] * 3, dtype="datetime64[D]"), r"^labels are of type date:"),
        ([0.5, 1.0, 2.0], r"^labels are continuous numbers, .*whole number per class$"),
        ([1.0, float("inf"), 2.0], r"^labels are continuous numbers"),
        (["a\0", "b", "b"], r"^label 'a\\x00' cannot be stored: .*without NUL"),
        (["\ud800", "b", "b"], r"^label '\\ud800' cannot be stored: .*without NUL and lone surrogates"),
        ([2**63, 1, 1], r"^label 9223372036854775808 cannot be stored: .*64 bits"),
    ],
)  # fmt: skip
def test_labels_that_cannot_name_a_class_are_refused(labels: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_labels(labels, 3)


def test_one_class_is_refused() -> None:
    with pytest.raises(LabelError, match=r"^all labels are 'a', one class, but at least two classes are needed$"):
        check_labels(["a"] * 3, 3)


@pytest.mark.parametrize(
    ("value", "expected"), [(0.5, True), (np.float32(0.1), True), (0.0, False), (1.0, False), (1, False), ("a", False)]
)
def test_a_share_lies_strictly_between_0_and_1(value: Any, expected: bool) -> None:
    assert is_share(value) is expected


def test_weights() -> None:
    assert check_weights(None, 2) is None
    for weights in ([1, 0.5], np.array([[1.0], [0.5]]), pd.Series([1, 0.5])):
        assert check_weights(weights, 2).tolist() == [1.0, 0.5]
    for wrong, message in (
        ([1], "2 texts but 1 weight"),
        ([1, -1], r"sample_weight\[1\] is -1: weights are finite and at least 0"),
        ([float("nan"), 1], r"sample_weight\[0\] is nan"),
        ([0, 0], "zero for every text"),
        (["x", 1], "not numbers"),
        (1.0, "sample_weight is a float"),
    ):
        with pytest.raises(InputError, match=message):
            check_weights(wrong, 2)
