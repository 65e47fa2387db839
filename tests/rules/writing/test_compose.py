from __future__ import annotations

import pytest

from rulenet.errors import InputError
from rulenet.rules.file.parse import parse_yaml
from rulenet.rules.ruleset import RuleSet
from rulenet.rules.writing.compose import as_read, file_text, node_of, rule_lines
from rulenet.rules.writing.format import WIDTH, format_text

RULE = {
    "note": "why: because",
    "id": "a.b",
    "label": "Sci/Tech",
    "any": [
        {"word": ["no", "refund", "退款", "C++"]}, {"regex": [r"\\d+", "a'b"]},
        {"near": {"terms": ["a", {"word": ["b", "c"]}], "within": 3}},
    ],
    "negation": {"flip": "World"},
    "confidence": 0.9,
    "pin": True,
    "examples": {"reject": ["x\ny"], "match": ["It's \"so\"", {"title": "a", "body": "b: c"}]},
}  # fmt: skip


def test_a_rule_is_written_as_authors_write_it_and_read_as_it_was() -> None:
    lines = rule_lines([RULE, {"id": "c"}], 0, ["# new"])
    assert (
        "\n".join(lines)
        == r"""# new
- id: a.b
  label: Sci/Tech
  any:
    - word: ["no", refund, 退款, C++]
    - regex: ['\\d+', 'a''b']
    - near: {terms: [a, {word: [b, c]}], within: 3}
  negation: {flip: World}
  confidence: 0.9
  pin: true
  examples:
    match: ['It''s "so"', {title: a, body: "b: c"}]
    reject: ["x\ny"]
  note: "why: because"

- id: c"""
    )
    assert parse_yaml("\n".join(lines))[0] == as_read([RULE, {"id": "c"}])


def test_values_that_no_file_can_hold() -> None:
    for value in (None, b"a", {1}):
        with pytest.raises(InputError, match="cannot be written to a rule file"):
            node_of({"word": [value]}, "rules")


WORDS = [
    "no", "true", "null", "7up", "AT&T", "C++", "a: b", "- dash", "#hash", 'say "hi"', "it's", "back\\slash", "1.0", "手机",
    "emoji 😀", "line\u2028break", "tab\tbed", "[x]", "{y}", "* a", "&a", "!t", "% of", "@at", "`tick`", "x #y", "trailing:", "é",
]  # fmt: skip


def test_any_word_survives() -> None:
    for word in WORDS:
        rule = {"id": "a", "label": "x", "phrase": ["keep", word], "examples": {"match": [word]}, "note": word}
        assert parse_yaml("\n".join(rule_lines([rule])))[0] == as_read([rule])


def test_long_lists_are_wrapped() -> None:
    rule = {"id": "a", "label": "x", "phrase": [f"word{i} of {i}" for i in range(60)]}
    lines = rule_lines([rule])
    assert max(map(len, lines)) <= WIDTH
    assert parse_yaml("\n".join(lines))[0] == as_read([rule])


def test_a_file_with_the_settings_of_another_is_in_the_layout_of_all_files() -> None:
    like = RuleSet.from_yaml(
        "{rulenet: 1, language: zh, labels: ['no', b], fold_traditional: true, rules: [{id: a, label: b, word: 退}]}"
    ).file
    text = file_text([{"id": "a", "label": "b", "word": ["退款"]}], like=like, above=["# new"])
    assert (
        text
        == """rulenet: 1
language: zh
labels: ["no", b]
fold_traditional: true

rules:
  # new
  - id: a
    label: b
    word: [退款]
"""
    )
    assert format_text(text) == text
