"""A second reading of the rule language, to hold the engine against: slow, in plain loops, with no code of `rulenet.rules` but the schema.

What a word, a sentence or a tagged token is comes from `rulenet.text`, which has its own tests. Python's `re` stands in
for RE2, so patterns must mean the same in both. Every span is in the cleaned text.
"""

from __future__ import annotations

import datetime
import itertools
import math
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from rulenet.rules.file.condition import WrittenCondition, WrittenNear
from rulenet.rules.file.schema import Flip, LexiconRef, Rule, RuleFile, WeightedTerm
from rulenet.text.clean import clean
from rulenet.text.doc import Doc
from rulenet.text.fold import is_unspaced, words_with_offsets
from rulenet.text.forms import forms
from rulenet.text.han import simplified
from rulenet.text.language import Language, detect_language
from rulenet.text.raw import fold_case
from rulenet.text.record import Record
from rulenet.text.tag import TaggedToken, Tagger
from rulenet.text.words import plain

ENGLISH_CUES = (
    "not no never none nobody nothing nowhere neither nor without hardly barely scarcely cannot isnt wasnt arent werent aint dont "
    "doesnt didnt cant couldnt wont wouldnt shouldnt mustnt havent hasnt hadnt"
)
CHINESE_CUES = "没有 没 不 無 无 未 别 非"
CHINESE_IDIOMS = (
    "不得不 不要太 没想到 别提 不仅 不但 不过 不错 不只 不愧 未来 无论 无理由 无线 非常 非洲 "
    "特别 分别 区别 级别 性别 类别 个别 别人 别的 别墅"
)

LITERALS = ("word", "phrase", "lexicon", "starts", "ends")
Span = tuple[int, int]


class Asked(NamedTuple):
    """What is asked of a hit in a text, or in the field of it that the hit is looked for in."""

    where: str = "anywhere"
    is_denied: Callable[[Span, Doc], bool] | None = None  # None: it may be

    def counts(self, span: Span, doc: Doc) -> bool:
        return lies_in(span, self.where, doc) and (self.is_denied is None or not self.is_denied(span, doc))


ANYWHERE = Asked()


