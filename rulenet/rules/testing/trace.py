"""Why a rule fires on a text or not: its condition as a tree, each part with what it found. Imports the rest of `rulenet.rules`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rulenet.rules.conditions.build import NEAR, build
from rulenet.rules.conditions.condition import Span
from rulenet.rules.conditions.relations import InField
from rulenet.rules.engine.evaluate import RuleMatcher
from rulenet.rules.engine.negation import Negation
from rulenet.rules.file.schema import Condition, Rule
from rulenet.rules.ruleset import RuleSet
from rulenet.rules.testing.examples import ExampleResult, Reader
from rulenet.text.doc import Doc
from rulenet.text.language import Language

MAX_VALUES = 6
MAX_TOKENS = 12
UNLESS = "unless"
_DENIED = {"any": "none of", "all": "not all of", "none": "any of"}
_WHERE = {"start": "in the first 20 words", "end": "in the last 20 words", "first_sentence": "in the first sentence"}


@dataclass(frozen=True)
class Step:
    """One part of a condition.

    Attributes
    ----------
    label
        The part as the author wrote it, shortened; after ``no`` if it must not hit.
    passed
        Whether it lets the rule fire.
    found
        What it hits, as written in the text.
    note
        What else explains the outcome; may be empty.
    parts
        The parts it is made of.
    """

    label: str
    passed: bool
    found: tuple[str, ...] = ()
    note: str = ""
    parts: tuple[Step, ...] = ()


def trace(ruleset: RuleSet, rule: Rule, doc: Doc, language: Language) -> Step:
    """What each part of a rule finds in a text.

    Parameters
    ----------
    ruleset
        Where the rule comes from.
    rule
        The rule as a column has it.
    doc, language
        The text, as `examples.Reader` reads it.

    Examples
    --------
    >>> ruleset = RuleSet.from_yaml("{rulenet: 1, rules: [{id: a, label: x, all: [{word: coach}, {word: fired}]}]}")
    >>> found = trace(ruleset, ruleset.rules[0], *Reader(ruleset).read("The coach stays"))
    >>> found.passed, [(part.label, part.passed) for part in found.parts]
    (False, [('word: coach', True), ('word: fired', False)])
    """
    tracer = _Tracer(ruleset, rule, doc, Negation(language, ruleset.file.negation_cues))
    condition = tracer.step(rule, rule, ())
    unless = [tracer.step(part, tracer.free, (), denied=True) for part in rule.unless]
    if rule.negation == "require" and condition.passed and not tracer.fires(rule, rule, ()):
        condition = Step(condition.label, False, condition.found, "none of these hits is negated", condition.parts)
    if not unless:
        return condition
    allowed = Step(UNLESS, all(part.passed for part in unless), parts=tuple(unless))
    return Step("the rule", condition.passed and allowed.passed, parts=(condition, allowed))


def trace_example(ruleset: RuleSet, result: ExampleResult, reader: Reader) -> Step:
    """What each part of a rule finds in one of its examples."""
    rule = ruleset.rules[ruleset.written.index(result.number)]
    return trace(ruleset, rule, *reader.read(result.example))


class _Tracer:
    """Asks every part of a rule by itself."""

    def __init__(self, ruleset: RuleSet, rule: Rule, doc: Doc, negation: Negation) -> None:
        self.ruleset = ruleset
        self.rule = rule
        self.doc = doc
        self.negation = negation
        # Under `unless`, `none` and `near` hits count wherever they are.
        self.free = rule.model_copy(update={"where": "anywhere", "negation": "ignore"})

    def fires(self, part: Condition, rule: Rule, fields: Sequence[str]) -> list[Span] | None:
        """Hits of a part, as far as the rule lets them count."""
        made = build(part, self.ruleset.lexicons, fold_traditional=self.ruleset.file.fold_traditional)
        for name in reversed(fields):
            made = InField(name, made)
        return RuleMatcher(rule, made, (), self.negation).find(self.doc)

    def step(self, part: Condition, rule: Rule, fields: tuple[str, ...], *, denied: bool = False) -> Step:
        """A part and those it is made of; `fields` are those around it."""
        asked = rule.model_copy(update={"negation": "ignore"}) if rule.negation == "require" else rule
        spans = self.fires(part, asked, fields)
        holds = spans is not None
        found = tuple(dict.fromkeys(self._text(span) for span in spans or ()))
        inner = fields if part.field is None else (*fields, part.field)
        children = [self.step(child, asked, inner, denied=denied) for child in part.any or part.all or ()]
        children += [self.step(child, self.free, inner, denied=not denied) for child in part.none or ()]
        if part.near is not None:
            children += [self.step(term, self.free, inner) for term in part.near.conditions]
        if part.count is not None:
            children.append(self.step(part.count, asked, inner))
        return Step(
            label=_DENIED.get(part.kind, f"no {label(part)}") if denied else label(part),
            passed=holds != denied,
            found=() if children and not part.near else found,
            note="" if holds else self._why_not(part, fields),
            parts=tuple(children),
        )

    def _text(self, span: Span) -> str:
        start, end = self.doc.cleaned.original_span(*span)
        return " ".join(str(self.doc.text)[start:end].split())

    def _why_not(self, part: Condition, fields: tuple[str, ...]) -> str:
        """What the author may not see: a hit that does not count, the measure that was taken."""
        field = next((name for name in (*fields, part.field) if name and name not in self.doc.fields), None)
        if field is not None:
            known = ", ".join(self.doc.fields)
            return f"the text has no field {field!r}" + (f"; it has {known}" if known else "")
        if part.length is not None:
            length = len(self.doc.units) if part.length.unit == "words" else len(self.doc.clean.strip())
            return f"the text has {length} {part.length.unit}"
        if part.lang is not None:
            return f"the text seems to be {self.doc.language!r}"
        if part.count is not None:
            hits = self.fires(part.count, self.free, (*fields, *([part.field] if part.field else [])))
            return f"hits: {len(hits or ())}"
        if part.any or part.all or part.none:
            return ""
        hits = self.fires(part, self.free, fields)
        if hits:
            reasons = ["negated"] if self.rule.negation != "ignore" else []
            reasons += [f"not {_WHERE[self.rule.where]}"] if self.rule.where in _WHERE else []
            return f"{self._text(hits[0])!r} is there, but {' or '.join(reasons)}"
        if part.near is not None:
            return "not near enough to each other" if part.near.same is None else "not in one sentence"
        if part.pos is not None:
            tags = [f"{token.text}/{token.tag}" for token in self.doc.tagged]
            return "tagged " + " ".join(tags[:MAX_TOKENS]) + (" …" if len(tags) > MAX_TOKENS else "")
        return ""


def label(part: Condition) -> str:
    """A condition in a few words.

    Examples
    --------
    >>> label(Condition(word=["win", "wins"], field="title")), label(Condition(length={"at_most": 5}))
    ('word: win, wins (field: title)', 'length: at_most 5 words')
    """
    kind = part.kind
    if kind in ("any", "all", "none"):
        text = f"{kind} of"
    elif part.near is not None:
        within = (
            "same sentence"
            if part.near.same
            else f"within {NEAR if part.near.within is None else part.near.within} words"
        )
        text = f"near: {within}" + (", ordered" if part.near.ordered else "")
    elif part.count is not None:
        text = f"count: {_bounds(part.count.at_least, part.count.at_most)}"
    elif part.length is not None:
        text = f"length: {_bounds(part.length.at_least, part.length.at_most)} {part.length.unit}"
    elif part.lang is not None:
        text = f"lang: {part.lang}"
    else:
        values = getattr(part, kind)
        more = f", … {len(values) - MAX_VALUES} more" if len(values) > MAX_VALUES else ""
        text = f"{kind}: {', '.join(values[:MAX_VALUES])}{more}"
    options = [f"{name}: {getattr(part, name)}" for name in ("case", "forms", "gap", "field") if _is_set(part, name)]
    return text + (f" ({', '.join(options)})" if options else "")


def _bounds(low: float | None, high: float | None) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in (("at_least", low), ("at_most", high)) if value is not None)


def _is_set(part: Condition, name: str) -> bool:
    return bool(getattr(part, name) != type(part).model_fields[name].default)
