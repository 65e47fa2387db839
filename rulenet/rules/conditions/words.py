"""`word`, `phrase`, `lexicon`, `starts`, `ends`: lists of literals as authors write them. Imports `rulenet.text` and what kinds are."""

from __future__ import annotations

import importlib.util
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import ClassVar

from rulenet.errors import Edit
from rulenet.rules.conditions.condition import Condition
from rulenet.rules.conditions.formula import Fact, Formula, WordLists, either, tidy
from rulenet.rules.conditions.kind import Builder, Kind, Lexicons, Part, Setting, Smell
from rulenet.rules.conditions.literals import Literals
from rulenet.rules.conditions.word_smells import COMMA, control_character, idle_options, literal_smells, repeated
from rulenet.rules.file import codes
from rulenet.rules.file.codes import Flaw
from rulenet.rules.file.schema import Rule
from rulenet.rules.file.wording import suggest
from rulenet.text.clean import clean
from rulenet.text.fold import fold, is_unspaced, words_with_offsets
from rulenet.text.raw import fold_raw, squeeze
from rulenet.text.words import plain


def literal_flaw(literal: str, kind: str) -> Flaw | None:
    """Why a literal cannot be found in any text, if so."""
    cleaned = clean(literal)
    if is_unspaced(cleaned):
        return None
    words = fold(cleaned).split()
    if not words:
        return Flaw(codes.UNFINDABLE, f"{literal!r} has no letter or digit, so it can never be found; use a regex")
    if kind == "word" and len(words) > 1 and any(map(str.isspace, cleaned.strip())):
        if control := control_character(literal):
            return Flaw(codes.SEVERAL_WORDS, control)
        # With a comma it is a list that lacks its brackets.
        edit = Edit("split") if COMMA.search(literal) else Edit("rename", "phrase")
        return Flaw(
            codes.SEVERAL_WORDS, f"word {literal!r} is several words; write phrase: {' '.join(literal.split())}", edit
        )
    return None


class _LiteralKind(Kind):
    edge: ClassVar[str] = ""

    def build(self, part: Part, builder: Builder) -> Condition:
        entries = self._entries(part, builder)
        written = part.written
        return Literals(
            tuple(entries),
            is_exact=written.case == "exact",
            lemma=written.forms == "lemma",
            segmented=written.segmented,
            gap=written.gap,
            edge=self.edge,
            weights={entry: weight for entry, weight in entries.items() if weight != 1.0},
        )

    def _entries(self, part: Part, builder: Builder) -> dict[str, float]:
        return dict.fromkeys(map(builder.read, part.value), 1.0)

    def faults(self, part: Part, lexicons: Collection[str]) -> Iterator[Smell]:
        for i, literal in enumerate(part.value):
            if flaw := literal_flaw(literal, self.name):
                yield part.smell(*flaw, at=(i,))

    def formula(self, part: Part, placement: str, lists: WordLists) -> Formula:
        return either(self._facts(part, part.value, placement))

    def _facts(self, part: Part, literals: Iterable[str], placement: str) -> Iterator[Fact]:
        written, fields = part.written, part.fields
        exact = written.case == "exact"
        for literal in literals:
            cleaned = tidy(literal)
            raw = is_unspaced(cleaned)
            if raw:
                pieces = cleaned.split() if written.gap else [cleaned]
                text = " ".join(map(squeeze if exact else fold_raw, pieces))
            elif exact:
                text = " ".join(plain(cleaned[start:end]) for _, start, end in words_with_offsets(cleaned))
            else:
                text = fold(cleaned).strip()
            option = ""
            if raw and written.segmented:
                option = "segmented"
            elif not raw and written.forms == "lemma":
                option = "lemma"
            elif written.gap and " " in text:
                option = f"gap {written.gap}"
            yield Fact(self.edge or ("raw" if raw else "word"), text, exact, option, placement, fields)

    def smells(self, part: Part, setting: Setting) -> Iterator[Smell]:
        written = part.written
        exact = written.case == "exact"
        yield from self._entry_smells(part, exact)
        for flaw in repeated(part.value, exact=exact):
            yield part.smell(*flaw)
        if written.segmented and setting.language != "en":
            yield from self._unknown_words(part, setting)
        if exact or written.forms == "lemma" or written.segmented or written.gap:
            for option, reason in idle_options(written, self.literals(part, setting.lexicons)):
                yield Smell(part.path, codes.IDLE_OPTION, f"{option} changes nothing, as {reason}")
        if written.forms == "lemma" and importlib.util.find_spec("simplemma") is None:
            message = "uses forms: lemma, which needs a dictionary: pip install 'rulenet[pos]'"
            yield Smell((), codes.MISSING_PACKAGE, message)

    def _entry_smells(self, part: Part, exact: bool) -> Iterator[Smell]:
        for i, literal in enumerate(part.value):
            for flaw in literal_smells(literal, self.name, exact=exact, alone=part.is_enough):
                yield part.smell(*flaw, at=(i,))

    def _unknown_words(self, part: Part, setting: Setting) -> Iterator[Smell]:
        """Words whose borders jieba can only guess."""
        read = Builder(setting.lexicons, setting.fold_traditional).read
        literals = self.literals(part, setting.lexicons)
        unknown = [literal for literal in literals if setting.tokeniser.unknown_words(read(literal))]
        if unknown:
            listed = ", ".join(map(repr, unknown[:5])) + (f", … ({len(unknown)} in all)" if len(unknown) > 5 else "")
            message = f"jieba does not know {listed}, so it guesses the borders that segmented: true asks for"
            yield Smell(part.path, codes.UNKNOWN_WORD, f"{message}; list words and names under `words` of the file")

    def literals(self, part: Part, lexicons: Lexicons) -> Sequence[str]:
        return list(part.value)


