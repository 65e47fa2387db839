"""Cleaned text → the string of words in which literals are searched. Imports only `words`, which says what a word is.

What is between two words becomes one space and case is folded, so that plain string search finds a literal such as
``" grand slam "`` as whole words. Literals in scripts without spaces (Chinese, Japanese, Thai …) are searched in the raw text instead.
"""

from __future__ import annotations

import re

from rulenet.text.words import SPECIAL, UNSPACED, contracted, plain, word_spans, words_pattern

HAN = re.compile("[\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_UNSPACED = re.compile(f"[{UNSPACED}]")


# ASCII texts, the hot path: bytes.translate is an order of magnitude faster than a regular expression, which only replaces the few marks
# inside words, by control characters, as a cleaned text has none.
_KEPT = {"'": "\x01", ".": "\x02", ",": "\x03", ";": "\x04"}
_IS_WORD = [chr(code).isalnum() or chr(code) == "_" for code in range(128)]
_ASCII = bytes(ord(chr(code).lower()) if _IS_WORD[code] else 32 for code in range(128)).ljust(256)
_POSSESSIVE = "\x05"
_ASCII_INNER = _ASCII[:1] + b"'.,;\x05" + _ASCII[6:]
_ASCII_SHAPE = bytes(48 if 48 <= code < 58 else 46 if chr(code) in "'`.,;" else 32 for code in range(256))
_ASCII_POSSESSIVE = re.compile(
    "'(?=[sS](?![A-Za-z0-9_]|'[A-Za-z]))(?:(?<![teowynTEOWYN].)|"
    + "".join(f"(?<!{before})" for before in contracted("[A-Za-z0-9_]"))
    + ")"
)
_ASCII_APOSTROPHE = re.compile("'(?<=[A-Za-z].)(?=[A-Za-z])")
_ASCII_NUMBER = re.compile("[.,;'](?<=[0-9].)(?=[0-9])")


def is_unspaced(literal: str) -> bool:
    """Whether a literal contains a character of a script without spaces, and so is matched in the raw text.

    Examples
    --------
    >>> is_unspaced("手机"), is_unspaced("phone")
    (True, False)
    """
    return not literal.isascii() and _UNSPACED.search(literal) is not None


def fold(text: str) -> str:
    """Return the words of a cleaned text, plain and case-folded, with one space before, between and after them.

    Examples
    --------
    >>> fold("Grand-Slam winner!"), fold("The company\u2019s"), fold("!"), fold("买iPhone了")
    (' grand slam winner ', " the company 's ", ' ', ' 买 iphone 了 ')
    """
    if text.isascii():
        return _fold_ascii(text)
    if SPECIAL.search(text):
        folded = " ".join(plain(text[start:end].casefold()) for start, end in word_spans(text))
    else:
        folded = " ".join(words_pattern().findall(text)).casefold()
    return f" {folded} " if folded else " "


def _fold_ascii(text: str) -> str:
    words = _spaced(text, " \x01").split()
    return f" {' '.join(words)} " if words else " "


def _spaced(text: str, possessive: str) -> str:
    """An ASCII text in lower case with spaces in place of what is between words; `possessive` stands for the apostrophe of 's."""
    table = _ASCII
    if "'" in text or "`" in text:
        text = _ASCII_POSSESSIVE.sub(possessive, text.replace("`", "'"))
        text = _ASCII_APOSTROPHE.sub("\x01", text)
        table = _ASCII_INNER
    if b"0.0" in text.encode().translate(_ASCII_SHAPE):  # a mark between two digits
        text = _ASCII_NUMBER.sub(lambda match: _KEPT[match[0]], text)
        table = _ASCII_INNER
    return text.encode().translate(table).decode()


def words_with_offsets(text: str) -> list[tuple[str, int, int]]:
    """Return the words of a cleaned text as `fold` does, each with its start and end in that text.

    Examples
    --------
    >>> words_with_offsets("Don't stop")
    [("don't", 0, 5), ('stop', 6, 10)]
    """
    if not text.isascii():
        return [(plain(text[start:end].casefold()), start, end) for start, end in word_spans(text)]
    # Twice as fast as the regex: every separator has become one space, so word lengths give the positions.
    found, at = [], 0
    for word in _spaced(text, _POSSESSIVE).split(" "):
        if _POSSESSIVE in word:
            owner = word.index(_POSSESSIVE)
            if owner:
                found.append((word[:owner], at, at + owner))
            found.append((f"'{word[owner + 1 :]}", at + owner, at + len(word)))
        elif word:
            found.append((word, at, at + len(word)))
        at += len(word) + 1
    return found
