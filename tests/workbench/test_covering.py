"""The greedy choice, on vectors whose cosines can be counted by eye, against the best of all choices."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from sklearn.preprocessing import normalize

from rulenet.errors import ParameterError
from rulenet.workbench.covering import choose, likeness, reader_of

# Two groups and a loner: 0 and 1 alike, 2, 3 and 4 alike, 5 by itself; 3 is in the middle of its group.
K = np.eye(6, dtype=np.float32)
for i, j, cosine in [(0, 1, 0.9), (2, 3, 0.9), (3, 4, 0.9), (2, 4, 0.7)]:
    K[i, j] = K[j, i] = cosine
NOTHING = np.zeros(6)


def test_the_middle_of_the_largest_group_comes_first_and_then_every_other_group() -> None:
    chosen, by = choose(K, np.ones(6), 3, NOTHING)
    assert chosen.tolist() == [3, 0, 5]
    assert by.tolist() == [1, 1, 0, 0, 0, 2]


def test_doubt_and_what_is_labelled_move_the_choice() -> None:
    doubt = np.array([0, 0, 0.1, 0.1, 0.1, 0.9])
    assert choose(K, doubt, 2, NOTHING)[0].tolist() == [5, 3]
    covered = K[3].clip(0)  # 3 is labelled
    chosen, by = choose(K, np.ones(6), 2, covered)
    assert chosen.tolist() == [0, 5]
    assert by.tolist() == [0, 0, -1, -1, -1, 1]


def test_all_are_chosen_once_if_all_are_asked_for() -> None:
    assert sorted(choose(np.ones((6, 6), dtype=np.float32), np.zeros(6), 6, NOTHING)[0].tolist()) == list(range(6))


def test_greedy_is_nearly_the_best_of_all_choices() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        Z, doubt = normalize(rng.normal(size=(12, 3))), rng.random(12)
        cosines = (Z @ Z.T).clip(0)

        def worth(rows: list[int], cosines: np.ndarray = cosines, doubt: np.ndarray = doubt) -> float:
            return float(doubt @ cosines[:, rows].max(axis=1))

        best = max(worth(list(rows)) for rows in combinations(range(12), 3))
        assert worth(choose(Z @ Z.T, doubt, 3, np.zeros(12))[0].tolist()) >= (1 - 1 / np.e) * best


def test_likeness_without_an_encoder_reads_words_of_any_language() -> None:
    texts, known = ["手机坏了", "手机坏了吗", "退款", ""], ["我要退款"]
    found, covered = likeness(texts, known, None, "zh", "cpu")
    assert found.shape == (4, 4)
    assert found[0, 1] > 0.5 > found[0, 2] == 0
    assert covered[2] > 0.3 > covered[0] == covered[3] == 0
    assert likeness(texts, [], None, "zh", "cpu")[1].tolist() == [0, 0, 0, 0]


def test_an_encoder_that_knows_nothing_is_refused() -> None:
    with pytest.raises(ParameterError, match="knows no text yet"):
        reader_of(None, "scratch", "en", ["a"])


@pytest.mark.slow
def test_an_encoder_reads_the_texts(tiny_encoder: str) -> None:
    reader = reader_of(None, tiny_encoder, "en", ["a goal"])
    found, covered = likeness(["a goal", "a goal!", "oil price"], ["the bank"], reader, "en", "cpu")
    assert np.diag(found) == pytest.approx(1, abs=1e-5)
    assert found[0, 1] > found[0, 2]
    assert covered.shape == (3,)
