"""rulenet.rules.file.parse: YAML as a rule author means it, with lines, and every way it can be refused."""

from __future__ import annotations

from typing import Any

import pytest

from rulenet.rules.file import parse
from rulenet.rules.file.parse import MAX_DEPTH, Lines, parse_yaml

SCALARS = [
    # every scalar is the text as written
    ("no", "no"),
    ("yes", "yes"),
    ("on", "on"),
    ("true", "true"),
    ("007", "007"),
    ("1.10", "1.10"),
    ("1_000", "1_000"),
    ("0x1F", "0x1F"),
    ("1e3", "1e3"),
    (".nan", ".nan"),
    ("2024-01-31", "2024-01-31"),
    ("12:30:45", "12:30:45"),
    ("=", "="),
    ("'no'", "no"),
    ('"a\\tb"', "a\tb"),
    ("'it''s'", "it's"),
    ("R&B", "R&B"),
    ("a # comment", "a"),
    ("a#b", "a#b"),
    ("中文 😀", "中文 😀"),
    (r"'\bwin\b'", r"\bwin\b"),
    ("|\n  two\n  lines", "two\nlines"),
    (">\n  one\n  line", "one line"),
    # nothing, unless quoted
    ("", None),
    ("~", None),
    ("null", None),
    ("NULL", None),
    ("'null'", "null"),
    ("''", ""),
    ('""', ""),
]


@pytest.mark.parametrize(("written", "value"), SCALARS)
def test_scalars_stay_text(written: str, value: str | None) -> None:
    assert parse_yaml(f"key: {written}") == ({"key": value}, {(): 1, ("key",): 1}, [])


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("", None),
        ("# only a comment\n", None),
        ("---\n", None),
        ("text", "text"),
        ("[a, 1, [b]]", ["a", "1", ["b"]]),
        ("- a\n-\n- - b\n  - c\n", ["a", None, ["b", "c"]]),
        ("{a: {b: [c]}, d: }", {"a": {"b": ["c"]}, "d": None}),
        ("--- \na: b\n...\n", {"a": "b"}),
        ("%YAML 1.2\n---\na: b\n", {"a": "b"}),
        ("'': a", {"": "a"}),
        ("~: a", {"null": "a"}),
        ("1: a", {"1": "a"}),
        ("<<: a", {"<<": "a"}),
        ('{"a": "b", "c": ["d"]}', {"a": "b", "c": ["d"]}),  # JSON is YAML
        ("a: b\r\nc: d\r\n", {"a": "b", "c": "d"}),
    ],
)
def test_structures(text: str, data: Any) -> None:
    assert parse_yaml(text)[0::2] == (data, [])


def test_lines() -> None:
    text = "# comment\nrulenet: 1\nrules:\n  - id: a\n    any:\n      - word: [x,\n          y]\n\n  - {id: b}\n"
    lines = parse_yaml(text)[1]
    assert lines == {
        (): 2,
        ("rulenet",): 2,
        ("rules",): 3,
        ("rules", 0): 4,
        ("rules", 0, "id"): 4,
        ("rules", 0, "any"): 5,
        ("rules", 0, "any", 0): 6,
        ("rules", 0, "any", 0, "word"): 6,
        ("rules", 0, "any", 0, "word", 0): 6,
        ("rules", 0, "any", 0, "word", 1): 7,
        ("rules", 1): 9,
        ("rules", 1, "id"): 9,
    }


def test_the_line_of_what_is_not_there_is_that_of_its_nearest_ancestor() -> None:
    lines = Lines({(): 2, ("rules",): 3, ("rules", 0): 4})
    assert lines.at(("rules", 0, "any", 7)) == 4
    assert lines.at(("rules", 9)) == 3
    assert lines.at(("labels",)) == 2
    assert Lines().at(("labels",)) == 1


