"""Smells of one rule: what is legal but probably not meant, or can never work. Imports the kinds; no numpy.

What a condition by itself smells of, its kind tells. A smell that needs logic (dead, shadowed) or several rules (duplicates) is found in
`smells_logic.py`.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence

from rulenet.rules.conditions.formula import tidy
from rulenet.rules.conditions.kind import Part, Setting, Smell
from rulenet.rules.file.schema import Rule
from rulenet.rules.file.wording import quoted
from rulenet.text.fold import is_unspaced


def rule_smells(rule: Rule, parts: Sequence[Part], setting: Setting, today: datetime.date) -> Iterator[Smell]:
    """Smells of a rule by itself, `parts` being its condition and those under `unless`."""
    yield from _rule_wide(rule, parts[0], setting, today)
    for part in (part for top in parts for part in top.walk()):
        field = part.written.field
        if field is not None and part.around and field != part.around[-1]:
            message = f"field: {field} stands inside field: {part.around[-1]}, where it is never found; name one field"
            yield Smell((*part.path, "field"), message, "error")
        yield from part.kind.smells(part, setting)


def _rule_wide(rule: Rule, condition: Part, setting: Setting, today: datetime.date) -> Iterator[Smell]:
    if not rule.enabled:
        yield Smell(("enabled",), "is switched off (enabled: false)", "info")
    if rule.until is not None and rule.until < today:
        yield Smell(("until",), f"has expired: it fired until {rule.until}; move the date or delete the rule")
    if rule.since is not None and rule.since > today:
        yield Smell(("since",), f"fires from {rule.since} on", "info")
    weights = set(rule.evidence.values())
    if rule.pin and weights == {0}:
        yield Smell(
            ("pin",), "has weight 0 and pin: true, so it never changes anything; give it a weight or remove pin"
        )
    for i, example in enumerate(rule.examples.reject):
        if example in rule.examples.match:
            at = ("examples", "reject", i)
            yield Smell(at, f"example {quoted(example)} stands under match and under reject; keep one", "error")
    if not condition.has_hits:
        yield from _pointless(rule)
    if rule.negation != "ignore" and setting.language == "en" and _only_unspaced(condition, setting):
        yield Smell(
            ("negation",),
            "negation looks for English cues here (language: en), but the words are Chinese; set language",
        )


def _pointless(rule: Rule) -> Iterator[Smell]:
    """What asks something of hits that there never are."""
    if rule.negation == "require":
        message = f"can never fire: negation: require asks for a negated hit, but {rule.kind} has no hits in the text; leave it out"
        yield Smell(("negation",), message, "error")
    elif rule.negation != "ignore":
        yield Smell(("negation",), f"negation changes nothing, as {rule.kind} has no hits in the text; leave it out")
    if rule.where != "anywhere":
        yield Smell(("where",), f"where changes nothing, as {rule.kind} has no hits in the text; leave it out")


def _only_unspaced(condition: Part, setting: Setting) -> bool:
    found = [literal for part in condition.walk() for literal in part.kind.literals(part, setting.lexicons)]
    return bool(found) and all(is_unspaced(tidy(literal)) for literal in found)
