"""spaCy's matchers on the same words and phrases, and why their hits differ from ours. Imports spaCy; for bench_match.py."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import spacy
from spacy.matcher import Matcher, PhraseMatcher

from rulenet.text.fold import words_with_offsets

Hits = set[tuple[int, int]]  # (text, rule)
SKIPPED = {"IS_PUNCT": True, "OP": "*"}  # rulenet counts words only


class Spacy:
    """A blank English pipeline, which only splits words, and its matchers over terms in lower case.

    Parameters
    ----------
    terms
        Words and phrases.
    gapped
        Pairs of words with up to `gap` words between them.
    """

    def __init__(self, terms: list[str], gapped: list[tuple[str, str]], gap: int) -> None:
        self.nlp = spacy.blank("en")
        self._phrases = PhraseMatcher(self.nlp.vocab, attr="LOWER")
        self._tokens = Matcher(self.nlp.vocab)
        self._gapped = Matcher(self.nlp.vocab)
        for j, term in enumerate(terms):
            self._phrases.add(str(j), [self.nlp.make_doc(term)])
            self._tokens.add(str(j), [[{"LOWER": word} for word in term.split(" ")]])
        for j, (first, last) in enumerate(gapped):
            between = [SKIPPED, {"IS_PUNCT": False, "OP": "?"}] * gap
            self._gapped.add(str(j), [[{"LOWER": first}, *between, SKIPPED, {"LOWER": last}]])
        self._rule = {self.nlp.vocab.strings[str(j)]: j for j in range(len(terms))}

    def phrase_hits(self, docs: Iterable[Any]) -> Hits:
        """Return the hits of PhraseMatcher for the terms."""
        return self._hits(self._phrases, docs)

    def token_hits(self, docs: Iterable[Any]) -> Hits:
        """Return the hits of Matcher for the terms."""
        return self._hits(self._tokens, docs)

    def gapped_hits(self, docs: Iterable[Any]) -> Hits:
        """Return the hits of Matcher for the pairs."""
        return self._hits(self._gapped, docs)

    def gapped_places(self, doc: Any, j: int) -> list[tuple[int, int]]:
        """Return the places where Matcher finds a pair."""
        found = [doc[first:last] for key, first, last in self._gapped(doc) if self._rule[key] == j]
        return [(span.start_char, span.end_char) for span in found]

    def _hits(self, matcher: Any, docs: Iterable[Any]) -> Hits:
        return {(i, self._rule[key]) for i, doc in enumerate(docs) for key, _, _ in matcher(doc)}


def differences(
    ours: Hits, theirs: Hits, ruleset: Any, terms: list[str], docs: list[Any]
) -> tuple[dict[str, int], list[str]]:
    """Count the reasons for different hits on terms, and the hits that no reason explains."""
    reasons: Counter[str] = Counter()
    unexplained = []
    for i, j in sorted(ours ^ theirs):
        reason = _why_only_ours(ruleset, terms, docs[i], j) if (i, j) in ours else _why_only_theirs(terms[j], docs[i])
        if reason:
            reasons[reason] += 1
        else:
            unexplained.append(f"{'rulenet' if (i, j) in ours else 'spaCy'} alone: {terms[j]!r} in {docs[i].text!r}")
    return dict(reasons.most_common()), unexplained


def gapped_differences(
    ours: Hits, theirs: Hits, ruleset: Any, side: Spacy, docs: list[Any]
) -> tuple[dict[str, int], list[str]]:
    """Do the same for pairs: one token of spaCy may be two words (U.S., $30) or none ($)."""
    reasons: Counter[str] = Counter()
    unexplained = []
    for i, j in sorted(ours ^ theirs):
        whose = "rulenet" if (i, j) in ours else "spaCy"
        places = ruleset.spans(docs[i].text)[ruleset.ids[j]] if (i, j) in ours else side.gapped_places(docs[i], j)
        if all(_counts_the_same(docs[i], start, end) for start, end in places):
            unexplained.append(f"{whose} alone: {ruleset.ids[j]} at {places} in {docs[i].text!r}")
        else:
            reasons[f"{whose} alone: a token that is two words or none"] += 1
    return dict(reasons.most_common()), unexplained


def _counts_the_same(doc: Any, start: int, end: int) -> bool:
    """Whether each token between two places is one word, punctuation aside."""
    span = doc.char_span(start, end)
    return (
        span is not None
        and all(len(words_with_offsets(token.text)) == (0 if token.is_punct else 1) for token in span)
        and len(words_with_offsets(doc.text[start:end])) == sum(not token.is_punct for token in span)
    )


def _why_only_ours(ruleset: Any, terms: list[str], doc: Any, j: int) -> str | None:
    """Return why spaCy has no hit: it joined a word to something, or has something between the words of a phrase."""
    for start, end in ruleset.spans(doc.text)[ruleset.ids[j]]:
        span = doc.char_span(start, end)
        if span is None:
            return "rulenet alone: spaCy joins the word to its neighbour (site.com, U.S.-led)"
        if [token.lower_ for token in span] != terms[j].split(" "):
            return "rulenet alone: punctuation between the words of the phrase"
    return None


def _why_only_theirs(term: str, doc: Any) -> str | None:
    """Return why only spaCy has a hit: it cut a word in two."""
    words = term.split(" ")
    lower = [token.lower_ for token in doc]
    for i in range(len(doc) - len(words) + 1):
        if lower[i : i + len(words)] == words:
            start, end = doc[i].idx, doc[i + len(words) - 1].idx + len(words[-1])
            edges = doc.text[max(0, start - 1) : start] + doc.text[end : end + 1]
            if any(char.isalnum() or char == "_" for char in edges):
                return "spaCy alone: it cuts the word (can|not, 20|billion)"
    return None
