"""Scores are scikit-learn's; a gain has a standard error on the same texts, and chance grows with the number of rivals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from rulenet.errors import InputError, ParameterError, RuleNetError
from rulenet.search.judge import Judge, enough, scores

RNG = np.random.default_rng(0)
RIGHT = np.eye(3, dtype=bool)[RNG.integers(0, 3, 120)]


@pytest.mark.parametrize("several", [False, True])
def test_scores_are_those_of_scikit_learn(several: bool) -> None:
    rng = np.random.default_rng(1)
    truth = rng.random((90, 4)) < 0.4 if several else np.eye(4, dtype=bool)[rng.integers(0, 4, 90)]
    answers = np.where(rng.random((90, 1)) < 0.7, truth, truth[rng.permutation(90)])
    weights = rng.integers(0, 3, (2, 90)).astype(float)
    for row, weight in enumerate(weights):
        how: dict[str, Any] = {"sample_weight": weight}
        wanted = {
            "accuracy": accuracy_score(truth, answers, **how),
            "f1_macro": f1_score(truth, answers, average="macro", **how),
            "f1_micro": f1_score(truth, answers, average="micro", **how),
        }
        assert {name: pytest.approx(scores(name, truth, answers, weights)[row]) for name in wanted} == wanted


def test_a_gain_on_the_same_texts_and_its_standard_error() -> None:
    judge = Judge.of(RIGHT, 3, None, 0, several=False)
    assert sorted(np.concatenate([rows for _, rows in judge.folds]).tolist()) == list(range(120))
    right = [RIGHT[rows] for _, rows in judge.folds]
    worse = [np.roll(one, 1, axis=1) for one in right]
    worse = [np.where(np.arange(40)[:, None] < 8, bad, good) for bad, good in zip(worse, right, strict=True)]
    assert judge.compared(right, right) == (0.0, 0.0)
    gain, error = judge.compared(right, worse)
    assert gain == pytest.approx(0.2)
    assert error == pytest.approx((0.2 * 0.8 / 120) ** 0.5, rel=0.1)
    assert judge.compared(worse, right)[0] == -gain
    assert judge.score(0, worse[0]) == pytest.approx(0.8)
    assert enough(1) == pytest.approx(1.0)
    assert 1 < enough(3) < enough(30) < 3


@pytest.mark.parametrize(
    ("rows", "cv", "scoring", "message"),
    [
        (120, 3, "acuracy", r"^scoring='acuracy' is no score \(did you mean 'accuracy'\?\); there are accuracy, f1_macro, f1_micro$"),
        (39, 3, None, r"^39 labelled texts are too few to compare recipes by: give at least 40$"),
    ],
)  # fmt: skip
def test_complaints(rows: int, cv: int, scoring: str | None, message: str) -> None:
    with pytest.raises(RuleNetError, match=message) as caught:
        Judge.of(RIGHT[:rows], cv, scoring, 0, several=False)
    assert isinstance(caught.value, InputError | ParameterError)


def test_a_share_is_held_out_once() -> None:
    judge = Judge.of(RIGHT, 0.25, "f1_macro", 0, several=False)
    ((train, held_out),) = judge.folds
    assert (len(train), len(held_out)) == (90, 30)
