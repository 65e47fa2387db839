"""What changed between two rule files: a table of edits, each with the line that tells it."""

from __future__ import annotations

import json

import pytest

from rulenet import RuleSet
from rulenet.workbench.diff import Change, ChangedLexicon, diff_rules

BASE = """rulenet: 1
language: en
labels: [Sports, Money]
lexicons:
  small: [cup, league]
  big: [{lexicon: small}, medal]
rules:
  - {id: win, label: Sports, word: [win, won]}
  - {id: prize, label: Sports, any: [{lexicon: big}, {phrase: gold medal}]}
  - {id: oil, label: Money, near: {terms: [oil, price], within: 3}, weight: 2}
"""


def rules(text: str, name: str) -> RuleSet:
    return RuleSet.from_yaml(text, name=name)


def lines(old: str, new: str) -> list[str]:
    """What the diff of the base and an edit of it says."""
    assert old in BASE
    return list(diff_rules(rules(BASE, "a"), rules(BASE.replace(old, new), "b")).lines())


SAME = {
    "nothing": ("", ""),
    "a comment": ("rules:\n", "rules:  # all\n"),
    "order of words": ("[win, won]", "[won, win]"),
    "a word twice": ("[win, won]", "[win, won, win]"),
    "order of conditions": ("[{lexicon: big}, {phrase: gold medal}]", "[{phrase: gold medal}, {lexicon: big}]"),
    "a default": ("weight: 2}", "weight: 2, negation: ignore, where: anywhere, sign: for}"),
    "another notation": ("weight: 2}", 'weight: 2.0, "note": ""}'),
}


@pytest.mark.parametrize("name", SAME)
def test_notation_and_order_are_no_change(name: str) -> None:
    assert lines(*SAME[name]) == ["= a and b have the same meaning"]


def test_a_moved_rule_is_no_change() -> None:
    head, *listed = BASE.split("  - ")
    moved = head + "".join(f"  - {rule.rstrip()}\n" for rule in reversed(listed))
    diff = diff_rules(rules(BASE, "a"), rules(moved, "b"))
    assert diff.is_same


CHANGES = {
    "weight": ("weight: 2}", "weight: 1.5}", ["~ rule oil", "    weight: 2.0 → 1.5"]),
    "weight given": ("[win, won]}", "[win, won], weight: 3}", ["~ rule win", "    weight: not given → 3.0"]),
    "words": ("[win, won]", "[win, wins, winner]", ["~ rule win", "    word: − won + wins, winner"]),
    "kind": (
        "word: [win, won]",
        "phrase: [win, won]",
        ["~ rule win", '    word: ["win", "won"] → not given', '    phrase: not given → ["win", "won"]'],
    ),
    "label": ("id: win, label: Sports", "id: win, label: Money", ["~ rule win", "    label: Sports → Money"]),
    "order of near": (
        "[oil, price]",
        "[price, oil]",
        ["~ rule oil", '    near: {"terms": ["oil", "price"], "within": 3} → {"terms": ["price", "oil"], "within": 3}'],
    ),
    "a nested condition": (
        "{phrase: gold medal}",
        "{phrase: gold medal, case: exact}",
        ["~ rule prize", '    any: − {"phrase": ["gold medal"]} + {"phrase": ["gold medal"], "case": "exact"}'],
    ),
    "a note": ("weight: 2}", "weight: 2, note: why}", ["~ rule oil", "    note: not given → why"]),
    "switched off": ("weight: 2}", "weight: 2, enabled: false}", ["~ rule oil", "    enabled: not given → false"]),
    "removed": (
        "  - {id: win, label: Sports, word: [win, won]}\n",
        "",
        ['- rule win (Sports +1): word: ["win", "won"]'],
    ),
    "added": (
        "  - {id: oil",
        "  - {id: tie, labels: {Sports: 2, Money: -0.5}, word: tie}\n  - {id: oil",
        ['+ rule tie (Sports +2, Money -0.5): word: ["tie"]'],
    ),
    "the file": ("language: en", "language: any\nnegation_cues: [lacks]", None),
}


@pytest.mark.parametrize("name", [name for name in CHANGES if CHANGES[name][2]])
def test_each_change_is_told(name: str) -> None:
    old, new, told = CHANGES[name]
    assert lines(old, new) == told


def test_changes_of_the_file_itself() -> None:
    # `any` is the default, so it counts as not given
    assert lines(*CHANGES["the file"][:2]) == ["~ language: en → not given", '~ negation_cues: not given → ["lacks"]']


