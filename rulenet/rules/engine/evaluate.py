"""One rule on one text: the plain reading that `match.py` speeds up. Imports `rulenet.text` and conditions."""

from __future__ import annotations

from collections.abc import Set

from rulenet.rules.conditions.condition import Atom, Condition, Span, everything
from rulenet.rules.engine.negation import Negation
from rulenet.rules.file.schema import Rule
from rulenet.text.doc import Doc


class RuleMatcher:
    """One rule, ready for a text: the plain reading, and what the fast path may know about it beforehand.

    With ``negation: skip`` negated hits do not count. With ``require`` the rule fires where its condition is fulfilled and at least one of
    its hits is negated; those are its hits then.
    """

    def __init__(self, rule: Rule, condition: Condition, unless: tuple[Condition, ...], negation: Negation) -> None:
        self.rule = rule
        self.condition = condition
        self.unless = unless
        self._negation = negation
        self.has_position = rule.negation != "ignore" or rule.where != "anywhere"
        self.needs_doc = self.has_position or condition.needs_doc or any(part.needs_doc for part in unless)
        self.is_flat = condition.is_flat and not unless and not self.has_position

    def find(self, doc: Doc) -> list[Span] | None:
        """Hits in the cleaned text, or None if the rule does not fire."""
        spans = self.condition.find(doc, self._counts if self.has_position else everything)
        if spans is None or any(part.find(doc, everything) is not None for part in self.unless):
            return None
        if self.rule.negation == "require":
            return [span for span in spans if self._is_negated(span[0], doc)] or None
        return spans

    def _is_negated(self, start: int, doc: Doc) -> bool:
        return self._negation.covers(doc.clean, start, doc.field_start(start))

    def holds(self, atoms: Set[Atom]) -> bool:
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
        return not (self.rule.negation == "skip" and self._is_negated(start, doc))
