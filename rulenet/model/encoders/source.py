"""What each file of encoders defines: a source, which turns a name into a transformer body. Imports encoder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rulenet.model.encoders.encoder import Body


@dataclass(frozen=True)
class Wanted:
    """What a source is asked for; see `load_encoder`."""

    name: str
    texts: Sequence[str]
    max_length: int
    seed: int


@dataclass(frozen=True)
class Source:
    """Where encoders come from."""

    name: str | None  # the name it is called by; None: any
    load: Callable[[Wanted], Body]  # makes the body; raises `EncoderError` if it cannot
    check: Callable[[str], object] = lambda name: None  # finds out early that it cannot; raises as `load` does
    # What its weights and tokenizer are read from, if they are here.
    files: Callable[[str], list[Path]] = lambda name: []
    offline: str = ""  # how it is suggested to someone whose encoder cannot be loaded; empty: not at all
