"""A rule as plain data → YAML as an author would write it. Imports the standard library only."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

WIDTH = 110
# What YAML and our schema read as the text itself, without quotes.
_PLAIN = re.compile(r"[^\W\d_](?:[\w.'&/=|-]| (?! |$))*")
_WORDS_OF_YAML = frozenset(["yes", "no", "true", "false", "null", "on", "off", "y", "n"])


def rule_yaml(rule: Mapping[str, Any], *, indent: int = 2) -> str:
    """One entry of `rules:`, ready to paste.

    Parameters
    ----------
    rule
        Fields of a rule: text, numbers, lists and mappings.
    indent
        Spaces before the dash.

    Examples
    --------
    >>> print(rule_yaml({"id": "sports.goal", "word": ["goal", "no"], "weight": 2.5, "examples": {"match": ["A goal!"]}}))
      - id: sports.goal
        word: [goal, "no"]
        weight: 2.5
        examples:
          match:
            - "A goal!"
    """
    lines = _mapping(rule)
    return textwrap.indent("\n".join(["- " + lines[0], *(f"  {line}" for line in lines[1:])]), " " * indent)


def settings_yaml(file: Any) -> str:
    """The head of a rule file: format, language, labels and how texts are read, as in another.

    Parameters
    ----------
    file
        A `RuleFile`.
    """
    lines = ["rulenet: 1", f"language: {file.language}"]
    if file.labels:
        lines += _list("labels", file.labels)
    if file.fold_traditional:
        lines.append("fold_traditional: true")
    return "\n".join(lines) + "\n"


def _mapping(data: Mapping[str, Any]) -> list[str]:
    lines = []
    for key, value in data.items():
        if isinstance(value, Mapping):
            lines += [f"{key}:", *(f"  {line}" for line in _mapping(value))]
        elif isinstance(value, (list, tuple)):
            lines += _list(key, value)
        else:
            lines.append(f"{key}: {_scalar(value)}")
    return lines


def _list(key: str, values: Sequence[Any]) -> list[str]:
    if any(isinstance(value, Mapping) for value in values):
        lines = [f"{key}:"]
        for value in values:
            inner = _mapping(value)
            lines += ["  - " + inner[0], *(f"    {line}" for line in inner[1:])]
        return lines
    if key in ("match", "reject"):
        return [f"{key}:", *(f"  - {_scalar(value)}" for value in values)]
    flow = f"{key}: [{', '.join(map(_scalar, values))}]"
    return textwrap.wrap(flow, WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def _scalar(value: Any) -> str:
    if not isinstance(value, str):
        return json.dumps(value)
    if _PLAIN.fullmatch(value) and value.casefold() not in _WORDS_OF_YAML and len(value) < WIDTH:
        return value
    # JSON strings are YAML; of what JSON leaves bare, YAML refuses or folds these.
    quoted = json.dumps(value, ensure_ascii=False)
    return re.sub(
        "[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]", lambda m: f"\\u{ord(m.group()):04x}", quoted
    )
