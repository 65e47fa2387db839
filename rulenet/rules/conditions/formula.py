"""The meaning of a condition as a formula, about which `lint/logic.py` proves things. Imports `rulenet.text`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple, TypeAlias

from rulenet.text.clean import clean
from rulenet.text.raw import readable


@lru_cache(maxsize=200_000)
def tidy(literal: str) -> str:
    """A literal as texts are read; lists name the same ones again and again."""
    return clean(literal)


LITERALS = ("word", "raw", "starts", "ends")  # facts that contain others: "video game" contains "game"


class Fact(NamedTuple):
    """Something that is in a text or not."""

    kind: str  # "word": words in a row · "raw": characters anywhere · "starts", "ends" · other kinds: the pattern as written
    text: str
    exact: bool = False  # case
    option: str = ""  # "lemma", "gap 3", "segmented" · "opaque": it entails only itself
    placement: str = ""  # what `where` and `negation` ask of the hit
    fields: tuple[str, ...] = ()


class Bounds(NamedTuple):
    """The length of the text is between two bounds."""

    unit: str
    low: float
    high: float
    fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class Or:
    """At least one part is true; without parts: false."""

    parts: frozenset[Formula]

    @cached_property
    def compound(self) -> list[Formula]:
        """The parts that are no atoms: few, as a rule, where the atoms are thousands."""
        return [part for part in self.parts if not isinstance(part, Fact)]


@dataclass(frozen=True)
class And:
    """All parts are true; without parts: true. Denials are combined into one `Not`."""

    parts: frozenset[Formula]


@dataclass(frozen=True)
class Not:
    """The part is false."""

    part: Formula


Formula: TypeAlias = "Fact | Bounds | Or | And | Not"
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
    """Conjunction, flattened; what it denies is gathered in one `Not`."""
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


def inside(fields: tuple[str, ...], formula: Formula) -> Formula:
    """The formula, and that the field exists, which a condition without hits needs too."""
    return both([formula, *(Fact("field", name) for name in fields)])


class WordLists:
    """Entries of each lexicon. What is made of a list is made once: many rules may name a long one."""

    def __init__(self, entries: Mapping[str, Iterable[str]]) -> None:
        self.entries = entries
        self._made: dict[tuple[object, ...], Formula] = {}

    def any_of(self, names: Iterable[str], way: object, facts: Callable[[Iterable[str]], Iterable[Fact]]) -> Formula:
        """Disjunction of all entries of some lists; `facts` makes facts of entries, and `way` identifies that function."""
        names = tuple(names)
        for name in names:
            if (name, way) not in self._made:
                self._made[name, way] = either(facts(self.entries.get(name, ())))
        if (names, way) not in self._made:
            self._made[names, way] = either(self._made[name, way] for name in names)
        return self._made[names, way]


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
    text = readable(formula.text) if formula.kind in LITERALS else formula.text
    return repr(text) if formula.kind in ("word", "raw") else f"{formula.kind} {text!r}"
