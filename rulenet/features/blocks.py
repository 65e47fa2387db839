"""Texts → X = [R | T | P] with named columns. Imports `rulenet.text`, `rulenet.rules` and the other feature modules; no torch."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse
from sklearn.preprocessing import normalize

from rulenet.base.types import Array
from rulenet.features.pos import PosFeatures
from rulenet.features.tfidf import TermFeatures
from rulenet.rules.ruleset import RuleSet
from rulenet.text.doc import Doc
from rulenet.text.language import Language
from rulenet.text.tag import Tagger
from rulenet.text.tokenise import Tokeniser

Span = tuple[int, int]


@dataclass(frozen=True)
class Column:
    """One column of X: its kind (``"rule"``, ``"tfidf"``, ``"pos"``) and name."""

    kind: str
    name: str


class Features:
    """The three blocks of columns that the linear part φ reads.

    Parameters
    ----------
    language
        Language of tokens, tags and negation.
    tfidf, pos
        Whether to use TF-IDF columns, and part-of-speech columns.
    ngram_range, min_df
        See `TermFeatures`.
    words
        Chinese words for the tokeniser's dictionary; None: those of the rules.
    n_jobs
        Number of processes that match rules.

    Examples
    --------
    >>> ruleset = RuleSet.from_yaml("{rulenet: 1, rules: [{id: up, label: up, word: [rises, rose]}]}")
    >>> features = Features(ruleset, language="en")
    >>> X = features.fit_transform(["oil rises", "oil falls"])
    >>> [(column.kind, column.name) for column in map(features.column, range(X.shape[1]))][:3]
    [('rule', 'up'), ('tfidf', 'falls'), ('tfidf', 'oil')]
    """

    def __init__(
        self,
        ruleset: RuleSet | None,
        *,
        language: Language,
        tfidf: bool = True,
        pos: bool = False,
        ngram_range: tuple[int, int] = (1, 2),
        min_df: int = 1,
        words: Sequence[str] | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.ruleset = ruleset
        self.language: Language = language
        self.n_jobs = n_jobs
        own = ruleset.term_words if ruleset else ()
        self.tokeniser = Tokeniser(language, own if words is None else words)
        self.tagger = Tagger(self.tokeniser)
        self.terms = TermFeatures(self.tokeniser, ngram_range=ngram_range, min_df=min_df) if tfidf else None
        self.pos = PosFeatures(self.tagger) if pos else None

    def fit_transform(self, texts: Sequence[str], words: Sequence[str] = ()) -> scipy.sparse.csr_matrix:
        """Learn the vocabulary, with some words in any case, and return X of shape (n_texts, n_columns), float32."""
        return self._stack(texts, self.terms.fit_transform(texts, words) if self.terms else None)

    def transform(self, texts: Sequence[str]) -> scipy.sparse.csr_matrix:
        """Return X of shape (n_texts, n_columns), float32."""
        return self._stack(texts, self.terms.transform(texts) if self.terms else None)

    def _stack(self, texts: Sequence[str], T: scipy.sparse.csr_matrix | None) -> scipy.sparse.csr_matrix:
        R = self.ruleset.match(texts, language=self.language, n_jobs=self.n_jobs) if self.ruleset else None
        P = self.pos.transform(texts) if self.pos else None
        blocks = [block for block in (R, T, P) if block is not None]
        if not blocks:
            return scipy.sparse.csr_matrix((len(texts), 0), dtype=np.float32)
        return scipy.sparse.csr_matrix(scipy.sparse.hstack(blocks, format="csr", dtype=np.float32))

    def as_fitted_on(self, X: scipy.sparse.csr_matrix, train: Array) -> scipy.sparse.csr_matrix:
        """Return X, from `fit_transform`, as if the vocabulary had been learned from the rows `train` only.

        A text that helped to choose the vocabulary may have terms that no other text has. They get no weight, but they count in
        the unit length of the row, so that its other terms look weaker than they would in a new text.
        """
        if self.terms is None or not self.n_terms:
            return X
        first, last = self.n_rules, self.n_rules + self.n_terms
        T = X[:, first:last]
        is_known = np.asarray((T[train] != 0).sum(axis=0)).ravel() >= self.terms.min_df
        T = normalize(T @ scipy.sparse.diags((is_known | self.terms.given).astype(T.dtype)))
        return scipy.sparse.csr_matrix(scipy.sparse.hstack([X[:, :first], T, X[:, last:]], format="csr", dtype=X.dtype))

    def without(self, X: scipy.sparse.csr_matrix, terms: Array) -> tuple[Features, scipy.sparse.csr_matrix]:
        """Features and X as if the vocabulary did not have some terms, given by a mask."""
        if self.terms is None or not terms.any():
            return self, X
        kept, first, last = np.flatnonzero(~terms), self.n_rules, self.n_rules + self.n_terms
        other = copy.copy(self)
        other.terms = self.terms.take(kept)
        T = X[:, first:last][:, kept] @ scipy.sparse.diags((other.terms.idf / self.terms.idf[kept]).astype(X.dtype))
        T = normalize(T) if len(kept) else T
        X = scipy.sparse.hstack([X[:, :first], T, X[:, last:]], format="csr", dtype=X.dtype)
        return other, scipy.sparse.csr_matrix(X)

    def with_ruleset(self, ruleset: RuleSet | None) -> Features:
        """Return a copy with other rules and the same vocabulary and dictionary."""
        other = copy.copy(self)
        other.ruleset = ruleset
        return other

    @property
    def n_rules(self) -> int:
        """Number of rule columns, which come first."""
        return len(self.ruleset) if self.ruleset else 0

    @property
    def n_terms(self) -> int:
        """Number of TF-IDF columns."""
        return len(self.terms.names) if self.terms else 0

    def column(self, j: int) -> Column:
        """Return kind and name of column `j`."""
        n_rules, n_terms = self.n_rules, self.n_terms
        if j < n_rules and self.ruleset:
            return Column("rule", self.ruleset.ids[j])
        if j < n_rules + n_terms and self.terms:
            return Column("tfidf", self.terms.names[j - n_rules])
        return Column("pos", PosFeatures.names[j - n_rules - n_terms])

    def spans(self, text: str, columns: Sequence[int]) -> list[list[Span]]:
        """Return the places in the given text that activate each of some columns, as (start, end)."""
        matcher = self.ruleset.matcher(self.language) if self.ruleset else None
        # The matcher has its own tagger: after `with_ruleset` its dictionary may differ from that of the terms.
        doc = matcher.doc(text) if matcher else Doc(text, self.tagger)
        clean = doc.cleaned.text  # terms are found in this; rules may also fold traditional characters
        first_term, first_pos = self.n_rules, self.n_rules + self.n_terms
        fired = [j for j in columns if j < first_term]
        rules = dict(zip(fired, matcher.find(doc, fired), strict=True)) if matcher else {}
        has_terms = any(first_term <= j < first_pos for j in columns)
        terms = self.terms.analyzer.spans(clean) if self.terms and has_terms else {}
        tags = self.pos.spans(clean) if self.pos and any(j >= first_pos for j in columns) else {}

        def places(j: int) -> list[Span]:
            if j < first_term:
                return rules[j] or []
            if j < first_pos and self.terms:
                return terms.get(self.terms.names[j - first_term], [])
            return tags.get(PosFeatures.names[j - first_pos], [])

        return [[doc.cleaned.original_span(*span) for span in places(j)] for j in columns]
