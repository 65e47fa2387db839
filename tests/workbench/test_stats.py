"""What rules are worth, on a few texts that can be counted by eye."""

from __future__ import annotations

import datetime
import json
import math

import numpy as np
import pytest

from rulenet import Recipe, RuleNetClassifier, RuleSet
from rulenet.errors import InputError, LabelError
from rulenet.workbench.findings import findings
from rulenet.workbench.samples import excerpt
from rulenet.workbench.stats import RulesetStats, RuleStats, rule_stats

RULES = """rulenet: 1
language: en
labels: [Sports, Money]
rules:
  - {id: win, label: Sports, word: [win, wins]}
  - {id: oil, label: Money, phrase: oil price}
  - {id: no_goal, label: Money, sign: against, word: goal}
  - {id: never, label: Money, word: zebra}
"""
TEXTS = [
    "They win again",
    "Oil price up, all win",
    "A goal, and they win",
    "Oil price down",
    "Bonds fall",
    "A stock wins",
]
LABELS = ["Sports", "Money", "Sports", "Money", "Money", "Money"]


def by_id(stats: RulesetStats) -> dict[str, RuleStats]:
    return {rule.id: rule for rule in stats.rules}


@pytest.fixture(scope="module")
def stats() -> RulesetStats:
    return rule_stats(RuleSet.from_yaml(RULES), TEXTS, LABELS)


def test_numbers_of_a_rule(stats: RulesetStats) -> None:
    assert [rule.place for rule in stats.rules][:2] == ["<string>:5", "<string>:6"]
    win = by_id(stats)["win"]  # fires on texts 0, 1, 2, 5; two of them are Sports, and so are two of all six
    assert (win.fired, win.right, win.precision, win.recall) == (4, 2, 0.5, 1.0)
    assert (win.coverage, win.chance, win.lift) == pytest.approx((4 / 6, 2 / 6, 1.5))
    assert (win.overlap, win.conflict) == (0.5, 0.25)  # with oil on 1, with no_goal on 2; only oil contradicts it
    assert win.interval == pytest.approx((0.150, 0.850), abs=5e-4)


def test_a_rule_against_a_label_is_right_elsewhere(stats: RulesetStats) -> None:
    rule = by_id(stats)["no_goal"]
    assert (rule.speaks_for, rule.fired, rule.right, rule.recall) == ("not Money", 1, 1, 0.5)


def test_neighbours_and_who_of_them_is_right(stats: RulesetStats) -> None:
    win, oil = (by_id(stats)[name] for name in ("win", "oil"))
    assert [(n.rule, n.texts, n.right, n.other_right) for n in win.opponents] == [("oil", 1, 0, 1)]
    assert [(n.rule, n.texts, n.right, n.other_right) for n in oil.opponents] == [("win", 1, 1, 0)]
    assert [n.rule for n in win.partners] == ["no_goal"]


def test_a_rule_that_never_fires_has_no_shares(stats: RulesetStats) -> None:
    never = by_id(stats)["never"]
    assert (never.fired, never.precision, never.lift, never.overlap, never.conflict) == (0, None, None, None, None)
    assert (never.recall, never.examples) == (0.0, [])


def test_totals(stats: RulesetStats) -> None:
    assert (stats.n_texts, stats.labels, stats.reached, stats.disputed) == (6, {"Sports": 2, "Money": 4}, 5, 1)
    assert stats.conflicts() == [{"rules": ["win", "oil"], "texts": 1, "right": [0, 1]}]


def test_examples_are_right_ones_then_wrong_ones_with_the_hits(stats: RulesetStats) -> None:
    found = [(e.index, e.label, e.right, [e.text[a:b] for a, b in e.spans]) for e in by_id(stats)["win"].examples]
    assert found == [
        (0, "Sports", True, ["win"]),
        (2, "Sports", True, ["win"]),
        (1, "Money", False, ["win"]),
        (5, "Money", False, ["wins"]),
    ]


def test_examples_come_from_all_over_the_texts() -> None:
    found = rule_stats(RuleSet.from_yaml(RULES), ["win"] * 101, ["Sports"] * 101, examples=3)
    assert [e.index for e in found.rules[0].examples] == [0, 50, 100]


def test_without_labels_there_is_coverage_overlap_and_conflict() -> None:
    found = rule_stats(RuleSet.from_yaml(RULES), TEXTS)
    win = by_id(found)["win"]
    assert (win.fired, win.overlap, win.conflict) == (4, 0.5, 0.25)
    assert (win.right, win.precision, win.interval, win.chance, win.recall, win.lift) == (None,) * 6
    assert [(e.label, e.right) for e in win.examples] == [(None, None)] * 3
    assert found.labels is None
    assert found.notes == [
        "some or all labels are missing: precision, recall, lift and what the model loses cannot be computed"
    ]


