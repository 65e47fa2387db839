"""Smells of one rule: what is legal but probably not meant, or can never work. Imports the kinds; no numpy.

The smells of a single condition are found by its kind; those that need logic (dead, contained) or several rules (duplicates) in
`smells_logic.py`.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence

from rulenet.rules.conditions.formula import tidy
from rulenet.rules.conditions.kind import Part, Setting, Smell
from rulenet.rules.conditions.word_smells import doubles
from rulenet.rules.file import codes
from rulenet.rules.file.schema import Rule
from rulenet.rules.file.wording import quoted
from rulenet.text.fold import is_unspaced


def rule_smells(rule: Rule, parts: Sequence[Part], setting: Setting, today: datetime.date) -> Iterator[Smell]:
    """Smells of a rule by itself, `parts` being its condition and those under `unless`."""
    yield from _rule_wide(rule, parts[0], setting, today)
    for part in (part for top in parts for part in top.walk()):
        field = part.written.field
        if field is not None and part.around and field != part.around[-1]:
            message = f"field: {field} is inside field: {part.around[-1]}, where it is never found; name one field"
            yield Smell((*part.path, "field"), codes.NEVER_FIRES, message)
        yield from part.kind.smells(part, setting)


def _rule_wide(rule: Rule, condition: Part, setting: Setting, today: datetime.date) -> Iterator[Smell]:
    if not rule.enabled:
        yield Smell(("enabled",), codes.INACTIVE_RULE, "never fires, as enabled is false")
    if rule.until is not None and rule.until < today:
        message = f"expired on {rule.until}; change the date or delete the rule"
        yield Smell(("until",), codes.EXPIRED_RULE, message)
    if rule.since is not None and rule.since > today:
        yield Smell(("since",), codes.INACTIVE_RULE, f"does not fire before {rule.since}")
    weights = set(rule.evidence.values())
    if rule.pin and weights == {0}:
        message = "has weight 0 and pin: true, so it never changes anything; give it a weight or remove pin"
        yield Smell(("pin",), codes.IDLE_WEIGHT, message)
    for flaw in doubles(rule.tags):
        yield Smell(("tags",), *flaw)
    for i, example in enumerate(rule.examples.reject):
        if example in rule.examples.match:
            at = ("examples", "reject", i)
            message = f"example {quoted(example)} is under match and under reject; keep one"
            yield Smell(at, codes.CONTRADICTING_EXAMPLES, message)
    if not condition.has_hits:
        yield from _pointless(rule)
    if rule.negation != "ignore" and setting.language == "en" and _only_unspaced(condition, setting):
        message = "negation looks for English cues (language: en), but the words are Chinese; set language: zh or any"
        yield Smell(("negation",), codes.WRONG_LANGUAGE, message)


def _pointless(rule: Rule) -> Iterator[Smell]:
    """Options about hits, where there never are any."""
    reason = f"{rule.kind} has no hits in the text; leave it out"
    if rule.negation == "require":
        message = f"can never fire: negation: require needs a negated hit, but {reason}"
        yield Smell(("negation",), codes.NEVER_FIRES, message)
    elif rule.negation != "ignore":
        yield Smell(("negation",), codes.IDLE_OPTION, f"negation changes nothing, as {reason}")
    if rule.where != "anywhere":
        yield Smell(("where",), codes.IDLE_OPTION, f"where changes nothing, as {reason}")


def _only_unspaced(condition: Part, setting: Setting) -> bool:
    found = [literal for part in condition.walk() for literal in part.kind.literals(part, setting.lexicons)]
    return bool(found) and all(is_unspaced(tidy(literal)) for literal in found)
