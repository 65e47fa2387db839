"""RuleNetClassifier: the scikit-learn contract, over every kind of model, on twenty texts.

scikit-learn's own `parametrize_with_checks` yields a single check for an estimator that takes strings, so the contract is written
out here; of its checks, those that need no data are called by name.
"""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.ensemble import StackingClassifier
from sklearn.exceptions import NotFittedError as SklearnNotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import estimator_checks

from rulenet import Recipe, RuleNetClassifier, RuleSet
from rulenet.errors import (
    EncoderError,
    InputError,
    LabelError,
    ParameterError,
    RuleFileError,
    RuleNetError,
)
from rulenet.estimator import NotFittedError
from tests.breaking import Marker

EN = [
    ("the team won the match", "Sports"),
    ("a late goal decides the match", "Sports"),
    ("coach praises the team", "Sports"),
    ("striker scores a goal and wins", "Sports"),
    ("fans cheer the goal", "Sports"),
    ("the match was lost at home", "Sports"),
    ("team wins the cup match", "Sports"),
    ("a good goal in a bad game", "Sports"),
    ("goalkeeper lost his temper", "Sports"),
    ("the league starts in May", "Sports"),
    ("oil price falls again", "Business"),
    ("the bank cuts its rates", "Business"),
    ("stock market closes lower", "Business"),
    ("bank buys an oil company", "Business"),
    ("price of bread rises", "Business"),
    ("market waits for the bank", "Business"),
    ("president visits the border", "World"),
    ("talks on peace begin", "World"),
    ("parliament votes on the treaty", "World"),
    ("border talks fail", "World"),
]
ZH = [
    ("球队赢得了比赛", "体育"),
    ("最后一分钟进球绝杀", "体育"),
    ("教练批评球员", "体育"),
    ("球迷庆祝进球", "体育"),
    ("联赛五月开赛", "体育"),
    ("比赛因雨推迟", "体育"),
    ("球员转会费破纪录", "体育"),
    ("球队输掉主场比赛", "体育"),
    ("门将扑出点球", "体育"),
    ("国足热身赛名单公布", "体育"),
    ("油价再次下跌", "财经"),
    ("央行下调利率", "财经"),
    ("股市低开低走", "财经"),
    ("银行收购石油公司", "财经"),
    ("面包价格上涨", "财经"),
    ("市场等待央行决定", "财经"),
    ("总统访问边境", "国际"),
    ("和平谈判开始", "国际"),
    ("议会表决条约", "国际"),
    ("边境谈判破裂", "国际"),
]
RULES = RuleSet.from_yaml(
    """
rulenet: 1
language: en
labels: [World, Sports, Business]
rules:
  - {id: sport, label: Sports, word: [goal, match, team], weight: 1.5}
  - {id: money, label: Business, word: [bank, oil, market]}
  - {id: talks, label: World, phrase: talks, negation: skip}
""",
    name="news.yaml",
)
ZH_RULES = RuleSet.from_yaml(
    """
rulenet: 1
language: zh
rules:
  - {id: 体育, label: 体育, word: [进球, 比赛, 热身赛名单]}
  - {id: 财经, label: 财经, word: [央行, 油价]}
  - {id: 国际, label: 国际, word: [边境, 谈判]}
"""
)
QUICK = Recipe.of(epochs=1)
NO_TERMS = Recipe.of(tfidf=False)


@dataclass(frozen=True)
class Case:
    """A kind of model: how to make one, and what to feed it."""

    make: Callable[[], RuleNetClassifier]
    texts: list[str]
    labels: list[str]
    is_neural: bool


SLOW = [pytest.param(kind, marks=pytest.mark.slow) for kind in ("zh", "scratch")]  # zh: jieba reads its dictionary
KINDS = ["rules", "tfidf", "phi", "hybrid", *SLOW]


@pytest.fixture(scope="module", params=KINDS)
def case(request: pytest.FixtureRequest) -> Case:
    kind = request.param
    if kind == "hybrid":
        kind = request.getfixturevalue("tiny_encoder")
    makers: dict[str, Callable[[], RuleNetClassifier]] = {
        "rules": lambda: RuleNetClassifier(RULES, None, recipe=NO_TERMS),
        "tfidf": lambda: RuleNetClassifier(None, None),
        "phi": lambda: RuleNetClassifier(RULES, None),
        "zh": lambda: RuleNetClassifier(ZH_RULES, None),
    }
    make = makers.get(kind, lambda: RuleNetClassifier(RULES, kind, recipe=QUICK, random_state=0))
    texts, labels = zip(*(ZH if kind == "zh" else EN), strict=True)
    return Case(make, list(texts), list(labels), kind not in makers)


