"""Cleaned text → the word string that literals are searched in. Imports only the standard library.

Every run of non-word characters becomes one space and case is folded, so that a literal ``" grand slam "`` is found
with plain string search and Unicode-aware word boundaries. A stretch of a script without spaces (Chinese, Japanese, Thai …)
is one word here, so it bounds its neighbours and parts them; literals in those scripts are searched in the raw text instead.
"""

from __future__ import annotations

import re

# Han (with extensions and compatibility forms), kana, Thai, Lao, Khmer, Myanmar: written without spaces.
UNSPACED = "\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\U00020000-\U0003ffff"
HAN = re.compile("[\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
UNIT = re.compile(f"[{UNSPACED}]|[^\\W{UNSPACED}]+")  # a word, or one Chinese character: what lengths are counted in
_UNSPACED = re.compile(f"[{UNSPACED}]")
_WORD = re.compile(rf"[^\W{UNSPACED}]+|[{UNSPACED}]+")
_ASCII = {code: (chr(code).lower() if chr(code).isalnum() or chr(code) == "_" else " ") for code in range(128)}


def is_unspaced(literal: str) -> bool:
    """Whether a literal holds a character of a script without spaces, and so is matched in the raw text.

    Examples
    --------
    >>> is_unspaced("手机"), is_unspaced("phone")
    (True, False)
    """
    return _UNSPACED.search(literal) is not None


def fold(text: str) -> str:
    """Words of a cleaned text, case-folded, one space before, between and after.

    Examples
    --------
    >>> fold("Grand-Slam winner!"), fold("!"), fold("买iPhone了")
    (' grand slam winner ', ' ', ' 买 iphone 了 ')
    """
    if text.isascii():
        # str.translate is an order of magnitude faster than the regex, but only on ASCII.
        words = text.translate(_ASCII).split()
        return f" {' '.join(words)} " if words else " "
    words = _WORD.findall(text)
    return f" {' '.join(words).casefold()} " if words else " "


def words_with_offsets(text: str) -> list[tuple[str, int, int]]:
    """Words of a cleaned text as `fold` sees them, each with its start and end in that text.

    Examples
    --------
    >>> words_with_offsets("Don't stop")
    [('don', 0, 3), ('t', 4, 5), ('stop', 6, 10)]
    """
    if not text.isascii():
        return [(match.group().casefold(), match.start(), match.end()) for match in _WORD.finditer(text)]
    # Half the time of the regex: every character that parts words has become one space, so lengths give the places.
    found = []
    at = 0
    for word in text.translate(_ASCII).split(" "):
        if word:
            found.append((word, at, at + len(word)))
        at += len(word) + 1
    return found


def fold_raw(text: str) -> str:
    """Fold case without changing the length, so that positions stay those of the cleaned text.

    Examples
    --------
    >>> fold_raw("VIP会员")
    'vip会员'
    """
    folded = text.casefold()  # unlike lower(), the same for a character wherever it stands (Σ, ς)
    if len(folded) == len(text):
        return folded
    return "".join(folded if len(folded := char.casefold()) == 1 else char for char in text)
