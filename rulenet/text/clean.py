"""Raw text → readable text, with a map back to the original characters. Imports only the standard library.

Handles HTML entities (including those that lost their ampersand, as in news wires: ``company #39;s``), tags, control and
zero-width characters, lone surrogates, full-width forms and Unicode compatibility forms (NFKC).
"""

from __future__ import annotations

import html
import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass, field

# The pattern starts with one set of characters, so that clean stretches are only scanned. Lengths are bounded and no
# alternative crosses '<' or '>', so that even a hostile text takes linear time.
_PIECE = re.compile(
    r"""
    [^\t\n\x20-\x22\x24\x25\x27-\x3b=-`b-pr-\x7e]  # &<#qa, controls, and all beyond ASCII
    (?: (?P<unicode> (?<=[^\x00-\x7f])[^\x00-\x7f]* )
      | (?P<control> (?<=[\x00-\x1f\x7f]) )
      | (?P<tag>     (?<=<)(?: !--[^<>]{0,2000}-- | /?[A-Za-z][^<>]{0,500} )>
                     | (?<=&)lt; /?[A-Za-z](?: [^<>&] | &(?!lt;|gt;) ){0,500} &gt; )
      | (?P<entity>  (?<=&)(?:amp;)?(?: \#\d{1,7} | \#[xX][0-9a-fA-F]{1,6} | [A-Za-z][A-Za-z0-9]{1,30} ); )
      | (?P<joined>  (?<=\#)39;(?: (?<=\S\ \#39;)(?=(?i:s|t|re|ve|ll|d|m)\b)
                                | (?: (?<=\b[A-Za-z]\ \#39;) | (?<=\b[A-Z][a-z]\ \#39;) | (?<=\b[A-Z][a-z][a-z]\ \#39;) )(?=[A-Za-z]) ) )
      | (?P<damaged> (?<=\#)\d{2,5}; | (?<=\bq)uot; | (?<=\ba)mp; )
    )
    """,
    re.VERBOSE,
)
# In a text with combining marks, a stretch begins at the character that carries the first mark.
_MARK = re.compile("[\u0300-\u036f\u3099\u309a]")
_MARKED = re.compile(
    "(?P<unicode>[\x21-\x7e](?=[\u0300-\u036f\u3099\u309a])[^\x00-\x7f]*)|"
    + _PIECE.pattern.replace("(?P<unicode>", "(?P<other>"),
    re.VERBOSE,
)
# Zero-width and directional characters.
_INVISIBLE = frozenset("\u00ad\u061c\u180e\ufeff\U000e0001") | frozenset(
    chr(code)
    for first, last in ((0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F))
    for code in range(first, last + 1)
)
# Longer runs of combining marks are parted by a grapheme joiner, as sorting them takes quadratic time (UAX #15, Stream-Safe Text Format).
_MAX_MARKS = 30
_JOINER = "\u034f"
_LONG_RUN = re.compile(
    f"[\u0300-\u1fff\u20d0-\u20ff\u2ce0-\u2dff\u3020-\u309f\ua660-\uabff\ufb1e\ufe00-\ufe2f\U00010000-\U000e01ef]{{{_MAX_MARKS + 1}}}"
)
# Where an entity lost its ampersand, a space stands in its place: won #39;t, O #39;Neill. This mark says that it goes.
_BACK = "\x08"
_BLANK = ("Cc", "Zl", "Zp", "Zs")


@dataclass(frozen=True)
class Cleaned:
    """A cleaned text and the way back."""

    original: str
    text: str
    # Start and end of each replaced stretch, in order, in `text` and in `original`.
    _new: list[tuple[int, int]] = field(default_factory=list, repr=False)
    _old: list[tuple[int, int]] = field(default_factory=list, repr=False)

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        """Map a span of `text` to the original; a span that overlaps a replaced stretch is extended to all of it.

        Examples
        --------
        >>> cleaned = clean_with_offsets("AT&amp;T rose")
        >>> cleaned.text, cleaned.original_span(0, 4)
        ('AT&T rose', (0, 8))
        """
        if not self._new:
            return start, end
        first = self._edge(start, last=False)
        return first, self._edge(end - 1, last=True) if end > start else first

    def new_position(self, position: int) -> int:
        """Map a position of the original to `text`; inside a replaced stretch, to the start of its replacement.

        Examples
        --------
        >>> clean_with_offsets("AT&amp;T rose").new_position(8)
        4
        """
        i = bisect_right(self._old, (position, -1)) - 1  # last replaced stretch that begins before it
        if i < 0:
            return position
        (new_start, new_end), (_, old_end) = self._new[i], self._old[i]
        return new_start if position < old_end else new_end + (position - old_end)

    def _edge(self, position: int, *, last: bool) -> int:
        """Original position of the start of a character, or of its end if `last`."""
        i = bisect_right(self._new, (position, 1 << 62)) - 1  # last replaced stretch that begins at or before it
        if i < 0:
            return position + last
        (_, new_end), (old_start, old_end) = self._new[i], self._old[i]
        if position < new_end:
            return old_end if last else old_start
        return old_end + (position - new_end) + last


