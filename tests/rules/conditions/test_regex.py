"""rulenet.rules.conditions.regex: what patterns hit. One rule, one text, one expected answer per row."""

from __future__ import annotations

import pytest

from tests.rules.one_rule import hits

REGEXES = [
    (r"\d{1,3}-\d{1,3} (win|loss)", "a 102-99 WIN", ["102-99 WIN"]),
    (r"\bwin\b", "winé", ["win"]),  # \b is ASCII
    ("é", "É", ["É"]),
    (r"\p{Han}{2}", "a中国b", ["中国"]),
    ("中.国", "中😀国", ["中😀国"]),
    ("^oil", "oil oil", ["oil"]),
    ("oil$", "oil oil", ["oil"]),
    ("^oil", "x\noil", None),  # ^ is the beginning of the text
    ("a.b", "a\nb", None),
    ("(?s)a.b", "a\nb", ["a\nb"]),
    ("(?-i)OIL", "oil OIL", ["OIL"]),
    ("C\\+\\+", "c++ and C", ["c++"]),
    ("^$", "", [""]),
    ("<b>", "<b>", None),  # tags are gone before rules look
    ("[?!]", "好？", ["？"]),
    ("x*", "b", ["", ""]),
    (["oil", "gas"], "gas oil", ["gas", "oil"]),
    ("o+", "oo😀o", ["oo", "o"]),
]


@pytest.mark.parametrize(("pattern", "text", "found"), REGEXES)
def test_regexes(pattern: str | list[str], text: str, found: list[str] | None) -> None:
    assert hits({"regex": pattern}, text) == found


def test_case() -> None:
    assert hits({"regex": "U[A-Z]", "case": "exact"}, "us US") == ["US"]
