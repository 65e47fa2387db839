"""The one rule for text that others wrote, whatever draws it: no character in it steers the screen. Imports only the standard library."""

from __future__ import annotations

import re
import unicodedata

# A joiner does its work in emoji and in scripts such as Persian; next to Latin letters it only makes two names look the same.
_JOINER = "(?<=[^\0-\u02ff\u2000-\u206f])[\u200c\u200d](?=[^\0-\u02ff\u2000-\u206f])"
_INVISIBLE = ("Cc", "Cf", "Cs", "Zl", "Zp")


def harmless(text: str, *, one_line: bool = False) -> str:
    """The same text, of the same length, without characters that steer a terminal, turn the direction of reading or cannot be seen.

    Control characters become their pictures (ESC is ␛), other such characters U+FFFD and other spaces plain ones. The joiners of
    emoji and of scripts that need them stay, and so do \\n and tabs, unless it must be one line: then they become pictures too.

    Examples
    --------
    >>> harmless("a\\x1b[31mb\\nc"), harmless("a\\x1b[31mb\\nc", one_line=True)
    ('a␛[31mb\\nc', 'a␛[31mb␊c')
    """
    kept = "" if one_line else "\n\t"
    if text.isprintable() or (kept and text.replace("\n", "").isprintable()):
        return text
    joiners = {match.start() for match in re.finditer(_JOINER, text)}
    return "".join(
        char
        if char.isprintable() or char in kept or i in joiners
        else " "
        if kept and char.isspace()
        else _picture(char)
        for i, char in enumerate(text)
    )


def _picture(char: str) -> str:
    if char < " ":
        return chr(0x2400 + ord(char))
    if char == "\x7f":
        return "␡"
    if unicodedata.category(char) in _INVISIBLE:
        return "\ufffd"
    return " " if char.isspace() else char  # private and unknown characters do nothing
