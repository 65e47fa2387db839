"""rulenet.rules.lint.lint: each smell once, and silence where nothing smells."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from rulenet.errors import Fault, MissingExtraError
from rulenet.rules.lint.lint import lint, lint_ruleset
from rulenet.rules.ruleset import RuleSet


def lint_rule(fields: str, language: str = "any") -> list[Fault]:
    return lint_ruleset(
        RuleSet.from_yaml(f"rulenet: 1\nlanguage: {language}\nrules:\n- {{id: a, label: x, {fields}}}\n")
    )


SMELLS = [
    ("word: C++", "RN301"),
    ("phrase: 5% off", "RN301"),
    ("regex: 'x*'", "RN321"),
    ("regex: '^'", "RN321"),
    (
        "regex: '价格：'",
        "RN322",
    ),
    ("regex: 'R&amp;D'", "RN322"),
    ("regex: '<br>'", "RN322"),
    ("regex: 'e\u0301'", "RN322"),
    ("regex: '\\bélan'", "RN323"),
    ("regex: 'café\\b'", "RN323"),
    ("none: [{word: w}]", "RN408"),
    ("any: [{word: w}, {none: [{word: v}]}]", "RN408"),
    ("word: w, unless: [{word: C#}]", "RN301"),
    ("all: [{word: w}, {none: [{any: [{word: $5}]}]}]", "RN301"),
]


@pytest.mark.parametrize(("fields", "code"), SMELLS)
def test_smell(fields: str, code: str) -> None:
    (fault,) = lint_rule(fields)
    assert (fault.code.number, fault.line, fault.rule) == (code, 4, "a")


@pytest.mark.parametrize(
    "fields",
    [
        "word: win",
        "word: don't",
        "word: e-mail",
        "phrase: 'U.S. economy, stupid'",
        "word: 手机$",  # raw characters: the symbol counts
        r"regex: 'a\b'",
        r"regex: 'C\+\+'",
        "regex: '(?P<year>[0-9]{4})'",
        "regex: '[?!]'",
        "all: [{word: w}, {none: [{word: v}]}]",
        "word: w, unless: [{none: [{word: v}]}]",
    ],
)
def test_no_smell(fields: str) -> None:
    assert lint_rule(fields) == []


def test_a_smell_is_told_once_per_rule() -> None:
    assert len(lint_rule("any: [{word: C++}, {all: [{word: C++}, {word: w}]}]")) == 1
    assert [fault.severity for fault in lint_rule("word: [C++, C#]")] == ["warning", "warning", "info"]


# Part-of-speech tags


def test_pos_without_a_word_that_must_be_there_is_slow() -> None:
    (fault,) = lint_rule("pos: NOUN", "zh")
    assert "tags every text, which is slow; put the pos pattern under `all`" in fault.message
    assert lint_rule("all: [{pos: NOUN}, {word: w}]", "zh") == []


@pytest.mark.parametrize(("language", "n"), [("en", 1), ("any", 1), ("zh", 0)])
def test_pos_without_a_tagger(language: str, n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    found = lint_rule("all: [{word: w}, {pos: NOUN}]", language)
    assert [fault.message for fault in found] == ["uses pos, which needs a tagger: pip install 'rulenet[pos]'"] * n
    assert lint_rule("word: w", language) == []


# Examples


def test_contradicted_examples_are_errors_at_their_own_line() -> None:
    source = "rulenet: 1\nrules:\n- id: a\n  label: x\n  word: win\n  examples:\n    match: [win, won]\n    reject:\n    - Win!\n"
    assert [str(fault) for fault in lint_ruleset(RuleSet.from_yaml(source))] == [
        "7: rule 'a': does not fire on its match example 'won'; correct the rule or the example [RN502 failing-example]",
        "9: rule 'a': fires on its reject example 'Win!'; correct the rule or the example [RN502 failing-example]",
    ]


def test_examples_of_pos_rules_are_left_to_the_test_command() -> None:
    assert lint_rule("all: [{word: w}, {pos: NOUN}], examples: {match: [never]}", "zh") == []


# Files


def test_lint_raises_nothing(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text("rulenet: 1\nrules:\n- {id: a, label: x, wrod: w}\n- {id: b, label: x, word: C++}\n")
    assert [(fault.line, fault.code.number) for fault in lint(path)] == [(3, "RN012")]
    path.write_text(path.read_text().replace("wrod", "word"))
    assert [(fault.line, fault.severity) for fault in lint(path)] == [(4, "warning")]
    assert lint(tmp_path / "none.yaml")[0].severity == "error"
    assert "this is a folder" in lint(tmp_path)[0].message


def test_faults_come_in_order_of_line() -> None:
    rules = "".join(f"- {{id: r{i}, label: x, word: {word}}}\n" for i, word in enumerate(["C++", "w", "A#", "'$1'"]))
    found = lint_ruleset(RuleSet.from_yaml(f"rulenet: 1\nrules:\n{rules}"))
    assert [fault.line for fault in found] == [3, 5, 6]


def test_word_lists_are_checked_where_they_stand() -> None:
    source = """\
