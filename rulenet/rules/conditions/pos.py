"""`pos`: tags and lemmas of words in a row. Imports `rulenet.text` and what kinds are."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import re2

from rulenet.rules.conditions.condition import Condition, Keep, Span
from rulenet.rules.conditions.formula import Fact, Formula, WordLists, either, tidy
from rulenet.rules.conditions.kind import Builder, Kind, Part, Setting, Smell
from rulenet.rules.conditions.patterns import detail, fault_of, regex_options
from rulenet.rules.conditions.word_smells import doubles
from rulenet.rules.file import codes
from rulenet.rules.file.wording import quoted
from rulenet.text.doc import TAG_CLOSE, TAG_MIDDLE, TAG_OPEN, Doc
from rulenet.text.fold import is_unspaced
from rulenet.text.han import simplified
from rulenet.text.tag import PAST, TAGS
from rulenet.text.tokenise import Tokeniser
from rulenet.text.words import plain

MAX_TOKENS = 12
_ITEM = re.compile(r"(?P<tag>[A-Z]+|\*)(?::(?:(?P<what>lemma|word)=)?(?P<value>[^\s:=]+?))?(?P<repeat>[?*+]?)")
_POS_VALUE = re.compile(r":(?:(lemma|word)=)?([^\s:=]+?)[?*+]?$")
_INFLECTED = re.compile(rf"VERB:(?:\w{{3,}}(?:ed|ing|[^s]s)|{'|'.join(PAST)})|NOUN:\w+[^siu](?<!ing)s")
_compiled_pos: dict[str, Any] = {}


@dataclass(frozen=True)
class Tags(Condition):
    """`pos`: a pattern over tags and lemmas of consecutive tokens."""

    patterns: tuple[str, ...]
    needs_tags = True

    def find(self, doc: Doc, keep: Keep) -> list[Span] | None:
        line, begins, ends = doc.tag_line
        spans = {
            (begins[match.start()], ends[match.end()])
            for pattern in self.patterns
            for match in compile_pos(pattern).finditer(line)
        }
        return [span for span in sorted(spans) if keep(span, doc)] or None


def compile_pos(pattern: str) -> Any:
    r"""Compile a part-of-speech pattern to a regex over the tokens of a text, each as ``\x01TAG:lemma\x03word\x02``.

    Items are separated by spaces: ``TAG``, ``TAG:lemma=go``, ``TAG:word=gone`` (``TAG:go`` means the lemma; ``a|b`` for several), with
    ``*`` for any tag, and each with an optional ``?``, ``*`` or ``+``.

    Examples
    --------
    >>> compile_pos("DET? ADJ+ NOUN:film|movie").search("\x01ADJ:good\x03good\x02\x01NOUN:film\x03films\x02") is not None
    True
    >>> compile_pos("VRB")
    Traceback (most recent call last):
    ValueError: unknown tag 'VRB'; the tags are ADJ, ADP, ...
    """
    if pattern in _compiled_pos:
        return _compiled_pos[pattern]
    pieces = []
    optional = True
    for item in pattern.split():
        match = _ITEM.fullmatch(item)
        if match is None:
            raise ValueError(
                f"{item!r} is not a tag pattern; write TAG, TAG:lemma=go, TAG:word=gone or *:lemma=go with an optional ?, * or +"
            )
        tag, value, repeat = match["tag"], match["value"], match["repeat"]
        if tag != "*" and tag not in TAGS:
            raise ValueError(f"unknown tag {tag!r}; the tags are {', '.join(TAGS)}")
        values = "|".join(re2.escape(part) for part in plain(value).lower().split("|")) if value else ""
        lemma = f"(?:{values})" if values and match["what"] != "word" else f"[^{TAG_MIDDLE}]*"
        word = f"(?:{values})" if values and match["what"] == "word" else f"[^{TAG_CLOSE}]*"
        pieces.append(f"(?:{TAG_OPEN}{'[A-Z]+' if tag == '*' else tag}:{lemma}{TAG_MIDDLE}{word}{TAG_CLOSE}){repeat}")
        optional &= repeat in ("?", "*")
    if optional:
        raise ValueError("the pattern can match nothing at all; make one item obligatory")
    try:
        _compiled_pos[pattern] = re2.compile("".join(pieces), regex_options(case_sensitive=True))
    except re2.error as error:
        raise ValueError(detail(error)) from None
    return _compiled_pos[pattern]


def pos_smells(pattern: str, language: str) -> Iterator[str]:
    """Items of a part-of-speech pattern that no token can be, in English."""
    for item in pattern.split():
        match = _POS_VALUE.search(item)
        for value in match[2].split("|") if match else ():
            if match is None or is_unspaced(value):
                continue
            tokens = [token.text for token in Tokeniser("en").tokens(tidy(value))]
            if len(tokens) != 1:
                seen = ", ".join(map(repr, tokens)) or "nothing"
                yield f"pos item {item!r} never hits: the tagger sees {seen}; use a phrase"
            elif match[1] != "word" and language != "zh" and (base := _base_form(item, value)):
                advice = f"write {base}, or {item.split(':')[0]}:word={value}"
                yield f"pos item {item!r} hardly ever hits, as the base form of {value!r} is {base!r}; {advice}"


def _base_form(item: str, value: str) -> str | None:
    """The lemma of an English word that looks like an inflected form and is one; None where no dictionary is installed."""
    tag, word = item.split(":")[0], value.lower()
    # Loading the dictionary takes half a second, so only on suspicion.
    if not _INFLECTED.fullmatch(f"{tag}:{word}") or importlib.util.find_spec("simplemma") is None:
        return None
    import simplemma

    base = PAST.get(word) or str(simplemma.lemmatize(word, lang="en")).lower()
    return base if base != word else None


class PosKind(Kind):
    name = "pos"
    needs_tags = True
    quotes = '"'

    def build(self, part: Part, builder: Builder) -> Condition:
        return Tags(tuple(map(simplified, part.value) if builder.fold_traditional else part.value))

    def faults(self, part: Part, lexicons: Collection[str]) -> Iterator[Smell]:
        for i, pattern in enumerate(part.value):
            if fault := fault_of(pattern, compile_pos):
                yield part.smell(codes.BAD_POS, f"pos {quoted(pattern)}: {fault}", at=(i,))

    def formula(self, part: Part, placement: str, lists: WordLists) -> Formula:
        return either(Fact("pos", pattern, placement=placement, fields=part.fields) for pattern in part.value)

    def smells(self, part: Part, setting: Setting) -> Iterator[Smell]:
        for i, pattern in enumerate(part.value):
            for message in pos_smells(pattern, setting.language):
                yield part.smell(codes.POS_NEVER_HITS, message, at=(i,))
        for flaw in doubles(part.value):
            yield part.smell(*flaw)
        if setting.language != "zh" and importlib.util.find_spec("textblob") is None:
            message = "uses pos, which needs a tagger: pip install 'rulenet[pos]'"
            yield Smell((), codes.MISSING_PACKAGE, message)

    def why_not(self, part: Part, doc: Doc, hits_of: Callable[[Part], Sequence[Span]]) -> str:
        tags = [f"{token.text}/{token.tag}" for token in doc.tagged]
        return "tagged " + " ".join(tags[:MAX_TOKENS]) + (" …" if len(tags) > MAX_TOKENS else "")