@pytest.fixture(scope="module")
def fitted(case: Case) -> RuleNetClassifier:
    """Shared by the tests of a kind; they leave it as it is."""
    return case.make().fit(case.texts, case.labels)


def phi() -> RuleNetClassifier:
    """The cheapest model that learns."""
    return RuleNetClassifier(None, None)


def state(clf: RuleNetClassifier) -> list[np.ndarray[Any, Any]]:
    """Every learned number."""
    hybrid = clf.predictor_.hybrid
    arrays = [hybrid.weights.coef, hybrid.weights.bias]
    if hybrid.psi is not None:
        arrays += [value.numpy() for value in hybrid.psi.state_dict().values()]
    return arrays


def same(one: RuleNetClassifier, other: RuleNetClassifier) -> bool:
    pairs = zip(state(one), state(other), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


# The contract, for every kind of model


def test_fit_returns_self_and_learns_its_texts(case: Case, fitted: RuleNetClassifier) -> None:
    clf = case.make()
    assert clf.fit(case.texts, case.labels) is clf
    assert fitted.classes_.tolist() == sorted(set(case.labels))
    assert fitted.score(case.texts, case.labels) >= (0.9 if fitted.predictor_.hybrid.features.n_terms else 0.7)
    assert fitted.predictor_.hybrid.is_neural == case.is_neural


def test_predictions_have_the_shapes_and_order_of_classes(case: Case, fitted: RuleNetClassifier) -> None:
    proba, logits = fitted.predict_proba(case.texts), fitted.decision_function(case.texts)
    assert proba.shape == logits.shape == (20, 3)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    assert (proba > 0).all()
    np.testing.assert_allclose(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), proba)
    assert fitted.predict(case.texts).tolist() == fitted.classes_[proba.argmax(axis=1)].tolist()


def test_clone_and_parameters(case: Case) -> None:
    clf = case.make()
    params = clf.get_params()
    twin = clone(clf)
    assert twin.get_params() == params
    own = "cascade cascade_risk class_weight classes descriptions device encoder language n_jobs random_state recipe rules verbose work_dir"
    assert sorted(clf.get_params(deep=False)) == own.split()
    assert set(params) == {*own.split(), *(f"recipe__{name}" for name in Recipe().leaves())}
    assert clf.set_params(random_state=7, recipe=Recipe.of(C=9)) is clf
    assert (clf.random_state, clf.recipe, twin.random_state) == (7, Recipe.of(C=9), params["random_state"])
    assert not hasattr(clone(case.make().fit(case.texts, case.labels)), "predictor_")


def test_pickled_and_saved_models_predict_the_same(case: Case, fitted: RuleNetClassifier, tmp_path: Path) -> None:
    fitted.save(tmp_path / "model")
    proba = fitted.predict_proba(case.texts)
    for twin in (pickle.loads(pickle.dumps(fitted)), RuleNetClassifier.load(tmp_path / "model")):
        assert twin.classes_.tolist() == fitted.classes_.tolist()
        np.testing.assert_allclose(twin.predict_proba(case.texts), proba, atol=1e-6 if case.is_neural else 0, rtol=0)


def test_a_reloaded_model_can_be_fitted_again(case: Case, fitted: RuleNetClassifier, tmp_path: Path) -> None:
    fitted.save(tmp_path / "model")
    again = RuleNetClassifier.load(tmp_path / "model").set_params(random_state=fitted.random_state)
    assert same(again.fit(case.texts, case.labels), fitted)


def test_any_column_of_texts_gives_the_same(case: Case, fitted: RuleNetClassifier) -> None:
    expected = fitted.predict_proba(case.texts)
    for kind in (tuple, np.array, lambda texts: np.array(texts, dtype=object), pd.Series):
        assert np.array_equal(fitted.predict_proba(kind(case.texts)), expected)
    assert np.array_equal(fitted.predict_proba(text for text in case.texts), expected)
    assert [e.text for e in fitted.explain(text for text in case.texts)] == case.texts
    twin = case.make().fit(pd.Series(case.texts, index=range(50, 70)), np.array(case.labels))
    assert same(twin, fitted)


