"""rulenet.rules.conditions.combination: any, all, none, and unless. One rule, one text, one expected answer per row."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.one_rule import hits

A, B, C = {"word": "a"}, {"word": "b"}, {"word": "c"}
NESTED = [
    ({"any": [A, B]}, "b", ["b"]),
    ({"any": [A, B]}, "b a", ["b", "a"]),
    ({"any": [A, B]}, "c", None),
    ({"all": [A, B]}, "b a b", ["b", "a", "b"]),
    ({"all": [A, B]}, "b", None),
    ({"all": [A, A]}, "a", ["a"]),
    ({"none": [A, B]}, "c", []),
    ({"none": [A, B]}, "", []),
    ({"none": [A, B]}, "a", None),
    ({"all": [A, {"none": [B]}]}, "a c", ["a"]),
    ({"all": [A, {"none": [B]}]}, "a b", None),
    ({"any": [A, {"none": [B]}]}, "c", []),
    ({"any": [A, {"none": [B]}]}, "a b", ["a"]),
    ({"any": [A, {"none": [B]}]}, "b", None),
    ({"none": [{"none": [A]}]}, "a", []),
    ({"none": [{"none": [A]}]}, "b", None),
    ({"all": [{"any": [A, B]}, {"any": [B, C]}]}, "a c", ["a", "c"]),
    ({"all": [{"any": [A, B]}, {"any": [B, C]}]}, "b", ["b"]),
    ({"all": [{"any": [A, B]}, {"any": [B, C]}]}, "a", None),
    ({"any": [{"all": [A, {"regex": "[0-9]"}]}, {"lexicon": "leagues"}]}, "a 7", ["a", "7"]),
    ({"any": [{"all": [A, {"regex": "[0-9]"}]}, {"lexicon": "leagues"}]}, "7 nba", ["nba"]),
    # unless
    ({"word": "a", "unless": [B, C]}, "a", ["a"]),
    ({"word": "a", "unless": [B, C]}, "a c", None),
    ({"word": "a", "unless": [{"all": [B, C]}]}, "a c", ["a"]),
    ({"word": "a", "unless": [{"all": [B, C]}]}, "c a b", None),
    ({"word": "a", "unless": [{"none": [B]}]}, "a", None),
    ({"word": "a", "unless": [{"none": [B]}]}, "a b", ["a"]),
    ({"none": [A], "unless": [B]}, "b", None),
    ({"none": [A], "unless": [B]}, "c", []),
]


@pytest.mark.parametrize(("condition", "text", "found"), NESTED)
def test_nesting(condition: dict[str, Any], text: str, found: list[str] | None) -> None:
    assert hits(condition, text) == found
