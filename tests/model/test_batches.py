"""Batches: every text once, padded size within the budget."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rulenet.model.batches import token_budget_batches


@given(
    lengths=st.lists(st.integers(1, 300), max_size=200),
    budget=st.integers(1, 1000),
    max_texts=st.one_of(st.just(math.inf), st.integers(1, 40)),
    seed=st.one_of(st.none(), st.integers(0, 5)),
)
def test_every_text_once_and_within_budget(lengths: list[int], budget: int, max_texts: float, seed: int | None) -> None:
    rng = None if seed is None else np.random.default_rng(seed)
    batches = token_budget_batches(lengths, budget=budget, max_texts=max_texts, rng=rng)
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or max(lengths[i] for i in batch) * len(batch) <= budget
        assert len(batch) <= max_texts


def test_shuffled_batches_differ_by_seed_and_not_by_run() -> None:
    lengths = list(range(1, 101))
    first, again, other = (token_budget_batches(lengths, budget=200, rng=np.random.default_rng(s)) for s in (1, 1, 2))
    assert first == again
    assert first != other


def test_sorting_wastes_little_padding() -> None:
    lengths = np.random.default_rng(3).integers(5, 200, 2000).tolist()
    for rng in (None, np.random.default_rng(0)):
        batches = token_budget_batches(lengths, budget=4096, max_texts=32, rng=rng)
        padded = sum(max(lengths[i] for i in batch) * len(batch) for batch in batches)
        assert padded < 1.15 * sum(lengths)


def test_texts_of_several_windows_are_counted_as_they_are_padded() -> None:
    # 9 pieces in windows of 8 are padded to 16: two such texts fit into 32, four would not.
    assert token_budget_batches([9, 9, 9, 9], budget=36) == [[0, 1, 2, 3]]
    assert token_budget_batches([9, 9, 9, 9], budget=36, window=8) == [[0, 1], [2, 3]]
    assert token_budget_batches([8, 8, 8, 8], budget=36, window=8) == [[0, 1, 2, 3]]
