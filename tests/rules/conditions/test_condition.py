"""rulenet.rules.conditions.condition: what each kind of condition hits, and where. One rule, one text, one expected answer per row."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rulenet.rules.conditions.combination import AllOf, AnyOf, NoneOf
from rulenet.rules.conditions.condition import atoms_of
from rulenet.rules.conditions.literals import Literals
from rulenet.rules.conditions.patterns import compile_regex
from rulenet.rules.conditions.pos import Tags, compile_pos
from rulenet.rules.conditions.regex import Regexes
from rulenet.rules.ruleset import RuleSet
from rulenet.text.language import Language

LEXICONS = {"leagues": ["NBA", "Premier League"], "all sport": [{"lexicon": "leagues"}, "足球", "judo"]}


def one_rule(condition: dict[str, Any], language: str = "any") -> RuleSet:
    rule = {"id": "r", "label": "x"} | condition
    return RuleSet.from_yaml(
        json.dumps({"rulenet": 1, "language": language, "lexicons": LEXICONS, "rules": [rule]}, ensure_ascii=False)
    )


def hits(condition: dict[str, Any], text: str, language: Language = "en") -> list[str] | None:
    """The stretches of the text that a rule hits, None if it does not fire; matrix and spans must say the same."""
    ruleset = one_rule(condition)
    spans = ruleset.spans(text, language=language).get("r")
    assert ruleset.match([text], language=language).nnz == (spans is not None)
    return None if spans is None else [text[start:end] for start, end in spans]


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
    ({"word": "3"}, "3.5", ["3"]),
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
    ({"word": "don't"}, "Don't! don’t DON T", ["Don't", "don’t", "DON T"]),
    ({"word": "don't"}, "dont", None),
    ({"phrase": "apple watch"}, "Apple的新Watch", None),  # Chinese words part as other words do
    # Chinese: anywhere
    ({"word": "不好"}, "真不好看", ["不好"]),
    ({"word": "手机"}, "买手机, 手机坏", ["手机", "手机"]),
    ({"word": "哈哈"}, "哈哈哈", ["哈哈", "哈哈"]),
    ({"word": "手机"}, "手 机", None),
    ({"word": "VIP会员"}, "成为vip会员", ["vip会员"]),
    ({"word": "カメラ"}, "新しいカメラです", ["カメラ"]),
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
    ({"word": "s"}, "company #39;s", ["s"]),
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


REGEXES = [
    (r"\d{1,3}-\d{1,3} (win|loss)", "a 102-99 WIN", ["102-99 WIN"]),
    (r"\bwin\b", "winé", ["win"]),  # \b is ASCII
    ("é", "É", ["É"]),
    (r"\p{Han}{2}", "a中国b", ["中国"]),
    ("中.国", "中😀国", ["中😀国"]),
    ("^oil", "oil oil", ["oil"]),
    ("oil$", "oil oil", ["oil"]),
    ("^oil", "x\noil", None),  # ^ is the beginning of the text
    ("a.b", "a\nb", None),
    ("(?s)a.b", "a\nb", ["a\nb"]),
    ("(?-i)OIL", "oil OIL", ["OIL"]),
    ("C\\+\\+", "c++ and C", ["c++"]),
    ("^$", "", [""]),
    ("<b>", "<b>", None),  # tags are gone before rules look
    ("[?!]", "好？", ["？"]),
    ("x*", "b", ["", ""]),
    (["oil", "gas"], "gas oil", ["gas", "oil"]),
    ("o+", "oo😀o", ["oo", "o"]),
]


@pytest.mark.parametrize(("pattern", "text", "found"), REGEXES)
def test_regexes(pattern: str | list[str], text: str, found: list[str] | None) -> None:
    assert hits({"regex": pattern}, text) == found


A, B, C = {"word": "a"}, {"word": "b"}, {"word": "c"}
NESTED = [
    ({"any": [A, B]}, "b", ["b"]),
    ({"any": [A, B]}, "b a", ["b", "a"]),
    ({"any": [A, B]}, "c", None),
    ({"all": [A, B]}, "b a b", ["b", "a", "b"]),
    ({"all": [A, B]}, "b", None),
    ({"all": [A, A]}, "a", ["a"]),
    ({"none": [A, B]}, "c", []),
    ({"none": [A, B]}, "", []),
    ({"none": [A, B]}, "a", None),
    ({"all": [A, {"none": [B]}]}, "a c", ["a"]),
    ({"all": [A, {"none": [B]}]}, "a b", None),
    ({"any": [A, {"none": [B]}]}, "c", []),
    ({"any": [A, {"none": [B]}]}, "a b", ["a"]),
    ({"any": [A, {"none": [B]}]}, "b", None),
    ({"none": [{"none": [A]}]}, "a", []),
    ({"none": [{"none": [A]}]}, "b", None),
    ({"all": [{"any": [A, B]}, {"any": [B, C]}]}, "a c", ["a", "c"]),
    ({"all": [{"any": [A, B]}, {"any": [B, C]}]}, "b", ["b"]),
    ({"all": [{"any": [A, B]}, {"any": [B, C]}]}, "a", None),
    ({"any": [{"all": [A, {"regex": "[0-9]"}]}, {"lexicon": "leagues"}]}, "a 7", ["a", "7"]),
    ({"any": [{"all": [A, {"regex": "[0-9]"}]}, {"lexicon": "leagues"}]}, "7 nba", ["nba"]),
    # unless
    ({"word": "a", "unless": [B, C]}, "a", ["a"]),
    ({"word": "a", "unless": [B, C]}, "a c", None),
    ({"word": "a", "unless": [{"all": [B, C]}]}, "a c", ["a"]),
    ({"word": "a", "unless": [{"all": [B, C]}]}, "c a b", None),
    ({"word": "a", "unless": [{"none": [B]}]}, "a", None),
    ({"word": "a", "unless": [{"none": [B]}]}, "a b", ["a"]),
    ({"none": [A], "unless": [B]}, "b", None),
    ({"none": [A], "unless": [B]}, "c", []),
]


@pytest.mark.parametrize(("condition", "text", "found"), NESTED)
def test_nesting(condition: dict[str, Any], text: str, found: list[str] | None) -> None:
    assert hits(condition, text) == found


# Part-of-speech patterns, on tag lines written by hand


def line(*tokens: str) -> str:
    return "".join(f"\x01{token}\x03as-written\x02" for token in tokens)


GOOD_FILM = ("DET:the", "ADV:very", "ADJ:good", "ADJ:old", "NOUN:film", "PUNCT:.")
POS = [
    # (pattern, tokens, number of hits)
    ("NOUN", GOOD_FILM, 1),
    ("ADJ", GOOD_FILM, 2),
    ("ADJ+", GOOD_FILM, 1),
    ("ADJ NOUN", GOOD_FILM, 1),
    ("ADV NOUN", GOOD_FILM, 0),
    ("ADV ADJ* NOUN", GOOD_FILM, 1),
    ("DET ADJ* NOUN", GOOD_FILM, 0),
    ("DET ADV? ADJ+ NOUN:film", GOOD_FILM, 1),
    ("PRON? NOUN", GOOD_FILM, 1),
    ("NOUN:film", GOOD_FILM, 1),
    ("NOUN:movie|film", GOOD_FILM, 1),
    ("NOUN:movie", GOOD_FILM, 0),
    ("NOUN:fil", GOOD_FILM, 0),
    ("NOUN:ilm", GOOD_FILM, 0),
    ("NOUN:FILM", GOOD_FILM, 1),
    ("NOUN:f.lm", GOOD_FILM, 0),  # a lemma is text, not a pattern
    ("VERB:film", GOOD_FILM, 0),
    ("*:film", GOOD_FILM, 1),
    ("* NOUN", GOOD_FILM, 1),
    ("*:good *", GOOD_FILM, 1),
    ("PUNCT:.", GOOD_FILM, 1),
    ("NOUN PUNCT:!", GOOD_FILM, 0),
    ("NOUN DET", GOOD_FILM, 0),
    # a tag is never found inside another or inside a lemma
    ("X", ("AUX:be",), 0),
    ("X", ("X:foo",), 1),
    ("NOUN", ("PROPN:noun",), 0),
    ("PRON", ("PROPN:x",), 0),
    ("VERB", ("ADVERB:verb",), 0),
    ("ADV", ("X:adv:",), 0),
    ("NOUN:b", ("X:a", "NOUN:a:b"), 0),
    ("PUNCT:?", ("PUNCT:?",), 1),
    ("PUNCT:?", ("PUNCT:!",), 0),
    ("SYM:+?  NUM:1", ("SYM:+", "NUM:1"), 1),
    ("NOUN:中国", ("NOUN:中国", "NOUN:中国队"), 1),
]


@pytest.mark.parametrize(("pattern", "tokens", "n"), POS)
def test_pos_patterns(pattern: str, tokens: tuple[str, ...], n: int) -> None:
    assert len(list(compile_pos(pattern).finditer(line(*tokens)))) == n


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("VRB", "unknown tag 'VRB'; the tags are ADJ, ADP,"),
        ("noun", "'noun' is not a tag pattern; write TAG, TAG:lemma=go, TAG:word=gone or"),
        ("NOUN:", "'NOUN:' is not a tag pattern"),
        ("DET:the:NOUN", "'DET:the:NOUN' is not a tag pattern"),
        ("NOUN??", "'NOUN\\?\\?' is not a tag pattern"),
        ("(NOUN)", "'\\(NOUN\\)' is not a tag pattern"),
        ("", "the pattern can match nothing at all"),
        ("NOUN? ADJ*", "the pattern can match nothing at all; make one item obligatory"),
        ("NOUN " * 50_000, "pattern too large"),
    ],
)
def test_bad_pos_patterns(pattern: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compile_pos(pattern)


@pytest.mark.slow
def test_pos_in_english_text() -> None:
    pytest.importorskip("textblob")
    assert hits({"pos": "PROPN VERB:win|beat"}, "Yesterday Arsenal won again") == ["Arsenal won"]
    assert hits({"pos": "ADJ+ NOUN:film"}, "The <i>good old</i> films!") == ["good old</i> films"]
    assert hits({"pos": "ADJ NOUN:film"}, "The film is good") is None
    assert hits({"all": [{"word": "film"}, {"none": [{"pos": "ADJ NOUN:film"}]}]}, "The film is good") == ["film"]
    assert hits({"pos": "NOUN", "where": "start"}, " ".join(["very"] * 20 + ["film"])) is None


@pytest.mark.slow
def test_pos_in_chinese_text() -> None:
    assert hits({"pos": "ADV:很 ADJ"}, "服务&nbsp;很好，谢谢", "zh") == ["很好"]
    assert hits({"pos": "ADV:很 ADJ"}, "服务好", "zh") is None


# Regexes that RE2 refuses


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("a(?=b)", "look-around is not supported by RE2; use `all`, `none` or `unless` instead"),
        ("a(?!b)", "look-around"),
        ("(?<=a)b", "look-around"),
        ("(?<!a)b", "look-around"),
        (r"(a)\1", "back-references are not supported by RE2; spell the alternatives out"),
        ("(?P<x>a)(?P=x)", "back-references"),
        ("(", "not a regular expression that RE2 accepts: missing \\)"),
        ("[a", "missing \\]"),
        ("a{1001}", "invalid repetition size"),
        ("(a{1000}){100}", "invalid repetition size|too large"),
        (r"\8", "back-references"),
        (r"\z\Z", "invalid escape sequence"),
    ],
)
def test_refused_regexes(pattern: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compile_regex(pattern)


@pytest.mark.parametrize("pattern", [r"(?:a)\b", "(?P<year>[0-9]+)", r"\\1", "a|", "(?i)x", r"\p{Greek}", r"\x{4e2d}"])
def test_accepted_regexes(pattern: str) -> None:
    assert compile_regex(pattern) is compile_regex(pattern)


def test_kept_regexes_stay_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: dict[str, Any] = {str(i): None for i in range(50_001)}
    monkeypatch.setattr("rulenet.rules.conditions.patterns._compiled", kept)
    compile_regex("new")
    assert list(kept) == ["new"]


# What the fast path may rely on


def test_triggers_name_atoms_that_must_be_there() -> None:
    win, oil, number = Literals(("win",)), Literals(("oil", "gas")), Regexes(("[0-9]",))
    assert {atom.pattern for atom in AnyOf((win, oil)).triggers() or ()} == {"win", "oil", "gas"}
    assert {atom.pattern for atom in AllOf((oil, win)).triggers() or ()} == {"win"}  # the fewest
    assert {atom.pattern for atom in AllOf((NoneOf((win,)), number)).triggers() or ()} == {"[0-9]"}
    assert AnyOf((win, NoneOf((oil,)))).triggers() is None
    assert AllOf((Tags(("NOUN",)), NoneOf((oil,)))).triggers() is None


def test_flat_conditions_need_no_second_look() -> None:
    win, tags = Literals(("win",)), Tags(("NOUN",))
    assert AnyOf((win, AnyOf((Regexes(("a",)), win)))).is_flat
    assert not AnyOf((win, AllOf((win, win)))).is_flat
    assert not AnyOf((win, NoneOf((win,)))).is_flat
    assert AllOf((win, tags)).needs_doc
    assert NoneOf((AnyOf((win, tags)),)).needs_doc
    assert not NoneOf((win,)).needs_doc


def test_tags_cannot_be_settled_by_atoms() -> None:
    with pytest.raises(NotImplementedError, match="needs the text"):
        Tags(("NOUN",)).holds(set())


def test_atoms_of_conditions_at_any_depth() -> None:
    condition = AllOf((Literals(("Win", "中国")), NoneOf((AnyOf((Regexes(("x",)),)),))))
    assert {(atom.kind, atom.pattern) for atom in atoms_of([condition])} == {
        ("word", "win"),
        ("raw", "中国"),
        ("regex", "x"),
    }
    assert {atom.kind for atom in atoms_of([condition], denied=False)} == {"word", "raw"}
