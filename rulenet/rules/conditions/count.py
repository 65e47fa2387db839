"""`count`: how many hits a condition has. Imports `rulenet.text` and what kinds are."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from rulenet.base.wording import counted as counted_in_words
from rulenet.rules.conditions.bounds import is_between, shown
from rulenet.rules.conditions.condition import Atom, Condition, Keep, Span
from rulenet.rules.conditions.formula import ALWAYS, Fact, Formula, WordLists, both
from rulenet.rules.conditions.kind import Builder, Child, Kind, Part, Setting, Smell
from rulenet.rules.file import codes
from rulenet.rules.file.condition import WrittenCount
from rulenet.text.doc import Doc


@dataclass(frozen=True)
class Count(Condition):
    """`count`: the hits of a condition, each once or with the weight of its lexicon entry, between two bounds."""

    part: Condition
    at_least: float | None
    at_most: float | None
    passes_hits = True

    @property
    def parts(self) -> tuple[Condition, ...]:  # type: ignore[override]
        return (self.part,)

    def find(self, doc: Doc, keep: Keep) -> list[Span] | None:
        found = self.part.weigh(doc, keep)
        return sorted(found) if is_between(math.fsum(found.values()), self.at_least, self.at_most) else None

    def triggers(self) -> frozenset[Atom] | None:
        return self.part.triggers() if self.at_least is not None and self.at_least > 0 else None


class CountKind(Kind):
    name = "count"
    passes_hits = True

    def children(self, value: WrittenCount) -> Iterator[Child]:
        yield Child((), value)

    def build(self, part: Part, builder: Builder) -> Condition:
        return Count(builder.make(part.parts[0]), part.value.at_least, part.value.at_most)

    def faults(self, part: Part, lexicons: Collection[str]) -> Iterator[Smell]:
        kind = part.parts[0].kind
        if kind is self or not (kind.has_hits or kind.passes_hits):
            yield part.smell(codes.BAD_VALUE, f"{kind.name} has no hits to count; count words or patterns instead")

    def formula(self, part: Part, placement: str, lists: WordLists) -> Formula:
        count: WrittenCount = part.value
        counted, low = part.parts[0], count.at_least or 0
        # Opaque: what does not count elsewhere may keep it below at_most.
        written = count.model_dump_json(exclude_defaults=True)
        whole = Fact("count", written, option="opaque", placement=placement, fields=part.fields)
        if low <= 0:
            return whole if count.at_most is not None or part.fields else ALWAYS
        # An entry of a lexicon may weigh less than one.
        is_plain = low <= 1 and count.at_most is None and not counted.kind.lexicons(counted)
        said = counted.formula(placement, lists)
        return said if is_plain else both([whole, said])

    def smells(self, part: Part, setting: Setting) -> Iterator[Smell]:
        count: WrittenCount = part.value
        counted, low = part.parts[0], count.at_least or 0
        never = f"count can never reach {low:g}"
        if low <= 0 and count.at_most is None:
            message = "count with at_least: 0 is always fulfilled; give at_least: 1 or more, or at_most"
            yield part.smell(codes.IDLE_OPTION, message)
        if low > 0 and not counted.has_hits:
            yield part.smell(codes.NEVER_FIRES, f"{never}: {count.kind} has no hits; count words or patterns instead")
            return
        most = counted.kind.most_hits(counted)
        if most is not None and low > most:
            message = f"{never}: {count.kind} has at most {counted_in_words(most, 'hit')}; lower at_least"
            yield part.smell(codes.NEVER_FIRES, message)
        names = counted.kind.lexicons(counted)
        weights = [weight for name in names for weight in setting.lexicons.get(name, {}).values()]
        if low > 0 and weights and max(weights) <= 0:
            listed = ", ".join(map(repr, names[:5])) + (" …" if len(names) > 5 else "")
            yield part.smell(codes.NEVER_FIRES, f"{never}: no entry of {listed} has a positive weight; use at_most")

    def label(self, part: Part) -> str:
        return f"count: {shown(part.value.at_least, part.value.at_most)}"

    def why_not(self, part: Part, doc: Doc, hits_of: Callable[[Part], Sequence[Span]]) -> str:
        return f"hits: {len(hits_of(part.parts[0]))}"
