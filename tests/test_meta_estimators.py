"""scikit-learn's meta-estimators and checks over a classifier of texts: with and without rules, two labels and three.

Not here, as they refuse texts before any classifier is asked (they want numbers in X): `OneVsOneClassifier`, `OutputCodeClassifier`,
`SelfTrainingClassifier`, `AdaBoostClassifier`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    RandomizedSearchCV,
    TunedThresholdClassifierCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    permutation_test_score,
    validation_curve,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, LabelEncoder

from rulenet import Recipe, RuleNetClassifier, RuleSet, distill
from rulenet.errors import LabelError

RULES = RuleSet.from_yaml(
    """
rulenet: 1
rules:
  - {id: sport, label: Sports, word: [goal, match, team], weight: 2}
  - {id: money, label: Business, word: [bank, oil, market]}
  - {id: talks, label: World, phrase: peace talks, negation: {flip: Sports}}
"""
)
TWO = RuleSet.from_yaml(
    "{rulenet: 1, rules: [{id: s, label: Sports, word: [goal, team]}, {id: m, label: Business, word: oil}]}"
)
WORDS = {
    "Sports": ["goal", "match", "team", "coach", "league"],
    "Business": ["bank", "oil", "market", "price", "stock"],
    "World": ["peace talks", "border", "president", "treaty", "embassy"],
}
LR = LogisticRegression()


def data(n_labels: int) -> tuple[list[str], list[str]]:
    pairs = [
        (f"{w} {v}", label) for label in list(WORDS)[:n_labels] for w in WORDS[label] for v in WORDS[label] if w != v
    ]
    texts, labels = zip(*pairs, strict=True)
    return list(texts), list(labels)


def rows(texts: list[str]) -> Any:
    return np.array(texts, dtype=object)[:, None]


def fitted(meta: Any, texts: Any, labels: list[str]) -> float:
    return float(meta.fit(texts, labels).score(texts, labels))


def predicted(method: str) -> Callable[[Any, list[str], list[str]], float]:
    def run(clf: Any, texts: list[str], labels: list[str]) -> float:
        found, classes = cross_val_predict(clf, texts, labels, cv=3, method=method), np.unique(labels)
        if method != "predict":
            found = classes[(found > 0).astype(int) if found.ndim == 1 else found.argmax(axis=1)]
        return float((found == np.array(labels)).mean())

    return run


def calibrated(method: str, *, ensemble: bool) -> Callable[[Any, list[str], list[str]], float]:
    return lambda clf, X, y: fitted(CalibratedClassifierCV(clf, method=method, cv=3, ensemble=ensemble), X, y)


def column(clf: Any, texts: list[str], labels: list[str]) -> float:
    table = pd.DataFrame({"text": texts, "n": range(len(texts))})
    return fitted(make_pipeline(make_column_transformer((clf, ["text"])), LR), table, labels)


def union(clf: Any, texts: list[str], labels: list[str]) -> float:
    return fitted(make_pipeline(FeatureUnion([("a", clf), ("b", clone(clf))]), LR), texts, labels)


def tuned(clf: Any, texts: list[str], labels: list[str]) -> float:
    if len(set(labels)) > 2:
        return 1.0  # for two labels only
    fixed = fitted(
        FixedThresholdClassifier(clf, threshold=0.0, pos_label="Sports", response_method="decision_function"),
        texts,
        labels,
    )
    return min(fixed, fitted(TunedThresholdClassifierCV(clf, cv=2, thresholds=5), texts, labels))  # fmt: skip


METAS: dict[str, Callable[[Any, list[str], list[str]], float]] = {
    "cross_val_score": lambda clf, X, y: cross_val_score(clf, X, y, cv=3, error_score="raise").mean(),
    "log loss": lambda clf, X, y: 1 + cross_val_score(clf, X, y, cv=3, error_score="raise", scoring="neg_log_loss").mean(),
    "AUC": lambda clf, X, y: cross_validate(clf, X, y, cv=3, error_score="raise", scoring="roc_auc_ovr")["test_score"].min(),
    "predict": predicted("predict"),
    "predict_proba": predicted("predict_proba"),
    "decision_function": predicted("decision_function"),
    "grid": lambda clf, X, y: fitted(GridSearchCV(clf, {"recipe__C": [1, 10]}, cv=2, error_score="raise"), X, y),
    "random": lambda clf, X, y: fitted(RandomizedSearchCV(clf, {"recipe__C": [1, 10]}, n_iter=1, cv=2), X, y),
    "stack": lambda clf, X, y: fitted(StackingClassifier([("a", clf), ("b", clf)], LR, cv=3), X, y),
    "stack of logits": lambda clf, X, y: fitted(
        StackingClassifier([("a", clf)], LR, cv=3, stack_method="decision_function", passthrough=False), X, y
    ),
    "hard vote": lambda clf, X, y: fitted(VotingClassifier([("a", clf), ("b", clf)]), X, y),
    "soft vote": lambda clf, X, y: fitted(VotingClassifier([("a", clf), ("b", clf)], voting="soft"), X, y),
    "bagging": lambda clf, X, y: fitted(BaggingClassifier(clf, 2, random_state=0), rows(X), y),
    "one vs rest": lambda clf, X, y: fitted(OneVsRestClassifier(clf), X, y),
    "sigmoid": calibrated("sigmoid", ensemble=True),
    "isotonic": calibrated("isotonic", ensemble=False),
    "temperature": calibrated("temperature", ensemble=True),
    "temperature of all": calibrated("temperature", ensemble=False),
    "pipeline": lambda clf, X, y: fitted(Pipeline([("same", FunctionTransformer()), ("clf", clf)]), X, y),
    "column": column,
    "union": union,
    "thresholds": tuned,
    "learning curve": lambda clf, X, y: learning_curve(clf, X, y, cv=2, train_sizes=[0.8], error_score="raise", shuffle=True)[2].mean(),
    "validation curve": lambda clf, X, y: validation_curve(
        clf, X, y, param_name="recipe__C", param_range=[1.0], cv=2, error_score="raise"
    )[1].mean(),
    "permutation": lambda clf, X, y: permutation_test_score(clf, X, y, cv=2, n_permutations=2)[0],
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("meta", METAS)
def test_meta_estimators_work_over_names_of_labels(meta: str) -> None:
    for n_labels, own in ((3, RULES), (2, TWO)):
        texts, labels = data(n_labels)
        order = np.random.default_rng(0).permutation(len(texts)).tolist()
        texts, labels = [texts[i] for i in order], [labels[i] for i in order]
        for rules in (None, own):
            clf = RuleNetClassifier(rules, None, classes=sorted(set(labels)))
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "y has only the numbers 0 and 1")
                score = METAS[meta](clf, texts, labels)
            assert score > 0.8, (n_labels, rules)


def test_without_the_list_numbers_and_rules_are_an_error_that_says_what_to_pass() -> None:
    texts, labels = data(3)
    clf = RuleNetClassifier(RULES, None)
    assert cross_val_score(clf, texts, labels, cv=2, error_score="raise").mean() > 0.5
    with pytest.raises(LabelError, match=r"labels are numbers .*classes=\[…\]\), all labels sorted"):
        cross_val_predict(clf, texts, labels, cv=2, method="predict_proba")


def test_a_list_in_another_order_than_scikit_learns_is_noticed() -> None:
    texts, labels = data(3)
    clf = RuleNetClassifier(RULES, None, classes=["World", "Sports", "Business"])
    assert clf.fit(texts, labels).classes_.tolist() == ["Business", "Sports", "World"]
    numbers = [["World", "Sports", "Business"].index(label) for label in labels]
    assert clf.fit(texts, numbers).predict(["goal", "bank"]).tolist() == [1, 2]
    with pytest.raises(
        LabelError, match=r"seem to count the labels in sorted order.*classes=\['Business', 'Sports', 'World'\]"
    ):
        cross_val_predict(clf, texts, labels, cv=2, method="predict_proba")


@pytest.mark.slow
def test_hybrids_vote_and_are_stacked_and_one_model_learns_what_they_say(tiny_encoder: str) -> None:
    texts, labels = data(3)
    order = np.random.default_rng(0).permutation(len(texts)).tolist()
    texts, labels = [texts[i] for i in order], [labels[i] for i in order]
    classes = sorted(set(labels))
    hybrid = RuleNetClassifier(RULES, tiny_encoder, classes=classes, recipe=Recipe.of(epochs=1), random_state=0)
    rules = RuleNetClassifier(RULES, None, classes=classes, recipe=Recipe.of(tfidf=False), random_state=0)
    voting = VotingClassifier([("hybrid", hybrid), ("rules", rules)], voting="soft", weights=[3, 1]).fit(texts, labels)
    mean = np.average([model.predict_proba(texts) for model in voting.estimators_], axis=0, weights=[3, 1])
    np.testing.assert_allclose(voting.predict_proba(texts), mean)
    stack = StackingClassifier([("hybrid", hybrid), ("rules", rules)], LR, cv=2).fit(texts, labels)
    assert stack.final_estimator_.coef_.shape == (3, 6)
    assert stack.score(texts, labels) > 0.9
    student = distill(voting.estimators_, texts, labels=[classes.index(label) for label in labels])
    assert (student.classes_.tolist(), student.predictor_.names) == ([0, 1, 2], classes)
    names = np.array(classes)[student.predict(texts)]
    assert (names == voting.predict(texts)).mean() > 0.9


def test_a_rare_class_may_be_missing_in_a_fold() -> None:
    texts, labels = data(2)
    texts, labels = [*texts, "peace talks"], [*labels, "World"]
    for classes in (None, sorted(set(labels))):
        clf = RuleNetClassifier(RULES, None, classes=classes)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "The least populated class|no text has the label 'World', so only")
            assert cross_val_score(clf, texts, labels, cv=3, error_score="raise").mean() > 0.6
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", "The least populated class|y has only the numbers|Number of classes in training"
        )
        assert cross_val_predict(clf, texts, labels, cv=3, method="predict_proba").shape == (41, 3)
        VotingClassifier([("a", clf)], voting="soft").fit(texts, labels)


def test_a_new_label_with_rules_and_no_example() -> None:
    texts, labels = data(2)
    with pytest.warns(UserWarning, match="^no text has the label 'World', so only their rules speak for them"):
        clf = RuleNetClassifier(RULES, None).fit(texts, labels)
    assert clf.classes_.tolist() == ["Business", "Sports", "World"]
    assert clf.predict(["peace talks", "goal", "oil", "something"]).tolist()[:3] == ["World", "Sports", "Business"]
    assert clf.predict(["something", ""]).tolist().count("World") == 0
    proba = clf.predict_proba(["peace talks now", "now"])[:, 2]
    assert 0.01 < proba[1] < 0.4 < proba[0]
    world = next(rule for rule in RULES.rules if rule.label == "World")
    assert clf.predictor_.hybrid.weights.coef[RULES.ids.index(world.id), 2] == 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # the list says that it is meant
        listed = RuleNetClassifier(RULES, None, classes=["Business", "Sports", "World"]).fit(texts, labels)
        one = RuleNetClassifier(RULES, None, classes=["Business", "Sports", "World"]).fit(texts[:20], labels[:20])
    np.testing.assert_array_equal(listed.predict_proba(texts), clf.predict_proba(texts))
    assert one.predict(["goal", "oil", "peace talks", "x"]).tolist() == ["Sports", "Business", "World", "Sports"]


def test_with_an_encoder_the_neural_part_is_silent_about_it(tiny_encoder: str) -> None:
    texts, labels = data(2)
    classes = ["Business", "Sports", "World"]
    clf = RuleNetClassifier(RULES, tiny_encoder, classes=classes).fit(texts, labels)
    psi = clf.predictor_.parts(["goal", "peace talks", "x"]).psi
    assert not psi[:, 2].any()
    assert psi[:, :2].all()
    with pytest.warns(UserWarning, match="same label, so there is no neural part"):
        one = RuleNetClassifier(RULES, tiny_encoder, classes=classes).fit(texts[:5], labels[:5])
    assert not one.predictor_.hybrid.is_neural


def test_what_numbers_mean_is_saved(tmp_path: Any) -> None:
    texts, labels = data(3)
    y = LabelEncoder().fit_transform(labels)
    clf = RuleNetClassifier(RULES, None, classes=sorted(set(labels))).fit(texts, y)
    clf.save(tmp_path / "model")
    twin = RuleNetClassifier.load(tmp_path / "model")
    assert (twin.classes, twin.classes_.tolist()) == (["Business", "Sports", "World"], [0, 1, 2])
    np.testing.assert_array_equal(twin.predict_proba(texts), clf.predict_proba(texts))
    more = RuleSet.from_yaml("{rulenet: 1, rules: [{id: x, label: Business, word: peace, weight: 9}]}")
    for model in (clf, twin):
        assert model.with_rules(more).predict(["peace"]).tolist() == [0]
    np.testing.assert_array_equal(twin.fit(texts, y).predict_proba(texts), clf.predict_proba(texts))
