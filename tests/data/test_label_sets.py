"""rulenet.data.label_sets: lists, sets and matrices mean the same; whatever is unclear is one line."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

from rulenet.data.label_sets import find_label_sets, has_several, known_sets
from rulenet.errors import InputError

M = np.array([[1, 1], [0, 0], [1, 0]])
FRAME = pd.DataFrame(M, columns=["joy", "love"])
SETS = [["love", "joy"], [], ["joy"]]


def test_the_same_labels_in_every_form() -> None:
    named = {"classes": ["joy", "love"]}
    forms: list[tuple[Any, dict[str, Any], str]] = [
        (SETS, {}, "sets"),
        ([set(labels) for labels in SETS], {}, "sets"),
        (pd.Series([tuple(labels) for labels in SETS], index=[7, 8, 9]), {}, "sets"),
        (FRAME, {}, "matrix"),
        (FRAME.astype(bool), {}, "matrix"),
        (M, named, "matrix"),
        (scipy.sparse.csr_matrix(M), named, "matrix"),
    ]
    for y, options, form in forms:
        assert has_several(y)
        found = find_label_sets(y, 3, **options)
        assert (found.names, found.y.tolist(), found.form) == (["joy", "love"], M.tolist(), form)
        assert known_sets(y, 3, ["joy", "love"]).tolist() == M.tolist()
    assert find_label_sets(M[:, ::-1], 3, classes=["love", "joy"]).labels.tolist() == ["love", "joy"]  # as given
    assert find_label_sets(M, 3).labels.tolist() == [0, 1]
    assert find_label_sets([[2], [1, 2], []], 3).labels.tolist() == [1, 2]
    assert not any(map(has_several, (None, ["a", "b"], np.array([["a"], ["b"]]), "ab", [])))


def test_labels_that_no_text_or_every_text_has_are_warned_of() -> None:
    with pytest.warns(UserWarning, match="no text has the label 'sad', so only rules can speak for it"):
        assert find_label_sets(SETS, 3, rule_labels=["sad", "joy"]).names == ["joy", "love", "sad"]
    with pytest.warns(UserWarning, match="every text has the label 'joy'"):
        find_label_sets([["joy"], ["joy", "love"]], 2)


def test_what_is_unclear_is_said_in_one_line() -> None:
    three = FRAME.assign(sad=[0, 0, 1])
    faults: list[tuple[Any, dict[str, Any], str]] = [
        ([["joy"], "love", []], {}, r"1 text has no list of labels but one value, the first at position 1: 'love'"),
        ([[], [], []], {}, "no label at all"),
        ([["joy"], [], []], {}, "only the label 'joy'"),
        (M * 0, {}, "all label sets are empty"),
        ([["joy"], ["love"]], {}, "3 texts but 2 label sets"),
        ([["joy", None], ["love"], []], {}, "missing"),
        ([["joy", 1], ["love"], []], {}, "of type int, str"),
        ([[0, 1], [1, 0], [1, 1]], {}, r"pass np\.array\(y\)"),
        (M[:2], {}, "3 texts but 2 rows of labels"),
        (np.array([[1, 1], [0, np.nan], [1, 0]]), {}, r"the first, in row 1, column 1, is missing \(NaN\)"),
        (FRAME.replace(0, 2), {}, r"4 values|3 values are not; the first, in row 1, column 'joy', is 2"),
        (np.array([["a", "b"]] * 3), {}, "not numbers"),
        (FRAME.set_axis(["joy", " "], axis=1), {}, r"column 1 of the label matrix has no name"),
        (FRAME.set_axis(["joy", "joy"], axis=1), {}, "two columns of the matrix have one name: joy"),
        (M, {"classes": ["joy"]}, "classes= names 1 label, but the matrix has 2 columns"),
        (M, {"classes": ["joy", "joy"]}, "lists a label twice"),
        (FRAME, {"classes": ["love", "joy"]}, "leave classes out"),
        (M, {"rule_labels": ["joy"]}, "have no names, but the rules have labels"),
        (three, {"rule_labels": ["fear"]}, "the rules have labels that the data lacks: 'fear'"),
        (SETS, {"classes": ["joy", "sad"]}, "does not have these labels: 'love'"),
        ([[1], [2], []], {"rule_labels": ["joy"]}, "the labels are numbers, but the rules have 'joy'"),
    ]  # fmt: skip
    for y, options, match in faults:
        with pytest.raises(InputError, match=match):
            find_label_sets(y, 3, **options)
    known: list[tuple[Any, str]] = [
        (["joy", "love", "joy"], "several labels per text, but these are one per text"),
        (three, "the matrix has 3 columns, but the model has 2 labels"),
        (FRAME[["love", "joy"]], "the columns of the matrix are 'love', 'joy'"),
        ([["fear"], [], []], "the model does not have these labels: 'fear'"),
    ]
    for y, match in known:
        with pytest.raises(InputError, match=match):
            known_sets(y, 3, ["joy", "love"])
