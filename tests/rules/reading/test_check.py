"""rulenet.rules.reading.check: every fault of a file at once, each with its line and code."""

from __future__ import annotations

import pytest

from rulenet.errors import Fault, RuleFileError
from rulenet.rules.reading import check
from rulenet.rules.ruleset import RuleSet

TOP = "rulenet: 1\n"
ONE = "rules: [{id: a, label: X, word: w}]\n"
KINDS = "any, all, none, word, phrase, lexicon, starts, ends, regex, pos, near, count, length, lang"


def rule(fields: str) -> str:
    """A file whose only rule, in line 3, has these fields."""
    return f"{TOP}rules:\n- {{id: a, label: X, {fields}}}\n"


FILE_LEVEL = [
    ("", ["1 RN006"]),
    ("# nothing\n", ["1 RN006"]),
    ("text", ["1 RN006"]),
    ("- a\n", ["1 RN006"]),
    (ONE, ["1 RN011"]),
    (TOP, ["1 RN201"]),
    ("rulenet: 2\n" + ONE, ["1 RN017"]),
    (TOP + "rules: []\n", ["2 RN201"]),
    (TOP + "rules:\n", ["2 RN013"]),
    (TOP + "rules: {a: b}\n", ["2 RN013"]),
    (
        TOP + "rules:\n- text\n- [a]\n",
        ["3 RN013", "4 RN013"],
    ),
    (TOP + "language: de\n" + ONE, ["2 RN014"]),
    (TOP + "lables: [X]\n" + ONE, ["2 RN012"]),
    (TOP + "Lexicons: {}\n" + ONE, ["2 RN012"]),
    (
        TOP + "qqq: 1\n" + ONE,
        ["2 RN012"],
    ),
    (TOP + "labels: X\n" + ONE, ["2 RN013"]),
    (
        TOP + "labels:\n- [X]\n- ''\n" + ONE,
        ["3 RN013", "4 RN013"],
    ),
    (TOP + "labels: [X, Y, X]\n" + ONE, ["2 RN204"]),
    (
        TOP + "labels: [Sports, World]\n" + rule("word: w")[len(TOP) :],
        ["4 RN203"],
    ),
    (TOP + "labels: [x]\n" + ONE, ["3 RN203"]),
    # faults of the YAML itself come with the others
    (
        rule("word: w, word: v, wieght: 2"),
        ["3 RN004", "3 RN012"],
    ),
    (rule("word: w") + "---\n", ["4 RN003"]),
]
RULE_LEVEL = [
    (rule("wrod: w"), ["3 RN012"]),
    (rule("word: w, wieght: 2"), ["3 RN012"]),
    (rule("word: w, Note: n"), ["3 RN012"]),
    (
        rule("word: w, zzz: 2"),
        ["3 RN012"],
    ),
    (rule("any: [{wrd: w}]"), ["3 RN012"]),
    (rule("any: [{word: w, wieght: 1}]"), ["3 RN012"]),
    (rule("word: w, unless: [{all: [{rgex: x}]}]"), ["3 RN012"]),
    (rule("word: w, examples: {matches: [x]}"), ["3 RN012"]),
    (f"{TOP}rules:\n- {{label: X, word: w}}\n", ["3 RN011"]),
    (f"{TOP}rules:\n- {{id: a, word: w}}\n", ["3 RN103"]),
    (
        f"{TOP}rules:\n- id: ''\n  label: {{}}\n  word: w\n",
        ["3 RN013", "4 RN013"],
    ),
    (
        f"{TOP}rules:\n- {{id: {'i' * 201}, label: X, word: w}}\n",
        ["3 RN015"],
    ),
    (f"{TOP}rules:\n- {{id: [a], label: X, word: w}}\n", ["3 RN013"]),
    # one kind of condition
    (
        rule("note: n"),
        ["3 RN101"],
    ),
    (rule("word: "), ["3 RN101"]),
    (
        rule("word: w, phrase: x y"),
        ["3 RN101"],
    ),
    (rule("any: [{}]"), ["3 RN101"]),
    (rule("any: [{word: w, regex: x}]"), ["3 RN101"]),
    # shapes
    (rule("any: []"), ["3 RN016"]),
    (rule("word: []"), ["3 RN016"]),
    (rule("word: ''"), ["3 RN013"]),
    (rule("word: [w, '']"), ["3 RN013"]),
    (rule("word: [[w]]"), ["3 RN013"]),
    (rule("word: {a: b}"), ["3 RN013"]),
    (rule("any: w"), ["3 RN013"]),
    (rule("any: {word: w}"), ["3 RN013"]),
    (rule("any: [w]"), ["3 RN013"]),
    (rule("word: w, unless: {word: x}"), ["3 RN013"]),
    (rule("word: w, unless: [x]"), ["3 RN013"]),
    (rule("word: w, examples: [x]"), ["3 RN013"]),
    (rule("word: w, examples: {match: x}"), ["3 RN013"]),
    (rule("word: w, note: [n]"), ["3 RN013"]),
    (rule("word: w, note: "), ["3 RN013"]),
    (
        rule("word: w, pin: perhaps"),
        ["3 RN013"],
    ),
    (rule("word: w, sign: agianst"), ["3 RN014"]),
    (
        rule("word: w, where: middle"),
        ["3 RN014"],
    ),
    (rule("word: w, negation: no"), ["3 RN014"]),
    # weights
    (rule("word: w, weight: 2, confidence: 0.9"), ["3 RN103"]),
    (
        rule("word: w, weight: -1"),
        ["3 RN105"],
    ),
    (rule("word: w, confidence: 0.2"), ["3 RN105"]),
    (
        rule("word: w, weight: 1, sign: against"),
        ["3 RN105"],
    ),
    (
        rule("word: w, confidence: 0.8, sign: against"),
        ["3 RN105"],
    ),
    (rule("word: w, weight: 20.5"), ["3 RN015"]),
    (rule("word: w, weight: -21, sign: free"), ["3 RN015"]),
    (rule("word: w, weight: nan"), ["3 RN015"]),
    (rule("word: w, weight: inf"), ["3 RN015"]),
    (
        rule("word: w, weight: heavy"),
        ["3 RN013"],
    ),
    (rule("word: w, confidence: 1"), ["3 RN015"]),
    (rule("word: w, confidence: 0"), ["3 RN015"]),
    (rule("word: w, confidence: 90%"), ["3 RN013"]),
    # literals, regexes, tags
    (rule("word: grand slam"), ["3 RN221"]),
    (rule("word: [$, w]"), ["3 RN220"]),
    (
        rule("phrase: ['!!', '😀', '，']"),
        ["3 RN220", "3 RN220", "3 RN220"],
    ),
    (rule("word: '<b>'"), ["3 RN220"]),
    (
        rule("regex: 'a(?=b)'"),
        ["3 RN222"],
    ),
    (
        rule("regex: '(a)\\1'"),
        ["3 RN222"],
    ),
    (
        rule("regex: [ok, '(', '*']"),
        ["3 RN222", "3 RN222"],
    ),
    (rule("pos: VRB"), ["3 RN223"]),
    (
        rule("pos: [NOUN, 'DET? ADJ*']"),
        ["3 RN223"],
    ),
    (rule("pos: noun"), ["3 RN223"]),
    (rule(f"regex: '{'(' * 100}'"), ["3 RN222"]),
    (rule("word: w, unless: [{none: [{regex: '['}]}]"), ["3 RN222"]),
]
LEXICONS = [
    (rule("lexicon: x"), ["3 RN205"]),
    (
        TOP + "lexicons: {teams: [t]}\nrules: [{id: a, label: X, lexicon: taems}]",
        ["3 RN205"],
    ),
    (
        TOP + "lexicons: {teams: [t]}\nrules: [{id: a, label: X, lexicon: [teams, x]}]",
        ["3 RN205"],
    ),
    (TOP + "lexicons: {a: []}\n" + ONE, ["2 RN206"]),
    (
        TOP + "lexicons: {a: , b: text, c: {d: e}}\n" + ONE,
        ["2 RN013", "2 RN011", "2 RN012"],
    ),
    (TOP + "lexicons: [a]\n" + ONE, ["2 RN013"]),
    (
        TOP + "lexicons:\n  a:\n  - ''\n  - [x]\n  - $\n" + ONE,
        ["4 RN013", "5 RN013", "6 RN220"],
    ),
    (
        TOP + "lexicons:\n  a:\n  - ok\n  - $\n" + ONE,
        ["5 RN220"],
    ),
    (
        TOP + "lexicons: {a: [{lexikon: b}]}\n" + ONE,
        ["2 RN011", "2 RN012"],
    ),
    (
        TOP + "lexicons: {teams: [{lexicon: taems}]}\n" + ONE,
        ["2 RN205"],
    ),
    (
        TOP + "lexicons: {a: [{lexicon: a}]}\n" + ONE,
        ["2 RN207"],
    ),
    (
        TOP
        + "lexicons:\n  d: [{lexicon: a}]\n  a: [{lexicon: b}]\n  b: [x, {lexicon: c}]\n  c: [{lexicon: a}]\n"
        + ONE,
        ["4 RN207"],
    ),
    (TOP + "lexicons: {a: [{lexicon: c}, {lexicon: b}], b: [{lexicon: c}], c: [x]}\n" + ONE, []),  # a diamond is none
]
SEVERAL = [
    (
        "rulenet: 1\nlabels: [World, Sports]\nlangauge: en\nlexicons:\n  empty: []\nrules:\n"
        "  - id: one\n    label: Sprots\n    word: w\n    wieght: 2\n"
        "  - id: two\n    label: World\n    regex: '('\n    sign: agianst\n"
        "  - id: one\n    label: World\n    any:\n      - lexicon: emtpy\n      - word: two words\n"
        "  - label: World\n    word: w\n",
        [
            "3 RN012",
            "5 RN206",
            "8 RN203",
            "10 RN012",
            "13 RN222",
            "14 RN014",
            "15 RN202",
            "18 RN205",
            "19 RN221",
            "20 RN011",
        ],
    ),
    # parts that cannot be read cause no faults of others
    (
        TOP + "labels: [[X]]\nlexicons: {a: [[b]]}\nrules: [{id: a, label: X, lexicon: a}]",
        ["2 RN013", "3 RN013"],
    ),
    (
        TOP + "labels: text\nlexicons: text\nrules: text",
        ["2 RN013", "3 RN013", "4 RN013"],
    ),
]


