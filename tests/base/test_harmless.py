"""rulenet.base.harmless: over all of Unicode, nothing that steers a screen or hides is left, and all else stays."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from rulenet.base.harmless import harmless

STEERING = {"Cc", "Cf", "Cs", "Zl", "Zp"}


@pytest.mark.slow
def test_all_of_unicode() -> None:
    every = "".join(map(chr, range(sys.maxunicode + 1)))
    for one_line, may_stay in ((True, set()), (False, {"\n", "\t"})):
        shown = harmless(every, one_line=one_line)
        assert len(shown) == len(every)
        for char, new in zip(every, shown, strict=True):
            category = unicodedata.category(char)
            if category in STEERING:
                assert (new == char) == (char in may_stay), hex(ord(char))
            elif category == "Zs":
                assert new == " "
            else:
                assert new == char, hex(ord(char))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("👩\u200d🚀 می\u200cخواهم क्\u200dष", "👩\u200d🚀 می\u200cخواهم क्\u200dष"),  # joiners that do their work
        ("sp\u200dam \u200c \u200d", "sp\ufffdam \ufffd \ufffd"),  # and that only hide
        ("é\u200d\u200d😀\u200d\u200d😀", "é\ufffd\ufffd😀\ufffd\ufffd😀"),
        ("a\r\nb", "a␍␊b"),
    ],
)
def test_joiners_and_breaks(text: str, shown: str) -> None:
    assert harmless(text, one_line=True) == shown
