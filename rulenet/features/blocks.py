"""Texts → X = [R | T | P] with named columns. Imports `rulenet.text`, `rulenet.rules` and its neighbours; no torch."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse
from sklearn.preprocessing import normalize

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
    """The three blocks of columns of the linear part.

    Parameters
    ----------
    ruleset
        Authored rules, or None.
    language
        Language of tokens, tags and negation.
    tfidf
        Whether to have TF-IDF columns.
    pos
        Whether to have part-of-speech columns.
    ngram_range, min_df
        See `TermFeatures`.
    words
        Chinese words for the tokeniser's dictionary; None: those of the rules.
    n_jobs
        Processes that match rules.

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
        if words is None:
            words = ruleset.unspaced_literals if ruleset else ()
        self.tokeniser = Tokeniser(language, words)
        self.tagger = Tagger(self.tokeniser)
        self.terms = TermFeatures(self.tokeniser, ngram_range=ngram_range, min_df=min_df) if tfidf else None
        self.pos = PosFeatures(self.tagger) if pos else None

    def fit_transform(self, texts: Sequence[str]) -> scipy.sparse.csr_matrix:
        """Learn the vocabulary, return X (n_texts, n_columns), float32."""
        return self._stack(texts, self.terms.fit_transform(texts) if self.terms else None)

    def transform(self, texts: Sequence[str]) -> scipy.sparse.csr_matrix:
        """X of shape (n_texts, n_columns), float32."""
        return self._stack(texts, self.terms.transform(texts) if self.terms else None)

    def _stack(self, texts: Sequence[str], T: scipy.sparse.csr_matrix | None) -> scipy.sparse.csr_matrix:
        blocks = [self.ruleset.match(texts, language=self.language, n_jobs=self.n_jobs) if self.ruleset else None, T]
        blocks.append(self.pos.transform(texts) if self.pos else None)
        present = [block for block in blocks if block is not None]
        if not present:
            return scipy.sparse.csr_matrix((len(texts), 0), dtype=np.float32)
        return scipy.sparse.csr_matrix(scipy.sparse.hstack(present, format="csr", dtype=np.float32))

    def as_fitted_on(
        self, X: scipy.sparse.csr_matrix, train: np.ndarray[Any, np.dtype[Any]]
    ) -> scipy.sparse.csr_matrix:
        """X as if the vocabulary had been learned from some of its rows alone.

        A text that helped to choose the vocabulary has terms there that only it brings; they have no weight, yet take their part of the
        row's unit length, and the terms that do have one seem weaker than in a text that is truly new.

        Parameters
        ----------
        X
            What `fit_transform` gave, or some rows of it.
        train
            Indices of the rows to learn from.
        """
        if self.terms is None or not self.n_terms:
            return X
        first, last = self.n_rules, self.n_rules + self.n_terms
        T = X[:, first:last]
        is_known = np.asarray((T[train] != 0).sum(axis=0)).ravel() >= self.terms.min_df
        T = normalize(T @ scipy.sparse.diags(is_known.astype(T.dtype)))
        return scipy.sparse.csr_matrix(scipy.sparse.hstack([X[:, :first], T, X[:, last:]], format="csr", dtype=X.dtype))

    def with_ruleset(self, ruleset: RuleSet | None) -> Features:
        """The same vocabulary and dictionary beside other rules."""
        other = copy.copy(self)
        other.ruleset = ruleset
        return other

    @property
    def n_rules(self) -> int:
        """Number of rule columns; they come first."""
        return len(self.ruleset) if self.ruleset else 0

    @property
    def n_terms(self) -> int:
        """Number of TF-IDF columns."""
        return len(self.terms.names) if self.terms else 0

    def column(self, j: int) -> Column:
        """Kind and name of column `j`."""
        n_rules, n_terms = self.n_rules, self.n_terms
        if j < n_rules and self.ruleset:
            return Column("rule", self.ruleset.ids[j])
        if j < n_rules + n_terms and self.terms:
            return Column("tfidf", self.terms.names[j - n_rules])
        return Column("pos", PosFeatures.names[j - n_rules - n_terms])

    def spans(self, text: str, columns: Sequence[int]) -> list[list[Span]]:
        """Where each of some active columns comes from, as (start, end) in the text as given."""
        matcher = self.ruleset.matcher(self.language) if self.ruleset else None
        # The matcher's own tagger: after `with_ruleset` its dictionary may differ from that of the terms.
        doc = matcher.doc(text) if matcher else Doc(text, self.tagger)
        clean = doc.cleaned.text  # as terms see it; rules may fold traditional characters besides
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
