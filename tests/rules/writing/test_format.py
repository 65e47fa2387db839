from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from rulenet.errors import RuleFileError
from rulenet.rules.file.parse import parse_yaml
from rulenet.rules.ruleset import RuleSet
from rulenet.rules.writing.format import format_text
from rulenet.rules.writing.syntax import Node, build_tree
from tests.rules.scribe import Scribe, rule_file

ROOT = Path(__file__).parents[3]
PACKS = sorted([*(ROOT / "rules").glob("*.yaml"), *(ROOT / "rulenet" / "demo").glob("*.yaml")])

# One text and its layout, for every habit that has a rule of its own.
CASES = {
    "order of fields, indentation, quotes": (
        """
rules:
- note: why
  weight:   1.50
  word: [ 'refund' , "no" ,007]
  unless:
  -   {lexicon:   x}
  label: "Sports"
  id: a
lexicons: {x: [y]}
rulenet: 1
""",
        """
rulenet: 1
lexicons: {x: [y]}

rules:
  - id: a
    label: Sports
    word: [refund, "no", 007]
    unless:
      - {lexicon: x}
    weight: 1.50
    note: why
""",
    ),
    "one blank line between rules, none needed between those of one line": (
        """
rulenet: 1
rules:

  - id: a
    label: x

    word: b



  - {id: c, label: x, word: d}
  - {id: e, label: x, word: f}
  - id: g
    label: x
    word: h
""",
        """
rulenet: 1

rules:
  - id: a
    label: x

    word: b


  - {id: c, label: x, word: d}
  - {id: e, label: x, word: f}

  - id: g
    label: x
    word: h
""",
    ),
    "comments: above, beside, inside brackets, at the left edge, at the end": (
        """
# head

# of the version
rulenet: 1   # one
rules:       # all
# PART 1
  # above a
  - id: a
    label: x # beside
    # above word
    word: [b,  # first
      # above c
      c]
    # the last of a
  # above d
  -
    # inside d
    word:
      # above e
      e
    id: d
    label: x
  # the last of the rules
# the last of all
""",
        """
# head

# of the version
rulenet: 1   # one

rules:       # all
# PART 1
  # above a
  - id: a
    label: x # beside
    # above word
    word: [b,  # first
      # above c
      c]
    # the last of a

  # above d
  # inside d
  - id: d
    label: x
    # above e
    word: e
  # the last of the rules
# the last of all
""".replace("x # beside", "x  # beside"),
    ),
    "rows of words stay; what is too long is put into rows": (
        "rulenet: 1\nlexicons:\n  rows: [a, b,\n      c]\n  hung: [\n    a,\n    b, ]\n"
        f"  long: [{', '.join(['abcdefghi'] * 14)}]\n  wide: [{', '.join(['退款'] * 30)}]\n",
        "rulenet: 1\n\nlexicons:\n  rows: [a, b,\n    c]\n  hung: [\n    a,\n    b\n  ]\n"
        f"  long: [{', '.join(['abcdefghi'] * 10)},\n    {', '.join(['abcdefghi'] * 4)}]\n"
        f"  wide: [{', '.join(['退款'] * 18)},\n    {', '.join(['退款'] * 12)}]\n",
    ),
    "conditions and sentences too long for a line stand one below the other": (
        f"""
rulenet: 1
rules:
  - {{id: a, label: x, word: b, examples: {{match: ["{"b " * 30}", "{"b " * 31}"]}}}}
""",
        f"""
rulenet: 1

rules:
  - id: a
    label: x
    word: b
    examples:
      match:
        - "{"b " * 30}"
        - "{"b " * 31}"
""",
    ),
    "texts of several lines": (
        """
rulenet: 1
rules:
  - id: a
    label: x
    word: b
    note: |  # kept
        one

          two
  - id: c
    label: x
    word: d
    note: >-
        three
        four
  - id: e
    label: x
    word: "f"
    note: five
       six
""",
        """
rulenet: 1

rules:
  - id: a
    label: x
    word: b
    note: |  # kept
      one

        two

  - id: c
    label: x
    word: d
    note: >-
      three
      four

  - id: e
    label: x
    word: f
    note: five
      six
""",
    ),
    "a comment between a name and its list": (
        "rulenet: 1\nlexicons:\n  a:      # about a\n    [b,\n     c]\n  d: [  # inside d\n    e]  # behind d\n",
        "rulenet: 1\n\nlexicons:\n  a:  # about a\n    [b,\n     c]\n  d: [  # inside d\n    e\n  ]  # behind d\n",
    ),
    "comments in one column stay in one, wherever that must be": (
        "rulenet: 1      # version\nlanguage: en    # of the texts\nlabels: [ab, cd] # too close\nlexicons:\n"
        "  a: [b]        # lonely\n  c: [d]\n  efghijklmn: [o,p] # one\n  c2: [d]           # two\n",
        "rulenet: 1      # version\nlanguage: en    # of the texts\nlabels: [ab, cd]  # too close\n\nlexicons:\n"
        "  a: [b]  # lonely\n  c: [d]\n  efghijklmn: [o, p]  # one\n  c2: [d]             # two\n",
    ),
    "patterns in single quotes, sentences in double ones": (
        """
rulenet: 1
rules:
  - id: a
    label: x
    any:
      - regex: ["\\\\d+", '(b|c)', d+]
      - pos: 'ADJ NOUN'
    examples:
      match: ['9 b', say "b"]
""",
        """
rulenet: 1

rules:
  - id: a
    label: x
    any:
      - regex: ['\\d+', '(b|c)', d+]
      - pos: "ADJ NOUN"
    examples:
      match: ["9 b", say "b"]
""",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_layout(name: str) -> None:
    before, after = (text.lstrip("\n") for text in CASES[name])
    assert format_text(before) == after
    assert format_text(after) == after


@pytest.mark.parametrize("path", PACKS, ids=lambda path: path.name)
def test_packs_say_the_same_in_the_same_order(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    new = format_text(text)
    assert RuleSet.from_yaml(new).file == RuleSet.from_yaml(text).file
    assert list(parse_yaml(new)[0]["lexicons"]) == list(parse_yaml(text)[0]["lexicons"])
    assert format_text(new) == new


def test_line_ends_and_mark_stay() -> None:
    text = "\ufeffrulenet: 1\r\nlabels: [ a ]\r\n# end"
    assert format_text(text) == "\ufeffrulenet: 1\r\nlabels: [a]\r\n# end\r\n"


def test_names_that_authors_chose_are_not_put_in_order() -> None:
    text = (
        "rulenet: 1\n\nlexicons:\n  weight: [a]\n  id: [b]\n\nrules:\n"
        "  - {id: a, labels: {weight: 1, id: -1}, word: c, examples: {match: [{note: c, id: d}]}}\n"
    )
    assert format_text(text) == text


def test_included_files_need_not_exist() -> None:
    text = "rulenet: 1\ninclude: [nowhere.yaml]\n\nrules:\n  - {id: a, label: x, lexicon: elsewhere}\n"
    assert format_text(text) == text


def test_a_file_with_faults_is_refused_with_all_of_them() -> None:
    text = "rulenet: 1\nrules:\n  - {id: a, label: x, wrod: b}\n  - {id: c, word: d}\n"
    with pytest.raises(
        RuleFileError, match=r"f\.yaml:3: rule 'a': unknown field 'wrod': did you mean 'word'"
    ) as caught:
        format_text(text, "f.yaml")
    assert {fault.line for fault in caught.value.faults} == {3, 4}
    with pytest.raises(RuleFileError, match="must be a mapping"):
        format_text("# nothing but a comment\n")
    with pytest.raises(RuleFileError, match="anchor '&a' is not allowed"):
        format_text("rulenet: 1\nlabels: &a [x]\n")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("lexicons: {a: [ # none\n  ]}", "lexicons:\n  a: [  # none\n  ]"),
        ("lexicons: { # none\n}", "lexicons: {  # none\n}"),
        ("lexicons: {a: [b, c\u2028d, e\u3000]}", 'lexicons: {a: [b, "c\\u2028d", e\u3000]}'),
        ("rules: [{id: a, label: x, near: {within: , terms: [b, c]}}]",
         "rules: [{id: a, label: x, near: {terms: [b, c], within: null}}]"),
        ("lexicons: {? a : [b]}", "lexicons: {a: [b]}"),
        ("--- # start\nlexicons: {'a':[b]}#end\n...", "# start\nlexicons: {a: [b]}  #end"),
    ],
)  # fmt: skip
def test_corners_of_yaml(before: str, after: str) -> None:
    before = before.replace("lexicons", "rulenet: 1\nlexicons") if before.startswith("---") else "rulenet: 1\n" + before
    new = format_text(before).replace("\n\n", "\n")
    assert sorted(new.splitlines()) == sorted(f"rulenet: 1\n{after}\n".splitlines())
    assert parse_yaml(new)[0] == parse_yaml(before)[0]


# ------------------------------------------------------------------ random files with random comments


def anchors(node: Node, path: str = "") -> Iterator[tuple[str, str]]:
    """Every comment with the path of the entry that it belongs to."""
    if node.opening:
        yield node.opening.text, path
    for i, entry in enumerate(node.entries):
        here = f"{path}/{entry.key.text if entry.key else i}"
        beside = [comment for comment in (entry.behind_key, entry.after) if comment]
        yield from ((comment.text, here) for comment in (*entry.before, *beside) if comment.text)
        yield from anchors(entry.value, here)
    yield from ((comment.text, path) for comment in node.closing if comment.text)


@pytest.mark.parametrize("first", range(0, 40, 10))
def test_any_file_keeps_its_meaning_and_every_comment(first: int) -> None:
    for seed in range(first, first + 10):
        random = Random(seed)
        content = rule_file(random)
        text = "\n".join(Scribe(random).block(content, "", 0)) + "\n"
        assert parse_yaml(text)[0] == content
        new = format_text(text)
        assert parse_yaml(new)[0] == content
        assert format_text(new) == new
        assert all(line == line.rstrip() for line in new.split("\n"))
        found = list(anchors(build_tree(new)))
        assert Counter(comment for comment, _ in found) == Counter(comment for comment, _ in anchors(build_tree(text)))
        for comment, path in found:
            meant = comment.split("@")[1]
            assert meant.startswith(path) or path.startswith(meant), f"{comment} stands beside {path}"
