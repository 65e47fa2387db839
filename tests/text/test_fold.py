"""rulenet.text.fold: the words in which literals are searched."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from rulenet.text.clean import clean
from rulenet.text.fold import fold, is_unspaced, words_with_offsets
from rulenet.text.words import plain

FOLDED = [
    ("", " "),
    ("!?", " "),
    ("Grand-Slam winner!", " grand slam winner "),
    ("don't", " don't "),
    ("snake_case 4th 3.5", " snake_case 4th 3.5 "),
    ("NAÏVE Café", " naïve café "),
    ("straße STRASSE ẞ", " strasse strasse ss "),
    ("ΟΔΟΣ οδος οδοσ", " οδοσ οδοσ οδοσ "),
    ("İstanbul", " i\u0307stanbul "),  # Turkish: not the same word as istanbul
    ("买iPhone15了", " 买 iphone15 了 "),  # a Chinese stretch bounds its neighbours
    ("Apple的新Watch", " apple 的新 watch "),  # … and parts them
    ("中文, 好", " 中文 好 "),
    ("ไทยok", " ไทย ok "),
    ("한국 팀", " 한국 팀 "),  # Korean is written with spaces
    ("a😀b", " a b "),
]
UNSPACED = [
    ("手机", True),
    ("iOS系统", True),
    ("カメラ", True),
    ("々", True),
    ("ไทย", True),
    ("𠮷", True),
    ("phone", False),
    ("한국", False),
    ("é", False),
    ("，", False),
    ("", False),
]
LETTERS = st.text(st.sampled_from("aZ'- .é\u0301ßẞİςΣσ9_中ไカ한😀\n&;\u1e9b") | st.characters(), max_size=20)


def test_fold() -> None:
    assert [(text, fold(text)) for text, _ in FOLDED] == FOLDED


def test_is_unspaced() -> None:
    assert [(literal, is_unspaced(literal)) for literal, _ in UNSPACED] == UNSPACED


@settings(deadline=None)
@given(LETTERS)
def test_fold_and_words_agree(raw: str) -> None:
    text = clean(raw)
    words = words_with_offsets(text)
    assert fold(text) == (f" {' '.join(word for word, _, _ in words)} " if words else " ")
    for word, start, end in words:
        assert plain(text[start:end].casefold()) == word
