"""rulenet.rules.conditions.count: how many hits. One rule, one text, one expected answer per row."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.one_rule import hits

COUNTS = [
    ({"count": {"word": ["good", "great"], "at_least": 2}}, "good, good", ["good", "good"]),
    ({"count": {"word": ["good", "great"], "at_least": 2}}, "good", None),
    ({"count": {"word": "good", "at_most": 1}}, "good good", None),
    ({"count": {"word": "good", "at_most": 1}}, "bad", []),
    ({"count": {"lexicon": "mood", "at_least": 3}}, "great and nice", ["great", "nice"]),  # 2 + 1
    ({"count": {"lexicon": "mood", "at_least": 3}}, "great, nice, awful", None),  # 2 + 1 - 3
    ({"count": {"lexicon": "mood", "at_most": -0.0}}, "awful", ["awful"]),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "text", "found"), COUNTS)
def test_counts(condition: dict[str, Any], text: str, found: list[str] | None) -> None:
    assert hits(condition, text) == found
