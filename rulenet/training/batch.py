"""The texts of one step, on the device where they are needed. Imports corpus and ψ; torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rulenet.base.types import Array
from rulenet.model.psi import Psi, Reading
from rulenet.training.augment.augmentation import Augmentation, changed
from rulenet.training.corpus import Corpus

TEXT, MIXING = 1, 2  # what random numbers of a step are for


@dataclass(frozen=True)
class Step:
    """The current position of training; `epoch`, and `number` of the step in the epoch, begin at 0."""

    seed: int
    epoch: int
    number: int
    epochs: int
    device: torch.device

    def random(self, *more: int) -> np.random.Generator:
        """Random numbers for this step: the same in every process, for every part of a batch, and after a restart."""
        # One more than the step: for numpy, the seeds (seed, epoch) and (seed, epoch, 0) are the same.
        return np.random.default_rng([self.seed, self.epoch, self.number + 1, *more])

    def moved(self, values: Tensor) -> Tensor:
        """A tensor on the device; Python does not wait for the copy to a GPU."""
        on_gpu = self.device.type == "cuda"
        return (values.pin_memory() if on_gpu else values).to(self.device, non_blocking=on_gpu)


@dataclass(frozen=True, eq=False)
class Batch:
    """Texts of one step, or the part of them that is computed at once."""

    corpus: Corpus
    indices: Array  # rows of the corpus
    step: Step
    psi: Psi
    read: Callable[..., Reading]  # `psi.read`, compiled or not
    places: Array  # positions of these texts in the whole batch
    size: int  # number of texts of the whole batch
    augment: tuple[Augmentation, ...] = ()  # of the recipe
    is_augmented: bool = False  # whether it applies to `rows` and `mixed`

    def __len__(self) -> int:
        return len(self.indices)

    def part(self, places: Array) -> Batch:
        """Some texts of a whole batch."""
        return replace(self, indices=self.indices[places], places=places)

    @cached_property
    def rows(self) -> list[Any]:
        """Word pieces, or hidden states, of each text."""
        if self.is_augmented and any(augmentation.changes_words for augmentation in self.augment):
            return self.augmented()
        return [self.corpus.rows[i] for i in self.indices.tolist()]

    def augmented(self, augment: Sequence[Augmentation] | None = None, *more: int) -> list[Any]:
        """Word pieces of each text after augmentations, those of the recipe unless others are given.

        They are the same whenever asked for in this step, and others for other numbers `more`.
        """
        chosen = self.augment if augment is None else tuple(augment)
        texts = [
            changed(self.corpus.words.of(self.corpus.texts[i]), chosen, self.step.random(TEXT, place, *more))
            for i, place in zip(self.indices.tolist(), self.places.tolist(), strict=True)
        ]
        return list(self.psi.encoder.encode(texts))

    def mixed(self, *values: Tensor) -> tuple[Tensor, ...]:
        """Values of the texts, each (B, …), mixed with those of others of them if the recipe has an augmentation that does."""
        for number, augmentation in enumerate(self.augment if self.is_augmented else ()):
            rng = self.step.random(MIXING, number)
            shares = augmentation.shares(self.size, rng)
            if shares is not None:
                other = np.argsort(rng.random(self.size)[self.places])
                share = self.step.moved(torch.as_tensor(shares[self.places, None], dtype=torch.float32))
                values = tuple(share * of + (1 - share) * of[other] for of in values)
        return values

    @property
    def columns(self) -> Any:
        """φ's columns, sparse, shape (B, n_columns)."""
        return self.corpus.X[self.indices]

    @property
    def phi(self) -> Tensor:
        """Out-of-fold φ, shape (B, K)."""
        return self._floats(self.corpus.phi)

    @property
    def target(self) -> Tensor:
        """Target distributions, shape (B, K)."""
        return self._floats(self.corpus.Y)

    @cached_property
    def inputs(self) -> tuple[Tensor, Tensor]:
        """Input of the encoder, and the attention mask; see `Encoder.pad`."""
        inputs, mask = self.psi.encoder.pad(self.rows)
        return self.step.moved(inputs), self.step.moved(mask)

    @cached_property
    def reading(self) -> Reading:
        """Output of the encoder, computed once for all objectives."""
        return self.read(*self.inputs, self.corpus.layers)

    def _floats(self, values: Array) -> Tensor:
        return self.step.moved(torch.as_tensor(values[self.indices], dtype=torch.float32))
