"""rulenet.rules.testing.cases: the rules' own vote on a text."""

from __future__ import annotations

import datetime

import pytest

from rulenet.rules.ruleset import RuleSet
from rulenet.rules.testing.cases import CaseResult, run_cases

RULES = """\
rulenet: 1
language: en
labels: [Sports, Business, Tech]
rules:
- {id: win, label: Sports, word: win, weight: 1.5}
- {id: oil, label: Business, word: oil}
- {id: apple, labels: {Tech: 1.25, Business: 0.5}, word: apple}
- {id: game, label: Sports, phrase: video game, sign: against, weight: -2}
- {id: good, label: Tech, word: good, negation: {flip: Business}}
- {id: old, label: Tech, word: oil, until: 2020-12-31, weight: 9}
- {id: off, label: Tech, word: oil, enabled: false, weight: 9}
cases:
"""


def vote(text: str, label: str = "Sports", day: datetime.date | None = None) -> CaseResult:
    (result,) = run_cases(RuleSet.from_yaml(f"{RULES}- {{text: '{text}', label: {label}}}\n"), today=day)
    return result


def test_weights_add_up_label_by_label() -> None:
    result = vote("Oil and apple firms win", "Sports")
    assert result.totals == {"Sports": 1.5, "Business": 1.5, "Tech": 1.25}
    assert [(v.rule, v.evidence, v.spans) for v in result.votes] == [
        ("win", {"Sports": 1.5}, [(20, 23)]),
        ("oil", {"Business": 1.0}, [(0, 3)]),
        ("apple", {"Tech": 1.25, "Business": 0.5}, [(8, 13)]),
    ]
    assert (result.line, result.expected) == (13, "Sports")


@pytest.mark.parametrize(
    ("text", "label", "got", "passed"),
    [
        ("They win", "Sports", ["Sports"], True),
        ("They win", "Tech", ["Sports"], False),
        ("apple oil", "Business", ["Business"], True),
        ("apple oil win", "Sports", ["Sports", "Business"], False),  # 1.5 each
        ("nothing", "Sports", [], False),
        ("video game", "Tech", ["Business", "Tech"], False),  # one label is out, two are left
        ("good", "Tech", ["Tech"], True),
        ("not good", "Business", ["Business"], True),
    ],
)
def test_who_wins(text: str, label: str, got: list[str], passed: bool) -> None:
    result = vote(text, label)
    assert (result.got, result.passed) == (got, passed)


def test_a_rule_votes_on_its_days() -> None:
    assert vote("oil", "Tech", datetime.date(2020, 12, 31)).got == ["Tech"]
    assert vote("oil", "Tech", datetime.date(2021, 1, 1)).got == ["Business"]


def test_most_first() -> None:
    assert list(vote("apple").totals) == ["Tech", "Business", "Sports"]


def test_tenths_that_do_not_add_up_exactly_tie() -> None:
    rules = "".join(
        f"{{id: a{i}, label: x, word: w, where: {w}, weight: 0.1}}, "
        for i, w in enumerate(["start", "end", "anywhere"])
    )
    source = (
        f"{{rulenet: 1, rules: [{rules} {{id: b, label: y, word: w, weight: 0.3}}], cases: [{{text: w, label: x}}]}}"
    )
    (result,) = run_cases(RuleSet.from_yaml(source))
    assert result.got == ["x", "y"]


def test_a_record() -> None:
    source = "{rulenet: 1, rules: [{id: a, label: x, word: win, field: title}], cases: [{text: {title: win, body: w}, label: x}]}"
    (result,) = run_cases(RuleSet.from_yaml(source))
    assert (result.passed, result.text) == (True, "win\n\nw")
