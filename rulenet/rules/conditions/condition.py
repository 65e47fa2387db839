"""Conditions as they are evaluated: each kind finds its own hits in a `Doc`. Imports only `rulenet.text` and patterns.

This is the plain reading of the rule language. `match.py` is the fast one; a test holds the two together.
Each condition answers two questions: `find`: where does it hit (None: it does not hold); `triggers`: one of which
atoms must be in a text for the condition to have a chance (None: it can hold without any). Words are in `literals.py`, what stands in
relation to other hits or to the text as a whole in `relations.py`; `build.py` makes conditions of what the author wrote.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from rulenet.rules.conditions.patterns import compile_pos, compile_regex
from rulenet.text.doc import Doc

Span = tuple[int, int]
Keep = Callable[[Span, Doc], bool]  # of a hit in this text, or in this field of a record


class Atom(NamedTuple):
    """Something a fast engine can look for in all texts at once."""

    kind: str  # "word": folded words · "raw": characters anywhere · "regex"
    pattern: str


class Condition(ABC):
    """A test on a text."""

    @abstractmethod
    def find(self, doc: Doc, keep: Keep) -> list[Span] | None:
        """Hits that `keep` accepts, in the cleaned text; None if the condition does not hold."""

    @abstractmethod
    def triggers(self) -> frozenset[Atom] | None:
        """Atoms of which at least one is in every text where the condition holds; None if there is no such set."""

    @abstractmethod
    def holds(self, atoms: Set[Atom]) -> bool:
        """Whether it holds, given every atom found in the text. Only asked where `needs_doc` is False."""

    def possible(self, atoms: Set[Atom]) -> bool:
        """Whether it may hold, given every atom found in the text; a cheap look before `find`."""
        triggers = self.triggers()
        return triggers is None or not triggers.isdisjoint(atoms)

    def weigh(self, doc: Doc, keep: Keep) -> dict[Span, float]:
        """Each hit with what it adds to a count."""
        return dict.fromkeys(self.find(doc, keep) or (), 1.0)

    parts: Sequence[Condition] = ()
    """Conditions that it is made of."""

    needs_doc = False
    """Whether the atoms found do not settle it."""

    needs_tags = False
    """Whether it reads part-of-speech tags."""

    is_flat = False
    """Whether it holds exactly when one of its triggers is in the text."""


@dataclass(frozen=True)
class Regexes(Condition):
    """`regex`: any of a list of RE2 patterns; case is ignored unless a pattern says otherwise."""

    patterns: tuple[str, ...]
    is_flat = True

    @cached_property
    def _atoms(self) -> frozenset[Atom]:
        return frozenset(Atom("regex", pattern) for pattern in self.patterns)

    def find(self, doc: Doc, keep: Keep) -> list[Span] | None:
        spans = {match.span() for pattern in self.patterns for match in compile_regex(pattern).finditer(doc.clean)}
        return [span for span in sorted(spans) if keep(span, doc)] or None

    def triggers(self) -> frozenset[Atom] | None:
        return self._atoms

    def holds(self, atoms: Set[Atom]) -> bool:
        return not self._atoms.isdisjoint(atoms)


@dataclass(frozen=True)
class Tags(Condition):
    """`pos`: a pattern over tags and lemmas of consecutive tokens."""

    patterns: tuple[str, ...]
    needs_doc = True
    needs_tags = True

    def find(self, doc: Doc, keep: Keep) -> list[Span] | None:
        line, begins, ends = doc.tag_line
        spans = {
            (begins[match.start()], ends[match.end()])
            for pattern in self.patterns
            for match in compile_pos(pattern).finditer(line)
        }
        return [span for span in sorted(spans) if keep(span, doc)] or None

    def triggers(self) -> frozenset[Atom] | None:
        return None

    def holds(self, atoms: Set[Atom]) -> bool:
        raise NotImplementedError("a part-of-speech pattern needs the text")


@dataclass(frozen=True)
class _Combination(Condition):
    parts: tuple[Condition, ...]

    @cached_property
    def needs_doc(self) -> bool:  # type: ignore[override]
        return any(part.needs_doc for part in self.parts)

    @cached_property
    def needs_tags(self) -> bool:  # type: ignore[override]
        return any(part.needs_tags for part in self.parts)


@dataclass(frozen=True)
class AnyOf(_Combination):
    """`any`: at least one holds."""

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
    """`all`: every one holds."""

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
    """`none`: no part holds anywhere in the text, whatever `where` and `negation` say of the rule's other hits."""

    def find(self, doc: Doc, keep: Keep) -> list[Span] | None:
        return None if any(part.find(doc, everything) is not None for part in self.parts) else []

    def triggers(self) -> frozenset[Atom] | None:
        return None

    def holds(self, atoms: Set[Atom]) -> bool:
        return not any(part.holds(atoms) for part in self.parts)


def _first_of(found: Iterable[dict[Span, float]]) -> dict[Span, float]:
    """Weight of each hit; where several parts have it, that of the first."""
    weights: dict[Span, float] = {}
    for hits in found:
        for span, weight in hits.items():
            weights.setdefault(span, weight)
    return weights


def everything(span: Span, doc: Doc) -> bool:
    """Keep every hit."""
    return True


def atoms_of(
    conditions: Iterable[Condition], *, denied: bool = True, wanted: Callable[[Condition], bool] | None = None
) -> set[Atom]:
    """Every atom of a list of conditions, at any depth; with `denied=False` without those under `none`, and of `wanted` ones only."""
    found: set[Atom] = set()
    todo = list(conditions)
    while todo:
        condition = todo.pop()
        if denied or not isinstance(condition, NoneOf):
            todo.extend(condition.parts)
        if not condition.parts and (wanted is None or wanted(condition)):
            found |= condition.triggers() or frozenset()
    return found
