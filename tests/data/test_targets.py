"""rulenet.data.targets: labels of a data set against those of a model."""

from __future__ import annotations

import pytest

from rulenet.data.targets import class_indices
from rulenet.errors import LabelError


def test_labels_that_a_model_does_not_know_are_named() -> None:
    assert class_indices(["True", "False"], [False, True], "t.csv").tolist() == [1, 0]
    message = r"^t\.csv has labels that the model does not know: '3', '4', '5', '6', '7' and 1 more; the model knows '1', '2'$"
    with pytest.raises(LabelError, match=message):
        class_indices(list("12345678"), [1, 2], "t.csv")
