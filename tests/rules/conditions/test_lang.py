"""rulenet.rules.conditions.lang: the language of a text. One rule, one text, one expected answer per row."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.one_rule import hits

LANGUAGES = [
    ({"all": [{"lang": "en"}, {"word": "win"}]}, "a win", ["win"]),
    ({"all": [{"lang": "zh"}, {"word": "win"}]}, "a win", None),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "text", "found"), LANGUAGES)
def test_languages(condition: dict[str, Any], text: str, found: list[str] | None) -> None:
    assert hits(condition, text) == found