rulenet: 1
lexicons:
  used: [win, C++, WHO,
    e-mail, E mail]
  inner: [the]
  outer: [{lexicon: inner}]
  idle: [cup]
rules:
- {id: a, label: x, lexicon: [used, outer]}
"""
    found = [(fault.line, fault.code.name, fault.message[:20]) for fault in lint_ruleset(RuleSet.from_yaml(source))]
    assert found == [
        (3, "ignored-symbol", "'C++' is matched as "),
        (3, "ignored-case", "'WHO' is also found "),
        (3, "duplicate-entry", "lexicon 'used': 'E m"),
        (5, "common-word", "'the' is in nearly e"),
        (7, "unused-lexicon", "lexicon 'idle' is us"),
    ]


def test_a_list_is_read_as_its_rules_read_it() -> None:
    def messages(rule: str) -> list[str]:
        source = f"rulenet: 1\nlexicons: {{l: [WHO, the]}}\nrules:\n- {{id: a, label: x, {rule}}}\n"
        return [fault.message for fault in lint_ruleset(RuleSet.from_yaml(source))]

    assert len(messages("lexicon: l")) == 2
    assert messages("lexicon: l, case: exact") == []
    assert len(messages("all: [{lexicon: l}, {word: w}]")) == 1  # the may stand beside another word


def test_a_field_name_that_looks_like_a_slip() -> None:
    rules = "".join(f"- {{id: r{i}, label: x, word: w{i}, field: title}}\n" for i in range(3))
    rules += "- {id: slip, label: x, word: v, field: titel}\n- {id: other, label: x, word: v, field: body}\n"
    (fault,) = lint_ruleset(RuleSet.from_yaml(f"rulenet: 1\nrules:\n{rules}"))
    assert (fault.rule, fault.code.name) == ("slip", "rare-field")


def test_smells_of_an_included_file_name_it(tmp_path: Path) -> None:
    (tmp_path / "common.yaml").write_text(
        "rulenet: 1\nlexicons: {l: [C++]}\nrules:\n- {id: b, label: x, word: win}\n- {id: c, label: x, regex: 'x*'}\n"
    )
    top = tmp_path / "top.yaml"
    top.write_text("rulenet: 1\ninclude: common.yaml\nrules:\n- {id: a, label: x, word: win}\n")
    found = lint(top)
    places = [(Path(fault.file).name if fault.file else None, fault.line, fault.rule) for fault in found]
    assert places == [(None, 4, "a"), ("common.yaml", 5, "c")]
    assert "fires on the same texts as rule 'b' (" in found[0].message
    assert "common.yaml, line 4)" in found[0].message


def test_a_label_without_rules_is_good_to_know() -> None:
    rules = "- {id: a, labels: {x: 1, y: -1}, word: w}\n- {id: b, label: y, word: v, sign: against}\n"
    source = f"rulenet: 1\nlabels: [x, y,\n  z]\nrules:\n{rules}"
    assert [(fault.line, fault.code.name) for fault in lint_ruleset(RuleSet.from_yaml(source))] == [
        (2, "label-without-rule"),
        (3, "label-without-rule"),
    ]


def test_a_package_that_the_examples_need_is_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    def run_examples(*_: object, **__: object) -> None:
        raise MissingExtraError("forms: lemma needs the package 'simplemma'")

    monkeypatch.setattr("rulenet.rules.lint.lint.run_examples", run_examples)
    (fault,) = lint_rule("word: win, examples: {match: [won]}")
    assert fault.message == "the examples are not checked: forms: lemma needs the package 'simplemma'"
    assert fault.severity == "warning"


@pytest.mark.slow
def test_lint_loads_nothing_heavy(repository: Path) -> None:
    code = (
        "import sys; from rulenet.rules.lint.lint import lint; lint('rules/ag_news.yaml');"
        "print({'numpy', 'scipy', 'sklearn', 'torch', 'jieba', 'simplemma', 'ruamel', 'opencc'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=repository, capture_output=True, text=True, check=True)
    assert result.stdout == "set()\n"
