"""rulenet.rules.conditions.length: how long a text is. One rule, one text, one expected answer per row."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.one_rule import hits

LENGTHS = [
    ({"length": {"at_most": 2}}, "two words!", []),
    ({"length": {"at_most": 2}}, "now three words", None),
    ({"length": {"at_least": 5, "unit": "characters"}}, " four ", None),
    ({"length": {"at_least": 5, "unit": "characters"}}, "fives", []),
    ({"length": {"at_least": 3}}, "三个字", []),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "text", "found"), LENGTHS)
def test_lengths(condition: dict[str, Any], text: str, found: list[str] | None) -> None:
    assert hits(condition, text) == found
