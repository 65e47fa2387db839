"""rulenet.rules.conditions.literals: words and what may vary in them. One rule, one text, one expected answer per row."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from rulenet.rules.ruleset import RuleSet
from rulenet.rules.testing.examples import Reader
from rulenet.text.record import Record
from tests.rules.one_rule import hits

LITERALS = [
    # whole words, with Unicode borders
    ({"word": "win"}, "A win.", ["win"]),
    ({"word": "win"}, "window", None),
    ({"word": "win"}, "twin", None),
    ({"word": "win"}, "win_2", None),
    ({"word": "win"}, "win2", None),
    ({"word": "win"}, "(win)", ["win"]),
    ({"word": "win"}, "winé", None),
    ({"word": "caf"}, "naïve café", None),
    ({"word": "na"}, "naïve café", None),
    ({"word": "café"}, "naïve café", ["café"]),
    ({"word": "über"}, "Über den Wolken", ["Über"]),
    ({"word": "ber"}, "Über den Wolken", None),
    ({"word": "win"}, "win, WIN win", ["win", "WIN", "win"]),
    ({"word": ["win", "wins"]}, "wins", ["wins"]),
    ({"word": "3"}, "3.5 3, 3", ["3", "3"]),
    ({"word": "007"}, "7 and 007", ["007"]),
    # case
    ({"word": "NBA"}, "nba Nba", ["nba", "Nba"]),
    ({"word": "strasse"}, "Straße", ["Straße"]),
    ({"word": "STRASSE"}, "straße", ["straße"]),
    ({"word": "οδος"}, "ΟΔΟΣ", ["ΟΔΟΣ"]),
    ({"word": "İz"}, "İZ", ["İZ"]),
    ({"word": "iz"}, "İZ", None),  # Turkish: another letter
    # phrases over punctuation
    ({"phrase": "grand slam"}, "Grand-Slam", ["Grand-Slam"]),
    ({"phrase": "grand slam"}, "grand\n ... slam!", ["grand\n ... slam"]),
    ({"phrase": "grand slam"}, "grandslam", None),
    ({"phrase": "grand slam"}, "grand big slam", None),
    ({"phrase": "grand slam"}, "grand slams", None),
    ({"phrase": "grand slam"}, "slam grand", None),
    ({"phrase": "grand-slam"}, "grand slam", ["grand slam"]),
    ({"phrase": "a a"}, "a a a", ["a a", "a a"]),
    ({"word": "don't"}, "Don't! don’t DON T", ["Don't", "don’t"]),
    ({"word": "don't"}, "dont", None),
    ({"phrase": "apple watch"}, "Apple的新Watch", None),  # Chinese words part as other words do
    # Chinese: anywhere
    ({"word": "不好"}, "真不好看", ["不好"]),
    ({"word": "手机"}, "买手机, 手机坏", ["手机", "手机"]),
    ({"word": "哈哈"}, "哈哈哈", ["哈哈", "哈哈"]),
    ({"word": "手机"}, "手 机", ["手 机"]),
    ({"word": "VIP会员"}, "成为vip会员", ["vip会员"]),
    ({"word": "カメラ"}, "新しいカメラです", ["カメラ"]),
    # … but a word of a script with spaces, also inside such a literal, must be a word of the text
    ({"word": "A股"}, "LA股东大会, AA股", None),
    ({"word": "A股"}, "A股跌，Ａ股涨, a 股", ["A股", "Ａ股", "a 股"]),
    ({"word": "3天"}, "13天 第3天", ["3天"]),
    ({"word": "iPhone手机"}, "iPhone6手机 新iPhone手机壳", ["iPhone手机"]),
    ({"word": "卡拉OK"}, "卡拉OKTV, 卡拉OK厅", ["卡拉OK"]),
    ({"word": "会员VIP卡"}, "会员SVIP卡 会员 VIP 卡", ["会员 VIP 卡"]),
    ({"word": "é店"}, "café店 é店", ["é店"]),
    ({"word": "Я们"}, "ЯЯ们", None),
    ({"word": "A股！"}, "A股 !", ["A股 !"]),
    ({"starts": "A股"}, "LA股东", None),
    ({"ends": "买A"}, "买AB", None),
    ({"phrase": "买 VIP", "gap": 3}, "买个SVIP 买个VIP", ["买个VIP"]),
    ({"phrase": "买 VIP 卡", "gap": 1}, "买a VIP大卡", ["买a VIP大卡"]),
    # white space is optional there, and of any kind
    (
        {"word": "VIP会员"},
        "VIP 会员 VIP\n会员 VIP&nbsp;会员 vip<br>会员",
        ["VIP 会员", "VIP\n会员", "VIP&nbsp;会员", "vip<br>会员"],
    ),
    ({"phrase": "VIP 会员"}, "VIP会员 VIP\u3000\u3000会员", ["VIP会员", "VIP\u3000\u3000会员"]),
    (
        {"word": "Edu Trust认证"},
        "Edu  Trust认证 Edu\r\nTrust 认证 EduTrust认证",
        ["Edu  Trust认证", "Edu\r\nTrust 认证"],
    ),
    ({"phrase": "快递 慢"}, "快递慢 快 递慢", ["快递慢", "快 递慢"]),
    ({"word": " 快递 "}, "快递", ["快递"]),
    ({"word": "快递"}, "快\n\n递", ["快\n\n递"]),
    ({"word": "5折"}, "9.5折 1,5折 ９．５折 5 折", ["5 折"]),
    ({"word": "9.5折"}, "19.5折 9.5折", ["9.5折"]),
    ({"phrase": "快 慢", "gap": 2}, "快\n\n 不 很 慢", ["快\n\n 不 很 慢"]),
    # name dots and apostrophes are one character each
    (
        {"word": "马克·吐温"},
        "马克•吐温 马克・吐温 马克‧吐温 马克･吐温 马克 · 吐温",
        ["马克•吐温", "马克・吐温", "马克‧吐温", "马克･吐温", "马克 · 吐温"],
    ),
    ({"word": "J•K•罗琳"}, "J·K·罗琳", ["J·K·罗琳"]),
    ({"word": "L'Oréal店"}, "L’Oréal 店", ["L’Oréal 店"]),
    # Latin inside Chinese
    ({"word": "iphone"}, "买iPhone了", ["iPhone"]),
    ({"word": "phone"}, "买iPhone了", None),
    ({"word": "15"}, "第15轮", ["15"]),
    # both sides are cleaned
    ({"word": "ＶＩＰ"}, "vip", ["vip"]),
    ({"word": "vip"}, "ＶＩＰ", ["ＶＩＰ"]),
    ({"word": "你好，世界"}, "你好，世界!", ["你好，世界"]),
    ({"word": "你好,世界"}, "你好，世界!", ["你好，世界"]),
    ({"word": "cafe\u0301"}, "café", ["café"]),
    ({"word": "café"}, "cafe\u0301", ["cafe\u0301"]),
    ({"phrase": "AT&amp;T"}, "AT&T", ["AT&T"]),
    ({"phrase": "AT&T"}, "AT&amp;T", ["AT&amp;T"]),
    ({"phrase": "oil price"}, "oil<br/>price", ["oil<br/>price"]),
    ({"phrase": "oil price"}, "oil&nbsp;price", ["oil&nbsp;price"]),
    ({"word": "company's"}, "company #39;s", ["company #39;s"]),
    ({"word": "cooperate"}, "co\u00adoperate", ["co\u00adoperate"]),
    ({"word": "win"}, "\x00win\x1e", ["win"]),
    ({"word": "win"}, "\ud83dwin", ["win"]),
    ({"word": "win"}, "", None),
    # lexicons
    ({"lexicon": "leagues"}, "the premier-league and NBA", ["premier-league", "NBA"]),
    ({"lexicon": "leagues"}, "judo", None),
    ({"lexicon": "all sport"}, "judo 踢足球 nba", ["judo", "足球", "nba"]),
    ({"lexicon": ["leagues", "all sport"]}, "NBA", ["NBA"]),
]


@pytest.mark.parametrize(("condition", "text", "found"), LITERALS)
def test_literals(condition: dict[str, Any], text: str, found: list[str] | None) -> None:
    assert hits(condition, text) == found


OPTIONS = [
    ({"starts": "dear"}, "  Dear all", ["Dear"]),
    ({"starts": "dear"}, "My dear", None),
    ({"starts": ["dear all", "hi"]}, "'Dear, all'", ["Dear, all"]),
    ({"ends": "bye"}, "Good bye!!", ["bye"]),
    ({"ends": "bye"}, "bye now", None),
    ({"phrase": "grand slam", "gap": 1}, "grand old slam", ["grand old slam"]),
    ({"phrase": "grand slam", "gap": 1}, "grand very old slam", None),
    ({"phrase": "grand slam", "gap": 2}, "slam grand", None),
    ({"phrase": "a b c", "gap": 2}, "a b x b x x c", ["a b x b x x c"]),  # the first b is too far from c
    ({"word": "US", "case": "exact"}, "us US Us", ["US"]),
    ({"phrase": "White House", "case": "exact"}, "white house, White House", ["White House"]),
    ({"phrase": "White House", "case": "exact", "gap": 1}, "White big House", ["White big House"]),
    ({"word": "refund", "forms": "lemma"}, "Refunded, refunding; refunds a refund", ["Refunded", "refunding", "refunds", "refund"]),
    ({"phrase": "buy shoe", "forms": "lemma"}, "bought shoes", ["bought shoes"]),
    ({"word": "iphone", "forms": "lemma"}, "two iPhones", ["iPhones"]),
]  # fmt: skip
OPTIONS_ZH = [
    ({"phrase": "不 满意", "gap": 2}, "我不是很满意", ["不是很满意"]),
    ({"phrase": "不 满意", "gap": 1}, "我不是很满意", None),
    ({"word": "球", "segmented": True}, "地球很大", None),
    ({"word": "球", "segmented": True}, "他们打球", None),  # jieba has 打球 as one word
    ({"word": "足球", "segmented": True}, "他们看足球", ["足球"]),
    ({"starts": "【快讯】"}, "【快讯】股市大涨", ["【快讯】"]),
    ({"ends": "吗"}, "真的吗？", ["吗"]),
    ({"word": "VIP会员", "case": "exact"}, "vip会员", None),
]


@pytest.mark.parametrize(("condition", "text", "found"), OPTIONS)
def test_options(condition: dict[str, Any], text: str, found: list[str] | None) -> None:
    assert hits(condition, text) == found


@pytest.mark.parametrize(("condition", "text", "found"), OPTIONS_ZH)
def test_options_in_chinese(condition: dict[str, Any], text: str, found: list[str] | None) -> None:
    assert hits(condition, text, "zh") == found


def test_no_literal_crosses_the_fields_of_a_record() -> None:
    ruleset = RuleSet.from_yaml("{rulenet: 1, rules: [{id: r, label: x, word: [手机, A股]}]}")
    records = [{"a": "手", "b": "机"}, {"a": "A", "b": "股"}, {"a": "", "b": "手 机"}]
    assert ruleset.match(records).toarray().ravel().tolist() == [0, 0, 1]
    assert [bool(ruleset.spans(Record.of(record))) for record in records] == [False, False, True]


def test_traditional_characters_are_folded_where_the_file_says_so() -> None:
    assert hits({"word": "软件"}, "軟件更新", "zh") is None
    assert hits({"word": "软件"}, "軟件更新", "zh", fold_traditional=True) == ["軟件"]
    assert hits({"word": "軟件"}, "软件更新", "zh", fold_traditional=True) == ["软件"]
    assert (
        hits({"word": "满意", "negation": "skip"}, "毫無滿意", "zh", fold_traditional=True, negation_cues=["毫無"])
        is None
    )


SEGMENTED = {"id": "r", "label": "x", "word": ["计算", "球", "网红", "雪山"], "segmented": True}
# What jieba would join if it learned these.
OTHERS = ["云计算", "地球人", "云计", "算方", "网红店", "雪山飞", "方面", "打球", "云计算方面", "球打", "这家网红"]
SEGMENTED_TEXTS = ["云计算方面的专家", "他在打球，打地球人", "这家网红店在雪山飞狐旁", "球打完了", "计算球"]


@pytest.mark.slow
def test_segmented_hits_do_not_depend_on_other_rules() -> None:
    alone = RuleSet.from_yaml(json.dumps({"rulenet": 1, "language": "zh", "rules": [SEGMENTED]}))
    expected = [alone.spans(text).get("r") for text in SEGMENTED_TEXTS]
    assert sum(spans is not None for spans in expected) >= 3
    for seed in range(4):
        chosen = random.Random(seed).sample(OTHERS, 6)
        others = [{"id": f"o{i}", "label": "x", "word": word, "weight": i % 3} for i, word in enumerate(chosen)]
        data = {"rulenet": 1, "language": "zh", "rules": [*others[:3], SEGMENTED, *others[3:]]}
        together = RuleSet.from_yaml(json.dumps(data))
        assert [together.spans(text).get("r") for text in SEGMENTED_TEXTS] == expected, chosen
        assert Reader(together).read("云计算")[0].boundaries == Reader(alone).read("云计算")[0].boundaries


@pytest.mark.slow
def test_words_of_the_file_are_words_for_segmented_hits() -> None:
    rows = [
        ("计算", "云计算方面", ["云计算"], None),
        ("云计算", "云计算方面", ["云计算"], ["云计算"]),
        ("吐温", "马克吐温•吐温笑", ["马克吐温", "马克·吐温"], ["吐温"]),  # of a name with a dot each part is a word
        ("会员", "我是vip会员。会员", ["VIP会员"], ["会员"]),
        ("雲計算", "云计算方面", ["雲計算"], ["云计算"]),
        ("地市", "各地市场", ["地市"], None),
    ]
    found = [
        hits({"word": word, "segmented": True}, text, "zh", words=words, fold_traditional=True)
        for word, text, words, _ in rows
    ]
    assert found == [expected for *_, expected in rows]