class Reference:
    """What a rule file says of a text."""

    def __init__(self, file: RuleFile, language: Language, tagger: Tagger) -> None:
        self.file = file
        self.language = language
        self.tagger = tagger

    def spans(self, text: str, day: datetime.date) -> dict[str, list[Span]]:
        """For each rule that fires on that day its hits in the text as given."""
        doc = Doc(text, self.tagger, fold_traditional=self.file.fold_traditional)
        found = {name: self._fires(rule, mode, doc, day) for name, rule, mode in self.columns()}
        return {
            name: [doc.cleaned.original_span(*span) for span in sorted(spans)]
            for name, spans in found.items()
            if spans is not None
        }

    def columns(self) -> Iterator[tuple[str, Rule, str]]:
        """Id, rule and negation of each column of R; a rule that flips has two."""
        for rule in self.file.rules:
            if isinstance(rule.negation, Flip):
                yield rule.id, rule, "skip"
                yield f"{rule.id}.negated", rule, "require"
            else:
                yield rule.id, rule, rule.negation

    def _fires(self, rule: Rule, negation: str, doc: Doc, day: datetime.date) -> set[Span] | None:
        if not rule.enabled or (rule.since and day < rule.since) or (rule.until and day > rule.until):
            return None

        sought = self._sought(rule, doc)
        denied = Asked(rule.where, lambda span, part: self._is_negated(span, part, sought))
        if any(self.find(part, doc, ANYWHERE) is not None for part in rule.unless):
            return None
        if negation == "require":  # one negated hit, not all: "the film is not good" has a good film negated
            return self._negated(rule, doc, denied) or None
        return self.find(rule, doc, denied if negation == "skip" else Asked(rule.where))

    def _negated(self, condition: WrittenCondition, doc: Doc, denied: Asked) -> set[Span]:
        """Hits of the words, patterns and `near` in a condition, fulfilled if negation does not matter, that are negated."""
        free = Asked(denied.where)
        if self.find(condition, doc, free) is None or condition.kind == "none":
            return set()
        parts = condition.any or condition.all or ([condition.count] if condition.count else [])
        if not parts:
            return (self.find(condition, doc, free) or set()) - (self.find(condition, doc, denied) or set())
        return self._in_field(condition, doc, lambda part: {s for p in parts for s in self._negated(p, part, denied)})

    def _sought(self, condition: WrittenCondition, doc: Doc) -> set[Span]:
        """Hits of all words and patterns that are looked for; a cue in one of them negates nothing."""
        near = condition.near and [
            WrittenCondition(word=[t]) if isinstance(t, str) else t for t in condition.near.terms
        ]
        parts = condition.any or condition.all or near or ([condition.count] if condition.count else [])
        if parts:
            return self._in_field(condition, doc, lambda part: {s for p in parts for s in self._sought(p, part)})
        return set() if condition.kind == "none" else self.find(condition, doc, ANYWHERE) or set()

    def _in_field(self, condition: WrittenCondition, doc: Doc, look: Callable[[Doc], set[Span]]) -> set[Span]:
        """What is seen in the field that a condition looks at, as places of the text."""
        if condition.field is None:
            return look(doc)
        part, at = doc.part(condition.field), doc.fields.get(condition.field, (0, 0))[0]
        return set() if part is None else {(start + at, end + at) for start, end in look(part)}

    def _is_negated(self, span: Span, doc: Doc, sought: set[Span]) -> bool:
        first = 0
        for start, end in doc.fields.values():
            if start <= span[0] < end:
                first = start  # a field is read as a text of its own
        before, at = doc.clean[first : span[0]], doc.offset + first
        cues = [self.read(cue) for cue in self.file.negation_cues]
        own = [(start - at, end - at) for start, end in sought]
        return (is_denied_in_english if self.language == "en" else is_denied_in_chinese)(before, cues, own)

    # ------------------------------------------------------------------ conditions

    def find(self, condition: WrittenCondition, doc: Doc, asked: Asked) -> set[Span] | None:
        """Hits that count; None if the condition does not hold."""
        if condition.field is None:
            return self._find(condition, doc, asked)
        part = doc.part(condition.field)
        if part is None:
            return None
        at = doc.fields[condition.field][0]  # a field is read as a text of its own
        spans = self._find(condition, part, asked)
        return None if spans is None else {(start + at, end + at) for start, end in spans}

    def _find(self, condition: WrittenCondition, doc: Doc, asked: Asked) -> set[Span] | None:
        kind = condition.kind
        value: Any = getattr(condition, kind)
        if kind in ("any", "all"):
            found = [self.find(part, doc, asked) for part in value]
            hits = [spans for spans in found if spans is not None]
            enough = len(hits) == len(found) if kind == "all" else len(hits) > 0
            return {span for spans in hits for span in spans} if enough else None
        if kind == "none":
            return None if any(self.find(part, doc, ANYWHERE) is not None for part in value) else set()
        if kind == "lang":
            return set() if detect_language([doc.clean]) == value else None
        if kind == "length":
            n = len(unit_starts(doc.clean)) if value.unit == "words" else len(doc.clean.strip())
            return set() if between(n, value.at_least, value.at_most) else None
        if kind == "count":
            weights = self.weighed(value, doc, asked)
            return set(weights) if between(math.fsum(weights.values()), value.at_least, value.at_most) else None
        if kind == "near":  # its terms must not be negated, it must be in place
            return {span for span in self._near(value, doc, asked) if lies_in(span, asked.where, doc)} or None
        return {span for span in self._leaf(condition, doc) if asked.counts(span, doc)} or None

    def _leaf(self, condition: WrittenCondition, doc: Doc) -> set[Span]:
        """Every hit of a condition that looks at the text itself."""
        kind = condition.kind
        value: Any = getattr(condition, kind)
        if kind == "regex":
            return {
                span for pattern in value for span in regex_hits(pattern, doc.clean, exact=condition.case == "exact")
            }
        if kind == "pos":
            return {span for pattern in value for span in tag_hits(pattern.split(), doc.tagged)}
        return set(self._literal_hits(condition, doc))

    def weighed(self, condition: WrittenCondition, doc: Doc, asked: Asked) -> dict[Span, float]:
        """Hits that count with what each adds: an entry of a lexicon its weight, all else one; the first part that hits decides."""
        found = self.find(condition, doc, asked) or set()
        if condition.field is not None:
            part, at = doc.part(condition.field), doc.fields.get(condition.field, (0, 0))[0]
            inner = condition.model_copy(update={"field": None})
            weights = self.weighed(inner, part, ANYWHERE) if part is not None else {}
            weights = {(start + at, end + at): weight for (start, end), weight in weights.items()}
        elif condition.kind in LITERALS:
            weights = self._literal_hits(condition, doc)
        else:
            weights = {}
            for part in condition.any or condition.all or ():
                weights = self.weighed(part, doc, ANYWHERE) | weights
        return {span: weights.get(span, 1.0) for span in found}

    # ------------------------------------------------------------------ literals

    def _literal_hits(self, condition: WrittenCondition, doc: Doc) -> dict[Span, float]:
        value: Any = getattr(condition, condition.kind)
        literals = self.entries(value) if condition.kind == "lexicon" else dict.fromkeys(value, 1.0)
        found: dict[Span, float] = {}
        for literal, weight in literals.items():
            for span in self._hits_of(self.read(literal), condition, doc):
                found.setdefault(span, weight)
        return found

    def _hits_of(self, literal: str, condition: WrittenCondition, doc: Doc) -> set[Span]:
        """Where one literal stands."""
        exact = condition.case == "exact"
        if is_unspaced(literal):
            pieces = literal.split() if condition.gap else [literal]
            spans = characters(pieces, doc, condition.gap, exact=exact)
            if condition.segmented:
                spans = {(start, end) for start, end in spans if start in doc.boundaries and end in doc.boundaries}
        else:
            spans = words(literal, doc.clean, condition.gap, exact=exact, lemma=condition.forms == "lemma")
        if condition.kind == "starts":
            return {(start, end) for start, end in spans if not words_with_offsets(doc.clean[:start])}
        if condition.kind == "ends":
            return {(start, end) for start, end in spans if not words_with_offsets(doc.clean[end:])}
        return spans

    def read(self, literal: str) -> str:
        """A literal as texts are read."""
        return simplified(clean(literal)) if self.file.fold_traditional else clean(literal)

    def entries(self, names: list[str]) -> dict[str, float]:
        """The literals of some lexicons and of those they take in, with their weights."""
        found: dict[str, float] = {}
        for name in names:
            for entry in self.file.lexicons[name]:
                if isinstance(entry, LexiconRef):
                    new = self.entries([entry.lexicon])
                else:
                    new = {entry.term: entry.weight} if isinstance(entry, WeightedTerm) else {str(entry): 1.0}
                found |= {literal: weight for literal, weight in new.items() if literal not in found}
        return found

    # ------------------------------------------------------------------ near

    def _near(self, near: WrittenNear, doc: Doc, asked: Asked) -> set[Span]:
        """From each beginning the shortest stretch that holds a hit of every term, close enough to each other."""
        terms = [WrittenCondition(word=[term]) if isinstance(term, str) else term for term in near.terms]
        hits = [sorted(self.find(term, doc, asked._replace(where="anywhere")) or ()) for term in terms]
        shortest: dict[int, int] = {}
        for chosen in itertools.product(*hits):
            in_text_order = sorted(chosen)
            if near.ordered and in_text_order != list(chosen):
                continue
            if all(self._are_close(a, b, near, doc) for a, b in itertools.pairwise(in_text_order)):
                start, end = in_text_order[0][0], in_text_order[-1][1]
                shortest[start] = min(end, shortest.get(start, end))
        return set(shortest.items())

    def _are_close(self, a: Span, b: Span, near: WrittenNear, doc: Doc) -> bool:
        if a[1] > b[0]:
            return False  # one upon the other
        if near.same == "sentence":
            return sum(end <= a[0] for end in doc.sentence_ends) == sum(end <= b[0] for end in doc.sentence_ends)
        between_them = sum(a[1] <= start < b[0] for start in unit_starts(doc.clean))
        return between_them <= (5 if near.within is None else near.within)


