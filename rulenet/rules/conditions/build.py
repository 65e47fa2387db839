"""What the author wrote → conditions that find hits. Imports `rulenet.text` and the conditions."""

from __future__ import annotations

from collections.abc import Mapping

from rulenet.rules.conditions.condition import AllOf, AnyOf, Condition, NoneOf, Regexes, Tags
from rulenet.rules.conditions.literals import Literals
from rulenet.rules.conditions.relations import Count, InField, Lang, Length, Near
from rulenet.rules.file import schema
from rulenet.text.clean import clean
from rulenet.text.han import simplified

Lexicons = Mapping[str, Mapping[str, float]]  # entries with what a hit adds to a count
NEAR = 5  # words between the terms of `near` where the author gives no number


def build(written: schema.Condition, lexicons: Lexicons, *, fold_traditional: bool = False) -> Condition:
    """The condition that a mapping of the rule file stands for.

    Examples
    --------
    >>> build(schema.Condition(word=["Refund"]), {})
    Literals(literals=('Refund',), is_exact=False, lemma=False, segmented=False, gap=0, edge='', weights={})
    """

    def read(text: str) -> str:
        """A literal as texts are read: ＶＩＰ in a rule file means VIP."""
        return simplified(clean(text)) if fold_traditional else clean(text)

    def make(part: schema.Condition) -> Condition:
        made = plain(part)
        return made if part.field is None else InField(part.field, made)

    def plain(part: schema.Condition) -> Condition:
        if part.any or part.all or part.none:
            combination = AnyOf if part.any else AllOf if part.all else NoneOf
            return combination(tuple(map(make, part.any or part.all or part.none or ())))
        if part.near is not None:
            terms = tuple(map(make, part.near.conditions))
            within = None if part.near.same else NEAR if part.near.within is None else part.near.within
            return Near(terms, within, part.near.ordered)
        if part.count is not None:
            return Count(make(part.count), part.count.at_least, part.count.at_most)
        if part.length is not None:
            return Length(part.length.at_least, part.length.at_most, part.length.unit)
        if part.lang is not None:
            return Lang(part.lang)
        if part.regex is not None:
            return Regexes(tuple(f"(?-i:{p})" if part.case == "exact" else p for p in part.regex))
        if part.pos is not None:
            return Tags(tuple(simplified(p) if fold_traditional else p for p in part.pos))
        return literals(part)

    def literals(part: schema.Condition) -> Literals:
        value: list[str] = getattr(part, part.kind)
        if part.lexicon is None:
            entries: dict[str, float] = dict.fromkeys(map(read, value), 1.0)
        else:
            entries = {}
            for name in value:
                for entry, weight in lexicons[name].items():
                    entries.setdefault(read(entry), weight)
        return Literals(
            tuple(entries),
            is_exact=part.case == "exact",
            lemma=part.forms == "lemma",
            segmented=part.segmented,
            gap=part.gap,
            edge=part.kind if part.kind in ("starts", "ends") else "",
            weights={entry: weight for entry, weight in entries.items() if weight != 1.0},
        )

    return make(written)
