from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rulenet.errors import RuleFileError
from rulenet.rules.format import format_text
from rulenet.rules.parse import parse_yaml
from rulenet.rules.ruleset import RuleSet
from rulenet.rules.spelling import is_plain, quote
from rulenet.rules.syntax import Node, parse_tree

ROOT = Path(__file__).parents[2]
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
    "text",
    ["007", "no", "1.10", "2026-01-01", "~", "a: b", "a #b", "#a", "- a", "*a", "", " a", "a ", "[a", "a,b", "é\u200d"],
)
def test_what_looks_like_something_else_stays_in_quotes(text: str) -> None:
    assert not is_plain(text)
    assert parse_yaml(f"a: [{quote(text)}]\nb: {quote(text, single=True)}")[0] == {"a": [text], "b": text}


@given(st.text(max_size=12))
@settings(max_examples=300, deadline=None)
def test_quoted_and_plain_texts_are_read_as_they_were(text: str) -> None:
    if any(0xD800 <= ord(character) < 0xE000 for character in text):
        return
    written = text if is_plain(text) else quote(text)
    assert parse_yaml(f"- {written}\n- [{written}]\n- {{a: {written}}}")[0] == [text, [text], {"a": text}]


# ------------------------------------------------------------------ random files with random comments

WORDS = [
    "win",
    "no",
    "007",
    "1.10",
    "2026-01-01",
    "grand slam",
    "退款",
    "it's",
    'say "a"',
    "a: b",
    "x #y",
    "C++",
    "a, b",
    "null",
    "yes?",
]


def condition(random: Random, depth: int = 0) -> dict[str, object]:
    kind = random.choice(["word", "phrase", "regex", "near", "any", "none"] if depth < 2 else ["word", "regex"])
    if kind in ("any", "none"):
        return {kind: [condition(random, depth + 1) for _ in range(random.randint(1, 2))]}
    if kind == "near":
        return {"near": {"within": "3", "terms": ["a", condition(random, 2)]}}
    words = random.choices(WORDS, k=random.randint(1, 3))
    return {kind: random.choice([words, words[0]])}


def shuffled(random: Random, data: dict[str, object]) -> dict[str, object]:
    return {key: data[key] for key in random.sample(list(data), len(data))}


def rule_file(random: Random) -> dict[str, object]:
    rules = []
    for i in range(random.randint(1, 3)):
        rule: dict[str, object] = {"id": f"r{i}", "label": "A", **condition(random)}
        more: dict[str, object] = {
            "examples": {
                "reject": [random.choice(WORDS)],
                "match": [random.choice(WORDS), {"title": random.choice(WORDS)}],
            },
            "unless": [condition(random, 1)],
            "note": random.choice(WORDS),
        }
        rules.append(shuffled(random, rule | {key: more[key] for key in more if random.random() < 0.5}))
    data: dict[str, object] = {"rulenet": "1", "rules": rules}
    if random.random() < 0.5:
        data["lexicons"] = {"l": random.choices(WORDS, k=random.randint(1, 4)), "k": ["a", {"lexicon": "l"}]}
    return shuffled(random, data)


class Scribe:
    """Writes data as YAML in a random layout with random comments, each of which names what it stands beside."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.count = 0

    def comment(self, path: str, often: int = 4) -> str:
        if self.random.randint(0, often):
            return ""
        self.count += 1
        return f"# {self.count} @{path}@"

    def above(self, path: str, indent: int) -> list[str]:
        lines = [""] * self.random.choice([0, 0, 0, 1, 2])
        while comment := self.comment(path):
            lines.append(" " * self.random.choice([0, indent]) + comment)
        return lines

    def beside(self, path: str) -> str:
        comment = self.comment(path)
        return f"  {comment}" if comment else ""

    def scalar(self, text: str) -> str:
        ways = ["'" + text.replace("'", "''") + "'", json.dumps(text, ensure_ascii=False)]
        if text.replace(".", "").replace("-", "").isalnum() and text != "null":
            ways.append(text)
        return self.random.choice(ways)

    def flow(self, value: object, path: str, pad: str) -> str:
        """Brackets, with line breaks and comments inside."""
        if isinstance(value, str):
            return self.scalar(value)
        pairs = value.items() if isinstance(value, dict) else enumerate(value)  # type: ignore[arg-type]
        text = "{" if isinstance(value, dict) else "["
        for i, (key, item) in enumerate(pairs):
            comment = self.comment(f"{path}/{key}", 8)
            text += f"\n{pad}{comment}\n{pad}" if comment else self.random.choice(["", " ", f"\n{pad}"])
            text += (f"{key}: " if isinstance(value, dict) else "") + self.flow(item, f"{path}/{key}", pad)
            if i < len(value) - 1:  # type: ignore[arg-type]
                text += ","
                comment = self.comment(f"{path}/{key}", 8)
                text += f" {comment}\n{pad}" if comment else ""
        comment = self.comment(path, 8)
        return text + (f" {comment}\n{pad}" if comment else "") + ("}" if isinstance(value, dict) else "]")

    def block(self, value: object, path: str, indent: int) -> list[str]:
        lines: list[str] = []
        pad = " " * indent
        pairs = list(value.items() if isinstance(value, dict) else enumerate(value))  # type: ignore[call-overload]
        for key, item in pairs:
            here = f"{path}/{key}"
            lines += self.above(here, indent)
            label = f"{key}:" if isinstance(value, dict) else "-"
            if isinstance(item, str) or self.random.randint(0, 2) == 0:
                written = self.flow(item, here, pad + "    ")
                comment = self.comment(here)
                if comment and isinstance(value, dict):
                    lines += [f"{pad}{label}  {comment}", *self.above(here, indent + 2), f"{pad}   {written}"]
                else:
                    lines.append(f"{pad}{label} {written}{self.beside(here)}")
                continue
            step = self.random.choice([2, 3, 4])
            inner = self.block(item, here, indent + step)
            if (
                not isinstance(value, dict)
                and not inner[0].lstrip().startswith("#")
                and inner[0]
                and self.random.random() < 0.5
            ):
                inner[0] = f"{pad}-{' ' * (step - 1)}{inner[0].lstrip()}"
            else:
                inner.insert(0, f"{pad}{label}{self.beside(here)}")
            lines += inner
        if pairs and self.random.randint(0, 4) == 0:
            lines.append(pad + f"# {self.count} end @{path}@")
            self.count += 1
        return lines


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


@pytest.mark.parametrize("seed", range(40))
def test_any_file_keeps_its_meaning_and_every_comment(seed: int) -> None:
    random = Random(seed)
    content = rule_file(random)
    text = "\n".join(Scribe(random).block(content, "", 0)) + "\n"
    assert parse_yaml(text)[0] == content
    new = format_text(text)
    assert parse_yaml(new)[0] == content
    assert format_text(new) == new
    assert all(line == line.rstrip() for line in new.split("\n"))
    found = list(anchors(parse_tree(new)))
    assert Counter(comment for comment, _ in found) == Counter(comment for comment, _ in anchors(parse_tree(text)))
    for comment, path in found:
        meant = comment.split("@")[1]
        assert meant.startswith(path) or path.startswith(meant), f"{comment} stands beside {path}"
