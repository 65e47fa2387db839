"""rulenet.rules.ruleset: reading, comparing, copying and writing rule files."""

from __future__ import annotations

import copy
import datetime
import hashlib
import os
import pickle
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.base import clone

from rulenet.errors import InputError, RuleFileError
from rulenet.rules.ruleset import RuleSet
from tests.rules.one_rule import one_rule

SOURCE = """\
# why this pack exists
rulenet: 1
labels: [World, Sports]   # order of display

rules:
  - id: win
    label: Sports
    word: [win, wins]     # both
  - {id: oil, label: World, phrase: 'oil price'}
  - {id: 国, label: World, word: 中国}
"""
TEXTS = ["Oil-price wins", "中国 win", "nothing"]
FIRED = [[1, 1, 0], [1, 0, 1], [0, 0, 0]]


def file(path: Path, content: str | bytes = SOURCE) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


# Reading


def test_load(tmp_path: Path) -> None:
    path = file(tmp_path / "rules.yaml")
    for given in (path, str(path)):
        ruleset = RuleSet.load(given)
        assert ruleset == RuleSet.from_yaml(SOURCE)
        assert ruleset.name == str(path)
        assert ruleset.source == SOURCE
        assert ruleset.match(TEXTS).toarray().tolist() == FIRED


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"rulenet: 1\nrules:\n  - id: caf\xe9\n", r":3: byte 29 is not UTF-8; save the file as UTF-8"),
        (SOURCE.encode("utf-16"), r":1: byte 0 is not UTF-8"),
        (b"", r":1: the file is empty"),
        (b"\x00", r":1: not valid YAML: character #x0000 is not allowed"),
        (b"PK\x03\x04\x14\x00\x00\x00", r":1: not valid YAML: character #x0003"),
    ],
)
def test_load_refuses(tmp_path: Path, content: bytes, message: str) -> None:
    path = file(tmp_path / "rules.yaml", content)
    with pytest.raises(RuleFileError, match=message) as caught:
        RuleSet.load(path)
    assert caught.value.source == str(path)


def test_load_names_what_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        RuleFileError, match=rf"(?m)^no\.yaml: no such file; working folder: {tmp_path} \[RN001 unreadable-file\]$"
    ):
        RuleSet.load("no.yaml")
    with pytest.raises(RuleFileError, match="this is a folder; name a rule file"):
        RuleSet.load(tmp_path)
    with pytest.raises(RuleFileError, match="cannot be read: Not a directory"):
        RuleSet.load(file(tmp_path / "a.yaml") / "b.yaml")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_load_says_that_it_may_not_read(tmp_path: Path) -> None:
    path = file(tmp_path / "rules.yaml")
    path.chmod(0)
    with pytest.raises(RuleFileError, match="cannot be read: Permission denied"):
        RuleSet.load(path)


def test_errors_survive_another_process() -> None:
    with pytest.raises(RuleFileError, match="2 faults") as caught:
        RuleSet.from_yaml("rules: []")
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.faults, again.source) == (str(caught.value), caught.value.faults, "<string>")


def test_byte_order_mark_and_windows_line_ends() -> None:
    ruleset = RuleSet.from_yaml(SOURCE.replace("\n", "\r\n"))
    assert ruleset.match(TEXTS).toarray().tolist() == FIRED


# Looking inside


def test_labels_ids_and_order() -> None:
    ruleset = RuleSet.from_yaml(SOURCE)
    assert ruleset.labels == ["World", "Sports"]
    assert ruleset.ids == ["win", "oil", "国"]
    assert len(ruleset) == 3
    assert repr(ruleset) == "RuleSet('<string>', 3 rules, labels=['World', 'Sports'])"
    assert ruleset.fingerprint == hashlib.sha256(SOURCE.encode()).hexdigest()


def test_labels_default_to_those_of_the_rules_in_order_of_appearance() -> None:
    rules = "".join(f"- {{id: r{i}, label: {label}, word: w}}\n" for i, label in enumerate(["B", "A", "B", "C"]))
    assert RuleSet.from_yaml(f"rulenet: 1\nrules:\n{rules}").labels == ["B", "A", "C"]


