"""rulenet.rules.lint.smells and smells_words: one rule, one smell; and rules that must not smell."""

from __future__ import annotations

import datetime

import pytest

from rulenet.errors import Fault
from rulenet.rules.lint.lint import lint_ruleset
from rulenet.rules.ruleset import RuleSet

TODAY = datetime.date(2026, 6, 1)
LEXICONS = "{l: [cat, dog], down: [{term: bad, weight: -1}, {term: worse, weight: -2}]}"


def lint_rule(fields: str, language: str = "any", head: str = "") -> list[Fault]:
    source = f"rulenet: 1\nlanguage: {language}\n{head}lexicons: {LEXICONS}\nrules:\n- {{id: a, label: x, {fields}}}\n"
    found = lint_ruleset(RuleSet.from_yaml(source), today=TODAY)
    return [fault for fault in found if fault.code.name != "unused-lexicon"]


ERRORS = [
    ("all: [{word: w}, {word: v, field: title}], field: body", "RN401"),
    ("near: {terms: [a, {length: {at_most: 5}}]}", "RN401"),
    ("near: {terms: [a, {none: [{word: b}]}]}", "RN401"),
    ("count: {starts: [Breaking], at_least: 2}", "RN401"),
    ("count: {regex: ['^a', '^b'], at_least: 3}", "RN401"),
    ("count: {any: [{length: {at_most: 3}}], at_least: 1}", "RN401"),
    ("count: {lexicon: down, at_least: 1}", "RN401"),
    (
        "length: {at_most: 5}, negation: require",
        "RN401",
    ),
    ("word: w, examples: {match: [w], reject: [w]}", "RN501"),
    ('regex: "\\bwin\\b"', "RN320"),
    ("word: w, unless: [{word: w}]", "RN401"),
]


@pytest.mark.parametrize(("fields", "code"), ERRORS)
def test_what_can_never_work_is_an_error(fields: str, code: str) -> None:
    errors = [fault for fault in lint_rule(fields) if fault.severity == "error" and "example 'w';" not in fault.message]
    assert (errors[0].code.number, errors[0].line, errors[0].rule) == (code, 5, "a")


WARNINGS = [
    # words
    ("word: the", "RN303"),
    ("word: win, unless: [{word: of}]", "RN303"),
    ("word: 的", "RN303"),
    ("word: WHO", "RN304"),
    ("phrase: 'price war; price cut'", "RN302"),
    ("phrase: 'one, two, three'", "RN302"),
    ("word: 差评，失望", "RN302"),
    ("near: {terms: [C++, win]}", "RN301"),
    # options that change nothing
    ("word: '911', case: exact", "RN306"),
    ("word: 手机, case: exact", "RN306"),
    ("word: 手机, forms: lemma", "RN306"),
    ("word: phone, segmented: true", "RN306"),
    ("phrase: phone, gap: 2", "RN306"),
    (
        "phrase: 手机, gap: 2",
        "RN306",
    ),
    ("length: {at_most: 5}, where: start", "RN306"),
    ("length: {at_most: 5}, negation: skip", "RN306"),
    ("length: {at_most: 5}, negation: {flip: y}", "RN306"),
    ("starts: Breaking, where: end", "RN306"),
    # counts
    ("all: [{word: w}, {count: {word: v, at_least: 0}}]", "RN306"),
    # the rule
    ("word: w, until: 2026-05-31", "RN411"),
    ("word: w, weight: 0, pin: true", "RN412"),
    # parts of speech
    (
        "all: [{word: w}, {pos: 'NOUN:lemma=e-mail'}]",
        "RN330",
    ),
    ("all: [{word: w}, {pos: 'VERB:won ADV'}]", "RN330"),
    ("all: [{word: w}, {pos: 'NOUN:prices'}]", "RN330"),
]


