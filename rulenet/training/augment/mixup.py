"""Two texts of a batch are mixed after the encoder: h(x), φ and target (Zhang et al. 2018; Guo et al. 2019).

    λ h(x) + (1 − λ) h(x'),  λ φ(x) + (1 − λ) φ(x'),  λ y + (1 − λ) y'        λ ~ Beta(α, α), the larger of λ and 1 − λ

Of a batch that is computed in parts, texts are mixed within each part.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from rulenet.base.types import Array
from rulenet.training.augment.augmentation import Augmentation
from rulenet.training.parts import Number, part


@part
class Mixup(Augmentation):
    """Mix each text with another of its batch.

    Attributes
    ----------
    alpha
        α of the Beta distribution: a larger one mixes more evenly.
    """

    changes_words: ClassVar[bool] = False
    alpha: Annotated[Number, Field(gt=0, le=100)] = 0.2

    def shares(self, n_texts: int, rng: np.random.Generator) -> Array:
        """λ of each text, at least a half."""
        share = rng.beta(self.alpha, self.alpha, n_texts)
        return np.maximum(share, 1 - share)
