"""Few texts that stand for the doubt about all of them: which are alike, and which to choose. Imports training and below; torch late.

A label says something about its text and about those like it, the less the less alike they are. So the next text to label is the one
whose neighbours are most in doubt and not yet spoken for (facility location, a submodular sum: greedy is within 1 − 1/e of the best):

    gain(j) = Σ_i doubt_i · max(0, cos(i, j) − covered_i)     covered_i: the greatest cos(i, s), at least 0, of the labelled and chosen s

With few labels every text is in doubt, and this chooses typical texts of each region without a label; with more labels the doubt moves
to where labels differ. No schedule is needed between the two. `benchmarks/NOTES.md` says what else was tried.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.preprocessing import normalize

from rulenet.base.types import Array
from rulenet.errors import ParameterError
from rulenet.features.tfidf import TermFeatures
from rulenet.model.encoders.load import load_encoder
from rulenet.predictor import Predictor
from rulenet.text.language import Language
from rulenet.text.tokenise import Tokeniser
from rulenet.training.encoder_choice import chosen_encoder

if TYPE_CHECKING:
    from rulenet.model.psi import Psi

PIECES = 256  # read of a text


def choose(K: Array, doubt: Array, n: int, covered: Array) -> tuple[Array, Array]:
    """Choose n texts, the most worth first.

    Parameters
    ----------
    K
        How alike each two texts are, cos(i, j), float32, (n_texts, n_texts).
    doubt
        How little is known about the label of each, between 0 and 1, (n_texts,).
    n
        How many, at most n_texts.
    covered
        How like the most similar labelled text each is, at least 0, (n_texts,).

    Returns
    -------
    tuple
        The texts in the order of choice, (n,), and for each text the place in that order of the one that stands for it, −1 for those
        that a labelled text stands for better, (n_texts,).

    Examples
    --------
    >>> K = np.array([[1.0, 0.8, 0.6, 0.6], [0.8, 1.0, 0.0, 0.0], [0.6, 0.0, 1.0, 1.0], [0.6, 0.0, 1.0, 1.0]])
    >>> chosen, by = choose(K, np.ones(4), 2, np.zeros(4))  # the last two are the same
    >>> chosen.tolist(), by.tolist()
    ([0, 2], [0, 0, 1, 1])
    """
    weight, best = doubt.astype(np.float32), covered.astype(np.float32)
    by, chosen = np.full(len(K), -1), np.empty(n, dtype=np.intp)
    is_free = np.ones(len(K), dtype=bool)
    for at in range(n):
        gain = np.maximum(K - best, 0) @ weight  # (n_texts,): K is symmetric, so a row is a candidate
        chosen[at] = j = int(np.where(is_free, gain, -1).argmax())
        is_free[j] = False
        by[K[j] > best] = at
        best = np.maximum(best, K[j])
    return chosen, by


def likeness(
    texts: Sequence[str], known: Sequence[str], reader: Psi | None, language: Language, device: str
) -> tuple[Array, Array]:
    """How alike texts are: cosines of h(x) about its mean, or of TF-IDF where there is no encoder to read them.

    Returns
    -------
    tuple
        cos(i, j), (n_texts, n_texts), and the greatest cosine with a known text, at least 0, (n_texts,); both float32.

    Examples
    --------
    >>> K, covered = likeness(["late parcel", "refund", "hello"], ["refund"], None, "en", "cpu")
    >>> K.round(1).tolist(), covered.round(1).tolist()
    ([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], [0.0, 1.0, 0.0])
    """
    n, every = len(texts), [*texts, *known]
    if reader is None:
        T = TermFeatures(Tokeniser(language)).fit_transform(every)
        K, others = ((T[:n] @ part.T).toarray() for part in (T[:n], T[n:]))
    else:
        h = reader.hidden(reader.encoder.encode(every), device=device)
        Z = normalize(h - h.mean(axis=0))
        K, others = (Z[:n] @ part.T for part in (Z[:n], Z[n:]))
    return K.astype(np.float32), others.max(axis=1, initial=0.0).astype(np.float32)


def reader_of(source: Any, encoder: str | None, language: Language, texts: Sequence[str]) -> Psi | None:
    """What reads texts: the encoder that is asked for, else that of the model; None if there is neither."""
    if encoder is not None:
        if encoder == "scratch":
            raise ParameterError("encoder='scratch' knows no text yet: name another, or leave it out")
        from rulenet.model.psi import Psi

        name = str(chosen_encoder(encoder, language, texts))
        return Psi(load_encoder(name, texts=(), max_length=PIECES, seed=0), 2, bound=None, dropout=0.0)
    if isinstance(source, Predictor) and source.hybrid.is_neural:
        from rulenet.model.onnx.engine import in_torch

        return in_torch(source.hybrid.psi)
    return None
