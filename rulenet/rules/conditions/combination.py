"""`any`, `all`, `none`: conditions made of conditions. Imports `rulenet.text` and what kinds are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from rulenet.rules.conditions.condition import Atom, Condition, Keep, Span, everything
from rulenet.rules.conditions.formula import Formula, WordLists, both, denial, either, inside
from rulenet.rules.conditions.kind import Builder, Child, Kind, Part
from rulenet.rules.file.condition import WrittenCondition
from rulenet.text.doc import Doc


@dataclass(frozen=True)
class _Combination(Condition):
    parts: tuple[Condition, ...]
    passes_hits = True

    @cached_property
    def needs_doc(self) -> bool:  # type: ignore[override]
        return any(part.needs_doc for part in self.parts)

    @cached_property
    def needs_tags(self) -> bool:
        return any(part.needs_tags for part in self.parts)


@dataclass(frozen=True)
class AnyOf(_Combination):
    """`any`: at least one part is fulfilled."""

    @cached_property
    def is_flat(self) -> bool:  # type: ignore[override]
        return all(part.is_flat for part in self.parts)

    def find(self, doc: Doc, keep: Keep) -> list[Span] | None:
        found = [spans for part in self.parts if (spans := part.find(doc, keep)) is not None]
        return sorted({span for spans in found for span in spans}) if found else None

    def weigh(self, doc: Doc, keep: Keep) -> dict[Span, float]:
        return _first_of(part.weigh(doc, keep) for part in self.parts)

    def triggers(self) -> frozenset[Atom] | None:
        sets = [part.triggers() for part in self.parts]
        return None if any(s is None for s in sets) else frozenset().union(*(s for s in sets if s is not None))

    def possible(self, atoms: Set[Atom]) -> bool:
        return any(part.possible(atoms) for part in self.parts)

    def holds(self, atoms: Set[Atom]) -> bool:
        return any(part.holds(atoms) for part in self.parts)


@dataclass(frozen=True)
class AllOf(_Combination):
    """`all`: every part is fulfilled."""

    @cached_property
    def _cheap_first(self) -> list[Condition]:
        """Words decide most texts, so that few have to be tagged."""
        return sorted(self.parts, key=lambda part: (part.needs_tags, part.needs_doc))

    def find(self, doc: Doc, keep: Keep) -> list[Span] | None:
        spans: set[Span] = set()
        for part in self._cheap_first:
            found = part.find(doc, keep)
            if found is None:
                return None
            spans.update(found)
        return sorted(spans)

    def weigh(self, doc: Doc, keep: Keep) -> dict[Span, float]:
        return {} if self.find(doc, keep) is None else _first_of(part.weigh(doc, keep) for part in self.parts)

    def triggers(self) -> frozenset[Atom] | None:
        sets = [s for part in self.parts if (s := part.triggers()) is not None]
        return min(sets, key=len) if sets else None

    def possible(self, atoms: Set[Atom]) -> bool:
        return all(part.possible(atoms) for part in self.parts)

    def holds(self, atoms: Set[Atom]) -> bool:
        return all(part.holds(atoms) for part in self.parts)


@dataclass(frozen=True)
class NoneOf(_Combination):
    """`none`: no part is fulfilled anywhere in the text, whatever `where` and `negation` ask of the rule's other hits."""

    denies = True
    passes_hits = False

    def find(self, doc: Doc, keep: Keep) -> list[Span] | None:
        return None if any(part.find(doc, everything) is not None for part in self.parts) else []

    def holds(self, atoms: Set[Atom]) -> bool:
        return not any(part.holds(atoms) for part in self.parts)


def _first_of(found: Iterable[dict[Span, float]]) -> dict[Span, float]:
    """Weight of each hit; if several parts have the same hit, the weight in the first."""
    weights: dict[Span, float] = {}
    for hits in found:
        for span, weight in hits.items():
            weights.setdefault(span, weight)
    return weights


class _CombinationKind(Kind):
    passes_hits = True
    combined: ClassVar[type[_Combination]]

    def children(self, value: Sequence[WrittenCondition]) -> Iterator[Child]:
        return (Child((i,), written, is_enough=True) for i, written in enumerate(value))

    def build(self, part: Part, builder: Builder) -> Condition:
        return self.combined(tuple(map(builder.make, part.parts)))

    def label(self, part: Part) -> str:
        return f"{self.name} of"


class AnyKind(_CombinationKind):
    name = "any"
    combined = AnyOf
    denied_label = "none of"

    def formula(self, part: Part, placement: str, lists: WordLists) -> Formula:
        return either(inner.formula(placement, lists) for inner in part.parts)

    def most_hits(self, part: Part) -> int | None:
        found = [inner.kind.most_hits(inner) for inner in part.parts]
        return None if None in found else sum(most for most in found if most is not None)


class AllKind(_CombinationKind):
    name = "all"
    combined = AllOf
    denied_label = "not all of"

    def children(self, value: Sequence[WrittenCondition]) -> Iterator[Child]:
        return (Child((i,), written, is_enough=len(value) == 1) for i, written in enumerate(value))

    def formula(self, part: Part, placement: str, lists: WordLists) -> Formula:
        return both(inner.formula(placement, lists) for inner in part.parts)


class NoneKind(_CombinationKind):
    name = "none"
    combined = NoneOf
    has_hits = passes_hits = False
    frees_parts = denies = True
    denied_label = "any of"

    def formula(self, part: Part, placement: str, lists: WordLists) -> Formula:
        denied = either(inner.formula("", lists) for inner in part.parts)
        return inside(part.fields, denial(denied))
