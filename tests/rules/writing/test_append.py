"""rulenet.rules.writing.append and files: rules are added, and everything else stays, comments included."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from rulenet.errors import InputError, RuleFileError
from rulenet.rules.writing.append import append_rules
from rulenet.rules.writing.files import load_text, save_text
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


def test_rules_come_after_the_last_one() -> None:
    rules = [
        {"weight": 0.5, "id": "a", "label": "World", "near": {"terms": ["oil", {"word": "x"}], "within": 3}},
        {
            "id": "b",
            "labels": {"World": 1, "Sports": -0.5},
            "enabled": False,
            "word": ["no", "a, b"],
            "examples": {"match": ["no way"]},
            "note": "why",
        },
    ]
    added = """
  # suggested
  # by hand
  - id: a
    label: World
    near: {terms: [oil, {word: x}], within: 3}
    weight: 0.5

  - id: b
    labels: {World: 1, Sports: -0.5}
    word: ["no", "a, b"]
    enabled: false
    examples:
      match: ["no way"]
    note: why
"""
    result = append_rules(TEXT, rules, comment="suggested\nby hand")
    assert result == TEXT.replace("  # short\n", "  # short\n" + added)


RULE = "label: x\n    word: b"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("rulenet: 1", f"rulenet: 1\n\nrules:\n  - id: a\n    {RULE}\n"),
        (
            "rulenet: 1\nrules: []  # none\ncases: []\n",
            f"rulenet: 1\nrules:\n  - id: a\n    {RULE}  # none\ncases: []\n",
        ),
        ("rulenet: 1\nrules:\ncases: []\n", f"rulenet: 1\nrules:\n  - id: a\n    {RULE}\ncases: []\n"),
        (
            "{rulenet: 1, rules: [{id: c, label: x, word: d}], cases: []}",
            "{rulenet: 1, rules: [{id: c, label: x, word: d}, {id: a, label: x, word: b}], cases: []}",
        ),
        (
            "rulenet: 1\nrules:\n- id: c\n  label: x\n  word: d\n  # tail\n\ncases: []\n",
            "rulenet: 1\nrules:\n- id: c\n  label: x\n  word: d\n  # tail\n\n- id: a\n  label: x\n  word: b\n\ncases: []\n",
        ),
        (
            "rulenet: 1\nrules: [\n  # empty\n]\n",
            f"rulenet: 1\n# empty\nrules:\n  - id: a\n    {RULE}\n",
        ),
    ],
)
def test_rules_are_added_wherever_the_list_is(before: str, after: str) -> None:
    assert append_rules(before, [{"id": "a", "label": "x", "word": "b"}]) == after


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ([{"id": "war"}], "'war' is taken"),
        ([{"id": "new"}, {"id": "new"}], "'new' is taken"),
        ([{"word": "a"}], "has no id"),
        ([{"id": "a", "word": None}], "NoneType"),
    ],
)
def test_rules_that_cannot_be_added(rules: list[dict[str, object]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        append_rules(TEXT, rules)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rules: &a []", "anchor"),
        ("- a", "must be a mapping"),
        ("rulenet: 1\nrules: [{id: b, label: x, word: c}]", "unknown field 'wrod': did you mean 'word'"),
    ],
)
def test_the_result_must_be_a_valid_rule_file(text: str, message: str) -> None:
    with pytest.raises(RuleFileError, match=message):
        append_rules(text, [{"id": "a", "label": "x", "wrod": "d"}])


def test_files_keep_line_ends_mark_mode_and_link(tmp_path: Path) -> None:
    file, link = tmp_path / "real.yaml", tmp_path / "link.yaml"
    file.write_bytes(b"\xef\xbb\xbfrulenet: 1\r\nrules:\r\n  - {id: a, label: x, word: b}\r\n")
    file.chmod(0o640)
    link.symlink_to(file)
    save_text(link, append_rules(load_text(link), [{"id": "c", "label": "x", "word": "é"}]))
    added = "\r\n  - id: c\r\n    label: x\r\n    word: é\r\n".encode()
    assert file.read_bytes() == b"\xef\xbb\xbfrulenet: 1\r\nrules:\r\n  - {id: a, label: x, word: b}\r\n" + added
    assert link.is_symlink()
    assert file.stat().st_mode & 0o777 == 0o640
    assert sorted(os.listdir(tmp_path)) == ["link.yaml", "real.yaml"]


def test_files_that_cannot_be_read_or_written(tmp_path: Path) -> None:
    with pytest.raises(RuleFileError, match="no such file"):
        load_text(tmp_path / "none.yaml")
    with pytest.raises(RuleFileError, match="cannot be written"):
        save_text(tmp_path / "none" / "a.yaml", "")


@pytest.mark.parametrize("first", range(0, 20, 10))
def test_any_file_keeps_its_comments(first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(first, first + 10):
        # append_rules compares the data with what was asked for; here comments are counted. The generated files are not valid rules.
        monkeypatch.setattr("rulenet.rules.writing.append.check_shape", lambda text, name: None)
        random = Random(seed)
        text = "\n".join(Scribe(random).block(rule_file(random), "", 0)) + "\n"
        before = Counter(comment.text for comment in build_tree(text).comments())
        for i in range(3):
            text = append_rules(text, [{"id": f"new {i}", "label": "A", "all": [{"word": "z"}]}])
        assert Counter(comment.text for comment in build_tree(text).comments()) == before
