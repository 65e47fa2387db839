"""rulenet.rules.file.codes: an input for every code, with its line and sentence; and the table in the documentation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rulenet.errors import Fault, RuleFileError
from rulenet.rules.file.codes import CODES, table
from rulenet.rules.lint.lint import lint
from rulenet.rules.reading.sources import read_text
from rulenet.rules.writing.files import save_text

TOP = "rulenet: 1\n"
ONE = "rules: [{id: a, label: X, word: w}]\n"


def rule(*rules: str, head: str = "") -> str:
    """A file whose rules are in lines 3, 4 … (or further down, below a longer head)."""
    lines = "".join(f"- {{id: {name}, label: X, {fields}}}\n" for name, fields in zip("abcdefg", rules, strict=False))
    return f"{TOP}{head}rules:\n{lines}"


DISABLED = "word: w, enabled: false"
# Code, text of the file, line, and the message or its beginning.
ROWS = [
    ("RN002", "a: [1\nb: 2", 1, "not valid YAML: a bracket [ is not closed; write ] at its end"),
    ("RN002", "a:\n    - b\n  - c\n", 3, "not valid YAML: this line is indented like none that it can belong to; write 4 spaces b"),
    ("RN003", "a: &x b\n", 1, "anchor '&x' is not allowed. Remove it; quote a text that begins with '&'"),
    ("RN004", TOP + ONE + TOP, 3, "'rulenet' is given twice in the same mapping; keep one"),
    ("RN005", "[" * 41, 1, "nested more than 40 levels deep; simplify it"),
    ("RN006", "- a\n", 1, "the file must be a mapping with `rulenet: 1` and `rules:`"),
    ("RN006", "", 1, "the file is empty; it needs at least `rulenet: 1` and `rules:`"),
    ("RN007", "rulenet: 1\r\n" + ONE, 1, "lines end in different ways (Windows, Unix); use one of them"),
    ("RN008", "rulenet: 1\nrules:\n\t- {id: a, label: X, word: w}\n", 3, "a tab or wide space before the line; indent with"),
    ("RN008", "rulenet: 1\nrules：\n- {id: a, label: X, word: w}\n", 2, "a wide colon after the name of a field, or a wide c"),
    ("RN011", ONE, 1, "field 'rulenet' is missing; add it"),
    ("RN012", rule("wrod: w"), 3, "unknown field 'wrod': did you mean 'word'?"),
    ("RN013", rule("word: {a: b}"), 3, "word: a list is expected here, not {'a': 'b'}; begin"),
    ("RN014", rule("word: w, sign: agianst"), 3, "sign: 'agianst' is not one of 'for', 'against' or 'free'"),
    ("RN015", rule("word: w, confidence: 1"), 3, "confidence: input should be less than 1, not '1'"),
    ("RN016", rule("word: []"), 3, "word is empty; fill it or remove it"),
    ("RN017", "rulenet: 2\n" + ONE, 1, "rulenet: this version reads format 1, not '2'; upgrade rulenet, or write rulenet: 1"),
    ("RN021", rule("phrase: ticket #123 lost, note: n").replace(", note: n}", "\n  }"), 3, "only 'ticket' is read here, as ' #' begins a "),
    ("RN022", rule("regex: [0-9]"), 3, "[0-9] is read as a list of 1; write '[0-9]' in quotes for one of these characters"),
    ("RN023", rule('phrase: "C:\\temp"'), 3, r"'C:\temp' contains a control character, as YAML reads \t in double quotes; write"),
    ("RN023", rule("word: w") + "- id: z\n  label: X\n  regex: |\n    ab c\n", 6, r"regex 'ab c\n' ends in a line break, as YAML keeps "),
    ("RN024", rule("word: w, note: 'a \u202e b'"), 3, '"- {id: a, label: X, word: w, note: '),
    ("RN024", rule("word: w").replace("id: a", "id: a\u200b"), 3, r"id 'a\u200b' contains U+200B, which cannot be seen; remove it"),
    ("RN101", rule("any: [{}]"), 3, "give exactly one of any, all, none, word, phrase, lexicon, starts, ends, regex, pos, "),
    ("RN102", rule("regex: a, gap: 1"), 3, "regex has no option gap (an option of phrase); move it to the condition it is meant "),
    ("RN103", rule("word: w, weight: 1, confidence: 0.9"), 3, "give weight or confidence, not both"),
    ("RN103", rule("near: {terms: [a, b], within: 1, same: sentence}"), 3, "give within or same, not both"),
    ("RN103", rule("word: w, case: exact, forms: lemma"), 3, "case: exact and forms: lemma cannot be combined, as forms are "),
    ("RN103", f"{TOP}rules:\n- {{id: a, word: w}}\n", 3, "give either label, or labels with a weight for each"),
    ("RN103", rule("word: w").replace("label: X", "labels: {X: 1}, weight: 1"), 3, "labels gives the weights; remove weight "),
    ("RN103", rule("word: w").replace("label: X", "labels: {X: 1}, negation: {flip: Y}"), 3, "negation: flip can be combined"),
    ("RN104", rule("length: {}"), 3, "give at_least, at_most or both"),
    ("RN104", rule("length: {at_least: 3, at_most: 2}"), 3, "at_least 3 is more than at_most 2, which no text can meet; "),
    ("RN104", rule("word: w, since: 2026-02-01, until: 2026-01-01"), 3, "since 2026-02-01 is after until 2026-01-01; swap "),
    ("RN105", rule("word: w, weight: -1"), 3, "a rule with sign: for cannot start at -1; use sign: against, or sign: free"),
    ("RN105", rule("word: w").replace("label: X", "labels: {X: 1}, sign: against"), 3, "sign: against cannot be combined with "),
    ("RN201", TOP, 1, "there are no rules; add some under `rules:`, or name a file that has some under `include:`"),
    ("RN202", rule("word: w") + rule("word: v").split("\n")[2] + "\n", 4, "id 'a' is already used in line 3; rename one of the"),
    ("RN203", rule("word: w", head="labels: [x]\n"), 4, "label 'X' is not among `labels`: did you mean 'x'?"),
    ("RN204", TOP + "labels: [X, X]\n" + ONE, 2, "label 'X' is listed twice in `labels`; keep one"),
    ("RN205", rule("lexicon: x"), 3, "lexicon 'x' does not exist; there is none, so add it"),
    ("RN206", TOP + "lexicons: {a: []}\n" + ONE, 2, "lexicon 'a' is empty; fill it or remove it"),
    ("RN207", TOP + "lexicons: {a: {lexicon: a}}\n" + ONE, 2, "lexicons include each other in a circle: a → a; remove one of"),
    ("RN209", TOP + "include: ../a.yaml\n" + ONE, 2, "include '../a.yaml' is outside "),
    ("RN210", TOP + "include: rules.yaml\n" + ONE, 2, "files include each other in a circle: rules.yaml → rules.yaml; remove "),
    ("RN213", rule("word: w", head="words: [云计算, iPhone]\n"), 2, "'iPhone' is no Chinese word of two characters or more"),
    ("RN213", rule("wrod: w", head="words: ['・']\n"), 2, "'・' is no Chinese word of two characters or more"),
    ("RN214", rule("word: w", "word: v").replace("X, word: v", "x, word: v"), 4, "label 'x' (used once) and 'X' (line 3, used once) diff"),
    ("RN214", rule("word: w").replace("X", "'X '"), 3, "label 'X ' begins or ends with white space, which makes it another label than 'X'"),
    ("RN215", rule("word: p\u0430ypal"), 3, "word 'p\u0430ypal' looks like 'paypal', but '\u0430' is cyrillic small letter a; texts with"),
    ("RN215", rule("word: w", "word: v").replace("id: b", "id: \u0430"), 4, "id '\u0430' looks the same as that in line 3"),
    ("RN220", rule("word: $"), 3, "'$' has no letter or digit, so it can never be found; use a regex"),
    ("RN221", rule("word: oil price"), 3, "word 'oil price' is several words; write phrase: oil price"),
    ("RN222", rule("regex: '('"), 3, "regex '(': not a regular expression that RE2 accepts: missing ): (; write a backslash "),
    ("RN223", rule("pos: VRB"), 3, "pos 'VRB': unknown tag 'VRB'; the tags are ADJ, ADP, "),
    ("RN224", rule("count: {length: {at_most: 1}, at_least: 1}"), 3, "length has no hits to count; count words or patterns"),
    ("RN301", rule("word: C++"), 3, "'C++' is matched as 'c': symbols only separate words; use a regex if they matter"),
    ("RN302", rule("word: 差评，失望"), 3, "'差评，失望' is looked for with its comma; is it a list? Write [差评, 失望]"),
    ("RN302", rule("phrase: 'a, b, c'"), 3, "'a, b, c' is looked for as words in a row; is it a list? Put it in [ ], with commas"),
    ("RN302", TOP + "labels: ['X, Y', X]\n" + ONE, 2, "label 'X, Y' looks like several; write [X, Y]"),
    ("RN303", rule("word: the"), 3, "'the' is in nearly every text, so it does not distinguish texts; leave it out, or put it in"),
    ("RN304", rule("word: WHO"), 3, "'WHO' is also found in 'who', as case is ignored; move it to a condition with case: exact"),
    ("RN305", rule("word: [w, W]"), 3, "'W' is the same as 'w', as case and punctuation do not matter; keep one"),
    ("RN305", rule("word: w, tags: [t, t]"), 3, "'t' is listed twice; keep one"),
    ("RN306", rule("word: w, segmented: true"), 3, "segmented: true changes nothing, as it is for Chinese words; leave it out"),
    ("RN306", rule("word: '911', case: exact"), 3, "case: exact changes nothing, as no letter here has two cases; leave it"),
    ("RN306", rule("phrase: 手机, gap: 2"), 3, "gap: 2 changes nothing, as each entry is one word; put spaces between its words"),
    ("RN306", rule("length: {at_most: 5}, where: start"), 3, "where changes nothing, as length has no hits in the text; leave "),
    ("RN306", rule("starts: A b, where: end"), 3, "starts with where: end is possible only in texts of at most 20 words; leave "),
    ("RN306", rule("all: [{word: w}, {count: {word: v, at_least: 0}}]"), 3, "count with at_least: 0 is always fulfilled; give "),
    ("RN308", TOP + "lexicons: {l: [x]}\n" + ONE, 2, "lexicon 'l' is used by no rule; use it or remove it"),
    ("RN309", rule(*[f"word: w{i}, field: title" for i in range(3)], "word: v, field: titel"), 6, "field 'titel' is read only"),
    ("RN310", rule("word: ' w'"), 3, "' w' begins or ends with spaces, which are ignored; remove them"),
    ("RN305", rule("word: w", head="words: [云计算, 云计算]\n"), 2, "'云计算' is listed twice; keep one"),
    ("RN310", rule("word: w", head="words: [' 云计算']\n"), 2, "' 云计算' begins or ends with spaces, which are ignored"),
    ("RN331", rule("word: [云计算, 地球], segmented: true"), 3, "jieba does not know '云计算', so it guesses the borders"),
    ("RN310", rule("word: w", head="negation_cues: [' lacks']\n"), 2, "' lacks' begins or ends with spaces, which are ignored"),
    ("RN320", rule('regex: "\\bw"'), 3, r"regex '\x08w' contains a backspace, as YAML reads \b in double quotes; use single quotes"),
    ("RN321", rule("regex: 'x*'"), 3, "regex 'x*' matches the empty text, so it fires everywhere; make a part obligatory"),
    ("RN321", rule("regex: .+"), 3, "regex '.+' hits nearly every text, so it does not distinguish texts; look for something "),
    ("RN322", rule("regex: '价：'"), 3, "regex '价：' contains characters that cleaning replaces in texts (full-width forms, entities)"),
    ("RN323", rule(r"regex: 'é\b'"), 3, r"regex 'é\b': \b is ASCII in RE2 and never matches next to a non-ASCII letter; leave it out"),
    ("RN324", rule("regex: '[A-z]1'"), 3, r"regex '[A-z]1': A-z also includes [ \ ] ^ _ `; write a-z"),
    ("RN324", rule("regex: '[cat|dog] x'"), 3, "regex '[cat|dog] x': [cat|dog] means any one of these letters; for one of these "),
    ("RN325", rule("regex: '.*1x'"), 3, "regex '.*1x' begins with .*, which only stretches the hit to the start of the text; leave it"),
    ("RN326", rule("regex: my"), 3, r"regex 'my' also hits inside longer words; if not meant, write \b(my)\b or word:"),
    ("RN327", rule("regex: 'a{0,200}b'"), 3, "regex 'a{0,200}b' repeats a part up to 200 times, which is slow; write + or *, or "),
    ("RN330", rule("all: [{word: w}, {pos: 'NOUN:e-mail'}]"), 3, "pos item 'NOUN:e-mail' never hits: the tagger sees 'e', '-', "),
    ("RN340", rule(r"regex: '\b(a|b)\b'"), 3, r"regex '\b(a|b)\b' is a list of words; word: [a, b] is plainer and faster"),
    ("RN340", rule("near: {terms: [a, b], within: 0, ordered: true}"), 3, "near with ordered: true and within: 0 means phrase: a b"),
    ("RN401", rule("word: w, unless: [{word: w}]"), 3, "can never fire: 'w' must be there and is ruled out; change one of the"),
    ("RN401", rule("all: [{word: w}, {word: v, field: a}], field: b"), 3, "field: a is inside field: b, where it is never found"),
    ("RN401", rule("near: {terms: [a, {lang: en}]}"), 3, "near is never fulfilled: lang has no hits in the text; combine it "),
    ("RN401", rule("count: {starts: w, at_least: 2}"), 3, "count can never reach 2: starts has at most 1 hit; lower at_least"),
    ("RN401", rule("count: {any: [{lang: en}], at_least: 1}"), 3, "count can never reach 1: any has no hits; count words or"),
    ("RN401", rule("length: {at_most: 5}, negation: require"), 3, "can never fire: negation: require needs a negated hit, but "),
    ("RN402", rule("count: {word: w, at_least: 0}"), 3, "fires on every text, as its condition is always fulfilled; add a condition"),
    ("RN403", rule("word: [w, v], unless: [{word: w}]"), 3, "one alternative can never hit: 'w' must be there and is ruled out; "),
    ("RN404", rule("word: w", "word: w"), 4, "fires on the same texts as rule 'a' (line 3) and supports the same label; keep one of "),
    ("RN405", rule("word: w", "word: w, sign: against"), 4, "fires on the same texts as rule 'a' (line 3) with the opposite "),
    ("RN406", rule("word: [v, w]", "word: w"), 4, "everything it looks for ('w') is also in rule 'a' (line 3) for the same label, so "),
    ("RN407", rule("pos: NOUN"), 3, "tags every text, which is slow; put the pos pattern under `all` with a word that must be there"),
    ("RN408", rule("none: [{word: w}]"), 3, "fires on every text in which something is absent, so on most; add a condition that "),
    ("RN409", rule("all: [{word: w}, {lang: zh}]", head="language: en\n"), 4, "lang: zh is rarely true in a file with "),
    ("RN409", rule("word: 好, negation: skip", head="language: en\n"), 4, "negation looks for English cues (language: en), but"),
    ("RN410", rule(DISABLED), 3, "never fires, as enabled is false"),
    ("RN410", rule("word: w, since: 2999-01-01"), 3, "does not fire before 2999-01-01"),
    ("RN411", rule("word: w, until: 2001-12-31"), 3, "expired on 2001-12-31; change the date or delete the rule"),
    ("RN412", rule("word: w, weight: 0, pin: true"), 3, "has weight 0 and pin: true, so it never changes anything; give it a"),
    ("RN413", TOP + "labels: [X, Y]\n" + ONE, 2, "no rule supports label 'Y', so only a trained model can give it"),
    ("RN501", rule("word: w, examples: {match: [w], reject: [w]}"), 3, "example 'w' is under match and under reject; keep one"),
    ("RN502", rule("word: w, examples: {match: [v]}"), 3, "does not fire on its match example 'v'; correct the rule or the "),
    ("RN503", rule("word: w", head="labels: [X]\n") + "cases: [{text: w, label: x}]\n", 5, "label 'x' is not among `labels`: did"),
    ("RN601", f"# rulenet: ignore RN303\n{TOP}{ONE}", 1, "RN303 common-word does not occur here; remove it from the comment"),
    ("RN602", f"# rulenet: ignore common-wrod\n{TOP}{ONE}", 1, "unknown code 'common-wrod': did you mean 'common-word'?"),
    ("RN603", f"# rulenet: ignore RN012\n{TOP}{ONE}", 1, "RN012 unknown-field is an error, which cannot be ignored; correct it"),
]  # fmt: skip
# Code, the files of a folder, the file that is to blame, and the message or its beginning.
FOLDERS = [
    ("RN001", {"rules.yaml": TOP + "include: b.yaml\n" + ONE}, "rules.yaml:2", "include 'b.yaml': no such file; the path is "),
    ("RN206", {"rules.yaml": TOP + "lexicons: {l: {file: l.csv}}\n" + ONE, "l.csv": "term\n"}, "l.csv:1", "the list is empty; fill"),
    ("RN208", {"rules.yaml": TOP + "include: b.yaml\nlexicons: {l: [x]}\n" + ONE, "b.yaml": TOP + "lexicons: {l: [y]}\n"},
     "rules.yaml:3", "lexicon 'l' is also defined in "),
    ("RN211", {"rules.yaml": TOP + "language: en\ninclude: b.yaml\n" + ONE, "b.yaml": TOP + "language: zh\n"},
     "b.yaml:2", "the file is written for 'zh', but "),
    ("RN212", {"rules.yaml": TOP + "lexicons: {l: {file: l.csv}}\n" + ONE, "l.csv": "word\nx\n"},
     "l.csv:1", "the first line must be the header 'term' or 'term,weight', not 'word'"),
    ("RN212", {"rules.yaml": TOP + "lexicons: {l: {file: l.csv}}\n" + ONE, "l.csv": "term\nx,1\n"},
     "l.csv:2", "2 cells, but the header has 1; quote a term that contains a comma"),
]  # fmt: skip
ELSEWHERE = {"RN009", "RN307"}  # below


def found(path: Path, number: str) -> list[Fault]:
    return [fault for fault in lint(path) if fault.code.number == number]


@pytest.mark.parametrize("family", sorted({row[0][:3] for row in ROWS}))
def test_each_code_with_its_line_and_sentence(tmp_path: Path, family: str) -> None:
    path = tmp_path / "rules.yaml"
    for number, text, line, message in (row for row in ROWS if row[0].startswith(family)):
        path.write_bytes(text.encode())
        faults = found(path, number)
        assert {fault.line for fault in faults} == {line}, text
        assert faults[0].message.startswith(message)


@pytest.mark.parametrize(("number", "files", "place", "message"), FOLDERS)
def test_codes_of_several_files(tmp_path: Path, number: str, files: dict[str, str], place: str, message: str) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    (fault,) = found(tmp_path / "rules.yaml", number)
    assert Path(fault.place("rules.yaml")).name == place
    assert fault.message.startswith(message)


def test_a_package_that_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    path = tmp_path / "rules.yaml"
    path.write_text(rule("word: refund, forms: lemma", "all: [{word: w}, {pos: NOUN}]"))
    assert [fault.message for fault in found(path, "RN307")] == [
        "uses forms: lemma, which needs a dictionary: pip install 'rulenet[pos]'",
        "uses pos, which needs a tagger: pip install 'rulenet[pos]'",
    ]


def test_files_that_cannot_be_read_or_written(tmp_path: Path) -> None:
    with pytest.raises(RuleFileError, match=r"this is a folder; name a rule file \[RN001 unreadable-file\]"):
        read_text(tmp_path)
    (tmp_path / "latin.yaml").write_bytes(b"note: caf\xe9")
    with pytest.raises(RuleFileError, match=r"byte 9 is not UTF-8; save the file as UTF-8 \[RN001 unreadable-file\]"):
        read_text(tmp_path / "latin.yaml")
    with pytest.raises(RuleFileError, match=r"cannot be written: .* \[RN009 unwritable-file\]"):
        save_text(tmp_path / "latin.yaml" / "rules.yaml", "")


def test_every_code_has_an_input() -> None:
    assert {row[0] for row in (*ROWS, *FOLDERS)} | ELSEWHERE == {code.number for code in CODES}


def test_codes_are_well_formed_and_differ() -> None:
    assert all(re.fullmatch(r"RN\d{3}", code.number) and re.fullmatch(r"[a-z-]+", code.name) for code in CODES)
    assert len({code.number for code in CODES}) == len({code.name for code in CODES}) == len(CODES)
    assert [code.number for code in CODES] == sorted(code.number for code in CODES)
    assert next(code.name for code in CODES if code.number == "RN012") == "unknown-field"


def test_validators_raise_with_a_code(repository: Path) -> None:
    """All other faults take a code by their types."""
    files = (repository / "rulenet" / "rules").rglob("*.py")
    assert sum(path.read_text(encoding="utf-8").count("PydanticCustomError(") for path in files) == 1


def test_the_documentation_has_the_table(repository: Path) -> None:
    pages = [page.read_text(encoding="utf-8") for page in (repository / "docs").glob("*.md")]
    (shown,) = [part for page in pages for part in re.findall("<!-- codes -->\n(.*?)<!-- end of codes -->", page, re.S)]
    assert shown == table(), "run: python -c 'from rulenet.rules.file.codes import table; print(table(), end=\"\")'"
