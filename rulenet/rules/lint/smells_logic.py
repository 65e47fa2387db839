"""Dead rules, duplicates, and rules that another one contains. Imports `logic` and the kinds; no numpy.

Only rules that share something are ever compared: duplicates meet in a dictionary, contained rules through the rarest of their words, so
the time grows with the number of rules and not with its square.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from rulenet.rules.conditions.formula import ALWAYS, Fact, Formula, Or, WordLists, both, denial, either, show
from rulenet.rules.conditions.kind import Part
from rulenet.rules.file import codes
from rulenet.rules.file.codes import Flaw
from rulenet.rules.file.condition import WrittenCondition
from rulenet.rules.file.schema import Flip, Rule
from rulenet.rules.lint.logic import contradiction, dead_parts, holds_by_absence, is_anchored, split

MAX_SHOWN = 3


def rule_formula(rule: Rule, parts: Sequence[Part], lists: WordLists) -> Formula:
    """When a rule fires, whatever the day; `parts` are its condition and those under `unless`."""
    skips = rule.negation == "skip" or isinstance(rule.negation, Flip)
    placement = " ".join((["skip"] if skips else []) + ([rule.where] if rule.where != "anywhere" else []))
    wanted = [parts[0].formula(placement, lists)]
    if rule.negation == "require":
        condition = rule.model_dump_json(include=set(WrittenCondition.model_fields), exclude_defaults=True)
        wanted.append(Fact("negated", condition))
    unless = either(part.formula("", lists) for part in parts[1:])
    return both([*wanted, denial(unless)])


@dataclass(frozen=True)
class Stated:
    """A rule with its formula and its place, as the messages of other rules name it."""

    rule: Rule
    formula: Formula
    place: str  # "line 12", or "common.yaml, line 12"

    @cached_property
    def core(self) -> frozenset[Formula]:
        """Its alternatives, where it is a plain list of them with or without `unless`; else empty."""
        wanted, _ = split(self.formula)
        parts = wanted[0].parts if len(wanted) == 1 and isinstance(wanted[0], Or) else frozenset(wanted)
        return parts if len(wanted) == 1 and all(isinstance(part, Fact) for part in parts) else frozenset()

    @cached_property
    def guard(self) -> Formula | None:
        """What it denies."""
        return split(self.formula)[1]

    def meets(self, other: Stated) -> bool:
        """Whether there is a day on which both may fire."""
        a, b = self.rule, other.rule
        if not (a.enabled and b.enabled):
            return False
        return not (a.until and b.since and a.until < b.since) and not (b.until and a.since and b.until < a.since)


def dead_smells(stated: Stated) -> Iterator[Flaw]:
    """Flaws of a rule that can never fire, or some of whose alternatives never can."""
    if reason := contradiction(stated.formula):
        yield Flaw(codes.NEVER_FIRES, f"can never fire: {reason}; change one of the two")
        return
    if stated.formula == ALWAYS:
        message = "fires on every text, as its condition is always fulfilled; add a condition that is not"
        yield Flaw(codes.ALWAYS_FIRES, message)
        return
    dead = sorted(dead_parts(stated.formula), key=lambda found: found[1])
    for _, reason in dead[:MAX_SHOWN]:
        message = f"one alternative can never hit: {reason}; remove it, or narrow `unless`"
        yield Flaw(codes.DEAD_ALTERNATIVE, message)
    if len(dead) > MAX_SHOWN:
        others = ", ".join(show(part) for part, _ in dead[MAX_SHOWN:])
        message = f"{len(dead) - MAX_SHOWN} more alternatives can never hit, for similar reasons: {others}"
        yield Flaw(codes.DEAD_ALTERNATIVE, message)


def duplicates(rules: Sequence[Stated]) -> Iterator[tuple[int, Flaw]]:
    """Number of each rule that fires on exactly the same texts as an earlier one, and what is wrong with that."""
    groups: dict[Formula, list[int]] = defaultdict(list)
    for i, stated in enumerate(rules):
        groups[stated.formula].append(i)
    for members in groups.values():
        for k, i in enumerate(members):
            first = next((j for j in members[:k] if rules[j].meets(rules[i])), None)
            if first is not None:
                yield i, _same_condition(rules[first], rules[i])


def _same_condition(first: Stated, again: Stated) -> Flaw:
    same = f"fires on the same texts as rule {first.rule.id!r} ({first.place})"
    a, b = first.rule, again.rule
    if any(a.evidence.get(label, 0) * weight > 0 for label, weight in b.evidence.items()):
        message = f"{same} and supports the same label; keep one of them, with the weight of both"
        return Flaw(codes.DUPLICATE_RULE, message)
    if set(a.evidence) & set(b.evidence):
        return Flaw(codes.CANCELLED_RULE, f"{same} with the opposite evidence, so the two cancel out; keep one")
    merged = ", ".join(f"{label}: {weight:g}" for label, weight in (a.evidence | b.evidence).items())
    message = f"{same}, which supports another label; write one rule with labels: {{{merged}}}"
    return Flaw(codes.DUPLICATE_RULE, message)


def contained(rules: Sequence[Stated]) -> Iterator[tuple[int, Flaw]]:
    """Number of each rule all of whose alternatives another one has, under the same `unless` and for the same label."""
    members: dict[frozenset[Formula], list[int]] = defaultdict(list)
    for i, stated in enumerate(rules):
        if stated.core:
            members[stated.core].append(i)
    postings: dict[Formula, list[frozenset[Formula]]] = defaultdict(list)
    for core in members:
        for part in core:
            postings[part].append(core)
    for core, small in members.items():
        rarest = min(core, key=lambda part: len(postings[part]))
        larger = [j for other in postings[rarest] if len(core) < len(other) and core <= other for j in members[other]]
        for i in small:
            holder = next((j for j in larger if _adds_up(rules[i], rules[j])), None)
            if holder is not None:
                yield i, _contained_in(rules[holder], rules[i])


def _adds_up(a: Stated, b: Stated) -> bool:
    same_side = any(a.rule.evidence.get(label, 0) * weight > 0 for label, weight in b.rule.evidence.items())
    return same_side and a.guard == b.guard and a.meets(b)


def _contained_in(large: Stated, small: Stated) -> Flaw:
    shown = sorted(map(show, small.core))
    names = ", ".join(shown[:MAX_SHOWN]) + (", …" if len(shown) > MAX_SHOWN else "")
    other = f"rule {large.rule.id!r} ({large.place})"
    message = f"everything it looks for ({names}) is also in {other} for the same label, so both add up; merge the two"
    return Flaw(codes.CONTAINED_RULE, message)


def unanchored(condition: Part, formula: Formula) -> Iterator[Flaw]:
    """A rule without a word that must be in the text has to be checked on every text."""
    if is_anchored(formula):
        return
    reader = next((part.kind.name for part in condition.walk() if part.kind.needs_tags), None)
    if reader is not None:
        message = f"tags every text, which is slow; put the {reader} pattern under `all` with a word that must be there"
        yield Flaw(codes.SLOW_RULE, message)
    elif holds_by_absence(formula):
        message = "fires on every text in which something is absent, so on most; add a condition that must hit"
        yield Flaw(codes.FIRES_BY_ABSENCE, message)
