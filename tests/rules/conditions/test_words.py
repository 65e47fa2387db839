"""rulenet.rules.conditions.words: literals that can never be found. What they hit is in `test_literals.py`."""

from __future__ import annotations

import pytest

from rulenet.rules.conditions.words import literal_problem


@pytest.mark.parametrize(
    ("literal", "kind", "problem"),
    [
        ("win", "word", None),
        ("don't", "word", None),
        ("e-mail", "word", None),
        ("AT&amp;T", "word", None),
        (" win ", "word", None),
        ("中 国", "word", None),
        ("grand slam", "phrase", None),
        ("Premier League", "lexicon", None),
        ("C++", "word", None),
        ("grand slam", "word", "word 'grand slam' is several words; write phrase: grand slam"),
        ("grand\u3000slam", "word", "word 'grand\\u3000slam' is several words; write phrase: grand\u3000slam"),
        ("++", "phrase", "'++' holds no letter or digit, so it can never be found; use a regex"),
        ("\u200b", "word", "'\\u200b' holds no letter or digit, so it can never be found; use a regex"),
    ],
)
def test_literal_problem(literal: str, kind: str, problem: str | None) -> None:
    assert literal_problem(literal, kind) == problem