def faults(text: str) -> list[Fault]:
    with pytest.raises(RuleFileError, match="fault") as caught:
        RuleSet.from_yaml(text, name="f.yaml")
    assert str(caught.value).count("\n") == min(len(caught.value.faults), 51)
    return caught.value.faults


@pytest.mark.parametrize(("text", "expected"), [*FILE_LEVEL, *RULE_LEVEL, *LEXICONS, *SEVERAL])
def test_every_fault_with_its_line_and_code(text: str, expected: list[str]) -> None:
    if not expected:
        assert len(RuleSet.from_yaml(text)) == 1
        return
    assert [f"{fault.line} {fault.code.number}" for fault in faults(text)] == expected


# What the sentences of a code say differently from case to case; one sentence of each code is in `file/test_codes.py`.
SENTENCES = [
    (TOP + "rules:\n", "rules: a list is expected here, not nothing"),
    (TOP + "rules:\n- text\n", "rule '#1': rules: a mapping (field: value) is expected here, not 'text'"),
    (TOP + "qqq: 1\n" + ONE, "unknown field 'qqq'; known: rulenet, language, labels, include, fold_traditional, "),
    (
        rule("word: w, zzz: 2"),
        f"rule 'a': unknown field 'zzz'; known: {KINDS}, case, forms, segmented, gap, field, id,",
    ),
    (rule("any: [{word: w, wieght: 1}]"), f"rule 'a': unknown field 'wieght'; known: {KINDS}"),
    (rule("word: w, Note: n"), "rule 'a': unknown field 'Note': did you mean 'note'?"),
    (TOP + "lexicons: {a: [{lexikon: b}]}\n" + ONE, "field 'lexicon' is missing; add it"),
    (rule("note: n"), f"rule 'a': give exactly one of {KINDS}; found nothing. Combine several with any or all"),
    (rule("word: w, phrase: x y"), f"rule 'a': give exactly one of {KINDS}; found word and phrase. Combine"),
    (rule("word: ''"), "rule 'a': word: a text is expected here, not nothing; quote it if it contains ':' or '#'"),
    (rule("word: w, pin: perhaps"), "rule 'a': pin: true or false is expected here, not 'perhaps'"),
    (rule("word: w, confidence: 90%"), "rule 'a': confidence: a number is expected here, not '90%'"),
    (rule("word: w, weight: 20.5"), "rule 'a': weight: input should be less than or equal to 20, not '20.5'"),
    (rule("word: w, since: soon"), "rule 'a': since: a day such as 2026-01-31 is expected here, not 'soon'"),
    (rule("near: {terms: [a]}"), "rule 'a': terms needs at least 2 entries; add some"),
    (
        rule("near: {terms: [a, b, c, d, e, f, g]}"),
        "rule 'a': terms has 7 entries, but at most 6 are possible; split it",
    ),
    (
        rule("word: w, weight: -1"),
        "rule 'a': a rule with sign: for cannot start at -1; use sign: against, or sign: free",
    ),
    (
        rule("word: w, weight: 1, sign: against"),
        "rule 'a': a rule with sign: against cannot start at 1; give a negative",
    ),
    (rule("regex: 'a(?=b)'"), "rule 'a': regex 'a(?=b)': look-around is not supported by RE2; use `all`, `none` or"),
    (rule(f"regex: '{'(' * 100}'"), f"rule 'a': regex '{'(' * 56}…: not a regular expression that RE2 accepts"),
    (rule("lexicon: x"), "rule 'a': lexicon 'x' does not exist; there is none, so add it"),
    (
        TOP + "lexicons: {teams: [t]}\n" + ONE.replace("word: w", "lexicon: x"),
        "rule 'a': lexicon 'x' does not exist; known: teams",
    ),
]


