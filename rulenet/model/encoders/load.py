"""An encoder by its name: the sources are tried in order. A new source is a file next to this one and an entry in `SOURCES`."""

from __future__ import annotations

from collections.abc import Sequence

from rulenet.base.extras import need
from rulenet.errors import EncoderError
from rulenet.model.encoders import hub, minilm, scratch
from rulenet.model.encoders.encoder import Encoder
from rulenet.model.encoders.source import Source, Wanted

SOURCES: tuple[Source, ...] = (minilm.SOURCE, scratch.SOURCE, hub.SOURCE)


def load_encoder(
    name: str, *, texts: Sequence[str], max_length: int, seed: int, long_texts: str = "head", max_chunks: int = 4
) -> Encoder:
    """Load or make an encoder.

    Parameters
    ----------
    name
        ``"minilm"``: all-MiniLM-L6-v2 from its package, offline. ``"scratch"``: a small encoder and tokenizer trained on `texts`.
        Anything else: a folder with a model saved by `transformers`, or a name on the Hugging Face hub.
    texts, seed
        Training texts, and seed of the initial weights, for ``"scratch"``.
    max_length, long_texts, max_chunks
        How much is read of a text; see `Encoder`.

    Raises
    ------
    EncoderError, MissingExtraError
        If it cannot be loaded; the message says what to install or pass instead.
    """
    for module in ("torch", "transformers"):
        need(module, purpose=f"encoder={name!r}")
    source = next(source for source in SOURCES if source.name in (name, None))
    try:
        body = source.load(Wanted(name, texts, max_length, seed))
    except EncoderError as error:
        offline = ", ".join(f"{other.name!r} ({other.offline})" for other in SOURCES if other.offline)
        message = f"{error} Encoders that need no network: {offline}, None (rules and TF-IDF only)."
        raise EncoderError(message) from error.__cause__
    return Encoder(body, name=name, max_length=max_length, long_texts=long_texts, max_chunks=max_chunks)