def test_neighbours_do_not_change_a_row(case: Case, fitted: RuleNetClassifier) -> None:
    together = fitted.predict_proba(case.texts)
    order = np.random.default_rng(1).permutation(20)
    np.testing.assert_allclose(fitted.predict_proba([case.texts[i] for i in order]), together[order], atol=1e-5)
    alone = np.vstack([fitted.predict_proba([text]) for text in case.texts])
    np.testing.assert_allclose(alone, together, atol=1e-5)
    crowd = fitted.predict_proba([*case.texts, " ".join(case.texts) * 9, ""])
    np.testing.assert_allclose(crowd[:20], together, atol=1e-5)


def test_same_seed_same_weights_whatever_the_global_state(case: Case, fitted: RuleNetClassifier) -> None:
    np.random.seed(99)
    if case.is_neural:
        import torch

        torch.manual_seed(99)
    assert same(case.make().fit(case.texts, case.labels), fitted)


def test_fit_leaves_its_arguments_alone(case: Case) -> None:
    clf = case.make()
    params = clf.get_params()
    texts, labels = np.array(case.texts), np.array(case.labels)
    texts.flags.writeable = labels.flags.writeable = False
    recipe, rules = copy.deepcopy(clf.recipe), copy.deepcopy(clf.rules)
    clf.fit(texts, labels)
    assert all(clf.get_params()[name] is value for name, value in params.items())
    assert (clf.recipe, clf.rules) == (recipe, rules)


def test_refitting_forgets(case: Case, fitted: RuleNetClassifier) -> None:
    clf = case.make()
    before = clone(clf).set_params(rules=None, recipe=Recipe.of(epochs=1)).fit(["x y", "z w"] * 2, [1, 2, 1, 2])
    before.set_params(**clf.get_params())
    assert same(before.fit(case.texts, case.labels), fitted)
    assert before.classes_.tolist() == fitted.classes_.tolist()


def test_unfitted_and_bare_string(case: Case, fitted: RuleNetClassifier) -> None:
    for method in ("predict", "predict_proba", "decision_function", "explain", "score"):
        rest = (["Sports"],) if method == "score" else ()
        with pytest.raises(NotFittedError, match=r"^this RuleNetClassifier is not fitted yet; call fit\(X, y\)"):
            getattr(case.make(), method)(["a"], *rest)
        with pytest.raises(InputError, match=r"^texts is one string: pass a list of strings"):
            getattr(fitted, method)("the team won", *rest)


def test_no_texts_give_no_rows(case: Case, fitted: RuleNetClassifier) -> None:
    assert fitted.predict([]).tolist() == []
    assert fitted.predict_proba([]).shape == fitted.decision_function([]).shape == (0, 3)
    assert fitted.explain([]) == []


def test_strange_texts_get_a_probability(case: Case, fitted: RuleNetClassifier) -> None:
    texts = [
        "",
        " \n\t",
        "\0",
        "nul\0inside",
        "\ud800 half an emoji \udc00",
        "\u202e\ufeff",
        "😀" * 50,
        "&#0; &bogus; <",
    ]
    proba = fitted.predict_proba(texts)
    assert np.isfinite(proba).all()
    assert [e.text for e in fitted.explain(texts)] == texts
    clf = case.make().fit(case.texts + texts, case.labels + case.labels[:8])
    assert np.isfinite(clf.predict_proba(texts)).all()


def test_works_in_a_pipeline(case: Case, fitted: RuleNetClassifier) -> None:
    strip = FunctionTransformer(lambda texts: [text.strip() for text in texts])
    pipeline = Pipeline([("strip", strip), ("clf", case.make())]).fit([f"  {t} " for t in case.texts], case.labels)
    assert np.array_equal(pipeline.predict_proba(case.texts), fitted.predict_proba(case.texts))
    assert pipeline[-1].score(case.texts, case.labels) == fitted.score(case.texts, case.labels)


