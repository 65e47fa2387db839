"""`lang`: the language of a text. Imports `rulenet.text` and what kinds are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rulenet.rules.conditions.condition import Condition, Keep, Span
from rulenet.rules.conditions.formula import Fact, Formula, WordLists
from rulenet.rules.conditions.kind import Builder, Kind, Part, Setting, Smell
from rulenet.rules.file import codes
from rulenet.text.doc import Doc


@dataclass(frozen=True)
class Lang(Condition):
    """`lang`: the language the text itself is written in."""

    language: str

    def find(self, doc: Doc, keep: Keep) -> list[Span] | None:
        return [] if doc.language == self.language else None


class LangKind(Kind):
    name = "lang"
    has_hits = False

    def build(self, part: Part, builder: Builder) -> Condition:
        return Lang(part.value)

    def formula(self, part: Part, placement: str, lists: WordLists) -> Formula:
        return Fact("lang", part.value, fields=part.fields)

    def smells(self, part: Part, setting: Setting) -> Iterator[Smell]:
        if setting.language not in ("any", part.value):
            message = (
                f"lang: {part.value} is rarely true in a file with language: {setting.language}; set language: any"
            )
            yield part.smell(codes.WRONG_LANGUAGE, message)

    def why_not(self, part: Part, doc: Doc, hits_of: Callable[[Part], Sequence[Span]]) -> str:
        return f"the text seems to be {doc.language!r}"
