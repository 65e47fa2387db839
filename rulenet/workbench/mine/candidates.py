"""Labelled texts and their present predictions → conditions worth trying. Imports numpy and the other modules of `mine`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rulenet.base.types import Array
from rulenet.text.fold import fold, is_unspaced
from rulenet.workbench.mine.contrast import expected_gain, log_odds
from rulenet.workbench.mine.neighbours import groups
from rulenet.workbench.mine.pairs import pairs
from rulenet.workbench.mine.terms import Terms

CONTRAST = 2.0  # least z of the log-odds ratio; low, because selection is stricter, and 3 leaves no candidates if texts are few
LEAD = 0.45  # a rule's precision must be this far from the label's share of all texts towards 1
MIN_WORTH = 0.2  # least expected gain of a term, in log-likelihood
LIKENESS = 0.55  # least cosine of words in one rule
SIZES = (1, 5, 15)  # a group is tried with its best one, five and fifteen words
SEEDS = 40  # groups per label
PAIR_TERMS = 500  # the most frequent terms, which are tried in pairs
PAIRS = 30  # pairs per label
PAIR_WORTH = 3.0  # least expected gain of a pair over its words; among so many pairs, smaller ones occur by chance
MIN_KNOWN = 4  # least number of known words of a rule, to search for similar words


@dataclass(frozen=True)
class Candidate:
    """A condition that may be worth a rule."""

    kind: str  # "words", "growth" (words like those of a rule), "pattern", "pair" or "exception"
    label: int  # class index
    condition: Mapping[str, Any]  # fields of a rule file
    terms: tuple[str, ...]  # its words and phrases, or patterns, as written in a rule
    like: str | None = None  # for growth, the id of the rule with similar words


@dataclass(frozen=True)
class Evidence:
    """Columns to try, on some texts with labels and present predictions."""

    terms: Terms
    Y: Array  # one-hot labels, shape (n_texts, n_classes)
    P: Array  # probabilities of the labels according to the present rules or model, same shape

    @property
    def min_share(self) -> Array:
        """Least precision of a rule for each label, well above the label's share of all texts, shape (n_classes,)."""
        share = self.Y.mean(axis=0)
        return np.asarray(share + LEAD * (1 - share))

    def worth(self, known: Sequence[frozenset[str]]) -> Array:
        """Return the expected gain of each term for each label, shape (n_terms, n_classes); zero for terms that cannot start a rule.

        A term can start a rule if it is contrastive, occurs mostly in texts of the label, is not part of a longer term, and is not
        among the literals of the rules for that label (`known`).
        """
        D = self.terms.D
        gain = expected_gain(D.T @ (self.Y - self.P), D.T @ (self.P * (1 - self.P)))
        counts = np.asarray(D.T @ self.Y)
        mostly = counts >= self.min_share * counts.sum(axis=1, keepdims=True)
        gain[(gain < MIN_WORTH) | ~mostly | (log_odds(D, self.Y) < CONTRAST)] = 0
        gain[self.terms.fragments()] = 0
        for k, literals in enumerate(known):
            gain[[key in literals for key in self.terms.keys], k] = 0
        return gain


def word_candidates(evidence: Evidence, worth: Array, V: Array) -> Iterator[Candidate]:
    """Yield contrastive words and phrases, grouped with words that occur in similar contexts."""
    names = evidence.terms.names
    for k in range(worth.shape[1]):
        for group in groups(V, worth[:, k], seeds=SEEDS, size=2 * SIZES[-1], likeness=LIKENESS):
            terms = _without_parts([evidence.terms.keys[j] for j in group])
            for size in _sizes(len(terms)):
                chosen = tuple(names[group[i]] for i in terms[:size])
                yield Candidate("words", k, words(chosen), chosen)


def growth_candidates(
    evidence: Evidence, worth: Array, V: Array, lists: Sequence[tuple[str, int, frozenset[str]]]
) -> Iterator[Candidate]:
    """Yield words similar to those that a rule lists; `lists` has the id, class index and literals of each rule."""
    index = {key: j for j, key in enumerate(evidence.terms.keys)}
    for rule, k, literals in lists:
        known = [index[key] for key in literals if key in index]
        if len(known) < MIN_KNOWN:
            continue
        centre = V[known].sum(axis=0)
        cosine = V @ (centre / max(float(np.linalg.norm(centre)), 1e-12))
        near = np.flatnonzero((worth[:, k] > 0) & (cosine >= LIKENESS))
        best = near[np.argsort(-cosine[near], kind="stable")].tolist()[: 2 * SIZES[-1]]
        terms = _without_parts([evidence.terms.keys[j] for j in best])
        for size in SIZES[1:]:
            if len(terms) > (2 if size == SIZES[1] else SIZES[1]):
                chosen = tuple(evidence.terms.names[best[i]] for i in terms[:size])
                yield Candidate("growth", k, words(chosen), chosen, like=rule)


