from __future__ import annotations

import typing
from pathlib import Path
from random import Random

import pytest

from rulenet.rules.file import schema
from rulenet.rules.lint.fix import _CHOICES, Change, fix
from rulenet.rules.ruleset import RuleSet
from rulenet.rules.writing.format import format_text
from rulenet.rules.writing.syntax import build_tree
from tests.rules.scribe import Scribe, rule_file

ROOT = Path(__file__).parents[3]
PACKS = sorted([*(ROOT / "rules").glob("*.yaml"), *(ROOT / "rulenet" / "demo").glob("*.yaml")])

HEAD = "rulenet: 1\nlanguage: en\nlabels: [Sports, World]\nrules:\n"

# Inside one rule: what stood there, what stands there then, part of the message.
REPAIRS = [
    ("word: b, wieght: 2", "word: b, weight: 2", "unknown field 'wieght': now weight"),
    ("wrod: b", "word: b", "unknown field 'wrod': now word"),
    ("words: [b]", "word: [b]", "unknown field 'words': now word"),
    ("Word: b", "word: b", "unknown field 'Word': now word"),
    ("any: [{regx: b}]", "any: [{regex: b}]", "unknown field 'regx': now regex"),
    ("near: {terms: [a, b], wihtin: 3}", "near: {terms: [a, b], within: 3}", "unknown field 'wihtin': now within"),
    ("word: b, confidence: 90%", "word: b, confidence: 0.9", "confidence '90%': now 0.9"),
    ("word: b, confidence: 97.5 %", "word: b, confidence: 0.975", "now 0.975"),
    ("word: b, confidence: 90", "word: b, confidence: 0.9", "confidence '90': now 0.9"),
    ("word: b, weight: １．５", "word: b, weight: 1.5", "weight '１．５': now 1.5"),
    ('word: b, weight: "1,5"', "word: b, weight: 1.5", "weight '1,5': now 1.5"),
    ("word: [oil price, oil]", "phrase: [oil price, oil]", "word 'oil price' is several words: word is now phrase"),
    ("word: oil price  ", "phrase: oil price  ", "word is now phrase"),
    ("word: [退款，退货, b]", "word: [退款, 退货, b]", "'退款，退货' is a list: now 退款, 退货"),
    ("word: 退款、退货", "word: [退款, 退货]", "'退款、退货' is a list: now [退款, 退货]"),
    ("word: [b, c, b, d, c]", "word: [b, c, d]", "'b' stood twice"),
    ("regex: ['b', b]", "regex: ['b']", "'b' stood twice"),
    ('word: [" b", "c "]', "word: [b, c]", "' b': spaces around it taken away"),
    ('near: {terms: [" b", c]}', "near: {terms: [b, c]}", "spaces around it"),
    ("regex: '（b|ｃ）'", r"regex: '\(b|c\)'", "full-width characters"),
    (r"regex: 'b\（，[！?]'", r"regex: 'b\(,[!?]'", "full-width characters"),
    ("word: b, negation: Skip", "word: b, negation: skip", "negation 'Skip': now skip"),
    ("word: b, where: first sentence", "word: b, where: first_sentence", "now first_sentence"),
    ("word: b, sign: agianst, weight: -1", "word: b, sign: against, weight: -1", "now against"),
    ("word: b, case: Exact", "word: b, case: exact", "now exact"),
    ("word: b, negation: {flip: world}", "word: b, negation: {flip: World}", "label 'world': now 'World'"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "message"), REPAIRS)
def test_repairs(before: str, after: str, message: str) -> None:
    text, changes = fix(HEAD + f"  # above\n  - {{id: a, label: Sports, {before}}}  # beside\n")
    assert text == HEAD + f"  # above\n  - {{id: a, label: Sports, {after}}}  # beside\n"
    if message:
        assert message in changes[0].message
        assert (changes[0].line, changes[0].rule) == (6, "a")
        RuleSet.from_yaml(text)
    assert fix(text) == (text, [])


