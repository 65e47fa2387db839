"""rulenet.rules.conditions.regex_smells: what patterns smell of."""

from __future__ import annotations

import re

import pytest

from rulenet.rules.conditions.patterns import compile_regex
from rulenet.rules.conditions.regex_smells import PROBES, hits_nearly_all, only_literals, plain_literals, regex_smells
from rulenet.text.clean import clean

SMELLS = [
    ("x*", "RN321"),
    ("(win)?|lose", "RN321"),
    (r"\w", "RN321"),
    ("[aeiou]", "RN321"),
    ("e|a", "RN321"),
    (r"^\S", "RN321"),
    ("[A-z]+[0-9]", "RN324"),
    ("[cat|dog] food", "RN324"),
    (".*refund", "RN325"),
    ("^.*refund", "RN325"),
    ("refund.*", "RN325"),
    ("refund.*$", "RN325"),
    ("a.{0,500}b", "RN327"),
    ("[ab]{1000}", "RN327"),
    (r"\bélan", "RN323"),
    ("价格：", "RN322"),
]


@pytest.mark.parametrize(("pattern", "code"), SMELLS)
def test_smell(pattern: str, code: str) -> None:
    (flaw,) = regex_smells(pattern, "en")
    assert flaw.code.number == code


@pytest.mark.parametrize(
    "pattern",
    [
        r"\bwin\b",
        "the ",  # in a third of the probes
        r"\d",
        "[?!]",
        "^.{0,15}$",  # short texts
        ".{30}",
        r"a\.*b",
        r"refund\.*",  # full stops, not anything
        ".*",  # told as matching the empty text, once
        "[0-9|]x",
        "(cat|dog) food",
        "x{2,199}y",
        "[A-Z]{2}[0-9]{6}",
        r"^\s*(?:\S+\s*){0,4}$",  # matches the empty text, and no text of more than four words
        "^$",
    ],
)
def test_no_smell(pattern: str) -> None:
    assert [flaw for flaw in regex_smells(pattern, "en") if flaw.code.name != "regex-matches-all"] == []


def test_letters_alone_hit_inside_words() -> None:
    assert [flaw.code.name for flaw in regex_smells("my", "en")] == ["regex-inside"]
    assert list(regex_smells("我的", "zh")) == list(regex_smells("my .?", "en")) == []


def test_case_counts_where_the_rule_says_so() -> None:
    assert [flaw.code.name for flaw in regex_smells("[aeiou]", "en")] == ["regex-matches-all"]
    assert list(regex_smells("[AEIOU]", "en", exact=True)) == []


def test_each_language_has_its_own_probes() -> None:
    assert hits_nearly_all("[a-z]", "en")
    assert not hits_nearly_all("[a-z]", "zh")
    assert not hits_nearly_all("[a-z]", "any")
    assert hits_nearly_all(r"\p{Han}", "zh")
    assert hits_nearly_all(".", "any")


def test_the_probes_differ_from_each_other() -> None:
    """No common word is in so many of them that it would pass for everything."""
    words = [set(re.findall(r"\w+", text.lower())) for text in PROBES["en"]]
    assert max(sum(word in found for found in words) for word in set().union(*words)) < 0.7 * len(words)
    characters = [set(clean(text)) for text in PROBES["zh"]]
    assert max(sum(c in found for found in characters) for c in set().union(*characters)) < 0.7 * len(characters)
    assert all(compile_regex(".").search(text) for texts in PROBES.values() for text in texts)


PLAIN = [
    (r"\bwin\b", ["win"]),
    (r"\b(win|lose)\b", ["win", "lose"]),
    (r"\b(?:vice president)\b", ["vice president"]),
    ("送货|派送", ["送货", "派送"]),
    ("(送货|派送)", ["送货", "派送"]),
    ("退款", ["退款"]),
    ("win", []),  # also in window
    (r"\bwin|lose\b", []),  # \b belongs to one alternative only
    (r"\bwin", []),
    (r"\bwins?\b", []),
    ("iphone手机", []),  # a word would have borders beside iphone
    ("[?]", []),
    ("送.货", []),
]


@pytest.mark.parametrize(("pattern", "literals"), PLAIN)
def test_plain_literals(pattern: str, literals: list[str]) -> None:
    assert plain_literals(pattern) == literals


def test_only_a_whole_list_of_literals_is_told() -> None:
    assert only_literals([r"\bwin\b", r"win \d"]) is None
    assert "word: [win, lose]" in str(only_literals([r"\bwin\b", r"\blose\b"]))
    assert "phrase: vice president" in str(only_literals([r"\bvice president\b"]))
