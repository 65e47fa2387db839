"""RuleNetClassifier: the scikit-learn face of rulenet. Wiring only; the work is in the modules it imports."""

from __future__ import annotations

import copy
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sklearn.base import BaseEstimator, ClassifierMixin

from rulenet.base.progress import Progress
from rulenet.data.check import check_texts
from rulenet.data.targets import class_targets
from rulenet.errors import ParameterError
from rulenet.features.blocks import Features
from rulenet.model.hybrid import with_ruleset
from rulenet.model.onnx.export import ExportReport, with_onnx
from rulenet.predictor import Answers, NotFittedError
from rulenet.rules.agreement import check_rule_labels, check_rule_language
from rulenet.rules.ruleset import RuleSet
from rulenet.store.read import load_model
from rulenet.store.write import save_model
from rulenet.text.language import Language, declared_or_detected
from rulenet.training.parameters import check_parameters
from rulenet.training.recipe import Recipe
from rulenet.training.stages import Task, fit_hybrid

__all__ = ["NotFittedError", "RuleNetClassifier"]


class RuleNetClassifier(Answers, ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Text classifier f(x) = φ(x) + ψ(x): linear over rules and TF-IDF, plus a bounded transformer.

    Parameters
    ----------
    rules
        A rule file, a `RuleSet`, or None for no authored rules.
    encoder
        ``"minilm"`` (embedded, English), a Hugging Face name or folder, ``"scratch"`` (small, trained on your texts, any language),
        or None for φ alone.
    language
        ``"en"``, ``"zh"``, or ``"auto"``: the rule file's, else detected from the training texts.
    recipe
        How to train; None for ``Recipe()``.
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
        Folder for checkpoints and word pieces while training, so that ``fit(…, resume=True)`` can go on after an interruption; None: none.
    verbose
        1 shows stages and progress bars on the error stream.

    Attributes
    ----------
    classes_
        The labels, sorted, as given.
    hybrid_
        The fitted parts.
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

    def __init__(
        self,
        rules: str | os.PathLike[str] | RuleSet | None = None,
        encoder: str | os.PathLike[str] | None = "minilm",
        *,
        language: str = "auto",
        recipe: Recipe | None = None,
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
        self.recipe = recipe
        self.cascade = cascade
        self.cascade_risk = cascade_risk
        self.device = device
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.work_dir = work_dir
        self.verbose = verbose

    # ------------------------------------------------------------------ fitting

    def fit(
        self,
        texts: Sequence[str],
        labels: Sequence[Any] | None = None,
        *,
        unlabeled: Sequence[str] | None = None,
        resume: bool = False,
    ) -> RuleNetClassifier:
        """Learn from texts and labels.

        Parameters
        ----------
        texts
            The training texts.
        labels
            One label per text (str, int or bool). None: learn from the rules alone.
        unlabeled
            Further texts without labels.
        resume
            Go on from the last checkpoint in `work_dir`, to the model that an uninterrupted run would have given.

        Raises
        ------
        InputError, LabelError, ParameterError
            For texts, labels or parameters that cannot be used.
        RuleFileError, EncoderError, MissingExtraError, TrainingError
            From the parts.
        """
        recipe = check_parameters(self.get_params(deep=False), resume=resume)
        known = check_texts(texts, may_be_empty=False)
        more = check_texts(unlabeled, name="unlabeled") if unlabeled is not None else []
        ruleset = RuleSet.load(self.rules) if isinstance(self.rules, (str, os.PathLike)) else self.rules
        rule_labels = None if ruleset is None else ruleset.labels
        classes, Y = class_targets(labels, len(known), n_unlabeled=len(more), rule_labels=rule_labels)
        names = [str(label) for label in classes.tolist()]
        if ruleset is not None:
            check_rule_labels(ruleset, names)
        language = self._chosen_language(ruleset, known)
        min_df = recipe.min_df or (2 if len(known) >= 1000 else 1)
        features = Features(
            ruleset,
            language=language,
            tfidf=recipe.tfidf,
            pos=recipe.pos,
            ngram_range=recipe.ngram_range,
            min_df=min_df,
            n_jobs=self.n_jobs,
        )
        hybrid, report = fit_hybrid(
            Task([*known, *more], Y, names),
            features,
            None if self.encoder is None else str(self.encoder),
            recipe,
            seed=self.random_state or 0,
            device=self.device,
            progress=Progress(self.verbose),
            work_dir=None if self.work_dir is None else Path(self.work_dir),
            resume=resume,
        )
        self.classes_, self.hybrid_, self.recipe_, self.report_ = classes, hybrid, recipe, asdict(report)
        self._complete_report()
        return self

    def _chosen_language(self, ruleset: RuleSet | None, texts: list[str]) -> Language:
        declared = ruleset.language if ruleset is not None else "any"
        if self.language == "auto":
            return declared_or_detected(declared, texts)
        chosen: Language = "zh" if self.language == "zh" else "en"
        if declared not in ("any", chosen):
            raise ParameterError(
                f"language={chosen!r}, but the rules are written for {declared!r}; change one or use language='auto'"
            )
        return chosen

    # ------------------------------------------------------------------ keeping and editing

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted model to a folder: JSON, YAML and safetensors, complete or not at all.

        A model that is there already is kept as the state before: `rulenet rules apply FOLDER --undo` leads back to it, up to ten steps.
        """
        if not hasattr(self, "hybrid_"):
            raise NotFittedError(f"this {type(self).__name__} is not fitted yet; there is nothing to save")
        save_model(
            path, self.hybrid_, labels=self.classes_, recipe=self.recipe_, report=self.report_,
            cascade=self.cascade, cascade_risk=self.cascade_risk,
        )  # fmt: skip

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
        clf = cls(
            hybrid.features.ruleset, encoder, language=config.language, recipe=recipe, cascade=config.cascade,
            cascade_risk=config.cascade_risk, device=device, n_jobs=n_jobs,
        )  # fmt: skip
        hybrid.features.n_jobs = n_jobs
        clf.classes_, clf.hybrid_, clf.recipe_, clf.report_ = labels, hybrid, recipe, config.report
        return clf

    def export(
        self,
        texts: Sequence[str] | None = None,
        labels: Sequence[Any] | None = None,
        *,
        precision: str = "auto",
        max_loss: float = 0.002,
    ) -> ExportReport:
        """From here on, compute ψ with ONNX Runtime where the device is a CPU; `save` keeps that form beside PyTorch's.

        Parameters
        ----------
        texts, labels
            Ones the model was not trained on, to compare the answers of both forms. Without labels, changed answers are counted.
        precision
            ``"fp32"``, ``"int8"``, or ``"auto"``: 8 bits if that costs no more than `max_loss`. Without texts, 32.
        max_loss
            Accuracy, or share of changed answers, that may be lost.

        Raises
        ------
        ExportError
            If it costs more, or the encoder cannot be exported.
        """
        self._check_is_fitted()
        known = None if texts is None else check_texts(texts, may_be_empty=False)
        y = None if known is None or labels is None else self._class_indices(labels, len(known))
        self.hybrid_, report = with_onnx(
            self.hybrid_, known, y, precision=precision, max_loss=max_loss, n_jobs=self.n_jobs
        )
        return report

    def with_rules(self, rules: RuleSet | str | os.PathLike[str] | None) -> RuleNetClassifier:
        """A copy with other rules and no retraining.

        A rule that is the same in label, starting weight, sign and pin keeps its learned weight, whatever its conditions say now; a new
        or re-weighted one starts at its author's weight; a removed one is gone. Everything else is shared with this model.
        """
        if not hasattr(self, "hybrid_"):
            raise NotFittedError(f"this {type(self).__name__} is not fitted yet; fit it before editing its rules")
        ruleset = rules if isinstance(rules, RuleSet) or rules is None else RuleSet.load(rules)
        names = [str(label) for label in self.classes_.tolist()]
        if ruleset is not None:
            check_rule_labels(ruleset, names)
            check_rule_language(ruleset, self.hybrid_.features.language)
        other = copy.copy(self)
        other.rules = ruleset
        other.hybrid_ = with_ruleset(self.hybrid_, ruleset, names)
        other.report_ = dict(self.report_)
        other._complete_report()
        return other

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "hybrid_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags
