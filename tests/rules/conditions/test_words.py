"""rulenet.rules.conditions.words: literals that can never be found. What they hit is in `test_literals.py`."""

from __future__ import annotations

import pytest

from rulenet.rules.conditions.words import literal_flaw


@pytest.mark.parametrize(
    ("literal", "kind", "code"),
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
        ("grand slam", "word", "several-words"),
        ("grand\u3000slam", "word", "several-words"),
        ("++", "phrase", "unfindable"),
        ("\u200b", "word", "unfindable"),
    ],
)
def test_literals_that_are_never_found(literal: str, kind: str, code: str | None) -> None:
    flaw = literal_flaw(literal, kind)
    assert (flaw and flaw.code.name) == code
