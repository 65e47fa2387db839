"""rulenet.rules.conditions.literals and relations: the options of words, and hits in relation to each other. One answer per row."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest

from rulenet.rules.ruleset import RuleSet
from rulenet.text.language import Language
from rulenet.text.record import Record

LEXICONS = {
    "teams": ["Lakers", "Celtics"],
    "mood": [{"term": "great", "weight": 2}, "nice", {"term": "awful", "weight": -3}],
}


def one_rule(condition: dict[str, Any], **more: Any) -> RuleSet:
    rule = {"id": "r", "label": "x"} | condition
    return RuleSet.from_yaml(
        json.dumps({"rulenet": 1, "lexicons": LEXICONS, "rules": [rule], **more}, ensure_ascii=False)
    )


def hits(condition: dict[str, Any], text: str, language: Language = "en", **more: Any) -> list[str] | None:
    """The stretches of the text that a rule hits, None if it does not fire; matrix and spans must say the same."""
    ruleset = one_rule(condition, **more)
    spans = ruleset.spans(text, language=language).get("r")
    assert ruleset.match([text], language=language).nnz == (spans is not None)
    return None if spans is None else [text[start:end] for start, end in spans]


NEAR = {"terms": ["coach", "fired"], "within": 2}
ENGLISH = [
    # near: words between one and the next
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
    # count
    ({"count": {"word": ["good", "great"], "at_least": 2}}, "good, good", ["good", "good"]),
    ({"count": {"word": ["good", "great"], "at_least": 2}}, "good", None),
    ({"count": {"word": "good", "at_most": 1}}, "good good", None),
    ({"count": {"word": "good", "at_most": 1}}, "bad", []),
    ({"count": {"lexicon": "mood", "at_least": 3}}, "great and nice", ["great", "nice"]),  # 2 + 1
    ({"count": {"lexicon": "mood", "at_least": 3}}, "great, nice, awful", None),  # 2 + 1 - 3
    ({"count": {"lexicon": "mood", "at_most": -0.0}}, "awful", ["awful"]),
    # starts, ends
    ({"starts": "dear"}, "  Dear all", ["Dear"]),
    ({"starts": "dear"}, "My dear", None),
    ({"starts": ["dear all", "hi"]}, "'Dear, all'", ["Dear, all"]),
    ({"ends": "bye"}, "Good bye!!", ["bye"]),
    ({"ends": "bye"}, "bye now", None),
    # length
    ({"length": {"at_most": 2}}, "two words!", []),
    ({"length": {"at_most": 2}}, "now three words", None),
    ({"length": {"at_least": 5, "unit": "characters"}}, " four ", None),
    ({"length": {"at_least": 5, "unit": "characters"}}, "fives", []),
    ({"length": {"at_least": 3}}, "三个字", []),
    # language
    ({"all": [{"lang": "en"}, {"word": "win"}]}, "a win", ["win"]),
    ({"all": [{"lang": "zh"}, {"word": "win"}]}, "a win", None),
    # gap
    ({"phrase": "grand slam", "gap": 1}, "grand old slam", ["grand old slam"]),
    ({"phrase": "grand slam", "gap": 1}, "grand very old slam", None),
    ({"phrase": "grand slam", "gap": 2}, "slam grand", None),
    ({"phrase": "a b c", "gap": 2}, "a b x b x x c", ["a b x b x x c"]),  # the first b is too far from c
    # case
    ({"word": "US", "case": "exact"}, "us US Us", ["US"]),
    ({"phrase": "White House", "case": "exact"}, "white house, White House", ["White House"]),
    ({"phrase": "White House", "case": "exact", "gap": 1}, "White big House", ["White big House"]),
    ({"regex": "U[A-Z]", "case": "exact"}, "us US", ["US"]),
    # inflected forms
    ({"word": "refund", "forms": "lemma"}, "Refunded, refunding; refunds a refund", ["Refunded", "refunding", "refunds", "refund"]),
    ({"phrase": "buy shoe", "forms": "lemma"}, "bought shoes", ["bought shoes"]),
    ({"word": "iphone", "forms": "lemma"}, "two iPhones", ["iPhones"]),
    # words and lemmas of tags
    ({"pos": "VERB:lemma=win NOUN"}, "They won games", ["won games"]),
    ({"pos": "VERB:word=won NOUN"}, "They won games", ["won games"]),
    ({"pos": "VERB:word=win NOUN"}, "They won games", None),
    # negation
    ({"word": "good", "negation": "require"}, "not good but good", ["good"]),
    ({"word": "good", "negation": "require"}, "good", None),
    ({"length": {"at_most": 9}, "negation": "require"}, "good", None),  # nothing there to negate
]  # fmt: skip
CHINESE = [
    ({"phrase": "不 满意", "gap": 2}, "我不是很满意", ["不是很满意"]),
    ({"phrase": "不 满意", "gap": 1}, "我不是很满意", None),
    ({"near": {"terms": ["物流", "慢"], "within": 2}}, "物流真的慢", ["物流真的慢"]),
    ({"near": {"terms": ["物流", "慢"], "within": 1}}, "物流真的慢", None),
    ({"near": {"terms": ["物流", "慢"], "same": "sentence"}}, "物流好。服务慢。", None),
    ({"word": "球", "segmented": True}, "地球很大", None),
    ({"word": "球", "segmented": True}, "他们打球", None),  # jieba has 打球 as one word
    ({"word": "足球", "segmented": True}, "他们看足球", ["足球"]),
    ({"starts": "【快讯】"}, "【快讯】股市大涨", ["【快讯】"]),
    ({"ends": "吗"}, "真的吗？", ["吗"]),
    ({"word": "好", "negation": "require"}, "质量不好", ["好"]),
    ({"word": "VIP会员", "case": "exact"}, "vip会员", None),
]


@pytest.mark.parametrize(("condition", "text", "expected"), ENGLISH)
def test_english(condition: dict[str, Any], text: str, expected: list[str] | None) -> None:
    assert hits(condition, text) == expected


@pytest.mark.parametrize(("condition", "text", "expected"), CHINESE)
def test_chinese(condition: dict[str, Any], text: str, expected: list[str] | None) -> None:
    assert hits(condition, text, "zh") == expected


def test_traditional_characters_are_folded_where_the_file_says_so() -> None:
    assert hits({"word": "软件"}, "軟件更新", "zh") is None
    assert hits({"word": "软件"}, "軟件更新", "zh", fold_traditional=True) == ["軟件"]
    assert hits({"word": "軟件"}, "软件更新", "zh", fold_traditional=True) == ["软件"]
    assert (
        hits({"word": "满意", "negation": "skip"}, "毫無滿意", "zh", fold_traditional=True, negation_cues=["毫無"])
        is None
    )


def test_a_file_may_add_negation_cues() -> None:
    rule = {"word": "charm", "negation": "skip"}
    assert hits(rule, "It lacks any charm") == ["charm"]
    assert hits(rule, "It lacks any charm", negation_cues=["lacks"]) is None


def test_flip_makes_a_second_column_for_the_other_label() -> None:
    ruleset = one_rule({"word": "good", "negation": {"flip": "y"}, "weight": 2})
    assert (ruleset.ids, [rule.evidence for rule in ruleset.rules]) == (["r", "r.negated"], [{"x": 2.0}, {"y": 2.0}])
    assert ruleset.match(["good", "not good", "bad"]).toarray().tolist() == [[1, 0], [0, 1], [0, 0]]
    assert ruleset.written == [0, 0]


def test_rules_rest_outside_their_days_and_when_switched_off() -> None:
    ruleset = RuleSet.from_yaml("""
