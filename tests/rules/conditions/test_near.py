"""rulenet.rules.conditions.near: hits close to each other. One rule, one text, one expected answer per row."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.one_rule import hits, one_rule

NEAR = {"terms": ["coach", "fired"], "within": 2}
CLOSE = [
    ({"near": NEAR}, "the coach was just fired", ["coach was just fired"]),
    ({"near": NEAR}, "the coach was not yet fired", None),
    ({"near": NEAR}, "fired: the coach", ["fired: the coach"]),
    ({"near": NEAR | {"ordered": True}}, "fired: the coach", None),
    ({"near": NEAR | {"ordered": True}}, "fired the coach, fired again", ["coach, fired"]),
    ({"near": NEAR | {"within": 0}}, "coach fired", ["coach fired"]),
    ({"near": NEAR | {"within": 0}}, "coach is fired", None),
    ({"near": {"terms": ["win", "win"]}}, "win", None),  # two hits, not one twice
    ({"near": {"terms": ["win", "win"]}}, "win win", ["win win"]),
    ({"near": {"terms": ["new york", "york"]}}, "New York", None),  # they may not overlap
    ({"near": {"terms": ["a", "b", "c"], "within": 1}}, "a x b x c", ["a x b x c"]),
    ({"near": {"terms": ["a", "b", "c"], "within": 1}}, "a x b x x c", None),
    ({"near": {"terms": ["a", "b", "c"], "within": 0}}, "a b b c", None),
    ({"near": {"terms": ["a", "b"], "within": 3}}, "a b x b", ["a b", "b x b"][:1]),  # from each beginning the shortest
    ({"near": {"terms": ["win", {"lexicon": "teams"}]}}, "Celtics win", ["Celtics win"]),
    ({"near": {"terms": ["coach", "fired"], "same": "sentence"}}, "coach, in a long bad year: fired", ["coach, in a long bad year: fired"]),
    ({"near": {"terms": ["coach", "fired"], "same": "sentence"}}, "The coach left. Two were fired.", None),
]  # fmt: skip
CLOSE_ZH = [
    ({"near": {"terms": ["物流", "慢"], "within": 2}}, "物流真的慢", ["物流真的慢"]),
    ({"near": {"terms": ["物流", "慢"], "within": 1}}, "物流真的慢", None),
    ({"near": {"terms": ["物流", "慢"], "same": "sentence"}}, "物流好。服务慢。", None),
]


@pytest.mark.parametrize(("condition", "text", "found"), CLOSE)
def test_close(condition: dict[str, Any], text: str, found: list[str] | None) -> None:
    assert hits(condition, text) == found


@pytest.mark.parametrize(("condition", "text", "found"), CLOSE_ZH)
def test_close_in_chinese(condition: dict[str, Any], text: str, found: list[str] | None) -> None:
    assert hits(condition, text, "zh") == found


@pytest.mark.slow
def test_near_stays_fast_on_hostile_texts() -> None:
    ruleset = one_rule({"near": {"terms": ["a", "a", "a", "a", "a", "b"], "within": 50}})
    assert len(ruleset.spans("a " * 300 + "b")["r"]) == 251  # minutes, if every combination were tried
