"""`length`: how long a text is. Imports `rulenet.text` and what kinds are."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rulenet.rules.conditions.bounds import is_between, shown
from rulenet.rules.conditions.condition import Condition, Keep, Span
from rulenet.rules.conditions.formula import Bounds, Formula, WordLists, inside
from rulenet.rules.conditions.kind import Builder, Kind, Part
from rulenet.rules.file.condition import WrittenLength
from rulenet.text.doc import Doc


@dataclass(frozen=True)
class Length(Condition):
    """`length`: words (each Chinese character is one) or characters, between two bounds; white space at the ends does not count."""

    at_least: float | None
    at_most: float | None
    unit: str = "words"

    def find(self, doc: Doc, keep: Keep) -> list[Span] | None:
        length = length_of(doc, self.unit)
        return [] if is_between(length, self.at_least, self.at_most) else None


def length_of(doc: Doc, unit: str) -> int:
    """Words, each Chinese character being one, or characters without white space at the ends."""
    return len(doc.units) if unit == "words" else len(doc.clean.strip())


class LengthKind(Kind):
    name = "length"
    has_hits = False

    def build(self, part: Part, builder: Builder) -> Condition:
        length: WrittenLength = part.value
        return Length(length.at_least, length.at_most, length.unit)

    def formula(self, part: Part, placement: str, lists: WordLists) -> Formula:
        length: WrittenLength = part.value
        high = math.inf if length.at_most is None else length.at_most
        return inside(part.fields, Bounds(length.unit, length.at_least or 0, high, part.fields))

    def label(self, part: Part) -> str:
        return f"length: {shown(part.value.at_least, part.value.at_most)} {part.value.unit}"

    def why_not(self, part: Part, doc: Doc, hits_of: Callable[[Part], Sequence[Span]]) -> str:
        return f"the text has {length_of(doc, part.value.unit)} {part.value.unit}"
