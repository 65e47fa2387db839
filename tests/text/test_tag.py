"""rulenet.text.tag: universal tags from two tag sets, and what a missing tagger says."""

from __future__ import annotations

import importlib
import pickle
from types import ModuleType

import pytest

from rulenet.errors import MissingExtraError
from rulenet.text import tag, tokenise
from rulenet.text.tag import TAGS, TaggedToken, Tagger, ictclas_to_ud, penn_to_ud
from rulenet.text.tokenise import Tokeniser

PENN = [
    # (word, Penn Treebank tag, universal tag)
    ("dog", "NN", "NOUN"),
    ("dogs", "NNS", "NOUN"),
    ("Paris", "NNP", "PROPN"),
    ("Lakers", "NNPS", "PROPN"),
    ("win", "VB", "VERB"),
    ("won", "VBD", "VERB"),
    ("winning", "VBG", "VERB"),
    ("won", "VBN", "VERB"),
    ("win", "VBP", "VERB"),
    ("wins", "VBZ", "VERB"),
    ("was", "VBD", "AUX"),
    ("Is", "VBZ", "AUX"),
    ("could", "MD", "AUX"),
    ("good", "JJ", "ADJ"),
    ("better", "JJR", "ADJ"),
    ("best", "JJS", "ADJ"),
    ("well", "RB", "ADV"),
    ("faster", "RBR", "ADV"),
    ("when", "WRB", "ADV"),
    ("up", "RP", "ADP"),
    ("in", "IN", "ADP"),
    ("to", "TO", "PART"),
    ("'s", "POS", "PART"),
    ("she", "PRP", "PRON"),
    ("her", "PRP$", "PRON"),
    ("who", "WP", "PRON"),
    ("whose", "WP$", "PRON"),
    ("there", "EX", "PRON"),
    ("the", "DT", "DET"),
    ("all", "PDT", "DET"),
    ("which", "WDT", "DET"),
    ("and", "CC", "CCONJ"),
    ("three", "CD", "NUM"),
    ("oh", "UH", "INTJ"),
    ("+", "SYM", "SYM"),
    ("$", "$", "SYM"),
    ("#", "#", "SYM"),
    ("sushi", "FW", "X"),
    ("a", "LS", "X"),
    (",", ",", "PUNCT"),
    ("(", "(", "PUNCT"),
    (".", ".", "PUNCT"),
    ("word", "???", "X"),
]
ICTCLAS = [
    ("苹果", "n", "NOUN"),
    ("小明", "nr", "PROPN"),
    ("汤姆", "nrt", "PROPN"),
    ("北京", "ns", "PROPN"),
    ("公司", "nt", "PROPN"),
    ("奥运", "nz", "PROPN"),
    ("工作", "vn", "NOUN"),
    ("跑", "v", "VERB"),
    ("是", "vshi", "VERB"),
    ("好", "a", "ADJ"),
    ("快", "ad", "ADV"),
    ("安全", "an", "NOUN"),
    ("很", "d", "ADV"),
    ("大型", "b", "ADJ"),
    ("绿油油", "z", "ADJ"),
    ("上", "f", "NOUN"),
    ("明天", "t", "NOUN"),
    ("三", "m", "NUM"),
    ("个", "q", "NOUN"),
    ("我", "r", "PRON"),
    ("在", "p", "ADP"),
    ("和", "c", "CCONJ"),
    ("的", "uj", "PART"),
    ("吗", "y", "PART"),
    ("啊", "e", "INTJ"),
    ("砰", "o", "INTJ"),
    ("一心一意", "i", "X"),
    ("总而言之", "l", "X"),
    ("奥委会", "j", "PROPN"),
    ("iPhone", "eng", "X"),
    ("，", "x", "PUNCT"),
    ("!", "eng", "PUNCT"),
    ("某", "unknown", "PART"),  # by its first letter
    ("某", "", "X"),
]


def test_tables() -> None:
    assert [(word, penn, penn_to_ud(word, penn)) for word, penn, _ in PENN] == PENN
    assert [(word, flag, ictclas_to_ud(word, flag)) for word, flag, _ in ICTCLAS] == ICTCLAS


def test_every_tag_of_both_tables_is_universal() -> None:
    assert {*tag._PENN.values(), *tag._ICTCLAS.values()} <= set(TAGS)
    assert len(TAGS) == 17
    assert sorted(TAGS) == TAGS


@pytest.mark.slow
def test_english_tags_lemmas_and_offsets() -> None:
    pytest.importorskip("textblob")
    text = "The players won, didn't they? Naïve"
    tokens = Tagger(Tokeniser("en")).tag(text)
    assert tokens[:4] == [
        TaggedToken("The", 0, 3, "DET", "the"),
        TaggedToken("players", 4, 11, "NOUN", "player"),
        TaggedToken("won", 12, 15, "VERB", "win"),
        TaggedToken(",", 15, 16, "PUNCT", ","),
    ]
    assert [text[token.start : token.end] for token in tokens] == [token.text for token in tokens]
    assert "".join(token.text for token in tokens) == text.replace(" ", "")


@pytest.mark.slow
def test_chinese_tags_and_offsets(monkeypatch: pytest.MonkeyPatch) -> None:
    tagger = Tagger(Tokeniser("zh", ["花呗乐分期宝"]))
    text = "小明 在北京买花呗乐分期宝，ABC 很好😀"
    tokens = tagger.tag(text)
    tags = {token.text: token.tag for token in tokens}
    assert tags["北京"] == "PROPN"
    assert tags["买"] == "VERB"
    assert tags["花呗乐分期宝"] == "PROPN"  # a word of the rule file
    assert tags["，"] == tags["😀"] == "PUNCT"
    assert [token.lemma for token in tokens if token.text == "ABC"] == ["abc"]
    assert [text[token.start : token.end] for token in tokens] == [token.text for token in tokens]
    assert "".join(token.text for token in tokens) == text.replace(" ", "")
    monkeypatch.setattr(tokenise, "_LONGEST", 4)
    cut = tagger.tag(text)
    assert [text[token.start : token.end] for token in cut] == [token.text for token in cut]
    assert len(pickle.dumps(tagger)) < 1000  # without the dictionaries


@pytest.mark.parametrize("missing", ["textblob", "simplemma"])
def test_missing_extra_names_the_pip_line(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def pretend(name: str) -> ModuleType:
        if name.split(".")[0] == missing:
            raise ModuleNotFoundError(f"No module named {missing!r}", name=missing)
        return real(name)

    real = importlib.import_module
    if missing != "textblob":
        pytest.importorskip("textblob")
    monkeypatch.setattr("rulenet.base.extras.importlib.import_module", pretend)
    tag._ud_and_lemma.cache_clear()
    line = rf"tagging in English needs the package '{missing}'.* pip install 'rulenet\[pos\]'"
    with pytest.raises(MissingExtraError, match=line):
        Tagger(Tokeniser("en")).tag("Lakers win")


def test_an_import_error_inside_the_tagger_is_not_a_missing_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> ModuleType:
        raise ModuleNotFoundError("No module named 'nltk'", name="nltk")

    monkeypatch.setattr("rulenet.base.extras.importlib.import_module", broken)
    with pytest.raises(ModuleNotFoundError, match="nltk") as caught:
        Tagger(Tokeniser("en")).tag("Lakers win")
    assert not isinstance(caught.value, MissingExtraError)
