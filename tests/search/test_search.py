"""RuleNetSearch: the recipe as it was given stays unless another one is better by more than chance; time, storage, several labels."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone

from rulenet import Recipe, RuleNetClassifier, RuleNetSearch
from rulenet.errors import InputError, ParameterError, TrainingError
from rulenet.estimator import NotFittedError
from rulenet.search import space
from rulenet.search.contest import Contest
from rulenet.training.experience import Sketch

pytest.importorskip("optuna")

GOOD, BAD = ["good", "fine", "great"], ["bad", "poor", "awful"]
RNG = np.random.default_rng(0)
LABELS = ["pos" if i % 2 else "neg" for i in range(60)]
TEXTS = [" ".join(RNG.choice(GOOD if label == "pos" else BAD, 2)) + f" film {i}" for i, label in enumerate(LABELS)]
NOISY = [label if i % 5 else "pos" for i, label in enumerate(LABELS)]
WEAK = Recipe.of(C=1e-4, nb=False, word_vectors=None)  # so weak a φ answers with the commoner label
SETS = [[label, *(["long"] if i % 3 else [])] for i, label in enumerate(LABELS)]


@pytest.fixture(autouse=True)
def _few_dials(monkeypatch: pytest.MonkeyPatch) -> None:
    few = (space.Dial("C", ("10.0", "1e-5", "1.0")), space.Dial("ngram_range", ("(1, 1)",)))
    monkeypatch.setattr(space, "SPACE", few)


def new(recipe: Recipe = Recipe(), **params: Any) -> RuleNetSearch:  # noqa: B008
    limits: dict[str, Any] = {"n_trials": 3, "minutes": None, "cv": 2, **params}
    return RuleNetSearch(RuleNetClassifier(None, None, recipe=recipe, random_state=0), **limits)


def test_a_better_recipe_is_found_and_fitted_to_all_texts() -> None:
    search = new(WEAK).fit(TEXTS, NOISY)
    results = search.cv_results_
    assert results["recipe"] == ["default", "C=10.0", "C=10.0, ngram_range=(1, 1)"]
    assert search.best_params_ == results["params"][search.best_index_]
    assert search.best_params_["recipe__C"] == 10.0
    assert search.best_score_ == results["mean_test_score"][search.best_index_] > results["mean_test_score"][0] + 0.1
    assert results["gain"][1] == pytest.approx(results["mean_test_score"][1] - results["mean_test_score"][0])
    assert (results["gain_error"][1] > 0, search.ended_by_, search.n_splits_) == (True, "trials", 2)
    again = clone(search.estimator).set_params(**search.best_params_).fit(TEXTS, NOISY)
    assert (again.decision_function(TEXTS) == search.decision_function(TEXTS)).all()
    assert search.predict(["good", "awful"]).tolist() == search.best_estimator_.predict(["good", "awful"]).tolist()
    assert search.score(TEXTS, NOISY) == again.score(TEXTS, NOISY)
    assert search.predict_proba(["good"]).shape == (1, 2)
    assert len(search.explain(["good"])) == 1


def test_where_nothing_is_better_the_recipe_stays_bit_for_bit_and_worse_ones_are_pruned() -> None:
    search = new(Recipe.of(C=10.0), n_trials=50).fit(TEXTS, NOISY)
    assert (search.best_params_, search.best_index_, search.ended_by_) == ({}, 0, "space")
    alone = RuleNetClassifier(None, None, recipe=Recipe.of(C=10.0), random_state=0).fit(TEXTS, NOISY)
    assert (alone.coef_ == search.best_estimator_.coef_).all()
    results = search.cv_results_
    weak = results["recipe"].index("C=1e-5")
    assert results["state"][weak] == "pruned"
    assert np.isnan([results["mean_test_score"][weak], results["split1_test_score"][weak]]).all()
    assert results["gain"][weak] < 0


@pytest.mark.slow
def test_a_storage_goes_on_as_if_it_had_never_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at_once, file = new(WEAK, n_trials=4).fit(TEXTS, NOISY), tmp_path / "trials.db"
    fit, fits = RuleNetClassifier.fit, iter(range(100))

    def interrupted(self: RuleNetClassifier, *args: Any, **named: Any) -> RuleNetClassifier:
        fitted = fit(self, *args, **named)
        # In the second fold of the second trial; without a work_dir, `fit` ends with the weights so far.
        if next(fits) == 3:
            fitted.report_["interrupted"] = True
        return fitted

    with monkeypatch.context() as patch:
        patch.setattr(RuleNetClassifier, "fit", interrupted)
        with pytest.raises(KeyboardInterrupt, match=r"^a trial was interrupted"):
            new(WEAK, n_trials=4, storage=file).fit(TEXTS, NOISY)
        halfway = new(WEAK, n_trials=2, storage=f"sqlite:///{file}").fit(TEXTS, NOISY)
        assert next(fits) == 6  # after the second fold again, and all texts
    assert len(halfway.cv_results_["recipe"]) == 2
    search = new(WEAK, n_trials=4, storage=file).fit(TEXTS, NOISY)
    for column in ("recipe", "state", "gain", "mean_test_score", "split1_test_score"):
        np.testing.assert_array_equal(search.cv_results_[column], at_once.cv_results_[column], err_msg=column)
    assert search.best_params_ == at_once.best_params_
    changes: dict[str, Callable[[], Any]] = {
        "texts or labels": lambda: new(WEAK, storage=file).fit(TEXTS, LABELS),
        "texts without labels": lambda: new(WEAK, storage=file).fit(TEXTS, NOISY, unlabeled=["good"] * 4),
        "settings of the estimator": lambda: new(storage=file).fit(TEXTS, NOISY),
        "folds": lambda: new(WEAK, storage=file, cv=3).fit(TEXTS, NOISY),
        "scoring": lambda: new(WEAK, storage=file, scoring="f1_macro").fit(TEXTS, NOISY),
    }
    for name, other in changes.items():
        with pytest.raises(ParameterError, match=rf"^storage: .*trials.db holds a search with other {name}; name"):
            other()


@pytest.mark.parametrize(("minutes", "cv", "trials"), [(0.02, 2, 0), (0.15, 2, 1), (0.3, 2, 3), (0.15, 0.25, 3)])
def test_no_trial_is_begun_that_would_take_too_long(minutes: float, cv: float, trials: int) -> None:
    now = 0.0

    def clock() -> float:  # each look at it takes a second, and so does a fold
        nonlocal now
        now += 1.0
        return now

    search = new(minutes=minutes, cv=cv, n_trials=None)
    if trials < 2:
        message = rf"^minutes={minutes:g} are too few to try a second recipe, .* takes about [\d.]+ minutes here$"
        with pytest.warns(UserWarning, match=message):
            search.fit(TEXTS, LABELS, clock=clock)
    else:
        search.fit(TEXTS, LABELS, clock=clock)
    assert len(search.cv_results_["recipe"]) == trials
    assert search.ended_by_ == "time"
    assert now <= max(60 * minutes, 5) + 2  # looking at it takes a second, too
    assert search.predict(["good"]).tolist() == ["pos"]


@pytest.mark.parametrize("form", ["sets", "matrix"])
def test_texts_may_have_several_labels(form: str) -> None:
    labels = ["long", "neg", "pos"]
    y = SETS if form == "sets" else np.array([[label in one for label in labels] for one in SETS], dtype=int)
    search = new(Recipe.of(word_vectors=None), n_trials=2).fit(TEXTS, y)
    assert search.scoring_ == "f1_macro"
    assert search.best_score_ > 0.8
    found = search.predict(["great fine film"])
    assert ("pos" in found[0]) if form == "sets" else (found[0, 2] == 1)


def test_a_recipe_that_fails_is_told_and_the_first_one_ends_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = Contest.answers

    def failing(self: Contest, recipe: Recipe, fold: int) -> Any:
        if recipe.phi.C == 10.0:
            raise TrainingError("the loss became nan")
        return answers(self, recipe, fold)

    monkeypatch.setattr(Contest, "answers", failing)
    results = new().fit(TEXTS, LABELS).cv_results_
    assert (results["state"][1], results["error"][1]) == ("failed", "the loss became nan")
    assert np.isnan(results["gain"][1])
    with pytest.raises(TrainingError, match=r"^the loss became nan$"):
        new(Recipe.of(C=10.0)).fit(TEXTS, LABELS)


def test_folds_are_trained_as_all_texts_would_be() -> None:
    def recipe(rows: int, n_train: int, recipe: Recipe, encoder: str = "minilm") -> Recipe:
        around = space.Space(recipe, Sketch(rows, 2, 9.0, encoder=encoder))
        nothing: Any = None
        return Contest(nothing, nothing, nothing, around, nothing, nothing).as_for_all(recipe, n_train)

    plain = Recipe()
    assert recipe(600, 400, plain) == plain.with_changes(epochs=8)  # with so few, there would be none
    for unchanged in ((600, 500), (300, 200), (5000, 3333)):
        assert recipe(*unchanged, plain) == plain
    assert recipe(600, 400, Recipe.of(epochs=0)) == Recipe.of(epochs=0)
    assert recipe(600, 400, plain, "scratch") == plain


@pytest.mark.slow
def test_a_damaged_storage_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "trials.db"
    new(n_trials=1, storage=file).fit(TEXTS, LABELS)
    with closing(sqlite3.connect(file)) as database:
        database.execute("UPDATE trial_user_attributes SET value_json = '[1e9, \"a\"]' WHERE key = 'answers 1'")
        database.commit()
    with pytest.raises(ParameterError, match=r"^storage: trial 0 is damaged; name another file$"):
        new(n_trials=2, storage=file).fit(TEXTS, LABELS)


def test_complaints() -> None:
    for changes, message in [
        ({"estimator": 3}, r"^estimator=3 is not a RuleNetClassifier$"),
        ({"minutes": 0}, r"^minutes=0 is not a number above 0, or None$"),
        ({"n_trials": 0}, r"^n_trials=0 is not a whole number from 1 on, or None$"),
        ({"n_trials": None}, r"^n_trials=None and minutes=None would never end: give one of them$"),
        ({"cv": 1}, r"^cv=1 is neither a number of folds from 2 to 20 nor a share between 0 and 1$"),
        ({"random_state": -1}, r"^random_state=-1 is not a whole number"),
        ({"storage": 3}, r"^storage=3 is not a file$"),
        ({"scoring": "f1"}, r"^scoring='f1' is no score"),
    ]:
        with pytest.raises(ParameterError, match=message):
            new().set_params(**changes).fit(TEXTS, LABELS)
    with pytest.raises(
        ParameterError, match=r"^a search compares recipes by labelled texts, and there are none: add labels$"
    ):
        new().fit(TEXTS)
    with pytest.raises(InputError, match=r"60 texts but 2 labels"):
        new().fit(TEXTS, ["pos", "neg"])
    with pytest.raises(NotFittedError, match=r"^this RuleNetSearch is not fitted yet; call fit"):
        new().predict(TEXTS)