@pytest.mark.parametrize(("fields", "code"), WARNINGS)
def test_what_is_probably_not_meant_is_a_warning(fields: str, code: str) -> None:
    if "NOUN" in fields or "VERB" in fields:
        pytest.importorskip("simplemma")
        pytest.importorskip("textblob")
    (fault,) = lint_rule(fields)
    assert (fault.code.number, fault.severity, fault.line, fault.rule) == (code, "warning", 5, "a")


INFOS = [
    ("word: w, enabled: false", "RN410"),
    ("word: w, since: 2026-06-02", "RN410"),
    ("near: {terms: [grand, slam], within: 0, ordered: true}", "RN340"),
    ("near: {terms: [退, 款], within: 0, ordered: true}", "RN340"),
    (
        "phrase: [e-mail, E mail]",
        "RN305",
    ),
    ("word: [w, v, w]", "RN305"),
    ("regex: '\\b(win|lose)\\b'", "RN340"),
]


@pytest.mark.parametrize(("fields", "code"), INFOS)
def test_what_is_good_to_know(fields: str, code: str) -> None:
    (fault,) = lint_rule(fields)
    assert (fault.code.number, fault.severity) == (code, "info")


@pytest.mark.parametrize(
    "fields",
    [
        "word: WHO, case: exact",
        "word: NATO",
        "phrase: 'Washington, D.C.'",
        "phrase: end of the day",
        "all: [{word: the}, {word: end}]",
        "count: {word: i, at_least: 3}",
        "word: not",
        "word: [手机, phone], case: exact",
        "word: [手机, phones], forms: lemma",
        "phrase: [phone, mobile phone], gap: 1",
        "phrase: 手机 坏, gap: 2",
        "all: [{word: w}, {length: {at_most: 5}}], where: start, negation: skip",
        "starts: Breaking, where: start",
        "count: {starts: [Breaking, Breaking news], at_least: 2}",
        "count: {word: w, at_most: 2}",
        "length: {at_most: 5}",
        "lang: zh",
        "near: {terms: [win, win], within: 0}",
        "word: w, since: 2026-06-01, until: 2026-06-01",
        "word: w, weight: 0, sign: free",
        "word: w, field: title",
        "all: [{word: w, field: title}, {word: v, field: body}]",
    ],
)
def test_no_smell(fields: str) -> None:
    assert lint_rule(fields) == []


def test_a_language_that_the_file_is_not_in() -> None:
    (fault,) = lint_rule("all: [{word: w}, {lang: zh}]", "en")
    assert fault.code.name == "wrong-language"
    assert lint_rule("all: [{word: w}, {lang: zh}]", "zh") == []


def test_chinese_words_negated_in_english() -> None:
    (fault,) = lint_rule("word: 好, negation: require", "en")
    assert fault.code.name == "wrong-language"
    assert lint_rule("word: 好, negation: require", "zh") == []
    assert lint_rule("word: [好, good], negation: require", "en") == []


def test_forms_without_a_dictionary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    (fault,) = lint_rule("word: refund, forms: lemma")
    assert fault.message == "uses forms: lemma, which needs a dictionary: pip install 'rulenet[pos]'"


def test_traditional_characters_in_a_regex() -> None:
    pytest.importorskip("opencc")
    (fault,) = lint_rule("regex: '軟件.?'", "zh", "fold_traditional: true\n")
    assert "contains traditional characters, but texts are read in simplified ones; write '软件.?'" in fault.message
    assert lint_rule("regex: '軟件.?'", "zh") == []


def test_a_smell_points_at_its_own_line() -> None:
    source = "rulenet: 1\nrules:\n- id: a\n  label: x\n  any:\n  - word:\n    - win\n    - C++\n  - regex:\n    - ok+\n    - 'x*'\n"
    found = lint_ruleset(RuleSet.from_yaml(source))
    assert [(fault.line, fault.message[:12]) for fault in found] == [(8, "'C++' is mat"), (11, "regex 'x*' m")]
