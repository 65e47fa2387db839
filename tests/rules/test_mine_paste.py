"""YAML of suggested rules: whatever a text holds, it reads back as it was."""

from __future__ import annotations

import pytest

from rulenet.rules.mine.paste import rule_yaml
from rulenet.rules.ruleset import RuleSet


def read_back(rule: dict) -> RuleSet:
    return RuleSet.from_yaml("rulenet: 1\nrules:\n" + rule_yaml(rule))


@pytest.mark.parametrize(
    "word",
    [
        "no", "true", "null", "7up", "AT&T", "C++", "a: b", "- dash", "#hash", 'say "hi"', "it's", "back\\slash", "1.0", "手机",
        "emoji 😀", "line\u2028break", "tab\tbed", "[x]", "{y}", "* a", "&a", "!t", "% of", "@at", "`tick`", "x #y", "trailing:", "é",
    ],
)  # fmt: skip
def test_any_word_survives(word: str) -> None:
    rule = {"id": "a", "label": "x", "phrase": ["keep", word], "examples": {"match": [word]}, "note": word}
    back = read_back(rule).rules[0]
    assert back.phrase == ["keep", word]
    assert (back.note, back.examples.match) == (word, [word])


def test_long_lists_are_wrapped_and_read_back() -> None:
    many = [f"word{i} of {i}" for i in range(60)]
    text = rule_yaml({"id": "a", "label": "x", "phrase": many})
    assert max(map(len, text.splitlines())) <= 120
    assert read_back({"id": "a", "label": "x", "phrase": many}).rules[0].phrase == many


def test_conditions_within_conditions() -> None:
    rule = {
        "id": "a",
        "label": "x",
        "all": [{"word": ["b"]}, {"any": [{"word": ["c"]}, {"phrase": ["d e"]}]}],
        "unless": [{"word": ["f"]}],
    }
    ruleset = read_back(rule)
    assert ruleset.match(["b c", "b d e", "b", "b c f"]).toarray().ravel().tolist() == [1, 1, 0, 0]
