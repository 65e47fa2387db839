from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from rulenet.rules.lint.repair import repair
from rulenet.rules.reading.characters import badness
from rulenet.rules.ruleset import RuleSet
from rulenet.rules.writing.format import format_text
from rulenet.rules.writing.syntax import build_tree
from tests.rules.mutations import PACK, mutate, part_of
from tests.rules.scribe import Scribe, rule_file

ROOT = Path(__file__).parents[3]
PACKS = sorted([*(ROOT / "rules").glob("*.yaml"), *(ROOT / "rulenet" / "demo").glob("*.yaml")])

HEAD = "rulenet: 1\nlanguage: en\nlabels: [Sports, World]\nrules:\n"

# Inside one rule: the text before, the text after, the code of the first fault.
REPAIRS = [
    ("word: b, wieght: 2", "word: b, weight: 2", "RN012"),
    ("wrod: b", "word: b", "RN012"),
    ("words: [b]", "word: [b]", "RN012"),
    ("Word: b", "word: b", "RN012"),
    ("any: [{regx: b}]", "any: [{regex: b}]", "RN012"),
    ("near: {terms: [a, b], wihtin: 3}", "near: {terms: [a, b], within: 3}", "RN012"),
    ("word: b, confidence: 90%", "word: b, confidence: 0.9", "RN013"),
    ("word: b, confidence: 97.5 %", "word: b, confidence: 0.975", "RN013"),
    ("word: b, confidence: 90", "word: b, confidence: 0.9", "RN015"),
    ("word: b, weight: １．５", "word: b, weight: 1.5", "RN013"),
    ('word: b, weight: "1,5"', "word: b, weight: 1.5", "RN013"),
    ("word: b, sign: against, weight: −2", "word: b, sign: against, weight: -2", "RN013"),
    ("word: [oil price, oil]", "phrase: [oil price, oil]", "RN221"),
    ("word: oil price  ", "phrase: oil price  ", "RN221"),
    ("word: [退款，退货, b]", "word: [退款, 退货, b]", "RN302"),
    ("word: 退款、退货", "word: [退款, 退货]", "RN302"),
    ("word: [b, c, b, d, c]", "word: [b, c, d]", "RN305"),
    ("regex: ['b', b]", "regex: ['b']", "RN305"),
    ('word: [" b", "c "]', "word: [b, c]", "RN310"),
    ('near: {terms: [" b", c]}', "near: {terms: [b, c]}", "RN310"),
    ("regex: '（b|ｃ）'", "regex: '\\(b|c\\)'", "RN322"),
    ("regex: 'b\\（，[！?]'", "regex: 'b\\(,[!?]'", "RN222"),
    ("word: b, negation: Skip", "word: b, negation: skip", "RN014"),
    ("word: b, where: first sentence", "word: b, where: first_sentence", "RN014"),
    ("word: b, sign: agianst, weight: -1", "word: b, sign: against, weight: -1", "RN014"),
    ("word: b, case: Exact", "word: b, case: exact", "RN014"),
    ("word: b, negation: {flip: world}", "word: b, negation: {flip: World}", "RN203"),
]


@pytest.mark.parametrize(("before", "after", "code"), REPAIRS)
def test_repairs(before: str, after: str, code: str) -> None:
    text, repaired = repair(HEAD + f"  # above\n  - {{id: a, label: Sports, {before}}}  # beside\n")
    assert text == HEAD + f"  # above\n  - {{id: a, label: Sports, {after}}}  # beside\n"
    assert (repaired[0].code.number, repaired[0].line, repaired[0].rule) == (code, 6, "a")
    RuleSet.from_yaml(text)
    assert repair(text) == (text, [])


def test_a_repair_says_what_it_did() -> None:
    rule = "word: [oil price, oil price], confidence: 90%"
    _, repaired = repair(HEAD + f"  - {{id: a, label: sports, {rule}}}\n")
    assert [fault.message for fault in repaired] == [
        "'90%' is now '0.9'",
        "'sports' is now 'Sports'",
        "'word' is now 'phrase'",
        "removed 'oil price', which was listed twice",
    ]


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
    assert repair(text) == (text, [])


