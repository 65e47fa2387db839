"""Smells of words, phrases and lexicons. Imports `rulenet.text`, formulas and the schema."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rulenet.rules.conditions.formula import tidy
from rulenet.rules.file.condition import WrittenCondition
from rulenet.text.fold import fold, fold_raw, is_unspaced

# A symbol that carries meaning but is only a gap to the literal engine: C++ is found wherever c is.
_SYMBOL = re.compile(r"[+#@$%€£¥*=<>|~^]")
_LIST_MARK = re.compile(r"[,;|、，；]")
# Words of nearly every text; those that may well tell texts apart (not, I, you) are left out.
_EVERYWHERE = re.compile("the|of|and|to|an?|in|is|it|that|for|on|with|as|was|at|by|be|this|are|from|or|的|了|是|在")
# Written in capitals these are names (WHO, IT, US); read without case they are in nearly every text.
_COMMON = re.compile(
    f"{_EVERYWHERE.pattern}|am|us|who|all|can|may|will|so|no|not|we|he|me|my|do|did|has|had|our|out|now|any|if|up"
)


def literal_smells(literal: str, kind: str, *, exact: bool, alone: bool) -> Iterator[str]:
    """Smells of one entry of `word`, `phrase`, `starts`, `ends` or of a lexicon.

    Parameters
    ----------
    literal
        As written.
    kind
        Where it stands.
    exact
        Whether case counts.
    alone
        Whether a hit of it is enough for its rule to fire, or not to fire.

    Examples
    --------
    >>> list(literal_smells("C++", "word", exact=False, alone=True))
    ["'C++' is matched as 'c': symbols are gaps between words; use a regex if they matter"]
    """
    cleaned = tidy(literal)
    if is_unspaced(cleaned):
        if _LIST_MARK.search(cleaned):
            yield f"{literal!r} is looked for with its comma; is it a list? Write [{', '.join(_LIST_MARK.split(cleaned))}]"
    else:
        if _SYMBOL.search(literal):
            yield f"{literal!r} is matched as {fold(literal).strip()!r}: symbols are gaps between words; use a regex if they matter"
        if len(re.findall(r"[,;]\s", literal)) > 1 or re.search(r";\s", literal):
            yield f"{literal!r} is looked for as words in a row; is it a list? Put it in [ ], with commas between"
        if cleaned.isupper() and not exact and kind in ("word", "lexicon") and _COMMON.fullmatch(cleaned.lower()):
            yield f"{literal!r} is found in {cleaned.lower()!r} too, as case is ignored; write it in a condition with case: exact"
            return
    if alone and not exact and kind in ("word", "lexicon") and _EVERYWHERE.fullmatch(fold_raw(cleaned)):
        yield f"{literal!r} is in nearly every text, so it tells none apart; leave it out, or put it in a phrase"


def repeated(literals: Sequence[str], *, exact: bool) -> list[tuple[str, str]]:
    """Entries that an earlier one of the same list finds already, each with that one.

    Examples
    --------
    >>> repeated(["e-mail", "Email", "E mail"], exact=False)
    [('E mail', 'e-mail')]
    """
    seen: dict[str, str] = {}
    found = []
    for literal in literals:
        cleaned = tidy(literal)
        key = cleaned if exact else fold_raw(cleaned) if is_unspaced(cleaned) else fold(cleaned)
        if key in seen:
            found.append((literal, seen[key]))
        seen.setdefault(key, literal)
    return found


def idle_entry(literal: str, earlier: str) -> str:
    """What to say of an entry that an earlier one finds already."""
    if literal == earlier:
        return f"{literal!r} stands here twice; keep one"
    return f"{literal!r} says no more than {earlier!r}, as case and punctuation do not matter; keep one"


def idle_options(condition: WrittenCondition, literals: Sequence[str]) -> Iterator[str]:
    """Options beside a list of literals that change nothing there."""
    if not literals:
        return
    cleaned = [tidy(literal) for literal in literals]
    unspaced = [is_unspaced(literal) for literal in cleaned]
    if condition.case == "exact" and all(literal.upper() == literal.lower() for literal in cleaned):
        yield "case: exact changes nothing, as no letter here has two cases; leave it out"
    if condition.forms == "lemma" and all(unspaced):
        yield "forms: lemma changes nothing, as Chinese words have one form; leave it out"
    if condition.segmented and not any(unspaced):
        yield "segmented: true changes nothing, as it is for Chinese words; leave it out"
    if condition.gap and not any(
        " " in literal.strip() if raw else len(fold(literal).split()) > 1
        for literal, raw in zip(cleaned, unspaced, strict=True)
    ):
        part = literals[0] if len(literals[0]) < 2 else f"{literals[0][:1]} {literals[0][1:]}"
        advice = f"part them by spaces, such as {part!r}, or leave it out" if any(unspaced) else "leave it out"
        yield f"gap: {condition.gap} changes nothing, as each entry is one word; {advice}"
