"""Why a rule fires on a text or not: its condition as a tree, each part with what it found. Imports the rest of `rulenet.rules`."""

from __future__ import annotations

from dataclasses import dataclass

from rulenet.rules.conditions.condition import InField, Keep, Span, everything
from rulenet.rules.conditions.kind import Builder, Part
from rulenet.rules.conditions.kinds import parts_of
from rulenet.rules.file.schema import Rule
from rulenet.rules.ruleset import RuleSet
from rulenet.rules.testing.examples import ExampleResult, Reader
from rulenet.text.doc import Doc
from rulenet.text.language import Language

UNLESS = "unless"
_WHERE = {"start": "in the first 20 words", "end": "in the last 20 words", "first_sentence": "in the first sentence"}


@dataclass(frozen=True)
class Step:
    """One part of a condition."""

    label: str  # the part as the author wrote it, shortened; after `no` if it must not hit
    passed: bool  # whether it lets the rule fire
    found: tuple[str, ...] = ()  # what it hits, as written in the text
    note: str = ""  # what else explains the outcome; may be empty
    parts: tuple[Step, ...] = ()  # the parts it is made of


def trace(ruleset: RuleSet, rule: Rule, doc: Doc, language: Language) -> Step:
    """What each part of a rule finds in a text; `rule` is one of `ruleset.rules`, and `Reader` makes the `doc`.

    Examples
    --------
    >>> ruleset = RuleSet.from_yaml("{rulenet: 1, rules: [{id: a, label: x, all: [{word: coach}, {word: fired}]}]}")
    >>> found = trace(ruleset, ruleset.rules[0], *Reader(ruleset).read("The coach stays"))
    >>> found.passed, [(part.label, part.passed) for part in found.parts]
    (False, [('word: coach', True), ('word: fired', False)])
    """
    tracer = _Tracer(ruleset, rule, doc)
    top, *denied = parts_of(rule)
    matcher = ruleset.evaluators(language)[ruleset.rules.index(rule)]
    keep = matcher.keep(doc)
    condition = tracer.step(top, keep.placed if rule.negation == "require" else keep)
    unless = [tracer.step(part, everything, denied=True) for part in denied]
    if rule.negation == "require" and condition.passed and not matcher.condition.negated(doc, keep):
        condition = Step(condition.label, False, condition.found, "no hit is negated", condition.parts)
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

    def __init__(self, ruleset: RuleSet, rule: Rule, doc: Doc) -> None:
        self.builder = Builder(ruleset.lexicons, ruleset.file.fold_traditional)
        self.rule = rule
        self.doc = doc

    def hits(self, part: Part, keep: Keep = everything) -> list[Span] | None:
        """Hits of a part that count."""
        made = self.builder.make(part)
        for name in reversed(part.around):
            made = InField(name, made)
        return made.find(self.doc, keep)

    def step(self, part: Part, keep: Keep, *, denied: bool = False) -> Step:
        """A part and those it is made of."""
        kind = part.kind
        spans = self.hits(part, keep)
        holds = spans is not None
        # A combination that is denied denies its parts; what else has parts asks for them, denied or not.
        inner_denied = bool(kind.denied_label) and denied != kind.denies
        inner_keep = everything if kind.denies else keep.anywhere if kind.frees_parts else keep
        return Step(
            label=(kind.denied_label or f"no {part.label}") if denied else part.label,
            passed=holds != denied,
            found=() if kind.passes_hits else tuple(dict.fromkeys(self._text(span) for span in spans or ())),
            note="" if holds else self._why_not(part, keep),
            parts=tuple(self.step(inner, inner_keep, denied=inner_denied) for inner in part.parts),
        )

    def _text(self, span: Span) -> str:
        start, end = self.doc.cleaned.original_span(*span)
        return " ".join(str(self.doc.text)[start:end].split())

    def _why_not(self, part: Part, keep: Keep) -> str:
        """What the author may not see: a hit that does not count, the measure that was taken."""
        absent = [name for name in (*part.around, part.written.field) if name and name not in self.doc.fields]
        if absent:
            known = ", ".join(self.doc.fields)
            return f"the text has no field {absent[0]!r}" + (f"; it has {known}" if known else "")
        hits = self._free_hits(part) if part.kind.has_hits and not part.kind.passes_hits else []
        if hits:
            reasons = ["negated"] if keep.is_negated else []
            reasons += [f"not {_WHERE[self.rule.where]}"] if keep.is_placed else []
            return f"{self._text(hits[0])!r} is there, but {' or '.join(reasons)}"
        return part.kind.why_not(part, self.doc, self._free_hits)

    def _free_hits(self, part: Part) -> list[Span]:
        return self.hits(part) or []
