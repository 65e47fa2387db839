"""Conditions as they are evaluated: each finds its own hits in a `Doc`. Imports only `rulenet.text`.

This is the plain reading of the rule language; `engine/match.py` is the fast one, and a test compares the two.
Each condition answers two questions. `find`: where does it hit (None: it is not fulfilled)? `triggers`: at least one of which
atoms must be in a text (None: it can be fulfilled without any)? Each kind is in a file of its own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from rulenet.text.doc import Doc

Span = tuple[int, int]
Test = Callable[[Span, Doc], bool]  # of a hit in this text, or in this field of a record


@dataclass(frozen=True)
class Keep:
    """Which hits count: those in the right place that are not negated."""

    is_placed: Test | None = None  # None: anywhere
    is_negated: Test | None = None  # None: negation does not matter

    def __call__(self, span: Span, doc: Doc) -> bool:
        """Whether a hit counts."""
        return (self.is_placed is None or self.is_placed(span, doc)) and not (
            self.is_negated is not None and self.is_negated(span, doc)
        )

    @property
    def placed(self) -> Keep:
        """The same, whether they are negated or not."""
        return Keep(self.is_placed)

    @property
    def anywhere(self) -> Keep:
        """The same, wherever they are."""
        return Keep(None, self.is_negated)


everything = Keep()


class Atom(NamedTuple):
    """Something a fast engine can look for in all texts at once."""

    kind: str  # "word": folded words · "raw": characters anywhere · "regex"
    pattern: str


class Condition(ABC):
    """A test on a text."""

    @abstractmethod
    def find(self, doc: Doc, keep: Keep) -> list[Span] | None:
        """Hits that `keep` accepts, in the cleaned text; None if the condition is not fulfilled."""

    def triggers(self) -> frozenset[Atom] | None:
        """Atoms of which at least one is in every text that fulfils the condition; None if there is no such set."""
        return None

    def holds(self, atoms: Set[Atom]) -> bool:
        """Whether it is fulfilled, given every atom found in the text. Only used where `needs_doc` is False."""
        raise NotImplementedError(f"{type(self).__name__} needs the text")

    def possible(self, atoms: Set[Atom]) -> bool:
        """Whether it may be fulfilled, given every atom found in the text; a cheap look before `find`."""
        triggers = self.triggers()
        return triggers is None or not triggers.isdisjoint(atoms)

    def weigh(self, doc: Doc, keep: Keep) -> dict[Span, float]:
        """Each hit with what it adds to a count."""
        return dict.fromkeys(self.find(doc, keep) or (), 1.0)

    def negated(self, doc: Doc, keep: Keep) -> set[Span]:
        """Of its hits in the right place those that do not count because they are negated."""
        if self.passes_hits:
            is_fulfilled = self.find(doc, keep.placed) is not None
            return {span for part in self.parts if is_fulfilled for span in part.negated(doc, keep)}
        return {*(self.find(doc, keep.placed) or ())} - {*(self.find(doc, keep) or ())}

    def sought(self, doc: Doc) -> Iterator[Span]:
        """Every hit of the words and patterns that it is made of, negated or not."""
        if not self.denies:
            yield from (span for part in self.parts for span in part.sought(doc))
        if not self.parts:
            yield from self.find(doc, everything) or ()

    parts: Sequence[Condition] = ()
    """Conditions that it is made of."""

    needs_doc = True
    """Whether the atoms found do not settle it."""

    is_flat = False
    """Whether it is fulfilled exactly if one of its triggers is in the text."""

    denies: ClassVar[bool] = False
    """Whether it is fulfilled where its parts are not."""

    passes_hits: ClassVar[bool] = False
    """Whether its hits are those of its parts."""

    makes_words = True
    """Whether the Chinese words that it looks for are words for the tokeniser too."""

    @property
    def needs_tags(self) -> bool:
        """Whether it reads part-of-speech tags."""
        return any(part.needs_tags for part in self.parts)


@dataclass(frozen=True)
class InField(Condition):
    """`field`: a condition that reads one field of a record as if it were the whole text, for `where` and `negation` too.

    A text without that field does not fulfil it.
    """

    name: str
    part: Condition

    @property
    def parts(self) -> tuple[Condition, ...]:  # type: ignore[override]
        return (self.part,)

    def find(self, doc: Doc, keep: Keep) -> list[Span] | None:
        part = doc.part(self.name)
        found = None if part is None else self.part.find(part, keep)
        return None if found is None else [self._shifted(span, doc) for span in found]

    def weigh(self, doc: Doc, keep: Keep) -> dict[Span, float]:
        part = doc.part(self.name)
        found = {} if part is None else self.part.weigh(part, keep)
        return {self._shifted(span, doc): weight for span, weight in found.items()}

    def negated(self, doc: Doc, keep: Keep) -> set[Span]:
        part = doc.part(self.name)
        return set() if part is None else {self._shifted(span, doc) for span in self.part.negated(part, keep)}

    def sought(self, doc: Doc) -> Iterator[Span]:
        part = doc.part(self.name)
        return iter(()) if part is None else (self._shifted(span, doc) for span in self.part.sought(part))

    def _shifted(self, span: Span, doc: Doc) -> Span:
        at = doc.fields[self.name][0]
        return span[0] + at, span[1] + at

    def triggers(self) -> frozenset[Atom] | None:
        found = self.part.triggers()
        # A pattern with ^ or $ may hit the field and not the text.
        return None if found is None or any(atom.kind == "regex" for atom in found) else found


def atoms_of(
    conditions: Iterable[Condition], *, denied: bool = True, wanted: Callable[[Condition], bool] | None = None
) -> set[Atom]:
    """Every atom of a list of conditions, at any depth; with `denied=False` without those that are denied, and of `wanted` ones only."""
    found: set[Atom] = set()
    todo = list(conditions)
    while todo:
        condition = todo.pop()
        if denied or not condition.denies:
            todo.extend(condition.parts)
        if not condition.parts and (wanted is None or wanted(condition)):
            found |= condition.triggers() or frozenset()
    return found


def conditions_in(condition: Condition) -> Iterator[Condition]:
    """The condition and all that it is made of."""
    yield condition
    for part in condition.parts:
        yield from conditions_in(part)
