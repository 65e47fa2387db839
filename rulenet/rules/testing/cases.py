"""Runs the file-level `cases`: texts with the label that the rules together should give. Imports the rest of `rulenet.rules`, no numpy."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from rulenet.rules.conditions.condition import Span
from rulenet.rules.ruleset import RuleSet
from rulenet.rules.testing.examples import Reader

TIE = 1e-9


@dataclass(frozen=True)
class Vote:
    """One rule's part in a decision."""

    rule: str
    evidence: dict[str, float]
    spans: list[Span]


@dataclass(frozen=True)
class CaseResult:
    """The label that the rules together give a text."""

    line: int  # where the case is; 0 for one of an included file
    text: str
    expected: str  # the label that the author wants
    totals: dict[str, float]  # sum of the starting weights for each label, most first
    votes: list[Vote]  # the rules that fire
    got: list[str]  # the labels with the highest sum: one, several that tie, or none where no rule fires

    @property
    def passed(self) -> bool:
        """Whether the expected label wins, and alone."""
        return self.got == [self.expected]


def run_cases(ruleset: RuleSet, *, today: datetime.date | None = None) -> list[CaseResult]:
    """Let the rules vote on every case with their starting weights, as on `today` (None: the present day).

    Examples
    --------
    >>> ruleset = RuleSet.from_yaml('''
    ... rulenet: 1
    ... rules:
    ...   - {id: win, label: Sports, word: win, weight: 1.5}
    ...   - {id: oil, label: Business, word: oil}
    ... cases:
    ...   - {text: Oil firms win, label: Business}
    ... ''')
    >>> [(result.got, result.totals, result.passed) for result in run_cases(ruleset)]
    [(['Sports'], {'Sports': 1.5, 'Business': 1.0}, False)]
    """
    day = today or datetime.date.today()
    reader = Reader(ruleset)
    active = [j for j, rule in enumerate(ruleset.rules) if rule.is_active(day)]
    # Cases of included files come first, and only those of the file itself have lines.
    own = sum(1 for path in ruleset.lines if len(path) == 2 and path[0] == "cases")
    before = len(ruleset.file.cases) - own
    results = []
    for i, case in enumerate(ruleset.file.cases):
        doc, language = reader.read(case.text)
        votes = []
        for j in active:
            spans = reader.matchers[language][j].find(doc)
            if spans is not None:
                places = [doc.cleaned.original_span(*span) for span in spans]
                votes.append(Vote(ruleset.rules[j].id, ruleset.rules[j].evidence, places))
        sums = {name: sum(vote.evidence.get(name, 0.0) for vote in votes) for name in ruleset.labels}
        totals = dict(sorted(sums.items(), key=lambda pair: -pair[1]))
        best = max(totals.values(), default=0.0)
        got = [name for name, total in totals.items() if total > best - TIE] if votes else []
        line = ruleset.lines.at(("cases", i - before)) if i >= before else 0
        results.append(CaseResult(line, str(doc.text), case.label, totals, votes, got))
    return results
