"""Which answers differ, and why: every change of a margin is the sum of its reasons."""

from __future__ import annotations

import pytest

from rulenet import Recipe, RuleNetClassifier, RuleSet
from rulenet.data.load import Dataset
from rulenet.errors import LabelError
from rulenet.workbench.flips import Firing, known_labels, model_flips, vote_flips

RULES = """rulenet: 1
language: en
rules:
  - {id: win, label: "1", word: win, weight: 2, pin: true}
  - {id: oil, label: "2", word: oil, weight: 1.5, pin: true}
  - {id: both, labels: {"1": 0.5, "2": -0.25}, word: cup, pin: true}
"""
TEXTS = ["win", "oil", "win oil", "cup", "none"]
LABELS = [1, 2, 1, 1, 2]


def rules(*edit: str) -> RuleSet:
    return RuleSet.from_yaml(RULES.replace(*edit) if edit else RULES)


@pytest.fixture(scope="module")
def clf() -> RuleNetClassifier:
    return RuleNetClassifier(rules(), None, recipe=Recipe.of(nb=False)).fit(TEXTS * 4, LABELS * 4)


def test_a_vote_that_turns() -> None:
    flips = vote_flips(rules(), rules("weight: 1.5", "weight: 2.5"), TEXTS, ["1", "2", "1", "1", "2"])
    assert (flips.by, flips.n_texts, flips.firings, flips.accuracy) == ("vote", 5, [], (0.8, 0.6))
    [answer] = flips.answers
    assert (answer.index, answer.before, answer.after, answer.label, answer.verdict) == (2, "1", "2", "1", "broken")
    [reason] = answer.reasons  # of 2.5 for "2" against nothing for "1"
    assert (reason.kind, reason.name, reason.before, reason.after, reason.change) == ("rule", "oil", 1.5, 2.5, 1.0)
    assert [answer.text[start:end] for start, end in reason.spans] == ["oil"]


def test_a_removed_rule_shows_where_it_hit() -> None:
    flips = vote_flips(rules(), rules('  - {id: oil, label: "2", word: oil, weight: 1.5, pin: true}\n', ""), TEXTS)
    assert [(a.before, a.after, a.verdict) for a in flips.answers] == [("2", None, "")]
    assert flips.answers[0].reasons[0].spans == [(0, 3)]
    assert flips.firings == [Firing("oil", 2, 0, [], [1, 2])]
    assert flips.accuracy is None


def test_a_label_named_none_is_no_missing_answer() -> None:
    a = RuleSet.from_yaml("{rulenet: 1, rules: [{id: a, label: 'None', word: a}]}")
    b = RuleSet.from_yaml("{rulenet: 1, rules: [{id: a, label: x, word: a}]}")
    [answer] = vote_flips(a, b, ["a"]).answers
    assert (answer.before, answer.after, answer.reasons[0].before, answer.reasons[0].after) == ("None", "x", -1.0, 1.0)


def test_records_are_read_field_by_field() -> None:
    text = "{rulenet: 1, rules: [{id: a, label: x, word: a}]}"
    in_title = RuleSet.from_yaml(text.replace("word: a", "word: a, field: title"))
    records = [{"title": "a", "body": "b"}, {"title": "b", "body": "a"}]
    flips = vote_flips(RuleSet.from_yaml(text), in_title, records)  # type: ignore[arg-type]
    assert [(a.index, a.before, a.after) for a in flips.answers] == [(1, "x", None)]


def test_chinese_texts_of_a_file_for_any_language() -> None:
    text = "{rulenet: 1, rules: [{id: a, label: x, word: 退款, negation: skip}]}"
    flips = vote_flips(
        RuleSet.from_yaml(text.replace("skip", "ignore")), RuleSet.from_yaml(text), ["我不要退款", "我要退款"]
    )
    assert [(a.index, a.before, a.after) for a in flips.answers] == [(0, "x", None)]