@pytest.mark.parametrize(("text", "start"), SENTENCES)
def test_what_the_author_is_told(text: str, start: str) -> None:
    assert faults(text)[0].text.startswith(start)


def test_message_of_the_exception() -> None:
    with pytest.raises(
        RuleFileError,
        match=r"^2 faults in f\.yaml \(1 fixable with rulenet rules lint --fix\)\nf\.yaml:1: field 'rulenet' is missing; add it \[RN011 ",
    ) as caught:
        RuleSet.from_yaml("rules: []\n", name="f.yaml")
    assert caught.value.source == "f.yaml"
    assert str(caught.value).endswith(
        "\nf.yaml:1: there are no rules; add some under `rules:`, or name a file that has some under `include:` [RN201 no-rules]"
    )
    with pytest.raises(
        RuleFileError,
        match=r"^1 fault in <string>\n<string>:1: there are no rules; add some under `rules:`, or name .*$",
    ):
        RuleSet.from_yaml(TOP)


def test_a_chain_of_five_thousand_lexicons() -> None:
    links = "".join(f"  l{i}: [{{lexicon: l{i + 1}}}]\n" for i in range(5_000))
    ruleset = RuleSet.from_yaml(f"{TOP}lexicons:\n{links}  l5000: [win]\nrules: [{{id: a, label: X, lexicon: l0}}]")
    assert ruleset.match(["a win", "none"]).toarray().tolist() == [[1], [0]]


