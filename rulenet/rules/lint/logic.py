"""What can be proved about formulas. Imports `rulenet.text` and formulas.

A literal entails the shorter literals inside it (a text with "video game" contains "game"), a hit at a certain place entails a hit, and the
rest is propositional logic without case distinctions. So a proof is sound and a missing proof means nothing: two
conditions that are the same in a way that needs thought are taken for different.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from rulenet.rules.conditions.formula import LITERALS, And, Bounds, Fact, Formula, Not, Or, show
from rulenet.text.fold import is_unspaced
from rulenet.text.raw import BORDER, fold_case, readable
from rulenet.text.words import unit_spans

# Longer literals entail only themselves: their parts would be too many.
_MAX_WORDS, _MAX_CHARACTERS = 8, 16
_RAW_UNIT = re.compile(f"{BORDER}[^{BORDER}]*{BORDER}|.", re.DOTALL)  # a word of a script with spaces, or one character
_OUTER_MARKS = {"starts": re.compile(rf"\A[^\w{BORDER}]+"), "ends": re.compile(rf"[^\w{BORDER}]+\Z")}


@lru_cache(maxsize=200_000)
def entailed(atom: Fact) -> frozenset[Fact]:
    """Atoms that are in every text where this one is, itself included."""
    if atom == Fact("word", atom.text) and " " not in atom.text:
        return frozenset((atom, Fact("word", atom.text, False, "lemma")))  # most atoms
    if atom.option == "opaque":
        return frozenset((atom,))
    wholes = {atom, atom._replace(placement="")}
    if atom.kind in ("word", "raw"):  # the edges of a field are not those of the text
        wholes.add(atom._replace(placement="", fields=()))
    if atom.exact:
        wholes |= {found._replace(exact=False, text=_without_case(found)) for found in wholes}
    if atom.kind not in LITERALS:
        return frozenset(wholes)
    raw = is_unspaced(atom.text)
    gapped = atom.option.startswith("gap")
    texts = list((_raw_parts if raw else _word_parts)(atom.text, gapped=gapped))
    found = set(wholes)
    for fields in {atom.fields, ()}:
        for text in texts:
            part = Fact("raw" if raw else "word", text, atom.exact, "lemma" * (atom.option == "lemma"), "", fields)
            found |= {part, part._replace(exact=False, text=_without_case(part))}
    if atom.kind in ("starts", "ends") and not gapped:
        outer = [text for text in texts if _edge_of(text, atom.text, atom.kind)]
        found |= {whole._replace(text=text) for whole in wholes if whole.exact == atom.exact for text in outer}
    if not raw and not atom.option:
        found |= {part._replace(option="lemma") for part in found if not part.exact}
    return frozenset(found)


def _without_case(atom: Fact) -> str:
    if atom.kind not in LITERALS:
        return atom.text
    return fold_case(atom.text) if is_unspaced(atom.text) else atom.text.casefold()


def _word_parts(text: str, *, gapped: bool) -> Iterator[str]:
    words = text.split(" ")
    if gapped:
        return iter(words)
    if len(words) > _MAX_WORDS:
        return iter([text])
    return (" ".join(words[i:j]) for i in range(len(words)) for j in range(i + 1, len(words) + 1))


def _raw_parts(text: str, *, gapped: bool) -> Iterator[str]:
    for piece in text.split(" ") if gapped else [text]:
        units = _RAW_UNIT.findall(piece)
        if len(units) > _MAX_CHARACTERS:
            yield piece
            continue
        parts = ("".join(units[i:j]) for i in range(len(units)) for j in range(i + 1, len(units) + 1))
        yield from (part for part in parts if is_unspaced(part))


def entails(a: Formula, b: Formula) -> bool:
    """Whether it can be proved that b is true wherever a is.

    Examples
    --------
    >>> from rulenet.rules.conditions.formula import either
    >>> game, video = Fact("word", "game"), Fact("word", "video game")
    >>> entails(video, either([game, Fact("word", "film")])), entails(game, video), entails(Not(game), Not(video))
    (True, False, True)
    """
    if a == b:
        return True
    if isinstance(a, Or):
        return all(entails(part, b) for part in a.parts)
    if isinstance(b, And):
        return all(entails(a, part) for part in b.parts)
    if isinstance(a, And) and any(entails(part, b) for part in a.parts):
        return True
    if isinstance(b, Not):
        return entails(b.part, a.part) if isinstance(a, Not) else _exclude(a, b.part)
    if isinstance(b, Or):
        if isinstance(a, Fact) and not entailed(a).isdisjoint(b.parts):
            return True
        return any(entails(a, part) for part in b.compound)
    if isinstance(a, Fact) and isinstance(b, Fact):
        return b in entailed(a)
    if isinstance(a, Bounds) and isinstance(b, Bounds):
        return (a.unit, a.fields) == (b.unit, b.fields) and a.low >= b.low and a.high <= b.high
    return False


def _exclude(a: Formula, b: Formula) -> bool:
    """Whether two leaves can never be true together."""
    if isinstance(a, Bounds) and isinstance(b, Bounds):
        return (a.unit, a.fields) == (b.unit, b.fields) and (a.low > b.high or b.low > a.high)
    if isinstance(a, Fact) and isinstance(b, Fact):
        if a.fields != b.fields:
            return False
        if a.kind == b.kind == "lang":
            return a.text != b.text
        if a.kind == b.kind and a.kind in ("starts", "ends") and not (a.option or b.option or a.exact != b.exact):
            one, other = (
                _OUTER_MARKS[a.kind].sub("", text) for text in (a.text, b.text)
            )  # 【快讯】 begins with 快讯 too
            return is_unspaced(one) == is_unspaced(other) and not (
                _edge_of(one, other, a.kind) or _edge_of(other, one, a.kind)
            )
    return False


def _edge_of(short: str, long: str, kind: str) -> bool:
    return long.startswith(short) if kind == "starts" else long.endswith(short)


def fewest(formula: Formula, within: Bounds) -> float:
    """How many of the units of `within` its text or field must have at least for the formula to be true."""
    if isinstance(formula, Bounds):
        return formula.low if (formula.unit, formula.fields) == (within.unit, within.fields) else 0
    if isinstance(formula, Or):
        return min((fewest(part, within) for part in formula.parts), default=0)
    if isinstance(formula, And):
        return max((fewest(part, within) for part in formula.parts), default=0)
    if isinstance(formula, Fact) and formula.kind in LITERALS:
        if within.fields not in ((), formula.fields):
            return 0
        # Folding may lengthen what is not ASCII (ß becomes ss), and a form may be shorter than its lemma.
        is_rigid = formula.kind == "raw" or (formula.text.isascii() and formula.option != "lemma")
        text = readable(formula.text)
        if within.unit == "characters" and is_rigid:
            return len(text.replace(" ", "") if is_unspaced(text) else text)
        return len(list(unit_spans(text)))
    return 0


def is_anchored(formula: Formula) -> bool:
    """Whether only texts with some word or pattern can fulfil it, so that others need not be read."""
    if isinstance(formula, Or):
        return all(map(is_anchored, formula.parts))
    if isinstance(formula, And):
        return any(map(is_anchored, formula.parts))
    return isinstance(formula, Fact) and formula.kind in (*LITERALS, "regex")


def holds_by_absence(formula: Formula) -> bool:
    """Whether a text can fulfil it only because something is absent."""
    if isinstance(formula, Or):
        return any(map(holds_by_absence, formula.parts))
    if isinstance(formula, And):
        return all(map(holds_by_absence, formula.parts))
    return isinstance(formula, Not)


def contradiction(formula: Formula) -> str | None:
    """Why a formula can never be true, if that can be proved."""
    if isinstance(formula, Bounds):
        return "no text has that length" if formula.low > formula.high else None
    if isinstance(formula, Or):
        if any(isinstance(part, Fact) for part in formula.parts):
            return None
        reasons = [contradiction(part) for part in formula.parts]
        return min((r for r in reasons if r), default="it has no alternatives") if all(reasons) else None
    # Sets have no order, and a message should be the same in every run.
    return min(_clashes(formula), default=None) if isinstance(formula, And) else None


def _clashes(formula: And) -> Iterator[str]:
    """Reasons why parts of a conjunction cannot be true together."""
    wanted, denied = split(formula)
    for part in wanted:
        if reason := contradiction(part):
            yield reason
        elif denied is not None and entails(part, denied):
            yield _ruled_out(part, denied)
    for bound in (part for part in wanted if isinstance(part, Bounds)):
        least = max(fewest(part, bound) for part in wanted)
        if bound.low <= bound.high < least:
            yield f"the text must have at least {least:g} {bound.unit} and at most {bound.high:g}"
    for i, a in enumerate(wanted):
        for b in wanted[i + 1 :]:
            if _never_together(a, b):
                yield " and ".join(sorted((show(a), show(b)))) + " exclude each other"


def split(formula: Formula) -> tuple[list[Formula], Formula | None]:
    """What a formula wants, and what it denies."""
    parts = formula.parts if isinstance(formula, And) else {formula}
    denied = next((part.part for part in parts if isinstance(part, Not)), None)
    return [part for part in parts if not isinstance(part, Not)], denied


def _never_together(a: Formula, b: Formula) -> bool:
    kinds = {part.kind for side in (a, b) for part in _leaves(side) if isinstance(part, Fact)}
    if not kinds or not kinds <= {"lang", "starts", "ends"}:
        return False
    return bool(_leaves(a)) and bool(_leaves(b)) and all(_exclude(x, y) for x in _leaves(a) for y in _leaves(b))


def _leaves(formula: Formula) -> list[Formula]:
    return list(formula.parts) if isinstance(formula, Or) else [formula]


def dead_parts(formula: Formula) -> Iterator[tuple[Formula, str]]:
    """Alternatives that can never be true in a formula that can, each with the reason."""
    wanted, denied = split(formula)
    for part in wanted:
        for option in part.parts if isinstance(part, Or) else ():
            if denied is not None and entails(option, denied):
                yield option, _ruled_out(option, denied)
            elif not isinstance(option, Fact):
                if reason := contradiction(option):
                    yield option, reason
                else:
                    yield from dead_parts(option)


def _ruled_out(part: Formula, denied: Formula) -> str:
    """Why `part` cannot be there where `denied` must not be."""
    option = min(_leaves(part), key=show)
    covers = [cover for cover in _leaves(denied) if entails(option, cover)]
    cover, first = min(map(show, covers), default=show(denied)), show(option)
    if first == cover:
        return f"{first} must be there and is ruled out"
    return f"{first} must be there, but then {cover} is there too, which is ruled out"
