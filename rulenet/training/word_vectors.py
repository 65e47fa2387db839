"""Which terms are alike: the vectors of φ's terms, from an encoder that reads each word alone. Imports features and recipe; torch, late.

Terms of several words get none: they are learned by themselves, beside what their words share. Measured on AG News, 200 labels: 83.5,
with the mean of the words' vectors 82.1; 1,000 labels: 86.6, 85.8. Words that the encoder knows are in the vocabulary even if no training
text has them, as new texts will: 40 labels 72, without them 45; 1,000 labels 86.6, 84.7. 20,000 of them
instead of 10,000 are worth 2 points at 40 labels and half a point at 200, with MiniLM (AG News) and e5 (THUCNews titles).
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rulenet.base.types import Array
from rulenet.errors import MissingExtraError
from rulenet.features.blocks import Features
from rulenet.model.encoders.load import AUTO
from rulenet.model.link import Link
from rulenet.model.phi import Weights
from rulenet.text.language import script
from rulenet.training.encoder_choice import chosen_encoder
from rulenet.training.recipe import Recipe

if TYPE_CHECKING:
    from rulenet.model.word_reader import WordReader

FEWEST, MOST = 10, 3_000  # labelled texts: of fewer, folds say nothing; of more, the gain is not worth the time
AXES = 256  # principal axes that are kept
MAX_READ = 10_000  # terms of the texts that are read, the most frequent
MAX_ADDED = 20_000  # words of the encoder that are added, the most frequent: nearly all of MiniLM's
LEAST_TEXTS = 2  # without a label that a word must be in to be added
LIKE = 6  # terms that are kept for a term, of which an explanation names some
LEAST_ALIKE = 0.2  # cosine of two terms that are called alike
PULLING = 1_000  # terms that may be among them: those about which labels say most
SAMPLED = 1_000  # texts that show which scripts there are


def word_encoder(
    recipe: Recipe, encoder: str | None, features: Features, texts: Sequence[str], n_labelled: int, *, teaches: bool = False
) -> str | None:  # fmt: skip
    """Name of the encoder whose word vectors φ uses, or None; rules that teach without h(x) need them for any number of labels."""
    wanted = recipe.phi.word_vectors
    if wanted is None or features.terms is None or recipe.phi.tau == 0:
        return None
    if wanted != AUTO:
        return wanted
    has_states = encoder not in (None, "scratch")
    if not (0 if teaches and not has_states else FEWEST) <= n_labelled <= MOST:
        return None
    if has_states:
        return encoder
    try:
        return chosen_encoder(AUTO, features.language, texts)
    except MissingExtraError:
        return None


@dataclass(frozen=True)
class Columns:
    """Columns of φ, all of the same texts, and the vectors of its terms, if they are to share."""

    features: Features
    X: Any
    vectors: Array | None = None
    plain: Array | None = None  # of those with vectors, the columns that are there without as well

    def from_plain(self, weights: Weights) -> Weights:
        """Weights for these columns from weights for those without vectors."""
        coef = np.zeros((self.X.shape[1], len(weights.bias)))
        coef[self.plain] = weights.coef
        return Weights(coef, weights.bias)


@dataclass(frozen=True)
class AddedWords:
    """The words that an encoder adds to a vocabulary, and the vectors of its terms."""

    reader: WordReader
    words: list[str]

    @classmethod
    def of(cls, encoder: str, texts: Sequence[str], features: Features, device: str) -> AddedWords:
        """The encoder's own words in the scripts of some texts."""
        from rulenet.model.word_reader import WordReader

        reader, found = WordReader(encoder, device=device), scripts(texts)
        is_term = features.terms.analyzer if features.terms else list
        words: list[str] = []
        for word in reader.own:
            if len(words) == MAX_ADDED:
                break
            if all(script(letter) in found for letter in word) and is_term(word)[:1] == [word]:
                words.append(word)
        return cls(reader, words)

    def with_words_of(self, texts: Sequence[str], features: Features) -> list[str]:
        """The words, and after them those of further texts, the most frequent first."""
        if features.terms is None or not texts:
            return self.words
        known, counts = set(self.words), Counter(term for text in texts for term in set(features.terms.analyzer(text)))
        alone = (word for word, n in counts.most_common() if n >= LEAST_TEXTS and " " not in word and word not in known)
        return [*self.words, *itertools.islice(alone, MAX_READ)]

    def columns(self, features: Features, X: Any, is_labelled: Array, rows: Array) -> tuple[Columns, Columns | None]:
        """The columns as if there were no encoder, and those with its words and the vectors of all terms; None if no term has one.

        Terms that enough unlabelled texts have are known whatever the labelled texts are, as are the encoder's words. Texts other than
        `rows` have not made the vocabulary.
        """
        terms, first = features.terms, features.n_rules
        if terms is None:
            raise ValueError("word vectors are of terms, and there are none")
        T = X[:, first : first + features.n_terms]
        df = np.bincount(T[rows].indices, minlength=features.n_terms)
        is_plain, added = np.ones(X.shape[1], dtype=bool), terms.given
        is_plain[first : first + len(df)] = ~added | (df >= terms.min_df)
        own = features.without(X, ~is_plain[first : first + len(df)])
        V = self._vectors(features, df)
        if V is None:
            return Columns(*own), None
        unlabelled = np.bincount(T[rows[~is_labelled[rows]]].indices, minlength=features.n_terms)
        terms.given = added | (unlabelled >= terms.min_df)
        return Columns(*own), Columns(features, X, V, np.flatnonzero(is_plain))

    def _vectors(self, features: Features, df: Array) -> Array | None:
        """V: the vector of each term, (n_terms, d), zeros for one that has none; centred, turned to their axes, of mean square 1."""
        names, given = (features.terms.names, features.terms.given) if features.terms else ([], np.zeros(0, dtype=bool))
        is_zh, unknown = features.language == "zh", features.tokeniser.unknown_words
        alone = np.array([" " not in name and not (is_zh and unknown(name)) for name in names], dtype=bool)
        wanted = np.flatnonzero(alone & ~given & (df > 0))
        wanted = wanted[np.argsort(-df[wanted], kind="stable")[:MAX_READ]]
        rows = np.sort(np.concatenate([np.flatnonzero(given), wanted]))
        if not len(rows):
            return None
        V = self.reader.vectors([names[j] for j in rows.tolist()]).astype(np.float64)
        V -= V.mean(axis=0)
        _, axes = np.linalg.eigh(V.T @ V)
        V = V @ axes[:, ::-1][:, :AXES]
        found = np.zeros((len(names), V.shape[1]), dtype=np.float32)
        found[rows] = V / max(float(np.sqrt((V**2).sum(axis=1).mean())), 1e-9)
        return found


