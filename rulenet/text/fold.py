"""Cleaned text → the string of words in which literals are searched. Imports only the standard library.

Every run of non-word characters becomes one space and case is folded, so that plain string search finds a literal such as
``" grand slam "`` at Unicode-aware word boundaries. A stretch of a script without spaces (Chinese, Japanese, Thai …) counts
as one word here and so separates the words around it; literals in those scripts are searched in the raw text instead.
"""

from __future__ import annotations

import re

# Scripts without spaces: Han (with extensions and compatibility forms), kana without its name dot, Thai, Lao, Khmer, Myanmar.
UNSPACED = (
    "\u3005-\u3007\u3040-\u30fa\u30fc-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\U00020000-\U0003ffff"
)
HAN = re.compile("[\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
UNIT = re.compile(f"[{UNSPACED}]|[^\\W{UNSPACED}]+")  # a word or one Chinese character: the unit of length
_UNSPACED = re.compile(f"[{UNSPACED}]")
_WORD = re.compile(rf"[^\W{UNSPACED}]+|[{UNSPACED}]+")
_ASCII = {code: (chr(code).lower() if chr(code).isalnum() or chr(code) == "_" else " ") for code in range(128)}


def is_unspaced(literal: str) -> bool:
    """Whether a literal contains a character of a script without spaces, and so is matched in the raw text.

    Examples
    --------
    >>> is_unspaced("手机"), is_unspaced("phone")
    (True, False)
    """
    return not literal.isascii() and _UNSPACED.search(literal) is not None


def fold(text: str) -> str:
    """Return the words of a cleaned text, case-folded, with one space before, between and after them.

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
    """Return the words of a cleaned text as `fold` splits them, each with its start and end in that text.

    Examples
    --------
    >>> words_with_offsets("Don't stop")
    [('don', 0, 3), ('t', 4, 5), ('stop', 6, 10)]
    """
    if not text.isascii():
        return [(match.group().casefold(), match.start(), match.end()) for match in _WORD.finditer(text)]
    # Twice as fast as the regex: every separator has become one space, so word lengths give the positions.
    found, at = [], 0
    for word in text.translate(_ASCII).split(" "):
        if word:
            found.append((word, at, at + len(word)))
        at += len(word) + 1
    return found
