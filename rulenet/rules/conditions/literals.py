"""Lists of literals and what may vary in them: what finds the hits of the kinds in `words.py`. Imports `rulenet.text` and conditions."""

from __future__ import annotations

import math
from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product

from rulenet.rules.conditions.condition import Atom, Condition, Keep, Span
from rulenet.text.doc import Doc
from rulenet.text.fold import is_unspaced, words_with_offsets
from rulenet.text.forms import forms
from rulenet.text.raw import BORDER, fold_case, fold_raw, squeeze
from rulenet.text.words import plain

MAX_VARIANTS = 256  # of one phrase with all forms of its words; beyond, only its rarest word is looked for at first

Slots = tuple[frozenset[str], ...]  # for each word of a literal the words that match it


@dataclass(frozen=True)
class Literals(Condition):
    """Any of a list of literals.

    Literals in scripts with spaces are looked for as words, the others (Chinese) as characters anywhere in the text.
    """

    literals: tuple[str, ...]  # cleaned, as texts are
    is_exact: bool = False  # whether case counts
    lemma: bool = False  # whether every inflected form of a word will do
    segmented: bool = False  # whether hits of unspaced literals must begin and end at token boundaries
    gap: int = 0  # this many other words (unspaced: characters) may be between two words
    edge: str = ""  # "starts" or "ends": only at that end of the text; "": anywhere
    # What a hit adds to a count, by literal; 1 where it is not listed.
    weights: dict[str, float] = field(default_factory=dict, hash=False)

    needs_tags = False

    @cached_property
    def _slots(self) -> dict[Slots, str]:
        """The words of each literal, with the literal."""
        found: dict[Slots, str] = {}
        for literal in self.literals:
            if not is_unspaced(literal):
                words = [
                    plain(literal[at:end]) if self.is_exact else word for word, at, end in words_with_offsets(literal)
                ]
                slots = tuple(forms(word) if self.lemma else frozenset((word,)) for word in words)
                found.setdefault(slots, literal)
        return found

    @cached_property
    def _by_first(self) -> dict[str, list[Slots]]:
        """Literals by the case-folded words that they may begin with."""
        found: dict[str, list[Slots]] = {}
        for slots in self._slots:
            for word in slots[0]:
                found.setdefault(word.casefold(), []).append(slots)
        return found

    @cached_property
    def _raw(self) -> dict[tuple[str, ...], str]:
        """The pieces of each unspaced literal, with the literal; more than one piece only where gaps are allowed."""
        found: dict[tuple[str, ...], str] = {}
        for literal in self.literals:
            if is_unspaced(literal):
                pieces = literal.split() if self.gap else [literal]
                found.setdefault(tuple(map(squeeze if self.is_exact else fold_raw, pieces)), literal)
        return found

    @cached_property
    def _atoms(self) -> frozenset[Atom]:
        atoms: set[Atom] = set()
        for slots in self._slots:
            if not self.gap and math.prod(map(len, slots)) <= MAX_VARIANTS:
                atoms.update(Atom("word", " ".join(words).casefold()) for words in product(*slots))
            else:
                # The longest word is the rarest, as a rule.
                atoms.update(Atom("word", word.casefold()) for word in max(slots, key=lambda slot: min(map(len, slot))))
        for pieces in self._raw:
            atoms.add(Atom("raw", fold_case(max(pieces, key=len))))
        return frozenset(atoms)

    @cached_property
    def needs_doc(self) -> bool:  # type: ignore[override]
        has_long = any(math.prod(map(len, slots)) > MAX_VARIANTS for slots in self._slots)
        is_cut = self.segmented and bool(self._raw)
        return bool(self.is_exact or self.edge or self.gap or is_cut or has_long)

    @property
    def makes_words(self) -> bool:  # type: ignore[override]
        return not self.segmented  # else they would make the borders that they ask for

    @cached_property
    def is_flat(self) -> bool:  # type: ignore[override]
        return not self.needs_doc

    def triggers(self) -> frozenset[Atom] | None:
        return self._atoms

    def holds(self, atoms: Set[Atom]) -> bool:
        return not self._atoms.isdisjoint(atoms)

    def find(self, doc: Doc, keep: Keep) -> list[Span] | None:
        return sorted({span for span, _ in self._hits(doc) if keep(span, doc)}) or None

    def weigh(self, doc: Doc, keep: Keep) -> dict[Span, float]:
        found: dict[Span, float] = {}
        for span, weight in self._hits(doc):
            if span not in found and keep(span, doc):
                found[span] = weight
        return found

    def _hits(self, doc: Doc) -> Iterator[tuple[Span, float]]:
        """Hits, each with its weight."""
        hits = [*(self._word_hits(doc) if self._slots else ()), *(self._raw_hits(doc) if self._raw else ())]
        for span, literal in hits:
            if not self.edge or self._is_at_edge(span, doc):
                yield span, self.weights.get(literal, 1.0)

    def _word_hits(self, doc: Doc) -> Iterator[tuple[Span, str]]:
        words, places, by_first = doc.words, doc.places, self._by_first
        for first in by_first.keys() & places.keys():
            for i in places[first]:
                for slots in by_first[first]:
                    last = self._last_word(doc, slots, i)
                    if last is not None:
                        yield (words[i][1], words[last][2]), self._slots[slots]

    def _last_word(self, doc: Doc, slots: Slots, first: int) -> int | None:
        """Number of the last word of the shortest hit that begins with this word."""
        words = doc.words
        reached = {first}
        for k, slot in enumerate(slots):
            if k:
                reached = {j for i in reached for j in range(i + 1, min(i + 2 + self.gap, len(words)))}
            if self.is_exact:
                reached = {j for j in reached if plain(doc.clean[words[j][1] : words[j][2]]) in slot}
            elif k:
                reached = {j for j in reached if words[j][0] in slot}
            if not reached:
                return None
        return min(reached)

    def _raw_hits(self, doc: Doc) -> Iterator[tuple[Span, str]]:
        text = doc.squeezed if self.is_exact else doc.raw
        for pieces, literal in self._raw.items():
            for start in _places(pieces[0], text) if pieces[0] in text else ():
                end = self._raw_end(text, pieces, start)
                if end is not None:
                    span = doc.raw_span(start, end)
                    if not self.segmented or doc.boundaries.issuperset(span):
                        yield span, literal

    def _raw_end(self, text: str, pieces: tuple[str, ...], start: int) -> int | None:
        """Where the shortest hit that begins here ends."""
        reached = {start + len(pieces[0])}
        for piece in pieces[1:]:
            # Each character between may be a word, and a paragraph, of its own.
            places = [(end, at) for end in reached for at in _places(piece, text, end, end + 4 * self.gap + 1)]
            reached = {at + len(piece) for end, at in places if at - end - text.count(BORDER, end, at) <= self.gap}
        return min(reached, default=None)

    def _is_at_edge(self, span: Span, doc: Doc) -> bool:
        # Chinese literals keep their punctuation: 【快讯】 begins before the first character that is none.
        if not doc.units:
            return False
        return span[0] <= doc.units[0][0] if self.edge == "starts" else span[1] >= doc.units[-1][1]


def _places(piece: str, text: str, first: int = 0, last: int | None = None) -> Iterator[int]:
    """Where a piece begins, from one place up to another."""
    limit = None if last is None else last + len(piece)
    at = text.find(piece, first, limit)
    while at >= 0:
        yield at
        at = text.find(piece, at + 1, limit)
