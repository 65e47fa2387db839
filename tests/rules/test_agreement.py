"""rulenet.rules.agreement: which labels and languages go together, and what the message names."""

from __future__ import annotations

import pytest

from rulenet.errors import LabelError
from rulenet.rules.agreement import check_rule_labels
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