@pytest.mark.slow
def test_works_in_model_selection(case: Case) -> None:
    clf = case.make()
    recipe = clf.recipe or Recipe()
    grid = {"recipe": [recipe.with_changes(C=c, rule_sigma=c) for c in (1e-4, 3.0)]}
    search = GridSearchCV(clf, grid, cv=2, error_score="raise").fit(case.texts, case.labels)
    assert search.cv_results_["param_recipe"].tolist() == grid["recipe"]
    chosen = search.best_estimator_
    assert chosen.recipe_ == search.best_params_["recipe"].with_changes(**chosen.report_["settled"])
    assert search.predict(case.texts).shape == (20,)
    scores = cross_val_score(clf, case.texts, case.labels, cv=2, error_score="raise", scoring="neg_log_loss")
    assert (scores < 0).all()


@pytest.mark.parametrize("recipe", [None, Recipe.of(tfidf=True, folds=2)])
def test_a_grid_search_varies_single_fields_of_a_recipe(recipe: Recipe | None) -> None:
    texts = [f"{word} {i % 5}" for i in range(20) for word in ("goal", "oil")]
    clf = RuleNetClassifier(None, None, recipe=recipe)
    search = GridSearchCV(clf, {"recipe__C": [1, 10], "recipe__nb": [False]}, cv=2, error_score="raise")
    search.fit(texts, ["sport", "money"] * 20)
    assert search.cv_results_["param_recipe__C"].tolist() == [1, 10]
    assert search.best_params_["recipe__C"] == search.best_estimator_.recipe_.phi.C
    assert search.best_estimator_.recipe.phi.folds == (2 if recipe else 5)
    assert clf.recipe is recipe  # the original is as it was
    with pytest.raises(ParameterError, match=r"recipe: unknown field 'c' \(did you mean 'C'\?\)"):
        clf.set_params(recipe__c=1)


def test_what_depends_on_the_data_is_reported_and_kept(tmp_path: Path) -> None:
    clf = RuleNetClassifier(None, None).fit(["goal", "oil", "win", "bank"] * 3, ["Sports", "Business"] * 6)
    assert clf.report_["settled"] == {"min_df": 1, "C": 10.0, "word_vectors": None}
    clf.save(tmp_path / "model")
    twin = RuleNetClassifier.load(tmp_path / "model")
    assert twin.recipe_ == clf.recipe_ == Recipe.of(min_df=1, C=10.0, word_vectors=None)
    assert clf.recipe is None


def test_interface_checks_of_scikit_learn(case: Case) -> None:
    clf = case.make()
    for check in (
        estimator_checks.check_no_attributes_set_in_init,
        estimator_checks.check_parameters_default_constructible,
        estimator_checks.check_get_params_invariance,
        estimator_checks.check_set_params,
        estimator_checks.check_estimator_cloneable,
        estimator_checks.check_estimator_repr,
        estimator_checks.check_mixin_order,
        estimator_checks.check_do_not_raise_errors_in_init_or_set_params,
        estimator_checks.check_valid_tag_types,
    ):
        check("RuleNetClassifier", clf)


# Seeds of the neural part


def test_another_seed_gives_another_psi(tiny_encoder: str) -> None:
    texts, labels = zip(*EN, strict=True)
    recipe = QUICK.with_changes(joint_epochs=0)  # φ is solved, which takes no seed
    one, two = (RuleNetClassifier(None, tiny_encoder, recipe=recipe, random_state=s).fit(texts, labels) for s in (0, 1))
    assert np.array_equal(one.predictor_.hybrid.weights.coef, two.predictor_.hybrid.weights.coef)
    heads = [clf.predictor_.hybrid.psi.from_text.weight.detach().numpy() for clf in (one, two)]
    assert not np.allclose(*heads)
    assert same(one, RuleNetClassifier(None, tiny_encoder, recipe=recipe).fit(texts, labels))  # None: 0


def test_fit_and_predict_leave_the_global_random_state_alone(tiny_encoder: str) -> None:
    import torch

    def numbers() -> tuple[float, float]:
        np.random.seed(5)
        torch.manual_seed(5)
        return np.random.random(), torch.rand(1).item()

    expected = numbers()
    np.random.seed(5)
    torch.manual_seed(5)
    texts, labels = zip(*EN, strict=True)
    RuleNetClassifier(RULES, tiny_encoder, recipe=QUICK).fit(texts, labels).predict(texts)
    assert (np.random.random(), torch.rand(1).item()) == expected


