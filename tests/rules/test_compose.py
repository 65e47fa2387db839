from __future__ import annotations

import pytest

from rulenet.errors import InputError
from rulenet.rules.compose import as_read, node_of, rule_lines
from rulenet.rules.parse import parse_yaml

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
        with pytest.raises(InputError, match="cannot stand in a rule file"):
            node_of({"word": [value]}, "rules")