def between(value: float, low: float | None, high: float | None) -> bool:
    """Whether a number keeps its bounds."""
    return (low is None or value >= low - 1e-9) and (high is None or value <= high + 1e-9)


def lies_in(span: Span, where: str, doc: Doc) -> bool:
    """Whether a hit lies where the rule wants it."""
    return {
        "anywhere": True,
        "start": span[1] <= doc.opening_end,
        "end": span[0] >= doc.closing_start,
        "first_sentence": span[0] < doc.first_sentence_end,
    }[where]


def unit_starts(text: str) -> list[int]:
    """Where each word begins; each Chinese character is one."""
    found: list[int] = []
    for word, start, end in words_with_offsets(text):
        found += range(start, end) if is_unspaced(word) else [start]
    return found


def characters(pieces: list[str], doc: Doc, gap: int, *, exact: bool) -> set[Span]:
    """Where pieces stand one after the other, with at most `gap` characters between two; from each beginning the shortest.

    White space does not count, but no piece crosses a blank line of a record. A word of a piece that is no Chinese must be one of the text.
    """
    text = alike(doc.clean)
    is_record = isinstance(doc.text, Record) or doc.text == ""  # or a field of one
    there = [i for i, char in enumerate(text) if not char.isspace()]
    words_there = {(start, end) for _, start, end in words_with_offsets(text)}

    def same(a: str, b: str) -> bool:
        return a == b if exact else fold_case(a) == fold_case(b)

    def stands(piece: str, first: int) -> bool:
        letters = [j for j, char in enumerate(piece) if not char.isspace()]
        found = dict(zip(letters, there[first : first + len(letters)], strict=False))
        return (
            len(found) == len(letters)
            and all(same(piece[j], text[i]) for j, i in found.items())
            and all(not is_record or text[a:b].count("\n") < 2 for a, b in itertools.pairwise(found.values()))
            and all(
                (found[start], found[end - 1] + 1) in words_there
                for word, start, end in words_with_offsets(piece)
                if not is_unspaced(word)
            )
        )

    pieces = [alike(piece) for piece in pieces]
    lengths = [sum(not char.isspace() for char in piece) for piece in pieces]
    shortest = {}
    for first in range(len(there)):
        ends = [first + lengths[0]] if stands(pieces[0], first) else []
        for piece, n in zip(pieces[1:], lengths[1:], strict=True):
            ends = [end + skip + n for end in ends for skip in range(gap + 1) if stands(piece, end + skip)]
        if ends:
            shortest[there[first]] = there[min(ends) - 1] + 1
    return set(shortest.items())