def clean(text: str) -> str:
    """Clean a text.

    Examples
    --------
    >>> clean("Oil<br />at \\uff04\\uff15\\uff13: the company#39;s &quot;loss&quot;")
    'Oil at $53: the company\\'s "loss"'
    """
    cleaned = _pattern(text).sub(_replace, text)
    return cleaned.replace(f" {_BACK}", "") if "#39;" in text else cleaned


def clean_with_offsets(text: str) -> Cleaned:
    """Clean a text and keep a map back to the original characters.

    Examples
    --------
    >>> cleaned = clean_with_offsets("<b>caf\\u00e9</b>")
    >>> cleaned.text, cleaned.original_span(1, 5)
    (' café ', (3, 7))
    """
    parts: list[str] = []
    new: list[tuple[int, int]] = []
    old: list[tuple[int, int]] = []
    at = length = 0
    for match in _pattern(text).finditer(text):
        start = match.start() - (match.lastgroup == "joined")
        length += start - at
        parts.append(text[at:start])
        at = start
        for source, replacement in _pieces(match):
            if replacement != source:
                new.append((length, length + len(replacement)))
                old.append((at, at + len(source)))
            parts.append(replacement)
            length += len(replacement)
            at += len(source)
    parts.append(text[at:])
    return Cleaned(text, "".join(parts), new, old)


def _pattern(text: str) -> re.Pattern[str]:
    return _PIECE if text.isascii() or _MARK.search(text) is None else _MARKED


def _replace(match: re.Match[str]) -> str:
    """Return the replacement of one match of `_PIECE`."""
    found, kind = match[0], match.lastgroup
    if kind == "joined":
        return f"{_BACK}'"
    is_text = kind in ("unicode", "other") and found.isprintable()
    has_long_run = is_text and len(found) > _MAX_MARKS and _LONG_RUN.search(found)
    if is_text and not has_long_run and unicodedata.is_normalized("NFKC", found):
        return found
    return "".join(replacement for _, replacement in _pieces(match))


def _pieces(match: re.Match[str]) -> list[tuple[str, str]]:
    """Split one match into its smallest parts, each with its replacement, so that offsets stay fine-grained."""
    found = match.group()
    kind = match.lastgroup
    if kind in ("tag", "control"):
        return [(found, " ")]
    if kind == "joined":
        return [(f" {found}", "'")]
    if kind == "entity":
        return [(found, _normal(html.unescape(html.unescape(found))))]  # twice: &amp;quot; was escaped twice
    if kind == "damaged":
        return [(found, _normal(html.unescape("&" + found)))]
    pieces: list[tuple[str, str]] = []
    start = n_marks = 0
    joiner = ""
    for i, char in enumerate(found):
        # A mark is normalised together with the character before it: é from e + ´, 한 from its three letters.
        normal = unicodedata.normalize("NFKC", char)
        added = len(normal) if unicodedata.combining(normal[0]) else 0
        n_marks = n_marks + added if added else 0
        if i and (not _joins(normal[0]) or n_marks > _MAX_MARKS):
            pieces.append((found[start:i], joiner + _normal(found[start:i])))
            joiner = _JOINER if _joins(normal[0]) else ""
            start, n_marks = i, added
    return [*pieces, (found[start:], joiner + _normal(found[start:]))]


def _joins(char: str) -> bool:
    """Whether a character may compose with the one before it: marks, and Korean vowels and final consonants."""
    return (unicodedata.category(char)[0] == "M" and char != _JOINER) or "\u1160" <= char <= "\u11ff"


def _normal(text: str) -> str:
    """Apply NFKC and drop invisible characters; lone surrogates become U+FFFD, other separators and controls a space."""
    text = text.replace("\u00b4", "'")  # NFKC makes this accent, typed for an apostrophe, a space with a mark
    return "".join(
        "\ufffd" if "\ud800" <= char <= "\udfff" else " " if unicodedata.category(char) in _BLANK else char
        for char in unicodedata.normalize("NFKC", text)
        if char not in _INVISIBLE
    )
