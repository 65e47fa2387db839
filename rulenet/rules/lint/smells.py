"""Smells of one rule: what is legal but probably not meant, or can never work. Imports the schema and `smells_*`; no numpy.

A smell that needs logic (dead, shadowed) or several rules (duplicates) is found in `smells_logic.py`.
"""

from __future__ import annotations

import datetime
import importlib.util
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from rulenet.rules.file.parse import Path
from rulenet.rules.file.schema import LITERALS, Condition, Rule
from rulenet.rules.lint.formula import tidy
from rulenet.rules.lint.smells_regex import only_literals, regex_smells
from rulenet.rules.lint.smells_words import idle_entry, idle_options, literal_smells, pos_smells, repeated
from rulenet.rules.reading.check import quoted
from rulenet.text.fold import is_unspaced


class Smell(NamedTuple):
    """Something to tell the author, at a place of the file."""

    path: Path
    message: str
    severity: str = "warning"  # "error": can never work · "warning": probably not meant · "info": good to know


@dataclass(frozen=True)
class Setting:
    """What of the file a rule's smells depend on."""

    language: str
    lexicons: Mapping[str, Mapping[str, float]]
    fold_traditional: bool
    today: datetime.date


class Place(NamedTuple):
    """A condition somewhere in a rule."""

    condition: Condition
    path: Path
    alone: bool  # a hit of it is enough for the rule to fire, or not to fire
    fields: tuple[str, ...]  # of the conditions around it


def walk(condition: Condition, path: Path, *, alone: bool = True, fields: tuple[str, ...] = ()) -> Iterator[Place]:
    """A condition and all inside it."""
    yield Place(condition, path, alone, fields)
    inner = fields if condition.field is None else (*fields, condition.field)
    for kind, parts in (("any", condition.any), ("all", condition.all), ("none", condition.none)):
        for i, part in enumerate(parts or ()):
            enough = alone and (kind != "all" or len(parts or ()) == 1)
            yield from walk(part, (*path, kind, i), alone=enough, fields=inner)
    if condition.count is not None:
        yield from walk(condition.count, (*path, "count"), alone=False, fields=inner)
    if condition.near is not None:
        for i, term in enumerate(condition.near.terms):
            if isinstance(term, Condition):
                yield from walk(term, (*path, "near", "terms", i), alone=False, fields=inner)


def rule_smells(rule: Rule, path: Path, setting: Setting) -> Iterator[Smell]:
    """Smells of a rule by itself."""
    yield from _rule_wide(rule, path, setting)
    parts = [(rule, path), *((part, (*path, "unless", i)) for i, part in enumerate(rule.unless))]
    places = [place for part, at in parts for place in walk(part, at)]
    for place in places:
        yield from _place_smells(place, setting)
    yield from _missing_packages(places, path, setting)


def _rule_wide(rule: Rule, path: Path, setting: Setting) -> Iterator[Smell]:
    if not rule.enabled:
        yield Smell((*path, "enabled"), "is switched off (enabled: false)", "info")
    if rule.until is not None and rule.until < setting.today:
        yield Smell((*path, "until"), f"has expired: it fired until {rule.until}; move the date or delete the rule")
    if rule.since is not None and rule.since > setting.today:
        yield Smell((*path, "since"), f"fires from {rule.since} on", "info")
    weights = set(rule.evidence.values())
    if rule.pin and weights == {0}:
        yield Smell(
            (*path, "pin"), "has weight 0 and pin: true, so it never changes anything; give it a weight or remove pin"
        )
    for i, example in enumerate(rule.examples.reject):
        if example in rule.examples.match:
            at = (*path, "examples", "reject", i)
            yield Smell(at, f"example {quoted(example)} stands under match and under reject; keep one", "error")
    if not has_hits(rule):
        yield from _pointless(rule, path)
    if rule.negation != "ignore" and setting.language == "en" and _only_unspaced(rule, setting):
        yield Smell(
            (*path, "negation"),
            "negation looks for English cues here (language: en), but the words are Chinese; set language",
        )
    for kind, where in (("starts", "end"), ("ends", "start")):
        if rule.kind == kind and rule.where == where:
            yield Smell(
                (*path, "where"),
                f"{kind} and where: {where} go together only in texts of at most 20 words; leave where out",
            )


def _pointless(rule: Rule, path: Path) -> Iterator[Smell]:
    """What asks something of hits that there never are."""
    if rule.negation == "require":
        message = f"can never fire: negation: require asks for a negated hit, but {rule.kind} has no hits in the text; leave it out"
        yield Smell((*path, "negation"), message, "error")
    elif rule.negation != "ignore":
        yield Smell(
            (*path, "negation"), f"negation changes nothing, as {rule.kind} has no hits in the text; leave it out"
        )
    if rule.where != "anywhere":
        yield Smell((*path, "where"), f"where changes nothing, as {rule.kind} has no hits in the text; leave it out")


def _place_smells(place: Place, setting: Setting) -> Iterator[Smell]:
    condition, path, alone, fields = place
    kind = condition.kind
    if condition.field is not None and fields and condition.field != fields[-1]:
        message = f"field: {condition.field} stands inside field: {fields[-1]}, where it is never found; name one field"
        yield Smell((*path, "field"), message, "error")
    if kind in LITERALS:
        yield from _literal_list(condition, path, alone, setting)
    elif condition.regex is not None:
        exact, folded = condition.case == "exact", setting.fold_traditional
        for i, pattern in enumerate(condition.regex):
            for message, severity in regex_smells(pattern, setting.language, exact=exact, fold_traditional=folded):
                yield Smell((*path, kind, i), message, severity)
        if advice := only_literals(condition.regex):
            yield Smell((*path, kind), advice, "info")
    elif condition.pos is not None:
        for i, pattern in enumerate(condition.pos):
            for message in pos_smells(pattern, setting.language):
                yield Smell((*path, kind, i), message)
    elif condition.near is not None:
        yield from _near_smells(condition, path)
    elif condition.count is not None:
        yield from _count_smells(condition, path, setting)
    elif condition.lang is not None and setting.language not in ("any", condition.lang):
        message = (
            f"lang: {condition.lang} in a file with language: {setting.language} hardly ever holds; set language: any"
        )
        yield Smell((*path, "lang"), message)


