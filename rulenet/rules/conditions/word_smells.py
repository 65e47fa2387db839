"""Smells of words, phrases and lexicons. Imports `rulenet.text`, formulas and the schema."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence

from rulenet.errors import Edit
from rulenet.rules.conditions.formula import tidy
from rulenet.rules.file import codes
from rulenet.rules.file.codes import Flaw
from rulenet.rules.file.condition import WrittenCondition
from rulenet.text.fold import fold, is_unspaced
from rulenet.text.raw import fold_case, fold_raw, squeeze

# A symbol that carries meaning but is only a gap to the literal engine: C++ is found wherever c is.
_SYMBOL = re.compile(r"[+#@$%€£¥*=<>|~^]")
_ESCAPES = {"\x00": "\\0", "\x07": "\\a", "\x08": "\\b", "\x0b": "\\v", "\x0c": "\\f", "\x1b": "\\e", "\x85": "\\N"}
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f]")
_LETTERS = re.compile(r"[^\W\d_]+")
# Letters of other alphabets that look like a Latin one, which stands below.
_FOREIGN = "аеорсухіјѕһԁԛԝАВЕКМНОРСТУХІЈЅԌԚԜοινρυκΑΒΕΖΗΙΚΜΝΟΡΤΥΧ"
_ALIKE = "aeopcyxijshdqwABEKMHOPCTYXIJSGQWoivpukABEZHIKMNOPTYX"
TO_LATIN = str.maketrans(_FOREIGN, _ALIKE)
_LIST_MARK = re.compile(r"[,;|、，；]")
_LIST_OF_PHRASES = re.compile(r"[,;]\s.*[,;]\s|;\s|[，、；]", re.S)
COMMA = re.compile("[,，、;；]")
# Words of nearly every text, without those that may well distinguish texts (not, I, you).
_EVERYWHERE = re.compile("the|of|and|to|an?|in|is|it|that|for|on|with|as|was|at|by|be|this|are|from|or|的|了|是|在")
# Written in capitals these are names (WHO, IT, US); read without case they are in nearly every text.
_COMMON = re.compile(
    f"{_EVERYWHERE.pattern}|am|us|who|all|can|may|will|so|no|not|we|he|me|my|do|did|has|had|our|out|now|any|if|up"
)


def literal_smells(literal: str, kind: str, *, exact: bool, alone: bool) -> Iterator[Flaw]:
    """Smells of one entry of `word`, `phrase`, `starts`, `ends`, `near` or of a lexicon (`kind`)."""
    cleaned = tidy(literal)
    split = Edit("split") if kind in ("word", "lexicon") else None
    if literal != literal.strip():
        yield stray_space(literal)
    if mixed := mixed_alphabets(literal, kind if kind != "lexicon" else "entry"):
        yield mixed
    if control := control_character(literal):
        yield Flaw(codes.YAML_ESCAPE, control)
    if is_unspaced(cleaned):
        if _LIST_MARK.search(cleaned):
            message = f"{literal!r} is looked for with its comma; is it a list? Write [{', '.join(_LIST_MARK.split(cleaned))}]"
            yield Flaw(codes.PERHAPS_A_LIST, message, split)
    else:
        if _SYMBOL.search(literal) or _has_sign(cleaned):
            message = f"{literal!r} is matched as {fold(literal).strip()!r}: symbols only separate words; use a regex if they matter"
            yield Flaw(codes.IGNORED_SYMBOL, message)
        if _LIST_OF_PHRASES.search(literal):
            message = f"{literal!r} is looked for as words in a row; is it a list? Put it in [ ], with commas between"
            yield Flaw(codes.PERHAPS_A_LIST, message, split)
        if cleaned.isupper() and not exact and kind in ("word", "lexicon") and _COMMON.fullmatch(cleaned.lower()):
            message = f"{literal!r} is also found in {cleaned.lower()!r}, as case is ignored; move it to a condition with case: exact"
            yield Flaw(codes.IGNORED_CASE, message)
            return
    if alone and not exact and kind in ("word", "lexicon") and _EVERYWHERE.fullmatch(fold_case(cleaned)):
        message = f"{literal!r} is in nearly every text, so it does not distinguish texts; leave it out, or put it in a phrase"
        yield Flaw(codes.COMMON_WORD, message)


def _has_sign(literal: str) -> bool:
    """Whether it has an emoji or another sign that is no part of a word: great 👍 is found wherever great is."""
    return not literal.isascii() and any(unicodedata.category(character) in ("So", "Sc", "Sm") for character in literal)


def mixed_alphabets(text: str, what: str) -> Flaw | None:
    """Whether a word is made of letters of several alphabets that look alike."""
    for match in () if text.isascii() else _LETTERS.finditer(text):
        word = match[0]
        latin = [c for c in word if c.isascii()]
        alike = [c for c in word if c in _FOREIGN]
        if latin and alike and len(latin) + len(alike) == len(word):
            first = alike[0]
            message = (
                f"{what} {text!r} looks like {text.translate(TO_LATIN)!r}, but {first!r} is {unicodedata.name(first).lower()}; "
                f"texts with the Latin letter are not found. Type {word.translate(TO_LATIN)!r}"
            )
            return Flaw(codes.MIXED_ALPHABETS, message)
    return None


def control_character(text: str) -> str | None:
    r"""What is said of a text with a control character: `"C:\temp"` contains a tab."""
    found = _CONTROL.search(text.strip("\n"))
    if found is None:
        return None
    escape = _ESCAPES.get(found[0], repr(found[0])[1:-1])
    return f"{text!r} contains a control character, as YAML reads {escape} in double quotes; write it in single quotes"


def stray_space(literal: str) -> Flaw:
    """The flaw of a text with spaces at its ends."""
    message = f"{literal!r} begins or ends with spaces, which are ignored; remove them"
    return Flaw(codes.STRAY_SPACE, message, Edit("quote", literal.strip()) if literal.strip() else None)


def doubles(entries: Sequence[str]) -> Iterator[Flaw]:
    """Entries that are listed more than once, each once."""
    for entry, n in Counter(entries).items():
        if n > 1:
            yield _idle_entry(entry, entry)


def repeated(literals: Sequence[str], *, exact: bool) -> Iterator[Flaw]:
    """Entries that an earlier one of the same list already covers."""
    seen: dict[str, str] = {}
    for literal in literals:
        cleaned = tidy(literal)
        if exact:
            key = squeeze(cleaned) if is_unspaced(cleaned) else cleaned
        else:
            key = fold_raw(cleaned) if is_unspaced(cleaned) else fold(cleaned)
        if key in seen:
            yield _idle_entry(literal, seen[key])
        seen.setdefault(key, literal)


def _idle_entry(literal: str, earlier: str) -> Flaw:
    if literal == earlier:
        return Flaw(codes.DUPLICATE_ENTRY, f"{literal!r} is listed twice; keep one", Edit("merge"))
    what = "white space" if is_unspaced(literal) else "punctuation"
    message = f"{literal!r} is the same as {earlier!r}, as case and {what} do not matter; keep one"
    return Flaw(codes.DUPLICATE_ENTRY, message)


def idle_options(condition: WrittenCondition, literals: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Options of a list of literals that change nothing there, and why."""
    if not literals:
        return
    cleaned = [tidy(literal) for literal in literals]
    unspaced = [is_unspaced(literal) for literal in cleaned]
    if condition.case == "exact" and all(literal.upper() == literal.lower() for literal in cleaned):
        yield "case: exact", "no letter here has two cases; leave it out"
    if condition.forms == "lemma" and all(unspaced):
        yield "forms: lemma", "Chinese words have only one form; leave it out"
    if condition.segmented and not any(unspaced):
        yield "segmented: true", "it is for Chinese words; leave it out"
    if condition.gap and not any(
        " " in literal.strip() if raw else len(fold(literal).split()) > 1
        for literal, raw in zip(cleaned, unspaced, strict=True)
    ):
        part = literals[0] if len(literals[0]) < 2 else f"{literals[0][:1]} {literals[0][1:]}"
        advice = f"put spaces between its words, as in {part!r}, or leave it out" if any(unspaced) else "leave it out"
        yield f"gap: {condition.gap}", f"each entry is one word; {advice}"
