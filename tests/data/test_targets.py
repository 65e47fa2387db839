"""rulenet.data.targets: classes and targets from labels, with and against rules and models."""

from __future__ import annotations

import pytest

from rulenet.data.targets import class_indices, class_targets
from rulenet.errors import InputError, LabelError


def test_texts_without_labels_come_last_as_rows_of_zeros() -> None:
    classes, Y = class_targets([2, 1, 2], 3, n_unlabeled=2, rule_labels=["ignored"])
    assert classes.tolist() == [1, 2]
    assert Y.tolist() == [[0, 1], [1, 0], [0, 1], [0, 0], [0, 0]]


def test_without_labels_the_classes_are_those_of_the_rules() -> None:
    classes, Y = class_targets(None, 1, n_unlabeled=1, rule_labels=["b", "a"])
    assert (classes.tolist(), Y.tolist()) == (["a", "b"], [[0, 0], [0, 0]])


@pytest.mark.parametrize(
    ("rule_labels", "error", "message"),
    [
        (None, InputError, "labels=None learns from rules only, but there are no rules"),
        ([], LabelError, "the rules name no label, but at least two"),
        (["a"], LabelError, "the rules name only the label 'a', but at least two"),
    ],
)
def test_too_few_classes(rule_labels: list[str] | None, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        class_targets(None, 1, n_unlabeled=0, rule_labels=rule_labels)


def test_labels_that_a_model_does_not_know_are_named() -> None:
    assert class_indices(["True", "False"], [False, True], "t.csv").tolist() == [1, 0]
    message = r"^t\.csv has labels that the model does not know: '3', '4', '5', '6', '7' and 1 more; the model knows '1', '2'$"
    with pytest.raises(LabelError, match=message):
        class_indices(list("12345678"), [1, 2], "t.csv")