FAULTS = [
    # (text, faults)
    ("a: 1\nb: 2\na: 3\n", ["3 RN004"]),
    ("x:\n  - {a: 1, a: 2, a: 3}\n", ["2 RN004", "2 RN004"]),
    ("a: 1\nx: {a: 2}", []),
    (
        "a: &x 1\nb: *x\n",
        ["1 RN003", "2 RN003"],
    ),
    ("word: &Co\n", ["1 RN003"]),
    ("a: &x [b]\nc: &y {d: e}\n", ["1 RN003", "2 RN003"]),
    ("a: *nowhere\n", ["1 RN003"]),
    ("a: &a [*a]\n", ["1 RN003", "1 RN003"]),
    ("a: !important b\n", ["1 RN003"]),
    ("a: ! b\n", ["1 RN003"]),
    (
        "\na: !!python/object/apply:os.system [ls]\n",
        ["2 RN003"],
    ),
    ("a: !!map {b: c}\n", ["1 RN003"]),
    ("a: 1\n---\nb: 2\n", ["2 RN003"]),
    ("---\n---\n", ["2 RN003"]),
    ("a: 1\n? [b]\n: c\n", ["2 RN003"]),
    ("{{a: b}: c}", ["1 RN003"]),
    # not YAML
    (
        "a: [1\nb: 2",
        ["2 RN002"],
    ),
    ("a: 'x\n", ["1 RN002"]),
    ("a:\n  b: 1\n c: 2\n", ["3 RN002"]),
    (
        "a:\n\tb: 1\n",
        ["2 RN002"],
    ),
    ("a: b: c\n", ["1 RN002"]),
    ("a: @x\n", ["1 RN002"]),
    ("%YAML 9.9\n---\na: b", ["1 RN002"]),
    ('a: "\\ud800"', ["1 RN002"]),
    ("a: b\nc: \x00\n", ["2 RN002"]),
    ("a: b\n\x1b", ["2 RN002"]),
    ("a: b\nc: \ud800\n", ["2 RN002"]),
    # faults before the one that ends the reading are kept
    ("a: 1\na: 2\nb: [", ["2 RN004", "3 RN002"]),
    ("[" * 41, ["1 RN005"]),
]


@pytest.mark.parametrize(("text", "expected"), FAULTS)
def test_faults(text: str, expected: list[str]) -> None:
    assert [f"{fault.line} {fault.code.number}" for fault in parse_yaml(text)[2]] == expected


# What the sentences of a code say differently from case to case.
SENTENCES = [
    ("word: &Co\n", "anchor '&Co' is not allowed. Remove it; quote a text that begins with '&'"),
    ("a: *x\n", "alias '*x' is not allowed. Use a lexicon; quote a text that begins with '*'"),
    ("a: ! b\n", "tag '!' is not allowed. Remove it; quote a text that begins with '!'"),
    ("---\n---\n", "a second YAML document begins here ('---'); put each ruleset into a file of its own"),
    ("{{a: b}: c}", "a field name must be a plain word, not a list or mapping"),
    (
        "a: [1\nb: 2",
        "not valid YAML: while parsing a flow sequence: did not find expected ',' or ']'. Check indentation",
    ),
    (
        "a:\n\tb: 1\n",
        "not valid YAML: while scanning for the next token: found character that cannot start any token. This is",
    ),
    ("a: b\nc: \x00\n", "not valid YAML: character #x0000 is not allowed. Remove it"),
    ("a: \ud800\n", "not valid YAML: half a character (a lone surrogate). Remove it"),
]


@pytest.mark.parametrize(("text", "start"), SENTENCES)
def test_what_the_author_is_told(text: str, start: str) -> None:
    assert parse_yaml(text)[2][0].message.startswith(start)


@pytest.mark.parametrize("deep", ["[", "{a: ", "- ", "? ", "[{a: ", "x: [\n"])
def test_a_million_levels_do_not_crash(deep: str) -> None:
    data, _, faults = parse_yaml(deep * 1_000_000)
    assert data is None
    assert len(faults) == 1


def test_depth_limit_is_exact() -> None:
    assert parse_yaml("[" * MAX_DEPTH + "]" * MAX_DEPTH)[2] == []
    assert len(parse_yaml("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))[2]) == 1


def test_a_file_that_is_too_long_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parse, "MAX_CHARACTERS", 10)
    assert parse_yaml("a: 1234567")[0] == {"a": "1234567"}
    data, _, faults = parse_yaml("a: 12345678")
    assert data is None
    assert str(faults[0]) == "1: the file has 11 characters, more than 10; split it [RN005 too-large]"


def test_the_pure_parser_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where libyaml is missing."""
    texts = ["a: [no, {b: 007}]\nc: &x d\n", "a: 1\na: 2\n", "[" * 50, "a: *x", "a: !t b\n", "a: 1\n---\nb: 2\n"]
    fast = [parse_yaml(text) for text in texts]
    monkeypatch.setattr(parse, "LOADER", parse.yaml.SafeLoader)
    assert [parse_yaml(text) for text in texts] == fast
    assert str(parse_yaml("a: b\nc: \x00\n")[2][0]).startswith("2: not valid YAML: character #x0000 is not allowed.")
    assert str(parse_yaml("a: b\nc: \ud800\n")[2][0]).startswith("2: ")
    assert str(parse_yaml("a: [1\nb: 2")[2][0]).startswith("2: not valid YAML")
