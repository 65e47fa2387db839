"""Dead rules, duplicates, and rules that another one contains. Imports `logic` and the kinds; no numpy.

Only rules that share something are ever compared: duplicates meet in a dictionary, contained rules through the rarest of their words, so
the time grows with the number of rules and not with its square.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from rulenet.rules.conditions.formula import (
    ALWAYS,
    LITERALS,
    And,
    Fact,
    Formula,
    Not,
    Or,
    WordLists,
    both,
    denial,
    either,
    show,
)
from rulenet.rules.conditions.kind import Part
from rulenet.rules.file.condition import WrittenCondition
from rulenet.rules.file.schema import Flip, Rule
from rulenet.rules.lint.logic import contradiction, dead_parts, split

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
    """A rule with its formula and where it stands, as other rules' messages name it."""

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


def dead_smells(stated: Stated) -> Iterator[tuple[str, str]]:
    """Message and severity for a rule, or alternatives of it, that can never fire."""
    if reason := contradiction(stated.formula):
        yield f"can never fire: {reason}; change one of the two", "error"
        return
    if stated.formula == ALWAYS:
        yield "fires on every text: its condition always holds; ask for something", "warning"
        return
    dead = sorted(dead_parts(stated.formula), key=lambda found: found[1])
    for _, reason in dead[:MAX_SHOWN]:
        yield f"one alternative can never hit: {reason}; remove it, or narrow `unless`", "warning"
    if len(dead) > MAX_SHOWN:
        others = ", ".join(show(part) for part, _ in dead[MAX_SHOWN:])
        yield (
            f"{len(dead) - MAX_SHOWN} more alternatives can never hit for the same kind of reason: {others}",
            "warning",
        )


def duplicates(rules: Sequence[Stated]) -> Iterator[tuple[int, str]]:
    """Number of a rule and what it repeats or contradicts; rules that no text can tell apart."""
    groups: dict[Formula, list[int]] = defaultdict(list)
    for i, stated in enumerate(rules):
        groups[stated.formula].append(i)
    for members in groups.values():
        for k, i in enumerate(members):
            first = next((j for j in members[:k] if rules[j].meets(rules[i])), None)
            if first is not None:
                yield i, _same_condition(rules[first], rules[i])


def _same_condition(first: Stated, again: Stated) -> str:
    other = f"rule {first.rule.id!r} ({first.place})"
    a, b = first.rule, again.rule
    if any(a.evidence.get(label, 0) * weight > 0 for label, weight in b.evidence.items()):
        return (
            f"fires on the same texts as {other} and speaks for the same label; keep one and give it the weight of both"
        )
    if set(a.evidence) & set(b.evidence):
        return f"fires on the same texts as {other} and speaks against it: the two cancel out; keep one"
    merged = ", ".join(f"{label}: {weight:g}" for label, weight in (a.evidence | b.evidence).items())
    return (
        f"fires on the same texts as {other}, which speaks for another label; write one rule with labels: {{{merged}}}"
    )


def contained(rules: Sequence[Stated]) -> Iterator[tuple[int, str]]:
    """Number of a rule and the one that holds all its alternatives, under the same `unless` and for the same label."""
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


def _contained_in(large: Stated, small: Stated) -> str:
    shown = sorted(map(show, small.core))
    names = ", ".join(shown[:MAX_SHOWN]) + (", …" if len(shown) > MAX_SHOWN else "")
    return (
        f"all it looks for ({names}) also stands in rule {large.rule.id!r} ({large.place}) for the same label, so both add up; "
        "remove it there, or merge the two"
    )


def is_anchored(formula: Formula) -> bool:
    """Whether it holds only in texts with some word or pattern, so that others need not be looked at."""
    if isinstance(formula, Or):
        return all(map(is_anchored, formula.parts))
    if isinstance(formula, And):
        return any(map(is_anchored, formula.parts))
    return isinstance(formula, Fact) and formula.kind in (*LITERALS, "regex")


def holds_by_absence(formula: Formula) -> bool:
    """Whether it holds in a text because of what is not there."""
    if isinstance(formula, Or):
        return any(map(holds_by_absence, formula.parts))
    if isinstance(formula, And):
        return all(map(holds_by_absence, formula.parts))
    return isinstance(formula, Not)
