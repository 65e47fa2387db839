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
    return [fault for fault in found if "is used by no rule" not in fault.message]


ERRORS = [
    ("all: [{word: w}, {word: v, field: title}], field: body", "field: title stands inside field: body"),
    ("near: {terms: [a, {length: {at_most: 5}}]}", "near can never hold: length has no hits"),
    ("near: {terms: [a, {none: [{word: b}]}]}", "near can never hold: none has no hits"),
    ("count: {starts: [Breaking], at_least: 2}", "count can never reach 2: starts hits at most 1 times"),
    ("count: {regex: ['^a', '^b'], at_least: 3}", "count can never reach 3: regex hits at most 2 times"),
    ("count: {any: [{length: {at_most: 3}}], at_least: 1}", "count can never reach 1: any has no hits"),
    ("count: {lexicon: down, at_least: 1}", "no entry of 'down' has a positive weight"),
    (
        "length: {at_most: 5}, negation: require",
        "can never fire: negation: require asks for a negated hit, but length has no hits",
    ),
    ("word: w, examples: {match: [w], reject: [w]}", "example 'w' stands under match and under reject"),
    ('regex: "\\bwin\\b"', "holds a backspace: in double quotes YAML reads \\b so"),
    ("word: w, unless: [{word: w}]", "can never fire: 'w' must be there and is ruled out"),
]


@pytest.mark.parametrize(("fields", "part"), ERRORS)
def test_what_can_never_work_is_an_error(fields: str, part: str) -> None:
    errors = [fault for fault in lint_rule(fields) if fault.severity == "error" and "example 'w';" not in fault.message]
    assert part in errors[0].message
    assert (errors[0].line, errors[0].rule) == (5, "a")


WARNINGS = [
    # words
    ("word: the", "'the' is in nearly every text, so it tells none apart; leave it out, or put it in a phrase"),
    ("word: win, unless: [{word: of}]", "'of' is in nearly every text"),
    ("word: 的", "'的' is in nearly every text"),
    ("word: WHO", "'WHO' is found in 'who' too, as case is ignored; write it in a condition with case: exact"),
    ("phrase: 'price war; price cut'", "is looked for as words in a row; is it a list?"),
    ("phrase: 'one, two, three'", "is it a list? Put it in [ ], with commas between"),
    ("word: 差评，失望", "'差评，失望' is looked for with its comma; is it a list? Write [差评, 失望]"),
    ("near: {terms: [C++, win]}", "'C++' is matched as 'c'"),
    # options that change nothing
    ("word: '911', case: exact", "case: exact changes nothing, as no letter here has two cases"),
    ("word: 手机, case: exact", "case: exact changes nothing"),
    ("word: 手机, forms: lemma", "forms: lemma changes nothing, as Chinese words have one form"),
    ("word: phone, segmented: true", "segmented: true changes nothing, as it is for Chinese words"),
    ("phrase: phone, gap: 2", "gap: 2 changes nothing, as each entry is one word; leave it out"),
    (
        "phrase: 手机, gap: 2",
        "gap: 2 changes nothing, as each entry is one word; part them by spaces, such as '手 机', or leave it out",
    ),
    ("length: {at_most: 5}, where: start", "where changes nothing, as length has no hits"),
    ("length: {at_most: 5}, negation: skip", "negation changes nothing, as length has no hits"),
    ("length: {at_most: 5}, negation: {flip: y}", "negation changes nothing"),
    ("starts: Breaking, where: end", "starts and where: end go together only in texts of at most 20 words"),
    # counts
    ("all: [{word: w}, {count: {word: v, at_least: 0}}]", "count with at_least: 0 always holds"),
    # the rule
    ("word: w, until: 2026-05-31", "has expired: it fired until 2026-05-31; move the date or delete the rule"),
    ("word: w, weight: 0, pin: true", "has weight 0 and pin: true, so it never changes anything"),
    # parts of speech
    (
        "all: [{word: w}, {pos: 'NOUN:lemma=e-mail'}]",
        "pos item 'NOUN:lemma=e-mail' never hits: the tagger sees 'e', '-', 'mail'",
    ),
    ("all: [{word: w}, {pos: 'VERB:won ADV'}]", "the base form of 'won' is 'win'; write win, or VERB:word=won"),
    ("all: [{word: w}, {pos: 'NOUN:prices'}]", "the base form of 'prices' is 'price'"),
]


@pytest.mark.parametrize(("fields", "part"), WARNINGS)
def test_what_is_probably_not_meant_is_a_warning(fields: str, part: str) -> None:
    if "NOUN" in fields or "VERB" in fields:
        pytest.importorskip("simplemma")
        pytest.importorskip("textblob")
    (fault,) = lint_rule(fields)
    assert part in fault.message
    assert (fault.severity, fault.line, fault.rule) == ("warning", 5, "a")


INFOS = [
    ("word: w, enabled: false", "is switched off"),
    ("word: w, since: 2026-06-02", "fires from 2026-06-02 on"),
    ("near: {terms: [grand, slam], within: 0, ordered: true}", "is phrase: grand slam; write that"),
    ("near: {terms: [退, 款], within: 0, ordered: true}", "is phrase: 退款; write that"),
    (
        "phrase: [e-mail, E mail]",
        "'E mail' says no more than 'e-mail', as case and punctuation do not matter; keep one",
    ),
    ("word: [w, v, w]", "'w' stands here twice; keep one"),
    ("regex: '\\b(win|lose)\\b'", "is a list of literals; word: [win, lose] says it more plainly"),
]


@pytest.mark.parametrize(("fields", "part"), INFOS)
def test_what_is_good_to_know(fields: str, part: str) -> None:
    (fault,) = lint_rule(fields)
    assert part in fault.message
    assert fault.severity == "info"


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
    assert "lang: zh in a file with language: en hardly ever holds; set language: any" in fault.message
    assert lint_rule("all: [{word: w}, {lang: zh}]", "zh") == []


def test_chinese_words_negated_in_english() -> None:
    (fault,) = lint_rule("word: 好, negation: require", "en")
    assert "negation looks for English cues here (language: en), but the words are Chinese" in fault.message
    assert lint_rule("word: 好, negation: require", "zh") == []
    assert lint_rule("word: [好, good], negation: require", "en") == []


def test_forms_without_a_dictionary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    (fault,) = lint_rule("word: refund, forms: lemma")
    assert fault.message == "uses forms: lemma, which needs a dictionary: pip install 'rulenet[pos]'"


def test_traditional_characters_in_a_regex() -> None:
    pytest.importorskip("opencc")
    (fault,) = lint_rule("regex: '軟件.?'", "zh", "fold_traditional: true\n")
    assert "holds traditional characters, but texts are read in simplified ones; write '软件.?'" in fault.message
    assert lint_rule("regex: '軟件.?'", "zh") == []


def test_a_smell_points_at_its_own_line() -> None:
    source = "rulenet: 1\nrules:\n- id: a\n  label: x\n  any:\n  - word:\n    - win\n    - C++\n  - regex:\n    - ok+\n    - 'x*'\n"
    found = lint_ruleset(RuleSet.from_yaml(source))
    assert [(fault.line, fault.message[:12]) for fault in found] == [(8, "'C++' is mat"), (11, "regex 'x*' m")]
