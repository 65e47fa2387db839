"""One rule asked of one text: the plain reading that `match.py` speeds up. Imports `rulenet.text` and conditions."""

from __future__ import annotations

from rulenet.rules.conditions import Atom, Condition, Span, everything
from rulenet.rules.negation import negated
from rulenet.rules.schema import Rule
from rulenet.text.doc import Doc
from rulenet.text.language import Language


class RuleMatcher:
    """One rule, ready to be asked of a text: the plain reading, and what the fast path may know of it beforehand."""

    def __init__(self, rule: Rule, condition: Condition, unless: tuple[Condition, ...], language: Language) -> None:
        self.rule = rule
        self.condition = condition
        self.unless = unless
        self.language = language
        self.has_position = rule.negation == "skip" or rule.where != "anywhere"
        self.needs_doc = self.has_position or condition.needs_doc or any(part.needs_doc for part in unless)
        self.is_flat = condition.is_flat and not unless and not self.has_position

    def find(self, doc: Doc) -> list[Span] | None:
        """Hits in the cleaned text, or None if the rule does not fire."""
        keep = (lambda span: self._counts(span, doc)) if self.has_position else everything
        spans = self.condition.find(doc, keep)
        if spans is None or any(part.find(doc, everything) is not None for part in self.unless):
            return None
        return spans

    def holds(self, atoms: set[Atom]) -> bool:
        """Whether the rule fires, given all atoms of the text; only where `needs_doc` is False."""
        return self.condition.holds(atoms) and not any(part.holds(atoms) for part in self.unless)

    def _counts(self, span: Span, doc: Doc) -> bool:
        start, end = span
        where = self.rule.where
        if where == "start" and end > doc.opening_end:
            return False
        if where == "end" and start < doc.closing_start:
            return False
        if where == "first_sentence" and start >= doc.first_sentence_end:
            return False
        return not (self.rule.negation == "skip" and negated(doc.clean, start, self.language))
