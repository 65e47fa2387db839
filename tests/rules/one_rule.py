"""One rule asked of one text, for tests with one expected answer per row."""

from __future__ import annotations

import json
from typing import Any

from rulenet.rules.ruleset import RuleSet
from rulenet.text.language import Language

LEXICONS = {
    "leagues": ["NBA", "Premier League"],
    "all sport": [{"lexicon": "leagues"}, "足球", "judo"],
    "teams": ["Lakers", "Celtics"],
    "mood": [{"term": "great", "weight": 2}, "nice", {"term": "awful", "weight": -3}],
}


def one_rule(condition: dict[str, Any], **more: Any) -> RuleSet:
    rule = {"id": "r", "label": "x"} | condition
    return RuleSet.from_yaml(
        json.dumps({"rulenet": 1, "lexicons": LEXICONS, "rules": [rule], **more}, ensure_ascii=False)
    )


def hits(condition: dict[str, Any], text: str, language: Language = "en", **more: Any) -> list[str] | None:
    """The stretches of the text that a rule hits, None if it does not fire; matrix and spans must say the same."""
    ruleset = one_rule(condition, **more)
    spans = ruleset.spans(text, language=language).get("r")
    assert ruleset.match([text], language=language).nnz == (spans is not None)
    return None if spans is None else [text[start:end] for start, end in spans]
