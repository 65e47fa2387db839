"""Trials of a search: which setting comes next, how it does fold by fold, and which is the best. Imports the estimator and neighbours."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone
from sklearn.utils import _safe_indexing

from rulenet.base.progress import Progress
from rulenet.base.types import Array
from rulenet.errors import ParameterError, RuleNetError
from rulenet.estimator import RuleNetClassifier
from rulenet.model.encoders.encoder import Traits
from rulenet.search.judge import Judge, enough
from rulenet.search.space import RECIPE, SCRATCH, Setting, Space, cost, methods, setting_is_plain
from rulenet.training.recipe import Recipe

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

COMPLETE, PRUNED, FAILED = "complete", "pruned", "failed"


@dataclass(frozen=True)
class Trial:
    """A setting that was tried.

    Attributes
    ----------
    setting
        What it changed.
    state
        ``"complete"``; ``"pruned"``: given up after a fold in which it was worse than others; ``"failed"``.
    scores, answers, seconds
        Of each fold that was made; answers to the held-out texts, (n, n_classes).
    error
        Why it failed.
    """

    setting: Setting
    state: str
    scores: list[float]
    answers: list[Array]
    seconds: list[float]
    error: str = ""

    @property
    def name(self) -> str:
        """What it changed, in words."""
        return ", ".join(methods(self.setting)) or "default"

    @property
    def is_plain(self) -> bool:
        """Whether it is the recipe as it was given."""
        return setting_is_plain(self.setting)


@dataclass(frozen=True)
class Budget:
    """The time that a search has; None: as much as it wants."""

    seconds: float | None
    clock: Callable[[], float]
    began: float

    def has(self, seconds: float) -> bool:
        """Whether so much time is left."""
        return self.seconds is None or self.clock() - self.began + seconds <= self.seconds


@dataclass(frozen=True)
class Problem:
    """What a search is about: texts, labels as the user gave them, texts without labels, and the labels in column order."""

    texts: list[str]
    y: Any
    unlabeled: list[str] | None
    labels: list[Any]
    is_matrix: bool

    def fit(self, clf: RuleNetClassifier, rows: Array | None = None) -> RuleNetClassifier:
        """Fit a classifier to some of the labelled texts, or all."""
        texts, y = self.texts, self.y
        if rows is not None:
            texts, y = [texts[i] for i in rows.tolist()], _safe_indexing(y, rows)
        clf.fit(texts, y, unlabeled=self.unlabeled)
        if clf.report_["interrupted"]:  # what was learned so far is no answer here
            raise KeyboardInterrupt("a trial was interrupted before its training ended, so it does not count")
        return clf

    def indicators(self, answers: Any) -> Array:
        """Answers of a classifier as rows of labels that a text has or not, (n_texts, n_classes)."""
        if self.is_matrix:
            return np.asarray(answers).astype(bool)
        number = {label: k for k, label in enumerate(self.labels)}
        found = np.zeros((len(answers), len(self.labels)), dtype=bool)
        for row, answer in zip(found, answers.tolist(), strict=True):
            row[[number[label] for label in (answer if isinstance(answer, tuple) else (answer,))]] = True
        return found


@dataclass
class Contest:
    """Recipes that compete on the same folds."""

    study: Study
    estimator: RuleNetClassifier
    problem: Problem
    space: Space
    judge: Judge
    budget: Budget
    progress: Progress = field(default_factory=Progress)

    def run(self, n_trials: int | None) -> str:
        """Try settings until so many were tried, and say why it ended: ``"trials"``, ``"time"`` or ``"space"``."""
        while n_trials is None or len(self.trials) < n_trials:
            trials = self.trials
            setting = self.next(trials)
            if setting is None:
                return "space"
            if trials and not self.budget.has(self.seconds(setting)):
                return "time"
            if not self.try_out(setting):
                return "time"
            told = self.trials[-1]
            score = f"{np.mean(told.scores):.3f}" if told.scores else told.error
            made = "" if told.state == COMPLETE else f" ({told.state})"
            self.progress.say(f"trial {len(trials) + 1}, {told.name}: {score}{made}, {sum(told.seconds):.0f} s")
        return "trials"

    def next(self, trials: Sequence[Trial]) -> Setting | None:
        """The setting to try next: first the recipe as it was given."""
        plain = self.space.normal({})
        if all(not trial.is_plain for trial in trials):
            return plain
        complete = [trial for trial in trials if trial.state == COMPLETE]
        best = max(complete, key=lambda trial: float(np.mean(trial.scores)))
        return self.space.next(best.setting, [trial.setting for trial in trials])

    def try_out(self, setting: Setting) -> bool:
        """Try a setting, fold by fold; whether there was time for it."""
        from optuna.trial import TrialState

        self.study.enqueue_trial(setting)
        trial = self.study.ask()
        dials = self.space.dials
        taken = {RECIPE: trial.suggest_categorical(RECIPE, dials[RECIPE])} if RECIPE in dials else {}
        taken |= {name: trial.suggest_categorical(name, dials[name]) for name in self.space.active(taken.get(RECIPE))}
        end, n_folds = partial(self.study.tell, trial), len(self.judge.folds)
        scores, made = list[float](), self._made(taken)
        try:
            recipe = self.space.recipe(taken)
            for fold in range(n_folds):
                if fold >= max(1, len(made)) and not self.budget.has(self.seconds(taken, n_folds - fold)):
                    end(state=TrialState.FAIL)  # without an error, so that a search that goes on tries it again
                    return False
                started = self.budget.clock()
                answers = made[fold] if fold < len(made) else self.answers(recipe, fold)
                scores.append(self.judge.score(fold, answers))
                trial.set_user_attr(f"answers {fold}", np.flatnonzero(answers).tolist())
                if fold >= len(made):
                    trial.set_user_attr(f"seconds {fold}", self.budget.clock() - started)
                trial.report(scores[-1], fold)
                if fold + 1 < n_folds and not setting_is_plain(taken) and trial.should_prune():
                    end(state=TrialState.PRUNED)
                    return True
        except RuleNetError as error:
            if setting_is_plain(taken):
                end(state=TrialState.FAIL)
                raise
            trial.set_user_attr("error", str(error))
            end(state=TrialState.FAIL)
            return True
        end(float(np.mean(scores)))
        return True

    def answers(self, recipe: Recipe, fold: int) -> Array:
        """Answers to the held-out texts of a fold, by a model that was fitted to the others."""
        train, held_out = self.judge.folds[fold]
        recipe = self.as_for_all(recipe, len(train))
        clf = clone(self.estimator).set_params(recipe=recipe, cascade="off", work_dir=None, verbose=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the last fit, to all texts, says what there is to say
            fitted = self.problem.fit(clf, train)
        return self.problem.indicators(fitted.predict([self.problem.texts[i] for i in held_out.tolist()]))

    def as_for_all(self, recipe: Recipe, n_train: int) -> Recipe:
        """The recipe for a part of the texts: it makes epochs if it would with all, although the default may make none with so few."""
        sketch = self.space.sketch
        if sketch.band < 2 or replace(sketch, rows=n_train).band == 2 or recipe.steps.epochs is not None:
            return recipe
        if sketch.encoder in ("", SCRATCH):
            return recipe
        return recipe.with_changes(epochs=recipe.resolved(n_train, Traits(), n_train, few=0).steps.epochs)

    def seconds(self, setting: Setting, n_folds: int | None = None) -> float:
        """About how long so many folds, default: all, and a fit to all texts will take."""
        known = [s / cost(self._taken(trial)) for trial in self.study.trials for s in self._seconds(trial)]
        rows = [len(train) for train, _ in self.judge.folds]
        n_folds = len(rows) if n_folds is None else n_folds
        last = len(self.problem.texts) / float(np.mean(rows))
        return float(np.median(known)) * cost(setting) * (n_folds + last) if known else 0.0

    @property
    def trials(self) -> list[Trial]:
        """The settings that were tried, without those that time or the user ended."""
        return [trial for frozen in self.study.trials if (trial := self._trial(frozen)) is not None]

    def _trial(self, frozen: FrozenTrial) -> Trial | None:
        state = {"COMPLETE": COMPLETE, "PRUNED": PRUNED, "FAIL": FAILED}.get(frozen.state.name)
        error = frozen.user_attrs.get("error", "")
        if state is None or (state == FAILED and not error):
            return None
        scores = [score for _, score in sorted(frozen.intermediate_values.items())]
        return Trial(self._taken(frozen), state, scores, self._answers(frozen), self._seconds(frozen), error)

    def _made(self, setting: Setting) -> list[Array]:
        """Answers of the folds that were made of a setting before it was interrupted."""
        ended = [one for one in self.study.trials if one.state.name == "FAIL" and "error" not in one.user_attrs]
        return max((self._answers(one) for one in ended if self._taken(one) == setting), key=len, default=[])

    def _answers(self, frozen: FrozenTrial) -> list[Array]:
        answers: list[Array] = []
        try:
            for fold in range(len(frozen.intermediate_values)):
                shape = len(self.judge.folds[fold][1]), len(self.problem.labels)
                answers.append(np.zeros(shape, dtype=bool))
                answers[-1].flat[frozen.user_attrs[f"answers {fold}"]] = True
        except (IndexError, KeyError, TypeError, ValueError):
            raise ParameterError(f"storage: trial {frozen.number} is damaged; name another file") from None
        return answers

    def _taken(self, frozen: FrozenTrial) -> Setting:
        return {name: frozen.params[name] for name in self.space.dials if name in frozen.params}

    def _seconds(self, frozen: FrozenTrial) -> list[float]:
        return [value for name, value in sorted(frozen.user_attrs.items()) if name.startswith("seconds ")]


def gains(judge: Judge, trials: Sequence[Trial]) -> list[tuple[float, float] | None]:
    """By how much each trial is better than the recipe as it was given, on the folds that it made, and the standard error of that."""
    plain = next((trial for trial in trials if trial.is_plain), None)
    return [
        None if plain is None or not trial.answers else judge.compared(trial.answers, plain.answers) for trial in trials
    ]


def best_of(judge: Judge, trials: Sequence[Trial]) -> int | None:
    """The trial that is best beyond chance, else the recipe as it was given; None if that was not tried to the end."""
    rivals = sum(not trial.is_plain for trial in trials)
    plain = next((i for i, trial in enumerate(trials) if trial.is_plain), None)
    found = gains(judge, trials)
    better = {
        i: gain[0]
        for i, (trial, gain) in enumerate(zip(trials, found, strict=True))
        if gain is not None and trial.state == COMPLETE and not trial.is_plain and gain[0] > enough(rivals) * gain[1]
    }
    return max(better, key=lambda i: better[i]) if better else plain
