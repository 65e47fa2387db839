"""rulenet.rules.testing.examples: what authors' examples are found to be."""

from __future__ import annotations

import pytest

from rulenet.rules.ruleset import RuleSet
from rulenet.rules.testing.examples import run_examples

SOURCE = """\
rulenet: 1
rules:
  - id: win
    label: Sports
    word: win
    negation: skip
    examples:
      match:
        - "They&nbsp;win"
        - They won
      reject: [Window, win]
  - id: good
    label: Praise
    word: 好
    negation: skip
    examples: {match: [手机很好], reject: [手机不好]}
  - {id: bare, label: Sports, word: w}
"""


def test_each_example_with_its_line_spans_and_verdict() -> None:
    results = run_examples(RuleSet.from_yaml(SOURCE))
    assert [(r.rule, r.file, r.line, r.text, r.expected, r.spans) for r in results] == [
        ("win", "<string>", 9, "They&nbsp;win", "match", [(10, 13)]),
        ("win", "<string>", 10, "They won", "match", None),
        ("win", "<string>", 11, "Window", "reject", None),
        ("win", "<string>", 11, "win", "reject", [(0, 3)]),
        ("good", "<string>", 16, "手机很好", "match", [(3, 4)]),
        ("good", "<string>", 16, "手机不好", "reject", None),
    ]
    assert [result.passed for result in results] == [True, False, True, False, True, True]


def test_a_rule_that_fires_by_absence_passes() -> None:
    ruleset = RuleSet.from_yaml(
        "rulenet: 1\nrules: [{id: a, label: x, none: [{word: w}], examples: {match: [''], reject: [w]}}]"
    )
    assert [(result.spans, result.passed) for result in run_examples(ruleset)] == [([], True), (None, True)]


@pytest.mark.parametrize(("language", "passed"), [("en", False), ("zh", True), ("any", True)])
def test_the_language_of_the_file_decides_the_cues(language: str, passed: bool) -> None:
    ruleset = RuleSet.from_yaml(
        f"rulenet: 1\nlanguage: {language}\nrules: [{{id: a, label: x, word: 好, negation: skip, examples: {{reject: [不好]}}}}]"
    )
    assert [result.passed for result in run_examples(ruleset)] == [passed]


def test_untagged_leaves_out_rules_with_pos_at_any_depth() -> None:
    rules = [
        "pos: NOUN",
        "all: [{word: w}, {none: [{pos: NOUN}]}]",
        "word: w, unless: [{any: [{pos: NOUN}]}]",
        "word: w",
    ]
    lines = "".join(f"- {{id: r{i}, label: x, {rule}, examples: {{match: [w]}}}}\n" for i, rule in enumerate(rules))
    ruleset = RuleSet.from_yaml(f"rulenet: 1\nrules:\n{lines}")
    assert [result.rule for result in run_examples(ruleset, tagged=False)] == ["r3"]


def test_records() -> None:
    examples = "{match: [{title: They win, body: '-'}], reject: [win, {title: '-', body: win}]}"
    ruleset = RuleSet.from_yaml(
        f"{{rulenet: 1, rules: [{{id: a, label: x, word: win, field: title, examples: {examples}}}]}}"
    )
    results = run_examples(ruleset)
    assert [result.passed for result in results] == [True, True, True]
    assert (results[0].text, results[0].spans) == ("They win\n\n-", [(5, 8)])


def test_a_rule_that_flips_is_asked_for_its_plain_hits_once() -> None:
    ruleset = RuleSet.from_yaml(
        "{rulenet: 1, language: en, rules: [{id: a, label: x, word: good, negation: {flip: y}, "
        "examples: {match: [good], reject: [not good]}}, {id: b, label: x, word: w, examples: {match: [w]}}]}"
    )
    assert [(r.rule, r.passed) for r in run_examples(ruleset)] == [("a", True), ("a", True), ("b", True)]


def test_the_day_does_not_matter() -> None:
    ruleset = RuleSet.from_yaml(
        "{rulenet: 1, rules: [{id: a, label: x, word: w, until: 2001-01-01, examples: {match: [w]}}, "
        "{id: b, label: x, word: v, enabled: false, examples: {match: [v]}}]}"
    )
    assert [result.passed for result in run_examples(ruleset)] == [True, True]


def test_one_rule_only() -> None:
    results = run_examples(RuleSet.from_yaml(SOURCE), only="good")
    assert {result.rule for result in results} == {"good"}
    assert len(results) == 2


def test_traditional_characters_are_read_as_simplified() -> None:
    pytest.importorskip("opencc")
    source = "{rulenet: 1, language: zh, fold_traditional: true, rules: [{id: a, label: x, word: 软件, examples: {match: [軟件]}}]}"
    (result,) = run_examples(RuleSet.from_yaml(source))
    assert result.spans == [(0, 2)]
