"""Whatever becomes of a rule file, the only error is RuleFileError, and what loads can be used."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from rulenet.errors import RuleFileError
from rulenet.rules.conditions import uses_tags
from rulenet.rules.lint import lint_ruleset
from rulenet.rules.ruleset import RuleSet

PACK = """\
# a small pack
rulenet: 1
language: any
labels: [World, Sports]
lexicons:
  leagues: [NBA, Premier League]
  more:
    - lexicon: leagues
    - 中国队
rules:
  - id: sports.result
    label: Sports
    any:
      - lexicon: more
      - phrase: [grand slam, "don't win"]
      - regex: '\\b\\d{1,3}-\\d{1,3} (win|loss)\\b'
      - all:
          - word: season
          - none: [{word: film}]
    unless:
      - phrase: video game
    negation: skip
    where: start
    weight: 1.5
    pin: true
    examples:
      match: ["Lakers 102-99 win"]
      reject: ["The video game adds an NBA mode"]
    note: results
  - {id: world.oil, label: World, word: [oil, 石油], sign: against, weight: -2}
  - {id: world.pos, label: World, all: [{word: win}, {pos: "PROPN? VERB:win|beat ADJ*"}], confidence: 0.9}
"""
CHARACTERS = list("\n\t :-#&*!|>'\"%@`{}[],?~=<\\/()+.^$019aZé中😀\x00\x85\u2028\ufeff\u3000İ\ud800")
PIECES = [
    *["  ", "- ", ": ", "? ", "\n  - ", "---\n", "...\n", "%YAML 1.1\n", "|-\n", ">+\n", "<<: ", "&a ", "*a", "\r\n"],
    *["null", "true", "nan", "1e400", "0x10", "9" * 400, "{a: b}", "[[[[", "!!python/object:os.system "],
    *["(?=", "\\1", "\\p{Han}", "{1000}", "weight: ", "any:", "id: ", '"\\ud800"', '"\\x00"', '"\\u001e中"'],
]


def mutate(random_: random.Random, text: str) -> str:
    """Delete, insert, replace, repeat or swap some pieces."""
    for _ in range(random_.choice([1, 1, 2, 3, 8])):
        i = random_.randrange(len(text) + 1)
        j = min(len(text), i + random_.choice([0, 1, 1, 3, 10, 60]))
        piece = random_.choice([*CHARACTERS, *PIECES])
        kind = random_.randrange(5)
        if kind == 0:
            text = text[:i] + text[j:]
        elif kind == 1:
            text = text[:i] + piece + text[i:]
        elif kind == 2:
            text = text[:i] + piece + text[j:]
        elif kind == 3:
            k = random_.randrange(len(text) + 1)
            text = text[:k] + text[i:j] + text[k:]
        else:
            lines = text.split("\n")
            a, b = random_.randrange(len(lines)), random_.randrange(len(lines))
            lines[a], lines[b] = lines[b], lines[a]
            text = "\n".join(lines)
    return text


def use(ruleset: RuleSet) -> None:
    """What a loaded file must stand."""
    assert RuleSet.from_yaml(ruleset.source) == ruleset
    assert all(fault.line for fault in lint_ruleset(ruleset))
    if not any(uses_tags(condition) for condition, _ in ruleset.conditions):
        text = "not a 3-1 loss for 中国队 <b>oil</b>"
        R = ruleset.match(["", text])
        assert [ruleset.ids[j] for j in R[1].indices] == list(ruleset.spans(text))


def outcome(read: Callable[[], RuleSet]) -> RuleSet | RuleFileError:
    """The ruleset, or the one error that is allowed."""
    try:
        return read()
    except RuleFileError as error:
        return error


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_five_hundred_mutations(seed: int) -> None:
    random_ = random.Random(seed)
    loaded = refused = 0
    for _ in range(500):
        text = mutate(random_, PACK)
        found = outcome(partial(RuleSet.from_yaml, text))
        if isinstance(found, RuleSet):
            use(found)
            loaded += 1
        else:
            assert found.faults
            assert all(0 < fault.line <= len(text.splitlines()) + 1 for fault in found.faults)
            refused += 1
    assert loaded > 20
    assert refused > 200


@pytest.mark.slow
def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    random_ = random.Random(0)
    path = tmp_path / "rules.yaml"
    for _ in range(200):
        content = bytearray(PACK.encode())
        for _ in range(random_.choice([1, 5, 50])):
            content[random_.randrange(len(content))] = random_.randrange(256)
        path.write_bytes(content)
        found = outcome(partial(RuleSet.load, path))
        if isinstance(found, RuleSet):
            use(found)
        else:
            assert str(path) in str(found)