def test_everything_survives_json(stats: RulesetStats) -> None:
    data = json.loads(json.dumps(stats.to_dict(), allow_nan=False))
    assert data["rules"][0]["interval"] == pytest.approx([0.150, 0.850], abs=5e-4)
    assert (data["conflicting_pairs"], data["conflicts"][0]["texts"]) == (1, 1)


def test_a_flipped_rule_has_a_row_for_each_label() -> None:
    ruleset = RuleSet.from_yaml(
        "{rulenet: 1, language: en, rules: [{id: good, label: pos, word: good, negation: {flip: neg}}]}"
    )
    found = rule_stats(ruleset, ["good", "not good", "not good"], ["pos", "neg", "pos"])
    assert [(r.id, r.speaks_for, r.fired, r.right) for r in found.rules] == [
        ("good", "pos", 1, 1),
        ("good.negated", "neg", 2, 1),
    ]


def test_a_rule_outside_its_dates_is_off() -> None:
    over = datetime.date.today() - datetime.timedelta(days=1)
    text = f"{{rulenet: 1, rules: [{{id: a, label: x, word: a, until: {over}}}, {{id: b, label: y, word: b}}]}}"
    found = rule_stats(RuleSet.from_yaml(text), ["a", "c"], ["x", "y"])
    assert [(r.id, r.is_active, r.fired) for r in found.rules] == [("a", False, 0), ("b", True, 0)]
    assert [(f.kind, f.rules) for f in findings(found)] == [("silent", ["b"])]


def test_chinese_texts_of_a_file_for_any_language() -> None:
    ruleset = RuleSet.from_yaml("{rulenet: 1, rules: [{id: a, label: 体育, word: 球}, {id: b, label: 财经, word: 股}]}")
    found = rule_stats(ruleset, ["球赛开始", "股市大涨"], ["体育", "财经"])
    assert [(r.fired, r.right) for r in found.rules] == [(1, 1), (1, 1)]


def test_labels_may_be_numbers() -> None:
    ruleset = RuleSet.from_yaml("{rulenet: 1, rules: [{id: a, label: '1', word: a}, {id: b, label: '0', word: b}]}")
    assert rule_stats(ruleset, ["a", "b"], np.array([1, 0])).rules[0].right == 1


def test_several_labels_do_not_exclude_each_other() -> None:
    sets = [["Sports"], ["Sports", "Money"], ["Sports"], ["Money"], [], ["Money"]]
    found = rule_stats(RuleSet.from_yaml(RULES), TEXTS, sets)
    assert (found.labels, found.disputed, found.conflicts()) == ({"Sports": 3, "Money": 3}, 0, [])
    rules = by_id(found)
    win, no_goal = rules["win"], rules["no_goal"]
    assert (win.fired, win.right, win.chance, win.recall, win.conflict) == (4, 3, 0.5, 1.0, 0.0)
    assert (no_goal.fired, no_goal.right, no_goal.recall) == (1, 1, pytest.approx(1 / 3))
    assert [(e.label, e.right) for e in win.examples] == [
        ("Sports", True), ("Sports, Money", True), ("Sports", True), ("Money", False),
    ]  # fmt: skip
    goal = TEXTS[2] + ", oil price"
    assert [pair["rules"] for pair in rule_stats(RuleSet.from_yaml(RULES), [goal], [["Money"]]).conflicts()] == [
        ["oil", "no_goal"]
    ]
    with pytest.raises(LabelError, match="'Monye'"):
        rule_stats(RuleSet.from_yaml(RULES), TEXTS, [["Monye"]] * 6)
    with pytest.raises(InputError, match="5 label sets"):
        rule_stats(RuleSet.from_yaml(RULES), TEXTS, sets[:5])


# ---------------------------------------------------------------------- labels that cannot be


def test_a_label_that_no_text_has_is_noted() -> None:
    found = rule_stats(RuleSet.from_yaml(RULES), TEXTS[:1], ["Sports"])
    assert found.notes == ["no text has the label 'Money', so rules for it are never right here"]


def test_a_label_that_the_file_does_not_declare() -> None:
    with pytest.raises(LabelError, match="label 'Sprots' of the data is not among `labels`"):
        rule_stats(RuleSet.from_yaml(RULES), TEXTS[:2], ["Sprots", "Money"])


def test_labels_that_do_not_meet_those_of_the_rules() -> None:
    ruleset = RuleSet.from_yaml("{rulenet: 1, rules: [{id: a, label: spam, word: a}]}")
    with pytest.raises(LabelError, match=r"label 'spam' .*did you mean 'Spam'"):
        rule_stats(ruleset, ["a", "b"], ["Spam", "ham"])


