"""The converter of published rule sets: what fires on a few texts, for each kind of rule."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

from rulenet import RuleSet

SCRIPT = Path(__file__).parent.parent / "benchmarks" / "convert_rules.py"


@pytest.fixture(scope="module")
def converter() -> Any:
    spec = importlib.util.spec_from_file_location("convert_rules", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["convert_rules"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules["convert_rules"]


def fired(converter: Any, rule: dict[str, Any], text: str) -> list[str]:
    """Ids of the rules that fire."""
    ruleset = RuleSet.from_yaml(converter.convert({"rules": [{"id": "r", **rule}]}).yaml())
    return [ruleset.ids[j] for j in ruleset.match([text]).indices]


@pytest.mark.parametrize(
    ("text", "fires"),
    [
        ("A casino. Then home", True),  # "no." inside a word
        ("NO. 1", True),
        ("no 1", False),  # the dot is a dot
        ("a war on", True),
        ("warm on", False),
        ("cost $5", True),
    ],
)
def test_contains_any_is_a_substring_case_ignored(converter, text, fires):
    rule = {"kind": "contains_any", "class": "World", "patterns": ["no.", " war ", "$"]}
    assert (fired(converter, rule, text) == ["r"]) is fires


@pytest.mark.parametrize(
    ("text", "fires"),
    [("What is café society ?", True), ("What is the café ?", True), ("What is the very café ?", False)],
)
def test_regex_classes_take_in_all_letters(converter, text, fires):
    rule = {"kind": "regex", "class": "ENTITY", "patterns": [r"( |^)(is)[^\w]* (\w+ ){0,1}(café)[^\w]*( |$)"]}
    assert (fired(converter, rule, text) == ["r"]) is fires


def test_a_class_without_letters_is_not_fooled_by_accents(converter):
    rule = {"kind": "regex", "class": "ENTITY", "patterns": [r"(caf)[^\w]*( |$)"]}
    assert fired(converter, rule, "a caf !") == ["r"]
    assert fired(converter, rule, "a café") == []  # é is a letter: it does not end the word


@pytest.mark.parametrize(("text", "fires"), [("one two :) four", True), ("one two three :) five", False), ("x", True)])
def test_max_tokens_counts_between_spaces(converter, text, fires):
    rule = {"kind": "max_tokens", "class": "ham", "patterns": [], "note": "vote ham when len(text.split()) < 5"}
    assert (fired(converter, rule, text) == ["r"]) is fires


def test_max_tokens_without_a_limit_is_refused(converter):
    with pytest.raises(ValueError, match="rule 'r': its note names no limit"):
        fired(converter, {"kind": "max_tokens", "class": "ham", "note": "short texts"}, "x")


@pytest.mark.parametrize(
    ("text", "fires"),
    [
        ("It isn't good", True),
        ("it isnt good", True),
        ("it is not good", False),
        ("it isn't very good", False),  # the words are neighbours
        ("I'm bored", True),
        ("im bored", True),
        ("him bored", False),
    ],
)
def test_ngrams_are_whole_words_with_or_without_apostrophe(converter, text, fires):
    rule = {"kind": "ngram", "class": "neg", "patterns": ["isnt good", "im bored"]}
    assert (fired(converter, rule, text) == ["r"]) is fires


KEYWORDS = {"kind": "keyword_pos_neg", "pos": ["perfect", "good"], "neg": ["bad"], "negation_prefixes": ["im", "n t "]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A perfect day", ["r.pos"]),
        ("Good goods", ["r.pos"]),
        ("An imperfect day", ["r.neg"]),
        ("It isn't good", ["r.neg"]),
        ("It isn’t -- good", ["r.neg"]),
        ("It isn't very good", ["r.pos"]),
        ("bad but good", ["r.neg"]),
        ("a day", []),
    ],
)
def test_keywords_vote_negative_first(converter, text, expected):
    assert fired(converter, KEYWORDS, text) == expected


def test_keywords_without_positive_words_are_one_rule(converter):
    converted = converter.convert({"rules": [{"id": "r", **KEYWORDS, "pos": []}]})
    assert [rule["id"] for rule in converted.rules] == ["r.neg"]


GAP = {
    "kind": "prefix_gap_expression",
    "expressions": [" again", " rewatch"],
    "neg_prefixes": ["not ", "less"],
    "pos_prefixes": ["will "],
    "gap": 8,
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("will see it again", ["r.pos"]),
        ("not see it again", ["r.neg"]),
        ("not: see... it, again", ["r.neg"]),  # punctuation is one space
        ("not see any again", ["r.neg"]),  # "see any" is 7 characters
        ("not see many again", ["r.neg"]),  # 8
        ("not see whole again", []),  # 9
        ("not again", []),  # one space cannot end the prefix and begin the expression
        ("not -- again", []),  # nor can a run of them
        ("less again", ["r.neg"]),
        ("less was it again", ["r.neg"]),  # " was it" is 7 characters
        ("less see was it again", []),
        ("I will not see it again", ["r.neg"]),  # both prefixes: the negative one
        ("will go again. No, not to rewatch", ["r.pos"]),  # the first expression decides
        ("will go rewatch. Not go again", ["r.neg"]),
        ("will go rewatch", ["r.pos"]),
    ],
)
def test_prefix_gap_expression_is_read_in_order(converter, text, expected):
    assert fired(converter, GAP, text) == expected


def test_what_cannot_be_converted_is_named(converter):
    converted = converter.convert(
        {
            "origin": "somewhere",
            "rules": [
                {"id": "person", "kind": "ner", "class": "ham"},
                {"id": "a", "kind": "contains_any", "class": "ham", "patterns": ["song"]},
            ],
        }
    )
    assert converted.left_out == {"person": "needs a named-entity recogniser"}
    assert "# left out: person: needs a named-entity recogniser" in converted.yaml()
    assert RuleSet.from_yaml(converted.yaml()).ids == ["a"]


def test_an_unknown_kind_is_refused(converter):
    with pytest.raises(ValueError, match="rule 'x': unknown kind 'neural'; known: contains_any"):
        converter.convert({"rules": [{"id": "x", "kind": "neural", "class": "A"}]})


def test_the_command_writes_where_it_is_told(converter, tmp_path, monkeypatch, capsys):
    (tmp_path / "rules.json").write_text(
        '{"rules": [{"id": "a", "kind": "contains_any", "class": "ham", "patterns": ["song"]}, {"id": "b", "kind": "ner", "class": "ham"}]}'
    )
    monkeypatch.setattr(
        sys, "argv", ["convert_rules.py", str(tmp_path / "rules.json"), "-o", str(tmp_path / "out.yaml")]
    )
    converter.main()
    assert RuleSet.load(tmp_path / "out.yaml").labels == ["ham"]
    assert capsys.readouterr().err == "left out: b: needs a named-entity recogniser\n"
