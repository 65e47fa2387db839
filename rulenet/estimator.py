"""RuleNetClassifier: the scikit-learn face of rulenet. Wiring only; the work is in the modules it imports."""

from __future__ import annotations

import copy
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import NotFittedError as SklearnNotFittedError

from rulenet.errors import InputError, LabelError, ParameterError, RuleNetError
from rulenet.explain import Explanation, explain
from rulenet.features.blocks import Features
from rulenet.inputs import check_labels, check_rule_labels, check_texts
from rulenet.model.hybrid import Parts, softmax, with_ruleset
from rulenet.persist import load_model, save_model
from rulenet.rules.ruleset import RuleSet
from rulenet.text.language import Language, detect_language
from rulenet.training.progress import Progress
from rulenet.training.recipe import Recipe
from rulenet.training.stages import Task, fit_hybrid

Array = np.ndarray[Any, np.dtype[Any]]


class NotFittedError(RuleNetError, SklearnNotFittedError):  # type: ignore[misc]
    """The estimator was used before `fit`. Lives here because importing scikit-learn is slow."""


class RuleNetClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
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
    device
        ``"auto"``, ``"cpu"`` or ``"cuda"``.
    n_jobs
        Processes that match rules, as joblib counts; None: one.
    random_state
        Seed of folds, splits, initial weights and batches. None: 0.
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
        device: str = "auto",
        n_jobs: int | None = None,
        random_state: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.rules = rules
        self.encoder = encoder
        self.language = language
        self.recipe = recipe
        self.device = device
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    # ------------------------------------------------------------------ fitting

    def fit(
        self, texts: Sequence[str], labels: Sequence[Any] | None = None, *, unlabeled: Sequence[str] | None = None
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

        Raises
        ------
        InputError, LabelError, ParameterError
            For texts, labels or parameters that cannot be used.
        RuleFileError, EncoderError, MissingExtraError, TrainingError
            From the parts.
        """
        recipe = self._checked_recipe()
        known = check_texts(texts, may_be_empty=False)
        more = check_texts(unlabeled, name="unlabeled") if unlabeled is not None else []
        ruleset = RuleSet.load(self.rules) if isinstance(self.rules, (str, os.PathLike)) else self.rules
        classes, Y = _targets(known, labels, more, ruleset)
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
        )
        self.classes_, self.hybrid_, self.recipe_, self.report_ = classes, hybrid, recipe, asdict(report)
        return self

    def _checked_recipe(self) -> Recipe:
        problems = []
        if self.rules is not None and not isinstance(self.rules, (str, os.PathLike, RuleSet)):
            problems.append(f"rules={self.rules!r} is not a path, a RuleSet or None")
        if self.encoder is not None and not isinstance(self.encoder, (str, os.PathLike)):
            problems.append(f"encoder={self.encoder!r} is not a name, a folder or None")
        if self.language not in ("auto", "en", "zh"):
            problems.append(f"language={self.language!r} is not 'auto', 'en' or 'zh'")
        if self.device not in ("auto", "cpu", "cuda"):
            problems.append(f"device={self.device!r} is not 'auto', 'cpu' or 'cuda'")
        if self.recipe is not None and not isinstance(self.recipe, Recipe):
            problems.append(f"recipe={self.recipe!r} is not a Recipe")
        seed: Any = self.random_state
        jobs: Any = self.n_jobs
        if seed is not None and not (isinstance(seed, (int, np.integer)) and 0 <= seed < 2**32):
            problems.append(f"random_state={seed!r} is not a whole number from 0 to 2**32 - 1")
        if jobs is not None and not (isinstance(jobs, (int, np.integer)) and jobs != 0):
            problems.append(f"n_jobs={jobs!r} is not a number of processes (-1: all cores)")
        recipe = self.recipe if isinstance(self.recipe, Recipe) else Recipe()
        if self.rules is None and self.encoder is None and not recipe.tfidf and not recipe.pos:
            problems.append("rules=None, encoder=None and a recipe without tfidf leave nothing to learn with")
        if problems:
            raise ParameterError("; ".join(problems))
        recipe.check()
        return recipe

    def _chosen_language(self, ruleset: RuleSet | None, texts: list[str]) -> Language:
        declared = ruleset.language if ruleset is not None else "any"
        if self.language == "auto":
            return "en" if declared == "en" else "zh" if declared == "zh" else detect_language(texts)
        chosen: Language = "zh" if self.language == "zh" else "en"
        if declared not in ("any", chosen):
            raise ParameterError(
                f"language={chosen!r}, but the rules are written for {declared!r}; change one or use language='auto'"
            )
        return chosen

    # ------------------------------------------------------------------ using

    def predict(self, texts: Sequence[str]) -> Array:
        """Label of each text, shape (n_texts,)."""
        best = self._parts(texts).logits.argmax(axis=1)  # first: it knows whether there are classes
        return np.asarray(self.classes_[best])

    def predict_proba(self, texts: Sequence[str]) -> Array:
        """Probability of each label, shape (n_texts, n_classes), in the order of `classes_`."""
        return softmax(self._parts(texts).logits)

    def decision_function(self, texts: Sequence[str]) -> Array:
        """Logits, shape (n_texts, n_classes); for two classes the second minus the first, shape (n_texts,), as scikit-learn has it."""
        logits = self._parts(texts).logits
        return logits[:, 1] - logits[:, 0] if len(self.classes_) == 2 else logits

    def explain(self, texts: Sequence[str]) -> list[Explanation]:
        """Why each text gets its label: for every label, bias + Σ contributions + neural = logit."""
        texts = check_texts(texts)
        parts = self._parts(texts)
        return explain(self.hybrid_, texts, parts, self.classes_.tolist())

    def _parts(self, texts: Sequence[str]) -> Parts:
        if not hasattr(self, "hybrid_"):
            raise NotFittedError(
                f"this {type(self).__name__} is not fitted yet; call fit(texts, labels) or load(folder) first"
            )
        device = "cpu"
        if self.hybrid_.is_neural:
            device = _device(self.device)
        return self.hybrid_.parts(check_texts(texts), device=device, budget=2 * self.recipe_.batch_tokens)

    # ------------------------------------------------------------------ keeping and editing

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted model to a folder: JSON, YAML and safetensors, complete or not at all."""
        if not hasattr(self, "hybrid_"):
            raise NotFittedError(f"this {type(self).__name__} is not fitted yet; there is nothing to save")
        save_model(path, self.hybrid_, labels=self.classes_, recipe=self.recipe_, report=self.report_)

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
        hybrid, labels, recipe, config = load_model(Path(path))
        encoder = config.encoder.name if config.encoder else None
        clf = cls(
            hybrid.features.ruleset, encoder, language=config.language, recipe=recipe, device=device, n_jobs=n_jobs
        )
        hybrid.features.n_jobs = n_jobs
        clf.classes_, clf.hybrid_, clf.recipe_, clf.report_ = labels, hybrid, recipe, config.report
        return clf

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
        other = copy.copy(self)
        other.rules = ruleset
        other.hybrid_ = with_ruleset(self.hybrid_, ruleset, names)
        return other

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "hybrid_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags


def _targets(known: list[str], labels: Any, more: list[str], ruleset: RuleSet | None) -> tuple[Array, Array]:
    """Classes, and the target distribution of every text; zero rows where there is no label."""
    if labels is None:
        if ruleset is None:
            raise InputError("labels=None learns from rules alone, but there are no rules; pass rules=… or labels")
        classes = np.array(sorted(ruleset.labels))
        if len(classes) < 2:
            raise LabelError(
                f"the rules know only the label {ruleset.labels[0]!r}; at least two are needed to tell apart"
            )
        return classes, np.zeros((len(known) + len(more), len(classes)))
    classes, y = check_labels(labels, len(known))
    return classes, np.vstack([np.eye(len(classes))[y], np.zeros((len(more), len(classes)))])


def _device(device: str) -> str:
    import torch

    return "cuda" if device != "cpu" and torch.cuda.is_available() else "cpu"
