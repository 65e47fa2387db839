from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from rulenet.errors import InputError, RuleFileError
from rulenet.rules.file.parse import parse_yaml
from rulenet.rules.ruleset import RuleSet
from rulenet.rules.writing.rewrite import RuleDocument, add_rules, load_text, save_text
from rulenet.rules.writing.syntax import build_tree
from tests.rules.scribe import Scribe, rule_file

TEXT = """\
rulenet: 1   # one
labels: [Sports,   World]

rules:
  # about win
  - id: win
    label: Sports       # not World
    any:    # either
      # first
      - word: [ win, 'wins' ]
      - phrase: a victory  # second
      # tail
    note: >-
      why
      so
  # PART 2
  - {id: war, label: World, word: [war]}   # short
# end
"""


def test_a_field_is_added_in_its_place_and_nothing_else_changes() -> None:
    document = RuleDocument(TEXT)
    document.set_field("win", "weight", 1.5)
    document.set_field("war", "weight", 2)
    expected = TEXT.replace("    note: >-", "    weight: 1.5\n    note: >-").replace("[war]}", "[war], weight: 2}")
    assert document.text == expected


def test_a_field_is_changed_and_comments_inside_it_move_above() -> None:
    document = RuleDocument(TEXT)
    document.set_field("win", "label", "World")
    document.set_field("win", "any", [{"word": ["a", "b"]}, {"regex": r"\\d"}])
    document.set_field("war", "word", ["war", "no", "007"])
    start, end = TEXT.index("    any:"), TEXT.index("  # second")
    new = "    # either\n    # first\n    any:\n      - word: [a, b]\n      - regex: '\\\\d'"
    expected = (TEXT[:start] + new + TEXT[end:]).replace("label: Sports ", "label: World ")
    assert document.text == expected.replace("word: [war]", 'word: [war, "no", "007"]')


def test_a_field_is_taken_away() -> None:
    document = RuleDocument(TEXT)
    document.set_field("win", "note", None)
    document.set_field("war", "label", None)
    document.set_field("war", "weight", None)
    assert document.text == TEXT.replace("    note: >-\n      why\n      so\n", "").replace("label: World, ", "")


def test_a_field_before_all_others() -> None:
    document = RuleDocument("rules:\n- word: b\n- {word: c, id: d}\n- word: e # e\n  id: f\n")
    document.set_field("d", "label", "x")
    document.set_field("f", "label", "x")
    document.set_field("f", "word", None)
    assert document.text == "rules:\n- word: b\n- {word: c, id: d, label: x}\n# e\n- id: f\n  label: x\n"


def test_renaming() -> None:
    document = RuleDocument(TEXT)
    document.rename_rule("war", "world: war")
    document.rename_rule("win", "sports.win")
    assert document.text == TEXT.replace("id: war", 'id: "world: war"').replace("id: win", "id: sports.win")
    assert document.ids == ["sports.win", "world: war"]


def test_removing_keeps_the_comments_above() -> None:
    document = RuleDocument(TEXT)
    document.remove_rule("win")
    start, end = TEXT.index("  - id: win"), TEXT.index("  # PART 2")
    assert document.text == TEXT[:start] + TEXT[end:]
    document.remove_rule("war")
    assert document.text == "rulenet: 1   # one\nlabels: [Sports,   World]\n\n# about win\n# PART 2\nrules: []\n# end\n"
    document.add_rules([{"id": "new", "label": "x", "word": "y"}])
    assert document.text.endswith("rules:\n  - id: new\n    label: x\n    word: y\n# end\n")


def test_adding_rules_behind_the_last() -> None:
    document = RuleDocument(TEXT)
    rules = [
        {"weight": 0.5, "id": "a", "label": "World", "near": {"terms": ["oil", {"lexicon": "x"}], "within": 3}},
        {"id": "b", "labels": {"World": 1, "Sports": -0.5}, "enabled": False, "word": ["no", "a, b"],
         "examples": {"match": ["no way"]}, "note": "why"},
    ]  # fmt: skip
    document.add_rules(rules, comment="suggested\nby hand")
    added = """
  # suggested
  # by hand
  - id: a
    label: World
    near: {terms: [oil, {lexicon: x}], within: 3}
    weight: 0.5

  - id: b
    labels: {World: 1, Sports: -0.5}
    word: ["no", "a, b"]
    enabled: false
    examples:
      match: ["no way"]
    note: why
"""
    assert document.text == TEXT.replace("  # short\n", "  # short\n" + added)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "\nrules:\n  - id: a\n    word: b\n"),
        ("rulenet: 1", "rulenet: 1\n\nrules:\n  - id: a\n    word: b\n"),
        ("rules: []  # none\ncases: []\n", "rules:\n  - id: a\n    word: b  # none\ncases: []\n"),
        ("rules:\ncases: []\n", "rules:\n  - id: a\n    word: b\ncases: []\n"),
        ("{rules: [{id: c}], cases: []}", "{rules: [{id: c}, {id: a, word: b}], cases: []}"),
        ("rules:\n- id: c\n  # tail\n\ncases: []\n", "rules:\n- id: c\n  # tail\n\n- id: a\n  word: b\n\ncases: []\n"),
    ],
)
def test_adding_rules_wherever_the_list_stands(before: str, after: str) -> None:
    document = RuleDocument(before)
    document.add_rules([{"id": "a", "word": "b"}])
    assert document.text == after


