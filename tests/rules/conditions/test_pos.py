"""rulenet.rules.conditions.pos: part-of-speech patterns, on tag lines by hand and in texts. One expected answer per row."""

from __future__ import annotations

from typing import Any

import pytest

from rulenet.rules.conditions.pos import compile_pos
from tests.rules.one_rule import hits


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


VALUES = [
    ({"pos": "VERB:lemma=win NOUN"}, "They won games", ["won games"]),
    ({"pos": "VERB:word=won NOUN"}, "They won games", ["won games"]),
    ({"pos": "VERB:word=win NOUN"}, "They won games", None),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "text", "found"), VALUES)
def test_values(condition: dict[str, Any], text: str, found: list[str] | None) -> None:
    assert hits(condition, text) == found
