"""`near`, `count`, `length`, `lang`, `field`: hits in relation to each other and to the text. Imports `rulenet.text` and conditions."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Set
from dataclasses import dataclass
from itertools import accumulate, combinations

from rulenet.rules.conditions.condition import Atom, Condition, Keep, Span, everything
from rulenet.text.doc import Doc


class _Relation(Condition):
    """What the atoms of a text do not settle."""

    needs_doc = True

    @property
    def needs_tags(self) -> bool:  # type: ignore[override]
        return any(part.needs_tags for part in self.parts)

    def holds(self, atoms: Set[Atom]) -> bool:
        raise NotImplementedError(f"{type(self).__name__} needs the text")


@dataclass(frozen=True)
class Near(_Relation):
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

    def find(self, doc: Doc, keep: Keep) -> list[Span] | None:
        hits: list[list[Span]] = [[] for _ in self.parts]
        for k in sorted(range(len(self.parts)), key=lambda k: self.parts[k].needs_tags):
            hits[k] = self.parts[k].find(doc, everything) or []
            if not hits[k]:
                return None
        shortest: dict[int, int] = {}
        for group in [hits] if self.within is not None else _by_sentence(doc, hits):
            for start, end in self._complete(doc, group):
                shortest[start] = min(end, shortest.get(start, end))
        return [span for span in sorted(shortest.items()) if keep(span, doc)] or None

    def _complete(self, doc: Doc, hits: list[list[Span]]) -> Iterator[Span]:
        """From each hit that may come first to the earliest end of a complete one.

        The earliest end after a hit, with a set of parts still to come, is the earliest over the next hits within reach of each of
        those parts. It is worked out from small sets to large ones, so that repeated words cost no more than their number.
        """
        every = frozenset(range(len(hits)))
        starts = [[start for start, _ in of_part] for of_part in hits]
        reach = [[self._reach(doc, end, starts) for _, end in of_part] for of_part in hits]
        ends: dict[tuple[frozenset[int], int], _Ends] = {
            (frozenset(), k): _Ends([float(end) for _, end in of_part]) for k, of_part in enumerate(hits)
        }
        for to_come in sorted(self._sets_to_come(every), key=len):
            for k in self._before(to_come, every):
                following = self._following(to_come)
                tables = [(j, ends[to_come - {j}, j]) for j in following if (to_come - {j}, j) in ends]
                ends[to_come, k] = _Ends(
                    [min((table.earliest(*near[j]) for j, table in tables), default=math.inf) for near in reach[k]]
                )
        for k in [0] if self.ordered else every:
            for (start, _), end in zip(hits[k], ends[every - {k}, k].values, strict=True):
                if end < math.inf:
                    yield start, int(end)

    def _sets_to_come(self, every: frozenset[int]) -> list[frozenset[int]]:
        n = len(every)
        if self.ordered:
            return [frozenset(range(k, n)) for k in range(1, n)]
        return [frozenset(chosen) for size in range(1, n) for chosen in combinations(every, size)]

    def _before(self, to_come: frozenset[int], every: frozenset[int]) -> list[int]:
        """Parts that may stand just before these."""
        return [min(to_come) - 1] if self.ordered else sorted(every - to_come)

    def _following(self, to_come: frozenset[int]) -> list[int]:
        return [min(to_come)] if self.ordered else sorted(to_come)

    def _reach(self, doc: Doc, end: int, starts: list[list[int]]) -> list[tuple[int, int]]:
        """For each part which of its hits may come next, first and beyond the last."""
        limit = math.inf if self.within is None else doc.after_units(end, self.within)
        return [(bisect_left(of_part, end), bisect_right(of_part, limit)) for of_part in starts]

    def triggers(self) -> frozenset[Atom] | None:
        sets = [found for part in self.parts if (found := part.triggers()) is not None]
        return min(sets, key=len) if sets else None

    def possible(self, atoms: Set[Atom]) -> bool:
        return all(part.possible(atoms) for part in self.parts)


class _Ends:
    """Where what begins with each hit of a part ends, and the earliest of a stretch of them."""

    def __init__(self, values: list[float]) -> None:
        self.values = values
        self._of_rest = list(accumulate(reversed(values), min))[::-1]

    def earliest(self, first: int, beyond: int) -> float:
        if first >= beyond:
            return math.inf
        return self._of_rest[first] if beyond == len(self.values) else min(self.values[first:beyond])


def _by_sentence(doc: Doc, hits: list[list[Span]]) -> list[list[list[Span]]]:
    """The hits of each part, sentence by sentence, where all parts are there."""
    last = len(doc.sentence_ends) - 1
    groups: dict[int, list[list[Span]]] = {}
    for k, of_part in enumerate(hits):
        for span in of_part:
            sentence = min(bisect_right(doc.sentence_ends, span[0]), last)
            groups.setdefault(sentence, [[] for _ in hits])[k].append(span)
    return [group for group in groups.values() if all(group)]


@dataclass(frozen=True)
class Count(_Relation):
    """`count`: the hits of a condition, each once or with the weight of its lexicon entry, between two bounds."""

    part: Condition
    at_least: float | None
    at_most: float | None

    @property
    def parts(self) -> tuple[Condition, ...]:  # type: ignore[override]
        return (self.part,)

    def find(self, doc: Doc, keep: Keep) -> list[Span] | None:
        found = self.part.weigh(doc, keep)
        return sorted(found) if _is_between(math.fsum(found.values()), self.at_least, self.at_most) else None

    def triggers(self) -> frozenset[Atom] | None:
        return self.part.triggers() if self.at_least is not None and self.at_least > 0 else None


@dataclass(frozen=True)
class Length(_Relation):
    """`length`: words (each Chinese character is one) or characters, between two bounds; white space at the ends does not count."""

    at_least: float | None
    at_most: float | None
    unit: str = "words"

    def find(self, doc: Doc, keep: Keep) -> list[Span] | None:
        length = len(doc.units) if self.unit == "words" else len(doc.clean.strip())
        return [] if _is_between(length, self.at_least, self.at_most) else None

    def triggers(self) -> frozenset[Atom] | None:
        return None


@dataclass(frozen=True)
class Lang(_Relation):
    """`lang`: the language the text itself is written in."""

    language: str

    def find(self, doc: Doc, keep: Keep) -> list[Span] | None:
        return [] if doc.language == self.language else None

    def triggers(self) -> frozenset[Atom] | None:
        return None


@dataclass(frozen=True)
class InField(_Relation):
    """`field`: a condition that reads one field of a record as if it were the whole text, for `where` and `negation` too.

    In a text without that field it does not hold.
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

    def _shifted(self, span: Span, doc: Doc) -> Span:
        at = doc.fields[self.name][0]
        return span[0] + at, span[1] + at

    def triggers(self) -> frozenset[Atom] | None:
        found = self.part.triggers()
        # A pattern with ^ or $ may hit the field and not the text.
        return None if found is None or any(atom.kind == "regex" for atom in found) else found


def _is_between(value: float, low: float | None, high: float | None) -> bool:
    slack = 1e-9  # 0.7 + 0.1 is at least 0.8
    return (low is None or value >= low - slack) and (high is None or value <= high + slack)


def conditions_in(condition: Condition) -> Iterator[Condition]:
    """The condition and all that it is made of."""
    yield condition
    for part in condition.parts:
        yield from conditions_in(part)
