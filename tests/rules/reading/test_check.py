"""rulenet.rules.reading.check: what a rule author is told, all faults at once, each with its line."""

from __future__ import annotations

import pytest

from rulenet.errors import RuleFileError
from rulenet.rules.ruleset import RuleSet

TOP = "rulenet: 1\n"
ONE = "rules: [{id: a, label: X, word: w}]\n"
KINDS = "any, all, none, word, phrase, lexicon, starts, ends, regex, pos, near, count, length, lang"


def rule(fields: str) -> str:
    """A file whose only rule, in line 3, has these fields."""
    return f"{TOP}rules:\n- {{id: a, label: X, {fields}}}\n"


FILE_LEVEL = [
    ("", ["1: the file is empty; it needs at least `rulenet: 1` and `rules:`"]),
    ("# nothing\n", ["1: the file is empty"]),
    ("text", ["1: the file must be a mapping with `rulenet: 1` and `rules:`"]),
    ("- a\n", ["1: the file must be a mapping"]),
    (ONE, ["1: field 'rulenet' is missing; add it"]),
    (TOP, ["1: there are no rules; add some under `rules:`"]),
    ("rulenet: 2\n" + ONE, ["1: rulenet: format '2' is not known here, which reads 1; upgrade rulenet"]),
    (TOP + "rules: []\n", ["2: there are no rules; add some under `rules:`"]),
    (TOP + "rules:\n", ["2: rules: a list is expected here, not nothing"]),
    (TOP + "rules: {a: b}\n", ["2: rules: a list is expected here, not {'a': 'b'}"]),
    (
        TOP + "rules:\n- text\n- [a]\n",
        ["3: rule '#1': rules: a mapping (field: value) is", "4: rule '#2': rules: a mapping"],
    ),
    (TOP + "language: de\n" + ONE, ["2: language: 'de' is not one of 'en', 'zh' or 'any'"]),
    (TOP + "lables: [X]\n" + ONE, ["2: unknown field 'lables': did you mean 'labels'?"]),
    (TOP + "Lexicons: {}\n" + ONE, ["2: unknown field 'Lexicons': did you mean 'lexicons'?"]),
    (
        TOP + "qqq: 1\n" + ONE,
        [
            "2: unknown field 'qqq'; known: rulenet, language, labels, include, fold_traditional, negation_cues, lexicons, rules, cases"
        ],
    ),
    (TOP + "labels: X\n" + ONE, ["2: labels: a list is expected here, not 'X'"]),
    (
        TOP + "labels:\n- [X]\n- ''\n" + ONE,
        ["3: labels: a text is expected here, not ['X']", "4: labels: a text is expected"],
    ),
    (TOP + "labels: [X, Y, X]\n" + ONE, ["2: label 'X' stands twice in `labels`; keep one"]),
    (
        TOP + "labels: [Sports, World]\n" + rule("word: w")[len(TOP) :],
        ["4: rule 'a': label 'X' is not among `labels`; known: Sp"],
    ),
    (TOP + "labels: [x]\n" + ONE, ["3: rule 'a': label 'X' is not among `labels`: did you mean 'x'?"]),
    # faults of the YAML itself come with the others
    (
        rule("word: w, word: v, wieght: 2"),
        ["3: key 'word' stands twice in the same", "3: rule 'a': unknown field 'wieght'"],
    ),
    (rule("word: w") + "---\n", ["4: a second YAML document begins here"]),
]
RULE_LEVEL = [
    (rule("wrod: w"), ["3: rule 'a': unknown field 'wrod': did you mean 'word'?"]),
    (rule("word: w, wieght: 2"), ["3: rule 'a': unknown field 'wieght': did you mean 'weight'?"]),
    (rule("word: w, Note: n"), ["3: rule 'a': unknown field 'Note': did you mean 'note'?"]),
    (
        rule("word: w, zzz: 2"),
        [f"3: rule 'a': unknown field 'zzz'; known: {KINDS}, case, forms, segmented, gap, field, id, label, labels"],
    ),
    (rule("any: [{wrd: w}]"), ["3: rule 'a': unknown field 'wrd': did you mean 'word'?"]),
    (rule("any: [{word: w, wieght: 1}]"), [f"3: rule 'a': unknown field 'wieght'; known: {KINDS}"]),
    (rule("word: w, unless: [{all: [{rgex: x}]}]"), ["3: rule 'a': unknown field 'rgex': did you mean 'regex'?"]),
    (rule("word: w, examples: {matches: [x]}"), ["3: rule 'a': unknown field 'matches': did you mean 'match'?"]),
    (f"{TOP}rules:\n- {{label: X, word: w}}\n", ["3: rule '#1': field 'id' is missing; add it"]),
    (f"{TOP}rules:\n- {{id: a, word: w}}\n", ["3: rule 'a': give label, or labels with a weight each"]),
    (
        f"{TOP}rules:\n- id: ''\n  label: {{}}\n  word: w\n",
        ["3: rule '': id: a text is expected here, not nothing", "4: rule '': label: a text"],
    ),
    (
        f"{TOP}rules:\n- {{id: {'i' * 201}, label: X, word: w}}\n",
        [f"3: rule '{'i' * 201}': id: string should have at most 200 char"],
    ),
    (f"{TOP}rules:\n- {{id: [a], label: X, word: w}}\n", ["3: rule '#1': id: a text is expected here, not ['a']"]),
    # one kind of condition
    (
        rule("note: n"),
        [f"3: rule 'a': give exactly one of {KINDS}; found none of them. Combine several with any or all"],
    ),
    (rule("word: "), ["3: rule 'a': give exactly one of"]),
    (
        rule("word: w, phrase: x y"),
        [f"3: rule 'a': give exactly one of {KINDS}; found word and phrase. Combine several"],
    ),
    (rule("any: [{}]"), ["3: rule 'a': give exactly one of"]),
    (rule("any: [{word: w, regex: x}]"), [f"3: rule 'a': give exactly one of {KINDS}; found word and regex"]),
    # shapes
    (rule("any: []"), ["3: rule 'a': any is empty; fill it or remove it"]),
    (rule("word: []"), ["3: rule 'a': word is empty; fill it or remove it"]),
    (rule("word: ''"), ["3: rule 'a': word: a text is expected here, not nothing; quote it if it holds ':' or '#'"]),
    (rule("word: [w, '']"), ["3: rule 'a': word: a text is expected here, not nothing"]),
    (rule("word: [[w]]"), ["3: rule 'a': word: a text is expected here, not ['w']"]),
    (rule("word: {a: b}"), ["3: rule 'a': word: a list is expected here, not {'a': 'b'}"]),
    (rule("any: w"), ["3: rule 'a': any: a list is expected here, not 'w'"]),
    (rule("any: {word: w}"), ["3: rule 'a': any: a list is expected here, not {'word': 'w'}"]),
    (rule("any: [w]"), ["3: rule 'a': any: a mapping (field: value) is expected here, not 'w'"]),
    (rule("word: w, unless: {word: x}"), ["3: rule 'a': unless: a list is expected here"]),
    (rule("word: w, unless: [x]"), ["3: rule 'a': unless: a mapping (field: value) is expected here, not 'x'"]),
    (rule("word: w, examples: [x]"), ["3: rule 'a': examples: a mapping (field: value) is expected here, not ['x']"]),
    (rule("word: w, examples: {match: x}"), ["3: rule 'a': match: a list is expected here, not 'x'"]),
    (rule("word: w, note: [n]"), ["3: rule 'a': note: a text is expected here, not ['n']"]),
    (rule("word: w, note: "), ["3: rule 'a': note: a text is expected here, not nothing"]),
    (
        rule("word: w, pin: perhaps"),
        ["3: rule 'a': pin: true or false is expected here, not 'perhaps'"],
    ),
    (rule("word: w, sign: agianst"), ["3: rule 'a': sign: 'agianst' is not one of 'for', 'against' or 'free'"]),
    (
        rule("word: w, where: middle"),
        ["3: rule 'a': where: 'middle' is not one of 'anywhere', 'start', 'end' or 'first_sentence'"],
    ),
    (rule("word: w, negation: no"), ["3: rule 'a': negation: 'no' is not one of 'ignore', 'skip' or 'require'"]),
    # weights
    (rule("word: w, weight: 2, confidence: 0.9"), ["3: rule 'a': give weight or confidence, not both"]),
    (
        rule("word: w, weight: -1"),
        ["3: rule 'a': a rule with sign: for starts at -1; use sign: against, or sign: free"],
    ),
    (rule("word: w, confidence: 0.2"), ["3: rule 'a': a rule with sign: for starts at -1.39; use sign: against"]),
    (
        rule("word: w, weight: 1, sign: against"),
        ["3: rule 'a': a rule with sign: against starts at 1; give a negative weight"],
    ),
    (
        rule("word: w, confidence: 0.8, sign: against"),
        ["3: rule 'a': a rule with sign: against starts at 1.39; give a"],
    ),
    (rule("word: w, weight: 20.5"), ["3: rule 'a': weight: input should be less than or equal to 20, not '20.5'"]),
    (rule("word: w, weight: -21, sign: free"), ["3: rule 'a': weight: input should be greater than or equal to -20"]),
    (rule("word: w, weight: nan"), ["3: rule 'a': weight: input should be"]),
    (rule("word: w, weight: inf"), ["3: rule 'a': weight: input should be"]),
    (
        rule("word: w, weight: heavy"),
        ["3: rule 'a': weight: a number is expected here, not 'heavy'"],
    ),
    (rule("word: w, confidence: 1"), ["3: rule 'a': confidence: input should be less than 1, not '1'"]),
    (rule("word: w, confidence: 0"), ["3: rule 'a': confidence: input should be greater than 0, not '0'"]),
    (rule("word: w, confidence: 90%"), ["3: rule 'a': confidence: a number is expected here, not '90%'"]),
    # literals, regexes, tags
    (rule("word: grand slam"), ["3: rule 'a': word 'grand slam' is several words; write phrase: grand slam"]),
    (rule("word: [$, w]"), ["3: rule 'a': '$' holds no letter or digit, so it can never be found; use a regex"]),
    (
        rule("phrase: ['!!', '😀', '，']"),
        ["3: rule 'a': '!!' holds no", "3: rule 'a': '😀' holds no", "3: rule 'a': '，' holds no"],
    ),
    (rule("word: '<b>'"), ["3: rule 'a': '<b>' holds no letter or digit"]),
    (
        rule("regex: 'a(?=b)'"),
        ["3: rule 'a': regex 'a(?=b)': look-around is not supported by RE2; use `all`, `none` or `unless`"],
    ),
    (
        rule("regex: '(a)\\1'"),
        ["3: rule 'a': regex '(a)\\\\1': back-references are not supported by RE2; spell the alternatives out"],
    ),
    (
        rule("regex: [ok, '(', '*']"),
        ["3: rule 'a': regex '(': not a regular expression that RE2 accepts", "3: rule 'a': regex '*': not a"],
    ),
    (rule("pos: VRB"), ["3: rule 'a': pos 'VRB': unknown tag 'VRB'; the tags are ADJ"]),
    (
        rule("pos: [NOUN, 'DET? ADJ*']"),
        ["3: rule 'a': pos 'DET? ADJ*': the pattern can match nothing at all; make one item"],
    ),
    (rule("pos: noun"), ["3: rule 'a': pos 'noun': 'noun' is not a tag pattern; write TAG"]),
    (rule(f"regex: '{'(' * 100}'"), [f"3: rule 'a': regex '{'(' * 56}…: not a regular expression"]),
    (rule("word: w, unless: [{none: [{regex: '['}]}]"), ["3: rule 'a': regex '[': not a regular expression"]),
]
LEXICONS = [
    (rule("lexicon: x"), ["3: rule 'a': lexicon 'x' does not exist"]),
    (
        TOP + "lexicons: {teams: [t]}\nrules: [{id: a, label: X, lexicon: taems}]",
        ["3: rule 'a': lexicon 'taems' does not exist: did you mean 'teams'?"],
    ),
    (
        TOP + "lexicons: {teams: [t]}\nrules: [{id: a, label: X, lexicon: [teams, x]}]",
        ["3: rule 'a': lexicon 'x' does not exist; known: teams"],
    ),
    (TOP + "lexicons: {a: []}\n" + ONE, ["2: lexicon 'a' is empty; fill it or remove it"]),
    (
        TOP + "lexicons: {a: , b: text, c: {d: e}}\n" + ONE,
        ["2: a: a list is expected here, not nothing", "2: field 'lexicon' is missing", "2: unknown field 'd'"],
    ),
    (TOP + "lexicons: [a]\n" + ONE, ["2: lexicons: a mapping (field: value) is expected here, not ['a']"]),
    (
        TOP + "lexicons:\n  a:\n  - ''\n  - [x]\n  - $\n" + ONE,
        ["4: a: a text is expected here, not nothing", "5: a: a text is expected here, not ['x']"],
    ),
    (
        TOP + "lexicons:\n  a:\n  - ok\n  - $\n" + ONE,
        ["5: '$' holds no letter or digit, so it can never be found; use a regex"],
    ),
    (
        TOP + "lexicons: {a: [{lexikon: b}]}\n" + ONE,
        ["2: field 'lexicon' is missing; add it", "2: unknown field 'lexikon': did you mean 'lexicon'?"],
    ),
    (
        TOP + "lexicons: {teams: [{lexicon: taems}]}\n" + ONE,
        ["2: lexicon 'taems' does not exist: did you mean 'teams'?"],
    ),
    (
        TOP + "lexicons: {a: [{lexicon: a}]}\n" + ONE,
        ["2: lexicons include each other in a circle: a → a; remove one link"],
    ),
    (
        TOP
        + "lexicons:\n  d: [{lexicon: a}]\n  a: [{lexicon: b}]\n  b: [x, {lexicon: c}]\n  c: [{lexicon: a}]\n"
        + ONE,
        ["4: lexicons include each other in a circle: a → b → c → a; remove one link"],
    ),
    (TOP + "lexicons: {a: [{lexicon: c}, {lexicon: b}], b: [{lexicon: c}], c: [x]}\n" + ONE, None),  # a diamond is none
]
SEVERAL = [
    (
        "rulenet: 1\nlabels: [World, Sports]\nlangauge: en\nlexicons:\n  empty: []\nrules:\n"
        "  - id: one\n    label: Sprots\n    word: w\n    wieght: 2\n"
        "  - id: two\n    label: World\n    regex: '('\n    sign: agianst\n"
        "  - id: one\n    label: World\n    any:\n      - lexicon: emtpy\n      - word: two words\n"
        "  - label: World\n    word: w\n",
        [
            "3: unknown field 'langauge': did you mean 'language'?",
            "5: lexicon 'empty' is empty",
            "8: rule 'one': label 'Sprots' is not among `labels`: did you mean 'Sports'?",
            "10: rule 'one': unknown field 'wieght': did you mean 'weight'?",
            "13: rule 'two': regex '(': not a regular expression",
            "14: rule 'two': sign: 'agianst' is not one of",
            "15: rule 'one': id 'one' is already used in line 7; ids are unique",
            "18: rule 'one': lexicon 'emtpy' does not exist: did you mean 'empty'?",
            "19: rule 'one': word 'two words' is several words",
            "20: rule '#4': field 'id' is missing",
        ],
    ),
    # parts that cannot be read cause no faults of others
    (
        TOP + "labels: [[X]]\nlexicons: {a: [[b]]}\nrules: [{id: a, label: X, lexicon: a}]",
        ["2: labels: a text", "3: a: a text"],
    ),
    (
        TOP + "labels: text\nlexicons: text\nrules: text",
        ["2: labels: a list", "3: lexicons: a mapping", "4: rules: a list"],
    ),
]


