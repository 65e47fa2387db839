"""Neighbouring words change places."""

from __future__ import annotations

import numpy as np

from rulenet.training.augment.augmentation import Augmentation, Chance
from rulenet.training.augment.words import Words
from rulenet.training.parts import part


@part
class Swap(Augmentation):
    """Let words change places with the next one.

    Attributes
    ----------
    p
        Chance of each word.
    """

    p: Chance = 0.1

    def apply(self, words: list[str], is_free: list[bool], text: Words, rng: np.random.Generator) -> list[str]:
        """The same words in another order; a word moves by one place."""
        found, at = list(words), 0
        swaps = (rng.random(len(words)) < self.p).tolist()
        while at + 1 < len(found):
            if swaps[at] and is_free[at] and is_free[at + 1]:
                found[at], found[at + 1] = found[at + 1], found[at]
                at += 1
            at += 1
        return found
