"""What a condition says, as a formula: what `logic.py` proves things about. Imports `rulenet.text` and the schema."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple, TypeAlias

from rulenet.rules.file.schema import LITERALS, Condition, Count, Flip, Rule
from rulenet.text.clean import clean
from rulenet.text.fold import fold, fold_raw, is_unspaced, words_with_offsets


@lru_cache(maxsize=200_000)
def tidy(literal: str) -> str:
    """A literal as texts are read; lists name the same ones again and again."""
    return clean(literal)


class Lexicons:
    """Entries of each word list. Lists of atoms are made once: many rules may name a long list."""

    def __init__(self, entries: Mapping[str, Iterable[str]]) -> None:
        self.entries = entries
        self._made: dict[tuple[object, ...], Formula] = {}

    def any_of(self, condition: Condition, placement: str, fields: tuple[str, ...]) -> Formula:
        """Disjunction of all entries of the lists that a condition names."""
        options = (condition.case, condition.forms, condition.segmented, condition.gap, placement, fields)
        for name in condition.lexicon or ():
            if (name, options) not in self._made:
                atoms = _literal_atoms(condition, self.entries.get(name, ()), placement, fields)
                self._made[name, options] = either(atoms)
        key = (*(condition.lexicon or ()), options)
        if key not in self._made:
            self._made[key] = either(self._made[name, options] for name in condition.lexicon or ())
        return self._made[key]


class Atom(NamedTuple):
    """Something that is in a text or not."""

    kind: str  # "word": words in a row · "raw": characters anywhere · "starts", "ends" · other kinds: the pattern as written
    text: str
    exact: bool = False  # case
    option: str = ""  # "lemma", "gap 3", "segmented"
    placement: str = ""  # what `where` and `negation` ask of the hit
    fields: tuple[str, ...] = ()


class Bounds(NamedTuple):
    """The text is so many units long."""

    unit: str
    low: float
    high: float
    fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class Or:
    """At least one holds; without parts: never."""

    parts: frozenset[Formula]

    @cached_property
    def compound(self) -> list[Formula]:
        """The parts that are no atoms: few, as a rule, where the atoms are thousands."""
        return [part for part in self.parts if not isinstance(part, Atom)]


@dataclass(frozen=True)
class And:
    """All hold; without parts: always. Denials are gathered in one `Not`."""

    parts: frozenset[Formula]


@dataclass(frozen=True)
class Not:
    """It does not hold."""

    part: Formula


Formula: TypeAlias = "Atom | Bounds | Or | And | Not"
ALWAYS, NEVER = And(frozenset()), Or(frozenset())


def either(parts: Iterable[Formula]) -> Formula:
    """Disjunction, flattened."""
    found: set[Formula] = set()
    for part in parts:
        if part == ALWAYS:
            return ALWAYS
        found |= part.parts if isinstance(part, Or) else {part}
    return next(iter(found)) if len(found) == 1 else Or(frozenset(found))


def both(parts: Iterable[Formula]) -> Formula:
    """Conjunction, flattened; what it denies is gathered in one `Not`.

    Examples
    --------
    >>> a, b, c = Atom("word", "a"), Atom("word", "b"), Atom("word", "c")
    >>> both([a, both([Not(b), Not(c)])]) == both([Not(either([c, b])), a])
    True
    """
    found: set[Formula] = set()
    denied: list[Formula] = []
    todo = list(parts)
    while todo:
        part = todo.pop()
        if part == NEVER:
            return NEVER
        if isinstance(part, And):
            todo.extend(part.parts)
        elif isinstance(part, Not):
            denied.append(part.part)
        else:
            found.add(part)
    if denied:
        found.add(Not(either(denied)))
    return next(iter(found)) if len(found) == 1 else And(frozenset(found))


def denial(part: Formula) -> Formula:
    """Negation; a double one cancels."""
    if part in (ALWAYS, NEVER):
        return NEVER if part == ALWAYS else ALWAYS
    return part.part if isinstance(part, Not) else both([Not(part)])


# ------------------------------------------------------------------ from the rule file


def rule_formula(rule: Rule, lexicons: Lexicons) -> Formula:
    """When a rule fires, whatever the day."""
    skips = rule.negation == "skip" or isinstance(rule.negation, Flip)
    placement = " ".join((["skip"] if skips else []) + ([rule.where] if rule.where != "anywhere" else []))
    wanted = [condition_formula(rule, lexicons, placement)]
    if rule.negation == "require":
        wanted.append(Atom("negated", rule.model_dump_json(include=set(Condition.model_fields), exclude_defaults=True)))
    unless = either(condition_formula(part, lexicons) for part in rule.unless)
    return both([*wanted, denial(unless)])


def condition_formula(
    condition: Condition, lexicons: Lexicons, placement: str = "", fields: tuple[str, ...] = ()
) -> Formula:
    """When a condition holds; `placement` and `fields` are what the hits around it must satisfy."""
    kind = condition.kind
    if condition.field is not None and condition.field not in fields:
        fields = tuple(sorted((*fields, condition.field)))
    if condition.any is not None:
        return either(condition_formula(part, lexicons, placement, fields) for part in condition.any)
    if condition.all is not None:
        return both(condition_formula(part, lexicons, placement, fields) for part in condition.all)
    if condition.none is not None:
        return _inside(fields, denial(either(condition_formula(part, lexicons, "", fields) for part in condition.none)))
    if condition.lexicon is not None:
        return lexicons.any_of(condition, placement, fields)
    if kind in LITERALS:
        return either(_literal_atoms(condition, getattr(condition, kind), placement, fields))
    if condition.length is not None:
        high = float("inf") if condition.length.at_most is None else condition.length.at_most
        return _inside(fields, Bounds(condition.length.unit, condition.length.at_least or 0, high, fields))
    if condition.lang is not None:
        return Atom("lang", condition.lang, fields=fields)
    if condition.near is not None:
        parts = [condition_formula(term, lexicons, "", fields) for term in condition.near.conditions]
        whole = condition.near.model_dump_json(exclude_defaults=True)
        return both([Atom("near", whole, placement=placement, fields=fields), *parts])
    if condition.count is not None:
        return _count_formula(condition.count, lexicons, placement, fields)
    exact = condition.case == "exact"
    return either(Atom(kind, pattern, exact, "", placement, fields) for pattern in getattr(condition, kind))


def _inside(fields: tuple[str, ...], formula: Formula) -> Formula:
    """What holds without a hit still needs the field to be there."""
    return both([formula, *(Atom("field", name) for name in fields)])


def _count_formula(count: Count, lexicons: Lexicons, placement: str, fields: tuple[str, ...]) -> Formula:
    counted = condition_formula(count, lexicons, placement, fields)
    low, whole = (
        count.at_least or 0,
        Atom("count", count.model_dump_json(exclude_defaults=True), False, "", placement, fields),
    )
    if low <= 0:
        return whole if count.at_most is not None or fields else ALWAYS
    is_plain = low <= 1 and count.at_most is None and count.kind != "lexicon"  # a lexicon may have weights
    return counted if is_plain else both([whole, counted])


def _literal_atoms(
    condition: Condition, literals: Iterable[str], placement: str, fields: tuple[str, ...]
) -> Iterator[Atom]:
    kind, exact = condition.kind, condition.case == "exact"
    for literal in literals:
        cleaned = tidy(literal)
        raw = is_unspaced(cleaned)
        if raw:
            text = cleaned if exact else fold_raw(cleaned)
        elif exact:
            text = " ".join(cleaned[start:end] for _, start, end in words_with_offsets(cleaned))
        else:
            text = fold(cleaned).strip()
        option = ""
        if raw and condition.segmented:
            option = "segmented"
        elif not raw and condition.forms == "lemma":
            option = "lemma"
        elif condition.gap and (raw or " " in text):
            option = f"gap {condition.gap}"
        yield Atom(
            kind if kind in ("starts", "ends") else "raw" if raw else "word", text, exact, option, placement, fields
        )


def show(formula: Formula) -> str:
    """A formula for a message, short."""
    if isinstance(formula, Bounds):
        return f"length {formula.low:g}–{formula.high:g} {formula.unit}"
    if isinstance(formula, Not):
        return f"not {show(formula.part)}"
    if isinstance(formula, (Or, And)):
        joint = " or " if isinstance(formula, Or) else " and "
        shown = sorted(show(part) for part in formula.parts)
        return joint.join(shown[:2]) + (" …" if len(shown) > 2 else "")
    return repr(formula.text) if formula.kind in ("word", "raw") else f"{formula.kind} {formula.text!r}"
