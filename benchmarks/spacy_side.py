"""spaCy's matchers on the same words and phrases, and why a hit of one side is none of the other's. Imports spaCy; for bench_match.py."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import spacy
from spacy.matcher import Matcher, PhraseMatcher

Hits = set[tuple[int, int]]  # (text, rule)


class Spacy:
    """A blank English pipeline, which only splits words, and both matchers over the same terms in lower case."""

    def __init__(self, terms: list[str]) -> None:
        self.nlp = spacy.blank("en")
        self._phrases = PhraseMatcher(self.nlp.vocab, attr="LOWER")
        self._tokens = Matcher(self.nlp.vocab)
        for j, term in enumerate(terms):
            self._phrases.add(str(j), [self.nlp.make_doc(term)])
            self._tokens.add(str(j), [[{"LOWER": word} for word in term.split(" ")]])
        self._rule = {self.nlp.vocab.strings[str(j)]: j for j in range(len(terms))}

    def phrase_hits(self, docs: Iterable[Any]) -> Hits:
        """What PhraseMatcher finds."""
        return self._hits(self._phrases, docs)

    def token_hits(self, docs: Iterable[Any]) -> Hits:
        """What Matcher finds."""
        return self._hits(self._tokens, docs)

    def _hits(self, matcher: Any, docs: Iterable[Any]) -> Hits:
        return {(i, self._rule[key]) for i, doc in enumerate(docs) for key, _, _ in matcher(doc)}


def differences(
    ours: Hits, theirs: Hits, ruleset: Any, terms: list[str], docs: list[Any]
) -> tuple[dict[str, int], list[str]]:
    """How often which reason parts the two, and the hits that no reason explains."""
    reasons: Counter[str] = Counter()
    unexplained = []
    for i, j in sorted(ours ^ theirs):
        reason = _why_only_ours(ruleset, terms, docs[i], j) if (i, j) in ours else _why_only_theirs(terms[j], docs[i])
        if reason:
            reasons[reason] += 1
        else:
            unexplained.append(f"{'rulenet' if (i, j) in ours else 'spaCy'} alone: {terms[j]!r} in {docs[i].text!r}")
    return dict(reasons.most_common()), unexplained


def _why_only_ours(ruleset: Any, terms: list[str], doc: Any, j: int) -> str | None:
    """spaCy has a word joined to something, or something between the words of a phrase."""
    for start, end in ruleset.spans(doc.text)[ruleset.ids[j]]:
        span = doc.char_span(start, end)
        if span is None:
            return "rulenet alone: spaCy joins the word to its neighbour (site.com, U.S.-led)"
        if [token.lower_ for token in span] != terms[j].split(" "):
            return "rulenet alone: punctuation between the words of the phrase"
    return None


def _why_only_theirs(term: str, doc: Any) -> str | None:
    """spaCy has cut a word in two."""
    words = term.split(" ")
    lower = [token.lower_ for token in doc]
    for i in range(len(doc) - len(words) + 1):
        if lower[i : i + len(words)] == words:
            start, end = doc[i].idx, doc[i + len(words) - 1].idx + len(words[-1])
            edges = doc.text[max(0, start - 1) : start] + doc.text[end : end + 1]
            if any(char.isalnum() or char == "_" for char in edges):
                return "spaCy alone: it cuts the word (can|not, 20|billion)"
    return None