def test_a_rule_that_flips_is_one_rule() -> None:
    negated = "word: [win, won], negation: {flip: Money}"
    assert lines("word: [win, won]", negated) == ["~ rule win", '    negation: not given → {"flip": "Money"}']


def test_a_lexicon_is_resolved_to_the_rules_that_look_for_it() -> None:
    diff = diff_rules(rules(BASE, "a"), rules(BASE.replace("[cup, league]", "[cup, trophy]"), "b"))
    # `prize` names only `big`, which takes `small` in
    assert diff.lexicons == [
        ChangedLexicon("small", {"league": 1.0}, {"trophy": 1.0}, []),
        ChangedLexicon("big", {"league": 1.0}, {"trophy": 1.0}, ["prize"]),
    ]
    assert list(diff.lines()) == [
        "~ lexicon small: − league + trophy; not used by any rule",
        "~ lexicon big: − league + trophy; used by prize",
    ]


def test_a_term_with_another_weight() -> None:
    diff = diff_rules(rules(BASE, "a"), rules(BASE.replace("league]", "{term: league, weight: 3}]"), "b"))
    assert diff.lexicons[0] == ChangedLexicon("small", {"league": 1.0}, {"league": 3.0}, [])
    assert next(diff.lines()) == "~ lexicon small: − league + league (3); not used by any rule"


def test_lexicons_deep_in_conditions_are_found() -> None:
    deep = BASE.replace(
        "near: {terms: [oil, price], within: 3}",
        "count: {all: [{near: {terms: [oil, {lexicon: small}]}}], at_least: 1}, unless: [{none: [{lexicon: big}]}]",
    )
    diff = diff_rules(rules(deep, "a"), rules(deep.replace("[cup,", "[bowl,"), "b"))
    assert {lexicon.name: lexicon.rules for lexicon in diff.lexicons} == {"small": ["oil"], "big": ["prize", "oil"]}


def test_many_entries_are_cut_in_text_and_not_in_data() -> None:
    words = [f"word{i}" for i in range(30)]
    diff = diff_rules(rules(BASE, "a"), rules(BASE.replace("[win, won]", f"[win, won, {', '.join(words)}]"), "b"))
    assert diff.changed[0].changes == [Change("word", [], words)]
    assert list(diff.lines())[1].endswith("word7 and 22 more")


def test_plain_data_survives_json() -> None:
    edited = BASE.replace("[cup,", "[bowl,").replace("weight: 2}", "weight: 3, since: 2026-01-31}") + (
        "  - {id: new, label: Money, word: bond}\n"
    )
    diff = diff_rules(rules(BASE, "a"), rules(edited, "b"), ["They win", "bond"], labels=["Sports", "Money"])
    data = diff.to_dict()
    assert json.loads(json.dumps(data)) == data
    assert data["added"] == [{"word": ["bond"], "id": "new", "label": "Money"}]
    assert data["changed"] == [
        {
            "id": "oil",
            "changes": [
                {"field": "weight", "old": 2.0, "new": 3.0},
                {"field": "since", "old": None, "new": "2026-01-31"},
            ],
        }
    ]
    assert (data["a"], data["b"], data["same"]) == ("a", "b", False)
    assert data["flips"]["answers"][0] == {
        "index": 1,
        "text": "bond",
        "before": None,
        "after": "Money",
        "reasons": [{"kind": "rule", "name": "new", "before": 0.0, "after": 1.0, "spans": [[0, 4]]}],
        "label": "Money",
        "verdict": "fixed",
    }


def test_texts_show_changed_firings_and_predictions() -> None:
    edited = BASE.replace("weight: 2}", "weight: 0.5}").replace("[win, won]", "[win]")
    texts = ["They win as the oil price falls", "Oil price", "They won", "Nothing"]
    diff = diff_rules(rules(BASE, "a"), rules(edited, "b"), texts, labels=["Sports", "Money", "Sports", "Money"])
    assert list(diff.lines())[4:] == [
        "",
        "The prediction of the starting weights changes for 2 of 4 texts: 1 fixed, 1 broken",
        "accuracy 50.00% → 50.00% (+0.00 points)",
        "    rule win fires on 2 → 1 text (+0 −1)",
        "~ Money → Sports (fixed): They win as the oil price falls",
        "    rule oil -2.00 → -0.50: oil price",
        "~ Sports → no label (broken): They won",
        "    rule win -1.00 → +0.00: won",
    ]