def test_wrong_ids() -> None:
    document = RuleDocument(TEXT, "f.yaml")
    with pytest.raises(InputError, match=r"f\.yaml has no rule 'wni': did you mean 'win'"):
        document.set_field("wni", "weight", 1)
    with pytest.raises(InputError, match="changed with rename_rule"):
        document.set_field("win", "id", "x")
    with pytest.raises(InputError, match="'war' is taken"):
        document.rename_rule("win", "war")
    with pytest.raises(InputError, match="'war' is taken"):
        document.add_rules([{"id": "war"}])
    with pytest.raises(InputError, match="'new' is taken"):
        document.add_rules([{"id": "new"}, {"id": "new"}])
    with pytest.raises(InputError, match="has no id"):
        document.add_rules([{"word": "a"}])
    with pytest.raises(InputError, match="NoneType"):
        document.add_rules([{"id": "a", "word": None}])
    assert document.text == TEXT


def test_files_keep_line_ends_mark_mode_and_link(tmp_path: Path) -> None:
    file, link = tmp_path / "real.yaml", tmp_path / "link.yaml"
    file.write_bytes(b"\xef\xbb\xbfrulenet: 1\r\nrules:\r\n  - {id: a, label: x, word: b}\r\n")
    file.chmod(0o640)
    link.symlink_to(file)
    add_rules(link, [{"id": "c", "label": "x", "word": "é"}])
    added = "\r\n  - id: c\r\n    label: x\r\n    word: é\r\n".encode()
    assert file.read_bytes() == b"\xef\xbb\xbfrulenet: 1\r\nrules:\r\n  - {id: a, label: x, word: b}\r\n" + added
    assert link.is_symlink()
    assert file.stat().st_mode & 0o777 == 0o640
    assert sorted(os.listdir(tmp_path)) == ["link.yaml", "real.yaml"]
    assert RuleSet.load(link).ids == ["a", "c"]


def test_nothing_is_written_that_would_not_load(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("rulenet: 1\nrules: [{id: a, label: x, word: b}]\n")
    with pytest.raises(RuleFileError, match="unknown field 'wrod': did you mean 'word'"):
        add_rules(file, [{"id": "c", "label": "x", "wrod": "d"}])
    assert file.read_text() == "rulenet: 1\nrules: [{id: a, label: x, word: b}]\n"
    assert os.listdir(tmp_path) == ["a.yaml"]


def test_files_that_cannot_be_read_or_written(tmp_path: Path) -> None:
    with pytest.raises(RuleFileError, match="no such file"):
        load_text(tmp_path / "none.yaml")
    with pytest.raises(RuleFileError, match="cannot be written"):
        save_text(tmp_path / "none" / "a.yaml", "")
    with pytest.raises(RuleFileError, match="anchor"):
        RuleDocument("rules: &a []")
    with pytest.raises(RuleFileError, match="must be a mapping"):
        RuleDocument("- a")


@pytest.mark.parametrize("seed", range(30))
def test_any_file_and_any_edits(seed: int) -> None:
    # The document itself compares the data with what was asked for; here comments are counted.
    random = Random(seed)
    text = "\n".join(Scribe(random).block(rule_file(random), "", 0)) + "\n"
    comments = Counter(comment.text for comment in build_tree(text).comments())
    document = RuleDocument(text)
    for _ in range(6):
        rule = random.choice(document.ids)
        document.set_field(
            rule, random.choice(["weight", "note", "label", "where", "tags"]), random.choice(["x", ["y", "no"]])
        )
        if random.random() < 0.3:
            document.set_field(rule, "any", [{"word": ["a"]}, {"phrase": "b c"}])
        if random.random() < 0.2:
            document.add_rules([{"id": f"new{random.random()}", "label": "A", "all": [{"word": "z"}]}])
        if random.random() < 0.2:
            document.rename_rule(rule, f"renamed {random.random()}")
    after = Counter(comment.text for comment in build_tree(document.text).comments())
    assert after == comments
    for rule in document.ids:
        document.remove_rule(rule)
    assert parse_yaml(document.text)[0]["rules"] == []
