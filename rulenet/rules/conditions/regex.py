"""`regex`: regular expressions in RE2 syntax. Imports `rulenet.text` and what kinds are."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Set
from dataclasses import dataclass
from functools import cached_property

from rulenet.rules.conditions.condition import Atom, Condition, Keep, Span
from rulenet.rules.conditions.formula import Fact, Formula, WordLists, either
from rulenet.rules.conditions.kind import Builder, Kind, Part, Setting, Smell
from rulenet.rules.conditions.patterns import compile_regex, fault_of
from rulenet.rules.conditions.regex_smells import half_width, only_literals, regex_smells
from rulenet.rules.conditions.word_smells import doubles
from rulenet.rules.file import codes
from rulenet.rules.file.wording import quoted
from rulenet.text.doc import Doc


@dataclass(frozen=True)
class Regexes(Condition):
    """`regex`: any of a list of RE2 patterns; case is ignored unless a pattern says otherwise."""

    patterns: tuple[str, ...]
    needs_doc = needs_tags = False
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


class RegexKind(Kind):
    name = "regex"
    quotes = "'"

    def build(self, part: Part, builder: Builder) -> Condition:
        is_exact = part.written.case == "exact"
        return Regexes(tuple(f"(?-i:{pattern})" if is_exact else pattern for pattern in part.value))

    def faults(self, part: Part, lexicons: Collection[str]) -> Iterator[Smell]:
        for i, pattern in enumerate(part.value):
            if fault := fault_of(pattern, compile_regex):
                message = f"regex {quoted(pattern)}: {fault}"
                yield part.smell(codes.BAD_REGEX, message, half_width(pattern), at=(i,))

    def cost(self, part: Part) -> Iterator[tuple[str, int]]:
        for pattern in part.value:
            if fault_of(pattern, compile_regex) is None:
                yield pattern, compile_regex(pattern).programsize

    def formula(self, part: Part, placement: str, lists: WordLists) -> Formula:
        is_exact = part.written.case == "exact"
        return either(Fact("regex", pattern, is_exact, "", placement, part.fields) for pattern in part.value)

    def smells(self, part: Part, setting: Setting) -> Iterator[Smell]:
        is_exact, folds = part.written.case == "exact", setting.fold_traditional
        for i, pattern in enumerate(part.value):
            for flaw in regex_smells(pattern, setting.language, exact=is_exact, fold_traditional=folds):
                yield part.smell(*flaw, at=(i,))
        for flaw in doubles(part.value):
            yield part.smell(*flaw)
        if advice := only_literals(part.value):
            yield part.smell(codes.SIMPLER_FORM, advice)

    def most_hits(self, part: Part) -> int | None:
        is_anchored = all(pattern.startswith("^") and "|" not in pattern for pattern in part.value)
        return len(part.value) if is_anchored else None
