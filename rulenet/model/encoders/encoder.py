"""Texts → word pieces, and the transformer that reads them. torch and transformers are imported here and above, not below."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from rulenet.errors import DataError, EncoderError, ParameterError
from rulenet.model.batches import padded_width
from rulenet.model.encoders.allowed import is_failure
from rulenet.model.ragged import Ragged
from rulenet.text.clean import clean

LONG_TEXTS = ("head", "head_tail", "chunks")
# No word piece is longer than this on average, so cutting here first loses nothing that is read.
_CHARACTERS_PER_PIECE = 24
_BLOCK = 1024  # texts in the tokenizer at a time: what it returns takes far more memory than the numbers kept of it


# What h(x) is: the mean of all hidden states; the first one; or the mean at one and the same length, for encoders that were trained to
# compare directions. Frozen MiniLM with 5 labels a class then gets 3 points more of YouTube comments, whose lengths differ most, and 1 of
# TREC; elsewhere it makes no difference.
Pooling = Literal["mean", "first", "unit"]


@dataclass(frozen=True)
class Traits:
    """What is known of an encoder, so that nobody has to look at its name."""

    pretrained: bool = True  # whether it has read other texts before; only then is it worth freezing layers
    # Default for training. On 2,000 AG News rows, 1e-4 and 2e-4 changed φ + ψ by at most 0.1 points (MiniLM); e5 lost 0.4 with 1e-4.
    learning_rate: float = 5e-5
    epochs: int | None = None  # default for training; None: depends on the number of texts
    frozen_layers: int = 3  # default for training: the lower half
    can_split: bool = False  # whether its layers are a plain stack, which can be run separately
    can_mask: bool = False  # whether it has a word piece for a word that is left out
    pooling: Pooling = "mean"
    prefix: str = ""  # put before each text, for encoders trained with it
    few_ratio: float = 1.5  # how far ψ spreads, as a multiple of φ, where texts are few: see `rulenet.training.convex`
    contrast_steps: int = 0  # default where texts are few: see `rulenet.training.objectives.contrast`
    sixteen_bits: bool = False  # whether what is trained of it is rounded in the end to what 16 bits hold, and saved so


@dataclass(frozen=True)
class Body:
    """A `transformers` model, its `tokenizers.Tokenizer`, the piece that fills short texts, and what is known of them."""

    model: Any
    tokenizer: Any
    pad_id: int
    traits: Traits = Traits()


class Encoder:
    """A transformer body with its tokenizer.

    Attributes
    ----------
    model, tokenizer, pad_id, traits
        See `Body`. The model's last hidden states, pooled as `traits` say, are h(x).
    max_length
        Word pieces that the model reads at a time.
    long_texts
        What is read of a longer text. ``"head"``: its beginning. ``"head_tail"``: the first and the last half of `max_length`
        word pieces. ``"chunks"``: up to `max_chunks` windows of `max_length` word pieces, one after the other.
    """

    def __init__(
        self, body: Body, *, name: str, max_length: int, long_texts: str = "head", max_chunks: int = 4
    ) -> None:
        if long_texts not in LONG_TEXTS:
            raise ParameterError(f"long_texts={long_texts!r} is not one of {', '.join(map(repr, LONG_TEXTS))}")
        self.model, self.tokenizer, self.pad_id, self.traits = body.model, body.tokenizer, body.pad_id, body.traits
        self.name = name
        model, tokenizer = body.model, body.tokenizer
        limit = int(getattr(model.config, "max_position_embeddings", max_length) or max_length)
        # RoBERTa counts positions from its padding index, so the last two of its table are never reached.
        self.max_length = min(max_length, limit - 2 if "roberta" in getattr(model.config, "model_type", "") else limit)
        self.long_texts = long_texts
        self.max_chunks = max_chunks
        self._keep = self.longest_row * _CHARACTERS_PER_PIECE
        tokenizer.no_padding()
        if long_texts == "head_tail":
            tokenizer.no_truncation()
        else:
            tokenizer.enable_truncation(self.max_length)

    @property
    def width(self) -> int:
        """Size of h(x)."""
        return int(self.model.config.hidden_size)

    @property
    def longest_row(self) -> int:
        """Most word pieces that are read of a text; a row as long as this was almost certainly cut."""
        return self.max_length * (self.max_chunks if self.long_texts == "chunks" else 1)

    def drop(self, share: float | None) -> None:
        """Drop this share of hidden states and attention in training; None: what the model was trained with."""
        for module in self.model.modules() if share is not None else ():
            if type(module).__name__ == "Dropout":
                module.p = share

    def encode(self, texts: Sequence[str], *, cache: Path | None = None) -> Ragged:
        """Word-piece numbers of each text, with special pieces.

        A row longer than `max_length` is made of windows, each with its own special pieces, and all but the last full.

        Parameters
        ----------
        cache
            Folder in which the rows are kept, under a name made from everything that they depend on. Texts that were encoded
            before are not tokenised again, but mapped from disk; a damaged file is replaced, with a warning.
        """
        if cache is None:
            return Ragged.of(self._rows(texts))
        entry = cache / f"{self._key(texts)}.rows"
        if entry.exists():
            try:
                return Ragged.open(entry)
            except DataError as error:
                warnings.warn(f"{error}; the texts are tokenised again", stacklevel=2)
        rows = Ragged.of(self._rows(texts))
        try:
            rows.save(entry)
        except DataError as error:
            warnings.warn(f"{error}; the texts will be tokenised again next time", stacklevel=2)
        return rows

    def encode_with_offsets(self, texts: Sequence[str]) -> list[tuple[list[int], list[tuple[int, int]]]]:
        """The word pieces of each text, as from `encode`, and the place (start, end) of each in ``clean(text)``; (0, 0): special."""
        cleaned, before = [clean(text) for text in texts], len(self.traits.prefix)
        readable = [self._readable(text) for text in cleaned]
        found = []
        for text, encoding in zip(cleaned, self._encodings(readable), strict=True):
            # Only where the middle of a text was left out, there is something behind the first `_keep` characters.
            left_out = len(text) + before - len(self._readable(text))
            places = []
            for start, end in self._selected(encoding, "offsets"):
                start, end = max(start - before, 0), max(end - before, 0)  # a piece of the prefix has no place
                places.append((start + left_out, end + left_out) if start >= self._keep else (start, end))
            found.append((self._selected(encoding, "ids"), places))
        return found

    def pad(self, rows: Sequence[Any], step: int = 1) -> tuple[Any, Any]:
        """Texts as tensors: word pieces (n_texts, L) or hidden states (n_texts, L, H), and the attention mask (n_texts, L).

        L is the length of the longest text, rounded up to a multiple of `step`; beyond `max_length`, to one of that, so that each window
        is whole.
        """
        import torch

        lengths = torch.tensor([len(row) for row in rows])
        width = int(padded_width(int(lengths.max()), self.max_length, step))
        padded: Any  # filled in numpy where that is possible, as it is much quicker
        if is_states := torch.is_tensor(rows[0]):
            padded = rows[0].new_zeros(len(rows), width, *rows[0].shape[1:])
        else:
            padded = np.full((len(rows), width), self.pad_id, dtype=np.int64)
        for i, row in enumerate(rows):
            padded[i, : len(row)] = row
        return padded if is_states else torch.from_numpy(padded), (torch.arange(width) < lengths[:, None]).long()

    def _rows(self, texts: Sequence[str]) -> Iterator[list[int]]:
        for at in range(0, len(texts), _BLOCK):
            block = [self._readable(clean(text)) for text in texts[at : at + _BLOCK]]
            for encoding in self._encodings(block, fast=True):
                yield self._selected(encoding, "ids")

    def _encodings(self, texts: list[str], *, fast: bool = False) -> Any:
        """What the tokenizer makes of prefixed texts; `fast`: without places."""
        try:
            return (self.tokenizer.encode_batch_fast if fast else self.tokenizer.encode_batch)(texts)
        except BaseException as error:
            if not is_failure(error):
                raise
            raise EncoderError(f"the tokenizer of {self.name!r} fails on these texts: {error}") from error

    def _readable(self, cleaned: str) -> str:
        """Prefix and cleaned text, without what would not be read anyway, so that a huge one costs no more than a long one."""
        if self.long_texts != "head_tail":
            cleaned = cleaned[: self._keep]
        elif len(cleaned) > 2 * self._keep + 1:
            cleaned = f"{cleaned[: self._keep]} {cleaned[-self._keep :]}"
        return self.traits.prefix + cleaned

    def _selected(self, encoding: Any, part: str) -> list[Any]:
        """What is read of a text: its word pieces (``"ids"``) or their places (``"offsets"``)."""
        if self.long_texts == "chunks":
            windows = [encoding, *encoding.overflowing[: self.max_chunks - 1]]
            return [piece for window in windows for piece in getattr(window, part)]
        pieces: list[Any] = getattr(encoding, part)
        if self.long_texts == "head_tail" and len(pieces) > self.max_length:
            # Special pieces are at both ends of the whole, so each half keeps its own.
            tail = self.max_length // 2
            return pieces[: self.max_length - tail] + pieces[len(pieces) - tail :]
        return pieces

    def _key(self, texts: Sequence[str]) -> str:
        """Name of a cache entry: a checksum of everything that the word pieces depend on, with the cleaned texts."""
        import tokenizers

        settings = [tokenizers.__version__, self.tokenizer.to_str(), self.max_length, self.long_texts, self.max_chunks]
        digest = hashlib.sha256(json.dumps(settings).encode())
        for text in texts:
            data = self._readable(clean(text)).encode("utf-8", "surrogatepass")
            digest.update(len(data).to_bytes(8, "little"))  # tells ["ab", "c"] from ["a", "bc"]
            digest.update(data)
        return digest.hexdigest()
