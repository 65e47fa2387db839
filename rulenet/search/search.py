"""RuleNetSearch: the recipe that does best on some texts, found by trying some for a time, in the shape of scikit-learn's searches.

The recipe of the estimator is tried first, and it is what comes out unless another one is better by more than chance: see
`rulenet.search.judge.enough`. Imports the estimator and neighbours; optuna late.
"""

from __future__ import annotations

import hashlib
import os
import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone

from rulenet.base.progress import Progress
from rulenet.base.types import Array
from rulenet.base.wording import counted
from rulenet.errors import ParameterError
from rulenet.estimator import NotFittedError, RuleNetClassifier
from rulenet.search.contest import COMPLETE, Budget, Contest, Problem, Trial, best_of, gains
from rulenet.search.judge import Judge
from rulenet.search.space import Space
from rulenet.search.storage import opened
from rulenet.training.encoder_choice import chosen_encoder
from rulenet.training.experience import sketch_of
from rulenet.training.given import Given, check_given
from rulenet.training.parameters import check_parameters, chosen_language

Texts = Sequence[str]
MOST_FOLDS = 20


class RuleNetSearch(MetaEstimatorMixin, ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Find a recipe by trying some, and fit a model by the best one.

    Parameters
    ----------
    estimator
        The classifier. Its recipe is the first that is tried, and the one that the others must beat; ``"auto"`` is the default here, as
        the search starts from the same measurements.
    n_trials
        How many recipes are tried, those in the storage included; None: as many as there is time for.
    minutes
        For trials and the fit to all texts. A trial is not begun if it would probably take longer, but the first always is. None: no limit.
    cv
        Folds in which the texts are held out, or the share that is held out once.
    scoring
        ``"accuracy"``, ``"f1_macro"`` or ``"f1_micro"``. None: accuracy, with several labels per text macro-F1.
    storage
        A file that keeps the trials (SQLite), so that a later search with the same data goes on with them. None: they are not kept.
    random_state
        Seed of the folds; how a model is trained depends on that of the estimator. None: 0.

    Attributes
    ----------
    best_estimator_
        The classifier, fitted to all texts by the best recipe.
    best_params_
        What the best recipe changes, as `set_params` of the estimator takes it; empty if nothing was better by more than chance.
    best_score_, best_index_
        Mean score on held-out texts of the best recipe, and its place in `cv_results_`.
    cv_results_
        A list or array for each column, one entry per trial: ``"recipe"`` (in words), ``"params"``, ``"state"``, ``"mean_test_score"``
        (NaN unless complete), ``"split0_test_score"`` …, ``"gain"`` over the first recipe on the same texts and its standard error
        ``"gain_error"``, ``"rank_test_score"``, ``"fit_time"`` and ``"error"``.
    ended_by_
        What ended the search: ``"trials"``, ``"time"``, or ``"space"``: everything near the best recipe was tried.

    Examples
    --------
    >>> texts = [f"{word} {n}" for n in range(12) for word in ("good", "fine", "bad", "poor")]
    >>> search = RuleNetSearch(RuleNetClassifier(None, None), n_trials=2, minutes=None, cv=2)
    >>> search.fit(texts, ["pos", "pos", "neg", "neg"] * 12).predict(["good", "poor"]).tolist()
    ['pos', 'neg']
    >>> search.best_params_, search.cv_results_["recipe"]
    ({}, ['default', 'C=3.0'])
    """

    def __init__(
        self,
        estimator: RuleNetClassifier,
        *,
        n_trials: int | None = None,
        minutes: float | None = 20.0,
        cv: int | float = 3,
        scoring: str | None = None,
        storage: str | os.PathLike[str] | None = None,
        random_state: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.n_trials = n_trials
        self.minutes = minutes
        self.cv = cv
        self.scoring = scoring
        self.storage = storage
        self.random_state = random_state

    def fit(
        self, X: Texts, y: Any = None, *, unlabeled: Texts | None = None, clock: Callable[[], float] = time.monotonic
    ) -> RuleNetSearch:
        """Try recipes on these texts, and fit the best one to all of them.

        Parameters
        ----------
        X, y, unlabeled
            As for `RuleNetClassifier.fit`; recipes that learn from texts without labels are tried if there are any.
        clock
            Gives the time in seconds.

        Raises
        ------
        InputError, LabelError, ParameterError
            For texts, labels or parameters that cannot be used, or a storage of another search.
        MissingExtraError
            If Optuna is not installed: the extra ``search``.
        """
        began = clock()
        self._check()
        given, space = self._asked(X, y, unlabeled)
        problem = self._problem(given, y)
        several, progress = given.link.several, Progress(self.estimator.verbose)
        right = np.asarray(given.classes.y)[: len(problem.texts)]
        right = right > 0 if several else np.eye(len(problem.labels), dtype=bool)[right]
        judge = Judge.of(right, self.cv, self.scoring, self.random_state or 0, several=several)
        budget = Budget(None if self.minutes is None else 60 * self.minutes, clock, began)
        with opened(self.storage, self._about(given, space, judge)) as study:
            contest = Contest(study, self.estimator, problem, space, judge, budget, progress)
            self.ended_by_ = contest.run(self.n_trials)
            trials, took = contest.trials, contest.seconds(space.normal({}))
        if self.ended_by_ == "time" and len(trials) < 2:
            warnings.warn(
                f"minutes={self.minutes:g} are too few to try a second recipe, so the model is trained by the first; trying one takes "
                f"about {took / 60:.2g} minutes here",
                stacklevel=2,
            )
        self._keep(space, judge, trials)
        chosen = trials[self.best_index_].setting if trials else {}
        progress.say(f"{counted(len(trials), 'trial')}; the best recipe is fitted to all texts")
        self.best_estimator_ = problem.fit(clone(self.estimator).set_params(recipe=space.recipe(chosen)))
        self.classes_ = self.best_estimator_.classes_
        return self

    def _check(self) -> None:
        """Refuse parameters that cannot be used."""
        faults = []
        if not isinstance(self.estimator, RuleNetClassifier):
            faults.append(f"estimator={self.estimator!r} is not a RuleNetClassifier")
        if self.minutes is not None and not (_is_number(self.minutes) and self.minutes > 0):
            faults.append(f"minutes={self.minutes!r} is not a number above 0, or None")
        if self.n_trials is not None and not (_is_whole(self.n_trials) and self.n_trials >= 1):
            faults.append(f"n_trials={self.n_trials!r} is not a whole number from 1 on, or None")
        if self.n_trials is None and self.minutes is None:
            faults.append("n_trials=None and minutes=None would never end: give one of them")
        is_share = isinstance(self.cv, float) and 0 < self.cv < 1
        if not is_share and not (_is_whole(self.cv) and 2 <= self.cv <= MOST_FOLDS):
            faults.append(
                f"cv={self.cv!r} is neither a number of folds from 2 to {MOST_FOLDS} nor a share between 0 and 1"
            )
        if self.random_state is not None and not (_is_whole(self.random_state) and 0 <= self.random_state < 2**32):
            faults.append(f"random_state={self.random_state!r} is not a whole number from 0 to 2**32 - 1")
        if self.storage is not None and not isinstance(self.storage, str | os.PathLike):
            faults.append(f"storage={self.storage!r} is not a file")
        if faults:
            raise ParameterError("; ".join(faults))

    def _asked(self, X: Texts, y: Any, unlabeled: Texts | None) -> tuple[Given, Space]:
        """The data, checked as `fit` of the estimator does, and what may be changed of its recipe."""
        if y is None:
            raise ParameterError("a search compares recipes by labelled texts, and there are none: add labels")
        clf, params = self.estimator, self.estimator.get_params(deep=False)
        recipe = check_parameters(params)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the last fit warns of the same
            given = check_given(X, y, unlabeled, None, params | {"recipe": recipe})
            texts = [*given.known, *given.unlabeled]
            language = chosen_language(clf.language, given.ruleset, given.known, given.unlabeled)
            encoder = chosen_encoder(clf.encoder, language, texts)
            sketch = sketch_of(texts, given.Y, given.ruleset, language, encoder, several=given.link.several)
        return given, Space(recipe, sketch)

    def _problem(self, given: Given, y: Any) -> Problem:
        n = len(given.known) - len(self.estimator.descriptions or ())  # these are added as texts
        more = given.unlabeled or None
        is_matrix = given.classes.form == "matrix"
        return Problem(given.known[:n], y, more, given.classes.labels.tolist(), is_matrix)

    def _about(self, given: Given, space: Space, judge: Judge) -> dict[str, str]:
        """Fingerprints of all that the trials depend on."""
        left_out = ("rules", "recipe", "device", "n_jobs", "work_dir", "verbose", "cascade", "cascade_risk")
        params = {name: v for name, v in self.estimator.get_params(deep=False).items() if name not in left_out}
        about: dict[str, Any] = {
            "texts or labels": [given.known, given.classes.names, judge.right.tolist()],
            "texts without labels": given.unlabeled,
            "rules": given.ruleset and given.ruleset.fingerprint,
            "settings of the estimator": [sorted(params.items()), space.base.to_dict()],
            "recipes to try": space.dials,
            "folds": [self.cv, self.random_state or 0],
            "scoring": judge.scoring,
        }
        return {
            name: hashlib.sha256(repr(value).encode("utf-8", "surrogatepass")).hexdigest()
            for name, value in about.items()
        }

    def _keep(self, space: Space, judge: Judge, trials: Sequence[Trial]) -> None:
        """What came out."""
        found = gains(judge, trials)
        mean = np.array([np.mean(trial.scores) if trial.state == COMPLETE else np.nan for trial in trials])
        ranks = np.array([1 + int((mean > one).sum()) if one == one else len(trials) for one in mean], dtype=int)
        self.cv_results_: dict[str, Any] = {
            "recipe": [trial.name for trial in trials],
            "params": [_paths(space.fields(trial.setting)) for trial in trials],
            "state": [trial.state for trial in trials],
            "mean_test_score": mean,
            "std_test_score": np.array(
                [np.std(trial.scores) if trial.state == COMPLETE else np.nan for trial in trials]
            ),
            "rank_test_score": ranks,
            **{f"split{k}_test_score": _column([trial.scores for trial in trials], k) for k in range(len(judge.folds))},
            "gain": np.array([np.nan if one is None else one[0] for one in found]),
            "gain_error": np.array([np.nan if one is None else one[1] for one in found]),
            "fit_time": np.array([sum(trial.seconds) for trial in trials]),
            "error": [trial.error for trial in trials],
        }
        self.n_splits_, self.scoring_ = len(judge.folds), judge.scoring
        self.best_index_ = best_of(judge, trials) or 0
        self.best_params_ = self.cv_results_["params"][self.best_index_] if trials else {}
        self.best_score_ = float(mean[self.best_index_]) if trials else float("nan")

    def _best(self) -> RuleNetClassifier:
        fitted: RuleNetClassifier | None = self.__dict__.get("best_estimator_")
        if fitted is None:
            raise NotFittedError("this RuleNetSearch is not fitted yet; call fit(X, y) first")
        return fitted

    def predict(self, X: Texts) -> Array:
        """The labels of texts, by the best model."""
        return self._best().predict(X)

    def predict_proba(self, X: Texts) -> Array:
        """The probabilities of labels, by the best model."""
        return self._best().predict_proba(X)

    def decision_function(self, X: Texts) -> Array:
        """The logits of the best model."""
        return self._best().decision_function(X)

    def explain(self, X: Texts) -> Any:
        """Why the best model answers as it does: see `RuleNetClassifier.explain`."""
        return self._best().explain(X)

    def score(self, X: Texts, y: Any) -> float:
        """The accuracy of the best model."""
        return float(self._best().score(X, y))

    def __sklearn_is_fitted__(self) -> bool:
        return "best_estimator_" in self.__dict__

    def __sklearn_tags__(self) -> Any:
        tags, own = super().__sklearn_tags__(), self.estimator.__sklearn_tags__()
        tags.input_tags, tags.classifier_tags = own.input_tags, own.classifier_tags
        return tags


def _paths(fields: dict[str, Any]) -> dict[str, Any]:
    return {f"recipe__{name}": value for name, value in fields.items()}


def _column(scores: Sequence[Sequence[float]], fold: int) -> Array:
    return np.array([own[fold] if fold < len(own) else np.nan for own in scores])


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool) and bool(np.isfinite(value))