@pytest.mark.parametrize(("declared", "used"), [("en", "en"), ("zh", "zh"), ("any", "en")])
def test_language_of_matching(declared: str, used: str) -> None:
    ruleset = RuleSet.from_yaml(f"rulenet: 1\nlanguage: {declared}\nrules: [{{id: a, label: x, word: w}}]")
    assert ruleset.matcher().language == used
    assert ruleset.matcher("zh").language == "zh"


def test_words_for_the_tokeniser() -> None:
    """Literals that rules look for, at any depth and through lexicons; not those they reject."""
    ruleset = RuleSet.from_yaml(
        "rulenet: 1\nlexicons: {a: [买VIP, oil]}\nrules:\n"
        "- {id: a, label: x, any: [{lexicon: a}, {all: [{word: 中国}, {none: [{word: 美国}]}]}], unless: [{word: 法国}]}"
    )
    assert ruleset.term_words == ["中国", "买vip"]


def test_equality_and_hash_are_those_of_the_text() -> None:
    one, same, other = (
        RuleSet.from_yaml(SOURCE),
        RuleSet.from_yaml(SOURCE, name="x"),
        RuleSet.from_yaml(SOURCE + "# more"),
    )
    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    assert one != SOURCE
    assert one.fingerprint == same.fingerprint != other.fingerprint


# Copies


def test_pickle_deepcopy_and_clone() -> None:
    ruleset = RuleSet.from_yaml(SOURCE, name="pack.yaml")
    ruleset.match(TEXTS)  # compiled engines must not travel
    for other in (
        pickle.loads(pickle.dumps(ruleset)),
        copy.deepcopy(ruleset),
        copy.copy(ruleset),
        clone(ruleset, safe=False),
    ):
        assert other is not ruleset
        assert other == ruleset
        assert (other.name, other.labels, other.lines.at(("rules", 1))) == ("pack.yaml", ruleset.labels, 9)
        assert other.match(TEXTS).toarray().tolist() == FIRED


# Writing


@pytest.mark.parametrize(
    "source", [SOURCE, SOURCE.replace("\n", "\r\n"), SOURCE.rstrip("\n"), "\n\n" + SOURCE + "\n\n"]
)
def test_save_writes_what_was_read(tmp_path: Path, source: str) -> None:
    RuleSet.load(file(tmp_path / "a.yaml", source)).save(tmp_path / "b.yaml")
    assert (tmp_path / "b.yaml").read_bytes() == source.encode()
    again = RuleSet.load(tmp_path / "b.yaml")
    assert again == RuleSet.load(tmp_path / "a.yaml")
    again.save(str(tmp_path / "c.yaml"))
    assert (tmp_path / "c.yaml").read_bytes() == source.encode()


def test_a_byte_order_mark_is_dropped(tmp_path: Path) -> None:
    ruleset = RuleSet.load(file(tmp_path / "a.yaml", b"\xef\xbb\xbf" + SOURCE.encode()))
    assert ruleset.source == SOURCE


# Texts


