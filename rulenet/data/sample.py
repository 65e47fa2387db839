"""Some of many rows, taken at random and in proportion to the labels. Imports only the standard library."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import TypeVar

Item = TypeVar("Item")


def stratified(items: Iterable[Item], n: int, stratum: Callable[[Item], object], seed: int) -> list[Item]:
    """Take at most `n` items, in their order; each stratum has its share, and at least one item if there is room.

    No more than `n` items of each stratum are in memory at a time.

    Examples
    --------
    >>> rows = [("a", i) for i in range(90)] + [("b", i) for i in range(10)]
    >>> [label for label, _ in stratified(rows, 10, lambda row: row[0], seed=0)]
    ['a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'b']
    """
    rng = random.Random(seed)
    kept: dict[object, list[tuple[int, Item]]] = {}
    sizes: dict[object, int] = {}
    for place, item in enumerate(items):
        name = stratum(item)
        reservoir, sizes[name] = kept.setdefault(name, []), sizes.get(name, 0) + 1
        if len(reservoir) < n:
            reservoir.append((place, item))
        elif (at := rng.randrange(sizes[name])) < n:
            reservoir[at] = (place, item)
    shares = _shares(sizes, n)
    chosen = [pair for name, pairs in kept.items() for pair in rng.sample(pairs, min(shares[name], len(pairs)))]
    return [item for _, item in sorted(chosen, key=lambda pair: pair[0])]


def _shares(sizes: dict[object, int], n: int) -> dict[object, int]:
    """How many to take of each stratum: one, as far as there is room, and the rest by the largest remainders."""
    total = sum(sizes.values())
    if total <= n:
        return sizes
    exact = {name: n * size / total for name, size in sizes.items()}
    shares = {name: int(share) for name, share in exact.items()}
    if len(sizes) <= n:
        shares = {name: max(share, 1) for name, share in shares.items()}
    while (left := n - sum(shares.values())) != 0:
        step = 1 if left > 0 else -1
        gaps = {name: step * (exact[name] - shares[name]) for name in sizes if step > 0 or shares[name] > 1}
        shares[max(gaps, key=lambda name: gaps[name])] += step
    return shares
