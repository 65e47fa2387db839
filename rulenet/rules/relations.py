"""`near`, `count`, `length`, `lang`, `field`: hits in relation to each other and to the text. Imports `rulenet.text` and conditions."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Set
from dataclasses import dataclass
from functools import cached_property

from rulenet.rules.conditions import Atom, Condition, Keep, Span, everything
from rulenet.text.doc import Doc


@dataclass(frozen=True)
class Near(Condition):
    """`near`: a hit of every part, none overlapping, with few words between one and the next.

    Its own hits reach from the beginning of the first to the end of the last: from each beginning the shortest.

    Attributes
    ----------
    within
        Most words (Chinese: characters) between neighbours; None: any number in the same sentence.
    """

    parts: tuple[Condition, ...]
    within: int | None = 5
    ordered: bool = False
    needs_doc = True

    @cached_property
    def needs_tags(self) -> bool:  # type: ignore[override]
        return any(part.needs_tags for part in self.parts)

    def find(self, doc: Doc, keep: Keep) -> list[Span] | None:
        hits: list[tuple[int, int, int]] = []  # start, end, number of the part
        for k in sorted(range(len(self.parts)), key=lambda k: self.parts[k].needs_tags):
            found = self.parts[k].find(doc, everything)
            if not found:
                return None
            hits += [(start, end, k) for start, end in found]
        hits.sort()
        shortest: dict[int, int] = {}
        for i, (start, _, _) in enumerate(hits):
            end = self._end(doc, hits, i)
            if end is not None:
                shortest[start] = min(end, shortest.get(start, end))
        return [span for span in sorted(shortest.items()) if keep(span)] or None

    def _end(self, doc: Doc, hits: list[tuple[int, int, int]], first: int) -> int | None:
        """Where the shortest hit that begins with this part ends."""
        start, end, part = hits[first]
        if self.ordered and part != 0:
            return None
        complete = (1 << len(self.parts)) - 1
        # Which parts are there already, and where the last of them ends.
        reached = {(1 << part, end)}
        best: int | None = None
        limit = self._sentence_end(doc, start) if self.within is None else None
        for begin, end, part in hits[first + 1 :]:
            if limit is not None and begin >= limit:
                break
            if self.within is not None:
                reached = {state for state in reached if doc.units_between(state[1], begin) <= self.within}
                if not reached:
                    break
            added = {
                (done | 1 << part, end)
                for done, last in reached
                if last <= begin and not done & 1 << part and (not self.ordered or done == (1 << part) - 1)
            }
            ends = [last for done, last in added if done == complete]
            best = min([*ends, *([best] if best is not None else [])], default=None)
            reached |= {state for state in added if state[0] != complete}
            if limit is not None:
                # Without a limit between neighbours, the earliest end serves as well as any later one.
                earliest: dict[int, int] = {}
                for done, last in sorted(reached, reverse=True):
                    earliest[done] = last
                reached = set(earliest.items())
        return best

    @staticmethod
    def _sentence_end(doc: Doc, position: int) -> int:
        i = bisect_right(doc.sentence_ends, position)
        return doc.sentence_ends[min(i, len(doc.sentence_ends) - 1)]

    def triggers(self) -> frozenset[Atom] | None:
        sets = [found for part in self.parts if (found := part.triggers()) is not None]
        return min(sets, key=len) if sets else None

    def possible(self, atoms: Set[Atom]) -> bool:
        return all(part.possible(atoms) for part in self.parts)

    def holds(self, atoms: Set[Atom]) -> bool:
        raise NotImplementedError("near needs the text")


@dataclass(frozen=True)
class Count(Condition):
    """`count`: the hits of a condition, each once or with the weight of its lexicon entry, between two bounds."""

    part: Condition
    at_least: float | None
    at_most: float | None
    needs_doc = True

    @property
    def parts(self) -> tuple[Condition, ...]:  # type: ignore[override]
        return (self.part,)

    @property
    def needs_tags(self) -> bool:  # type: ignore[override]
        return self.part.needs_tags

    def find(self, doc: Doc, keep: Keep) -> list[Span] | None:
        found = self.part.weigh(doc, keep)
        return sorted(found) if _is_between(math.fsum(found.values()), self.at_least, self.at_most) else None

    def triggers(self) -> frozenset[Atom] | None:
        return self.part.triggers() if self.at_least is not None and self.at_least > 0 else None

    def holds(self, atoms: Set[Atom]) -> bool:
        raise NotImplementedError("count needs the text")


@dataclass(frozen=True)
class Length(Condition):
    """`length`: words (each Chinese character is one) or characters, between two bounds; white space at the ends does not count."""

    at_least: float | None
    at_most: float | None
    unit: str = "words"
    needs_doc = True

    def find(self, doc: Doc, keep: Keep) -> list[Span] | None:
        length = len(doc.units) if self.unit == "words" else len(doc.clean.strip())
        return [] if _is_between(length, self.at_least, self.at_most) else None

    def triggers(self) -> frozenset[Atom] | None:
        return None

    def holds(self, atoms: Set[Atom]) -> bool:
        raise NotImplementedError("length needs the text")


@dataclass(frozen=True)
class Lang(Condition):
    """`lang`: the language the text itself is written in."""

    language: str
    needs_doc = True

    def find(self, doc: Doc, keep: Keep) -> list[Span] | None:
        return [] if doc.language == self.language else None

    def triggers(self) -> frozenset[Atom] | None:
        return None

    def holds(self, atoms: Set[Atom]) -> bool:
        raise NotImplementedError("lang needs the text")


@dataclass(frozen=True)
class InField(Condition):
    """`field`: a condition that reads one field of a record as if it were the whole text; in a text without that field it does not hold."""

    name: str
    part: Condition
    needs_doc = True

    @property
    def parts(self) -> tuple[Condition, ...]:  # type: ignore[override]
        return (self.part,)

    @property
    def needs_tags(self) -> bool:  # type: ignore[override]
        return self.part.needs_tags

    def find(self, doc: Doc, keep: Keep) -> list[Span] | None:
        found = self.weigh(doc, keep)
        return None if self._inner(doc, keep) is None else sorted(found)

    def weigh(self, doc: Doc, keep: Keep) -> dict[Span, float]:
        part = doc.part(self.name)
        if part is None:
            return {}
        at = doc.fields[self.name][0]
        inside = self.part.weigh(part, lambda span: keep((span[0] + at, span[1] + at)))
        return {(start + at, end + at): weight for (start, end), weight in inside.items()}

    def _inner(self, doc: Doc, keep: Keep) -> list[Span] | None:
        part = doc.part(self.name)
        if part is None:
            return None
        at = doc.fields[self.name][0]
        return self.part.find(part, lambda span: keep((span[0] + at, span[1] + at)))

    def triggers(self) -> frozenset[Atom] | None:
        found = self.part.triggers()
        # A pattern with ^ or $ may hit the field and not the text.
        return None if found is None or any(atom.kind == "regex" for atom in found) else found

    def holds(self, atoms: Set[Atom]) -> bool:
        raise NotImplementedError("field needs the text")


def _is_between(value: float, low: float | None, high: float | None) -> bool:
    slack = 1e-9  # 0.7 + 0.1 is at least 0.8
    return (low is None or value >= low - slack) and (high is None or value <= high + slack)


def conditions_in(condition: Condition) -> Iterator[Condition]:
    """The condition and all that it is made of."""
    yield condition
    for part in condition.parts:
        yield from conditions_in(part)
