"""What people's texts and entries look like: marks, contractions, mixed scripts, white space, name dots, negation."""

from __future__ import annotations

import pytest

from rulenet import RuleSet

# (condition, text, the hits; None: the rule does not fire)
Rows = list[tuple[str, str, list[str] | None]]
MARKS: Rows = [
    ("word: दिन", "दान", None),
    ("word: दिन", "दुनिया", None),
    ("word: दिन", "अच्छा दिन है", ["दिन"]),
    ("word: কাজ", "কাজে", None),
    ("word: காதல்", "என் காதல் கதை", ["காதல்"]),
    ("word: كِتَاب", "هذا كِتَاب جميل", ["كِتَاب"]),
    ("word: كتاب", "هذا كِتَاب جميل", ["كِتَاب"]),  # vowel points are optional
    ("word: كتاب", "هذا كتابة", None),
    ("word: שלום", "אמר שָׁלוֹם לכם", ["שָׁלוֹם"]),
    ("word: café", "un cafe\u0301 noir", ["cafe\u0301"]),
    ("word: cafe", "un cafe\u0301 noir", None),
]
CONTRACTIONS: Rows = [
    ("word: don", "don't", None),
    ("word: can", "I can’t", None),
    ("word: isn", "it isn't", None),
    ("word: he", "he'll go", None),
    ("word: ll", "we'll go", None),
    ("word: it", "it's late", None),
    ("word: clock", "five o’clock", None),
    ("word: neill", "O'Neill", None),
    ("word: s", "the company’s profit", None),
    ("word: company", "the company’s profit", ["company"]),
    ("word: players", "the players' union", ["players"]),
    ("word: late", "late.The rest", ["late"]),
    ("word: win", "‘win’", ["win"]),
    ("word: won", "we won, didn't we", ["won"]),
    ('word: "don\'t"', "I don’t know", ["don’t"]),
    ("word: don’t", "I don't know", ["don't"]),
    ('phrase: "won\'t go"', "We won’t go home", ["won’t go"]),
    ("word: be, forms: lemma", "it isn't", None),
    ("word: be, forms: lemma", "I'm here", None),
    ("word: be, forms: lemma", "it is here", ["is"]),
    ("word: good, negation: skip", "I don't think it is good", None),
    ("word: good, negation: skip", "it isn’t good", None),
    ('word: "5"', "9.5 points", None),
    ('word: "000"', "1,000 men", None),
    *(
        (f"word: won{option}", f"We won{apostrophe}t go", None)
        for option in ("", ", negation: skip")
        for apostrophe in "'’"
    ),
]
BORDERS: Rows = [
    ("word: A股", "LA股东大会", None),
    ("word: A股", "今天A股大涨", ["A股"]),
    ("word: Ａ股", "买A股", ["A股"]),
    ("word: 3天", "等了13天", None),
    ("word: 3天", "等了１３天", None),
    ("word: 3天", "等了3天", ["3天"]),
    ("word: 5折", "打9.5折", None),
    ("word: 5折", "打9．5折", None),
    ("word: 5折", "打5折", ["5折"]),
    ("word: 000元", "1,000元", None),
    ("word: 第3", "第35名", None),
    ("word: 第3", "第3名", ["第3"]),
    ("word: 会员VIP", "会员VIPS", None),
    ("word: 涨5", "涨5.3%", None),
    ("word: 涨5", "涨5%", ["涨5"]),
]
SPACES: Rows = [
    ("word: VIP会员", "我是VIP 会员", ["VIP 会员"]),
    ("word: VIP 会员", "我是VIP会员", ["VIP会员"]),
    ("word: Edu Trust认证", "有Edu  Trust认证", ["Edu  Trust认证"]),
    ("word: Edu Trust认证", "有Edu\nTrust 认证", ["Edu\nTrust 认证"]),
    ("word: EduTrust认证", "有Edu Trust认证", None),
    ("phrase: 快递 慢", "快递慢", ["快递慢"]),
    ("phrase: 快递慢", "快递\u3000慢", ["快递\u3000慢"]),
    ("word: 手机", "手\u00a0机", ["手\u00a0机"]),
    *((f"word: 奥尔罕{a}帕慕克", f"作家奥尔罕{b}帕慕克来了", [f"奥尔罕{b}帕慕克"]) for a in "·•・‧･" for b in "·•・‧･"),
]
NEGATION: Rows = [
    ("near: {terms: [parcel, late], within: 5}, negation: skip", "The parcel was not late", None),
    ("near: {terms: [parcel, late], within: 5}, negation: skip", "The parcel was late", ["parcel was late"]),
    ("near: {terms: [送, 慢]}, negation: skip", "送得不慢", None),
    ("near: {terms: [送, 慢]}, negation: skip", "送得很慢", ["送得很慢"]),
    ("all: [{word: parcel}, {word: late}], negation: skip", "parcel not late", None),
    ("count: {word: [good, great], at_least: 2}, negation: skip", "good but not great", None),
    ("count: {word: [good, great], at_least: 2}, negation: skip", "good and great", ["good", "great"]),
]


def wrong(rows: Rows, language: str) -> list[tuple[str, str, list[str] | None]]:
    """Rows whose spans or matrix are not as they should be, with the hits that were found."""
    found = []
    for condition, text, expected in rows:
        ruleset = RuleSet.from_yaml(
            f"{{rulenet: 1, language: {language}, rules: [{{id: r, label: x, {condition}}}, {{id: o, label: y, word: zzz}}]}}"
        )
        spans = ruleset.spans(text).get("r")
        hits = None if spans is None else [text[start:end] for start, end in spans]
        fires = bool(ruleset.match([text])[0, 0])
        if hits != expected or fires != (expected is not None):
            found.append((condition, text, hits))
    return found


def test_marks_belong_to_their_letters() -> None:
    assert wrong(MARKS, "en") == []


@pytest.mark.slow
def test_contractions_are_whole_and_possessives_are_not() -> None:
    assert wrong(CONTRACTIONS, "en") == []


def test_latin_and_numbers_in_chinese_entries_keep_their_borders() -> None:
    assert wrong(BORDERS, "zh") == []


def test_white_space_and_the_kind_of_name_dot_do_not_matter() -> None:
    assert wrong(SPACES, "zh") == []


def test_negation_reaches_into_other_conditions() -> None:
    english, chinese = ([row for row in NEGATION if row[1].isascii() is ascii_] for ascii_ in (True, False))
    assert wrong(english, "en") == []
    assert wrong(chinese, "zh") == []