# Labels


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (("neg", "pos"), str),
        (("", "pos"), str),
        ((0, 1), int),
        ((-7, 42), int),
        ((False, True), bool),
        ((1.0, 3.0), int),  # whole numbers, as in a column with gaps of pandas
        (("正面", "负面"), str),
    ],
)
def test_labels_come_back_as_they_were(names: tuple[Any, Any], kind: type, tmp_path: Path) -> None:
    clf = phi().fit(["good film", "bad film"] * 3, [names[1], names[0]] * 3)
    clf.save(tmp_path / "model")
    for model in (clf, RuleNetClassifier.load(tmp_path / "model")):
        assert model.classes_.tolist() == list(names)
        predicted = model.predict(["good good", "bad bad"]).tolist()
        assert predicted == [names[1], names[0]]
        assert {type(name) for name in predicted} == {kind}
        label = model.explain(["good"])[0].label
        assert (label, type(label)) == (names[1], kind)


def test_columns_follow_classes_and_two_classes_give_one_logit() -> None:
    # Nine to one, and the rare label sorts first: swapped columns cannot go unnoticed.
    clf = phi().fit(["common word"] * 9 + ["rare"], ["z"] * 9 + ["a"])
    proba = clf.predict_proba(["unseen", "rare rare", "common word"])
    assert (proba[:, 1] > proba[:, 0]).tolist() == [True, False, True]
    assert proba[0, 1] > 0.7
    logit = clf.decision_function(["unseen", "rare rare", "common word"])
    assert logit.shape == (3,)
    np.testing.assert_allclose(1 / (1 + np.exp(-logit)), proba[:, 1])


def test_a_rule_moves_its_own_label() -> None:
    labels = ["World", "Sports", "Business", "Business"]
    clf = RuleNetClassifier(RULES, None, recipe=NO_TERMS).fit(["x", "y", "z", "w"], labels)
    base, goal, bank, talks = clf.decision_function(["nothing", "goal", "bank", "talks"])
    assert clf.classes_.tolist() == ["Business", "Sports", "World"]
    np.testing.assert_allclose(goal - base, [0, 1.5, 0], atol=1e-6)  # no text has it: the author's weight
    np.testing.assert_allclose(bank - base, [1, 0, 0], atol=1e-6)
    np.testing.assert_allclose(talks - base, [0, 0, 1], atol=1e-6)


# Texts without labels


def test_labels_none_learns_from_rules_alone() -> None:
    texts = [text for text, _ in EN]
    clf = RuleNetClassifier(RULES, None).fit(texts)
    assert clf.classes_.tolist() == ["Business", "Sports", "World"]
    assert clf.predict(["oil and a bank", "goal", "talks"]).tolist() == ["Business", "Sports", "World"]
    assert (clf.predictor_.hybrid.weights.coef[:3].max(axis=1) > [1, 0.5, 0.5]).all()
    assert clf.report_["n_texts"] == 0
    assert clf.report_["n_unlabeled"] == 20


def test_labels_none_with_an_encoder(tiny_encoder: str) -> None:
    texts = [text for text, _ in EN]
    clf = RuleNetClassifier(RULES, tiny_encoder, recipe=QUICK).fit(texts, unlabeled=["another goal"])
    assert clf.predictor_.hybrid.is_neural
    assert clf.report_["n_unlabeled"] == 21


