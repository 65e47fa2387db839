"""RuleNetClassifier: scikit-learn's contract around a `Predictor`. Wiring only; the work is in the modules it imports."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.exceptions import NotFittedError as SklearnNotFittedError

from rulenet.base.progress import Progress
from rulenet.data.check import check_texts
from rulenet.decide.calibration import Calibration
from rulenet.decide.per_label import LabelCalibration
from rulenet.errors import RuleNetError
from rulenet.explain.training_report import TrainingReport
from rulenet.features.blocks import Features
from rulenet.model.onnx.export import ExportReport, with_onnx
from rulenet.predictor import Predictor
from rulenet.rules.ruleset import RuleSet
from rulenet.store.read import load_model
from rulenet.store.write import save_model
from rulenet.text.language import Language
from rulenet.training.encoder_choice import chosen_encoder
from rulenet.training.experience import chosen_for, recipe_of, sketch_of, told
from rulenet.training.given import Given, check_given
from rulenet.training.job import Job
from rulenet.training.parameters import check_parameters, chosen_language
from rulenet.training.parts import fields_of
from rulenet.training.recipe import Recipe
from rulenet.training.recipes import AUTO, chosen, fields_by_path
from rulenet.training.stages import Task, expected_costs, fit_hybrid

__all__ = ["NotFittedError", "RuleNetClassifier"]
Texts = Sequence[str]
Labels = Sequence[Any] | None
P = ParamSpec("P")
R = TypeVar("R")


class NotFittedError(RuleNetError, SklearnNotFittedError):  # type: ignore[misc]
    """The estimator was used before `fit`. Not in errors.py because importing scikit-learn is slow."""


def _forwarded(method: Callable[Concatenate[Predictor, P], R]) -> Callable[Concatenate[RuleNetClassifier, P], R]:
    """The same method, with the same signature and docstring, of a classifier."""

    @wraps(method)
    def forward(self: RuleNetClassifier, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return method(self.predictor_, *args, **kwargs)

    return forward


class RuleNetClassifier(TransformerMixin, ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Text classifier f(x) = φ(x) + ψ(x): linear over rules and TF-IDF, plus a bounded transformer.

    Parameters
    ----------
    rules
        A rule file, a `RuleSet`, or None for no authored rules.
    encoder
        ``"auto"``: MiniLM for English texts, else e5. ``"minilm"`` (embedded, English), ``"e5"`` (embedded in the extra
        ``multilingual``, 94 languages), a Hugging Face name or folder, ``"scratch"`` (small, trained on your texts, any language), or
        None for φ alone.
    language
        ``"en"``, ``"zh"``, or ``"auto"``: the rule file's, else detected from the training texts.
    classes
        All labels. None: those of the training texts and the rules. Needed where scikit-learn numbers the labels before it passes them on
        (stacking, voting, ``cross_val_predict(…, method="predict_proba")``): whole numbers in `y` then count this list from 0, so give
        it sorted. A label that no text has lives on its rules.
    class_weight
        How much texts count by their label, learned from or not: ``"balanced"``, all labels the same together; a mapping from labels to
        weights; None: as many as there are.
    descriptions
        What labels mean, in words that their texts may have: ``{"Sci/Tech": "science and computers"}``; each counts as four texts.
    recipe
        How to train: a `Recipe`, a name of `rulenet recipes` or ``"auto"``; None: ``Recipe()``. A grid search may vary ``recipe__C``.
    cascade
        When ψ is skipped: ``"off"``, never; ``"certified"``, where it provably cannot change the answer; ``"statistical"``, where that
        changes at most a share `cascade_risk` of all answers, with 95 % confidence. May be changed later with `set_params`.
    cascade_risk
        See `cascade`.
    device
        ``"auto"``, ``"cpu"`` or ``"cuda"``.
    n_jobs
        Processes that match rules, as joblib counts; None: one.
    random_state
        Seed of folds, splits, initial weights and batches. None: 0.
    work_dir
        Folder for checkpoints and word pieces while training, so that ``fit(…, resume=True)`` can continue after an interruption.
    verbose
        1 shows stages, and one bar over all of them, on the error stream.

    Attributes
    ----------
    classes_
        The labels, sorted, as given; those of a matrix or of `classes` in their order.
    predictor_
        The fitted model by itself, which answers without scikit-learn: for services and workers.
    report_
        What happened in training: accuracies on held-out texts, scales, seconds.

    Examples
    --------
    >>> rules = RuleSet.from_yaml('''
    ... rulenet: 1
    ... rules:
    ...   - {id: refund, label: returns, word: [refund, return]}
    ...   - {id: crash, label: technical, word: [crash, crashes]}
    ... ''')
    >>> texts = ["I want a refund", "It crashes daily", "Return the shoes", "The app will not open"]
    >>> clf = RuleNetClassifier(rules=rules, encoder=None).fit(texts, ["returns", "technical", "returns", "technical"])
    >>> clf.predict(["please refund me"]).tolist()
    ['returns']
    >>> clf.explain(["please refund me"])[0].terms[0].name
    'refund'
    """

    classes_: Any
    report_: dict[str, Any]
    recipe_: Recipe

    def __init__(
        self,
        rules: str | os.PathLike[str] | RuleSet | None = None,
        encoder: str | os.PathLike[str] | None = "auto",
        *,
        language: str = "auto",
        classes: Sequence[Any] | None = None,
        class_weight: str | Mapping[Any, float] | None = None,
        descriptions: Mapping[Any, str] | None = None,
        recipe: Recipe | str | None = None,
        cascade: str = "off",
        cascade_risk: float = 0.005,
        device: str = "auto",
        n_jobs: int | None = None,
        random_state: int | None = None,
        work_dir: str | os.PathLike[str] | None = None,
        verbose: int = 0,
    ) -> None:
        self.rules = rules
        self.encoder = encoder
        self.language = language
        self.classes = classes
        self.class_weight = class_weight
        self.descriptions = descriptions
        self.recipe = recipe
        self.cascade = cascade
        self.cascade_risk = cascade_risk
        self.device = device
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.work_dir = work_dir
        self.verbose = verbose

    def fit(
        self, X: Texts, y: Labels = None, *, unlabeled: Texts | None = None, sample_weight: Any = None, resume: bool = False
    ) -> RuleNetClassifier:  # fmt: skip
        """Learn from texts and labels.

        Parameters
        ----------
        X
            Texts: a list, an array, a column of a table, or a table of one column; mappings are records.
        y
            One label per text (str, int, bool, enumeration), or several (lists, sets, a matrix of 0 and 1). None: learn from rules alone.
        unlabeled
            Further texts without labels.
        sample_weight
            How much each text counts: 2 as if it were there twice, 0 as if it were not there. The vocabulary counts it once.
        resume
            Continue from the last checkpoint in `work_dir`, to the model that an uninterrupted run would have given. Ctrl-C brings
            that checkpoint up to date and raises `KeyboardInterrupt`; without a `work_dir`, `fit` ends with the weights so far.

        Raises
        ------
        InputError, LabelError, ParameterError
            For texts, labels or parameters that cannot be used.
        RuleFileError, EncoderError, MissingExtraError, TrainingError
            From the parts.
        """
        recipe = check_parameters(self.get_params(deep=False), resume=resume)
        given = check_given(X, y, unlabeled, sample_weight, self.get_params(deep=False) | {"recipe": recipe})
        language = chosen_language(self.language, given.ruleset, given.known, given.unlabeled)
        texts = [*given.known, *given.unlabeled]
        task = Task(texts, given.Y, given.classes.names, given.weighs_labels, link=given.link)
        recipe, auto = _settled(self, recipe, given, texts, language)
        return fit_task(self, task, given.ruleset, language, recipe, given.classes.labels, resume=resume, auto=auto)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Parameters by name; those of the recipe too, as ``recipe__C``, if `deep`."""
        return {**super().get_params(deep), **(fields_by_path(self.recipe) if deep else {})}

    def set_params(self, **params: Any) -> RuleNetClassifier:
        """Change parameters, also single fields of the recipe, as in ``set_params(recipe__C=3.0)``."""
        fields = {name[8:]: params.pop(name) for name in [*params] if name.startswith("recipe__")}
        super().set_params(**params)
        if fields:
            self.recipe = chosen(self.recipe).with_changes(**fields)
        return self

    @property
    def predictor_(self) -> Predictor:
        """The fitted model, with the present `cascade`, `cascade_risk` and `device`."""
        fitted: Predictor | None = self.__dict__.get("_predictor")
        if fitted is None:
            name = type(self).__name__
            raise NotFittedError(f"this {name} is not fitted yet; call fit(X, y) or load(folder) first")
        self._predictor = fitted.with_policy(self.cascade, self.cascade_risk).with_device(self.device)
        return self._predictor

    @predictor_.setter
    def predictor_(self, predictor: Predictor) -> None:
        self._predictor = predictor
        self.report_ = {**self.report_, **self.predictor_.report()}

    score = _forwarded(Predictor.score)
    predict = _forwarded(Predictor.predict)
    predict_proba = _forwarded(Predictor.predict_proba)
    predict_with_path = _forwarded(Predictor.predict_with_path)
    predict_set = _forwarded(Predictor.predict_set)
    decision_function = _forwarded(Predictor.decision_function)
    transform = _forwarded(Predictor.transform)
    explain = _forwarded(Predictor.explain)
    explain_global = _forwarded(Predictor.explain_global)
    what_if = _forwarded(Predictor.what_if)

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """Names of the columns that `transform` gives, such as ``"rule__refund"`` and ``"tfidf__money back"``."""
        return np.array(self.predictor_.feature_names, dtype=object)

    @property
    def coef_(self) -> Any:
        """φ's weights as scikit-learn's linear models have them: (n_classes, n_columns); (1, n_columns) for two classes, second − first.

        Without ψ, ``transform(X) @ coef_.T + intercept_`` is `decision_function`.
        """
        return self.predictor_.hybrid.linear.coef.T

    @property
    def intercept_(self) -> Any:
        """φ's biases, (n_classes,); (1,) for two classes, second − first."""
        return self.predictor_.hybrid.linear.bias

    @property
    def cascade_report_(self) -> dict[str, Any]:
        """When ψ is skipped: margin, share skipped, expected speed-up, and the bound on changed answers, from held-out texts."""
        return self.predictor_.policy.cascade.to_dict()

    @property
    def calibration_(self) -> Calibration | LabelCalibration | None:
        """What probabilities, label sets and rejection are based on; None without held-out texts that have labels."""
        return self.predictor_.policy.calibration

    def training_report(self) -> TrainingReport:
        """How training went, stage by stage: `print` it, look at it in a notebook, or write its `to_page()` to a file."""
        return TrainingReport.of(self.predictor_.report() | self.report_, self.recipe_)

    def calibrate(self, texts: Texts, labels: Labels = None) -> RuleNetClassifier:
        """Use these texts, which the model was not trained on, instead of the held-out ones: see `Predictor.calibrate`."""
        self.predictor_ = self.predictor_.calibrate(texts, labels)
        return self

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted model to a folder: JSON, YAML and safetensors, complete or not at all.

        A model that is there already is kept as the state before: `rulenet history FOLDER` lists up to ten such states, with the way back.
        """
        own, recipe, report = self.predictor_, self.recipe_, self.report_
        save_model(path, own.hybrid, own.policy, labels=self.classes_, names=own.names, recipe=recipe, report=report)

    @classmethod
    def load(
        cls, path: str | os.PathLike[str], *, device: str = "auto", n_jobs: int | None = None
    ) -> RuleNetClassifier:
        """Read a model that `save` wrote. Runs no code from the folder.

        Raises
        ------
        ModelFileError
            If the folder is damaged, changed, unsafe or from a newer version.
        """
        hybrid, labels, recipe, config = load_model(Path(path), device=device, n_jobs=n_jobs)
        encoder = config.encoder.name if config.encoder else None
        ruleset, seconds = hybrid.features.ruleset, config.report.get("seconds_per_text") or {}
        clf = cls(
            ruleset, encoder, language=config.language, classes=config.names, recipe=recipe, cascade=config.cascade,
            cascade_risk=config.cascade_risk, device=device, n_jobs=n_jobs,
        )  # fmt: skip
        hybrid.features.n_jobs = n_jobs
        clf.classes_, clf.recipe_, clf.report_ = labels, recipe, {**config.report}
        clf._predictor = Predictor.of(
            hybrid, labels, clf.cascade, clf.cascade_risk, names=config.label_names, device=device, seconds=seconds
        )
        return clf

    def export(
        self, texts: Texts | None = None, labels: Labels = None, *, precision: str = "auto", max_loss: float = 0.002
    ) -> ExportReport:
        """From now on, compute ψ with ONNX Runtime where the device is a CPU; `save` keeps that form as well as PyTorch's.

        Parameters
        ----------
        texts, labels
            Not those of training, to compare the answers of both forms. Without labels, changed answers are counted.
        precision
            ``"fp32"``, ``"int8"``, or ``"auto"``: 8 bits if that costs no more than `max_loss`. Without texts, 32.
        max_loss
            Accuracy, or share of changed answers, that may be lost.

        Raises
        ------
        ExportError
            If it costs more, or the encoder cannot be exported.
        """
        predictor = self.predictor_
        known = None if texts is None else check_texts(texts, may_be_empty=False)
        y = None if known is None or labels is None else predictor.class_indices(labels, len(known))
        how: dict[str, Any] = {"precision": precision, "max_loss": max_loss, "n_jobs": self.n_jobs}
        hybrid, report = with_onnx(predictor.hybrid, known, y, **how)
        self.predictor_ = predictor.with_hybrid(hybrid)
        return report

    def distill(
        self, texts: Texts, into: str | os.PathLike[str] = "phi", *, labels: Labels = None, alpha: float | None = None,
        temperature: float = 1.0, recipe: Recipe | str | None = None,
    ) -> RuleNetClassifier:  # fmt: skip
        """A smaller model with the same rules that answers as this one: see `rulenet.ensemble.distil.distill`, for several as well."""
        from rulenet.ensemble.distil import distill  # upwards, as this is only a short form of it

        return distill([self], texts, into, labels=labels, alpha=alpha, temperature=temperature, recipe=recipe)

    def with_rules(self, rules: RuleSet | str | os.PathLike[str] | None) -> RuleNetClassifier:
        """A copy with other rules and no retraining.

        A rule that is the same in label, starting weight, sign and pin keeps its learned weight, whatever its conditions say now; a new
        or re-weighted one starts at its author's weight. Everything else is shared with this model.
        """
        predictor = self.predictor_
        other = copy.copy(self)
        other.rules = rules if isinstance(rules, RuleSet) or rules is None else RuleSet.load(rules)
        other.predictor_ = predictor.with_rules(other.rules)
        return other

    def __sklearn_is_fitted__(self) -> bool:
        return "_predictor" in self.__dict__

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.classifier_tags.multi_label = True
        return tags


def fit_task(
    clf: RuleNetClassifier, task: Task, ruleset: RuleSet | None, language: Language, recipe: Recipe, classes: Any, *, resume: bool = False,
    auto: Mapping[str, Any] | None = None,
) -> RuleNetClassifier:  # fmt: skip
    """Fit a classifier to texts and targets that are checked; `classes` are the labels as the user has them."""
    features = Features(ruleset, language=language, n_jobs=clf.n_jobs, **fields_of(recipe.columns))
    encoder = chosen_encoder(clf.encoder, language, task.texts)
    work_dir = None if clf.work_dir is None else Path(clf.work_dir)
    job = Job(clf.random_state or 0, clf.device, Progress(clf.verbose), work_dir, resume)
    with job.progress.whole(expected_costs(task, features, encoder, recipe, clf.device)):
        hybrid, report = fit_hybrid(task, features, encoder, recipe, job)
        job.progress.stage("calibration")
        clf.classes_, clf.report_ = classes, {**asdict(report), "auto": {**(auto or {})}}
        clf.recipe_ = recipe.with_changes(**report.settled)
        how: dict[str, Any] = {"names": task.classes, "device": clf.device, "seconds": report.seconds_per_text}
        clf.predictor_ = Predictor.of(hybrid, clf.classes_, clf.cascade, clf.cascade_risk, **how)
    return clf


def _settled(
    clf: RuleNetClassifier, recipe: Recipe, given: Given, texts: list[str], language: Language
) -> tuple[Recipe, dict[str, Any]]:
    """The recipe for these texts and, if it was to be chosen by earlier measurements, why it was."""
    if clf.recipe != AUTO:
        return recipe.resolved(len(given.known)), {}
    encoder = chosen_encoder(clf.encoder, language, texts)
    choice = chosen_for(sketch_of(texts, given.Y, given.ruleset, language, encoder, several=given.link.several))
    checked = check_parameters(clf.get_params(deep=False) | {"recipe": recipe_of(choice.method)})
    return checked.resolved(len(given.known)), told(choice)
