"""Damaged rule files for the fuzz tests: the everyday ones in `test_fuzz.py`, a hundred thousand in `benchmarks/bench_fuzz.py`."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

import yaml

from rulenet.errors import RuleFileError
from rulenet.rules.file import schema

REPOSITORY = Path(__file__).parent.parent.parent
MAIN = "rules.yaml"
PACK = r"""# a pack with everything in it
rulenet: 1
language: any
labels: [World, Sports]
include: [common.yaml, shared/more.yaml]
fold_traditional: true
negation_cues: [lacks, 毫无]
cases:
  - {text: Lakers beat Celtics, label: Sports}
  - {text: {title: Oil, body: The price rose}, label: World}
lexicons:
  leagues: [NBA, Premier League]
  more:
    - lexicon: leagues
    - 中国队
    - {term: derby, weight: 2.5}
    - file: lists/sport.csv
  opinions: [{file: opinions.csv}]
rules:
  - id: sports.result
    label: Sports
    any:
      - lexicon: more
      - phrase: [grand slam, "don't win"]
        gap: 2
      - regex: '\b\d{1,3}-\d{1,3} (win|loss)\b'
        case: exact
      - all:
          - word: season
            forms: lemma
          - none: [{word: film}]
    unless:
      - phrase: video game
    negation: skip
    where: start
    weight: 1.5
    pin: true
    since: 2026-01-01
    until: 2026-12-31
    tags: [regulatory, q3]
    examples:
      match: ["Lakers 102-99 win", {title: NBA, body: A match}]
      reject: ["The video game adds an NBA mode"]
    note: results
  - {id: world.oil, label: World, word: [oil, 石油], segmented: true, sign: against, weight: -2}
  - {id: world.pos, label: World, all: [{word: win}, {pos: "PROPN? VERB:lemma=win|beat *:word=The ADJ*"}], confidence: 0.9}
  - {id: near, label: World, near: {terms: [coach, {lexicon: leagues}, fired], within: 5, ordered: true}, negation: {flip: Sports}}
  - {id: same, labels: {World: 1.2, Sports: -0.4}, near: {terms: [a, b], same: sentence}, enabled: false}
  - {id: count, label: World, count: {lexicon: opinions, at_least: 1.5, at_most: 3}, field: title}
  - {id: edges, label: Sports, all: [{starts: [Lakers, 湖人]}, {ends: [won, 胜]}, {lang: zh}], sign: free}
  - {id: long, label: Sports, length: {at_least: 5, at_most: 20, unit: characters}, negation: ignore}
