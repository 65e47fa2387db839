"""What is changed of texts while ψ is trained on them, anew in each epoch: the base of every augmentation.

Texts are changed, not word pieces: whole words then stay whole, and a changed text is read as any other is. Tokenising a batch again takes
a hundredth of the time of a step. Only what training reads is changed: neither held-out texts, nor the convex start, nor φ, whose columns
are those of the text as given: φ is convex and solved before, exactly and out-of-fold, and ψ learns beside what φ says of the text.

Imports words and parts; no torch: recipes are read without it.
"""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from rulenet.base.types import Array
from rulenet.errors import ParameterError
from rulenet.training.augment.words import WordFinder, Words
from rulenet.training.parts import Number

Chance = Annotated[Number, Field(gt=0, lt=1)]


class Augmentation(ABC):  # noqa: B024 - each kind overrides `apply` or `shares`
    """What is done to texts: the base of frozen dataclasses whose fields are numbers, strings and booleans."""

    changes_words: ClassVar[bool] = True  # else outputs of frozen layers can be kept from epoch to epoch

    def apply(self, words: list[str], is_free: list[bool], text: Words, rng: np.random.Generator) -> list[str]:
        """As many words as given; "" leaves one out. Those that are not free stay as and where they are.

        `text` is what the words come from; another augmentation may have changed them since.
        """
        return words

    def prepare(self, finder: WordFinder) -> None:
        """Called before anything is computed, to find out early what is lacking."""
        return

    def shares(self, n_texts: int, rng: np.random.Generator) -> Array | None:
        """How much is left of each text when h(x), φ and target are mixed with those of another; None: they are not mixed."""
        return None


@dataclass(frozen=True)
class ForeignAugmentation(Augmentation):
    """An augmentation of a stored recipe that is not part of rulenet: kept as it was stored, and not usable for training."""

    stored: dict[str, Any]

    def prepare(self, finder: WordFinder) -> None:
        """Refuse."""
        what = f"the augmentation {self.stored['kind']!r} is not part of rulenet"
        raise ParameterError(f"{what}; pass a recipe with the augmentation itself")


def changed(text: Words, augment: tuple[Augmentation, ...], rng: np.random.Generator) -> str:
    """A text after some augmentations, one after the other.

    Examples
    --------
    >>> from rulenet.training.augment import TokenDropout
    >>> from rulenet.training.augment.words import WordFinder
    >>> changed(WordFinder().of("oil prices rose, stocks fell"), (TokenDropout(0.4),), np.random.default_rng(0))
    'oil, fell'
    """
    words, is_free = text.words, list(text.is_free)
    for augmentation in augment:
        words = augmentation.apply(words, is_free, text, rng)
    return text.joined(words)
