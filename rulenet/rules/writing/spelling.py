"""How a text is written in YAML: with or without quotes, and how wide. Imports yaml only."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import yaml

_SAFE = re.compile(r"\w(?:[\w .'()/%+&$!?·-]*[\w.'()%+!?])?")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}
_resolve: Any = yaml.resolver.Resolver().resolve


def is_plain(text: str) -> bool:
    """Whether a text needs no quotes, neither here nor for readers that take 007 or no for something else."""
    return bool(_SAFE.fullmatch(text)) and str(_resolve(yaml.ScalarNode, text, (True, False))).endswith(":str")


def quote(text: str, *, single: bool = False) -> str:
    """A text in quotes: double ones, or single ones if it contains backslashes or double quotes, or on request.

    Examples
    --------
    >>> print(quote("a, b"), quote('\\\\d+ "x"'), quote("a\\nb"))
    "a, b" '\\d+ "x"' "a\\nb"
    """
    if not text.isprintable():
        return f'"{"".join(map(_escaped, text))}"'
    if single or '"' in text or "\\" in text:
        return "'" + text.replace("'", "''") + "'"
    return f'"{text}"'


def _escaped(character: str) -> str:
    if character.isprintable() or character in _ESCAPES:
        return _ESCAPES.get(character, character)
    return f"\\U{ord(character):08X}" if character > "\uffff" else f"\\u{ord(character):04X}"


def columns(text: str) -> int:
    """Width on a screen; a Chinese character takes two columns."""
    if text.isascii():
        return len(text)
    return len(text) + sum(unicodedata.east_asian_width(character) in "WF" for character in text)