class WordKind(_LiteralKind):
    name = "word"


class PhraseKind(_LiteralKind):
    name = "phrase"


class LexiconKind(_LiteralKind):
    name = "lexicon"

    def _entries(self, part: Part, builder: Builder) -> dict[str, float]:
        entries: dict[str, float] = {}
        for name in part.value:
            for entry, weight in builder.lexicons[name].items():
                entries.setdefault(builder.read(entry), weight)
        return entries

    def faults(self, part: Part, lexicons: Collection[str]) -> Iterator[Smell]:
        for i, name in enumerate(part.value):
            if name not in lexicons:
                message = f"lexicon {name!r} does not exist{suggest(name, list(lexicons))}"
                yield part.smell(codes.UNKNOWN_LEXICON, message, at=(i,))

    def formula(self, part: Part, placement: str, lists: WordLists) -> Formula:
        written = part.written
        way = (written.case, written.forms, written.segmented, placement, part.fields)
        return lists.any_of(part.value, way, lambda entries: self._facts(part, entries, placement))

    def _entry_smells(self, part: Part, exact: bool) -> Iterator[Smell]:
        yield from ()  # they are reported where the list is defined

    def lexicons(self, part: Part) -> Sequence[str]:
        return list(part.value)

    def literals(self, part: Part, lexicons: Lexicons) -> Sequence[str]:
        return [literal for name in part.value for literal in lexicons.get(name, {})]


class _EdgeKind(_LiteralKind):
    other_end: ClassVar[str]

    def smells(self, part: Part, setting: Setting) -> Iterator[Smell]:
        yield from super().smells(part, setting)
        if isinstance(part.written, Rule) and part.written.where == self.other_end:
            message = f"{self.name} with where: {self.other_end} is possible only in texts of at most 20 words; leave where out"
            yield Smell(("where",), codes.IDLE_OPTION, message)

    def most_hits(self, part: Part) -> int | None:
        return len(part.value)


class StartsKind(_EdgeKind):
    name = edge = "starts"
    other_end = "end"


class EndsKind(_EdgeKind):
    name = edge = "ends"
    other_end = "start"