@pytest.mark.parametrize(
    ("rules", "error", "message"),
    [
        (None, InputError, r"^labels=None learns from rules only, but there are no rules: pass rules=… or labels$"),
        (
            RuleSet.from_yaml("{rulenet: 1, rules: [{id: a, label: only, word: b}]}"),
            LabelError,
            r"^the rules name only the label 'only', but at least two",
        ),
    ],
)
def test_labels_none_needs_rules_for_two_labels(rules: RuleSet | None, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        RuleNetClassifier(rules, None).fit(["a", "b"])


def test_labels_none_where_no_rule_fires_is_said(tiny_encoder: str) -> None:
    for encoder in (None, tiny_encoder):
        with pytest.raises(RuleNetError, match=r"no rule"):
            RuleNetClassifier(RULES, encoder, recipe=QUICK).fit(["nothing", "at all"])


def test_unlabeled_texts_bring_their_words() -> None:
    texts, labels = ["oil price", "goal match"] * 4, ["b", "s"] * 4
    plain = phi().fit(texts, labels)
    sure = RuleNetClassifier(None, None, recipe=Recipe.of(pseudo_confidence=0.6))
    more = sure.fit(texts, labels, unlabeled=["oil price barrel"] * 4 + ["goal match striker"] * 4)
    assert plain.predict_proba(["striker"])[0].tolist() == plain.predict_proba(["barrel"])[0].tolist()
    assert more.predict(["striker", "barrel"]).tolist() == ["s", "b"]
    assert (more.report_["n_texts"], more.report_["n_unlabeled"]) == (8, 8)
    none = phi().fit(texts, labels, unlabeled=[])
    assert same(none, plain)


# What cannot be used. Each case: constructor arguments, texts, labels, the error, its message

GOOD = (["oil price", "goal match"], ["b", "s"])
BAD: dict[str, tuple[dict[str, Any], Any, Any, type[RuleNetError], str]] = {
    "bare string": ({}, "one", ["b"], InputError, r"^texts is one string: pass a list"),
    "None and NaN": (
        {},
        ["a", None, float("nan"), 3, b"x"],
        list("bsbsb"),
        InputError,
        r"^4 of 5 texts are not strings: texts\[1\] is None .*texts\[2\] is nan .*texts\[3\] is 3 \(int\).*texts\[4\] is b'x'",
    ),
    "table": (
        {},
        pd.DataFrame({"text": GOOD[0], "id": [1, 2]}),
        GOOD[1],
        InputError,
        r"shape \(2, 2\): pass one column of strings",
    ),
    "no texts": ({}, [], [], InputError, r"^texts is empty: there is nothing to learn from"),
    "empty texts": ({}, ["", " "], GOOD[1], InputError, r"^all 2 texts are empty"),
    "lengths": ({}, GOOD[0], ["b"], InputError, r"^2 texts but 1 label:"),
    "missing label": ({}, GOOD[0], ["b", None], InputError, r"^1 label is missing .*position 1: drop .*unlabeled="),
    "mixed labels": ({}, GOOD[0], ["b", 1], InputError, r"^labels are of type int, str: use only"),
    "continuous labels": ({}, GOOD[0], [0.1, 0.9], InputError, r"^labels are continuous numbers"),
    "one class": ({}, GOOD[0], ["b", "b"], LabelError, r"^all labels are 'b', one class, but at least two classes"),
    "unseen rule label": (
        {"rules": RULES},
        ["a", "b", "c"],
        ["world", "Sports", "Business"],
        LabelError,
        r"'World' of news\.yaml \(used by rule 'talks'\) is not in the data \(did you mean 'world'\?\).*'world' of the data",
    ),
    "undeclared label": (
        {"rules": RULES},
        ["a", "b", "c", "d"],
        ["World", "Sports", "Business", "Science"],
        LabelError,
        r"label 'Science' of the data is not among `labels` of news\.yaml; add it there",
    ),
    "parameters": (
        {"rules": 3, "encoder": 4, "language": "fr", "device": "tpu", "recipe": {"C": 1}, "random_state": "x"},
        *GOOD,
        ParameterError,
        r"rules=3 is not .*encoder=4 is not .*language='fr' is not .*device='tpu' is not .*recipe=.* is not a Recipe.*random_state='x'",
    ),
    "no processes": ({"n_jobs": 0, "rules": None}, *GOOD, ParameterError, r"n_jobs=0"),
    "processes": ({"n_jobs": "x"}, *GOOD, ParameterError, r"n_jobs='x'"),
    "negative seed": ({"random_state": -1}, *GOOD, ParameterError, r"random_state=-1"),
    "nothing to learn with": ({"recipe": NO_TERMS}, *GOOD, ParameterError, r"leave nothing to learn with"),
    "no rule file": ({"rules": "no-such.yaml"}, *GOOD, RuleFileError, r"no-such\.yaml: no such file; working folder"),
    "languages": (
        {"rules": ZH_RULES, "language": "en"},
        ["a", "b", "c"],
        ["体育", "财经", "国际"],
        ParameterError,
        r"^language='en', but the rules are written for 'zh'; change one or use language='auto'$",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_used_is_said(name: str) -> None:
    params, texts, labels, error, message = BAD[name]
    clf = RuleNetClassifier(**{"encoder": None, **params})
    with pytest.raises(error, match=message):
        clf.fit(texts, labels)
    assert not hasattr(clf, "predictor_")


def test_a_failed_fit_keeps_the_older_model() -> None:
    clf = phi().fit(*GOOD)
    with pytest.raises(LabelError, match="at least two classes"):
        clf.fit(["a", "b"], ["b", "b"])
    assert clf.predict(["oil"]).tolist() == ["b"]


def test_not_fitted_error_is_of_both_families(tmp_path: Path) -> None:
    assert issubclass(NotFittedError, (RuleNetError,))
    assert issubclass(NotFittedError, SklearnNotFittedError)
    with pytest.raises(NotFittedError, match="is not fitted yet"):
        phi().save(tmp_path / "model")
    with pytest.raises(NotFittedError, match="is not fitted yet"):
        phi().with_rules(None)
    assert not (tmp_path / "model").exists()


# Encoders that cannot be loaded


@pytest.fixture
def broken_encoder(tiny_encoder: str, tmp_path: Path) -> Path:
    """A copy of the tiny encoder without its weights."""
    for file in Path(tiny_encoder).iterdir():
        if file.suffix != ".safetensors":
            (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


def test_an_encoder_that_is_not_at_hand_is_named_with_ways_out() -> None:
    with pytest.raises(
        EncoderError, match=r"encoder 'no-such-org/none' cannot be loaded: .*offline.*'minilm'.*'scratch'"
    ):
        RuleNetClassifier(None, "no-such-org/none").fit(*GOOD)


def test_an_encoder_without_weights_is_refused(broken_encoder: Path) -> None:
    with pytest.raises(
        EncoderError, match=r"cannot be loaded: .*The folder must contain config\.json, model\.safetensors"
    ):
        RuleNetClassifier(None, broken_encoder).fit(*GOOD)


def test_an_encoder_of_pickles_is_refused_and_not_opened(broken_encoder: Path) -> None:
    for name in ("pytorch_model.bin", "model.safetensors"):
        (broken_encoder / name).write_bytes(pickle.dumps(Marker(broken_encoder / "executed")))
        with pytest.raises(EncoderError, match=r"cannot be loaded"):
            RuleNetClassifier(None, str(broken_encoder)).fit(*GOOD)
        assert not (broken_encoder / "executed").exists()


# Long work


@pytest.mark.slow
def test_five_megabytes_of_text(tiny_encoder: str) -> None:
    long = "the oil price and the goal of a match " * 135_000
    assert len(long) > 5_000_000
    texts, labels = zip(*EN, strict=True)
    clf = RuleNetClassifier(RULES, tiny_encoder, recipe=QUICK).fit([*texts, long], [*labels, "Sports"])
    assert clf.predict([long, "goal"]).shape == (2,)


@pytest.mark.slow
def test_works_in_a_stack() -> None:
    texts, labels = zip(*EN[:16], strict=True)
    stack = StackingClassifier([("a", phi()), ("b", phi())], LogisticRegression(), cv=2).fit(list(texts), list(labels))
    assert stack.predict(["oil bank"]).tolist() == ["Business"]


# What scikit-learn's users look for


def test_a_classifier_also_transforms() -> None:
    texts, labels = zip(*EN, strict=True)
    for rules, n_labels in ((RULES, 3), (None, 2)):
        rows = [i for i, label in enumerate(labels) if n_labels == 3 or label != "World"]
        some = [texts[i] for i in rows]
        clf = RuleNetClassifier(rules, None).fit(some, [labels[i] for i in rows])
        X, names = clf.transform(some), clf.get_feature_names_out()
        assert X.shape == (len(some), len(names))
        assert clf.coef_.shape == (n_labels if n_labels > 2 else 1, len(names))
        assert clf.intercept_.shape == clf.coef_.shape[:1]
        found = np.asarray(X @ clf.coef_.T + clf.intercept_)
        np.testing.assert_allclose(found.squeeze(), clf.decision_function(some), atol=1e-5)
        assert len(set(names)) == len(names)
        assert (names[:3].tolist() == ["rule__sport", "rule__money", "rule__talks"]) == (rules is not None)
        assert "tfidf__oil price" in names
    assert clf.fit_transform(some, [labels[i] for i in rows]).shape == X.shape
    assert not hasattr(phi(), "coef_")


def test_it_abstains_where_nothing_speaks_if_asked() -> None:
    texts, labels = zip(*EN, strict=True)
    asked = ["a goal", "nothing of it", "zebra", ""]
    rules_only = RuleNetClassifier(RULES, None, recipe=NO_TERMS).fit(texts, labels)
    assert rules_only.predict(asked, abstain=True).tolist() == ["Sports", None, None, None]
    with_terms = RuleNetClassifier(RULES, None).fit(texts, labels)
    assert [label is None for label in with_terms.predict(asked, abstain=True)] == [False, False, True, True]
    assert None not in with_terms.predict(asked).tolist()
    assert rules_only.predict([], abstain=True).tolist() == []


def test_sample_weight_counts_texts_and_zero_leaves_them_out() -> None:
    texts, labels = map(list, zip(*EN, strict=True))
    weight = np.array([i % 3 for i in range(20)])
    for make in (lambda: RuleNetClassifier(RULES, None, recipe=NO_TERMS), phi):
        some = [i for i in range(20) if weight[i]]
        zero_or_one = make().fit(texts, labels, sample_weight=weight > 0)
        assert same(zero_or_one, make().fit([texts[i] for i in some], [labels[i] for i in some]))
    twice = [i for i in range(20) for _ in range(weight[i])]
    clf = RuleNetClassifier(RULES, None, recipe=NO_TERMS)
    weighted, repeated = (
        clone(clf).fit(texts, labels, sample_weight=weight),
        clf.fit([texts[i] for i in twice], [labels[i] for i in twice]),
    )
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, atol=2e-3)
    np.testing.assert_allclose(weighted.intercept_, repeated.intercept_, atol=2e-3)
    with pytest.raises(InputError, match=r"^sample_weight says how much labels count, but there are none"):
        clf.fit(texts, sample_weight=weight)


def test_weights_reach_the_neural_part(tiny_encoder: str) -> None:
    texts, labels = map(list, zip(*EN, strict=True))
    clf = RuleNetClassifier(
        None, tiny_encoder, recipe=Recipe.of(epochs=3, tfidf=False, head_learning_rate=0.1), random_state=0
    )
    plain = clone(clf).fit(texts, labels).predict_proba(texts).mean(axis=0)
    heavy = clone(clf).fit(texts, labels, sample_weight=[9.0 if label == "World" else 1.0 for label in labels])
    assert heavy.predict_proba(texts).mean(axis=0)[2] > plain[2] + 0.1


def test_balanced_classes_find_the_rare_one() -> None:
    rng = np.random.default_rng(0)
    words = np.array([f"w{i}" for i in range(40)])
    y = ["rare" if i % 50 == 0 else "common" for i in range(1000)]
    texts = [" ".join(rng.choice(words[10:] if label == "common" else words[:28], 8)) for label in y]
    recall = {}
    for class_weight in (None, "balanced", {"rare": 20}):
        clf = RuleNetClassifier(None, None, class_weight=class_weight).fit(texts[:500], y[:500])
        found = clf.predict(texts[500:])
        recall[str(class_weight)] = float((found[[label == "rare" for label in y[500:]]] == "rare").mean())
    assert recall["None"] < 0.5 < min(recall["balanced"], recall["{'rare': 20}"])


def test_metadata_is_routed() -> None:
    texts, labels = map(list, zip(*EN, strict=True))
    weight = np.array([0.0 if label == "World" else 1.0 for label in labels])
    with sklearn.config_context(enable_metadata_routing=True):
        clf = phi().set_fit_request(sample_weight=True).set_score_request(sample_weight=False)
        search = GridSearchCV(clf, {"recipe__C": [1.0]}, cv=2, error_score="raise").fit(
            texts, labels, sample_weight=weight
        )
        assert search.best_estimator_.classes_.tolist() == ["Business", "Sports", "World"]
        assert "World" not in search.predict(texts)
        Pipeline([("clf", clf)]).fit(texts, labels, sample_weight=weight)