def test_reasons_add_up_to_what_moved_the_margin(clf: RuleNetClassifier) -> None:
    after = clf.with_rules(rules("weight: 1.5", "weight: 9"))
    flips = model_flips(clf.predictor_, after.predictor_, TEXTS, LABELS)
    assert flips.by == "model"
    assert flips.accuracy == (1.0, 0.8)
    [answer] = flips.answers
    # labels as the model has them
    assert (answer.index, answer.before, answer.after, answer.verdict) == (2, 1, 2, "broken")
    before, now = (m.explain(["win oil"])[0].contrast(2, 1).total for m in (clf, after))
    assert sum(reason.change for reason in answer.reasons) == pytest.approx(now - before)
    assert [(r.kind, r.name) for r in answer.reasons] == [("rule", "oil")]
    assert answer.reasons[0].change == pytest.approx(9 - 1.5)
    without = model_flips(clf.predictor_, after.predictor_, TEXTS)
    assert [(a.index, a.before, a.after, a.verdict) for a in without.answers] == [(2, 1, 2, "")]
    assert without.accuracy is None


def test_reordered_rules_change_nothing(clf: RuleNetClassifier) -> None:
    head, *listed = RULES.split("  - ")
    moved = RuleSet.from_yaml(head + "".join(f"  - {rule}" for rule in reversed(listed)))
    flips = model_flips(clf.predictor_, clf.predictor_.with_rules(moved), TEXTS, LABELS)
    assert (flips.firings, flips.answers) == ([], [])


@pytest.mark.parametrize("side", ["before", "after"])
def test_a_model_without_rules(clf: RuleNetClassifier, side: str) -> None:
    bare = clf.with_rules(None)
    flips = (
        model_flips(bare.predictor_, clf.predictor_, TEXTS)
        if side == "before"
        else model_flips(clf.predictor_, bare.predictor_, TEXTS)
    )
    moves = [(f.rule, f.before, f.after) for f in flips.firings]
    assert moves == (
        [("win", 0, 2), ("oil", 0, 2), ("both", 0, 1)]
        if side == "before"
        else [("win", 2, 0), ("oil", 2, 0), ("both", 1, 0)]
    )


def test_no_texts(clf: RuleNetClassifier) -> None:
    flips = model_flips(clf.predictor_, clf.predictor_.with_rules(rules("weight: 1.5", "weight: 9")), [], [])
    assert (flips.n_texts, flips.answers, flips.accuracy) == (0, [], None)


def test_labels_of_a_file_become_those_of_the_model(clf: RuleNetClassifier) -> None:
    assert known_labels(clf.predictor_, Dataset(["a", "b"], ["2", "1"], "f.csv", [1, 2])) == [2, 1]
    assert known_labels(clf.predictor_, Dataset(["a"], None, "f.csv", [1])) is None
    with pytest.raises(
        LabelError, match=r"^f\.csv has labels that the model does not know: '3'; the model knows '1', '2'$"
    ):
        known_labels(clf.predictor_, Dataset(["a"], ["3"], "f.csv", [1]))


@pytest.mark.slow
def test_a_transformer_that_reads_phi_is_a_reason_too(tiny_encoder: str) -> None:
    recipe = Recipe.of(epochs=1, bound=1.5, tfidf=False, max_length=16)
    clf = RuleNetClassifier(rules(), tiny_encoder, recipe=recipe, random_state=0).fit(TEXTS * 12, LABELS * 12)
    after = clf.with_rules(rules("weight: 1.5", "weight: 9"))
    flips = model_flips(clf.predictor_, after.predictor_, TEXTS, LABELS)
    [answer] = flips.answers
    before, now = (m.explain([answer.text])[0].contrast(2, 1).total for m in (clf, after))
    assert sum(reason.change for reason in answer.reasons) == pytest.approx(now - before, abs=1e-4)
    assert {reason.kind for reason in answer.reasons} <= {"rule", "neural"}