def pair_candidates(evidence: Evidence, *, min_texts: int) -> Iterator[Candidate]:
    """Yield conjunctions that correct wrong predictions: two words together, or a word unless another."""
    terms = evidence.terms
    D = terms.D[:, :PAIR_TERMS].tocsc()
    n_texts = dict(zip(terms.keys, terms.n_texts.tolist(), strict=True))
    for k in range(evidence.Y.shape[1]):
        share = float(evidence.min_share[k])
        for pair in pairs(D, evidence.Y[:, k], evidence.P[:, k], n=PAIRS, min_texts=min_texts, min_share=share):
            a, b = terms.keys[pair.first], terms.keys[pair.second]
            if pair.gain < PAIR_WORTH or _contains(a, b) or _contains(b, a):
                continue
            names = terms.names[pair.first], terms.names[pair.second]
            first, second = (words((name,)) for name in names)
            if pair.is_exception:
                yield Candidate("exception", k, {**first, "unless": [second]}, names)
            elif not _is_phrase(a, b, n_texts, D, pair):
                yield Candidate("pair", k, {"all": [first, second]}, names)


def pattern_candidates(evidence: Evidence, worth: Array, alone: Mapping[str, Array]) -> Iterator[Candidate]:
    """Yield part-of-speech patterns that gain more than their word; those of one shape share a rule: `VERB:lemma=beat|rout PROPN`.

    `alone` has the gain of each word without its neighbours, shape (n_classes,).
    """
    for k in range(worth.shape[1]):
        shapes: dict[tuple[str, str], list[str]] = defaultdict(list)
        for j in np.argsort(-worth[:, k], kind="stable").tolist():
            if worth[j, k] <= 0:
                break
            before, _, rest = evidence.terms.names[j].partition("=")
            lemma, _, after = rest.partition(" ")
            if lemma in alone and alone[lemma][k] >= worth[j, k]:
                continue
            shapes[f"{before}=", f" {after}".rstrip()].append(lemma)
        for (before, after), lemmas in shapes.items():
            for size in _sizes(len(lemmas)):
                pattern = f"{before}{'|'.join(lemmas[:size])}{after}"
                yield Candidate("pattern", k, {"pos": [pattern]}, tuple(lemmas[:size]))


def words(terms: Sequence[str]) -> dict[str, Any]:
    """Return the simplest condition that matches if any of the terms occurs.

    Examples
    --------
    >>> words(["goal"]), words(["goal", "own goal"])
    ({'word': ['goal']}, {'any': [{'word': ['goal']}, {'phrase': ['own goal']}]})
    """
    single = [term for term in terms if is_unspaced(term) or len(fold(term).split()) == 1]
    several = [term for term in terms if term not in single]
    if single and several:
        return {"any": [{"word": single}, {"phrase": several}]}
    return {"word": single} if single else {"phrase": several}


def _sizes(n: int) -> list[int]:
    """Return the sizes that make a difference for a group of `n`."""
    return [size for size, smaller in zip(SIZES, (-1, *SIZES), strict=False) if n > smaller]


def _without_parts(keys: Sequence[str]) -> list[int]:
    """Return the positions of the keys that do not contain another key: with `ivan`, `hurricane ivan` finds nothing more."""
    return [i for i, key in enumerate(keys) if not any(_contains(key, other) for j, other in enumerate(keys) if j != i)]


def _contains(key: str, part: str) -> bool:
    return part in key if is_unspaced(key) else f" {part} " in f" {key} "


def _is_phrase(a: str, b: str, n_texts: Mapping[str, float], D: Any, pair: Any) -> bool:
    """Whether two words mostly occur together as a phrase, which is simpler than a conjunction."""
    together = float(D[:, pair.first].multiply(D[:, pair.second]).sum())
    joint = "" if is_unspaced(a) else " "
    return max(n_texts.get(f"{a}{joint}{b}", 0), n_texts.get(f"{b}{joint}{a}", 0)) >= 0.5 * together