@pytest.mark.parametrize(
    "rule",
    [
        "word: b, exclude: c",  # neither include nor anything else
        "word: b, node: why",  # note or none
        "word: b, wieght: 2, weight: 1",  # the right one is there
        "word: b, confidence: 1",  # 1 % or 100 %
        "word: b, confidence: 1.5",
        "word: b, weight: 90%",
        'word: "refund, return"',  # in quotes the comma may be meant
        "word: b, examples: {match: [' b', ' b']}",  # examples are texts
        "word: b, note: ' why'",
        "word: b, sign: positive",
        "word: b, pin: yes",
        "any: [{word: b}]",
        "regex: 'b&amp;c'",
        "word: b, case: no",
        "labels: {Sport: 1}, word: b",
    ],
)
def test_what_is_not_clear_is_left(rule: str) -> None:
    text = HEAD + f"  - {{id: a, label: Sports, {rule}}}\n"
    assert fix(text) == (text, [])


def test_everything_in_a_block_with_comments() -> None:
    text, changes = fix(
        """\
# head
labels: [Sports, World]   # two
lexicons:
  l:
    - " a "     # padded
    - b
    - b
    - c         # first
    - c         # twice, and why
rules:
  - id: x
    lable: sports   # misspelled
    any:
      # of several words
      - word:
          - oil price
    confidence: 80 %  # percent
"""
    )
    assert (
        text
        == """\
# head
rulenet: 1
labels: [Sports, World]   # two
lexicons:
  l:
    - a     # padded
    - b
    - c         # first
    - c         # twice, and why
rules:
  - id: x
    label: Sports   # misspelled
    any:
      # of several words
      - phrase:
          - oil price
    confidence: 0.8  # percent
"""
    )
    assert [change.line for change in changes] == sorted(change.line for change in changes)
    assert str(next(change for change in changes if change.rule)).startswith("rule 'x': ")


def test_characters_of_another_keyboard() -> None:
    text, changes = fix("rulenet: 1\nrules:\n\t- id： a\n\t\u3000label：体育\n\t  word： [退款，退货]\n")
    assert text == "rulenet: 1\nrules:\n  - id: a\n    label: 体育\n    word: [退款, 退货]\n"
    assert {change.line for change in changes} == {3, 4, 5}


def test_characters_stay_where_they_are_no_fault() -> None:
    text = "rulenet: 1\nrules:\n  - id: a\n    label: x\n    word: b\n    note: |\n      why\n      note：because\n      \tso\n"
    assert fix(text) == (text, [])


def test_line_ends_of_several_kinds_become_one() -> None:
    text, changes = fix("\ufeffrulenet: 1\r\nlabels: [a]\r\nrules: []\n")
    assert text == "\ufeffrulenet: 1\r\nlabels: [a]\r\nrules: []\r\n"
    assert changes == [Change(r"line ends were of several kinds: now '\r\n', as most were", 1)]
    assert fix("rulenet: 1\r\nrules: []\r\n") == ("rulenet: 1\r\nrules: []\r\n", [])


def test_what_is_no_yaml_comes_back_as_it_was() -> None:
    for text in ("rules: [", "rules: &a []\n", "a: 1\na: 2\n", "", "# only\n", "- wrod: b\n", "wrod"):
        assert fix(text) == (text, [])


@pytest.mark.parametrize("path", PACKS, ids=lambda path: path.name)
def test_packs_need_no_repair(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert fix(text) == (text, [])


def test_choices_are_those_of_the_schema() -> None:
    assert _CHOICES["language"] == typing.get_args(schema.RuleFile.model_fields["language"].annotation)
    assert _CHOICES["negation"] == ("ignore", "skip", "require")
    assert _CHOICES["pin"] == ("true", "false")


@pytest.mark.parametrize("seed", range(25))
def test_any_file_keeps_its_comments_and_stays_sound(seed: int) -> None:
    random = Random(seed)
    text = "\n".join(Scribe(random).block(rule_file(random), "", 0)) + "\n"
    new, _ = fix(text)
    assert [c.text for c in build_tree(new).comments()] == [c.text for c in build_tree(text).comments()]
    assert fix(new) == (new, [])
    format_text(new)