"""
COMMON = (
    "rulenet: 1\nlexicons:\n  teams: [Lakers, Celtics]\nrules:\n  - {id: common.team, label: Sports, lexicon: teams}\n"
)
MORE = "rulenet: 1\ninclude: deep/last.yaml\nrules: [{id: more.x, label: World, word: summit}]\n"
LAST = "rulenet: 1\nlexicons: {ends: [{file: last.csv}]}\nrules: [{id: last.x, label: World, lexicon: ends}]\n"
FILES = {
    MAIN: PACK,
    "common.yaml": COMMON,
    "shared/more.yaml": MORE,
    "shared/deep/last.yaml": LAST,
    "shared/deep/last.csv": "term\ntalks\n会谈\n",
    "lists/sport.csv": "\ufeffterm\nice hockey\n冰球\n",
    "opinions.csv": 'term,weight\ngreat,1\n"so, so",-0.5\n好,2\n',
}
CHARACTERS = list("\n\t :-#&*!|>'\"%@`{}[],?~=<\\/()+.^$019aZé中😀\x00\x85\u2028\ufeff\u3000İ\ud800")
PIECES = [
    *["  ", "- ", ": ", "? ", "\n  - ", "---\n", "...\n", "%YAML 1.1\n", "|-\n", ">+\n", "<<: ", "&a ", "*a", "\r\n"],
    *["null", "true", "nan", "1e400", "0x10", "9" * 400, "{a: b}", "[[[[", "!!python/object:os.system "],
    *["(?=", "\\1", "\\p{Han}", "{1000}", "weight: ", "any:", "id: ", '"\\ud800"', '"\\x00"', '"\\u001e中"'],
    *[
        "include: rules.yaml\n",
        "../",
        "/etc/passwd",
        "file: ",
        "near: ",
        "count: ",
        "2026-02-30",
        "field: ",
        "case: exact\n",
    ],
]
CSV_PIECES = [
    "term",
    "weight",
    ",",
    '"',
    '""',
    "\n",
    "\r",
    "\r\n",
    ";",
    "\t",
    "inf",
    "nan",
    "-1e999",
    "1,5",
    "21",
    "\x00",
    "\ufeff",
    "x" * 140_000,
]
# What a structured change may put in place of a value.
VALUES: list[Any] = [
    *[
        None,
        True,
        False,
        0,
        -1,
        3,
        1.5,
        1e400,
        -0.0,
        10**400,
        "",
        " ",
        "x",
        "中",
        "nan",
        "yes",
        "2026-13-01",
        [],
        {},
        [[]],
        [None],
    ],
    *[
        ["a"] * 3,
        {"a": "b"},
        {"": ""},
        {"lexicon": "more"},
        {"word": "x"},
        [{"word": "x"}],
        {"any": []},
        {"terms": ["a", "b"]},
    ],
    *[
        "rules.yaml",
        "common.yaml",
        "../rules.yaml",
        "/etc/passwd",
        "shared",
        "opinions.csv",
        "no\x00name",
        "n" * 5000,
        ".",
    ],
    *[
        "common.yaml/x",
        "shared/../shared/more.yaml",
        "\ud800.csv",
        ["common.yaml"] * 2,
        [{"file": "opinions.csv"}],
        "~",
        "C:\\x.csv",
    ],
    *[
        "(a",
        "a{1001}",
        "(?<=a)b",
        "\\1",
        "x" * 3000,
        "(" * 500,
        "NOUN?",
        "VRB",
        "NOUN:lemma=",
        "*:word=a|b+",
        "NOUN:a:b",
    ],
]
MODELS = (schema.RuleFile, *schema.MODELS.values(), schema.LexiconFile, schema.WeightedTerm)
NAMES = sorted({"x", *(name for model in MODELS for name in model.model_fields)})


@dataclass(frozen=True)
class Damaged:
    """A folder with a rule file in it, and what was done to it."""

    files: dict[str, bytes]
    how: str  # "text" | "bytes" | "structure" | "files" and the kind of file


def damaged(random_: Random, packs: list[str]) -> Damaged:
    """Damage one file of the folder above, or a part of one of these packs."""
    files = {name: text.encode() for name, text in FILES.items()}
    if random_.random() < 0.15:
        pack = random_.choice(packs)
        files = {MAIN: (pack if random_.random() < 0.03 else part_of(random_, pack)).encode()}
    name = MAIN if random_.random() < 0.6 else random_.choice(sorted(files))
    kind = "lexicon" if name.endswith(".csv") else "rules" if name == MAIN else "include"
    how = random_.choices(["text", "bytes", "structure", "files"], [5, 2, 6, 1])[0]
    if how == "structure" and kind == "lexicon":
        how = "text"
    if how == "text":
        pieces = CSV_PIECES if kind == "lexicon" else PIECES
        files[name] = mutate(random_, files[name].decode(), pieces).encode("utf-8", "surrogatepass")
    elif how == "bytes":
        files[name] = mutate_bytes(random_, files[name])
    elif how == "structure":
        files[name] = restructured(random_, files[name].decode()).encode("utf-8", "surrogatepass")
    elif random_.random() < 0.5:
        del files[name]
    else:
        files[name] = files[random_.choice(sorted(files))]
    return Damaged(files, f"{kind}: {how}")


def mutate(random_: Random, text: str, pieces: list[str] = PIECES) -> str:
    """Delete, insert, replace, repeat or swap some pieces."""
    for _ in range(random_.choice([1, 1, 2, 3, 8])):
        i = random_.randrange(len(text) + 1)
        j = min(len(text), i + random_.choice([0, 1, 1, 3, 10, 60]))
        piece = random_.choice([*CHARACTERS, *pieces])
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


def mutate_bytes(random_: Random, content: bytes) -> bytes:
    """Overwrite some bytes, or cut the end off."""
    out = bytearray(content)
    for _ in range(random_.choice([1, 5, 50])):
        out[random_.randrange(len(out))] = random_.randrange(256)
    return bytes(out[: random_.randrange(len(out) + 1)] if random_.random() < 0.2 else out)


def restructured(random_: Random, text: str) -> str:
    """The same data with some values and names changed: legal YAML, so that the faults lie deeper."""
    data = copy.deepcopy(_parsed(text))
    for _ in range(random_.choice([1, 1, 2, 4])):
        places = list(_places(data))
        if not places:
            return json.dumps(data, indent=1)
        container, key = random_.choice(places)
        change = random_.randrange(5)
        if change == 0:
            container[key] = copy.deepcopy(random_.choice(VALUES))
        elif change == 1:
            container[key] = copy.deepcopy((other := random_.choice(places))[0][other[1]])
        elif change == 2:
            del container[key]
        elif change == 3:
            container[key] = [copy.deepcopy(container[key])] * 2
        elif isinstance(container, dict):
            container[random_.choice(NAMES)] = container.pop(key)
        else:
            container.insert(0, copy.deepcopy(container[key]))
    return json.dumps(data, indent=1, ensure_ascii=random_.random() < 0.5)


@lru_cache(maxsize=len(FILES))
def _parsed(text: str) -> Any:
    return yaml.load(text, Loader=yaml.CBaseLoader)  # every scalar as written


def _places(data: Any) -> Any:
    """Every value of some data, as its container and its key."""
    for key in data if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ():
        yield data, key
        yield from _places(data[key])


def part_of(random_: Random, pack: str) -> str:
    """A few neighbouring rules of a rule pack as written, with the word lists they name."""
    head, _, body = pack.partition("\nrules:\n")
    head, _, lists = head.partition("\nlexicons:\n")
    rules = re.split(r"(?m)^(?=  - id:)", body)
    i = random_.randrange(1, len(rules))
    chosen = "".join(rules[i : i + 8])
    wanted = chosen
    kept: dict[str, None] = {}
    while True:
        new = [text for text in re.split(r"(?m)^(?=  \w+:)", lists) if text not in kept and _names(text) in wanted]
        if not new:
            return f"{head}\nlexicons:\n{''.join(kept)}\nrules:\n{chosen}"
        kept |= dict.fromkeys(new)
        wanted = "".join(new)


def _names(lexicon: str) -> str:
    return lexicon.strip().partition(":")[0]


class Folder:
    """A folder on disk that takes on one sample after the other; only what differs is written."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self._files: dict[str, bytes] = {}

    def write(self, sample: Damaged) -> Path:
        """Make the folder hold these files; the path of the rule file."""
        for name in self._files.keys() - sample.files.keys():
            (self.path / name).unlink()
        for name, content in sample.files.items():
            if self._files.get(name) != content:
                (self.path / name).parent.mkdir(parents=True, exist_ok=True)
                (self.path / name).write_bytes(content)
        self._files = dict(sample.files)
        return self.path / MAIN


# A message that holds none of these says what is wrong but not what to do.
ADVICE = re.compile(
    r"did you mean|known:|expected|not a number from|taken from|working folder|quoted|holds one|only files|the tags are|cannot be read:|"
    r"\b(?:should|must|one of|at most|at least|unique|add|check|correct|fill|give|install|keep|lower|make|move|name|put|quote|remove|"
    r"rename|save|shorten|simplify|spell|split|swap|use|write)\b",
    re.IGNORECASE,
)


LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # as YAML 1.1 has it


def complaints(error: RuleFileError, sample: Damaged, folder: Path) -> list[str]:
    """What is wrong with an error itself: a line that is in no file, or a fault without a remedy."""
    found = [] if error.faults else ["an error without faults"]
    for fault in error.faults:
        path = Path(fault.file or error.source).resolve()
        name = str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)
        content = sample.files.get(name)
        lines = 0 if content is None else len(LINE_END.split(content.decode("utf-8", "replace")))
        if not (0 <= fault.line <= lines) or (fault.line == 0 and content is not None):
            found.append(f"line {fault.line} of {name}, which has {lines}: {fault.message}")
        if not ADVICE.search(fault.message):
            found.append(f"no remedy: {fault.message}")
    return found
