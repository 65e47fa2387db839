"""One rule on one text: the plain reading that `match.py` speeds up. Imports `rulenet.text` and conditions."""

from __future__ import annotations

from collections.abc import Set
from functools import cached_property

from rulenet.rules.conditions.condition import Atom, Condition, Keep, Span, everything
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
        keep = self.keep(doc)
        asks_for_denial = self.rule.negation == "require"
        spans = sorted(self.condition.negated(doc, keep)) if asks_for_denial else self.condition.find(doc, keep)
        if (asks_for_denial and not spans) or any(part.find(doc, everything) is not None for part in self.unless):
            return None
        return spans

    def keep(self, doc: Doc) -> Keep:
        """Which hits in a text count; of a rule with `require`, which would with `skip`."""
        return Keep(
            None if self.rule.where == "anywhere" else self._is_placed,
            None if self.rule.negation == "ignore" else _Denial(self._negation, self.condition, doc),
        )

    def holds(self, atoms: Set[Atom]) -> bool:
        """Whether the rule fires, given all atoms of the text; only where `needs_doc` is False."""
        return self.condition.holds(atoms) and not any(part.holds(atoms) for part in self.unless)

    def _is_placed(self, span: Span, doc: Doc) -> bool:
        start, end = span
        if self.rule.where == "start":
            return end <= doc.opening_end
        if self.rule.where == "end":
            return start >= doc.closing_start
        return start < doc.first_sentence_end


class _Denial:
    """Whether a hit in a text is negated. A cue inside a hit of the same rule is what the author looks for, and negates nothing."""

    def __init__(self, negation: Negation, condition: Condition, doc: Doc) -> None:
        self._negation, self._condition, self._doc = negation, condition, doc

    def __call__(self, span: Span, doc: Doc) -> bool:
        def negates(start: int, end: int) -> bool:
            at, to = start + doc.offset, end + doc.offset
            return not any(first < to and at < last for first, last in self._sought)

        return self._negation.covers(doc.clean, span[0], doc.field_start(span[0]), negates)

    @cached_property
    def _sought(self) -> list[Span]:
        return list(self._condition.sought(self._doc))
