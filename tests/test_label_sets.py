"""Several labels per text, end to end: fit, answers, reasons, files, rules, and scikit-learn's tools."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn.base import clone
from sklearn.metrics import f1_score
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MultiLabelBinarizer

from rulenet import Recipe, RuleNetClassifier, RuleSet
from rulenet.data.load import Dataset
from rulenet.errors import DataError, InputError, LabelError, ModelFileError, ParameterError
from rulenet.explain.label_sets import SetExplanation
from rulenet.workbench.diff import flip_lines, flips_to_dict
from rulenet.workbench.flips import model_flips
from rulenet.workbench.hotedit import refit_phi
from tests.store.folders import config_of, write_config

WORDS = {"anger": ["angry", "mad"], "joy": ["happy", "glad"], "love": ["love", "dear"]}
RECIPE = Recipe.of(word_vectors=None)
RULES = RuleSet.from_yaml(
    """
rulenet: 1
rules:
  - {id: joy, label: joy, word: happy}
  - {id: sad, label: sad, word: [cry, tears]}
  - {id: not-joy, label: joy, word: blue, sign: against, weight: -1}
  - {id: pinned, label: anger, word: furious, weight: 4, pin: true}
"""
)


def drawn(n: int, seed: int) -> tuple[list[str], list[list[str]]]:
    rng = np.random.default_rng(seed)
    sets = [[label for label in WORDS if rng.random() < 0.35] for _ in range(n)]
    filler = ["the", "day", "was", "long", "train", "blue"]
    texts = [" ".join([*map(rng.choice, map(WORDS.get, labels)), *rng.choice(filler, 5)]) for labels in sets]
    return texts, sets


TEXTS, SETS = drawn(160, 0)
NEW, TRUE = drawn(60, 1)
TRUE_IN_ORDER = [tuple(sorted(labels)) for labels in TRUE]
BINARIZER = MultiLabelBinarizer().fit(SETS)
M = BINARIZER.transform(SETS)


@pytest.fixture(scope="module")
def clf() -> RuleNetClassifier:
    with pytest.warns(UserWarning, match="no text has the label 'sad'"):
        return RuleNetClassifier(RULES, None, recipe=RECIPE).fit(TEXTS, SETS)


def test_answers_are_the_labels_above_their_thresholds(clf: RuleNetClassifier) -> None:
    answers, logits = clf.predict(NEW), clf.predictor_.parts(NEW).logits
    above = logits - np.array(clf.predictor_.link.thresholds)  # type: ignore[attr-defined]
    assert answers.tolist() == [tuple(clf.classes_[row > 0].tolist()) for row in above]
    np.testing.assert_array_equal(clf.decision_function(NEW), above)
    np.testing.assert_allclose(clf.transform(NEW) @ clf.coef_.T + clf.intercept_, above)
    assert clf.score(NEW, TRUE) == np.mean([set(a) == set(b) for a, b in zip(answers, TRUE, strict=True)]) > 0.9
    proba = clf.predict_proba(NEW)
    assert proba.shape == (60, 4)
    assert (proba.sum(axis=1) > 1.5).any()
    assert clf.predict(["furious", "", "in tears"]).tolist() == [("anger",), (), ("sad",)]
    assert clf.report_["thresholds"]["texts"] == 160
    assert clf.report_["rule_tally"]["rules"]["not-joy"]["right"] > 0
    rejected = clf.predict([*NEW, "happy angry"], reject=0.05, abstain=True)
    assert {type(answer) for answer in rejected.tolist()} <= {tuple, type(None)}
    plausible = clf.predict_set(NEW, 0.95)
    assert np.mean([set(labels) <= set(found) for labels, found in zip(TRUE, plausible, strict=True)]) > 0.9


def test_every_logit_is_explained_against_its_threshold(clf: RuleNetClassifier) -> None:
    for e in clf.explain([*NEW, "", "tears of joy, happy and blue"]):
        assert isinstance(e, SetExplanation)
        for label, logit in e.logits.items():
            total = e.bias[label] + sum(term.contributions[label] for term in e.terms) + e.neural[label]
            assert total == pytest.approx(logit, abs=1e-4)
            assert (logit > e.thresholds[label]) is (label in e.labels)
        assert e.label == max(e.logits, key=e.above)
    e = clf.explain(["happy angry"])[0]
    assert e.labels in (("joy", "anger"), ("anger", "joy"))  # type: ignore[attr-defined]
    assert "joy, because of" in e.sentence()
    assert e.to_dict()["labels"] == list(e.labels)  # type: ignore[attr-defined]
    assert "threshold" in str(e)
    assert "No label is above its threshold" in str(clf.explain(["the long day"])[0])
    assert clf.explain_global(NEW).rules


def test_a_saved_model_answers_the_same_and_its_thresholds_are_checked(clf: RuleNetClassifier, tmp_path: Path) -> None:
    clf.save(tmp_path / "model")
    twin = RuleNetClassifier.load(tmp_path / "model")
    assert twin.predict(NEW).tolist() == clf.predict(NEW).tolist()
    np.testing.assert_array_equal(twin.predict_proba(NEW), clf.predict_proba(NEW))
    assert twin.predictor_.link == clf.predictor_.link
    config = config_of(tmp_path / "model")
    for thresholds, match in (([0.0], "as many thresholds"), ([float("nan")] * 4, "several.thresholds")):
        write_config(tmp_path / "model", {**config, "several": {"thresholds": thresholds, "as_matrix": False}})
        with pytest.raises(ModelFileError, match=match):
            RuleNetClassifier.load(tmp_path / "model")
    write_config(tmp_path / "model", {**config, "several": None})
    with pytest.raises(ModelFileError, match="do not fit 4 labels"):
        RuleNetClassifier.load(tmp_path / "model")


def test_rules_are_edited_and_the_model_is_calibrated_without_training(clf: RuleNetClassifier) -> None:
    edited = clf.with_rules(RuleSet.from_yaml("{rulenet: 1, rules: [{id: new, label: sad, word: gloom, weight: 2}]}"))
    assert edited.predict(["gloom", "tears"]).tolist() == [("sad",), ()]
    assert edited.predictor_.link == clf.predictor_.link
    same = clf.predictor_.calibrate(NEW, TRUE)
    assert same.link.thresholds[3] == clf.predictor_.link.thresholds[3]  # type: ignore[attr-defined]
    assert same.link != clf.predictor_.link
    assert clf.predictor_.calibrate(NEW).policy.calibration is None
    assert clf.predictor_.calibrate(NEW[:9], TRUE[:9]).link == clf.predictor_.link


def test_a_matrix_gives_a_matrix() -> None:
    new = BINARIZER.transform(TRUE)
    clf = RuleNetClassifier(None, None, recipe=RECIPE, classes=BINARIZER.classes_)
    for Y in (M, scipy.sparse.csr_matrix(M), pd.DataFrame(M, columns=BINARIZER.classes_)):
        fitted = clone(clf).fit(TEXTS, Y)
        assert fitted.classes_.tolist() == BINARIZER.classes_.tolist()
        assert f1_score(new, fitted.predict(NEW), average="macro") > 0.9
        assert fitted.score(NEW, new) > 0.9
    lists = RuleNetClassifier(None, None, recipe=RECIPE).fit(TEXTS, [set(labels) for labels in SETS])
    np.testing.assert_array_equal(lists.predict_proba(NEW), fitted.predict_proba(NEW))
    with pytest.raises(ParameterError, match="a matrix of 0 and 1 has no None"):
        fitted.predict(NEW, abstain=True)


@pytest.mark.slow
def test_a_matrix_works_with_scikit_learns_tools() -> None:
    clf = RuleNetClassifier(None, None, recipe=RECIPE, classes=BINARIZER.classes_)
    piped = make_pipeline(FunctionTransformer(), clone(clf))
    assert cross_val_predict(piped, TEXTS, M, cv=2).shape == M.shape
    assert cross_val_predict(clone(clf), TEXTS, M, cv=2, method="predict_proba").shape == M.shape
    search = GridSearchCV(clone(clf), {"recipe__C": [0.01, 10.0]}, cv=2, scoring="f1_macro").fit(TEXTS, M)
    assert search.best_params_ == {"recipe__C": 10.0}


def test_weights_and_few_texts() -> None:
    few = RuleNetClassifier(None, None, recipe=RECIPE)
    with pytest.warns(UserWarning, match="20 texts leave too few held-out ones to choose thresholds by"):
        few.fit(TEXTS[:20], SETS[:20])
    assert set(few.predictor_.link.thresholds) == {0.0}  # type: ignore[attr-defined]
    twice = (
        clone(few)
        .set_params(recipe__nb=False, recipe__min_df=1)
        .fit(TEXTS, SETS, sample_weight=[2.0] * 80 + [0.0] * 80)
    )
    assert twice.report_["n_texts"] == 80


def test_what_a_change_of_rules_does_to_label_sets_is_told_with_its_reasons(clf: RuleNetClassifier) -> None:
    edited = RuleSet.from_yaml(
        "{rulenet: 1, rules: [{id: joy, label: joy, word: happy, weight: 9}, {id: no, label: love, word: day, weight: -9, sign: free}]}"
    )
    after = clf.with_rules(edited)
    found = model_flips(clf.predictor_, after.predictor_, NEW, TRUE_IN_ORDER)
    pairs = list(zip(clf.predict(NEW), after.predict(NEW), strict=True))
    assert [answer.index for answer in found.answers] == [i for i, (a, b) in enumerate(pairs) if a != b] != []
    rights = [[set(pair[k]) == set(labels) for pair, labels in zip(pairs, TRUE, strict=True)] for k in (0, 1)]
    assert found.accuracy == pytest.approx([np.mean(right) for right in rights])
    was, now = (model.predictor_.parts(NEW).logits for model in (clf, after))
    for answer in found.answers:
        old, new = (np.isin(clf.classes_, side).astype(int) for side in (answer.before, answer.after))
        moved = (now - was)[answer.index] @ (new - old)
        assert sum(reason.change for reason in answer.reasons) == pytest.approx(moved, abs=1e-6)
        assert answer.verdict in ("fixed", "broken", "still wrong")
    assert "~ " in "\n".join(flip_lines(found))
    assert flips_to_dict(found)["answers"][0]["before"] == list(found.answers[0].before)  # type: ignore[arg-type]


def test_phi_is_solved_again_for_several_labels() -> None:
    sets = [tuple(labels) for labels in SETS]
    plain = RuleNetClassifier(None, None, recipe=RECIPE).fit(TEXTS, SETS)
    again = refit_phi(plain, Dataset(TEXTS, sets, "same.csv", []))
    np.testing.assert_allclose(again.predictor_.parts(NEW).phi, plain.predictor_.parts(NEW).phi, atol=0.05)
    with pytest.raises(LabelError, match="no text with the label 'love'"):
        refit_phi(plain, Dataset(TEXTS[:2], [("joy",), ("anger",)], "few.csv", []))
    with pytest.raises(DataError, match="several labels, but these have one label each"):
        refit_phi(plain, Dataset(TEXTS[:2], ["joy", "anger"], "one.csv", []))


def test_what_several_labels_do_not_go_with_is_one_line(clf: RuleNetClassifier, tmp_path: Path) -> None:
    plain = {"rules": None, "encoder": None, "recipe": RECIPE}
    fits: list[tuple[dict[str, Any], dict[str, Any], str]] = [
        (plain, {"unlabeled": NEW}, "unlabeled= needs one label per text"),
        ({**plain, "class_weight": "balanced"}, {}, "class_weight= needs one label per text"),
        ({**plain, "descriptions": {"joy": "gladness"}}, {}, "descriptions= needs one label per text"),
    ]
    for params, more, match in fits:
        with pytest.raises(ParameterError, match=match):
            RuleNetClassifier(**params).fit(TEXTS, SETS, **more)
    calls: list[tuple[Any, str]] = [
        (lambda: clf.what_if("happy"), "what_if needs a model with one label per text"),
        (lambda: clf.explain_global(NEW, TRUE), "explain_global with labels"),
        (lambda: clf.predict(NEW, reject=0.1, per_class=True), "per_class=True needs one label per text"),
        (lambda: clf.score(NEW, ["joy"] * 60), "several labels per text, but these are one per text"),
    ]
    for call, match in calls:
        with pytest.raises(InputError, match=match):
            call()
