"""Words are left out (Wei & Zou 2019, there with p = 0.1)."""

from __future__ import annotations

import numpy as np

from rulenet.training.augment.augmentation import Augmentation, Chance
from rulenet.training.augment.words import Words
from rulenet.training.parts import part


@part
class TokenDropout(Augmentation):
    """Leave out words; one stays at least.

    Attributes
    ----------
    p
        Chance of each word.
    """

    p: Chance = 0.1

    def apply(self, words: list[str], is_free: list[bool], text: Words, rng: np.random.Generator) -> list[str]:
        """Some words fewer."""
        if not words:
            return words
        drops = (rng.random(len(words)) < self.p) & np.array(is_free)
        drops[rng.integers(len(words))] &= not drops.all()
        return ["" if drop else word for word, drop in zip(words, drops.tolist(), strict=True)]
