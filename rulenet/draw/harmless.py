"""The one rule for text that others wrote, whatever draws it: no character in it steers the screen. Imports nothing."""

from __future__ import annotations


def harmless(text: str, *, one_line: bool = False) -> str:
    """The same text, of the same length, without characters that steer a terminal or turn the direction of reading.

    Line breaks, tabs and the joiners of emoji stay, other spaces become plain ones, and the rest becomes U+FFFD. On one line, as in a
    terminal, all of these become spaces.

    Examples
    --------
    >>> harmless("a\\x1b[31mb\\nc"), harmless("a\\x1b[31mb\\nc", one_line=True)
    ('a\ufffd[31mb\\nc', 'a [31mb c')
    """
    if text.isprintable():
        return text
    if one_line:
        return "".join(char if char.isprintable() else " " for char in text)
    return "".join(
        char if char.isprintable() or char in "\n\t\u200c\u200d" else " " if char.isspace() else "\ufffd"
        for char in text
    )
