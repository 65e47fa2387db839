"""What a file of encoders gives: a source, which turns a name into a transformer body. Imports the class they are made into."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rulenet.model.encoders.encoder import Traits


@dataclass(frozen=True)
class Wanted:
    """What is asked of a source.

    Attributes
    ----------
    name
        The encoder's name as the user gave it.
    texts, seed
        Training texts and seed of the initial weights, for encoders that are trained from nothing.
    max_length
        Word pieces that will be read at a time.
    """

    name: str
    texts: Sequence[str]
    max_length: int
    seed: int


@dataclass(frozen=True)
class Body:
    """A `transformers` model, its `tokenizers.Tokenizer`, the piece that fills short texts, and what is known of them."""

    model: Any
    tokenizer: Any
    pad_id: int
    traits: Traits


@dataclass(frozen=True)
class Source:
    """Where encoders come from.

    Attributes
    ----------
    name
        The name it answers to; None: any.
    load
        Makes the body; raises `EncoderError` if it cannot.
    offline
        How it is offered to someone whose encoder cannot be loaded; empty: not at all.
    """

    name: str | None
    load: Callable[[Wanted], Body]
    offline: str = ""
