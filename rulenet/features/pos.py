"""Texts → P, part-of-speech columns: frequency of each tag and tag pair, rows of unit length. Imports `rulenet.text`."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import scipy.sparse
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.preprocessing import normalize

from rulenet.text.clean import clean
from rulenet.text.tag import TAGS, Tagger

# The columns are fixed: nothing is learned, so nothing can leak and nothing has to be stored.
NAMES = [*TAGS, *(f"{first} {second}" for first in TAGS for second in TAGS)]


class PosFeatures:
    """Tag and tag-pair frequencies.

    Examples
    --------
    >>> from rulenet.text.tokenise import Tokeniser
    >>> features = PosFeatures(Tagger(Tokeniser("en")))
    >>> P = features.transform(["a good film"])
    >>> [NAMES[j] for j in P.indices]
    ['ADJ', 'DET', 'NOUN', 'ADJ NOUN', 'DET ADJ']
    """

    names = NAMES

    def __init__(self, tagger: Tagger) -> None:
        self.tagger = tagger
        self._counter = CountVectorizer(analyzer=self._terms, vocabulary=NAMES, dtype=np.float32)

    def transform(self, texts: Sequence[str]) -> scipy.sparse.csr_matrix:
        """Return P of shape (n_texts, n_tags + n_tags²)."""
        return normalize(self._counter.transform(texts))

    def spans(self, text: str) -> dict[str, list[tuple[int, int]]]:
        """Return the places of each tag and tag pair in a cleaned text."""
        tokens = self.tagger.tag(text)
        found: dict[str, list[tuple[int, int]]] = {}
        for token in tokens:
            found.setdefault(token.tag, []).append((token.start, token.end))
        for first, second in itertools.pairwise(tokens):
            found.setdefault(f"{first.tag} {second.tag}", []).append((first.start, second.end))
        return found

    def _terms(self, text: str) -> list[str]:
        tags = [token.tag for token in self.tagger.tag(clean(text))]
        return tags + [f"{first} {second}" for first, second in itertools.pairwise(tags)]