def test_everything_in_a_block_with_comments() -> None:
    text, changes = repair(
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
    assert {change.rule for change in changes} == {None, "x"}


# As written, as repaired, and the lines of the faults.
KEYBOARDS = [
    ("\t- id： a\n\t\u3000label：体育\n\t  word： [退款，退货]", "  - id: a\n    label: 体育\n    word: [退款, 退货]", {3, 4, 5}),
    ("- {id：a，label： x，word：b}", "- {id: a,label: x,word: b}", {3}),
    ("- {id:\u3000a, label:\u00a0x, word: b}", "- {id: a, label: x, word: b}", {3}),
    ("– id: a\n  label: x\n  word:\n    • b\n    −\u00a0c", "- id: a\n  label: x\n  word:\n    - b\n    - c", {3, 6, 7}),
    ("- id: a\n  label: x\n  phrase: b\u2028c\n  note: e\x85f", "- id: a\n  label: x\n  phrase: b c\n  note: e f", {5, 6}),
    ("-id: a\n  label: x\n  word: b", "- id: a\n  label: x\n  word: b", {3}),
]  # fmt: skip


def test_characters_of_another_keyboard() -> None:
    for written, repaired, lines in KEYBOARDS:
        text, changes = repair(f"rulenet: 1\nrules:\n{written}\n")
        assert text == f"rulenet: 1\nrules:\n{repaired}\n"
        assert {change.line for change in changes} == lines


def test_characters_stay_where_they_are_no_fault() -> None:
    text = "rulenet: 1\nrules:\n  - id: a\n    label: x\n    word: b\n    note: |\n      why\n      note：because\n      \tso\n"
    assert repair(text) == (text, [])


def test_line_ends_of_several_kinds_become_one() -> None:
    text, changes = repair("\ufeffrulenet: 1\r\nlabels: [a]\r\nrules: []\n")
    assert text == "\ufeffrulenet: 1\r\nlabels: [a]\r\nrules: []\r\n"
    assert [str(fault) for fault in changes] == [r"1: all lines now end in '\r\n', as most did [RN007 mixed-line-ends]"]
    assert repair("rulenet: 1\r\nrules: []\r\n") == ("rulenet: 1\r\nrules: []\r\n", [])


def test_what_is_no_yaml_comes_back_as_it_was() -> None:
    for text in ("rules: [", "rules: &a []\n", "a: 1\na: 2\n", "", "# only\n", "- wrod: b\n", "wrod"):
        assert repair(text) == (text, [])


@pytest.mark.parametrize("path", PACKS, ids=lambda path: path.name)
def test_packs_need_no_repair(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert repair(text) == (text, [])


@pytest.mark.parametrize("first", range(0, 25, 13))
def test_any_file_keeps_its_comments_and_stays_sound(first: int) -> None:
    for seed in range(first, first + 13):
        random = Random(seed)
        text = "\n".join(Scribe(random).block(rule_file(random), "", 0)) + "\n"
        new, _ = repair(text)
        assert [c.text for c in build_tree(new).comments()] == [c.text for c in build_tree(text).comments()]
        assert repair(new) == (new, [])
        format_text(new)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_no_repair_makes_a_new_fault(seed: int) -> None:
    random = Random(seed)
    packs = [path.read_text(encoding="utf-8") for path in PACKS]
    n_repaired = 0
    for _ in range(200):
        text = mutate(random, random.choice([PACK, part_of(random, random.choice(packs))]))
        new, repaired = repair(text)
        n_repaired += bool(repaired)
        assert badness(new) <= badness(text)
        assert repair(new) == (new, [])
    assert n_repaired > 2


def test_a_file_with_one_kind_of_line_end_stays(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    text = HEAD.replace("\n", "\r\n") + "  - {id: a, label: Sports, wrod: b}\r\n"
    assert repair(text, str(path), path)[0] == text.replace("wrod", "word")
