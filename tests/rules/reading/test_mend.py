"""rulenet.rules.reading.mend: one line that YAML refuses hides no other fault, and most can be repaired."""

from __future__ import annotations

import pytest
import yaml

from rulenet.rules.file.parse import parse_yaml
from rulenet.rules.lint.lint import lint_text
from rulenet.rules.lint.repair import repair
from rulenet.rules.reading.characters import badness
from rulenet.rules.reading.mend import mended
from rulenet.rules.ruleset import RuleSet

HEAD = "rulenet: 1\nlabels: [X]\nrules:\n  - id: a\n    label: X\n"
# As written, and what YAML must read.
TEXTS = {
    "regex": [
        ("[a-z]+ing", None), ("[0-9]{3}-[0-9]{4}", None), ("[Cc]ats?", None), (r"[^a]\d", None), ("*foo", None), ("|a", None),
        (r'"\d+"', r"\d+"), (r'"\bcat\s"', r"\bcat\s"), (r'"\\d\."', r"\d\."), (r'"\$5 \"off\""', r'\$5 "off"'), (r'"(\w+)@x"', r"(\w+)@x"),
        ("(a|b): c", None), ("'it's'", "it's"), ("'[a]' or b", None), ("%d", None), (">5", None), ("@x", None), ("`x`", None),
    ],
    "phrase": [
        ("note: this", None), ("re: your order", None), ("time: 12: 30", None), ("@home page", None), ("'don't stop'", "don't stop"),
        ('"He said "hi" to"', 'He said "hi" to'), ("'a' b", None), ('"great" service', None), ("- x", None), ("? x", None),
        ("%5 off", None),         ("*star", None), ("&amp", None), ("!important", None), (r'"C:\dir"', r"C:\dir"),
        ("[sic] x", None),
        ("{name} dear", None),
    ],
}  # fmt: skip
ITEMS_OF_THEIR_OWN = (
    "note: ",
    "re: ",
    "time: ",
    "- x",
    "? x",
    "(a|b): ",
)  # lists and mappings, if in a list


@pytest.mark.parametrize("field", TEXTS)
def test_a_text_without_its_quotes(field: str) -> None:
    """The fault names the line, the rest of the file is still checked, and --fix writes the quotes; also in braces and in lists."""
    for written, meant in TEXTS[field]:
        forms = {
            f"{HEAD}    {field}: {written}  # why\n  - {{id: b, label: Y, word: w}}\n": ("rules", 0, field),
            f"{HEAD}    {field}:\n      - fine\n      - {written}\n  - {{id: b, label: Y, word: w}}\n": (
                "rules",
                0,
                field,
                1,
            ),
        }
        for text, path in forms.items():
            if len(path) == 4 and written.startswith(ITEMS_OF_THEIR_OWN):
                assert any(fault.code.name == "wrong-type" for fault in lint_text(text)), text
                continue
            faults = lint_text(text)
            line = next(n for n, row in enumerate(text.split("\n"), 1) if written in row)
            assert [f.line for f in faults if f.code.number in ("RN002", "RN003")] == [line], text
            assert any(f.code.name == "unknown-label" for f in faults), text
            new, _ = repair(text)
            data, _, left = parse_yaml(new)
            for step in path:
                data = data[step]
            assert (data, left) == (meant or written, []), text
            assert new.count("# why") == text.count("# why")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("regex: [0-9]+", "[0-9]+"),
        ("regex: a[0-9]", "a[0-9]"),
        (r'regex: "\d+"', r"\d+"),
        ("phrase: @home", "@home"),
        (r"regex: \d{3}", r"\d{3}"),
        ("phrase: #5 off", "#5 off"),
        ("phrase: [#5 off]", "#5 off"),
        ("phrase: 'don't stop'", None),  # in braces nobody can tell where it ends
    ],
)
def test_in_braces(written: str, meant: str | None) -> None:
    text = f"rulenet: 1\nrules:\n- {{id: a, label: X, {written}, weight: 2}}\n"
    assert any(fault.line == 3 and fault.code.name == "not-yaml" for fault in lint_text(text))
    if meant:
        rule = RuleSet.from_yaml(repair(text)[0]).file.rules[0]
        assert [*(rule.regex or []), *(rule.phrase or [])] == [meant]
        assert rule.weight == 2


def test_several_lines_and_a_comment_in_brackets() -> None:
    text = f"{HEAD}    phrase: a: b\n  - id: b\n    label: X\n    word: [a #b, c]\n  - id: b\n    label: X\n    word:refund\n"
    assert [(fault.line, fault.code.name) for fault in lint_text(text)] == [
        (6, "not-yaml"),
        (9, "not-yaml"),
        (9, "several-words"),
        (10, "duplicate-id"),
        (12, "not-yaml"),
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("word: [a, b", 6),
        ('word: "abc', 6),
        ("word: {a: b", 6),
        ("word: [one, two,, three]", 6),
        ("any: [{word: one},, {word: two}]", 6),
        ("word: &w a b", 6),  # an anchor, or a text: only the author knows
        ("word: &w\n    note: *w", 6),
    ],
)
def test_what_only_the_author_knows_is_left(text: str, line: int) -> None:
    text = f"{HEAD}    {text}\n"
    assert lint_text(text)[0].line == line
    assert repair(text)[0] == text


RULES = f"""{HEAD}    any:
      - word: w
      - word: v
  - id: b
    label: Y
    wrod: v
  - id: c
    label: X
    phrase: @me
"""


# As meant, as written, and what to write.
INDENTATIONS = [
    ("    label: X\n", "     label: X\n", "4 spaces"),
    ("    any:\n", "   any:\n", "4 spaces"),
    ("    label: X\n    any:", "  label: X\n  any:", "4 spaces"),
    ("      - word: v\n", "     - word: v\n", "6 spaces"),
    ("      - word: v\n", "       - word: v\n", "6 spaces"),
    ("  - id: b\n    label: Y\n    wrod: v\n", "   - id: b\n     label: Y\n     wrod: v\n", "2 spaces"),
    ("labels: [X]", " labels: [X]", "no spaces"),
    ("rules:", "  rules:", "no spaces"),
]


def test_what_is_indented_wrongly_hides_nothing() -> None:
    """The line is named with what fits; the faults below it are found, and nothing is repaired by a guess at what belongs where."""
    for meant, written, advice in INDENTATIONS:
        text = RULES.replace(meant, written, 1)
        indentation, *others = sorted(lint_text(text), key=lambda fault: "indented" not in fault.message)
        assert indentation.line == text.count("\n", 0, text.index(written)) + 1
        assert indentation.message.endswith(f"; write {advice} before it")
        assert others == lint_text(RULES), text
        assert badness(repair(text)[0]) == badness(text.replace("@me", "'@me'"))


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_line_ends_stay(end: str) -> None:
    text = f"{HEAD}    regex: [a-z]+x\n    note: n\n".replace("\n", end)
    assert repair(text)[0] == text.replace("[a-z]+x", "'[a-z]+x'")


@pytest.mark.parametrize(
    "text", ["rules:\n" + "  - {id: [a-z]+, regex: [0-9]+}\n" * 5_000, "[" * 10_000, "a: 'b\n" * 20_000]
)
def test_a_hopeless_file_is_given_up(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read = []
    parse = yaml.parse
    monkeypatch.setattr(yaml, "parse", lambda text, **options: read.append(len(text)) or parse(text, **options))
    assert mended(text)[2]
    assert sum(read) < 5_000_000
