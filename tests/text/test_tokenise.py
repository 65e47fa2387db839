"""rulenet.text.tokenise: tokens with offsets, and dictionaries that keep apart."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rulenet.text import tokenise
from rulenet.text.clean import clean
from rulenet.text.tokenise import Token, Tokeniser, import_jieba

INVENTED = "花呗乐分期宝"  # no dictionary has it
MIXED = st.text(st.sampled_from("aB3'’-_. ,\n\t中文手机不是很好，。！😀é\u0302한ไ") | st.characters(), max_size=30)


@pytest.fixture(scope="module")
def zh() -> Tokeniser:
    tokeniser = Tokeniser("zh")
    tokeniser.jieba  # noqa: B018  loads the dictionary once
    return tokeniser


@pytest.fixture(scope="module")
def knows() -> Tokeniser:
    """One that was given words, of which the dictionary has the first."""
    return Tokeniser("zh", ["北京", INVENTED])


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", []),
        (" \n\t", []),
        ("Don't stop!", ["Don't", "stop", "!"]),
        ("rock’n’roll", ["rock’n’roll"]),
        ("3.5% of $20", ["3.5", "%", "of", "$", "20"]),
        ("e-mail, snake_case", ["e", "-", "mail", ",", "snake_case"]),
        ("Café 😀", ["Café", "😀"]),
    ],
)
def test_english(text: str, tokens: list[str]) -> None:
    assert [token.text for token in Tokeniser("en").tokens(text)] == tokens


def test_offsets_by_hand() -> None:
    assert Tokeniser("en").tokens(" oil, gas") == [Token("oil", 1, 4), Token(",", 4, 5), Token("gas", 6, 9)]


def check_offsets(tokens: list[Token], text: str) -> None:
    """Tokens are slices of the text in order, and only white space lies between them."""
    at = 0
    for token in tokens:
        assert text[token.start : token.end] == token.text
        assert not text[at : token.start].strip()
        assert token.text.strip()
        at = token.end
    assert not text[at:].strip()


@settings(deadline=None)
@given(MIXED)
def test_english_tokens_are_slices(raw: str) -> None:
    text = clean(raw)
    check_offsets(Tokeniser("en").tokens(text), text)


@pytest.mark.slow
class TestChinese:
    """Needs jieba's dictionary, a second to load."""

    def test_words(self, zh: Tokeniser) -> None:
        words = ["我", "来到", "北京", "清华大学", ",", "用", "iPhone"]
        assert [token.text for token in zh.tokens("我来到北京清华大学, 用 iPhone")] == words

    def test_words_of_other_scripts_stay_whole(self, zh: Tokeniser) -> None:
        words = ["我", "说", "don’t", "naïve", "हिन्दी", "Привет", "iPhone", "'s", "手机", "3.5%", "カ", "メ", "ラ"]
        assert [token.text for token in zh.tokens("我说 don’t naïve हिन्दी Привет iPhone's 手机 3.5% カメラ")] == words

    @settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(MIXED)
    def test_tokens_are_slices(self, zh: Tokeniser, raw: str) -> None:
        text = clean(raw)
        check_offsets(zh.tokens(text), text)

    def test_offsets_go_on_over_stretches(self, zh: Tokeniser, monkeypatch: pytest.MonkeyPatch) -> None:
        text = "我来到北京清华大学, 用 iPhone 拍照"
        whole = zh.tokens(text)
        monkeypatch.setattr(tokenise, "_LONGEST", 10)  # the run of Chinese characters has nine
        assert [part for _, part in tokenise.stretches(text)] == ["我来到北京清华大学,", " 用 iPhone", " 拍照"]
        assert zh.tokens(text) == whole
        monkeypatch.setattr(tokenise, "_LONGEST", 5)
        check_offsets(zh.tokens(text), text)

    def test_rule_words_stay_in_their_own_dictionary(
        self, zh: Tokeniser, knows: Tokeniser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        jieba = import_jieba()
        monkeypatch.setattr(jieba.dt, "tmp_dir", str(tmp_path))
        forced = set(jieba.finalseg.Force_Split_Words)
        text = f"他用{INVENTED}买单"
        before = [token.text for token in zh.tokens(text)], jieba.lcut(text)
        assert Token(INVENTED, 2, 8) in knows.tokens(text)
        assert INVENTED not in before[0]
        assert ([token.text for token in zh.tokens(text)], jieba.lcut(text)) == before
        assert INVENTED not in jieba.dt.FREQ
        assert jieba.dt.user_word_tag_tab == {}
        assert jieba.finalseg.Force_Split_Words == forced

    def test_a_known_word_keeps_its_frequency(self, zh: Tokeniser, knows: Tokeniser) -> None:
        assert knows.jieba.FREQ["北京"] == zh.jieba.FREQ["北京"]
        assert knows.jieba.FREQ[INVENTED] > 0

    def test_pickles_without_its_dictionary(self, knows: Tokeniser) -> None:
        knows.tokens(INVENTED)
        frozen = pickle.dumps(knows)
        assert len(frozen) < 1000
        assert pickle.loads(frozen).tokens(INVENTED) == [Token(INVENTED, 0, 6)]


def test_cache_lies_in_the_users_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "deep" / "cache"))
    with tokenise._cache_folder() as folder:
        assert folder == str(tmp_path / "deep" / "cache" / "rulenet")
    assert Path(folder).stat().st_mode & 0o777 == 0o700


def test_cache_passes_where_no_folder_can_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with tokenise._cache_folder() as folder:
        assert Path(folder).is_dir()
        assert not folder.startswith(str(tmp_path))
    assert not Path(folder).exists()
