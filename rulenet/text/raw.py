"""Cleaned text → the string in which literals of scripts without spaces (Chinese, Japanese, Thai …) are searched. Imports `fold`, `words`.

White space is dropped, name dots are one character, and every word of a script with spaces has a `BORDER` on either side. So plain string
search finds VIP会员 in "VIP 会员", and A股 neither in LA股东 nor in AA股. A border also stands between the fields of a record.
"""

from __future__ import annotations

import re
from functools import cache

from rulenet.text.words import APOSTROPHES, UNSPACED, WORD, shadow, word_spans

BORDER = "\x06"  # cleaned texts have no control characters
DOT = "•"  # at which words always part, while l·l is one word
# Characters that print alike; cleaning has made ･ and · of two more.
_ALIKE = {**dict.fromkeys("·‧・⋅∙", DOT), **dict.fromkeys(APOSTROPHES[1:], "'")}
_IS_UNSPACED = re.compile(f"[{UNSPACED}]")
_RUN = re.compile(f"([^{UNSPACED}\\s]+)")  # no word is longer than such a run
_PARAGRAPH = re.compile(r"\n\s*\n")


def squeeze(text: str) -> str:
    """Return the form in which a cleaned text or literal is searched where case counts; for people, see `readable`.

    Examples
    --------
    >>> squeeze("成为 VIP\\n会员") == f"成为{BORDER}VIP{BORDER}会员", squeeze("马克 ・ 吐温")
    (True, '马克•吐温')
    """
    for char, alike in _ALIKE.items():
        text = text.replace(char, alike)
    return "".join(_bordered(text).split())


@cache  # takes 10 ms to compile
def _word() -> re.Pattern[str]:
    return re.compile(WORD, re.VERBOSE)


class _Bordered(dict[str, str]):
    """Runs of other characters → the same with borders, as numbers, names and punctuation marks come again and again."""

    def __missing__(self, run: str) -> str:
        if len(self) > 10_000:
            self.clear()
        self[run] = _word().sub(rf"{BORDER}\g<0>{BORDER}", run)
        return self[run]


_bordered_runs = _Bordered()


def _bordered(text: str) -> str:
    """The text with a border before and after each word of a script with spaces."""
    if shadow(text) is text:  # a fifth of the time
        parts = _RUN.split(text)
        parts[1::2] = map(_bordered_runs.__getitem__, parts[1::2])
        return "".join(parts)
    parts, at = [], 0
    for start, end in word_spans(text):
        if not _IS_UNSPACED.match(text, start):
            parts += [text[at:start], BORDER, text[start:end], BORDER]
            at = end
    return "".join(parts) + text[at:]


def part_fields(text: str) -> str:
    """Return a cleaned record with a border in place of each blank line, which `squeeze` would drop.

    Examples
    --------
    >>> squeeze(part_fields("手\\n\\n机")) == f"手{BORDER}机"
    True
    """
    return _PARAGRAPH.sub(BORDER, text)


def fold_case(text: str) -> str:
    """Fold case without changing the length, so that positions stay valid.

    Examples
    --------
    >>> fold_case("VIP会员")
    'vip会员'
    """
    folded = text.casefold()  # unlike lower(), independent of the position of a character (Σ, ς)
    if len(folded) == len(text):
        return folded
    return "".join(folded if len(folded := char.casefold()) == 1 else char for char in text)


def fold_raw(text: str) -> str:
    """Return the form in which a cleaned text or literal is searched where case does not count.

    Examples
    --------
    >>> fold_raw("A 股") == fold_raw("a股"), fold_raw("a股") in fold_raw("LA股东大会"), fold_raw("股东") in fold_raw("LA股东大会")
    (True, False, True)
    """
    return fold_case(squeeze(text))


def readable(raw: str) -> str:
    """Return what `squeeze` or `fold_raw` made of a literal as people write it.

    Examples
    --------
    >>> readable(fold_raw("Edu  Trust 认证"))
    'edu trust认证'
    """
    return raw.replace(BORDER * 2, " ").replace(BORDER, "").replace(DOT, "·")
