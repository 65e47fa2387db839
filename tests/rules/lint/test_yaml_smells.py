"""rulenet.rules.lint.yaml_smells: what YAML does silently is said, and ordinary comments and lists are not."""

from __future__ import annotations

import pytest

from rulenet.rules.lint.lint import lint_text
from rulenet.rules.lint.repair import repair
from rulenet.rules.ruleset import RuleSet

HEAD = "rulenet: 1\nlanguage: en\nrules:\n  - id: a\n    label: X\n"


def codes(text: str) -> list[tuple[int, str]]:
    return [
        (f.line, f.code.name) for f in lint_text(HEAD + text) if f.code.number in ("RN021", "RN022", "RN023", "RN320")
    ]


CUT = [
    "phrase: ticket #123 lost", "word: C #", "phrase: issue # 5 open", "word: w #x", "word: w\t#x", "note: see #12", "phrase: a #A  #x",
    "phrase: color #ff0000 is red", "regex: a #b", "id: x #1", "weight: 1 #x",
]  # fmt: skip
NOT_CUT = [
    "word: w # a comment", "word: w  # 5 of 6", "word: w  # x #1", "word: 'a' #1", '"word": "a" #1', "word: [a, b] #1", "word: a#1",
    "word: w #rulenet: ignore RN303", "# x #1", "note: |\n      see #1\n      and #2", "word: w  #", "note: 'see #1'",
]  # fmt: skip


def test_texts_cut_by_a_comment() -> None:
    for text in CUT:
        assert (6, "cut-by-comment") in codes(f"    {text}\n"), text
    for text in NOT_CUT:
        assert codes(f"    {text}\n    tags: [t]\n") == [], text


def test_items_of_a_list_and_values_that_are_gone() -> None:
    text = "    word:\n      - fine\n      - C #\n      - #tag\n      - F  # sharp\n    note: #12\n"
    assert codes(text) == [(8, "cut-by-comment"), (9, "cut-by-comment"), (11, "cut-by-comment")]
    (message,) = {fault.message for fault in lint_text(HEAD + text) if fault.line == 9 and fault.code.number == "RN021"}
    assert message.startswith(
        "nothing is read here, as ' #' begins a comment: write '#tag' if '#tag' belongs to the text, or begin"
    )


@pytest.mark.parametrize(
    ("written", "repaired"),
    [
        ("[0-9]", "'[0-9]'"), ("[^a-z]", "'[^a-z]'"), ("[a-zA-Z_]", None), ("[0-9.]", "'[0-9.]'"), ("[A-Z0-9-]", "'[A-Z0-9-]'"),
        ("[aeiou]", None), ("[0-9, a-z]", None), ("[一-龥]", "'[一-龥]'"),
    ],
)  # fmt: skip
def test_a_set_of_characters_without_quotes(written: str, repaired: str | None) -> None:
    assert codes(f"    regex: {written}  # why\n") == [(6, "perhaps-a-class")]
    text, _ = repair(f"rulenet: 1\nrules:\n  - {{id: a, label: X, any: [{{regex: {written}}}, {{word: w}}]}}\n")
    if repaired:
        rule = RuleSet.from_yaml(text).file.rules[0]
        assert rule.any is not None
        assert rule.any[0].regex == [repaired.strip("'")]


@pytest.mark.parametrize(
    "written", ["['0-9']", "[cats?, dogs?]", r"['\d+', '[a-z]+ x']", "[colou?r]", "'[0-9]'", "[refund.*]"]
)
def test_lists_of_patterns(written: str) -> None:
    assert codes(f"    regex: {written}\n") == []


def test_escapes_in_double_quotes() -> None:
    for escape in "abefvt0N":
        assert codes(f'    phrase: "x\\{escape}yz w"\n') == [(6, "yaml-escape")], escape
    for escape in "aefv0N":
        assert codes(f'    regex: "x\\{escape}yz"\n') == [(6, "yaml-escape")], escape
    assert codes('    regex: "\\bw"\n') == [(6, "regex-backspace")]
    assert codes('    regex: "x\\ty\\nz\\"\\\\d"\n    phrase: "x\\ny"\n') == []
    assert codes("    regex: |\n      ab+c\n") == codes("    regex: |+\n      ab+c\n\n") == [(6, "yaml-escape")]
    assert codes("    regex: |-\n      ab+c\n    note: |\n      why\n") == []
    assert RuleSet.from_yaml(repair(HEAD + "    regex: |\n      ab+c\n")[0]).file.rules[0].regex == ["ab+c"]
