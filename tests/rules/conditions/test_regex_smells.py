"""rulenet.rules.conditions.regex_smells: what patterns smell of."""

from __future__ import annotations

import re

import pytest

from rulenet.rules.conditions.patterns import compile_regex
from rulenet.rules.conditions.regex_smells import PROBES, hits_nearly_all, only_literals, plain_literals, regex_smells
from rulenet.text.clean import clean

SMELLS = [
    ("x*", "matches the empty text"),
    ("(win)?|lose", "matches the empty text"),
    (r"\w", "hits nearly every text"),
    ("[aeiou]", "hits nearly every text"),
    ("e|a", "hits nearly every text"),
    (r"^\S", "hits nearly every text"),
    ("[A-z]+[0-9]", "A-z also takes in"),
    ("[cat|dog] food", "[cat|dog] is any one of these letters; for one of these words write (cat|dog)"),
    (".*refund", "begins with .*"),
    ("^.*refund", "begins with .*"),
    ("refund.*", "ends with .*"),
    ("refund.*$", "ends with .*"),
    ("a.{0,500}b", "repeats a part up to 500 times, which is slow"),
    ("[ab]{1000}", "repeats a part up to 1000 times"),
    (r"\bélan", r"\b is ASCII in RE2"),
    ("价格：", "cleaning replaces"),
]


@pytest.mark.parametrize(("pattern", "part"), SMELLS)
def test_smell(pattern: str, part: str) -> None:
    ((message, severity),) = regex_smells(pattern, "en")
    assert part in message
    assert severity == "warning"


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
    assert [message for message, _ in regex_smells(pattern, "en") if "empty text" not in message] == []


def test_letters_alone_hit_inside_words() -> None:
    ((message, severity),) = regex_smells("my", "en")
    assert message == r"regex 'my' also hits inside longer words; if that is not meant, write \b(my)\b or word:"
    assert severity == "info"
    assert list(regex_smells("我的", "zh")) == list(regex_smells("my .?", "en")) == []


def test_case_counts_where_the_rule_says_so() -> None:
    assert [severity for _, severity in regex_smells("[aeiou]", "en")] == ["warning"]
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
