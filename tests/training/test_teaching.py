"""How rules teach: votes that neighbours share, odds that students give, and what cannot teach."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse

from rulenet import Recipe, RuleNetClassifier, RuleSet
from rulenet.errors import InputError
from rulenet.model.link import ONE_OF
from rulenet.model.phi import RuleColumn
from rulenet.training.teaching import FINAL_MASS, Lesson, Rules, _trusted, compared, given_weights, teach

CLASSES = ["a", "b"]


def made(n: int = 400, seed: int = 0) -> tuple[Rules, np.ndarray, np.ndarray]:
    """Two clouds of texts, a good rule for each, and a rule for the second that fires at random."""
    rng = np.random.default_rng(seed)
    y = np.repeat([0, 1], n // 2)
    view = rng.normal(size=(n, 4)) + 3.0 * np.eye(4)[y]
    good = [(y == k) & (rng.random(n) < 0.4) for k in (0, 1)]
    R = scipy.sparse.csr_matrix(np.column_stack([*good, rng.random(n) < 0.3]).astype(np.float32))
    rules = Rules(R, [RuleColumn(k, column=i) for i, k in enumerate((0, 1, 1))], np.zeros(3, dtype=bool))
    return rules, view, y


def lesson(rules: Rules, view: np.ndarray, Y: np.ndarray, **changes: float) -> Lesson:
    options = {"rounds": 3, "trusted": 0.8, "seed": 0, **changes}
    found = teach(rules, view, Y, CLASSES, ONE_OF, **options)  # type: ignore[arg-type]
    assert found is not None
    return found


def test_students_and_rules_find_what_votes_get_wrong() -> None:
    rules, view, y = made()
    votes = rules.said(rules.weights(2))
    fired = np.asarray(rules.R.sum(axis=1)).ravel() > 0
    found = lesson(rules, view, np.zeros((400, 2)))
    assert (votes.argmax(1) == y)[fired].mean() < 0.9
    assert (found.targets.argmax(1) == y).mean() > 0.95
    assert found.report["covered"] == fired.sum()
    assert found.report["trusted"] < found.report["voted"] < found.report["covered"]  # ties do not vote
    assert len(found.report["agreement"]) == 4
    assert "about 'a'" in found.report["advice"] or "about 'b'" in found.report["advice"]


def test_a_weight_is_learned_unless_its_author_gave_it() -> None:
    rules, _, y = made()
    Y = np.eye(2)[y]
    first, second, chance = rules.odds(np.arange(400), Y, ONE_OF)
    assert first[0] > 0.5
    assert second[1] > 0.5
    assert chance[1] < 0.2
    kept = Rules(rules.R, rules.columns, np.array([True, False, True])).odds(np.arange(400), Y, ONE_OF)
    assert kept[[0, 2], [0, 1]].tolist() == [1.0, 1.0]
    assert kept[1, 1] > 0.5
    text = "rules: [{id: x, label: a, word: x}, {id: y, labels: {a: 1, b: 2}, word: y}, {id: z, label: b, word: z, confidence: 0.9}]"
    assert given_weights(RuleSet.from_yaml(f"{{rulenet: 1, {text}}}").rules).tolist() == [False, True, True, True]


def test_votes_are_trusted_where_neighbours_share_them() -> None:
    _, view, y = made()
    answers = y.copy()
    wrong = np.arange(0, 400, 10)
    answers[wrong] = 1 - y[wrong]
    kept = _trusted(view, np.arange(400), answers, 0.8, np.random.default_rng(0))
    assert len(kept) == pytest.approx(320, abs=1)
    assert len(np.intersect1d(kept, wrong)) < 5
    assert len(_trusted(view, np.arange(400), answers, 1.0, np.random.default_rng(0))) == 400


def test_labels_stay_and_guesses_fade_beside_them() -> None:
    rules, view, y = made()
    Y = np.zeros((400, 2))
    assert lesson(rules, view, Y).targets.sum() == pytest.approx(400)
    Y[:60] = np.eye(2)[1 - y[:60]]  # labels may be anything
    found = lesson(rules, view, Y)
    np.testing.assert_array_equal(found.targets[:60], Y[:60])
    assert found.targets[60:].sum() == pytest.approx(min(340, FINAL_MASS / 3))
    again = lesson(rules, view, Y)
    np.testing.assert_array_equal(found.targets, again.targets)


def test_rules_and_labels_are_compared_on_the_labels() -> None:
    rules, view, y = made()
    wrong = Rules(rules.R[:, [1, 0, 2]], rules.columns, rules.is_given)  # each rule speaks for the other label
    how: dict[str, Any] = {"rounds": 1, "trusted": 0.8, "seed": 0}
    Y = np.where(np.arange(400)[:, None] % 4 == 0, np.eye(2)[y], 0.0)  # 100 labels
    good, bad = (compared(teacher, view, Y, CLASSES, ONE_OF, **how) for teacher in (rules, wrong))
    assert (good["texts"], good["ahead"], bad["ahead"]) == (100, False, True)
    assert min(good["rules"], good["labels"], bad["labels"]) > 0.9 > 0.2 > bad["rules"]
    few = np.where(np.arange(400)[:, None] % 6 == 0, Y, 0.0)
    silent = Rules(0 * rules.R, rules.columns, rules.is_given)
    assert compared(rules, view, few, CLASSES, ONE_OF, **how) == compared(silent, view, Y, CLASSES, ONE_OF, **how) == {}


def test_rules_that_know_less_than_labels_do_not_teach(tmp_path: Path) -> None:
    swapped = RuleSet.from_yaml(RULES.replace("sport", "x").replace("money", "sport").replace("x", "money"))
    texts, labels = (
        [f"{words} {n}" for n in range(60) for words in ("goal match", "oil market")],
        ["sport", "money"] * 60,
    )
    clf = RuleNetClassifier(swapped, None).fit(texts[:100], labels[:100], unlabeled=texts[100:])
    assert (clf.report_["compared"]["ahead"], clf.report_["teaching"]) == (True, {})
    assert clf.predict(["match", "market"]).tolist() == ["sport", "money"]
    clf.save(tmp_path)
    assert RuleNetClassifier.load(tmp_path).report_["compared"] == clf.report_["compared"]


def test_what_only_other_texts_have_is_no_term_unless_it_can_be_learned() -> None:
    """Columns without a target would take their share of the length of each text."""
    texts, labels = ["a goal", "some oil", "goal match", "oil market"] * 3, ["sport", "money"] * 6
    plain = Recipe.of(word_vectors=None)
    alone = RuleNetClassifier(None, None, recipe=plain).fit(texts, labels)
    more = RuleNetClassifier(None, None, recipe=plain).fit(texts, labels, unlabeled=["tea and cake", "nothing"] * 3)
    assert alone.report_["n_terms"] == more.report_["n_terms"]
    np.testing.assert_allclose(alone.coef_, more.coef_, atol=1e-6)


RULES = "{rulenet: 1, language: en, rules: [{id: goal, label: sport, word: goal}, {id: oil, label: money, word: oil}]}"


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["nothing", "at all"] * 3, r"no text has a label, and no rule fires on any of 6 texts, or"),
        (
            ["a goal", "nothing"] * 3,
            r"the rules that fire on 6 texts all speak for 'sport', so .*: add rules for another",
        ),
        (
            ["oil goal"] * 6,
            r"no rule fires on any of 6 texts, or those that fire say as much for one label as for another",
        ),
    ],
)
def test_rules_that_cannot_teach(texts: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        RuleNetClassifier(RuleSet.from_yaml(RULES), None).fit(texts)


def test_with_labels_rules_that_say_nothing_are_warned_of() -> None:
    clf = RuleNetClassifier(RuleSet.from_yaml(RULES), None)
    with pytest.warns(UserWarning, match=r"no rule votes on the texts without a label, so rules cannot teach"):
        clf.fit(["a goal", "some oil"] * 3, ["sport", "money"] * 3, unlabeled=["nothing"] * 5)
    assert clf.report_["teaching"] == {}


def test_words_beside_the_rules_are_learned_and_saved(tmp_path: Path) -> None:
    texts = ["goal match", "oil market"] * 15 + ["match", "market"] * 5
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clf = RuleNetClassifier(RuleSet.from_yaml(RULES), None, recipe=Recipe.of(rounds=1)).fit(texts)
    assert clf.predict(["match", "market"]).tolist() == ["sport", "money"]
    assert clf.calibration_ is None  # guesses are nothing to be calibrated by
    clf.save(tmp_path)
    assert RuleNetClassifier.load(tmp_path).report_["teaching"] == clf.report_["teaching"]


def test_unlabeled_that_cannot_be_meant() -> None:
    clf = RuleNetClassifier(RuleSet.from_yaml(RULES), None)
    texts, labels = ["a goal", "some oil"] * 3, ["sport", "money"] * 3
    with pytest.raises(InputError, match=r"^unlabeled has the labels themselves, not texts"):
        clf.fit(texts, labels, unlabeled=labels)
    with pytest.warns(UserWarning, match=r"texts without labels look Chinese, the others English"):
        clf.fit(texts, labels, unlabeled=["今天的比赛 goal", "油价上涨 oil"] * 3)
    with pytest.warns(UserWarning, match=r"^2 texts for 3 labels are too few to learn from: add texts"):
        RuleNetClassifier(RuleSet.from_yaml(RULES.replace("]}", ", {id: t, label: food, word: t}]}")), None).fit(
            texts[:2]
        )
    more = RuleSet.from_yaml(RULES.replace("]}", ", {id: tea, label: food, word: tea}]}"))
    with pytest.warns(UserWarning, match=r"no text is taken for 'food': add rules for it or label some of its texts"):
        RuleNetClassifier(more, None).fit(texts)


def test_held_out_labels_do_not_teach(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[np.ndarray] = []

    def spied(rules: Rules, view: np.ndarray, Y: np.ndarray, *more: object, **how: float) -> Lesson | None:
        seen.append(Y)
        return teach(rules, view, Y, *more, **how)  # type: ignore[arg-type]

    monkeypatch.setattr("rulenet.training.stages.teach", spied)
    texts = [f"{words} {n}" for n in range(60) for words in ("goal match", "oil market")]
    clf = RuleNetClassifier(RuleSet.from_yaml(RULES), None)
    clf.fit(texts[:60], ["sport", "money"] * 30, unlabeled=texts[60:])
    assert [(len(Y), int((Y.sum(axis=1) > 0).sum())) for Y in seen] == [(111, 51)]  # of 60 labels, 9 are held out
