"""The language of a set of texts. Imports only the standard library and `fold`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from itertools import filterfalse
from typing import Literal

from rulenet.text.fold import HAN

Language = Literal["en", "zh"]
_KANA = re.compile("[ぁ-ヿ]")  # Japanese is taken for Chinese by its other characters
_ENGLISH = re.compile(r"\b(?:and|are|for|from|have|is|it|my|not|of|that|the|this|to|was|with|you)\b", re.IGNORECASE)


def detect_language(texts: Sequence[str]) -> Language:
    """Return ``"zh"`` if Chinese characters make up a fifth of the letters in the first thousand texts, else ``"en"``.

    The limit is a fifth and not a half because a Chinese character says about as much as three Latin letters.

    Examples
    --------
    >>> detect_language(["手机坏了，wifi 连不上"]), detect_language(["The phone is broken"])
    ('zh', 'en')
    """
    sample = "".join(text[:2000] for text in texts[:1000])
    return "zh" if len(HAN.findall(sample)) * 5 > sum(map(str.isalpha, sample)) else "en"


def declared_or_detected(declared: str, texts: Sequence[str]) -> Language:
    """Return the language that rules are written for; if they are for any language, that of most texts.

    Examples
    --------
    >>> declared_or_detected("zh", ["The phone is broken"]), declared_or_detected("any", ["The phone is broken"])
    ('zh', 'en')
    """
    return "en" if declared == "en" else "zh" if declared == "zh" else detect_language(texts)


def looks(texts: Sequence[str]) -> str:
    """What language texts seem to be in.

    Examples
    --------
    >>> looks(["手机坏了"]), looks(["Where is my parcel?"]), looks(["Où est mon colis ?"])
    ('Chinese', 'English', 'neither English nor Chinese')
    """
    if detect_language(texts) == "zh" and not _KANA.search("".join(texts[:100])):
        return "Chinese"
    return "English" if is_english(texts) else "neither English nor Chinese"


def script(letter: str) -> str:
    """The name of the script of a letter; empty if it has none.

    Examples
    --------
    >>> [script(letter) for letter in "oф油"]
    ['LATIN', 'CYRILLIC', 'CJK']
    """
    return unicodedata.name(letter, "").partition(" ")[0]


def is_english(texts: Sequence[str]) -> bool:
    """Whether texts may be English by their letters: at most one in 200 of the first thousand texts is beyond ASCII.

    In English reviews, comments and news it is one in 1,200 at most; in French, German or Spanish one in 15 to 60. As one name is more in
    a few short texts, they may be English, too, if all letters are Latin and a sixth of the words is common in English alone.

    Examples
    --------
    >>> is_english(["Where is my parcel?"]), is_english(["Où est mon colis ?"]), is_english(["Где моя посылка?"])
    (True, False, False)
    >>> is_english(["Zoë Müller bought it for the office"])
    True
    """
    sample = "\n".join(text[:2000] for text in texts[:1000])
    foreign = "".join(filter(str.isalpha, filterfalse(str.isascii, sample)))
    if sum(map(str.isalpha, sample)) >= 200 * len(foreign):
        return True
    return max(foreign) < "ɐ" and 6 * len(_ENGLISH.findall(sample)) >= len(sample.split())