rulenet: 1
rules:
  - {id: always, label: x, word: a}
  - {id: off, label: x, word: a, enabled: false}
  - {id: spring, label: x, word: a, since: 2026-03-01, until: 2026-05-31}
""")

    def on(month: int, day: int) -> list[int]:
        return ruleset.match(["a"], on=datetime.date(2026, month, day)).toarray()[0].tolist()

    assert [on(2, 28), on(3, 1), on(5, 31), on(6, 1)] == [[1, 0, 0], [1, 0, 1], [1, 0, 1], [1, 0, 0]]
    assert "off" not in ruleset.spans("a")


def test_evidence_for_several_labels() -> None:
    rule = one_rule({"word": "a", "label": None, "labels": {"Sports": 1.2, "World": -0.4}}).rules[0]
    assert (rule.evidence, rule.supports) == ({"Sports": 1.2, "World": -0.4}, ("Sports",))
    assert [rule.is_right(label) for label in ("Sports", "World", "Business")] == [True, False, False]
    against = one_rule({"word": "a", "sign": "against"}).rules[0]
    assert [against.is_right(label) for label in ("x", "y")] == [False, True]


def test_a_stream_is_matched_block_by_block() -> None:
    ruleset = one_rule({"word": "a"})
    drawn: list[int] = []

    def texts() -> Any:
        for i in range(10):
            drawn.append(i)
            yield "a" if i % 3 == 0 else "b"

    stream = ruleset.match_stream(texts(), block=4)
    first = next(stream)
    assert (first.toarray().ravel().tolist(), len(drawn)) == ([1, 0, 0, 1], 4)
    assert [block.toarray().ravel().tolist() for block in stream] == [[0, 0, 1, 0], [0, 1]]


@pytest.mark.slow
def test_a_stream_in_several_processes_keeps_its_order() -> None:
    ruleset = one_rule({"word": "a"})
    texts = ["a" if i % 7 == 0 else "b" for i in range(1000)]
    blocks = list(ruleset.match_stream(iter(texts), block=100, n_jobs=2))
    assert [row for block in blocks for row in block.toarray().ravel().tolist()] == [
        int(i % 7 == 0) for i in range(1000)
    ]


@pytest.mark.slow
def test_near_stays_fast_on_hostile_texts() -> None:
    ruleset = one_rule({"near": {"terms": ["a", "a", "a", "a", "a", "b"], "within": 50}})
    assert len(ruleset.spans("a " * 300 + "b")["r"]) == 251  # minutes, if every combination were tried


def test_spans_of_a_field_lie_in_the_record() -> None:
    text = Record.of({"title": "win", "body": "win win"})
    assert one_rule({"word": "win", "field": "body"}).spans(text)["r"] == [(5, 8), (9, 12)]