def test_a_circle_of_five_thousand_lexicons() -> None:
    links = "".join(f"  l{i}: [{{lexicon: l{(i + 1) % 5_000}}}]\n" for i in range(5_000))
    (fault,) = faults(f"{TOP}lexicons:\n{links}{ONE}")
    assert (fault.line, fault.code.name) == (3, "lexicon-circle")
    assert "in a circle: l0 → l1 → l2 → l3 → l4 → l5 → … → l4999 → l0; remove" in fault.message


def test_three_thousand_faults_are_all_named() -> None:
    rules = "".join(f"- {{id: r{i}, label: X, wrod: w}}\n" for i in range(3_000))
    found = faults(f"{TOP}rules:\n{rules}")
    assert len(found) == 3_000
    assert (found[-1].line, found[-1].rule, found[-1].code.number) == (3002, "r2999", "RN012")


def test_the_patterns_of_a_file_have_a_limit_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is small enough by itself. Those below are not even compiled, and other faults are still found."""
    monkeypatch.setattr(check, "MAX_PROGRAM", 10_000)
    rules = "".join(
        f"- {{id: r{i}, label: X, any: [{{word: w}}, {{regex: 'q{i}[a-z]{{1,900}}'}}]}}\n" for i in range(50)
    )
    found = faults(f"{TOP}rules:\n{rules}- {{id: z, label: X, lexicon: nix}}\n- {{id: y, label: X, regex: '('}}\n")
    assert [fault.code.name for fault in found] == ["too-large", "unknown-lexicon"]
    assert "the patterns so far need more than 10,000 steps of RE2, most of them 'q" in found[0].message
    assert found[0].line < 20
    assert len(RuleSet.from_yaml(f"{TOP}rules:\n{rules.splitlines()[0]}\n")) == 1


def test_lists_that_include_each_other_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "MAX_EXPANDED", 1_000)
    lists = "".join(f"  l{i}: [w{i}, {{lexicon: l{i - 1}}}]\n" for i in range(1, 100))
    (fault,) = faults(f"{TOP}lexicons:\n  l0: [w]\n{lists}{ONE}")
    assert fault.code.name == "too-large"
    assert "the lists have more than 1,000 entries with those they include; include fewer" in fault.message
