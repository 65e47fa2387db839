"""rulenet.data.classes: the labels of a model from data, rules and a list, and what numbers mean."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rulenet.data.classes import class_weights, find_classes
from rulenet.errors import InputError, LabelError, ParameterError, RuleNetError

ABC = ["a", "b", "c"]
# y, classes, labels of the rules → labels, names, class indices
FOUND: list[tuple[Any, Any, Any, list[Any], list[str], list[int]]] = [
    (["b", "a"], None, None, ["a", "b"], ["a", "b"], [1, 0]),
    (["b", "a"], None, ["c", "a"], ABC, ABC, [1, 0]),
    (["b", "b"], None, ["a"], ["a", "b"], ["a", "b"], [1, 1]),
    ([2, 7], None, ["7", "3"], [2, 3, 7], ["2", "3", "7"], [0, 2]),
    ([True, False], None, ["True"], [False, True], ["False", "True"], [1, 0]),
    (["b"], ["c", "b", "a"], ["c"], ABC, ABC, [1]),  # sorted, as everywhere in scikit-learn
    ([0, 2], ABC, ["c"], [0, 1, 2], ABC, [0, 2]),
    ([1, 0], ["z", "a"], ["a"], [0, 1], ["z", "a"], [1, 0]),  # numbers count the list as it is
    (np.array([2.0, 0.0]), ABC, [], [0, 1, 2], ABC, [2, 0]),
    ([3, 5], [5, 3, 9], [], [3, 5, 9], ["3", "5", "9"], [0, 1]),
    ([0, 1], ABC, ["c"], [0, 1], ["0", "1"], [0, 1]),  # one label against the rest
]


@pytest.mark.parametrize(("y", "classes", "rule_labels", "labels", "names", "indices"), FOUND)
def test_what_the_labels_are(
    y: Any, classes: Any, rule_labels: Any, labels: list[Any], names: list[str], indices: list[int]
) -> None:
    found = find_classes(y, len(y), classes=classes, rule_labels=rule_labels)
    assert (found.labels.tolist(), found.names, found.y.tolist()) == (labels, names, indices)
    assert [type(label) for label in found.labels.tolist()] == [type(label) for label in labels]
    assert found.is_one_against_rest == (names == ["0", "1"])


def test_without_labels_they_are_those_of_the_list_or_of_the_rules() -> None:
    assert find_classes(None, 1, rule_labels=["b", "a"]).names == ["a", "b"]
    assert find_classes(None, 1, rule_labels=["b"], classes=["b", "a"]).names == ["a", "b"]


REFUSED: list[tuple[dict[str, Any], type[RuleNetError], str]] = [
    ({"y": None}, InputError, "labels=None learns from rules only, but there are no rules"),
    ({"y": None, "rule_labels": []}, LabelError, "the rules name no label, but at least two"),
    ({"y": None, "rule_labels": ["a"]}, LabelError, "the rules name only the label 'a', but at least two"),
    ({"y": ["a"]}, LabelError, "^all labels are 'a', one class, but at least two classes"),
    ({"y": ["a"], "rule_labels": ["a"]}, LabelError, "^all labels are 'a', one class, but at least two classes"),
    ({"y": [0, 1], "rule_labels": ["a", "b"]}, LabelError, r"^the labels are numbers \(0, 1\), but the rules have 'a', 'b'.*classes="),
    ({"y": [0.0, 1.0], "rule_labels": ["a", "b"]}, LabelError, r"^the labels are numbers \(0, 1\)"),
    ({"y": [True, False], "rule_labels": ["a", "b"]}, LabelError, r"^the labels are numbers \(False, True\)"),
    ({"y": [0, 3], "classes": ABC}, LabelError, r"^y has labels that are not among classes=.*: 0, 3; add them"),
    ({"y": ["a", "d"], "classes": ABC}, LabelError, r"^y has labels that are not among classes=.*: 'd'; add"),
    ({"y": ["a", "b"], "classes": ABC, "rule_labels": ["a", "x"]}, LabelError, r"lacks labels of the rules: 'x'; add"),
    ({"y": ["a", "b"], "classes": ["a"]}, ParameterError, r"^classes=\['a'\] needs at least two labels"),
    ({"y": ["a", "b"], "classes": ["a", "b", "a"]}, ParameterError, r"lists a label twice"),
    ({"y": ["a", "b"], "classes": "ab"}, InputError, r"^classes is one string"),
    ({"y": ["a", "b"], "classes": ["a", 1]}, InputError, r"^classes are of type int, str"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "error", "message"), REFUSED)
def test_labels_that_do_not_fit_are_refused(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    y = arguments.pop("y")
    with pytest.raises(error, match=message):
        find_classes(y, 1 if y is None else len(y), **arguments)


def test_targets_are_rows_of_weights_and_zeros_for_texts_without_labels() -> None:
    Y = find_classes([2, 1, 2], 3).targets(np.array([1.0, 2.0, 0.5]), 1)
    assert Y.tolist() == [[0, 1], [2, 0], [0, 0.5], [0, 0]]


def test_class_weights() -> None:
    found = find_classes(["a", "a", "a", "b"], 4, classes=ABC)
    assert class_weights(None, found) is None
    balanced = class_weights("balanced", found)
    assert balanced is not None
    assert balanced.sum() == pytest.approx(4)
    assert balanced[:3].sum() == pytest.approx(balanced[3])  # a label without examples takes no part
    for weights in ({"b": 3}, {"b": 3.0, "a": 1}):
        assert class_weights(weights, found).tolist() == [1, 1, 1, 3]  # type: ignore[union-attr]
    assert class_weights({"b": 5}, find_classes([1, 0], 2, classes=["a", "b"])).tolist() == [5, 1]  # type: ignore[union-attr]
    for wrong, message in (
        ("balance", "'balance' is not"),
        ({"z": 1}, "'z': no such"),
        ({"a": 0}, "0 is not a number above"),
    ):
        with pytest.raises(ParameterError, match=message):
            class_weights(wrong, found)
