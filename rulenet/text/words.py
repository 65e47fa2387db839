"""What a word is, for rules, tokens, terms and negation alike. Imports only the standard library.

A word is what Unicode's word segmentation says (UAX #29, https://unicode.org/reports/tr29): letters, digits and underscores with their
combining marks (दिन, not द), with an apostrophe or a middle dot between letters (won't, O'Neill, col·lecció), and with a full stop, comma,
semicolon or apostrophe between digits (9.5, 1,000). The annex leaves room for tailoring, and rules are served better by these departures:

- A full stop or colon between letters ends a word: "late.The" is a forgotten space far more often than an abbreviation.
- The possessive 's is a word of its own, so that `word: company` finds "company's"; the closed class of contractions that end the same way
  (it's, let's) stays whole.
- Every character that people type for an apostrophe is one, also ` and ʼ; at the edge of a word it is a quotation mark.
- A stretch of a script without spaces (Chinese, Japanese, Thai …) counts as one word and so separates the words around it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache

# Scripts without spaces: Han (with extensions and compatibility forms), kana without its name dot, Thai, Lao, Khmer, Myanmar.
UNSPACED = (
    "\u3005-\u3007\u3040-\u30fa\u30fc-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
)
APOSTROPHES = "'`\u2019\u2018\u02bc\u2032\u05f3"  # the last is the Hebrew geresh
_CONTRACTED = (
    "it|he",
    "she|who|how|why|let",
    "that|what|here|when",
    "there|where",
)  # … 's; of one length, as look-behind demands
# Stands for any combining mark while words are looked for: `re` has no class for marks. No cleaned text contains it, as NFKC makes it ff.
_MARK = "\ufb00"

_IN_NUMBER = f".,;\u0589\u060c\u060d\u066b\u066c\u07f8\u2044{APOSTROPHES}"
_IN_WORD = f"\u00b7\u2027\u055f\u05f4{APOSTROPHES}"
_CHARACTER = f"[^\\W\u02bc{UNSPACED}]"
_FIRST = f"[^\\W\u02bc{_MARK}{UNSPACED}]"
_LETTER = f"[^\\W\\d_\u02bc{UNSPACED}]"
_FIRST_LETTER = f"[^\\W\\d_\u02bc{_MARK}{UNSPACED}]"
_HEBREW = "\u05d0-\u05ea"


def contracted(character: str) -> list[str]:
    """Patterns of what stands before the s of it's, let's …, whose apostrophe is part of the word; `character` is one of a word."""
    return [f"(?<!{character})(?i:{words})[{APOSTROPHES}]" for words in _CONTRACTED]


_S = f"[sS](?!{_CHARACTER}|[{APOSTROPHES}]{_FIRST_LETTER})"
_INNER = f"""[{_IN_WORD}{_IN_NUMBER}"](?:
      (?<={_LETTER}[{_IN_WORD}])(?={_FIRST_LETTER})(?:(?!{_S})|{"|".join(f"(?<={before})" for before in contracted(_CHARACTER))})
    | (?<=\\d[{_IN_NUMBER}])(?=\\d)
    | (?<=[{_HEBREW}{_MARK}]")(?=[{_HEBREW}]) )"""
WORD = f"(?:[{APOSTROPHES}]{_S}|{_FIRST}{_CHARACTER}*(?:{_INNER}{_CHARACTER}+)*)"
"""A word as a verbose regular expression, for texts without combining marks."""
_WORDS = f"[{UNSPACED}][{UNSPACED}{_MARK}]*|{WORD}"

# Where marks are; with letters, but without the scripts that have none.
_PERHAPS_MARKS = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u0591-\u1fff\u20d0-\u20ff\u2cef-\u2dff\u302a-\u302f\u3099\u309a\ua66f-\uabff\ufb1e\ufe00-\ufe2f"
    "\U00010000-\U0001ffff\U000e0100-\U000e01ef]"
)
_UNSPACED_CHARACTER = re.compile(f"[{UNSPACED}]{_MARK}*")
# What does not tell words apart: how an apostrophe is typed, optional vowel points of Hebrew and Arabic, the Arabic letter that only
# stretches a word, and variation selectors.
_OPTIONAL = (
    "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u0652\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8"
    "\u06ea-\u06ed\u034f\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef"
)
ODD = re.compile(f"[{_OPTIONAL}{APOSTROPHES[1:]}\u2027\u05f4]")
SPECIAL = re.compile(f"{_PERHAPS_MARKS.pattern[:-1]}{ODD.pattern[1:]}")
"""A character for which the spelling of a word may not be its plain form, or `words_pattern` may not find a word as it is."""
_OPTIONAL_RUN = re.compile(f"[{_OPTIONAL}]+")
_PLAIN = str.maketrans(dict.fromkeys(APOSTROPHES, "'") | {"\u2027": "\u00b7", "\u05f4": '"'})


class _Marks(dict[int, int]):
    """Table for `str.translate`: combining marks → `_MARK`, filled as characters are met."""

    def __missing__(self, code: int) -> int:
        if len(self) > 50_000:  # texts of all of Unicode would fill the memory
            self.clear()
        char = chr(code)
        is_mark = unicodedata.category(char)[0] == "M" and not _UNSPACED_CHARACTER.match(char)
        self[code] = ord(_MARK) if is_mark else code
        return self[code]


_marks = _Marks()


@cache  # each of these takes 20 ms to compile, and few programs need all
def words_pattern() -> re.Pattern[str]:
    """A word, or a stretch of a script without spaces, in a text without combining marks."""
    return re.compile(_WORDS, re.VERBOSE)


@cache
def _tokens() -> re.Pattern[str]:
    return re.compile(f"{_WORDS}|\\S{_MARK}*", re.VERBOSE)


def shadow(text: str) -> str:
    """Return the text with one letter in place of each combining mark, for `WORD` to be looked for in it."""
    return text.translate(_marks) if not text.isascii() and _PERHAPS_MARKS.search(text) else text


def word_spans(text: str) -> list[tuple[int, int]]:
    """Start and end of each word of a cleaned text.

    Examples
    --------
    >>> text = "The firm's boss won't pay $9.50"
    >>> [text[start:end] for start, end in word_spans(text)]
    ['The', 'firm', "'s", 'boss', "won't", 'pay', '9.50']
    """
    return [match.span() for match in words_pattern().finditer(shadow(text))]


def unit_spans(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each unit of length: a word, or one Chinese character.

    Examples
    --------
    >>> list(unit_spans("买 iPhone"))
    [(0, 1), (2, 8)]
    """
    shown = shadow(text)
    for match in words_pattern().finditer(shown):
        if _UNSPACED_CHARACTER.match(shown, match.start()):
            yield from (part.span() for part in _UNSPACED_CHARACTER.finditer(shown, *match.span()))
        else:
            yield match.span()


def token_spans(text: str) -> list[tuple[int, int]]:
    """Start and end of each word and each other visible character.

    Examples
    --------
    >>> list(token_spans("won't!"))
    [(0, 5), (5, 6)]
    """
    return [match.span() for match in _tokens().finditer(shadow(text))]


def plain(word: str) -> str:
    """A word without what does not tell words apart: straight apostrophes, no vowel points; case is kept.

    Examples
    --------
    >>> plain("Won\u2019t"), plain("سَلَام")
    ("Won't", 'سلام')
    """
    return (_OPTIONAL_RUN.sub("", word.translate(_PLAIN)) or word) if ODD.search(word) else word
