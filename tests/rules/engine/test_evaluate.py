"""rulenet.rules.engine.evaluate: where a hit must lie, and what the fast path may know of a rule beforehand."""

from __future__ import annotations

import re
from typing import Any

import pytest

from rulenet.rules.ruleset import RuleSet
from tests.rules.one_rule import hits

TWENTY = " ".join(f"w{i}" for i in range(20))
NINETEEN = " ".join(f"w{i}" for i in range(19))


def ruleset(condition: str) -> RuleSet:
    return RuleSet.from_yaml(f"rulenet: 1\nrules:\n- {{id: r, label: x, {condition}}}")


WHERE = [
    # the hits that count stand between ‹ and ›
    ("anywhere", f"‹oil› {TWENTY} ‹oil›"),
    ("start", f"‹oil› {TWENTY} oil"),
    ("start", f"{TWENTY} oil"),
    ("start", f"{NINETEEN} ‹oil›"),
    ("start", f"{NINETEEN} (‹oil›) more"),
    ("end", f"oil {TWENTY} ‹oil›"),
    ("end", f"oil {TWENTY}"),
    ("end", f"‹oil› {NINETEEN}"),
    ("end", f"more (‹oil›) {NINETEEN}"),
    ("start", "‹oil›"),
    ("end", "‹oil›"),
    ("start", "中" * 19 + "‹oil›"),
    ("start", "中" * 20 + "oil"),
    ("end", "‹oil›" + "中" * 19),
    ("end", "oil" + "中" * 20),
    ("first_sentence", "‹Oil› fell. Oil rose."),
    ("first_sentence", "It fell. Oil rose."),
    ("first_sentence", "In the U.S. ‹oil› rose. Oil fell."),
    ("first_sentence", "\n\n<p>‹Oil› rose.</p> Oil fell."),
    ("first_sentence", "‹oil› 跌了。oil 涨了"),
]


@pytest.mark.parametrize(("where", "marked"), WHERE)
def test_where(where: str, marked: str) -> None:
    text = marked.replace("‹", "").replace("›", "")
    rules = ruleset(f"word: oil, where: {where}")
    expected, at = [], 0
    for before, hit in re.findall("([^‹]*)‹(.*?)›", marked, re.DOTALL):
        expected.append((at + len(before), at + len(before) + len(hit)))
        at = expected[-1][1]
    assert rules.spans(text).get("r", []) == expected
    assert rules.match([text]).nnz == bool(expected)


@pytest.mark.parametrize(
    ("condition", "text", "fires"),
    [
        # marks at the edges belong to a short text's start and end
        ("regex: 'wow!', where: start", "wow!", True),
        ("regex: '[(]wow', where: end", "(wow)", True),
        # every part of `all` must hit there; `none` and `unless` look everywhere
        ("all: [{word: oil}, {word: gas}], where: start", "oil gas", True),
        ("all: [{word: oil}, {word: gas}], where: start", f"oil {TWENTY} gas", False),
        ("any: [{word: oil}, {word: gas}], where: start", f"{TWENTY} oil", False),
        ("all: [{word: oil}, {none: [{word: gas}]}], where: start", f"oil {TWENTY} gas", False),
        ("word: oil, where: start, unless: [{word: gas}]", f"oil {TWENTY} gas", False),
        # a hit that begins in the opening but ends behind it does not lie in it
        ("phrase: w19 oil, where: start", f"{TWENTY} oil", False),
        ("phrase: oil w0, where: end", f"oil {TWENTY}", False),
        # together with negation
        ("word: oil, where: start, negation: skip", f"no oil {TWENTY} oil", False),
        ("word: oil, where: end, negation: skip", f"no oil {TWENTY} oil", True),
    ],
)
def test_where_and_other_fields(condition: str, text: str, fires: bool) -> None:
    rules = ruleset(condition)
    assert (rules.match([text]).nnz == 1) is fires
    assert ("r" in rules.spans(text)) is fires


@pytest.mark.parametrize(
    ("condition", "needs_doc", "is_flat"),
    [
        ("word: oil", False, True),
        ("any: [{word: oil}, {regex: gas}]", False, True),
        ("all: [{word: oil}, {regex: gas}]", False, False),
        ("none: [{word: oil}]", False, False),
        ("word: oil, unless: [{word: gas}]", False, False),
        ("word: oil, where: start", True, False),
        ("word: oil, negation: skip", True, False),
        ("word: oil, unless: [{pos: NOUN}]", True, False),
        ("pos: NOUN", True, False),
    ],
)
def test_what_the_fast_path_may_skip(condition: str, needs_doc: bool, is_flat: bool) -> None:
    rule = ruleset(condition).evaluators("en")[0]
    assert (rule.needs_doc, rule.is_flat) == (needs_doc, is_flat)


NEGATED = [
    ({"word": "good", "negation": "require"}, "not good but good", ["good"]),
    ({"word": "good", "negation": "require"}, "good", None),
    ({"length": {"at_most": 9}, "negation": "require"}, "good", None),  # nothing there to negate
]


@pytest.mark.parametrize(("condition", "text", "found"), NEGATED)
def test_negated_hits_alone(condition: dict[str, Any], text: str, found: list[str] | None) -> None:
    assert hits(condition, text) == found


def test_negated_hits_alone_in_chinese() -> None:
    assert hits({"word": "好", "negation": "require"}, "质量不好", "zh") == ["好"]


def test_a_file_may_add_negation_cues() -> None:
    rule = {"word": "charm", "negation": "skip"}
    assert hits(rule, "It lacks any charm") == ["charm"]
    assert hits(rule, "It lacks any charm", negation_cues=["lacks"]) is None
