"""rulenet.rules.examples: what authors' examples are found to be."""

from __future__ import annotations

import pytest

from rulenet.rules.examples import ExampleResult, run_examples
from rulenet.rules.ruleset import RuleSet

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
    assert results == [
        ExampleResult("win", 9, "They&nbsp;win", "match", [(10, 13)]),
        ExampleResult("win", 10, "They won", "match", None),
        ExampleResult("win", 11, "Window", "reject", None),
        ExampleResult("win", 11, "win", "reject", [(0, 3)]),
        ExampleResult("good", 16, "手机很好", "match", [(3, 4)]),
        ExampleResult("good", 16, "手机不好", "reject", None),
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
