"""rulenet.rules.conditions.patterns: what RE2 refuses, and what is kept."""

from __future__ import annotations

from typing import Any

import pytest

from rulenet.rules.conditions.patterns import compile_regex


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("a(?=b)", "look-around is not supported by RE2; use `all`, `none` or `unless` instead"),
        ("a(?!b)", "look-around"),
        ("(?<=a)b", "look-around"),
        ("(?<!a)b", "look-around"),
        (r"(a)\1", "back-references are not supported by RE2; spell the alternatives out"),
        ("(?P<x>a)(?P=x)", "back-references"),
        ("(", "not a regular expression that RE2 accepts: missing \\)"),
        ("[a", "missing \\]"),
        ("a{1001}", "invalid repetition size"),
        ("(a{1000}){100}", "invalid repetition size|too large"),
        (r"\8", "back-references"),
        (r"\z\Z", "invalid escape sequence"),
    ],
)
def test_refused_regexes(pattern: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compile_regex(pattern)


@pytest.mark.parametrize("pattern", [r"(?:a)\b", "(?P<year>[0-9]+)", r"\\1", "a|", "(?i)x", r"\p{Greek}", r"\x{4e2d}"])
def test_accepted_regexes(pattern: str) -> None:
    assert compile_regex(pattern) is compile_regex(pattern)


def test_kept_regexes_stay_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: dict[str, Any] = {str(i): None for i in range(50_001)}
    monkeypatch.setattr("rulenet.rules.conditions.patterns._compiled", kept)
    compile_regex("new")
    assert list(kept) == ["new"]
