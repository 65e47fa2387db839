"""Characters of another keyboard that break a rule file: tabs, wide spaces, wide colons. Imports the schema and the reading of YAML."""

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
_COLON = re.compile(rf"^(\s*(?:- +)?(?:{_NAMES}))：[ \u3000]*", re.M)


def odd_characters(text: str) -> tuple[list[Fault], str]:
    """A fault for each line with such a character, if the text has fewer faults without them; and the text without them."""
    faults = []
    for pattern, edit, message in (
        (_INDENT, Edit("characters"), "a tab or wide space before the line; indent with spaces"),
        (_COLON, Edit("characters"), "a wide colon after the name of a field; write ': '"),
    ):
        places = [match.start() for match in pattern.finditer(text)]
        if places and badness(repaired := pattern.sub(_ordinary, text)) < badness(text):
            faults += [Fault(codes.ODD_CHARACTER, message, text.count("\n", 0, at) + 1, edit=edit) for at in places]
            text = repaired
    return faults, text


def ordinary(text: str, at: int) -> list[tuple[int, int, str]]:
    """The changes that put ordinary spaces before the line that begins at a place, and an ordinary colon after its field."""
    indent, colon = _INDENT.match(text, at), _COLON.match(text, at)
    changes = [(indent.start(), indent.end(), _ordinary(indent))] if indent else []
    return changes + ([(colon.end(1), colon.end(), ": ")] if colon else [])


def _ordinary(match: re.Match[str]) -> str:
    if match.re is _COLON:
        return f"{match[1]}: "
    return match[0].replace("\t", "  ").replace("\u00a0", " ").replace("\u3000", "  ")


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