def alike(text: str) -> str:
    """The text with one name dot and one apostrophe."""
    return re.sub("[‘’ʼ`′׳]", "'", re.sub("[·‧・⋅∙]", "•", text))


def words(literal: str, text: str, gap: int, *, exact: bool, lemma: bool) -> set[Span]:
    """Where words stand one after the other, with at most `gap` others between two; from each beginning the shortest."""
    wanted = [plain(literal[start:end]) for _, start, end in words_with_offsets(literal)]
    there = [(plain(text[start:end]), start, end) for _, start, end in words_with_offsets(text)]

    def same(a: str, b: str) -> bool:
        if exact and not lemma:
            return a == b
        return b.casefold() in forms(a.casefold()) if lemma else a.casefold() == b.casefold()

    shortest = {}
    for i, (first, start, _) in enumerate(there):
        lasts = [i] if same(wanted[0], first) else []
        for word in wanted[1:]:
            lasts = [
                j
                for last in lasts
                for j in range(last + 1, last + 2 + gap)
                if j < len(there) and same(word, there[j][0])
            ]
        if lasts:
            shortest[start] = there[min(lasts)][2]
    return set(shortest.items())


def regex_hits(pattern: str, text: str, *, exact: bool) -> list[Span]:
    """Where a pattern that means the same to RE2 and to Python hits."""
    flags = re.ASCII if exact else re.ASCII | re.IGNORECASE
    return [match.span() for match in re.finditer(pattern.replace(r"\z", r"\Z"), text, flags)]


