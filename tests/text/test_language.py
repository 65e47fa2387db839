"""rulenet.text.language: English or Chinese."""

from __future__ import annotations

import pytest

from rulenet.text.language import detect_language


@pytest.mark.parametrize(
    ("texts", "language"),
    [
        ([], "en"),
        (["", "123 !?"], "en"),
        (["The phone is broken"], "en"),
        (["Das Gerät ist kaputt", "Téléphone cassé"], "en"),
        (["手机坏了，wifi 连不上"], "zh"),
        (["iPhone 15 Pro Max 开箱评测"], "zh"),  # 6 of 18 letters
        (["The word 手机 means mobile phone"], "en"),  # 2 of 25 letters
        (["abcd中"], "en"),  # exactly a fifth is not more than a fifth
        (["abc中"], "zh"),
        (["English only"] * 3 + ["手机坏了快递也没有到真的很生气"], "zh"),  # 15 of 48 letters over all texts
        (["手机"] * 1000 + ["a long English text that comes too late"], "zh"),
        (["a" * 2000 + "中" * 9000], "en"),  # only the beginning of a long text counts
    ],
)
def test_detect_language(texts: list[str], language: str) -> None:
    assert detect_language(texts) == language
