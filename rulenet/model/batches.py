"""Which texts go into one batch: texts of like length, cut by a budget of word pieces. Imports numpy only."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np
from numpy.random import Generator

# Word pieces that are computed at once where nothing is learned. What MiniLM computes of 1,024 stays in the cache of a CPU's core:
# batches of 4,096 took 1.4 times as long, of 8,192 1.6 times.
CPU_PIECES = 1_024
GPU_PIECES = 32_768
POOL = 32  # batches that are sorted together when shuffling


def piece_budget(device: Any) -> int:
    """Word pieces in a batch of a forward pass.

    Examples
    --------
    >>> piece_budget("cpu"), piece_budget("cuda")
    (1024, 32768)
    """
    return CPU_PIECES if str(device).startswith("cpu") else GPU_PIECES


def padded_width(length: Any, window: int | None, step: int = 1) -> Any:
    """Word pieces that a text, or the longest of a batch, is padded to: a multiple of `step` or the window; beyond that, of the window.

    Examples
    --------
    >>> [int(padded_width(length, 40, 16)) for length in (3, 17, 33, 41)]
    [16, 32, 40, 80]
    """
    up = -(-length // step) * step
    return up if window is None else np.where(length > window, -(-length // window) * window, np.minimum(up, window))


def token_budget_batches(
    lengths: Any, *, budget: int, max_texts: float = inf, rng: Generator | None = None, window: int | None = None,
    step: int = 1,
) -> list[list[int]]:  # fmt: skip
    """Cut texts of given lengths into batches whose padded size stays within a budget; a longer text is a separate batch.

    Parameters
    ----------
    rng
        Shuffles texts and batches. Texts are sorted by length only within pools of about 32 batches, so that a batch is still
        a fair sample. None: sorted as a whole, the longest first (so that memory runs out at once or not at all).
    window
        Word pieces that the encoder reads at a time; longer texts are padded to a multiple of it, as `Encoder.pad` does.
    step
        Above 1: lengths are rounded up to a multiple of it, as `Encoder.pad` does, and a batch has texts of one such length only, so that
        what is computed of a text has the same shape in every batch.

    Examples
    --------
    >>> token_budget_batches([3, 9, 4, 8], budget=16)
    [[1], [3, 2], [0]]
    """
    sizes: Any = padded_width(np.asarray(lengths), window, step)
    if rng is None:
        return _cut(np.argsort(-sizes, kind="stable"), sizes, budget, max_texts, alike=step > 1)
    order = rng.permutation(len(sizes))
    typical = max(1, int(budget / max(float(sizes.mean()), 1))) if len(sizes) else 1
    pool = POOL * int(min(typical, max_texts))
    batches = []
    for at in range(0, len(order), pool):
        part = order[at : at + pool]
        batches += _cut(part[np.argsort(-sizes[part], kind="stable")], sizes, budget, max_texts)
    return [batches[i] for i in rng.permutation(len(batches))]


def _cut(order: Any, sizes: Any, budget: int, max_texts: float, *, alike: bool = False) -> list[list[int]]:
    """Cut an order of falling sizes; the first of a batch is its longest."""
    batches: list[list[int]] = []
    for i in order.tolist():
        n = len(batches[-1]) if batches else 0
        first = batches[-1][0] if batches else i
        fits = (n + 1) * sizes[first] <= budget and (not alike or sizes[i] == sizes[first])
        if 0 < n < max_texts and fits:
            batches[-1].append(i)
        else:
            batches.append([i])
    return batches
