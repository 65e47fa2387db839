"""Characters that break a rule file unseen: tabs, wide spaces, colons and commas, dashes of word processors, line breaks of Unicode.

Imports the schema and the reading of YAML.
"""

from __future__ import annotations

import re

from pydantic import BaseModel, ValidationError

from rulenet.errors import Edit, Fault
from rulenet.rules.file import codes
from rulenet.rules.file.parse import parse_yaml
from rulenet.rules.file.schema import MODELS, RuleFile

_MODELS: tuple[type[BaseModel], ...] = (RuleFile, *MODELS.values())
_NAMES = "|".join(sorted({name for model in _MODELS for name in model.model_fields}, key=len, reverse=True))
_INDENT = re.compile("^[ \t\u00a0\u3000]*[\t\u00a0\u3000][ \t\u00a0\u3000]*", re.M)
# A wide colon, or a wide space after one; and a wide comma, between fields.
_COLON = re.compile(
    rf"((?:^[ \t\u00a0\u3000]*(?:- +)?|(?<=[{{,，])[ \u3000]*)(?:{_NAMES}))(?:：|:[\u00a0\u3000])[ \u00a0\u3000]*"
    rf"|，(?=[ \u3000]*(?:{_NAMES})[:：])",
    re.M,
)
# The dash of a list as word processors write it: hyphens, dashes, the minus sign, bullets.
_BULLET = re.compile("^([ \t\u00a0\u3000]*)[\u2010-\u2015\u2212\uff0d\u2022\u00b7][ \u00a0\u3000]+", re.M)
_BREAK = re.compile("[\x85\u2028\u2029]")


def odd_characters(text: str) -> tuple[list[Fault], str]:
    """A fault for each line with such a character, if the text has fewer faults without them; and the text without them."""
    faults = []
    for pattern, message in (
        (
            _BREAK,
            "a character that editors may not show (U+0085, U+2028 or U+2029) ends a line here; put a space in its place",
        ),
        (_INDENT, "a tab or wide space before the line; indent with spaces"),
        (_BULLET, "a dash of another kind, or a bullet, before the line; write '- '"),
        (_COLON, "a wide colon after the name of a field, or a wide comma before it; write ': ' and ','"),
    ):
        places = [match.start() for match in pattern.finditer(text)]
        if places and badness(repaired := pattern.sub(_changed, text)) < badness(text):
            numbers = dict.fromkeys(text.count("\n", 0, at) + 1 for at in places)
            faults += [Fault(codes.ODD_CHARACTER, message, number, edit=Edit("characters")) for number in numbers]
            text = repaired
    return faults, text


def ordinary(text: str, at: int) -> list[tuple[int, int, str]]:
    """The changes that put ordinary spaces, colons and commas into the line that begins at a place."""
    end = text.find("\n", at)
    return [
        _change(match)
        for pattern in (_BREAK, _INDENT, _BULLET, _COLON)
        for match in pattern.finditer(text, at, end if end >= 0 else len(text))
    ]


def _change(match: re.Match[str]) -> tuple[int, int, str]:
    """The part of a match that changes, and what it is then."""
    if match.re is _BREAK:
        return (*match.span(), " ")
    if match.re is _INDENT:
        return (*match.span(), match[0].replace("\t", "  ").replace("\u00a0", " ").replace("\u3000", "  "))
    if match.re is _BULLET:
        return (match.end(1), match.end(), "- ")
    return (match.end(1), match.end(), ": ") if match[1] else (*match.span(), ",")


def _changed(match: re.Match[str]) -> str:
    start, _, new = _change(match)
    return match[0][: start - match.start()] + new


def badness(text: str) -> tuple[bool, int]:
    """How bad the faults of a text are, apart from its content: whether it is not YAML, and their number."""
    data, _, faults = parse_yaml(text)
    if data is None:
        return True, len(faults)
    try:
        RuleFile.model_validate(data)
    except ValidationError as error:
        return False, len(faults) + error.error_count()
    return False, len(faults)
