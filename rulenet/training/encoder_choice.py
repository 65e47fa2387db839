"""Which encoder a model gets: the one that is asked for, or one that can read the texts. Imports encoders, late, and text."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence

from rulenet.errors import MissingExtraError
from rulenet.model.encoders.load import AUTO, check_encoder
from rulenet.text.language import Language, is_english, looks


def chosen_encoder(encoder: str | os.PathLike[str] | None, language: Language, texts: Sequence[str]) -> str | None:
    """The name of an encoder that can be loaded; of ``"auto"``, MiniLM for English texts and e5 for others.

    Parameters
    ----------
    language
        That of the model.
    texts
        Its training texts.

    Raises
    ------
    EncoderError, MissingExtraError
        If it cannot be loaded.
    """
    if encoder is None:
        return None
    name = str(encoder)
    reads_english = language == "en" and is_english(texts)
    if name == "minilm" and not reads_english:
        what = "look Chinese" if looks(texts) == "Chinese" else "do not look English"
        warnings.warn(f"texts {what}; encoder='e5' reads them", stacklevel=3)
    if name != AUTO:
        check_encoder(name)
        return name
    name = "minilm" if reads_english else "e5"
    try:
        check_encoder(name)
    except MissingExtraError as error:
        raise MissingExtraError(f"{error}. Or choose encoder='scratch', trained on your texts, or None") from None
    return name
