"""Descriptions of labels: texts that have them, for few labelled texts, for none, and for labels that no text has."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rulenet import RuleNetClassifier, RuleSet
from rulenet.errors import LabelError, ParameterError
from rulenet.training.given import check_given

WORDS = {"sport": "goals and matches, teams", "money": "markets"}
RULES = RuleSet.from_yaml(
    "{rulenet: 1, rules: [{id: oil, label: energy, word: oil}, {id: goal, label: sport, word: goal}]}"
)
PLAIN: dict[str, Any] = {"rules": None, "classes": None, "class_weight": None}


def given(X: list[str], y: Any, weight: Any = None, **changes: Any) -> tuple[list[str], list[str], list[list[float]]]:
    found = check_given(X, y, ["z"], weight, {**PLAIN, "descriptions": WORDS, **changes})
    return found.known, found.unlabeled, found.Y.tolist()


def test_they_count_as_four_texts_of_their_label() -> None:
    known = ["a", "goals and matches, teams", "markets"]
    Y = [[3, 0], [0, 4], [4, 0], [0, 0]]  # money, sport
    assert given(["a", "b"], ["money", "sport"], [3, 0]) == (known, ["z"], Y)
    assert given(["a"], [1], [3], classes=["sport", "money"])[2] == [row[::-1] for row in Y]


def test_without_labels_they_are_what_is_learned_from() -> None:
    assert given(["a", "b"], None) == (
        ["goals and matches, teams", "markets"],
        ["a", "b", "z"],
        [[0, 4], [4, 0], *[[0, 0]] * 3],
    )
    with pytest.warns(UserWarning, match="no text has the label 'energy', so only their rules speak for them"):
        given(["a"], ["sport"], rules=RULES)
    assert np.shape(given(["a"], ["war"])[2]) == (4, 3)  # nobody warns of labels that are described


def test_a_model_needs_no_label() -> None:
    clf = RuleNetClassifier(None, None, descriptions=WORDS).fit(["some text"])
    assert clf.predict(["teams", "the markets"]).tolist() == ["sport", "money"]


@pytest.mark.parametrize("wrong", ["sport", {}, {"sport": 3}, {"sport": ["goals"]}, {"sport": " "}])
def test_what_describes_nothing_is_refused(wrong: Any) -> None:
    with pytest.raises(ParameterError, match=r"descriptions=.* is not a mapping from labels to texts"):
        RuleNetClassifier(None, None, descriptions=wrong).fit(["a", "b"], ["sport", "money"])


def test_a_label_that_there_is_not_is_named() -> None:
    with pytest.raises(LabelError, match=r"descriptions: no label is called 'money'; there are sport, war"):
        given(["a"], ["sport"], classes=["sport", "war"])
