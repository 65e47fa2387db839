"""rulenet.rules.agreement: which labels and languages go together, and what the message names."""

from __future__ import annotations

import numpy as np
import pytest

from rulenet.errors import LabelError
from rulenet.rules.agreement import check_rule_labels, check_shared_labels, numbered_in_order, one_against_rest
from rulenet.rules.ruleset import RuleSet

RULES = """
rulenet: 1
{labels}
rules:
  - {{id: win, label: Sports, word: win}}
  - {{id: goal, label: Sports, word: goal}}
  - {{id: oil, label: Business, word: oil}}
"""


def ruleset(labels: str = "") -> RuleSet:
    return RuleSet.from_yaml(RULES.format(labels=labels), name="news.yaml")


@pytest.mark.parametrize("labels", ["", "labels: [Business, Sports]", "labels: [Sports, Business]"])
def test_agreeing_labels_pass(labels: str) -> None:
    check_rule_labels(ruleset(labels), ["Business", "Sports"])


def test_data_may_have_labels_without_rules_where_the_file_declares_none() -> None:
    check_rule_labels(ruleset(), ["Business", "Sports", "World"])


@pytest.mark.parametrize(
    ("labels", "classes", "messages"),
    [
        (
            "",
            ["Business", "sports"],
            [
                "label 'Sports' of news.yaml (used by rule 'win' and 1 more) is not in the data (did you mean 'sports'?)",
                "The data has: Business, sports",
            ],
        ),
        (
            "",
            ["A", "B"],
            ["label 'Sports'", "label 'Business' of news.yaml (used by rule 'oil') is not in the data. The"],
        ),
        (
            "labels: [Sports, Business, Wrld]",
            ["Business", "Sports", "World"],
            [
                "label 'Wrld' of news.yaml (declared under `labels`) is not in the data (did you mean 'World'?)",
                "label 'World' of the data is not among `labels` of news.yaml; add it there",
            ],
        ),
    ],
)
def test_disagreeing_labels_are_all_named(labels: str, classes: list[str], messages: list[str]) -> None:
    with pytest.raises(LabelError, match=r"^rules and data disagree about labels: ") as caught:
        check_rule_labels(ruleset(labels), classes)
    for message in messages:
        assert message in str(caught.value)


@pytest.mark.parametrize(
    ("labels", "data", "message"),
    [
        ("", ["Business"], None),  # no example yet
        ("", ["Business", "World"], None),
        ("labels: [Sports, Business, World]", ["Business"], None),
        ("", ["Business", "sport"], r"'Sports' of news\.yaml .* is not in the data \(did you mean 'sport'\?\)"),
        ("", ["World"], r"'Sports' of news\.yaml"),
        ("labels: [Sports, Business]", ["Business", "World"], r"label 'World' of the data is not among `labels`"),
    ],
)
def test_data_may_lack_a_label_that_is_not_a_misspelling(labels: str, data: list[str], message: str | None) -> None:
    if message is None:
        check_shared_labels(ruleset(labels), data)
    else:
        with pytest.raises(LabelError, match=message):
            check_shared_labels(ruleset(labels), data)


def test_rules_tell_whether_numbers_count_sorted_labels() -> None:
    texts, names = ["they win", "oil"], ["Sports", "Business"]
    assert numbered_in_order(ruleset(), texts, np.array([0, 1]), names)
    assert not numbered_in_order(ruleset(), texts, np.array([1, 0]), names)
    assert numbered_in_order(ruleset(), ["nothing"], np.array([0]), names)


def test_one_against_rest_keeps_conditions_alone() -> None:
    text = "{rulenet: 1, labels: [x, y], lexicons: {l: [b, c]}, rules: [{id: a, labels: {x: 2, y: -1}, lexicon: l, sign: free}, \
{id: d, label: x, word: good, negation: {flip: y}, confidence: 0.9, examples: {match: [good]}}], cases: [{text: b, label: x}]}"
    before = RuleSet.from_yaml(text)
    after = one_against_rest(before)
    texts = ["b", "good", "not good", "e"]
    assert after.match(texts).toarray().tolist() == before.match(texts).toarray().tolist()
    assert {weight for rule in after.rules for weight in rule.evidence.values()} == {0.0}
    assert {rule.sign for rule in after.rules} == {"free"}
