"""An encoder by its name: the sources are tried in order. A new source is a file next to this one and an entry in `SOURCES`."""

from __future__ import annotations

import difflib
import importlib.util
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rulenet.base.extras import need
from rulenet.errors import EncoderError
from rulenet.model.encoders import e5, hub, minilm, scratch
from rulenet.model.encoders.compact import compact, is_large
from rulenet.model.encoders.encoder import Encoder
from rulenet.model.encoders.source import Source, Wanted

AUTO = "auto"  # not an encoder: one is chosen by the texts
SOURCES: tuple[Source, ...] = (minilm.SOURCE, e5.SOURCE, scratch.SOURCE, hub.SOURCE)


def load_encoder(
    name: str, *, texts: Sequence[str], max_length: int, seed: int, long_texts: str = "head", max_chunks: int = 4
) -> Encoder:
    """Load or make an encoder.

    Parameters
    ----------
    name
        ``"minilm"``: all-MiniLM-L6-v2 from its package, offline. ``"e5"``: multilingual-e5-small from its package, offline.
        ``"scratch"``: a small encoder and tokenizer trained on `texts`.
        Anything else: a folder with a model saved by `transformers`, or a name on the Hugging Face hub.
    texts, seed
        Training texts, and seed of the initial weights, for ``"scratch"``. Of an encoder of many languages, only the word pieces that
        matter for such texts are kept; without texts, all.
    max_length, long_texts, max_chunks
        How much is read of a text; see `Encoder`.

    Raises
    ------
    EncoderError, MissingExtraError
        If it cannot be loaded; the message says what to install or pass instead.
    """
    for module in ("torch", "transformers"):
        need(module, purpose=f"encoder={name!r}")
    source = source_of(name)
    try:
        body = source.load(Wanted(name, texts, max_length, seed))
    except EncoderError as error:
        raise EncoderError(f"{error} {_offline(name)}") from error.__cause__
    how: dict[str, Any] = {"max_length": max_length, "long_texts": long_texts, "max_chunks": max_chunks}
    encoder = Encoder(body, name=name, **how)
    if not texts or not is_large(body):
        return encoder
    counts = np.bincount(encoder.encode(texts).values, minlength=body.tokenizer.get_vocab_size())
    return Encoder(compact(body, counts), name=name, **how)


def source_of(name: str) -> Source:
    """Where an encoder of this name comes from."""
    return next(source for source in SOURCES if source.name in (name, None))


def check_encoder(name: str) -> None:
    """Find out early that a name or folder cannot be an encoder: at once, with neither torch nor network, if it is misspelt.

    Raises
    ------
    EncoderError, MissingExtraError
        As from `load_encoder`.

    Examples
    --------
    >>> try:
    ...     check_encoder("minillm")
    ... except EncoderError as error:
    ...     print(str(error).partition(".")[0])
    encoder 'minillm' is not known (did you mean 'minilm'?)
    """
    for module in ("torch", "transformers"):
        if importlib.util.find_spec(module) is None:
            need(module, purpose=f"encoder={name!r}")
    if name == AUTO:
        return
    source = source_of(name)
    if source.name is None and not Path(name).is_dir():
        _check_name(name)
    try:
        source.check(name)
    except EncoderError as error:
        raise EncoderError(f"{error} {_offline(name)}") from error.__cause__


def _check_name(name: str) -> None:
    """Refuse what is neither a folder nor may be a name on the hub."""
    known = {str(source.name): str(source.name) for source in SOURCES if source.name} | {AUTO: AUTO, "none": "none"}
    bare = re.sub("[^a-z0-9]", "", name.lower())
    meant = [*difflib.get_close_matches(bare, known, 1, 0.7), *(one for one in known if one in bare)]
    if "/" not in name and meant:
        raise EncoderError(f"encoder {name!r} is not known (did you mean {known[meant[0]]!r}?). {_offline()}")
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)?", name):
        near = Path(name).parent.glob("*/config.json") if Path(name).parent.is_dir() else ()
        folders = {file.parent.name: str(file.parent) for file in near}
        close = difflib.get_close_matches(Path(name).name, folders, 1)
        hint = f" (did you mean {folders[close[0]]!r}?)" if close else ""
        raise EncoderError(f"encoder {name!r} cannot be loaded: there is no such folder{hint}. {_offline()}")


def _offline(failed: str = "") -> str:
    others = [other for other in SOURCES if other.offline and other.name != failed]
    offline = ", ".join(f"{other.name!r} ({other.offline})" for other in others)
    return f"Encoders that need no network: {offline}, none at all (rules and TF-IDF only)."