def _literal_list(condition: Condition, path: Path, alone: bool, setting: Setting) -> Iterator[Smell]:
    kind, exact = condition.kind, condition.case == "exact"
    values = getattr(condition, kind)
    if kind != "lexicon":
        for i, literal in enumerate(values):
            for message in literal_smells(literal, kind, exact=exact, alone=alone):
                yield Smell((*path, kind, i), message)
    for again, earlier in repeated(values, exact=exact):
        yield Smell((*path, kind), idle_entry(again, earlier), "info")
    if any((exact, condition.forms == "lemma", condition.segmented, condition.gap)):
        for message in idle_options(condition, literals_of(condition, setting)):
            yield Smell(path, message)


def _near_smells(condition: Condition, path: Path) -> Iterator[Smell]:
    near = condition.near
    if near is None:
        return
    for i, term in enumerate(near.terms):
        if isinstance(term, Condition) and not has_hits(term):
            message = f"near can never hold: {term.kind} has no hits in the text that could be near; put it beside near, under all"
            yield Smell((*path, "near", "terms", i), message, "error")
        elif isinstance(term, str):
            for message in literal_smells(term, "near", exact=False, alone=False):
                yield Smell((*path, "near", "terms", i), message)
    plain = [term for term in near.terms if isinstance(term, str)]
    if near.within == 0 and near.ordered and len(plain) == len(near.terms):
        joined = "".join(plain) if all(is_unspaced(tidy(term)) for term in plain) else " ".join(plain)
        yield Smell((*path, "near"), f"near with ordered: true and within: 0 is phrase: {joined}; write that", "info")


def _count_smells(condition: Condition, path: Path, setting: Setting) -> Iterator[Smell]:
    count = condition.count
    if count is None:
        return
    here, low = (*path, "count"), count.at_least or 0
    if low <= 0 and count.at_most is None:
        yield Smell(here, "count with at_least: 0 always holds; give at_least: 1 or more, or at_most")
    if low > 0 and not has_hits(count):
        yield Smell(here, f"count can never reach {low:g}: {count.kind} has no hits to count", "error")
        return
    most = most_hits(count)
    if most is not None and low > most:
        yield Smell(
            here, f"count can never reach {low:g}: {count.kind} hits at most {most} times; lower at_least", "error"
        )
    if count.lexicon is not None and low > 0:
        weights = [weight for name in count.lexicon for weight in setting.lexicons.get(name, {}).values()]
        if weights and max(weights) <= 0:
            yield Smell(
                here,
                f"count can never reach {low:g}: no entry of {_listed(count.lexicon)} has a positive weight",
                "error",
            )


def _missing_packages(places: list[Place], path: Path, setting: Setting) -> Iterator[Smell]:
    """What a rule needs that is not installed here."""
    kinds = {place.condition.kind for place in places}
    if "pos" in kinds and setting.language != "zh" and not _installed("textblob"):
        yield Smell(path, "uses pos, which needs a tagger: pip install 'rulenet[pos]'")
    if any(place.condition.forms == "lemma" for place in places) and not _installed("simplemma"):
        yield Smell(path, "uses forms: lemma, which needs a dictionary: pip install 'rulenet[pos]'")


def _installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


# ------------------------------------------------------------------ what a condition can do


def has_hits(condition: Condition) -> bool:
    """Whether it ever marks words of a text.

    Examples
    --------
    >>> has_hits(Condition(word=["a"])), has_hits(Condition(none=[Condition(word=["a"])]))
    (True, False)
    """
    if condition.kind in ("none", "length", "lang"):
        return False
    parts = condition.any or condition.all or ([condition.count] if condition.count else [])
    return any(map(has_hits, parts)) if parts else True


def most_hits(condition: Condition) -> int | None:
    """How many hits it can have at most; None: no limit is known."""
    if condition.starts is not None or condition.ends is not None:
        return len(condition.starts or condition.ends or ())
    if condition.regex is not None and all(p.startswith("^") and "|" not in p for p in condition.regex):
        return len(condition.regex)
    if condition.any is not None:
        parts = [most_hits(part) for part in condition.any]
        return None if None in parts else sum(part for part in parts if part is not None)
    return None if has_hits(condition) else 0


def literals_of(condition: Condition, setting: Setting) -> list[str]:
    """The literals of a condition, those of its lexicons included."""
    if condition.lexicon is not None:
        return [literal for name in condition.lexicon for literal in setting.lexicons.get(name, {})]
    return list(getattr(condition, condition.kind)) if condition.kind in LITERALS else []


def _only_unspaced(rule: Rule, setting: Setting) -> bool:
    found = [literal for place in walk(rule, ()) for literal in literals_of(place.condition, setting)]
    return bool(found) and all(is_unspaced(tidy(literal)) for literal in found)


def _listed(names: list[str]) -> str:
    return ", ".join(map(repr, names[:5])) + (" …" if len(names) > 5 else "")
