"""Counts, intervals and pairs, on six texts and four rules that can be counted by eye."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
import scipy.stats

from rulenet.rules.engine.tally import RightOnSets, count, right_labels, tally
from rulenet.rules.file.schema import Rule
from rulenet.workbench.audit import holm, interval, pairs, same_share

CLASSES = ["Sports", "World", "Money"]
RULES = [
    Rule(id="s", word=["x"], label="Sports"),
    Rule(id="silent", word=["x"], label="Sports"),
    Rule(id="w", word=["x"], label="World"),
    Rule(id="not_w", word=["x"], label="World", sign="against"),
]
R = scipy.sparse.csr_matrix(
    np.array(
        [
            [1, 0, 0, 1],  # Sports
            [1, 0, 1, 0],  # Sports: s and w cannot both be right
            [0, 0, 1, 0],  # World
            [1, 0, 0, 0],  # Money
            [0, 0, 1, 1],  # World: neither can w and not_w
            [0, 0, 0, 0],  # Money
        ],
        dtype=np.int8,
    )
)
Y = np.array([0, 0, 1, 2, 1, 2])
RIGHT = right_labels(RULES, CLASSES)


def test_a_rule_is_right_on_the_labels_it_supports_and_one_against_on_all_others() -> None:
    assert RIGHT.tolist() == [[True, False, False]] * 2 + [[False, True, False], [True, False, True]]
    for_two = Rule(id="a", word=["x"], labels={"Sports": 1.0, "Money": 0.5, "World": -1.0})
    assert right_labels([for_two], CLASSES).tolist() == [[True, False, True]]


def test_counts() -> None:
    found = count(R, RIGHT, Y)
    assert found.fired.tolist() == [3, 0, 3, 2]
    assert found.right is not None
    assert found.could is not None
    assert found.right.tolist() == [2, 0, 2, 1]
    assert found.could.tolist() == [2, 2, 2, 4]
    assert found.shared.tolist() == [2, 0, 2, 2]
    assert found.contested.tolist() == [1, 0, 2, 1]
    assert (found.reached, found.disputed) == (5, 2)


def test_without_labels_nothing_is_right_or_wrong() -> None:
    found = count(R, RIGHT)
    assert (found.right, found.could) == (None, None)
    assert (found.fired.tolist(), found.contested.tolist()) == ([3, 0, 3, 2], [1, 0, 2, 1])


def test_pairs() -> None:
    found = pairs(R, RIGHT, Y)
    assert found.right is not None
    rows = zip(found.a, found.b, found.texts, *found.right.T, found.opposed, strict=True)
    assert [tuple(map(int, row)) for row in rows] == [(0, 2, 1, 1, 0, 1), (0, 3, 1, 1, 1, 0), (2, 3, 1, 1, 0, 1)]


def test_rules_against_the_only_label_agree_with_each_other_and_not_with_one_for_it() -> None:
    rules = [Rule(id=str(i), word=["x"], label="A", sign="against" if i else "for") for i in range(3)]
    found = pairs(scipy.sparse.csr_matrix([[1, 1, 1]]), right_labels(rules, ["A"]))
    assert list(zip(found.a.tolist(), found.b.tolist(), found.opposed.tolist(), strict=True)) == [
        (0, 1, True),
        (0, 2, True),
        (1, 2, False),
    ]


def test_the_strongest_neighbours_of_each_rule() -> None:
    # Rule 0 fires with 1 on three texts, with 2 on one; 1 with 2 on one. All are for different labels.
    found = pairs(scipy.sparse.csr_matrix([[1, 1, 0], [1, 1, 0], [1, 1, 1]]), np.eye(3, dtype=bool))
    best = found.strongest(3, 1, opposed=True)
    assert [[other for _, other in row] for row in best] == [[1], [0], [0]]
    assert [other for _, other in found.strongest(3, 5, opposed=True)[0]] == [1, 2]
    assert found.strongest(3, 5, opposed=False) == [[], [], []]


def test_counts_do_not_overflow_the_8_bits_of_the_matcher() -> None:
    many = scipy.sparse.csr_matrix(np.ones((300, 2), dtype=np.int8))
    right, y = np.eye(2, dtype=bool), np.zeros(300, dtype=int)
    found, both = count(many, right, y), pairs(many, right, y)
    assert (found.shared.tolist(), found.contested.tolist()) == ([300, 300], [300, 300])
    assert found.right is not None
    assert (found.right.tolist(), both.texts.tolist()) == ([300, 0], [300])


def test_with_several_labels_only_for_and_against_contradict_each_other() -> None:
    rules = [
        *RULES,
        Rule(id="two", word=["x"], labels={"Sports": 1.0, "World": 1.0}),
        Rule(id="no", word=["x"], labels={"Sports": -1.0, "World": -1.0}),
    ]
    right = RightOnSets.of(rules, CLASSES)
    dense = np.random.default_rng(0).random((40, 6)) < 0.5
    sets = np.random.default_rng(1).random((40, 3)) < 0.4
    found, both = (of(scipy.sparse.csr_matrix(dense.astype(np.int8)), right, sets.astype(int)) for of in (count, pairs))
    truth = np.stack([sets[:, 0], sets[:, 0], sets[:, 1], ~sets[:, 1], sets[:, :2].any(1), ~sets[:, :2].any(1)], axis=1)
    assert found.right is not None
    assert found.could is not None
    assert found.right.tolist() == (dense & truth).sum(axis=0).tolist()
    assert found.could.tolist() == truth.sum(axis=0).tolist()
    opposed = {
        (a, b) for a, b, is_so in zip(both.a.tolist(), both.b.tolist(), both.opposed.tolist(), strict=True) if is_so
    }
    assert opposed == {(0, 5), (1, 5), (2, 3), (2, 5), (4, 5)}  # "two" may be right where "not_w" is
    assert found.disputed == sum(any(dense[i, a] and dense[i, b] for a, b in opposed) for i in range(40))
    assert both.right is not None
    wins = [
        [int((dense[:, a] & dense[:, b] & truth[:, k]).sum()) for k in (a, b)]
        for a, b in zip(both.a, both.b, strict=True)
    ]
    assert both.right.tolist() == wins
    rows = tally(rules, scipy.sparse.csr_matrix(dense.astype(np.int8)), CLASSES, sets.astype(int))["rules"]
    assert [row["right"] for row in rows.values()] == found.right.tolist()


def test_nothing_fires() -> None:
    for shape in ((0, 3), (4, 3), (3, 0)):
        R, right = scipy.sparse.csr_matrix(shape, dtype=np.int8), np.ones((shape[1], 2), dtype=bool)
        found = count(R, right, np.zeros(shape[0], dtype=int))
        assert found.fired.tolist() == [0] * shape[1]
        assert (found.reached, len(pairs(R, right).a)) == (0, 0)


def test_counts_of_random_rules_are_those_of_a_plain_loop() -> None:
    rng = np.random.default_rng(0)
    dense, right, y = rng.random((50, 8)) < 0.3, rng.random((8, 4)) < 0.4, rng.integers(0, 4, 50)
    found = count(scipy.sparse.csr_matrix(dense.astype(np.int8)), right, y)

    def opposed(i: int, j: int) -> bool:
        return not (right[i] & right[j]).any() and (right[i] != right[j]).any()

    for j in range(8):
        rows = np.flatnonzero(dense[:, j])
        assert found.right is not None
        assert found.right[j] == sum(right[j, y[i]] for i in rows)
        assert found.shared[j] == sum(dense[i].sum() > 1 for i in rows)
        assert found.contested[j] == sum(any(dense[i, k] and opposed(j, k) for k in range(8)) for i in rows)


def test_intervals_as_in_the_literature() -> None:
    low, high = interval(np.array([0, 8, 10, 0]), np.array([10, 10, 10, 0]))
    # Of 0 in 10 Wilson's upper end is z²/(n + z²) = 3.84/13.84.
    assert low == pytest.approx([0.0, 0.490, 0.722, 0.0], abs=5e-4)
    assert high == pytest.approx([0.278, 0.943, 1.0, 1.0], abs=5e-4)


def test_the_test_is_fishers() -> None:
    k0, k1 = np.array([3, 10, 0]), np.array([9, 2, 5])
    few, many = same_share(k0, 40, k1, 30)
    for i in range(3):
        table = [[k1[i], 30 - k1[i]], [k0[i], 40 - k0[i]]]
        assert few[i] == pytest.approx(scipy.stats.fisher_exact(table, "less").pvalue)
        assert many[i] == pytest.approx(scipy.stats.fisher_exact(table, "greater").pvalue)


def test_holm_multiplies_the_smallest_by_the_number_of_tests() -> None:
    assert holm(np.array([0.5, 0.01, 0.02])).tolist() == [0.5, 0.03, 0.04]
    assert holm(np.array([])).tolist() == []


def test_a_tally_without_labels() -> None:
    assert tally(RULES[:1], R[:, :1], CLASSES, None) == {"texts": 6, "rules": {"s": {"fired": 3, "right": None}}}