def tag_hits(items: list[str], tokens: list[TaggedToken]) -> set[Span]:
    """Where a row of tag items stands; from left to right, each as long as it can be, and no two over each other."""
    spans = set()
    i = 0
    while i < len(tokens):
        end = next(tag_ends(items, tokens, i), None)
        if end is None:
            i += 1
        else:
            spans.add((tokens[i].start, tokens[end - 1].end))
            i = end
    return spans


def tag_ends(items: list[str], tokens: list[TaggedToken], i: int) -> Iterator[int]:
    """Where a row of tag items that begins at token i may end, the longest first item first."""
    if not items:
        yield i
        return
    item, rest = items[0], items[1:]
    repeat = item[-1] if len(item) > 1 and item[-1] in "?*+" else ""
    item = item.removesuffix(repeat)
    least, most = {"": (1, 1), "?": (0, 1), "*": (0, len(tokens)), "+": (1, len(tokens))}[repeat]
    n = 0
    while n < most and i + n < len(tokens) and is_item(item, tokens[i + n]):
        n += 1
    while n >= least:
        yield from tag_ends(rest, tokens, i + n)
        n -= 1


def is_item(item: str, token: TaggedToken) -> bool:
    """Whether a token is what TAG, TAG:lemma, TAG:lemma=a|b or TAG:word=a|b asks for."""
    tag, _, rest = item.partition(":")
    what, _, values = rest.rpartition("=")
    actual = plain(token.text).lower() if what == "word" else token.lemma
    return tag in ("*", token.tag) and (not values or actual in values.lower().split("|"))


def is_denied_in_english(before: str, more_cues: list[str], own: list[Span]) -> bool:
    """Whether a cue stands at most three words before the end, all within sixty characters, with nothing but plain words between."""
    words, chunks = words_with_offsets(before), [match.span() for match in re.finditer(r"\S+", before)]
    cues = [*ENGLISH_CUES.split(), *(cue.casefold() for cue in more_cues if not is_unspaced(cue))]
    for k in range(min(4, len(chunks))):  # words between
        end = chunks[-1 - k][1]
        following = [word for word, start, _ in words if start >= end]
        marks = [char for i, char in enumerate(before) if i >= end and not any(a <= i < b for _, a, b in words)]
        if not {"but", "yet", "although", "though"}.isdisjoint(following) or not set(marks) <= set(" \n\t'’‘`-"):
            return False
        if following[:1] in (["only"], ["just"]) or following[:2] == ["to", "mention"]:
            continue
        for word, start, last in words:
            is_free = not any(a < last and start < b for a, b in own)
            if last == end and start >= len(before) - 60 and (word in cues or "n't" in word) and is_free:
                return True
    return False


def is_denied_in_chinese(before: str, more_cues: list[str], own_hits: list[Span]) -> bool:
    """Whether an odd number of cues stands in the last six characters after the last mark or space; idioms hold no cue.

    The author's own cues come before the idioms: they may hold what is one otherwise. A cue in a hit of the rule does not count.
    """
    scope = len(before) - len(re.split(r"[，。！？；、,.!?;\s]", before[-6:])[-1])
    own = sorted((cue for cue in more_cues if is_unspaced(cue)), key=len, reverse=True)
    i, cues = max(0, scope - 2), 0
    while i < len(before):
        found = next((s for s in [*own, *CHINESE_IDIOMS.split(), *CHINESE_CUES.split()] if before.startswith(s, i)), "")
        is_cue = bool(found) and (found in own or found not in CHINESE_IDIOMS.split()) and i >= scope
        cues += is_cue and not any(start < i + len(found) and i < end for start, end in own_hits)
        i += len(found) or 1
    return cues % 2 == 1