def faults(text: str) -> list[str]:
    with pytest.raises(RuleFileError, match="fault") as caught:
        RuleSet.from_yaml(text, name="f.yaml")
    assert str(caught.value).count("\n") == len(caught.value.faults)
    return [str(fault) for fault in caught.value.faults]


@pytest.mark.parametrize(("text", "expected"), [*FILE_LEVEL, *RULE_LEVEL, *LEXICONS, *SEVERAL])
def test_every_fault_with_its_line(text: str, expected: list[str] | None) -> None:
    if expected is None:
        assert len(RuleSet.from_yaml(text)) == 1
        return
    found = faults(text)
    assert [fault[: len(start)] for fault, start in zip(found, expected, strict=False)] == expected
    assert len(found) == len(expected)


def test_message_of_the_exception() -> None:
    with pytest.raises(
        RuleFileError, match=r"^2 faults in f\.yaml\nf\.yaml:1: field 'rulenet' is missing; add it\nf"
    ) as caught:
        RuleSet.from_yaml("rules: []\n", name="f.yaml")
    assert caught.value.source == "f.yaml"
    assert str(caught.value).endswith(
        "\nf.yaml:1: there are no rules; add some under `rules:`, or name a file that has some under `include:`"
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
    assert faults(f"{TOP}lexicons:\n{links}{ONE}") == [
        "3: lexicons include each other in a circle: l0 → l1 → l2 → l3 → l4 → l5 → … → l4999 → l0; remove one link"
    ]


def test_three_thousand_faults_are_all_named() -> None:
    rules = "".join(f"- {{id: r{i}, label: X, wrod: w}}\n" for i in range(3_000))
    found = faults(f"{TOP}rules:\n{rules}")
    assert len(found) == 3_000
    assert found[-1] == "3002: rule 'r2999': unknown field 'wrod': did you mean 'word'?"