def test_any_column_of_texts() -> None:
    ruleset = RuleSet.from_yaml(SOURCE)
    series = pd.Series(TEXTS * 300, index=range(5_000, 5_900))  # more than a block; labels are no positions
    for given in (TEXTS, tuple(TEXTS), (text for text in TEXTS), pd.Series(TEXTS).to_numpy(), series.iloc[:3]):
        assert ruleset.match(given).toarray().tolist() == FIRED
    assert ruleset.match(series).toarray().tolist() == FIRED * 300


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ("one text", r"match takes a list of texts, not one string; write \[text\]"),
        (["a", None], r"texts\[1\] is None \(NoneType\), not a string"),
        ([float("nan")], r"texts\[0\] is nan \(float\), not a string"),
        ([b"bytes"], r"texts\[0\] is b'bytes' \(bytes\), not a string"),
    ],
)
def test_texts_that_are_none(texts: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        RuleSet.from_yaml(SOURCE).match(texts)  # type: ignore[arg-type]


def test_spans_are_those_of_the_text_as_given() -> None:
    text = "<b>Oil</b>&nbsp;price: WINS, 中国"
    assert RuleSet.from_yaml(SOURCE).spans(text) == {"win": [(23, 27)], "oil": [(3, 21)], "国": [(29, 31)]}
    assert [text[3:21], text[23:27], text[29:31]] == ["Oil</b>&nbsp;price", "WINS", "中国"]


@pytest.mark.parametrize(
    "condition",
    ["lexicon: l", "near: {terms: [it, {lexicon: l}]}", "word: it, unless: [{count: {lexicon: l, at_least: 1}}]"],
)
def test_rules_taken_over_from_another_set_read_the_new_lists(condition: str) -> None:
    text = f"{{rulenet: 1, lexicons: {{l: [WORD]}}, rules: [{{id: a, label: x, {condition}}}, {{id: b, label: x, word: same}}]}}"
    old, new = (RuleSet.from_yaml(text.replace("WORD", word)) for word in ("won", "lost"))
    texts = ["it won", "it lost", "same"]
    before, alone = old.match(texts).toarray().tolist(), new.match(texts).toarray().tolist()
    taken_over = RuleSet.from_yaml(new.source)
    taken_over.compile_like(old)
    assert taken_over.match(texts).toarray().tolist() == alone != before
    assert taken_over.conditions[1] is old.conditions[1]


def test_flip_makes_a_second_column_for_the_other_label() -> None:
    ruleset = one_rule({"word": "good", "negation": {"flip": "y"}, "weight": 2})
    assert (ruleset.ids, [rule.evidence for rule in ruleset.rules]) == (["r", "r.negated"], [{"x": 2.0}, {"y": 2.0}])
    assert ruleset.match(["good", "not good", "bad"]).toarray().tolist() == [[1, 0], [0, 1], [0, 0]]
    assert ruleset.written == [0, 0]


def test_rules_rest_outside_their_days_and_when_switched_off() -> None:
    ruleset = RuleSet.from_yaml("""
rulenet: 1
rules:
  - {id: always, label: x, word: a}
  - {id: off, label: x, word: a, enabled: false}
  - {id: spring, label: x, word: a, since: 2026-03-01, until: 2026-05-31}
""")

    def on(month: int, day: int) -> list[int]:
        return ruleset.match(["a"], on=datetime.date(2026, month, day)).toarray()[0].tolist()

    assert [on(2, 28), on(3, 1), on(5, 31), on(6, 1)] == [[1, 0, 0], [1, 0, 1], [1, 0, 1], [1, 0, 0]]
    assert "off" not in ruleset.spans("a")


def test_evidence_for_several_labels() -> None:
    rule = one_rule({"word": "a", "label": None, "labels": {"Sports": 1.2, "World": -0.4}}).rules[0]
    assert (rule.evidence, rule.supports) == ({"Sports": 1.2, "World": -0.4}, ("Sports",))
    assert [rule.is_right(label) for label in ("Sports", "World", "Business")] == [True, False, False]
    against = one_rule({"word": "a", "sign": "against"}).rules[0]
    assert [against.is_right(label) for label in ("x", "y")] == [False, True]


def test_a_stream_is_matched_block_by_block() -> None:
    ruleset = one_rule({"word": "a"})
    drawn: list[int] = []

    def texts() -> Any:
        for i in range(10):
            drawn.append(i)
            yield "a" if i % 3 == 0 else "b"

    stream = ruleset.match_stream(texts(), block=4)
    first = next(stream)
    assert (first.toarray().ravel().tolist(), len(drawn)) == ([1, 0, 0, 1], 4)
    assert [block.toarray().ravel().tolist() for block in stream] == [[0, 0, 1, 0], [0, 1]]


@pytest.mark.slow
def test_a_stream_in_several_processes_keeps_its_order() -> None:
    ruleset = one_rule({"word": "a"})
    texts = ["a" if i % 7 == 0 else "b" for i in range(1000)]
    blocks = list(ruleset.match_stream(iter(texts), block=100, n_jobs=2))
    assert [row for block in blocks for row in block.toarray().ravel().tolist()] == [
        int(i % 7 == 0) for i in range(1000)
    ]