def test_a_label_without_rules_is_fine_where_none_are_declared() -> None:
    ruleset = RuleSet.from_yaml("{rulenet: 1, rules: [{id: a, label: spam, word: a}]}")
    assert rule_stats(ruleset, ["a", "a"], ["spam", "ham"]).rules[0].precision == 0.5


@pytest.mark.parametrize(
    ("texts", "labels", "message"),
    [
        ([], [], "texts is empty"),
        (["a"], ["Sports", "Money"], "1 text but 2 labels"),
        (["a", "b"], ["Sports", None], "1 label is missing, the first at position 1"),
        (["a", "b"], ["Sports", math.nan], "1 label is missing"),
        ("a", ["Sports"], "texts is one string"),
    ],
)
def test_texts_and_labels_that_cannot_be_used(texts: list[str], labels: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        rule_stats(RuleSet.from_yaml(RULES), texts, labels)


# ---------------------------------------------------------------------- with a model


@pytest.fixture(scope="module")
def clf() -> RuleNetClassifier:
    return RuleNetClassifier(RuleSet.from_yaml(RULES), None, recipe=Recipe.of(tfidf=False)).fit(TEXTS, LABELS)


def test_the_rules_of_a_model_and_their_learned_weights(clf: RuleNetClassifier) -> None:
    found = rule_stats(None, TEXTS, LABELS, model=clf)
    place, column = found.rules[1], clf.predictor_.hybrid.weights.coef[1]
    assert place.worth is not None
    assert place.worth.weights == {"Money": pytest.approx(clf.predictor_.hybrid.phi_scale * column[0])}
    plain = rule_stats(RuleSet.from_yaml(RULES), TEXTS, LABELS)
    assert [(r.fired, r.right, r.conflict) for r in found.rules] == [
        (r.fired, r.right, r.conflict) for r in plain.rules
    ]


def test_edited_rules_with_a_model(clf: RuleNetClassifier) -> None:
    edited = RuleSet.from_yaml(RULES.replace("zebra", "bonds"))
    never = by_id(rule_stats(edited, TEXTS, LABELS, model=clf))["never"]
    assert (never.fired, never.right) == (1, 1)


def test_a_label_that_the_model_does_not_know(clf: RuleNetClassifier) -> None:
    with pytest.raises(LabelError, match="the model does not know these labels: Art; it knows Money, Sports"):
        rule_stats(None, TEXTS[:1], ["Art"], model=clf)


def test_neither_rules_nor_a_model_with_rules() -> None:
    for model in (None, RuleNetClassifier(None, None).fit(TEXTS, LABELS)):
        with pytest.raises(InputError, match="there are no rules"):
            rule_stats(None, TEXTS, LABELS, model=model)


def test_a_model_keeps_what_its_rules_did_in_training(clf: RuleNetClassifier) -> None:
    tally = clf.report_["rule_tally"]
    assert (tally["texts"], tally["rules"]["win"], tally["rules"]["never"]) == (
        6,
        {"fired": 4, "right": 2},
        {"fired": 0, "right": 0},
    )


# ---------------------------------------------------------------------- findings and excerpts


def test_findings() -> None:
    ruleset = RuleSet.from_yaml(
        """rulenet: 1
rules:
  - {id: wrong, label: A, word: beta}
  - {id: wide, label: B, word: [beta, gamma]}
  - {id: narrow, label: B, word: gamma}
  - {id: silent, label: A, word: zebra}
"""
    )
    texts, labels = ["beta"] * 20 + ["gamma"] * 20 + ["alpha"] * 20, ["B"] * 40 + ["A"] * 20
    found = {f.kind: f for f in findings(rule_stats(ruleset, texts, labels))}
    assert {kind: f.rules for kind, f in found.items()} == {
        "weak": ["wrong"],
        "silent": ["silent"],
        "doubled": ["narrow"],
    }
    assert found["doubled"].named() == "narrow (wide)"


def test_an_excerpt_contains_the_whole_first_hit() -> None:
    text = "abc def ghi " * 50
    for start in (0, 3, 150, 480, 597):
        cut, spans = excerpt(text, [(start, start + 3)], width=60)
        assert cut[spans[0][0] : spans[0][1]] == text[start : start + 3]
        assert len(cut) <= 64
        assert cut.startswith("… ") == (start > 20)


def test_excerpts_without_spaces_and_of_short_texts() -> None:
    cut, spans = excerpt("一二三四五六七八九十" * 10, [(53, 55)], width=20)
    assert cut[slice(*spans[0])] == "四五"
    assert len(cut) == 24
    assert excerpt("a b", [(2, 3)]) == ("a b", [(2, 3)])  # short enough
