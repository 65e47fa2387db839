"""`near`: hits of several conditions close to each other. Imports `rulenet.text` and what kinds are."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import accumulate, combinations

from rulenet.rules.conditions.condition import Atom, Condition, Keep, Span
from rulenet.rules.conditions.formula import Fact, Formula, WordLists, both, tidy
from rulenet.rules.conditions.kind import Builder, Child, Kind, Part, Setting, Smell
from rulenet.rules.conditions.word_smells import literal_smells
from rulenet.rules.conditions.words import literal_flaw
from rulenet.rules.file import codes
from rulenet.rules.file.condition import WrittenNear
from rulenet.text.doc import Doc
from rulenet.text.fold import is_unspaced

WITHIN = 5  # words between the terms where the author gives no number


@dataclass(frozen=True)
class Near(Condition):
    """`near`: a hit of every part, none overlapping, with few words between one and the next.

    Its own hits reach from the beginning of the first to the end of the last: from each beginning the shortest. They are negated where a
    hit of a part is; where they must be is asked of them, not of the parts.
    """

    parts: tuple[Condition, ...]
    within: int | None = 5  # most words (Chinese: characters) between neighbours; None: any number in the same sentence
    ordered: bool = False

    def find(self, doc: Doc, keep: Keep) -> list[Span] | None:
        hits: list[list[Span]] = [[] for _ in self.parts]
        for k in sorted(range(len(self.parts)), key=lambda k: self.parts[k].needs_tags):
            hits[k] = self.parts[k].find(doc, keep.anywhere) or []
            if not hits[k]:
                return None
        shortest: dict[int, int] = {}
        for group in [hits] if self.within is not None else _by_sentence(doc, hits):
            for start, end in self._complete(doc, group):
                shortest[start] = min(end, shortest.get(start, end))
        return [span for span in sorted(shortest.items()) if keep.placed(span, doc)] or None

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
            following = [min(to_come)] if self.ordered else sorted(to_come)
            for k in [min(to_come) - 1] if self.ordered else sorted(every - to_come):
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


class NearKind(Kind):
    name = "near"
    frees_parts = True

    def children(self, value: WrittenNear) -> Iterator[Child]:
        plain = [isinstance(term, str) for term in value.terms]
        for i, (written, is_plain) in enumerate(zip(value.conditions, plain, strict=True)):
            yield Child(("terms", i), written, is_plain=is_plain)

    def build(self, part: Part, builder: Builder) -> Condition:
        near: WrittenNear = part.value
        within = None if near.same else WITHIN if near.within is None else near.within
        return Near(tuple(map(builder.make, part.parts)), within, near.ordered)

    def faults(self, part: Part, lexicons: Collection[str]) -> Iterator[Smell]:
        for i, term in enumerate(part.value.terms):
            if isinstance(term, str) and (flaw := literal_flaw(term, "near")):
                yield part.smell(*flaw, at=("terms", i))

    def formula(self, part: Part, placement: str, lists: WordLists) -> Formula:
        whole = Fact("near", part.value.model_dump_json(exclude_defaults=True), placement=placement, fields=part.fields)
        return both([whole, *(inner.formula("", lists) for inner in part.parts)])

    def smells(self, part: Part, setting: Setting) -> Iterator[Smell]:
        near: WrittenNear = part.value
        for term, inner in zip(near.terms, part.parts, strict=True):
            if isinstance(term, str):
                for flaw in literal_smells(term, "near", exact=False, alone=False):
                    yield Smell(inner.path, *flaw)
            elif not inner.has_hits:
                message = (
                    f"near is never fulfilled: {term.kind} has no hits in the text; combine it with near under all"
                )
                yield Smell(inner.path, codes.NEVER_FIRES, message)
        plain = [term for term in near.terms if isinstance(term, str)]
        if near.within == 0 and near.ordered and len(plain) == len(near.terms):
            joined = "".join(plain) if all(is_unspaced(tidy(term)) for term in plain) else " ".join(plain)
            message = f"near with ordered: true and within: 0 means phrase: {joined}; write that"
            yield part.smell(codes.SIMPLER_FORM, message)

    def label(self, part: Part) -> str:
        near: WrittenNear = part.value
        within = "same sentence" if near.same else f"within {WITHIN if near.within is None else near.within} words"
        return f"near: {within}" + (", ordered" if near.ordered else "")

    def why_not(self, part: Part, doc: Doc, hits_of: Callable[[Part], Sequence[Span]]) -> str:
        return "not near enough to each other" if part.value.same is None else "not in one sentence"