def alike(columns: Columns, Y: Array, weights: Weights, link: Link) -> Array:
    """For each term, the numbers of the terms like it that what it shares comes from, then −1: (n_terms, LIKE).

    At the optimum, what term j shares is Cτ² Σ_i (V_i · V_j) g_i, where g_i = Σ_n T_ni (y − p)_n is what the labels say about term i. Those
    are chosen that are large and whose vectors point the same way: some words say so much that they pull every other.
    """
    X, vectors, first = columns.X, columns.vectors, columns.features.n_rules
    if vectors is None:
        raise ValueError("only word vectors tell which terms are alike")
    residual = link.loss_and_residual(weights.logits(X), Y, link.mass(Y))[1]
    T = X[:, first : first + len(vectors)]
    says = np.abs(np.asarray(T.T @ residual)).max(axis=1)  # (n_terms,)
    has_vector = vectors.any(axis=1)
    from_ = np.argsort(-says * has_vector, kind="stable")[:PULLING]
    from_ = from_[(says * has_vector)[from_] > 0]
    found = np.full((len(vectors), LIKE), -1, dtype=np.int32)
    place = np.full(len(vectors), -1)
    place[from_] = np.arange(len(from_))
    n, rows = min(LIKE, len(from_)), np.flatnonzero(has_vector)
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    says_most = (says[from_] * np.linalg.norm(vectors[from_], axis=1)).astype(np.float32)
    for at in range(0, len(rows) if n else 0, 1024):
        block = rows[at : at + 1024]
        cosine = unit[block] @ unit[from_].T
        pull = np.where(cosine < LEAST_ALIKE, 0.0, cosine**2 * says_most)
        own = np.flatnonzero(place[block] >= 0)
        pull[own, place[block][own]] = 0.0
        best = np.argpartition(-pull, n - 1, axis=1)[:, :n]
        best = np.take_along_axis(best, np.argsort(-np.take_along_axis(pull, best, 1), axis=1, kind="stable"), 1)
        found[block, :n] = np.where(np.take_along_axis(pull, best, 1) > 0, from_[best], -1)
    return found


def scripts(texts: Sequence[str]) -> set[str]:
    """Names of the scripts that texts are written in, such as LATIN and CJK; those of fewer than one letter in a hundred do not count.

    Examples
    --------
    >>> sorted(scripts(["Oil prices", "油价上涨"]))
    ['CJK', 'LATIN']
    """
    letters = Counter("".join(texts[:: max(1, len(texts) // SAMPLED)]).casefold())
    counts: Counter[str] = Counter()
    for letter, n in letters.items():
        if letter.isalpha():
            counts[script(letter)] += n
    return {script for script, n in counts.items() if n >= sum(counts.values()) / 100}
