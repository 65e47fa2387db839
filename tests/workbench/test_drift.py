"""Rules that died, exploded, faded or lost precision; and the false alarms that are not raised."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from rulenet import Recipe, RuleNetClassifier, RuleSet
from rulenet.errors import DataError, ModelFileError
from rulenet.workbench.audit import holm, same_share
from rulenet.workbench.drift import ALPHA, Baseline, Drift, Tally, compare, read_baseline
from rulenet.workbench.stats import rule_stats

RULES = RuleSet.from_yaml(
    "{rulenet: 1, language: en, labels: [A, B], rules: [{id: a, label: A, word: alpha}, {id: b, label: B, word: beta}]}"
)


def drift(
    before: dict[str, tuple[int, int | None]], a: int, b: int, *, n0: int = 1000, right: int | None = None
) -> Drift:
    """What comparison says of 1,000 texts now, on which rule a fires `a` times and b `b` times; a is right `right` times."""
    texts = ["alpha"] * a + ["beta"] * b + ["other"] * (1000 - a - b)
    labels = None if right is None else ["A"] * right + ["B"] * (1000 - right)
    rules = {name: Tally(fired=fired, right=won) for name, (fired, won) in before.items()}
    return compare(rule_stats(RULES, texts, labels), Baseline(texts=n0, rules=rules))


@pytest.mark.parametrize(
    ("fired", "now", "flags"),
    [
        (100, 0, ["died"]),
        (100, 20, ["faded"]),
        (100, 300, ["exploded"]),
        (0, 50, ["exploded"]),  # it never fired before
        (100, 100, []),
        (400, 300, []),  # sure, but not large
        (2, 0, []),  # large, but may be chance
        (3, 9, []),
        (0, 0, []),
    ],
)
def test_how_often_a_rule_fires(fired: int, now: int, flags: list[str]) -> None:
    found = drift({"a": (fired, None), "b": (100, None)}, now, 100)
    assert [rule.flags for rule in found.rules] == [flags, []]
    assert [rule.id for rule in found.flagged] == (["a"] if flags else [])


@pytest.mark.parametrize(
    ("right", "now", "flags"),
    [
        (90, 50, ["lost precision"]),
        (90, 90, []),
        (50, 90, []),  # better than before
        (90, 86, []),  # may be chance
    ],
)
def test_how_often_a_rule_is_right(right: int, now: int, flags: list[str]) -> None:
    found = drift({"a": (100, right), "b": (100, 80)}, 100, 100, right=now)
    rule = found.rules[0]
    assert (rule.flags, rule.precision_before, rule.precision_now) == (flags, right / 100, now / 100)
    assert found.tests == 4


def test_a_fall_of_precision_that_is_sure_but_small_is_not_flagged() -> None:
    found = drift({"a": (100_000, 99_000), "b": (0, None)}, 900, 0, n0=110_000, right=855)  # 99 % before, 95 % now
    rule = found.rules[0]
    assert rule.p_precision is not None
    assert rule.p_precision < ALPHA
    assert rule.flags == []


def test_both_at_once() -> None:
    found = drift({"a": (100, 95), "b": (100, 80)}, 400, 100, right=100)
    assert found.rules[0].flags == ["exploded", "lost precision"]


def test_texts_may_be_more_or_fewer_than_before() -> None:
    found = drift({"a": (10_000, None), "b": (10_000, None)}, 100, 100, n0=100_000)
    assert found.flagged == []
    assert [(rule.before, rule.now) for rule in found.rules] == [(0.1, 0.1)] * 2


def test_the_surest_comes_first() -> None:
    assert [rule.id for rule in drift({"a": (100, None), "b": (300, None)}, 20, 0).flagged] == ["b", "a"]


def test_too_rare_to_tell() -> None:
    # Of 2 firings in 1,000 texts none may be left by chance; of 100 not. A rule that never fired cannot die.
    assert drift({"a": (2, None), "b": (100, None)}, 2, 100).too_rare == 1
    assert drift({"a": (0, None), "b": (100, None)}, 0, 100).too_rare == 0


def test_rules_on_one_side_only_are_named_and_not_tested() -> None:
    found = drift({"b": (0, None), "old": (10, None)}, 500, 0)
    assert (found.added, found.gone, found.tests, found.flagged) == (["a"], ["old"], 1, [])
    assert found.remarks()[:2] == ["1 rule not in the baseline: a", "1 rule of the baseline no longer in the file: old"]


def test_a_rule_that_was_switched_off_has_not_died() -> None:
    ruleset = RuleSet.from_yaml(
        "{rulenet: 1, rules: [{id: a, label: A, word: alpha, enabled: false}, {id: b, label: B, word: beta}]}"
    )
    found = compare(
        rule_stats(ruleset, ["beta"] * 100), Baseline(texts=100, rules={"a": Tally(fired=50), "b": Tally(fired=100)})
    )
    assert (found.switched_off, [rule.id for rule in found.rules], found.flagged) == (["a"], ["b"], [])


def test_what_cannot_be_compared_is_said() -> None:
    assert drift({"a": (1, 1)}, 1, 1).notes == ["these texts have no labels, so precision is not compared"]
    assert drift({"a": (1, None)}, 1, 1, right=1).notes == ["the baseline has no labels, so precision is not compared"]
    edited = Baseline(texts=10, rules={"a": Tally(fired=1)}, fingerprint="0" * 64)
    (note,) = compare(rule_stats(RULES, ["alpha", "beta"], ["A", "B"]), edited).notes[-1:]
    assert note.startswith("the rule file has changed since the baseline")


def test_nothing_in_common() -> None:
    found = drift({"old": (5, None)}, 1, 1)
    assert (found.rules, found.tests, found.too_rare) == ([], 0, 0)


@pytest.mark.slow
def test_without_drift_an_alarm_is_rare_however_many_rules() -> None:
    rng = np.random.default_rng(0)
    rates = rng.uniform(0.001, 0.3, 100)
    alarms = 0
    for _ in range(60):
        before, now = rng.binomial(5000, rates), rng.binomial(2000, rates)
        few, many = same_share(before, 5000, now, 2000)
        alarms += bool((holm(np.minimum(2 * np.minimum(few, many), 1)) <= ALPHA).any())
    assert alarms <= 8  # 3 expected at most; 9 or more have a probability below 1 %


# ---------------------------------------------------------------------- baselines


def test_a_baseline_from_statistics_of_the_same_texts(tmp_path: Path) -> None:
    stats = rule_stats(RULES, ["alpha", "beta", "beta alpha"], ["A", "B", "B"])
    file = tmp_path / "base.json"
    file.write_text(json.dumps(stats.to_dict()))
    baseline = read_baseline(file)
    assert (baseline.texts, baseline.rules["a"], baseline.rules["b"]) == (
        3,
        Tally(fired=2, right=1),
        Tally(fired=2, right=2),
    )
    found = compare(stats, baseline)
    assert (found.flagged, found.notes, found.added, found.gone) == ([], [], [], [])


def test_a_baseline_from_a_model(tmp_path: Path) -> None:
    texts, labels = ["alpha"] * 30 + ["beta"] * 30, ["A"] * 30 + ["B"] * 30
    clf = RuleNetClassifier(RULES, None, recipe=Recipe.of(tfidf=False)).fit(texts, labels)
    clf.save(tmp_path / "model")
    baseline = read_baseline(tmp_path / "model")
    assert baseline.model_dump() == {
        "texts": 60, "fingerprint": RULES.fingerprint,
        "rules": {"a": {"fired": 30, "right": 30}, "b": {"fired": 30, "right": 30}},
    }  # fmt: skip
    found = compare(rule_stats(None, ["alpha"] * 60, ["A"] * 60, model=tmp_path / "model"), baseline)
    assert [(rule.id, rule.flags) for rule in found.flagged] == [("a", ["exploded"]), ("b", ["died"])]


def test_a_model_trained_without_labels_keeps_firings_alone() -> None:
    clf = RuleNetClassifier(RULES, None, recipe=Recipe.of(tfidf=False)).fit(["alpha", "beta", "beta"])
    assert clf.report_["rule_tally"]["rules"] == {"a": {"fired": 1, "right": None}, "b": {"fired": 2, "right": None}}


def test_a_model_without_rules_is_no_baseline(tmp_path: Path) -> None:
    RuleNetClassifier(None, None).fit(["alpha", "beta"], ["A", "B"]).save(tmp_path / "model")
    with pytest.raises(DataError, match="has no counts of its rules"):
        read_baseline(tmp_path / "model")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not JSON"),
        ("[1]", "is not a baseline. Create a baseline with: rulenet rules stats"),
        ('{"rulenet_stats": 1, "texts": 5}', "is not a baseline"),
        ('{"rulenet_stats": 1, "texts": 0, "rules": []}', "texts: Input should be greater than or equal to 1"),
        (
            '{"rulenet_stats": 1, "texts": 5, "rules": [{"id": "a", "fired": 9}]}',
            "rule 'a' has more firings than texts",
        ),
        (
            '{"rulenet_stats": 1, "texts": 5, "rules": [{"id": "a", "fired": 2, "right": 3}]}',
            "more correct firings than firings",
        ),
        (
            '{"rulenet_stats": 1, "texts": 5, "rules": [{"id": "a", "fired": "x"}]}',
            "rules.a.fired: Input should be a valid integer",
        ),
    ],
)
def test_files_that_are_not_a_baseline(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "base.json").write_text(content)
    with pytest.raises(DataError, match=message):
        read_baseline(tmp_path / "base.json")


def test_places_without_a_baseline(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read: No such file"):
        read_baseline(tmp_path / "missing.json")
    with pytest.raises(ModelFileError, match="not a rulenet model"):
        read_baseline(tmp_path)
